//! Headers → [`Session`]: who asks, in which role, with which session variables.
//!
//! Without an admin secret everybody is an admin who may take any role. With one, a request that shows it may take any
//! role and any session variables. One that does not is asked for its token, or the webhook is asked about it; then only
//! what token or hook say becomes session variables, never a header of the client. Where neither says anything it gets
//! the unauthorized role, or is refused. How tokens and answers are read is in the crate `auth`.

pub mod cors;
mod hook;
pub mod keys;

use std::sync::Arc;

use ::auth::config::KeySource;
use ::auth::verifier::missing;
use ::auth::{Identity, Outcome, Verifier};
use http::{HeaderMap, HeaderValue};
use plan::Session;
use serde_json::Value;
use tokio::sync::watch;

use crate::http::error::{ApiError, Code};
use crate::observe::Observer;
use crate::outbound::Client;
use crate::settings::Authentication;
use keys::{Keys, now};

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
    names: Names,
    unauthorized: Option<Arc<str>>,
    tokens: Option<Tokens>,
    client: Client,
    observer: Observer,
}

/// Texts that nearly every session shares.
#[derive(Debug)]
struct Names {
    admin: Arc<str>,
    role: Arc<str>,
}

/// Verifies tokens.
#[derive(Debug)]
struct Tokens {
    verifier: Verifier,
    /// By secret.
    keys: Vec<Arc<Keys>>,
}

/// Who asks, and what comes with it.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who.
    pub session: Session,
    /// Cookies of the webhook, for the client.
    pub cookies: Vec<HeaderValue>,
    /// When token or webhook say that it ends, in seconds since 1970. Bounds a connection that outlives its request.
    pub expires: Option<f64>,
}

impl From<Session> for Authenticated {
    fn from(session: Session) -> Self {
        Self {
            session,
            cookies: Vec::new(),
            expires: None,
        }
    }
}

/// Whether the client is trusted to name its role and to use backend-only permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Full,
    None,
}

impl Authenticator {
    /// From settings.
    pub fn new(settings: Authentication, client: Client, observer: Observer) -> Self {
        let unauthorized = settings.unauthorized_role.as_deref().map(Arc::from);
        let tokens = (!settings.jwt.is_empty()).then(|| Tokens {
            keys: settings
                .jwt
                .iter()
                .map(|secret| Arc::new(Keys::new(secret)))
                .collect(),
            verifier: Verifier::new(settings.jwt.clone()),
        });
        Self {
            settings,
            names: Names::new(),
            unauthorized,
            tokens,
            client,
            observer,
        }
    }

    /// The same by other settings. Keys that both have stay; new ones are fetched until `stop`.
    pub fn with(&self, settings: Authentication, stop: &watch::Receiver<bool>) -> Self {
        let mut next = Self::new(settings, self.client.clone(), self.observer.clone());
        let of_url = |secret: &::auth::JwtSecret| {
            let KeySource::Url(url) = &secret.keys else {
                return None;
            };
            let same =
                |known: &::auth::JwtSecret| matches!(&known.keys, KeySource::Url(known) if known == url);
            let at = self.settings.jwt.iter().position(same)?;
            self.tokens.as_ref()?.keys.get(at).cloned()
        };
        let keys = next.tokens.iter_mut().flat_map(|tokens| &mut tokens.keys);
        for (secret, keys) in next.settings.jwt.iter().zip(keys) {
            match of_url(secret) {
                Some(known) => *keys = known,
                None if keys.is_fetched() => {
                    let (client, observer) = (self.client.clone(), self.observer.clone());
                    tokio::spawn(Arc::clone(keys).follow(client, observer, stop.clone()));
                }
                None => {}
            }
        }
        next
    }

    /// Fetches keys, now and when they are no longer good, until `stop`.
    pub fn follow_keys(&self, stop: &watch::Receiver<bool>) {
        for keys in self.tokens.iter().flat_map(|tokens| &tokens.keys) {
            if keys.is_fetched() {
                let (client, observer) = (self.client.clone(), self.observer.clone());
                tokio::spawn(Arc::clone(keys).follow(client, observer, stop.clone()));
            }
        }
    }

    /// Whether an admin secret is set (`/v1alpha1/config` tells).
    pub fn has_secret(&self) -> bool {
        !self.settings.admin_secrets.is_empty()
    }

    /// Whether a webhook authenticates.
    pub fn has_hook(&self) -> bool {
        self.settings.hook.is_some()
    }

    /// How tokens are verified, as `/v1alpha1/config` tells it.
    pub fn describe_tokens(&self) -> Vec<Value> {
        self.settings
            .jwt
            .iter()
            .map(::auth::JwtSecret::describe)
            .collect()
    }

    /// Whether all keys that come from elsewhere have come.
    pub fn has_keys(&self) -> bool {
        let mut keys = self.tokens.iter().flat_map(|tokens| &tokens.keys);
        keys.all(|keys| keys.are_there())
    }

