//! `/v1/graphql` and `/v1alpha1/graphql`: bodies in, answers out.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::{self, ApiError, Code};
use super::{Answer, Asked, Call, visibility};
use crate::auth::Authenticated;
use crate::gate;
use crate::observe::OperationLog;
use crate::request::{self, Context, Request};
use crate::state::State;

/// Operations of one batch at most: their answers are all held until the last one is there.
const MOST_OPERATIONS: usize = 1000;

/// Which of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Answers 200 whatever happens.
    V1,
    /// Answers with the error's status.
    V1Alpha1,
}

impl Family {
    /// As part of a plan's key.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Alpha1 => "v1alpha1",
        }
    }
}

/// A body, parsed as far as is needed before one knows who asks.
enum Parsed<'a> {
    Single(Request<'a>),
    Batch(Vec<Request<'a>>),
}

/// Answers one HTTP request, which may hold several operations.
pub async fn answer(state: &Arc<State>, family: Family, call: &Call<'_>) -> Answer {
    let parsed = match *call.method {
        Method::GET => Err(persisted_query()),
        _ => parse(call.body),
    };
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // As in Hasura, who asks comes first; a hook learns nothing of what cannot be read.
            let authenticated = gate::authenticate(state, call.shown(), call.sure, || None).await;
            let (session, error) = match authenticated {
                Ok(authenticated) => (Some(authenticated.session), error),
                Err(refusal) => (None, refusal),
            };
            return failure(state, family, session, &error, Asked::Unread);
        }
    };
    let asked = match parsed {
        Parsed::Single(_) => Asked::Single,
        Parsed::Batch(_) => Asked::Batched,
    };
    let asked_hook = || serde_json::from_slice(call.body).ok().map(without_extensions);
    let authenticated = gate::authenticate(state, call.shown(), call.sure, asked_hook).await;
    let Authenticated { session, cookies, .. } = match authenticated {
        Ok(authenticated) => authenticated,
        Err(error) => return failure(state, family, None, &error, asked),
    };
    let generation = state.current();
    let trace = request::trace::context(call.headers);
    let context = Context {
        state,
        generation: &generation,
        session: &session,
        endpoint: family.name(),
        headers: Some(call.headers),
        request_id: call.request_id,
        client: call.client,
        visibility: visibility(state, Some(&session)),
        trace: trace.as_deref(),
        transport: request::Transport::Http,
    };
    let mut out = Vec::with_capacity(1024);
    let mut operations = Vec::with_capacity(1);
    let mut status = StatusCode::OK;
    let mut problem = None;
    match parsed {
        Parsed::Single(mut request) => {
            let (log, outcome) = request::answer(&context, &mut request, &mut out).await;
            operations.push(log);
            if let Err(error) = outcome {
                status = status_of(state, family, &error);
                problem = Some(error.to_log());
            }
        }
        Parsed::Batch(mut requests) => {
            if let Err(error) = gate::batch(&context, requests.len()) {
                let mut refusal = failure(state, family, Some(session), &error, asked);
                refusal.headers.extend(super::cookies(cookies));
                // The limit that was exceeded is of this one.
                refusal.generation = generation.hash_header();
                return refusal;
            }
            out.push(b'[');
            for (at, request) in requests.iter_mut().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                let (log, outcome) = request::answer(&context, request, &mut out).await;
                operations.push(log);
                if let Err(error) = outcome {
                    problem.get_or_insert_with(|| error.to_log());
                }
            }
            out.push(b']');
        }
    }
    Answer {
        status,
        error: problem,
        operations,
        session: Some(session),
        asked,
        headers: super::cookies(cookies).collect(),
        generation: generation.hash_header(),
        ..Answer::json(out)
    }
}

