//! What can go wrong between the engine and a Postgres server, sorted the way clients are told about it.
//!
//! Messages for clients and internal details are kept apart: `Display` of [`DatabaseError`] is what a client may
//! read, [`DatabaseError::internal`] is for administrators. Nothing here ever holds a password.

use serde_json::{Value, json};
use sql::refusal::Refusal;
use tokio_postgres::error::SqlState;

/// Any failure of a statement, a connection or a row.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection could be made. The text says why and names no secret. Clients are told `connection error`
    /// (500, `postgres-error`).
    #[error("connection error")]
    Connect(#[source] ConnectError),
    /// The server is out of connections (SQLSTATE 53300; 500, `postgres-max-connections-error`).
    #[error("max connections reached on postgres")]
    MaxConnections,
    /// No connection became free within `pool_timeout` (500, `connection-not-established`).
    #[error("timed out waiting for a database connection")]
    PoolTimeout,
    /// As many statements as may wait for a connection do (500, `connection-not-established`).
    #[error("too many statements wait for a database connection")]
    TooManyWaiting,
    /// The connection broke while the statement ran; a read was already tried again.
    #[error("connection to the database was lost")]
    Lost(#[source] Option<tokio_postgres::Error>),
    /// Postgres refused the statement.
    #[error(transparent)]
    Database(Box<DatabaseError>),
    /// A row was not in the form that the statement's shape promised: the catalog has moved on, or bytes are bad.
    #[error("unexpected row from the database")]
    Decode(#[source] crate::codec::Error),
    /// The response grew over its limit.
    #[error("the response is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A statement asks for more values than it was given. A bug of the caller.
    #[error("the statement has no value for slot {0}")]
    MissingSlot(u32),
    /// A statement's text has another number of parameters than the statement says. A bug of the caller.
    #[error("the statement's text has {asked} parameters, the statement {given}")]
    ParameterCount {
        /// In the text.
        asked: usize,
        /// In the statement.
        given: usize,
    },
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The TLS settings do not make a client configuration.
    #[error("{0}")]
    Tls(String),
    /// The server cannot be reached, or does not speak as it should.
    #[error("{0}")]
    Server(String),
    /// The server, or a pooler before it, answers and does not let us in. One that is full is [`Error::MaxConnections`], one
    /// that is starting or stopping [`ConnectError::Server`].
    #[error("{message}")]
    Refused {
        /// Five characters.
        sqlstate: Box<str>,
        /// In the server's words.
        message: Box<str>,
    },
    /// Nobody answered within the connection timeout.
    #[error("timed out")]
    Timeout,
}

impl ConnectError {
    /// Whoever asks next is refused as well, until somebody changes a password, a right or a name: the login is wrong (class
    /// 28), the database is not there, or not for this role.
    pub(crate) fn is_of_login(&self) -> bool {
        match self {
            Self::Refused { sqlstate, .. } => {
                sqlstate.starts_with("28") || matches!(&**sqlstate, "3D000" | "42501")
            }
            Self::Tls(_) | Self::Server(_) | Self::Timeout => false,
        }
    }
}

/// How far an error of Postgres is expected, and so told to clients in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Reads: data exceptions and serialization failures.
    Read,
    /// Writes: constraint violations and missing conflict targets too.
    Write,
}

/// What an error is called on the wire (`wire.md` error codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// `constraint-violation`
    ConstraintViolation,
    /// `permission-error`
    PermissionError,
    /// `data-exception`
    DataException,
    /// `bad-request`
    BadRequest,
    /// `constraint-error`
    ConstraintError,
    /// `concurrent-update`
    ConcurrentUpdate,
    /// `unexpected`
    Unexpected,
    /// `postgres-error`
    PostgresError,
    /// `postgres-max-connections-error`
    MaxConnections,
    /// `connection-not-established`
    ConnectionNotEstablished,
}

impl Code {
    /// The code as written in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::ConstraintViolation => "constraint-violation",
            Code::PermissionError => "permission-error",
            Code::DataException => "data-exception",
            Code::BadRequest => "bad-request",
            Code::ConstraintError => "constraint-error",
            Code::ConcurrentUpdate => "concurrent-update",
            Code::Unexpected => "unexpected",
            Code::PostgresError => "postgres-error",
            Code::MaxConnections => "postgres-max-connections-error",
            Code::ConnectionNotEstablished => "connection-not-established",
        }
    }
}

/// An error as a client is told about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// HTTP status where statuses are used: 400 for what the client can change, else 500.
    pub status: u16,
    /// The code.
    pub code: Code,
    /// The message.
    pub message: String,
    /// Details for administrators (`extensions.internal`).
    pub internal: Option<Value>,
}

/// An error that Postgres reported.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct DatabaseError {
    /// SQLSTATE, five characters.
    pub sqlstate: String,
    /// Primary message, as Postgres wrote it.
    pub message: String,
    /// `DETAIL`
    pub detail: Option<String>,
    /// `HINT`
    pub hint: Option<String>,
    /// The constraint that was violated, if Postgres named one.
    pub constraint: Option<String>,
    /// The statement that failed; for administrators only.
    pub statement: Option<String>,
    /// It ran as a prepared statement.
    pub prepared: bool,
}

impl DatabaseError {
    /// From the driver's form.
    pub(crate) fn new(error: &tokio_postgres::error::DbError) -> DatabaseError {
        DatabaseError {
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            constraint: error.constraint().map(str::to_owned),
            statement: None,
            prepared: false,
        }
    }

    /// The engine's own statement refused, for that reason.
    pub fn refusal(&self) -> Option<Refusal> {
        (self.sqlstate == Refusal::SQLSTATE)
            .then(|| Refusal::in_message(&self.message))
            .flatten()
    }

