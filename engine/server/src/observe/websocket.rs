//! What happens on websockets, and its websocket-log lines.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use plan::Session;
use uuid::Uuid;

use super::http::{OperationLog, write_session};
use super::log::{Level, Timestamp};
use crate::http::error::{ApiError, write_json, write_string};

/// Something that happened on one websocket.
#[derive(Debug)]
pub struct WebsocketEvent<'a> {
    /// Which.
    pub id: Uuid,
    /// When its session ends, in seconds since 1970.
    pub expires: Option<f64>,
    /// Who is on its other end; `None` before `connection_init`.
    pub session: Option<&'a Session>,
    /// What is worth knowing besides.
    pub message: Option<&'a str>,
    /// What.
    pub what: What<'a>,
}

/// What happened.
#[derive(Debug)]
pub enum What<'a> {
    /// It was opened.
    Accepted,
    /// It was not opened.
    Rejected(&'a ApiError),
    /// It sent what cannot be read, or may not come in.
    Refused(&'a str),
    /// To an operation.
    Operation(OperationEvent<'a>),
    /// It was closed.
    Closed,
}

/// What happened to an operation.
#[derive(Debug)]
pub struct OperationEvent<'a> {
    /// The client's id of it.
    pub id: &'a str,
    /// Its name, where its text has been looked at or names one.
    pub name: Option<&'a str>,
    /// Its request id.
    pub request_id: Option<&'a str>,
    /// As it was sent, JSON.
    pub query: Option<&'a str>,
    /// Hash of its normalised selection set.
    pub hash: Option<&'a str>,
    /// What.
    pub step: Step<'a>,
}

/// A step in the life of an operation.
#[derive(Debug)]
pub enum Step<'a> {
    /// It began.
    Started,
    /// It was not to begin.
    Refused(&'a str),
    /// It ended, with an error or without.
    Ended(&'a OperationLog, Option<&'a ApiError>),
    /// The client did not want it any more.
    Stopped,
}

impl WebsocketEvent<'_> {
    /// The operation that ended.
    pub fn ended(&self) -> Option<&OperationLog> {
        match &self.what {
            What::Operation(OperationEvent {
                step: Step::Ended(log, _),
                ..
            }) => Some(log),
            _ => None,
        }
    }

    /// How bad it is.
    pub fn level(&self) -> Level {
        match &self.what {
            What::Rejected(_) | What::Refused(_) => Level::Error,
            What::Operation(operation) => match operation.step {
                Step::Refused(_) | Step::Ended(_, Some(_)) => Level::Error,
                Step::Started | Step::Ended(_, None) | Step::Stopped => Level::Info,
            },
            What::Accepted | What::Closed => Level::Info,
        }
    }

    /// Appends the detail of the log line.
    pub fn write_detail(&self, out: &mut Vec<u8>, query_only_on_error: bool) {
        out.extend_from_slice(b"{\"event\":{\"type\":");
        match &self.what {
            What::Accepted => out.extend_from_slice(b"\"accepted\""),
            What::Closed => out.extend_from_slice(b"\"closed\""),
            What::Rejected(error) => {
                out.extend_from_slice(b"\"rejected\",\"detail\":");
                write_json(out, &error.to_log());
            }
            What::Refused(message) => {
                out.extend_from_slice(b"\"connection_error\",\"detail\":");
                write_string(out, message);
            }
            What::Operation(operation) => {
                out.extend_from_slice(b"\"operation\",\"detail\":");
                let shows_query = self.level() == Level::Error || !query_only_on_error;
                operation.write(out, shows_query);
            }
        }
        // Writing to a vector cannot fail.
        let _ = write!(
            out,
            "}},\"connection_info\":{{\"websocket_id\":\"{}\",\"token_expiry\":",
            self.id
        );
        let expires = self
            .expires
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        match expires.and_then(|since| UNIX_EPOCH.checked_add(since)) {
            Some(time) => write_string(out, &Timestamp(time).to_string()),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"msg\":");
        write_optional(out, self.message);
        out.extend_from_slice(b"},\"user_vars\":");
        write_session(out, self.session);
        out.push(b'}');
    }
}

