//! Hasura's error codes, each with its status, the stage that raises it and what to do about it.
//! `docs/errors.md` is printed from here.

use http::StatusCode;

macro_rules! codes {
    ($( $variant:ident $text:literal $status:ident $stage:literal $advice:literal; )*) => {
        /// An error code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )*];

            /// As a client reads it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )*
                }
            }

            /// HTTP status where nothing else is said.
            pub fn status(self) -> StatusCode {
                match self {
                    $( Self::$variant => StatusCode::$status, )*
                }
            }

            /// The step of a request that raises it.
            #[cfg(test)]
            fn stage(self) -> &'static str {
                match self {
                    $( Self::$variant => $stage, )*
                }
            }

            /// What the user can do.
            #[cfg(test)]
            fn advice(self) -> &'static str {
                match self {
                    $( Self::$variant => $advice, )*
                }
            }
        }
    };
}

codes! {
    AccessDenied "access-denied" BAD_REQUEST "authentication; admin APIs"
        "Send the right admin secret, or a role that may do this. 401 if the secret is missing or wrong.";
    InvalidHeaders "invalid-headers" BAD_REQUEST "authentication" "Correct the header that the message names.";
    InvalidJwt "invalid-jwt" BAD_REQUEST "authentication"
        "Send a token that is valid now, for this audience and from this issuer. 401 while the keys cannot be fetched.";
    JwtInvalidClaims "jwt-invalid-claims" BAD_REQUEST "authentication"
        "Correct the claim that the message names, where tokens are made or in `HASURA_GRAPHQL_JWT_SECRET`.";
    JwtMissingRoleClaims "jwt-missing-role-claims" BAD_REQUEST "authentication"
        "Put `x-hasura-allowed-roles` and `x-hasura-default-role` into tokens.";
    RateLimitExceeded "rate-limit-exceeded" TOO_MANY_REQUESTS "API limits"
        "Ask less often, or raise `rate_limit`; for the metadata API `ROWLOCK_METADATA_RATE_LIMIT_PER_MINUTE`.";
    InvalidJson "invalid-json" BAD_REQUEST "reading the body" "Send a body that is JSON.";
    ParseFailed "parse-failed" BAD_REQUEST "reading the body; coercing values; reading metadata"
        "Correct the key or value at the path.";
    BadRequest "bad-request" BAD_REQUEST "anywhere" "Correct what the message names.";
    InvalidParams "invalid-params" BAD_REQUEST "metadata commands" "Correct the argument at the path.";
    ValidationFailed "validation-failed" BAD_REQUEST "validating the operation"
        "Compare the operation with the schema of the role; the path says where they differ.";
    UnexpectedPayload "unexpected-payload" BAD_REQUEST "validating the request"
        "Use the transport or the form that the message names.";
    NotFound "not-found" BAD_REQUEST "routing (404); session variables"
        "Check the path and that its API is enabled; send the session variable that a permission needs.";
    StartFailed "start-failed" BAD_REQUEST "starting an operation on a websocket"
        "Send `connection_init` first, choose another id, or wait until an operation has ended.";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "routing" "Use the method of the endpoint.";
    TemplateResolutionFailed "template-resolution-failed" BAD_REQUEST "choosing a connection"
        "Correct the source's connection_template, or send what it asks for; pg_test_connection_template tries one.";
    NotSupported "not-supported" BAD_REQUEST "anywhere" "The engine does not do this (yet); the message says what.";
    NotExists "not-exists" BAD_REQUEST "metadata commands" "Name an object that exists.";
    AlreadyExists "already-exists" BAD_REQUEST "metadata commands" "Choose another name, or drop the object first.";
    AlreadyTracked "already-tracked" BAD_REQUEST "metadata commands" "Nothing: the object is tracked.";
    AlreadyUntracked "already-untracked" BAD_REQUEST "metadata commands" "Nothing: the object is not tracked.";
    AlreadyInit "already-initialised" BAD_REQUEST "metadata commands" "Nothing: it has been done.";
    PermissionError "permission-error" BAD_REQUEST "running a statement"
        "The row does not pass the check of the role's permission.";
    PermissionDenied "permission-denied" BAD_REQUEST "metadata commands" "Name a permission that exists.";
    DependencyError "dependency-error" BAD_REQUEST "metadata commands"
        "Drop what depends on the object first, or give `cascade: true`.";
    CyclicDependency "cyclic-dependency" BAD_REQUEST "metadata commands; validating the operation"
        "Break the cycle of roles or fragments.";
    ConstraintError "constraint-error" BAD_REQUEST "metadata commands; running a statement"
        "Name a constraint that exists.";
    ConstraintViolation "constraint-violation" BAD_REQUEST "running a statement; metadata commands"
        "Change the values so that the constraint holds.";
    DataException "data-exception" BAD_REQUEST "running a statement"
        "Send values that Postgres accepts for the column's type.";
    ConcurrentUpdate "concurrent-update" BAD_REQUEST "running a statement"
        "Try again: another transaction was in the way.";
    PostgresError "postgres-error" BAD_REQUEST "running SQL" "Read `internal`, which has Postgres's message.";
    PostgresMaxConnections "postgres-max-connections-error" INTERNAL_SERVER_ERROR "connecting"
        "Lower the pool sizes or raise `max_connections` of Postgres.";
    ConnectionNotEstablished "connection-not-established" INTERNAL_SERVER_ERROR "connecting"
        "Check that the database is up and that the source's URL is right; where too many statements wait (10,000 for each pool), send fewer at once or give the pool more connections.";
    InvalidConfiguration "invalid-configuration" BAD_REQUEST "metadata commands; health"
        "Correct the object that the message names.";
    MetadataWarnings "metadata-warnings" BAD_REQUEST "metadata commands"
        "Correct what the warnings name, or allow warnings.";
    RemoteSchemaConflicts "remote-schema-conflicts" BAD_REQUEST "metadata commands"
        "Rename one of the two root fields.";
    Conflict "conflict" CONFLICT "metadata commands"
        "Read the metadata again: somebody changed it in between.";
    Timeout "timeout" INTERNAL_SERVER_ERROR "waiting" "Ask for less, or raise the limit.";
    PayloadTooLarge "payload-too-large" PAYLOAD_TOO_LARGE "reading the body"
        "Send less, or raise `ROWLOCK_MAX_BODY_LENGTH`.";
    Unexpected "unexpected" BAD_REQUEST "anywhere"
        "Read the log: 500 means a defect or a database error; `internal` has the detail for admins.";
}