    /// The details that Hasura puts under `internal`: statement, and the error with `exec_status`, `hint`, `message`,
    /// `status_code` and `description` (the detail).
    pub fn internal(&self) -> Value {
        json!({
            "statement": self.statement.as_deref().unwrap_or_default(),
            "prepared": self.prepared,
            "error": {
                "exec_status": "FatalError",
                "hint": self.hint,
                "message": self.message,
                "status_code": self.sqlstate,
                "description": self.detail,
            },
            "arguments": [],
        })
    }

    /// Code and message for a client, or `None` where the error is not expected.
    fn expected(&self, expect: Expect) -> Option<(Code, String)> {
        let message = &self.message;
        let write = expect == Expect::Write;
        let class = self.sqlstate.get(..2)?;
        Some(match (class, self.sqlstate.as_str()) {
            ("22", "22025") => (Code::BadRequest, message.clone()),
            ("22", _) => (Code::DataException, message.clone()),
            ("40", "40001") => (
                Code::ConcurrentUpdate,
                "serialization failure due to concurrent update".to_owned(),
            ),
            ("40", _) => (Code::ConcurrentUpdate, message.clone()),
            ("23", state) if write => match state {
                "23001" => (
                    Code::ConstraintViolation,
                    format!("Can not delete or update due to data being referred. {message}"),
                ),
                "23502" => (
                    Code::ConstraintViolation,
                    format!("Not-NULL violation. {message}"),
                ),
                "23503" => (
                    Code::ConstraintViolation,
                    format!("Foreign key violation. {message}"),
                ),
                "23505" => (
                    Code::ConstraintViolation,
                    format!("Uniqueness violation. {message}"),
                ),
                "23514" => (
                    Code::PermissionError,
                    format!("Check constraint violation. {message}"),
                ),
                "23P01" => (
                    Code::ConstraintViolation,
                    format!("Exclusion violation. {message}"),
                ),
                _ => (Code::ConstraintViolation, message.clone()),
            },
            ("42", "42P10") if write => (
                Code::ConstraintError,
                "there is no unique or exclusion constraint on target column(s)".to_owned(),
            ),
            ("42", "42704") if write => (Code::ConstraintError, message.clone()),
            _ => return None,
        })
    }
}

impl Error {
    /// What a client is told, in Hasura's words.
    pub fn told(&self, expect: Expect) -> Told {
        let (status, code, internal) = match self {
            Error::Database(error) => {
                return match error.expected(expect) {
                    // The message says it all; Hasura adds details to what it did not expect alone.
                    Some((code, message)) => Told {
                        status: 400,
                        code,
                        message,
                        internal: None,
                    },
                    None => Told {
                        status: 500,
                        code: Code::Unexpected,
                        message: "database query error".to_owned(),
                        internal: Some(error.internal()),
                    },
                };
            }
            Error::Connect(error) => (500, Code::PostgresError, Some(json!(error.to_string()))),
            Error::Lost(error) => (
                500,
                Code::PostgresError,
                error.as_ref().map(|e| json!(e.to_string())),
            ),
            Error::MaxConnections => (500, Code::MaxConnections, None),
            Error::PoolTimeout | Error::TooManyWaiting => (500, Code::ConnectionNotEstablished, None),
            Error::Decode(error) => (500, Code::Unexpected, Some(json!(error.to_string()))),
            Error::TooLarge { .. } | Error::MissingSlot(_) | Error::ParameterCount { .. } => {
                (500, Code::Unexpected, None)
            }
        };
        let message = match self {
            Error::Lost(_) => "connection error".to_owned(),
            other => other.to_string(),
        };
        Told {
            status,
            code,
            message,
            internal,
        }
    }

    /// SQLSTATE, if Postgres gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Error::Database(error) => Some(&error.sqlstate),
            _ => None,
        }
    }
}

/// SQLSTATEs after which the server closes the session: shutdowns and terminated backends.
fn ends_session(state: &SqlState) -> bool {
    *state == SqlState::ADMIN_SHUTDOWN
        || *state == SqlState::CRASH_SHUTDOWN
        || *state == SqlState::CANNOT_CONNECT_NOW
        || *state == SqlState::DATABASE_DROPPED
        || *state == SqlState::IDLE_SESSION_TIMEOUT
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Error {
        match error.as_db_error() {
            Some(database) if *database.code() == SqlState::TOO_MANY_CONNECTIONS => Error::MaxConnections,
            Some(database) if ends_session(database.code()) => Error::Lost(Some(error)),
            Some(database) => Error::Database(Box::new(DatabaseError::new(database))),
            None => Error::Lost(Some(error)),
        }
    }
}

impl From<crate::codec::Error> for Error {
    fn from(error: crate::codec::Error) -> Error {
        Error::Decode(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(sqlstate: &str) -> Error {
        Error::Database(Box::new(DatabaseError {
            sqlstate: sqlstate.to_owned(),
            message: "m".to_owned(),
            detail: None,
            hint: None,
            constraint: None,
            statement: None,
            prepared: true,
        }))
    }

    #[test]
    fn constraint_violations_are_told_to_writers_only() {
        let told = database("23505").told(Expect::Write);
        assert_eq!(
            (told.status, told.code, told.message.as_str()),
            (400, Code::ConstraintViolation, "Uniqueness violation. m")
        );
        let told = database("23505").told(Expect::Read);
        assert_eq!(
            (told.status, told.message.as_str()),
            (500, "database query error")
        );
    }

    #[test]
    fn data_exceptions_keep_their_message() {
        let told = database("22P02").told(Expect::Read);
        assert_eq!(
            (told.status, told.code.as_str(), told.message.as_str()),
            (400, "data-exception", "m")
        );
    }
}
