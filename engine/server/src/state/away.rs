//! Sources that did not answer when they were last tried. Nobody's change waits for them: a generation is made without
//! them, or with what was known of them, and they come in when they answer whoever follows the catalogs.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use metadata::Document;

use super::reading::enum_tables;
use super::{FIRST_PATIENCE, State, chosen};
use crate::generation::SourceState;

/// How long a source that was never tried, or was well when last tried, is waited for on the way to a change.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long a failure keeps others from trying: longer than it takes until the source was looked at again.
const REMEMBERED: Duration = Duration::from_secs(30);

/// The same for a source that is not in the document that is served, which nobody looks at again.
const REMEMBERED_OF_OTHERS: Duration = Duration::from_secs(5);

/// Failures that are remembered at most.
const MOST: usize = 1000;

/// See the module. What is known is of a way to a source, and says nothing of other ways to one of that name.
#[derive(Debug, Default)]
pub(super) struct Away(Mutex<VecDeque<Failure>>);

/// How a source was tried, and what came of it.
#[derive(Debug)]
struct Failure {
    /// The configuration has the source's name.
    configuration: pg::SourceConfig,
    trouble: Missed,
    at: Instant,
}

/// What did not come.
#[derive(Debug, Clone)]
enum Missed {
    /// A sign of life, or the catalog.
    Source(String),
    /// The rows of its enum tables.
    Rows,
}

impl Failure {
    fn is_of(&self, source: &SourceState) -> bool {
        let database = source.database.as_ref();
        database.is_some_and(|database| *database.config() == self.configuration)
    }
}

impl Away {
    fn failures(&self) -> MutexGuard<'_, VecDeque<Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a source that is reached like this was away when it was tried within the time that is `remembered`.
    fn trouble(&self, source: &SourceState, remembered: Duration) -> Option<String> {
        match self.last(source, remembered)? {
            Missed::Source(trouble) => Some(trouble),
            Missed::Rows => None,
        }
    }

    fn last(&self, source: &SourceState, remembered: Duration) -> Option<Missed> {
        let failures = self.failures();
        let failure = failures.iter().find(|failure| failure.is_of(source))?;
        (failure.at.elapsed() < remembered).then(|| failure.trouble.clone())
    }

    /// It was tried and did not answer.
    pub(super) fn missed(&self, source: &SourceState, trouble: String) {
        self.remember(source, Missed::Source(trouble));
    }

    /// It answers, but for the rows of its enum tables.
    pub(super) fn missed_rows(&self, source: &SourceState) {
        self.remember(source, Missed::Rows);
    }

    fn remember(&self, source: &SourceState, trouble: Missed) {
        let Some(database) = &source.database else { return };
        let failure = Failure {
            configuration: database.config().clone(),
            trouble,
            at: Instant::now(),
        };
        let mut failures = self.failures();
        failures.retain(|failure| failure.at.elapsed() < REMEMBERED && !failure.is_of(source));
        failures.truncate(MOST - 1);
        failures.push_front(failure);
    }

    /// It was tried and answered.
    pub(super) fn answered(&self, source: &SourceState) {
        self.failures().retain(|failure| !failure.is_of(source));
    }
}

impl State {
    /// Whether a source that is reached like this did not answer when it was tried lately.
    pub fn is_away(&self, name: &str, source: &SourceState) -> bool {
        self.known_trouble(name, source).is_some()
    }

    fn known_trouble(&self, name: &str, source: &SourceState) -> Option<String> {
        self.away.trouble(source, self.remembered(name, source))
    }

    fn remembered(&self, name: &str, source: &SourceState) -> Duration {
        if self.is_wanted(name, source) {
            REMEMBERED
        } else {
            REMEMBERED_OF_OTHERS
        }
    }

    /// What came of trying a source, if it went wrong.
    pub(super) fn tried(&self, source: &SourceState, trouble: Option<String>) {
        match trouble {
            Some(trouble) => self.away.missed(source, trouble),
            None => self.away.answered(source),
        }
    }

