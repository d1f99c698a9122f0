//! Watching one object by its name, for ever.

use std::fmt::Debug;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt};
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// A watch is begun anew after so many seconds, so that a connection that died unnoticed is not waited on for long.
pub(crate) const WATCH_SECONDS: u32 = 60;

/// The pauses between attempts while the API server is away. Once it is back, every pod is to serve what is published
/// within seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);

/// Failures that are further apart have nothing to do with each other.
const APART: Duration = Duration::from_secs(10);

/// Pauses that double while one failure follows the other, each up to a half longer by chance, so that pods do not come
/// back all at once. What comes between two failures proves nothing: every attempt begins with an event.
struct Pauses {
    next: Duration,
    failed: Option<Instant>,
}

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.failed.is_none_or(|failed| failed.elapsed() > APART) {
            self.next = FIRST_PAUSE;
        }
        self.failed = Some(Instant::now());
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        let chance = u32::try_from(RandomState::new().hash_one(()) % 500).unwrap_or(0);
        Some(pause + pause * chance / 1000)
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {}
}

/// What a watch tells.
#[derive(Debug)]
pub(crate) enum Told<K> {
    /// The object is like this.
    Found(Box<K>),
    /// There is no such object.
    Missing,
    /// The API server did not answer, or with an error. Tried again.
    Trouble(String),
}

/// Tells of the object with this name: as it is, and whenever it changed.
pub(crate) fn one<K>(api: Api<K>, name: &str) -> impl Stream<Item = Told<K>> + Send + use<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let config = watcher::Config::default()
        .fields(&format!("metadata.name={name}"))
        .timeout(WATCH_SECONDS);
    watcher(api, config)
        .backoff(Pauses {
            next: FIRST_PAUSE,
            failed: None,
        })
        .scan(false, |seen, event| {
            let told = match event {
                Ok(Event::Init) => {
                    *seen = false;
                    None
                }
                Ok(Event::InitApply(object)) => {
                    *seen = true;
                    Some(Told::Found(Box::new(object)))
                }
                Ok(Event::InitDone) => (!*seen).then_some(Told::Missing),
                Ok(Event::Apply(object)) => Some(Told::Found(Box::new(object))),
                Ok(Event::Delete(_)) => Some(Told::Missing),
                Err(error) => Some(Told::Trouble(in_words(&error))),
            };
            std::future::ready(Some(told))
        })
        .filter_map(std::future::ready)
}

/// An error with its causes.
pub(crate) fn in_words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_whatever_comes_between_failures_and_stay_short() {
        let mut pauses = Pauses {
            next: FIRST_PAUSE,
            failed: None,
        };
        let mut of = || {
            pauses.reset();
            pauses.next().unwrap_or_default()
        };
        let (first, second) = (of(), of());
        assert!(
            first < FIRST_PAUSE * 2 && second >= FIRST_PAUSE * 2,
            "{first:?} {second:?}"
        );
        let longest = (0..20).map(|_| of()).max().unwrap_or_default();
        assert!(
            longest > Duration::from_secs(1) && longest < Duration::from_millis(2500),
            "{longest:?}"
        );
        pauses.failed = Instant::now().checked_sub(APART * 2);
        assert!(pauses.next().unwrap_or_default() < FIRST_PAUSE * 2);
    }
}