impl OperationEvent<'_> {
    fn write(&self, out: &mut Vec<u8>, shows_query: bool) {
        out.extend_from_slice(b"{\"operation_id\":");
        write_string(out, self.id);
        for (key, value) in [
            ("operation_name", self.name),
            ("request_id", self.request_id),
            ("parameterized_query_hash", self.hash),
        ] {
            let _ = write!(out, ",\"{key}\":");
            write_optional(out, value);
        }
        if let (Some(query), true) = (self.query, shows_query) {
            out.extend_from_slice(b",\"query\":");
            out.extend(query.bytes().map(|byte| match byte {
                b'\n' | b'\r' => b' ',
                other => other,
            }));
        }
        out.extend_from_slice(b",\"operation_type\":{\"type\":");
        match &self.step {
            Step::Started => out.extend_from_slice(b"\"started\""),
            Step::Stopped => out.extend_from_slice(b"\"stopped\""),
            Step::Ended(_, None) => out.extend_from_slice(b"\"completed\""),
            Step::Ended(_, Some(error)) => {
                out.extend_from_slice(b"\"query_err\",\"detail\":");
                write_json(out, &error.to_log());
            }
            Step::Refused(message) => {
                out.extend_from_slice(b"\"proto_err\",\"detail\":");
                write_string(out, message);
            }
        }
        out.extend_from_slice(b"}}");
    }
}

fn write_optional(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => write_string(out, text),
        None => out.extend_from_slice(b"null"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::http::error::Code;

    fn detail(event: &WebsocketEvent<'_>, only_on_error: bool) -> Value {
        let mut out = Vec::new();
        event.write_detail(&mut out, only_on_error);
        assert!(!out.contains(&b'\n'), "one line");
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn lines_are_json_with_hasuras_keys() {
        let session = Session {
            role: Arc::from("user"),
            variables: vec![(Arc::from("x-hasura-role"), Arc::from("user"))],
            backend: false,
        };
        let error = ApiError::new(Code::ValidationFailed, "no");
        let log = OperationLog::unknown();
        let operation = |step| OperationEvent {
            id: "1",
            name: Some("q"),
            request_id: Some("r"),
            query: Some("{\"query\":\n\"{ a }\"}"),
            hash: None,
            step,
        };
        let event = |what| WebsocketEvent {
            id: Uuid::nil(),
            expires: Some(0.5),
            session: Some(&session),
            message: None,
            what,
        };
        let line = detail(&event(What::Operation(operation(Step::Started))), false);
        assert_eq!(line["event"]["type"], "operation");
        assert_eq!(line["event"]["detail"]["operation_id"], "1");
        assert_eq!(line["event"]["detail"]["query"], json!({"query": "{ a }"}));
        assert_eq!(
            line["event"]["detail"]["operation_type"],
            json!({"type": "started"})
        );
        assert_eq!(
            line["connection_info"]["token_expiry"],
            "1970-01-01T00:00:00.500+0000"
        );
        assert_eq!(line["connection_info"]["websocket_id"], Uuid::nil().to_string());
        assert_eq!(line["user_vars"], json!({"x-hasura-role": "user"}));
        let line = detail(&event(What::Operation(operation(Step::Started))), true);
        assert!(line["event"]["detail"].get("query").is_none());
        let failed = event(What::Operation(operation(Step::Ended(&log, Some(&error)))));
        assert_eq!(failed.level(), Level::Error);
        assert!(failed.ended().is_some());
        let line = detail(&failed, true);
        assert_eq!(line["event"]["detail"]["operation_type"]["type"], "query_err");
        assert!(line["event"]["detail"].get("query").is_some());
        assert_eq!(
            detail(&event(What::Rejected(&error)), false)["event"],
            json!({"type": "rejected", "detail": {"path": "$", "error": "no", "code": "validation-failed"}})
        );
        assert_eq!(
            detail(&event(What::Refused("bad\nframe")), false)["event"],
            json!({"type": "connection_error", "detail": "bad\nframe"})
        );
        assert_eq!(
            detail(&event(What::Closed), false)["event"],
            json!({"type": "closed"})
        );
    }
}
