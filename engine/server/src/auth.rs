//! Headers → [`Session`]: who asks, in which role, with which session variables.
//!
//! Without an admin secret everybody is an admin who may take any role. With one, a request that shows it may take any
//! role and any session variables. One that does not is asked for its token, or the webhook is asked about it; then only
//! what token or hook say becomes session variables, never a header of the client. Where neither says anything it gets
//! the unauthorized role, or is refused. How tokens and answers are read is in the crate `auth`.

pub mod changes;
pub mod cors;
mod hook;
pub mod keys;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::auth::config::KeySource;
use ::auth::verifier::missing;
use ::auth::{Identity, JwtSecret, Outcome, Verifier};
use http::{HeaderMap, HeaderValue};
use plan::Session;
use serde_json::Value;
use tokio::sync::watch;

use crate::http::error::{ApiError, Code};
use crate::http::spelling::Shown;
use crate::observe::Observer;
use crate::outbound::Client;
use crate::settings::{Authentication, Hook};
use changes::Changes;
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
    tokens: Option<Arc<Tokens>>,
    hook: Option<Arc<Hook>>,
    client: Client,
    observer: Observer,
    changes: Changes,
    /// All keys were there once: whoever is ready stays so.
    had_keys: AtomicBool,
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
    /// What it rests on.
    pub ground: Ground,
}

/// What a session rests on.
#[derive(Debug, Clone)]
pub enum Ground {
    /// An admin secret, or that nothing was shown.
    Headers,
    /// A token.
    Token,
    /// What this hook said.
    Hook(Arc<Hook>),
}

impl From<Session> for Authenticated {
    fn from(session: Session) -> Self {
        Self {
            session,
            cookies: Vec::new(),
            expires: None,
            ground: Ground::Headers,
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
        Self::with_changes(settings, client, observer, Changes::default())
    }

    fn with_changes(settings: Authentication, client: Client, observer: Observer, changes: Changes) -> Self {
        let mut keys: Vec<Arc<Keys>> = Vec::with_capacity(settings.jwt.len());
        for secret in &settings.jwt {
            let known = keys.iter().find(|known| is_from(secret, known.url()));
            let made = || Arc::new(Keys::new(secret, &client, &observer, &changes));
            keys.push(known.map_or_else(made, Arc::clone));
        }
        let tokens = (!settings.jwt.is_empty()).then(|| {
            let verifier = Verifier::new(settings.jwt.clone());
            Arc::new(Tokens { verifier, keys })
        });
        Self {
            names: Names::new(),
            unauthorized: settings.unauthorized_role.as_deref().map(Arc::from),
            hook: settings.hook.clone().map(Arc::new),
            tokens,
            settings,
            client,
            observer,
            changes,
            had_keys: AtomicBool::new(false),
        }
    }

    /// The same by other settings. Keys that both have stay; new ones are fetched. Until those have come, the last ones of
    /// a secret whose `jwk_url` alone is another go on: what they verify is as good as while its issuer is away, and no
    /// token is refused for coming too early.
    pub fn with(&self, settings: Authentication) -> Self {
        let (client, observer) = (self.client.clone(), self.observer.clone());
        let mut next = Self::with_changes(settings, client, observer, self.changes.clone());
        next.had_keys = AtomicBool::new(self.had_keys.load(Ordering::Acquire));
        let Some(before) = &self.tokens else {
            next.follow_keys();
            return next;
        };
        if next.settings.jwt == self.settings.jwt {
            next.tokens = Some(Arc::clone(before));
            return next;
        }
        let known = || before.keys.iter().zip(&self.settings.jwt);
        // Keys that came from an address are good for all who name it. Those that only stand in for them are for the tokens
        // of one issuer to one audience.
        let may_share = |keys: &Keys, of: &JwtSecret, secret: &JwtSecret| {
            let present = keys.present();
            let came = !present.is_empty() && !present.stands_in();
            came || of.is_for_the_same_tokens(secret)
        };
        // Those of one address that begin with the same last keys; others of that address have keys of their own, as
        // nobody's tokens may be verified by the last keys of somebody else.
        let mut moved: Vec<(Arc<Keys>, &Arc<Keys>)> = Vec::new();
        if let Some(tokens) = next.tokens.as_mut().and_then(Arc::get_mut) {
            for (secret, keys) in next.settings.jwt.iter().zip(&mut tokens.keys) {
                if let Some((same, _)) =
                    known().find(|(known, of)| is_from(secret, known.url()) && may_share(known, of, secret))
                {
                    *keys = Arc::clone(same);
                } else if let Some((last, _)) =
                    known().find(|(known, of)| known.url().is_some() && of.differs_in_keys_alone(secret))
                {
                    let together = moved
                        .iter()
                        .find(|(made, of)| is_from(secret, made.url()) && Arc::ptr_eq(of, last));
                    *keys = if let Some((made, _)) = together {
                        Arc::clone(made)
                    } else {
                        let made = Keys::new(secret, &self.client, &self.observer, &self.changes);
                        made.stand_in(last);
                        Arc::new(made)
                    };
                    moved.push((Arc::clone(keys), last));
                }
            }
        }
        next.follow_keys();
        next
    }

    /// Fetches keys, now and when they are no longer good, for as long as somebody verifies with them.
    pub fn follow_keys(&self) {
        for keys in self.tokens.iter().flat_map(|tokens| &tokens.keys) {
            keys.follow();
        }
    }

    /// Learns when sessions are to be judged again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.listen()
    }

