//! Keys of JWT secrets: given, or fetched from a `jwk_url` and fetched again.
//!
//! A set that was fetched is good for as long as its answer says (`Cache-Control`, `Expires`); if it says nothing, for
//! ever. When the issuer is away the last set stays. A token with a `kid` that the set does not have makes the engine
//! look once more, at most once a second however many such tokens come.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::auth::cache_control::Freshness;
use ::auth::{JwtSecret, KeySet, KeySource};
use arc_swap::ArcSwap;
use http::header::{CACHE_CONTROL, EXPIRES};
use http::{HeaderMap, HeaderName, Method};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::Instant;

use crate::observe::log::Level;
use crate::observe::{Event, Observer};
use crate::outbound::{Client, Outgoing};

/// How long an issuer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a key set at most.
const LONGEST: usize = 1 << 20;
/// Pause between two fetches at least.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause after failures at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Requests that wait for newer keys at a time; more are refused at once.
const MOST_WAITING: usize = 128;

/// The keys of one secret.
#[derive(Debug)]
pub struct Keys {
    present: ArcSwap<KeySet>,
    url: Option<String>,
    /// When the last fetch began.
    fetched: Mutex<Option<Instant>>,
    waiting: Semaphore,
}

/// The time, as tokens have it.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

impl Keys {
    /// Of a secret; nothing is fetched yet.
    pub fn new(secret: &JwtSecret) -> Self {
        Self {
            present: ArcSwap::from_pointee(secret.own_keys().unwrap_or_else(KeySet::empty)),
            url: match &secret.keys {
                KeySource::Url(url) => Some(url.clone()),
                KeySource::Keys(_) => None,
            },
            fetched: Mutex::new(None),
            waiting: Semaphore::new(MOST_WAITING),
        }
    }

    /// The present set.
    pub fn present(&self) -> Arc<KeySet> {
        self.present.load_full()
    }

    /// Whether there are keys.
    pub fn are_there(&self) -> bool {
        !self.present.load().is_empty()
    }

    /// A set that was fetched after this one was found wanting, if there can be one.
    pub async fn newer_than(
        &self,
        known: &KeySet,
        client: &Client,
        observer: &Observer,
    ) -> Option<Arc<KeySet>> {
        self.url.as_ref()?;
        let asked = Instant::now();
        let _permit = self.waiting.try_acquire().ok()?;
        let mut fetched = self.fetched.lock().await;
        // Somebody fetched while this one waited.
        if !fetched.is_some_and(|at| at >= asked) {
            if let Some(left) = fetched.and_then(|at| PAUSE.checked_sub(at.elapsed())) {
                tokio::time::sleep(left).await;
            }
            *fetched = Some(Instant::now());
            self.fetch(client, observer).await;
        }
        let present = self.present();
        (present.version() != known.version()).then_some(present)
    }

    /// Fetches the set; a failure leaves the present one. Says how long the answer is good; `None` is a failure.
    async fn fetch(&self, client: &Client, observer: &Observer) -> Option<Freshness> {
        let url = self.url.as_deref()?;
        let outgoing = Outgoing {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            timeout: PATIENCE,
            longest: LONGEST,
        };
        let outcome = match client.send(outgoing).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                KeySet::of_jwks(&answer.body).map(|found| (found, answer.headers))
            }
            Ok(answer) => Err(format!("the status is {}", answer.status)),
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            Ok(((set, skipped), headers)) => {
                let present = self.present();
                if set.is_empty() && !present.is_empty() {
                    // More likely a mistake than the end of all keys; an issuer that revokes puts others in.
                    report(
                        observer,
                        Level::Error,
                        url,
                        "the set has no usable keys; the last ones stay",
                    );
                    return None;
                }
                if !present.same_keys(&set) {
                    let message = format!("{} keys, {skipped} left out", set.len());
                    report(observer, Level::Info, url, &message);
                    self.present.store(Arc::new(set));
                }
                let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
                Some(Freshness::of(text(CACHE_CONTROL), text(EXPIRES), now()))
            }
            Err(reason) => {
                report(observer, Level::Error, url, &reason);
                None
            }
        }
    }

    /// Fetches at the start, and again whenever the set is no longer good, until `stop`.
    pub async fn follow(
        self: Arc<Self>,
        client: Client,
        observer: Observer,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut pause = PAUSE;
        loop {
            let freshness = {
                let mut fetched = self.fetched.lock().await;
                *fetched = Some(Instant::now());
                self.fetch(&client, &observer).await
            };
            let wait = match freshness {
                None => {
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    Some(wait)
                }
                Some(freshness) => {
                    pause = PAUSE;
                    match freshness {
                        Freshness::For(time) => Some(time.max(PAUSE)),
                        Freshness::Stale => Some(PAUSE),
                        Freshness::Unsaid if self.are_there() => None,
                        Freshness::Unsaid => Some(LONGEST_PAUSE),
                    }
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Whether the keys come from elsewhere.
    pub fn is_fetched(&self) -> bool {
        self.url.is_some()
    }
}

async fn sleep(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

fn report(observer: &Observer, level: Level, url: &str, message: &str) {
    observer.emit(Event::JwkRefresh {
        level,
        url: without_query(url),
        message,
    });
}

/// A URL as the log may show it: queries may hold keys.
pub fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}
