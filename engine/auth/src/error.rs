//! Why a request is not let in.

/// A refusal, in Hasura's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its code.
    pub code: Code,
    /// What the client reads; never holds anything of a token but the names of claims that are configured.
    pub message: String,
}

/// Hasura's codes of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `access-denied`
    AccessDenied,
    /// `invalid-headers`
    InvalidHeaders,
    /// `invalid-jwt`
    InvalidJwt,
    /// `jwt-invalid-claims`
    JwtInvalidClaims,
    /// `jwt-missing-role-claims`
    JwtMissingRoleClaims,
    /// `invalid-params`
    InvalidParams,
    /// `unexpected`, with status 500
    Unexpected,
}

impl Error {
    /// With this code and message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// `Could not verify JWT: …`
    pub fn unverified(reason: &str) -> Self {
        Self::new(Code::InvalidJwt, format!("Could not verify JWT: {reason}"))
    }

    /// A claim that is not what it should be.
    pub fn claims(message: impl Into<String>) -> Self {
        Self::new(Code::JwtInvalidClaims, message)
    }
}
