//! One answered request, and its http-log line.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use plan::Session;
use serde_json::Value;

use crate::http::error::{write_json, write_string};

/// One answered request.
#[derive(Debug)]
pub struct HttpEvent<'a> {
    /// Request id.
    pub request_id: &'a str,
    /// Who asked; `None` before authentication.
    pub session: Option<&'a Session>,
    /// What was asked, as the log shows it.
    pub request: RequestLog<'a>,
    /// The error, if it failed.
    pub error: Option<Value>,
    /// Bytes sent.
    pub response_size: usize,
    /// Bytes before compression.
    pub uncompressed_response_size: usize,
    /// Bytes received.
    pub request_size: usize,
    /// Time to read the body.
    pub read_time: Duration,
    /// Time to answer.
    pub execution_time: Duration,
    /// Status.
    pub status: u16,
    /// Method.
    pub method: &'a str,
    /// Client.
    pub ip: &'a str,
    /// Path.
    pub url: &'a str,
    /// `HTTP/1.1`
    pub http_version: &'static str,
    /// `gzip`
    pub content_encoding: Option<&'static str>,
    /// Its operations; empty for other endpoints.
    pub operations: &'a [OperationLog],
}

/// What a request asked. Texts are JSON as it came in.
#[derive(Debug, Clone, Copy, Default)]
pub enum RequestLog<'a> {
    /// One GraphQL operation: the whole body.
    Single(&'a [u8]),
    /// A batch: the whole body, a list.
    Batched(&'a [u8]),
    /// Another endpoint: the body, or what the settings leave of it.
    NonGraphql(Option<&'a [u8]>),
    /// Refused before it was read.
    #[default]
    Error,
}

/// One operation, for log and metrics.
#[derive(Debug, Clone)]
pub struct OperationLog {
    /// `query`, `mutation`, `subscription` or `unknown`.
    pub kind: &'static str,
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Hash of its normalised selection set.
    pub hash: Option<Arc<str>>,
    /// It answered without errors.
    pub success: bool,
    /// How long it took.
    pub took: Duration,
}

impl OperationLog {
    /// One of which nothing is known yet.
    pub fn unknown() -> Self {
        Self {
            kind: "unknown",
            name: None,
            hash: None,
            success: false,
            took: Duration::ZERO,
        }
    }
}

impl HttpEvent<'_> {
    /// Appends the detail of the log line.
    pub fn write_detail(&self, out: &mut Vec<u8>, query_only_on_error: bool) {
        let shows_query = self.error.is_some() || !query_only_on_error;
        let (mode, query, batch) = match self.request {
            RequestLog::Single(body) => ("single", Some(body), None),
            RequestLog::Batched(body) => ("batched", None, Some(body)),
            RequestLog::NonGraphql(body) => ("non-graphql", body, None),
            RequestLog::Error => ("error", None, None),
        };
        out.extend_from_slice(b"{\"operation\":{\"request_id\":");
        write_string(out, self.request_id);
        // Writing to a vector cannot fail.
        let _ = write!(
            out,
            ",\"request_mode\":\"{mode}\",\"response_size\":{},\"uncompressed_response_size\":{},\
             \"request_read_time\":{},\"query_execution_time\":{},\"user_vars\":",
            self.response_size,
            self.uncompressed_response_size,
            self.read_time.as_secs_f64(),
            self.execution_time.as_secs_f64()
        );
        write_session(out, self.session);
        if let (Some(query), true) = (query, shows_query) {
            out.extend_from_slice(b",\"query\":");
            write_on_one_line(out, query);
        }
        if let (Some(batch), true) = (batch, shows_query) {
            out.extend_from_slice(b",\"batched_operations\":");
            write_on_one_line(out, batch);
        }
        if let Some(hash) = self
            .operations
            .iter()
            .find_map(|operation| operation.hash.as_deref())
        {
            out.extend_from_slice(b",\"parameterized_query_hash\":");
            write_string(out, hash);
        }
        if let Some(error) = &self.error {
            out.extend_from_slice(b",\"error\":");
            write_json(out, error);
        }
        let _ = write!(
            out,
            "}},\"http_info\":{{\"status\":{},\"http_version\":\"{}\",\"method\":",
            self.status, self.http_version
        );
        write_string(out, self.method);
        out.extend_from_slice(b",\"ip\":");
        write_string(out, self.ip);
        out.extend_from_slice(b",\"url\":");
        write_string(out, self.url);
        out.extend_from_slice(b",\"content_encoding\":");
        match self.content_encoding {
            Some(encoding) => write_string(out, encoding),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b"},\"request_id\":");
        write_string(out, self.request_id);
        out.push(b'}');
    }
}

/// Copies JSON text. A raw line break in it can only stand between tokens.
fn write_on_one_line(out: &mut Vec<u8>, json: &[u8]) {
    out.extend(json.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    }));
}

/// Session variables; the admin secret never is one.
pub fn write_session(out: &mut Vec<u8>, session: Option<&Session>) {
    let Some(session) = session else {
        out.extend_from_slice(b"null");
        return;
    };
    out.push(b'{');
    for (at, (name, value)) in session.variables.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_string(out, value);
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_line_is_json_with_hasuras_keys() {
        let session = Session {
            role: Arc::from("user"),
            variables: vec![(Arc::from("x-hasura-role"), Arc::from("user"))],
            backend: false,
        };
        let operations = [OperationLog {
            kind: "query",
            name: None,
            hash: Some(Arc::from("h")),
            success: true,
            took: Duration::ZERO,
        }];
        let mut event = HttpEvent {
            request_id: "r",
            session: Some(&session),
            request: RequestLog::Single(b"{\"query\":\r\n \"{ a }\"}"),
            error: None,
            response_size: 10,
            uncompressed_response_size: 20,
            request_size: 17,
            read_time: Duration::from_micros(5),
            execution_time: Duration::from_millis(2),
            status: 200,
            method: "POST",
            ip: "127.0.0.1",
            url: "/v1/graphql",
            http_version: "HTTP/1.1",
            content_encoding: Some("gzip"),
            operations: &operations,
        };
        let detail = |event: &HttpEvent<'_>, only_on_error| {
            let mut out = Vec::new();
            event.write_detail(&mut out, only_on_error);
            assert!(!out.contains(&b'\n'), "one line");
            serde_json::from_slice::<Value>(&out).unwrap()
        };
        let line = detail(&event, false);
        assert_eq!(line["operation"]["query"], json!({"query": "{ a }"}));
        assert_eq!(line["operation"]["user_vars"], json!({"x-hasura-role": "user"}));
        assert_eq!(line["operation"]["request_mode"], "single");
        assert_eq!(line["operation"]["parameterized_query_hash"], "h");
        assert_eq!(line["http_info"]["content_encoding"], "gzip");
        assert_eq!(line["http_info"]["status"].to_string(), "200");
        assert!(detail(&event, true)["operation"].get("query").is_none());
        event.error = Some(json!({"code": "unexpected"}));
        assert!(detail(&event, true)["operation"].get("query").is_some());
    }
}
