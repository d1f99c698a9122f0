//! Headers → [`Session`]: who asks, in which role, with which session variables.
//!
//! Without an admin secret everybody is an admin who may take any role. With one, a request that shows it may take any
//! role and any session variables; one that does not gets the unauthorized role, or is refused. Tokens and webhooks
//! are not part of this module yet; settings that ask for them end the start.

pub mod cors;

use std::sync::Arc;

use http::HeaderMap;
use plan::Session;

use crate::http::error::{ApiError, Code};
use crate::settings::Authentication;

/// Header with the admin secret.
pub const ADMIN_SECRET: &str = "x-hasura-admin-secret";
/// Older name of that header.
pub const ACCESS_KEY: &str = "x-hasura-access-key";
/// Header with the wanted role.
pub const ROLE: &str = "x-hasura-role";
/// Header that turns backend-only permissions on.
pub const BACKEND_ONLY: &str = "x-hasura-use-backend-only-permissions";
/// Start of every session variable's name.
const PREFIX: &str = "x-hasura-";
/// The role that sees everything.
pub const ADMIN: &str = "admin";

/// Session variables of one request at most: a bound for memory, far above what a hook or token carries.
const MOST_VARIABLES: usize = 1000;

/// Decides who asks.
#[derive(Debug)]
pub struct Authenticator {
    settings: Authentication,
    admin: Arc<str>,
    role_name: Arc<str>,
    unauthorized: Option<Arc<str>>,
}

/// Whether the client is trusted to name its role and to use backend-only permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Full,
    None,
}

impl Authenticator {
    /// From settings.
    pub fn new(settings: Authentication) -> Self {
        let unauthorized = settings.unauthorized_role.as_deref().map(Arc::from);
        Self {
            settings,
            admin: Arc::from(ADMIN),
            role_name: Arc::from(ROLE),
            unauthorized,
        }
    }

    /// Whether an admin secret is set (`/v1alpha1/config` tells).
    pub fn has_secret(&self) -> bool {
        !self.settings.admin_secrets.is_empty()
    }

    /// The session of a request.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Session, ApiError> {
        if self.settings.admin_secrets.is_empty() {
            return self.session(headers, None, Trust::Full);
        }
        let secret = headers.get(ADMIN_SECRET).or_else(|| headers.get(ACCESS_KEY));
        match (secret, &self.unauthorized) {
            (Some(secret), _) if self.is_admin_secret(secret.as_bytes()) => {
                self.session(headers, None, Trust::Full)
            }
            (Some(_), _) => Err(denied(
                "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\"",
            )),
            (None, Some(role)) => self.session(headers, Some(role), Trust::None),
            (None, None) => Err(denied(
                "x-hasura-admin-secret/x-hasura-access-key required, but not found",
            )),
        }
    }

    fn is_admin_secret(&self, given: &[u8]) -> bool {
        // Every secret is compared, so that time does not tell which one is close.
        self.settings
            .admin_secrets
            .iter()
            .fold(false, |found, secret| secret.matches(given) | found)
    }

    fn session(
        &self,
        headers: &HeaderMap,
        fixed: Option<&Arc<str>>,
        trust: Trust,
    ) -> Result<Session, ApiError> {
        let role = match fixed {
            Some(role) => Arc::clone(role),
            None => match headers
                .get(ROLE)
                .map(|value| String::from_utf8_lossy(value.as_bytes()))
            {
                Some(role) if role == ADMIN || role.is_empty() => Arc::clone(&self.admin),
                Some(role) => Arc::from(&*role),
                None => Arc::clone(&self.admin),
            },
        };
        let mut variables = Vec::new();
        for (name, value) in headers {
            let name = name.as_str();
            if !name.starts_with(PREFIX) || name == ADMIN_SECRET || name == ACCESS_KEY || name == ROLE {
                continue;
            }
            if variables.len() >= MOST_VARIABLES {
                return Err(ApiError::new(Code::BadRequest, "too many session variables"));
            }
            variables.push((
                Arc::from(name),
                Arc::from(&*String::from_utf8_lossy(value.as_bytes())),
            ));
        }
        variables.push((Arc::clone(&self.role_name), Arc::clone(&role)));
        variables.sort();
        variables.dedup_by(|later, earlier| later.0 == earlier.0);
        let backend = match headers.get(BACKEND_ONLY) {
            Some(value) if trust == Trust::Full => backend_only(value.as_bytes())?,
            _ => false,
        };
        Ok(Session {
            role,
            variables,
            backend,
        })
    }
}

