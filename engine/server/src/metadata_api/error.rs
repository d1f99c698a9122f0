//! Errors of the metadata, schema and data APIs in Hasura's words and codes.

use serde_json::{Map, Value};

/// A command that is refused: everything that the body `{"error", "path", "code", "internal"}` needs.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    /// HTTP status.
    pub(crate) status: u16,
    /// Hasura's code.
    pub(crate) code: &'static str,
    /// Where, beginning with `$` (the command's arguments while a command runs).
    pub(crate) path: String,
    /// What.
    pub(crate) message: String,
    /// Detail: shown to admins or in dev mode as the server's error writer decides, except where
    /// `internal_is_public`.
    pub(crate) internal: Option<Box<Value>>,
}

impl ApiError {
    /// Status 400 with a code; the path is the command's arguments.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code,
            path: "$.args".to_owned(),
            message: message.into(),
            internal: None,
        }
    }

    /// `parse-failed` at a place within the arguments.
    pub(crate) fn parse_failed(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: "parse-failed",
            path: path.into(),
            message: message.into(),
            internal: None,
        }
    }

    /// `unexpected`, status 500.
    pub(crate) fn unexpected(message: impl Into<String>) -> Self {
        Self {
            status: 500,
            ..Self::new("unexpected", message)
        }
    }

    /// The same error at a place below the arguments.
    #[must_use]
    pub(crate) fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The same error with detail.
    #[must_use]
    pub(crate) fn with_internal(mut self, internal: Value) -> Self {
        self.internal = Some(Box::new(internal));
        self
    }

    /// The same error with `prefix` in place of the leading `$`: where a command of a bulk stands.
    #[must_use]
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        let rest = self.path.strip_prefix('$').unwrap_or("").to_owned();
        self.path = format!("{prefix}{rest}");
        self
    }

    /// The error body.
    pub(crate) fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".to_owned(), Value::String(self.message.clone()));
        body.insert("path".to_owned(), Value::String(self.path.clone()));
        body.insert("code".to_owned(), Value::String(self.code.to_owned()));
        if let Some(internal) = &self.internal {
            body.insert("internal".to_owned(), Value::clone(internal));
        }
        Value::Object(body)
    }
}
