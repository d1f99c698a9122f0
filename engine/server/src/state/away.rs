//! Sources that did not answer when they were last tried. Nobody's change waits for them: a generation is made without
//! them, or with what was known of them, and they come in when they answer whoever follows the catalogs.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use metadata::Document;

use super::{State, chosen};
use crate::generation::SourceState;

/// How long a source that was never tried, or was well when last tried, is waited for on the way to a change.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long a failure keeps others from trying: longer than it takes until the source was looked at again.
const REMEMBERED: Duration = Duration::from_secs(30);

/// See the module. Names are bounded by what was tried lately.
#[derive(Debug, Default)]
pub(super) struct Away(Mutex<BTreeMap<String, Failure>>);

/// How a source was tried, and what came of it.
#[derive(Debug)]
struct Failure {
    configuration: pg::SourceConfig,
    trouble: String,
    at: Instant,
}

impl Away {
    fn failures(&self) -> MutexGuard<'_, BTreeMap<String, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a source that is reached like this was away when it was tried lately.
    pub(super) fn trouble(&self, name: &str, source: &SourceState) -> Option<String> {
        let configuration = source.database.as_ref()?.config();
        let failures = self.failures();
        let failure = failures.get(name)?;
        let counts = failure.configuration == *configuration && failure.at.elapsed() < REMEMBERED;
        counts.then(|| failure.trouble.clone())
    }

    /// It was tried and did not answer.
    pub(super) fn missed(&self, name: &str, source: &SourceState, trouble: String) {
        let Some(database) = &source.database else { return };
        let failure = Failure {
            configuration: database.config().clone(),
            trouble,
            at: Instant::now(),
        };
        let mut failures = self.failures();
        failures.retain(|_, failure| failure.at.elapsed() < REMEMBERED);
        failures.insert(name.to_owned(), failure);
    }

    /// It was tried and answered.
    pub(super) fn answered(&self, name: &str) {
        self.failures().remove(name);
    }
}

impl State {
    /// Whether a source that is reached like this did not answer when it was tried lately.
    pub fn is_away(&self, name: &str, source: &SourceState) -> bool {
        self.away.trouble(name, source).is_some()
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
            if let Some(trouble) = self.away.trouble(name, source) {
                if source.catalog.is_none() {
                    source.trouble = Some(trouble);
                }
                return;
            }
            if source.answers(PATIENCE).await {
                source.introspect(definition, patience).await;
            }
            match source.trouble.clone() {
                Some(trouble) => self.away.missed(name, source, trouble),
                None => self.away.answered(name),
            }
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
            let any = definition.tables.values().any(|table| table.is_enum);
            (any && !self.is_away(name, source)).then(|| within(source.refresh_enum_values(definition)))
        });
        join_all(reading).await;
    }
}

/// What somebody else's change waits for, if it comes soon.
pub async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(PATIENCE, work).await.ok()
}
