//! Keys of JWT secrets: given, or fetched from a `jwk_url` and fetched again.
//!
//! A set that was fetched is good for as long as its answer says (`Cache-Control`, `Expires`); if it says nothing, for
//! ever. When the issuer is away the last set stays. A token that no key of the set made, and whose `kid` the set does not
//! have, makes the engine look once more: one look at a time, at most once a second, and whoever needs it waits for that
//! one. One that fails tells everybody who waits, and whoever comes within the next second. It never looks for a token
//! whose key it knows.

mod issuer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::auth::cache_control::Freshness;
use ::auth::{JwtSecret, KeySet, KeySource};
use arc_swap::ArcSwap;
use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::changes::Changes;
use crate::observe::Observer;
use crate::observe::defect::survived;
use crate::observe::log::Level;
use crate::outbound::Client;
use issuer::{Issuer, Published};

/// How long an issuer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause between the beginnings of two looks at least, and after the end of one that failed.
const PAUSE: Duration = Duration::from_secs(1);
/// Pause after failures at most, while nobody waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pause after a set without keys.
const EMPTY_PAUSE: Duration = Duration::from_secs(3);
/// One look may be under way, and the next has its pause first. An issuer that is away costs half of it at most, as the
/// look under way tells.
const LONGEST_WAIT: Duration = Duration::from_secs(21);

/// The keys of one secret, or of several that share a `jwk_url`.
#[derive(Debug)]
pub struct Keys {
    shared: Arc<Shared>,
    /// Looks again and again; ends with the last who verifies with these keys.
    follower: OnceLock<AbortHandle>,
}

#[derive(Debug)]
struct Shared {
    present: ArcSwap<KeySet>,
    issuer: Option<Issuer>,
    looks: watch::Sender<Looks>,
    /// Somebody waits for a look.
    wanted: Notify,
    /// The issuer's set was without keys when it was looked at last.
    is_empty: AtomicBool,
    changes: Changes,
}

/// Looks at the issuer so far: one at a time, so that the numbers tell whether one is under way.
#[derive(Debug, Clone, Copy, Default)]
struct Looks {
    begun: u64,
    ended: u64,
    /// When the last one that ended has failed, if it has.
    failed: Option<Instant>,
}

/// The time, as tokens have it.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

impl Keys {
    /// Of a secret; nothing is fetched yet. Keys that come, and that it takes back, are told to `changes`.
    pub fn new(secret: &JwtSecret, client: &Client, observer: &Observer, changes: &Changes) -> Self {
        let issuer = match &secret.keys {
            KeySource::Url(url) => Some(Issuer::new(url, client, observer)),
            KeySource::Keys(_) => None,
        };
        let shared = Shared {
            present: ArcSwap::from_pointee(secret.own_keys().unwrap_or_else(KeySet::empty)),
            issuer,
            looks: watch::Sender::default(),
            wanted: Notify::new(),
            is_empty: AtomicBool::new(false),
            changes: changes.clone(),
        };
        Self {
            shared: Arc::new(shared),
            follower: OnceLock::new(),
        }
    }

    /// Until its own set has come, these keys stand in for it.
    pub fn stand_in(&self, others: &Self) {
        if self.url().is_some() {
            self.shared
                .present
                .store(Arc::new(others.present().standing_in()));
        }
    }

    /// The present set.
    pub fn present(&self) -> Arc<KeySet> {
        self.shared.present.load_full()
    }

    /// Whether there are keys.
    pub fn are_there(&self) -> bool {
        !self.shared.present.load().is_empty()
    }

    /// Where they come from, if they are not given.
    pub fn url(&self) -> Option<&str> {
        self.shared.issuer.as_ref().map(Issuer::url)
    }

    /// Fetches the set now, and again whenever it is no longer good, for as long as somebody has these keys.
    pub fn follow(&self) {
        if self.url().is_some() {
            self.follower.get_or_init(|| {
                let shared = Arc::clone(&self.shared);
                tokio::spawn(async move { shared.follow().await }).abort_handle()
            });
        }
    }

