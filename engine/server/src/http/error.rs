//! The only place that makes error responses.
//!
//! Two shapes, as Hasura has them: GraphQL endpoints answer `{"errors":[{"message","extensions":{"path","code"}}]}`,
//! all others `{"error","path","code"}`. `internal` is only shown to whom [`Visibility`] allows.

pub mod code;

use http::StatusCode;
use serde_json::Value;

pub use code::Code;

/// A refused or failed request. `Display` is what the client reads.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// Hasura's code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where in the request, `$` for all of it.
    pub path: String,
    /// Details for those who run the engine.
    pub internal: Option<Box<Value>>,
    /// Status, where the endpoint shows it.
    pub status: StatusCode,
}

/// Whether `internal` is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

/// Which of the two bodies an endpoint answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// `{"errors":[…]}`
    GraphQl,
    /// `{"error":…}`
    Plain,
}

impl ApiError {
    /// With the code's own status, about the whole request.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            path: "$".to_owned(),
            internal: None,
            status: code.status(),
        }
    }

    /// About this place.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// With details.
    #[must_use]
    pub fn internal(mut self, internal: Value) -> Self {
        self.internal = Some(Box::new(internal));
        self
    }

    /// With another status than the code's own.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// A defect of the engine: the client learns nothing, the operator the detail.
    pub fn unexpected(detail: &str) -> Self {
        Self::new(Code::Unexpected, "internal error")
            .internal(Value::String(detail.to_owned()))
            .status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The whole body of a response.
    pub fn body(&self, shape: Body, visibility: Visibility) -> Vec<u8> {
        let mut out = Vec::with_capacity(128 + self.message.len());
        match shape {
            Body::GraphQl => {
                out.extend_from_slice(b"{\"errors\":[");
                self.write_graphql(&mut out, visibility);
                out.extend_from_slice(b"]}");
            }
            Body::Plain => {
                out.extend_from_slice(b"{\"error\":");
                write_string(&mut out, &self.message);
                out.extend_from_slice(b",\"path\":");
                write_string(&mut out, &self.path);
                self.write_rest(&mut out, visibility);
            }
        }
        out
    }

    /// One entry of `errors`.
    pub fn write_graphql(&self, out: &mut Vec<u8>, visibility: Visibility) {
        out.extend_from_slice(b"{\"message\":");
        write_string(out, &self.message);
        out.extend_from_slice(b",\"extensions\":{\"path\":");
        write_string(out, &self.path);
        self.write_rest(out, visibility);
        out.push(b'}');
    }

    /// `code`, `internal` and the closing brace.
    fn write_rest(&self, out: &mut Vec<u8>, visibility: Visibility) {
        out.extend_from_slice(b",\"code\":");
        write_string(out, self.code.as_str());
        if let (Some(internal), Visibility::Shown) = (&self.internal, visibility) {
            out.extend_from_slice(b",\"internal\":");
            write_json(out, internal);
        }
        out.push(b'}');
    }

    /// As logs have it: the plain shape with everything.
    pub fn to_log(&self) -> Value {
        let mut object = serde_json::Map::new();
        object.insert("path".to_owned(), Value::String(self.path.clone()));
        object.insert("error".to_owned(), Value::String(self.message.clone()));
        object.insert("code".to_owned(), Value::String(self.code.as_str().to_owned()));
        if let Some(internal) = &self.internal {
            object.insert("internal".to_owned(), Value::clone(internal));
        }
        Value::Object(object)
    }
}

impl From<graphql::error::Error> for ApiError {
    fn from(error: graphql::error::Error) -> Self {
        Self::new(Code::from(error.code), error.message).path(error.path.to_string())
    }
}

/// Writes a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Writes a JSON value.
pub fn write_json(out: &mut Vec<u8>, value: &Value) {
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn error() -> ApiError {
        ApiError::new(
            Code::ValidationFailed,
            "field 'x' not found in type: 'query_root'",
        )
        .path("$.selectionSet.x")
        .internal(json!({"sql": "select 1"}))
    }

    #[test]
    fn both_shapes() {
        let text = |shape, visibility| String::from_utf8(error().body(shape, visibility)).unwrap();
        assert_eq!(
            text(Body::GraphQl, Visibility::Hidden),
            r#"{"errors":[{"message":"field 'x' not found in type: 'query_root'","extensions":{"path":"$.selectionSet.x","code":"validation-failed"}}]}"#
        );
        assert_eq!(
            text(Body::Plain, Visibility::Hidden),
            r#"{"error":"field 'x' not found in type: 'query_root'","path":"$.selectionSet.x","code":"validation-failed"}"#
        );
        assert_eq!(
            text(Body::Plain, Visibility::Shown),
            r#"{"error":"field 'x' not found in type: 'query_root'","path":"$.selectionSet.x","code":"validation-failed","internal":{"sql":"select 1"}}"#
        );
    }

    #[test]
    fn defects_are_hidden() {
        let body = ApiError::unexpected("connection string postgres://secret")
            .body(Body::GraphQl, Visibility::Hidden);
        assert!(!String::from_utf8(body).unwrap().contains("secret"));
    }
}