    /// Who sent these headers. `asked` gives the GraphQL request, if it is one; only a webhook wants to know.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        asked: impl FnOnce() -> Option<Value>,
    ) -> Result<Authenticated, ApiError> {
        if self.settings.admin_secrets.is_empty() {
            return self
                .names
                .session(headers, None, Trust::Full)
                .map(Authenticated::from);
        }
        if let Some(secret) = headers.get(ADMIN_SECRET).or_else(|| headers.get(ACCESS_KEY)) {
            if self.is_admin_secret(secret.as_bytes()) {
                return self
                    .names
                    .session(headers, None, Trust::Full)
                    .map(Authenticated::from);
            }
            return Err(denied(
                "invalid \"x-hasura-admin-secret\"/\"x-hasura-access-key\"",
            ));
        }
        if let Some(settings) = &self.settings.hook {
            let said = hook::ask(settings, &self.client, &self.observer, headers, asked).await?;
            return Ok(Authenticated {
                session: self.names.trusted(said.answer.role, said.answer.variables),
                cookies: said.cookies,
                expires: said.answer.expires,
            });
        }
        match &self.tokens {
            Some(tokens) => self.by_token(tokens, headers).await,
            None => self.unauthorized(headers, || {
                denied("\"x-hasura-admin-secret\"/x-hasura-access-key required, but not found")
            }),
        }
    }

    /// The unauthorized role, or why there is none.
    fn unauthorized(
        &self,
        headers: &HeaderMap,
        refusal: impl FnOnce() -> ApiError,
    ) -> Result<Authenticated, ApiError> {
        match &self.unauthorized {
            Some(role) => self
                .names
                .session(headers, Some(role), Trust::None)
                .map(Authenticated::from),
            None => Err(refusal()),
        }
    }

    async fn by_token(&self, tokens: &Tokens, headers: &HeaderMap) -> Result<Authenticated, ApiError> {
        let Some(found) = tokens.verifier.find(headers)? else {
            return self.unauthorized(headers, || missing().into());
        };
        let Some(keys) = tokens.keys.get(found.secret) else {
            return Err(ApiError::unexpected("a secret without keys"));
        };
        let role = match headers.get(ROLE) {
            None => None,
            Some(value) => Some(text(ROLE, value)?).filter(|role| !role.is_empty()),
        };
        let present = keys.present();
        let outcome = match tokens.verifier.verify(found, &present, role, now()) {
            // Its key may have been published since the last look.
            Outcome::UnknownKey(error) => match keys.newer_than(&present, &self.client, &self.observer).await
            {
                Some(newer) => tokens.verifier.verify(found, &newer, role, now()),
                None => Outcome::Refused(error),
            },
            outcome => outcome,
        };
        match outcome {
            Outcome::Identity(Identity {
                role,
                variables,
                expires,
            }) => Ok(Authenticated {
                session: self.names.trusted(role, variables),
                cookies: Vec::new(),
                expires,
            }),
            Outcome::Refused(error) | Outcome::UnknownKey(error) => Err(error.into()),
            Outcome::NoKeys => Err(ApiError::new(
                Code::InvalidJwt,
                "Could not verify JWT: the keys could not be fetched yet",
            )
            .status(http::StatusCode::UNAUTHORIZED)),
        }
    }

    fn is_admin_secret(&self, given: &[u8]) -> bool {
        // Every secret is compared, so that time does not tell which one is close.
        self.settings
            .admin_secrets
            .iter()
            .fold(false, |found, secret| secret.matches(given) | found)
    }
}

impl Names {
    fn new() -> Self {
        Self {
            admin: Arc::from(ADMIN),
            role: Arc::from(ROLE),
        }
    }

    /// A session of what a token or a hook says, the role among its variables. `variables` are in order.
    fn trusted(&self, role: Arc<str>, mut variables: ::auth::Variables) -> Session {
        let at = variables.partition_point(|(name, _)| **name < *ROLE);
        variables.insert(at, (Arc::clone(&self.role), Arc::clone(&role)));
        Session {
            role,
            variables,
            backend: false,
        }
    }

    /// A session of a client's own headers.
    fn session(
        &self,
        headers: &HeaderMap,
        fixed: Option<&Arc<str>>,
        trust: Trust,
    ) -> Result<Session, ApiError> {
        let role = match fixed {
            Some(role) => Arc::clone(role),
            None => match headers.get(ROLE).map(|value| text(ROLE, value)).transpose()? {
                Some(role) if role == ADMIN || role.is_empty() => Arc::clone(&self.admin),
                Some(role) => Arc::from(role),
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
            variables.push((Arc::from(name), Arc::from(text(name, value)?)));
        }
        variables.push((Arc::clone(&self.role), Arc::clone(&role)));
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

impl From<::auth::Error> for ApiError {
    fn from(error: ::auth::Error) -> Self {
        let refused = error == ::auth::hook::unauthorized();
        let made = Self::new(Code::from(error.code), error.message);
        match error.code {
            ::auth::Code::Unexpected => made.status(http::StatusCode::INTERNAL_SERVER_ERROR),
            _ if refused => made.status(http::StatusCode::UNAUTHORIZED),
            _ => made,
        }
    }
}

/// A header as text.
fn text<'h>(name: &str, value: &'h HeaderValue) -> Result<&'h str, ApiError> {
    std::str::from_utf8(value.as_bytes())
        .map_err(|_| ApiError::new(Code::InvalidHeaders, format!("the header {name} is not UTF-8")))
}

fn backend_only(value: &[u8]) -> Result<bool, ApiError> {
    let text = String::from_utf8_lossy(value);
    crate::settings::value::boolean(&text)
        .map_err(|reason| ApiError::new(Code::BadRequest, format!("{BACKEND_ONLY}: {reason}")))
}

fn denied(message: &str) -> ApiError {
    ApiError::new(Code::AccessDenied, message).status(http::StatusCode::UNAUTHORIZED)
}

/// The session that these headers declare, from somebody who may declare any.
pub fn declared(headers: &HeaderMap) -> Result<Session, ApiError> {
    Names::new().session(headers, None, Trust::Full)
}

/// Whether a session is an admin's.
pub fn is_admin(session: &Session) -> bool {
    &*session.role == ADMIN
}

#[cfg(test)]
mod tests;