    /// Asks for a look at the issuer; `None` where keys are given.
    pub fn look(&self) -> Option<Look<'_>> {
        self.url()?;
        let looks = self.shared.looks.subscribe();
        let Looks { begun, ended, failed } = *looks.borrow();
        let failed_just_now = begun == ended && failed.is_some_and(|at| at.elapsed() < PAUSE);
        if !failed_just_now {
            self.shared.wanted.notify_one();
        }
        Some(Look {
            shared: &self.shared,
            looks,
            begun,
            ended,
            is_over: failed_just_now,
        })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.get() {
            follower.abort();
        }
    }
}

/// A look that somebody waits for.
#[derive(Debug)]
pub struct Look<'k> {
    shared: &'k Shared,
    looks: watch::Receiver<Looks>,
    /// One that began before it was asked for may have missed what was published since.
    begun: u64,
    /// How many had ended before.
    ended: u64,
    /// The issuer has failed just now, and is not asked again so soon.
    is_over: bool,
}

impl Look<'_> {
    /// Waits for another set than this one; `None` if a look that began after it was asked for has brought none, or if one
    /// has failed since.
    pub async fn newer_than(&mut self, known: &KeySet) -> Option<Arc<KeySet>> {
        let newer = async {
            loop {
                // Read first: what a look found is there before it has ended.
                let looks = *self.looks.borrow_and_update();
                let has_failed = looks.ended > self.ended && looks.failed.is_some();
                let is_over = self.is_over || has_failed || looks.ended > self.begun;
                let present = self.shared.present.load_full();
                if present.version() != known.version() {
                    return Some(present);
                }
                if is_over || self.looks.changed().await.is_err() {
                    return None;
                }
            }
        };
        timeout(LONGEST_WAIT, newer).await.ok()?
    }
}

impl Shared {
    async fn follow(&self) {
        let Some(issuer) = &self.issuer else {
            return;
        };
        let mut pause = PAUSE;
        loop {
            let began = Instant::now();
            self.looks.send_modify(|looks| looks.begun += 1);
            // A panic counts as a failure: it is looked again.
            let fetched = survived(self.fetch(issuer)).await;
            let freshness = fetched.unwrap_or_else(|panicked| {
                issuer.report_defect(&panicked);
                None
            });
            let failed = freshness.is_none().then(Instant::now);
            self.looks.send_modify(|looks| {
                looks.ended = looks.begun;
                looks.failed = failed;
            });
            if failed.is_some() {
                // Whoever asked meanwhile is answered by that.
                let _ = self.wanted.notified().now_or_never();
            }
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
                        Freshness::Unsaid if !self.present.load().is_empty() => None,
                        Freshness::Unsaid => Some(LONGEST_PAUSE),
                    }
                }
            };
            tokio::select! {
                () = until_stale(wait) => {}
                // Whoever comes just after a failure is answered from it.
                () = self.wanted.notified() => sleep_until(failed.unwrap_or(began) + PAUSE).await,
            }
        }
    }

    /// Fetches the set; a failure leaves the present one. Says how long the answer is good; `None` is a failure.
    async fn fetch(&self, issuer: &Issuer) -> Option<Freshness> {
        let Published {
            keys,
            skipped,
            freshness,
        } = match issuer.ask().await {
            Ok(published) => published,
            Err(reason) => {
                issuer.report(Level::Error, &reason);
                // If it comes back without keys, that is news.
                self.is_empty.store(false, Ordering::Relaxed);
                return None;
            }
        };
        let present = self.present.load_full();
        if keys.is_empty() && !present.is_empty() {
            // More likely a mistake than the end of all keys; an issuer that revokes puts others in. That is looked for
            // soon, and told once.
            if !self.is_empty.swap(true, Ordering::Relaxed) {
                issuer.report(Level::Error, "the set has no usable keys; the last ones stay");
            }
            return Some(Freshness::For(EMPTY_PAUSE));
        }
        self.is_empty.store(false, Ordering::Relaxed);
        if present.stands_in() || !present.same_keys(&keys) {
            issuer.report(Level::Info, &format!("{} keys, {skipped} left out", keys.len()));
            let taken_back = keys.lacks_any_of(&present);
            self.present.store(Arc::new(keys));
            self.changes.tell_of_keys();
            if taken_back {
                self.changes.tell();
            }
        }
        Some(freshness)
    }
}

async fn until_stale(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => std::future::pending().await,
    }
}

/// A URL as the log may show it: queries may hold keys, and names of users passwords.
pub fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest.get(..end).and_then(|authority| authority.rfind('@'));
    let rest = host.and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
    format!("{scheme}://{rest}")
}
