//! An issuer: where its key set is, and what it answers.

use ::auth::KeySet;
use ::auth::cache_control::Freshness;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::{PATIENCE, now, without_secrets};
use crate::observe::defect::Panicked;
use crate::observe::log::Level;
use crate::observe::{Event, Observer};
use crate::outbound::{Client, Outgoing};

/// Bytes of a key set at most.
const LONGEST: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    client: Client,
    observer: Observer,
}

/// A key set as it was answered.
#[derive(Debug)]
pub struct Published {
    /// The keys that can be used.
    pub keys: KeySet,
    /// How many cannot.
    pub skipped: usize,
    /// How long it is good.
    pub freshness: Freshness,
}

impl Issuer {
    /// At this address.
    pub fn new(url: &str, client: &Client, observer: &Observer) -> Self {
        Self {
            url: url.to_owned(),
            client: client.clone(),
            observer: observer.clone(),
        }
    }

    /// What it said made the engine panic.
    pub fn report_defect(&self, panicked: &Panicked) {
        let message = format!("the keys of {}: {panicked}", without_secrets(&self.url));
        self.observer.emit(Event::Defect(message));
    }

    /// Where its set is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks for its set.
    pub async fn ask(&self) -> Result<Published, String> {
        let outgoing = Outgoing {
            method: Method::GET,
            url: &self.url,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]),
            body: None,
            timeout: PATIENCE,
            longest: LONGEST,
        };
        let answer = self
            .client
            .send(outgoing)
            .await
            .map_err(|error| error.to_string())?;
        if !(200..300).contains(&answer.status) {
            return Err(format!("the status is {}", answer.status));
        }
        let (keys, skipped) = KeySet::of_jwks(&answer.body)?;
        let text = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Published {
            keys,
            skipped,
            freshness: Freshness::of(text(CACHE_CONTROL), text(EXPIRES), now()),
        })
    }

    /// Tells of it in the log.
    pub fn report(&self, level: Level, message: &str) {
        self.observer.emit(Event::JwkRefresh {
            level,
            url: &without_secrets(&self.url),
            message,
        });
    }
}
