//! All JWT secrets of an engine: which of them a request's token belongs to, and who its bearer is.

use std::sync::Arc;

use http::HeaderMap;

use crate::claims::Claims;
use crate::config::JwtSecret;
use crate::error::{Code, Error};
use crate::key::KeySet;
use crate::location::Location;
use crate::token::{self, Failure};
use crate::token_cache::{TokenCache, Verified};
use crate::variable::Variables;

/// Verifies tokens and remembers those that it has verified.
#[derive(Debug)]
pub struct Verifier {
    secrets: Vec<JwtSecret>,
    /// Places to look at, each once.
    locations: Vec<Location>,
    cache: TokenCache,
}

/// A request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'h> {
    /// Its text.
    pub token: &'h str,
    /// The secret that has to verify it.
    pub secret: usize,
}

/// Whom a token makes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// The role.
    pub role: Arc<str>,
    /// Session variables without the role.
    pub variables: Variables,
    /// When the token ends, in seconds since 1970.
    pub expires: Option<f64>,
}

/// What becomes of a token.
#[derive(Debug)]
pub enum Outcome {
    /// It is good, for the role asked for.
    Identity(Identity),
    /// It is refused.
    Refused(Error),
    /// A newer key may have made it: ask again with newer keys; if there are none, it is refused with this.
    UnknownKey(Error),
    /// There are no keys yet.
    NoKeys,
}

impl Verifier {
    /// For these secrets.
    pub fn new(secrets: Vec<JwtSecret>) -> Self {
        let mut locations: Vec<Location> = Vec::new();
        for secret in &secrets {
            if !locations.contains(&secret.location) {
                locations.push(secret.location.clone());
            }
        }
        Self {
            secrets,
            locations,
            cache: TokenCache::new(),
        }
    }

    /// The secrets, in order.
    pub fn secrets(&self) -> &[JwtSecret] {
        &self.secrets
    }

    /// The token of a request and the secret it belongs to: the one at its place with its issuer. A secret without an
    /// issuer takes the tokens of every issuer, and a token that names none belongs to every secret of its place.
    ///
    /// # Errors
    /// Malformed headers, a token for no secret, and more than one possible reading.
    pub fn find<'h>(&self, headers: &'h HeaderMap) -> Result<Option<Found<'h>>, Error> {
        let mut tokens: Vec<(&Location, &str)> = Vec::new();
        for location in &self.locations {
            tokens.extend(location.find(headers)?.into_iter().map(|token| (location, token)));
        }
        if let [(location, token)] = tokens.as_slice() {
            if let [secret] = self.secrets.as_slice()
                && secret.issuer.is_none()
            {
                return Ok(Some(Found { token, secret: 0 }));
            }
            // A token that was verified before has found its secret.
            if let Some(known) = self.cache.get(token)
                && self
                    .secrets
                    .get(known.secret)
                    .is_some_and(|secret| secret.location == **location)
            {
                let secret = known.secret;
                return Ok(Some(Found { token, secret }));
            }
        }
        let mut found = None;
        let mut strangers = false;
        for (location, token) in tokens {
            let issuer = token::claimed_issuer(token);
            for (at, secret) in self.secrets.iter().enumerate() {
                if secret.location != *location {
                    continue;
                }
                if secret.issuer.is_some() && issuer.is_some() && secret.issuer != issuer {
                    strangers = true;
                    continue;
                }
                if found.is_some() {
                    return Err(Error::new(
                        Code::InvalidHeaders,
                        "Could not verify JWT: Multiple JWTs found",
                    ));
                }
                found = Some(Found { token, secret: at });
            }
        }
        match found {
            None if strangers => Err(Error::unverified("JWTNotInIssuer")),
            found => Ok(found),
        }
    }

    /// Who the bearer of a token is at `now`, if it takes this role or none in particular.
    pub fn verify(&self, found: Found<'_>, keys: &KeySet, wanted_role: Option<&str>, now: f64) -> Outcome {
        if let Some(known) = self.cache.get(found.token)
            && known.secret == found.secret
            && known.keys == keys.version()
        {
            if known.expires.is_some_and(|expires| now >= expires) {
                self.cache.remove(found.token);
                return Outcome::Refused(Error::unverified("JWTExpired"));
            }
            return identity(&known, wanted_role);
        }
        let Some(secret) = self.secrets.get(found.secret) else {
            return Outcome::NoKeys;
        };
        let payload = match token::verify(found.token, secret, keys, now) {
            Ok(payload) => payload,
            Err(Failure::Refused(error)) => return Outcome::Refused(error),
            Err(Failure::UnknownKey) => return Outcome::UnknownKey(token::bad_signature()),
            Err(Failure::NoKeys) => return Outcome::NoKeys,
        };
        let claims = match Claims::read(&payload, &secret.claims) {
            Ok(claims) => claims,
            Err(error) => return Outcome::Refused(error),
        };
        let verified = Arc::new(Verified {
            claims,
            secret: found.secret,
            keys: keys.version(),
            expires: token::expires(&payload, secret),
        });
        self.cache.insert(found.token, Arc::clone(&verified));
        identity(&verified, wanted_role)
    }
}

fn identity(verified: &Verified, wanted_role: Option<&str>) -> Outcome {
    let claims = &verified.claims;
    // As in Hasura, the role comes first.
    let role = claims.role(wanted_role);
    match role.and_then(|role| Ok((role, claims.variables.clone()?))) {
        Ok((role, variables)) => Outcome::Identity(Identity {
            role,
            variables,
            expires: verified.expires,
        }),
        Err(error) => Outcome::Refused(error),
    }
}

/// The refusal of a request without a token.
pub fn missing() -> Error {
    Error::new(
        Code::InvalidHeaders,
        "Missing 'Authorization' or 'Cookie' header in JWT authentication mode",
    )
}
