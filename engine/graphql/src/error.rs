//! What can be wrong with a request, in Hasura's words and codes.

use crate::path::Path;

/// A request that is refused. `Display` is the message a client sees.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Hasura's `code`.
    pub code: Code,
    /// Where.
    pub path: Path,
    /// What.
    pub message: String,
}

/// Hasura's error codes that a GraphQL operation can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// `validation-failed`
    ValidationFailed,
    /// `parse-failed`
    ParseFailed,
    /// `not-found`
    NotFound,
    /// `not-exists`
    NotExists,
    /// `not-supported`
    NotSupported,
    /// `bad-request`
    BadRequest,
    /// `permission-error`
    PermissionError,
    /// `permission-denied`
    PermissionDenied,
    /// `unexpected-payload`
    UnexpectedPayload,
    /// `data-exception`
    DataException,
    /// `invalid-params`
    InvalidParams,
    /// `access-denied`
    AccessDenied,
    /// `cyclic-dependency`
    CyclicDependency,
    /// `unexpected`
    Unexpected,
}

impl Code {
    /// As printed in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ValidationFailed => "validation-failed",
            Self::ParseFailed => "parse-failed",
            Self::NotFound => "not-found",
            Self::NotExists => "not-exists",
            Self::NotSupported => "not-supported",
            Self::BadRequest => "bad-request",
            Self::PermissionError => "permission-error",
            Self::PermissionDenied => "permission-denied",
            Self::UnexpectedPayload => "unexpected-payload",
            Self::DataException => "data-exception",
            Self::InvalidParams => "invalid-params",
            Self::AccessDenied => "access-denied",
            Self::CyclicDependency => "cyclic-dependency",
            Self::Unexpected => "unexpected",
        }
    }
}

impl Error {
    /// A `validation-failed` error.
    pub fn validation(path: &Path, message: impl Into<String>) -> Self {
        Self {
            code: Code::ValidationFailed,
            path: path.clone(),
            message: message.into(),
        }
    }

    /// A `parse-failed` error.
    pub fn parse(path: &Path, message: impl Into<String>) -> Self {
        Self {
            code: Code::ParseFailed,
            path: path.clone(),
            message: message.into(),
        }
    }
}