    /// Reads the catalogs of those sources that `wanted` names and that answer, all at a time. `patience` is for the
    /// reading, which takes seconds where there are thousands of tables; a sign of life is to come sooner.
    pub async fn introspect_what_answers(
        &self,
        document: &Document,
        sources: &mut BTreeMap<String, SourceState>,
        wanted: impl Fn(&str, &SourceState) -> bool,
        patience: Duration,
    ) {
        let reading = chosen(document, sources, wanted).map(|(name, source, definition)| async move {
            if source.database.is_none() {
                return;
            }
            if let Some(trouble) = self.known_trouble(name, source) {
                if source.catalog.is_none() {
                    source.trouble = Some(trouble);
                }
                return;
            }
            let trouble = if source.answers(PATIENCE).await {
                source.introspect(definition, patience).await
            } else {
                source.trouble.clone()
            };
            self.tried(source, trouble);
        });
        join_all(reading).await;
    }

    /// Reads the rows of enum tables anew, where there are any and their database answers.
    pub async fn refresh_enum_values(
        &self,
        document: &Document,
        sources: &mut BTreeMap<String, SourceState>,
    ) {
        let reading = sources.iter_mut().filter_map(|(name, source)| {
            let definition = document.sources.get(name)?;
            let any = enum_tables(definition).next().is_some();
            let waits = || self.away.last(source, self.remembered(name, source)).is_some();
            (any && !waits()).then_some(async move {
                if within(source.refresh_enum_values(definition)).await.is_none() {
                    self.away.missed_rows(source);
                }
            })
        });
        join_all(reading).await;
    }
}

/// What somebody else's change waits for, if it comes soon.
pub async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, work).await.ok()
}

/// What one waits for who asked for it himself, and others behind him.
pub async fn soon<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(FIRST_PATIENCE, work).await.ok()
}

#[cfg(test)]
pub(super) mod tests {
    use metadata::Source;
    use metadata::source::{DatabaseUrl, SourceConfiguration};

    use super::*;
    pub(in crate::state) use crate::generation::source_state::tests::surroundings;

    pub(in crate::state) fn source(url: &str) -> SourceState {
        source_named("default", url)
    }

    pub(in crate::state) fn source_named(name: &str, url: &str) -> SourceState {
        let source = Source {
            configuration: SourceConfiguration::new(DatabaseUrl::Url(url.to_owned())),
            ..Source::default()
        };
        SourceState::open(name, &source, &surroundings(), None)
    }

    #[tokio::test]
    async fn what_is_known_is_of_one_way_to_a_source() {
        let (one, other) = (source("postgresql://a/d"), source("postgresql://b/d"));
        let away = Away::default();
        away.missed(&one, "gone".to_owned());
        assert_eq!(away.trouble(&one, REMEMBERED).as_deref(), Some("gone"));
        assert_eq!(away.trouble(&other, REMEMBERED), None);
        away.answered(&other);
        assert!(away.trouble(&one, REMEMBERED).is_some());
        assert_eq!(away.trouble(&one, Duration::ZERO), None, "too long ago");
        away.missed(&other, "gone, too".to_owned());
        away.missed(&one, "still".to_owned());
        assert_eq!(away.trouble(&one, REMEMBERED).as_deref(), Some("still"));
        away.answered(&one);
        assert_eq!(away.trouble(&one, REMEMBERED), None);
        assert!(away.trouble(&other, REMEMBERED).is_some());
    }

    #[tokio::test]
    async fn one_that_lacks_rows_is_there() {
        let source = source("postgresql://a/d");
        let away = Away::default();
        away.missed_rows(&source);
        assert_eq!(away.trouble(&source, REMEMBERED), None);
        assert!(away.last(&source, REMEMBERED).is_some());
        away.answered(&source);
        assert!(away.last(&source, REMEMBERED).is_none());
    }
}