/// What an authentication webhook learns of a body: the operation's own keys, those that are null left out.
fn without_extensions(body: Value) -> Value {
    match body {
        Value::Object(mut operation) => {
            operation.retain(|key, value| {
                matches!(key.as_str(), "query" | "variables" | "operationName") && !value.is_null()
            });
            Value::Object(operation)
        }
        Value::Array(operations) => operations.into_iter().map(without_extensions).collect(),
        other => other,
    }
}

/// A request that never became an operation.
fn failure(
    state: &State,
    family: Family,
    session: Option<plan::Session>,
    error: &ApiError,
    asked: Asked,
) -> Answer {
    let body = error.body(error::Body::GraphQl, visibility(state, session.as_ref()));
    Answer {
        status: status_of(state, family, error),
        error: Some(error.to_log()),
        session,
        asked,
        operations: vec![OperationLog::unknown()],
        generation: state.current().hash_header(),
        ..Answer::json(Bytes::from(body))
    }
}

fn status_of(state: &State, family: Family, error: &ApiError) -> StatusCode {
    let kept = family == Family::V1Alpha1
        || (state.settings.http.preserve_401 && error.status == StatusCode::UNAUTHORIZED)
        // Proxies and clients slow down by the status.
        || error.code == Code::RateLimitExceeded;
    if kept { error.status } else { StatusCode::OK }
}

fn persisted_query() -> ApiError {
    ApiError::new(Code::NotSupported, "PersistedQueryNotSupported")
}

/// The keys of an operation as they came, not yet read.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    query: Option<&'a RawValue>,
    #[serde(borrow, default)]
    variables: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "operationName")]
    operation_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    extensions: Option<&'a RawValue>,
}

/// A JSON string, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn parse(body: &Bytes) -> Result<Parsed<'_>, ApiError> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'[') {
        let items: Vec<&RawValue> = serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
        if items.len() > MOST_OPERATIONS {
            return Err(ApiError::new(
                Code::BadRequest,
                format!("a batch may hold {MOST_OPERATIONS} operations at most"),
            ));
        }
        let requests = items
            .into_iter()
            .enumerate()
            .map(|(at, item)| operation(item.get().as_bytes(), &format!("$[{at}]")))
            .collect::<Result<_, _>>()?;
        return Ok(Parsed::Batch(requests));
    }
    operation(body, "$").map(Parsed::Single)
}

fn unreadable(error: &serde_json::Error) -> ApiError {
    match error.classify() {
        serde_json::error::Category::Data => ApiError::new(Code::ParseFailed, error.to_string()),
        _ => ApiError::new(Code::InvalidJson, error.to_string()),
    }
}

fn operation<'a>(body: &'a [u8], path: &str) -> Result<Request<'a>, ApiError> {
    let wire = wire(body, path)?;
    if let Some(extensions) = wire.extensions
        && asks_for_persisted_query(extensions)
    {
        return Err(persisted_query());
    }
    read(&wire, path)
}

/// Reads an operation that comes with its text, whatever its extensions say. `path` is where it stands in what was sent.
pub fn whole_operation<'a>(body: &'a [u8], path: &str) -> Result<Request<'a>, ApiError> {
    read(&wire(body, path)?, path)
}

fn wire<'a>(body: &'a [u8], path: &str) -> Result<Wire<'a>, ApiError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        // Either no JSON at all or no object; serde knows which.
        let kind = serde_json::from_slice::<Value>(body).map_err(|error| unreadable(&error))?;
        return Err(expected("Object", &kind).path(path));
    }
    serde_json::from_slice(body).map_err(|error| unreadable(&error).path(path))
}