impl From<graphql::error::Code> for Code {
    fn from(code: graphql::error::Code) -> Self {
        use graphql::error::Code as Graphql;
        match code {
            Graphql::ValidationFailed => Self::ValidationFailed,
            Graphql::ParseFailed => Self::ParseFailed,
            Graphql::NotFound => Self::NotFound,
            Graphql::NotExists => Self::NotExists,
            Graphql::NotSupported => Self::NotSupported,
            Graphql::BadRequest => Self::BadRequest,
            Graphql::PermissionError => Self::PermissionError,
            Graphql::PermissionDenied => Self::PermissionDenied,
            Graphql::UnexpectedPayload => Self::UnexpectedPayload,
            Graphql::DataException => Self::DataException,
            Graphql::InvalidParams => Self::InvalidParams,
            Graphql::AccessDenied => Self::AccessDenied,
            Graphql::CyclicDependency => Self::CyclicDependency,
            Graphql::Unexpected => Self::Unexpected,
        }
    }
}

impl From<auth::Code> for Code {
    fn from(code: auth::Code) -> Self {
        match code {
            auth::Code::AccessDenied => Self::AccessDenied,
            auth::Code::InvalidHeaders => Self::InvalidHeaders,
            auth::Code::InvalidJwt => Self::InvalidJwt,
            auth::Code::JwtInvalidClaims => Self::JwtInvalidClaims,
            auth::Code::JwtMissingRoleClaims => Self::JwtMissingRoleClaims,
            auth::Code::InvalidParams => Self::InvalidParams,
            auth::Code::Unexpected => Self::Unexpected,
        }
    }
}

impl From<pg::Code> for Code {
    fn from(code: pg::Code) -> Self {
        match code {
            pg::Code::ConstraintViolation => Self::ConstraintViolation,
            pg::Code::PermissionError => Self::PermissionError,
            pg::Code::DataException => Self::DataException,
            pg::Code::BadRequest => Self::BadRequest,
            pg::Code::ConstraintError => Self::ConstraintError,
            pg::Code::ConcurrentUpdate => Self::ConcurrentUpdate,
            pg::Code::Unexpected => Self::Unexpected,
            pg::Code::PostgresError => Self::PostgresError,
            pg::Code::MaxConnections => Self::PostgresMaxConnections,
            pg::Code::ConnectionNotEstablished => Self::ConnectionNotEstablished,
        }
    }
}

/// `docs/errors.md`.
#[cfg(test)]
fn page() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Generated from `engine/server/src/http/error/code.rs`; `UPDATE=1 cargo test -p rowlock` writes it anew.\n\n\
         GraphQL endpoints answer `{\"errors\":[{\"message\",\"extensions\":{\"path\",\"code\"}}]}` with HTTP 200 \
         (`/v1alpha1/graphql`: with the status below); all others answer `{\"error\",\"path\",\"code\"}` with the status below, \
         unless the advice names another. `path` is a JSON path into the request. `internal` is added for admins \
         (`HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS`) and for everybody in dev mode.\n\n\
         | Code | Status | Stage | What to do |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        page.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            code.as_str(),
            code.status().as_u16(),
            code.stage(),
            code.advice()
        ));
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_up_to_date() {
        crate::generated::check("docs/errors.md", &page());
    }

    #[test]
    fn codes_agree_with_graphql() {
        for code in [
            graphql::error::Code::ValidationFailed,
            graphql::error::Code::CyclicDependency,
            graphql::error::Code::Unexpected,
        ] {
            assert_eq!(Code::from(code).as_str(), code.as_str());
        }
    }
}