fn backend_only(value: &[u8]) -> Result<bool, ApiError> {
    let text = String::from_utf8_lossy(value);
    crate::settings::value::boolean(&text)
        .map_err(|reason| ApiError::new(Code::BadRequest, format!("{BACKEND_ONLY}: {reason}")))
}

fn denied(message: &str) -> ApiError {
    ApiError::new(Code::AccessDenied, message).status(http::StatusCode::UNAUTHORIZED)
}

/// Whether a session is an admin's.
pub fn is_admin(session: &Session) -> bool {
    &*session.role == ADMIN
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;
    use crate::settings::Secret;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn open() -> Authenticator {
        Authenticator::new(Authentication::default())
    }

    fn closed(unauthorized: Option<&str>) -> Authenticator {
        Authenticator::new(Authentication {
            admin_secrets: vec![Secret::new("old"), Secret::new("new")],
            unauthorized_role: unauthorized.map(str::to_owned),
        })
    }

    #[test]
    fn without_a_secret_everybody_is_admin() {
        let session = open().authenticate(&headers(&[])).unwrap();
        assert!(is_admin(&session));
        assert_eq!(session.variable("x-hasura-role"), Some("admin"));
        let session = open()
            .authenticate(&headers(&[("X-Hasura-Role", "user"), ("X-Hasura-User-Id", "7")]))
            .unwrap();
        assert_eq!(&*session.role, "user");
        assert_eq!(session.variable("x-hasura-user-id"), Some("7"));
    }

    #[test]
    fn any_of_the_secrets_opens() {
        for name in [ADMIN_SECRET, ACCESS_KEY] {
            for secret in ["old", "new"] {
                let session = closed(None)
                    .authenticate(&headers(&[(name, secret), (ROLE, "user")]))
                    .unwrap();
                assert_eq!(&*session.role, "user");
                assert_eq!(session.variable(name), None, "the secret is no session variable");
            }
        }
    }

    #[test]
    fn wrong_and_missing_secrets() {
        let error = closed(Some("anonymous"))
            .authenticate(&headers(&[(ADMIN_SECRET, "guess")]))
            .unwrap_err();
        assert_eq!(
            error.message,
            "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\""
        );
        assert_eq!(error.status.as_u16(), 401);
        let error = closed(None).authenticate(&headers(&[])).unwrap_err();
        assert_eq!(
            error.message,
            "x-hasura-admin-secret/x-hasura-access-key required, but not found"
        );
        assert_eq!(error.status.as_u16(), 401);
    }

    #[test]
    fn the_unauthorized_role_is_fixed_and_keeps_variables() {
        let session = closed(Some("anonymous"))
            .authenticate(&headers(&[
                (ROLE, "admin"),
                ("x-hasura-user-id", "7"),
                (BACKEND_ONLY, "true"),
            ]))
            .unwrap();
        assert_eq!(&*session.role, "anonymous");
        assert_eq!(session.variable(ROLE), Some("anonymous"));
        assert_eq!(session.variable("x-hasura-user-id"), Some("7"));
        assert!(
            !session.backend,
            "only trusted clients reach backend-only permissions"
        );
    }

    #[test]
    fn backend_only_must_be_a_boolean() {
        assert!(
            open()
                .authenticate(&headers(&[(BACKEND_ONLY, "T")]))
                .unwrap()
                .backend
        );
        let error = open().authenticate(&headers(&[(BACKEND_ONLY, "1")])).unwrap_err();
        assert!(
            error
                .message
                .starts_with("x-hasura-use-backend-only-permissions: Not a valid boolean text.")
        );
    }

    #[test]
    fn variables_are_sorted_and_unique() {
        let session = open()
            .authenticate(&headers(&[
                ("x-hasura-b", "1"),
                ("x-hasura-a", "2"),
                ("x-hasura-b", "3"),
            ]))
            .unwrap();
        let names: Vec<&str> = session.variables.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["x-hasura-a", "x-hasura-b", "x-hasura-role"]);
    }
}