fn read<'a>(wire: &Wire<'a>, path: &str) -> Result<Request<'a>, ApiError> {
    let Some(query) = wire.query else {
        return Err(ApiError::new(Code::ParseFailed, "the key 'query' was not present").path(path));
    };
    let text = |raw: &'a RawValue, key: &str| match serde_json::from_str::<Text<'a>>(raw.get()) {
        Ok(Text(text)) => Ok(text),
        Err(_) => {
            let found = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
            Err(expected("String", &found).path(format!("{path}.{key}")))
        }
    };
    Ok(Request {
        query: text(query, "query")?,
        operation_name: wire
            .operation_name
            .map(|raw| text(raw, "operationName"))
            .transpose()?,
        variables: match wire.variables {
            None => Map::new(),
            Some(raw) => match serde_json::from_str(raw.get()) {
                Ok(Value::Object(variables)) => variables,
                Ok(other) => return Err(expected("Object", &other).path(format!("{path}.variables"))),
                Err(error) => return Err(unreadable(&error).path(format!("{path}.variables"))),
            },
        },
    })
}

fn asks_for_persisted_query(extensions: &RawValue) -> bool {
    matches!(
        serde_json::from_str(extensions.get()),
        Ok(Value::Object(extensions)) if extensions.contains_key("persistedQuery")
    )
}

fn expected(what: &str, found: &Value) -> ApiError {
    let kind = match found {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    };
    ApiError::new(
        Code::ParseFailed,
        format!("expected {what}, but encountered {kind}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(body: &'static str) -> Result<(String, Option<String>, usize), ApiError> {
        match parse(&Bytes::from_static(body.as_bytes()))? {
            Parsed::Single(request) => Ok((
                request.query.into_owned(),
                request.operation_name.map(Cow::into_owned),
                request.variables.len(),
            )),
            Parsed::Batch(_) => panic!("a batch"),
        }
    }

    #[test]
    fn bodies() {
        assert_eq!(
            single(r#"{"query":"{ a }"}"#).unwrap(),
            ("{ a }".to_owned(), None, 0)
        );
        assert_eq!(
            single(r#" {"query":"{\n a }","operationName":"x","variables":{"a":1},"other":[1]}"#).unwrap(),
            ("{\n a }".to_owned(), Some("x".to_owned()), 1)
        );
        assert_eq!(
            single(r#"{"query":"{ a }","operationName":null,"variables":null,"extensions":null}"#).unwrap(),
            ("{ a }".to_owned(), None, 0)
        );
    }

    #[test]
    fn wrong_bodies() {
        let wrong = |body| {
            let error = single(body).unwrap_err();
            (error.code, error.message, error.path)
        };
        assert_eq!(wrong("").0, Code::InvalidJson);
        assert_eq!(wrong("{").0, Code::InvalidJson);
        assert_eq!(wrong("nonsense").0, Code::InvalidJson);
        assert_eq!(
            wrong("{}"),
            (
                Code::ParseFailed,
                "the key 'query' was not present".to_owned(),
                "$".to_owned()
            )
        );
        assert_eq!(
            wrong("1"),
            (
                Code::ParseFailed,
                "expected Object, but encountered Number".to_owned(),
                "$".to_owned()
            )
        );
        assert_eq!(
            wrong(r#"{"query":1}"#),
            (
                Code::ParseFailed,
                "expected String, but encountered Number".to_owned(),
                "$.query".to_owned()
            )
        );
        assert_eq!(
            wrong(r#"{"query":"{a}","variables":[]}"#),
            (
                Code::ParseFailed,
                "expected Object, but encountered Array".to_owned(),
                "$.variables".to_owned()
            )
        );
        assert_eq!(
            wrong(r#"{"query":"{a}","extensions":{"persistedQuery":{}}}"#).1,
            "PersistedQueryNotSupported"
        );
    }

    #[test]
    fn batches() {
        let body = Bytes::from_static(br#" [{"query":"{a}"},{"query":"{b}"}]"#);
        let Parsed::Batch(requests) = parse(&body).unwrap() else {
            panic!("not a batch");
        };
        assert_eq!(requests.len(), 2);
        assert!(matches!(parse(&Bytes::from_static(b"[]")), Ok(Parsed::Batch(none)) if none.is_empty()));
        assert_eq!(parse(&Bytes::from_static(b"[{}]")).err().unwrap().path, "$[0]");
    }
}