    /// Learns when keys have come, whoever verifies with them.
    pub fn arrivals_of_keys(&self) -> watch::Receiver<u64> {
        self.changes.listen_for_keys()
    }

    /// Tells all who keep sessions that this one judges them now.
    pub fn announce(&self) {
        self.changes.tell();
    }

    /// Whether these are its settings.
    pub fn is_of(&self, settings: &Authentication) -> bool {
        self.settings == *settings
    }

    /// Whether a session with this ground would be granted again without a doubt: its hook would be asked the same.
    pub fn stands_by(&self, ground: &Ground) -> bool {
        matches!(ground, Ground::Hook(hook) if self.hook.as_ref() == Some(hook))
    }

    /// Whether an admin secret is set (`/v1alpha1/config` tells).
    pub fn has_secret(&self) -> bool {
        !self.settings.admin_secrets.is_empty()
    }

    /// Whether a webhook authenticates.
    pub fn has_hook(&self) -> bool {
        self.settings.hook.is_some()
    }

    /// Whether a webhook is told the headers by their names, and so wants to know how they were spelled.
    pub fn wants_spelling(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.post)
    }

    /// How tokens are verified, as `/v1alpha1/config` tells it.
    pub fn describe_tokens(&self) -> Vec<Value> {
        self.settings.jwt.iter().map(JwtSecret::describe).collect()
    }

    /// Whether all keys that come from elsewhere have come. Once an instance was ready, this stays so: settings that change
    /// while the program runs must not take it away from those whose tokens are good.
    pub fn has_keys(&self) -> bool {
        let mut keys = self.tokens.iter().flat_map(|tokens| &tokens.keys);
        self.had_keys.load(Ordering::Acquire) || keys.all(|keys| keys.are_there())
    }

    /// The instance is ready for requests.
    pub fn is_ready(&self) {
        if !self.had_keys.load(Ordering::Acquire) {
            self.had_keys.store(true, Ordering::Release);
        }
    }

    /// Who sent these headers. `asked` gives the GraphQL request, if it is one; only a webhook wants to know, and how the
    /// headers were spelled.
    pub async fn authenticate(
        &self,
        shown: impl Into<Shown<'_>>,
        asked: impl FnOnce() -> Option<Value>,
    ) -> Result<Authenticated, ApiError> {
        let shown = shown.into();
        let headers = shown.headers;
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
        if let Some(hook) = &self.hook {
            let said = hook::ask(hook, &self.client, &self.observer, shown, asked).await?;
            return Ok(Authenticated {
                session: self.names.trusted(said.answer.role, said.answer.variables),
                cookies: said.cookies,
                expires: said.answer.expires,
                ground: Ground::Hook(Arc::clone(hook)),
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
        let mut present = keys.present();
        let mut look = None;
        let outcome = loop {
            let outcome = tokens.verifier.verify(found, &present, role, now());
            if !matches!(outcome, Outcome::UnknownKey(_) | Outcome::NoKeys) {
                break outcome;
            }
            // Its key may have been published since the last look.
            if look.is_none() {
                look = keys.look();
            }
            let Some(look) = &mut look else {
                break outcome;
            };
            match look.newer_than(&present).await {
                Some(newer) => present = newer,
                None => break outcome,
            }
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
                ground: Ground::Token,
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
    crate::settings::value::boolean(&text).map_err(|_| {
        // Hasura's blanks.
        let message = format!(
            "\"{BACKEND_ONLY}\":  Not a valid boolean text. True values are [\"true\",\"t\",\"yes\",\"y\"] and  \
             False values are [\"false\",\"f\",\"no\",\"n\"]. All values are case insensitive"
        );
        ApiError::new(Code::BadRequest, message)
    })
}

fn denied(message: &str) -> ApiError {
    ApiError::new(Code::AccessDenied, message).status(http::StatusCode::UNAUTHORIZED)
}

/// Whether a secret's keys come from there.
fn is_from(secret: &JwtSecret, url: Option<&str>) -> bool {
    matches!((&secret.keys, url), (KeySource::Url(own), Some(url)) if own == url)
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
