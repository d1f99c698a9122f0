//! Databases change without a command of this process: catalogs are compared with them every few seconds, and whenever
//! something does not fit. A database that does not answer keeps nobody waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use schema::problem::Problem;
use tokio::sync::watch;

use super::away::within;
use super::follow::ticks;
use super::{PATIENCE, State, away, build, open_sources};
use crate::admin::report::{is_unreachable, is_unsupported};
use crate::generation::source_state::{TIMED_OUT, describe};
use crate::generation::{Generation, SourceState};
use crate::observe::Health;

/// How often each source's catalog fingerprint is read.
const FINGERPRINT_INTERVAL: Duration = Duration::from_secs(5);

/// How long reading one may take before the source counts as down.
const FINGERPRINT_PATIENCE: Duration = Duration::from_secs(10);

/// Sources that are found changed within so long of each other come into one generation.
const TOGETHER: Duration = Duration::from_millis(50);

impl State {
    /// Looks into the databases where something does not fit: they may have changed since their catalogs were read.
    pub(super) async fn look_again(&self) {
        let current = self.current();
        if current
            .problems
            .iter()
            .any(|problem| is_unreachable(problem, &current.sources))
        {
            self.look.notify_one();
        }
        if has_outdated(&current) {
            self.refresh_catalogs().await;
        }
    }

    /// Looks into the databases at once; whether any had changed.
    pub async fn read_catalogs_again(&self) -> bool {
        let before = self.current().number;
        self.refresh_catalogs().await;
        self.current().number != before
    }

    /// Reads the catalogs anew of sources whose database, enum tables or address changed, and of those that were in
    /// trouble. Those that do not answer soon are left to [`follow_catalogs`].
    pub(super) async fn refresh_catalogs(&self) {
        let reopened = self.reopened();
        let looks = reopened
            .iter()
            .filter(|(name, source)| !self.is_away(name, source))
            .map(|(name, source)| async move {
                match within(self.has_drifted(name, source)).await {
                    Some(drifted) => drifted.then(|| name.clone()),
                    None => {
                        self.look.notify_one();
                        None
                    }
                }
            });
        let changed = join_all(looks).await.into_iter().flatten().collect();
        self.adopt_catalogs(&changed).await;
    }

    /// The sources of the document with the variables of now: a new address counts when it answers.
    fn reopened(&self) -> BTreeMap<String, SourceState> {
        let current = self.current();
        let environment = self.environment();
        open_sources(
            &current.document,
            &self.settings,
            &environment,
            Some(&current.sources),
        )
    }

    /// Serves what these databases are like now.
    async fn adopt_catalogs(&self, changed: &BTreeSet<String>) {
        if changed.is_empty() {
            return;
        }
        let _writer = self.lock().await;
        let mut sources = self.reopened();
        let current = self.current();
        let wanted = |name: &str, _: &SourceState| changed.contains(name);
        self.introspect_what_answers(&current.document, &mut sources, wanted, PATIENCE)
            .await;
        keep_what_answers(&mut sources, &current.sources);
        let same = sources.iter().all(|(name, state)| {
            current.sources.get(name).is_some_and(|known| {
                known.trouble == state.trouble && known.is_reached_like(state) && known.knows_the_same(state)
            })
        });
        if same {
            return;
        }
        let document = Arc::clone(&current.document);
        let version = current.resource_version;
        let next = build(document, sources, &self.settings, Some(current), version).await;
        self.swap(next);
    }

    /// Whether a database is not as its catalog says any more; a source that is down has not changed.
    async fn has_drifted(&self, name: &str, state: &SourceState) -> bool {
        match self.fingerprint(name, state).await {
            Some(fingerprint) => self.differs(name, state, fingerprint).await,
            None => false,
        }
    }

    /// What a database says of its catalog, which is how it is told to be there.
    async fn fingerprint(&self, name: &str, state: &SourceState) -> Option<String> {
        let Some(database) = &state.database else {
            self.found(name, Health::Error, state.trouble.clone());
            return None;
        };
        match database.fingerprint().await {
            Ok(fingerprint) => {
                self.away.answered(name);
                self.found(name, Health::Ok, None);
                Some(fingerprint)
            }
            Err(error) => {
                let trouble = describe(&error);
                self.away.missed(name, state, trouble.clone());
                self.found(name, Health::Error, Some(trouble));
                None
            }
        }
    }

    async fn differs(&self, name: &str, state: &SourceState, fingerprint: String) -> bool {
        let Some(known) = &state.catalog else { return true };
        if state.trouble.is_some() || known.catalog.fingerprint != fingerprint {
            return true;
        }
        let mut again = state.clone();
        if let Some(source) = self.current().document.sources.get(name) {
            again.refresh_enum_values(source).await;
        }
        !again.knows_the_same(state)
    }

    /// The same for one who has time. That the source is silent is known to others long before it is given up; one that
    /// has answered and takes its time for the rest is not silent.
    async fn has_drifted_at_last(&self, name: &str, state: &SourceState) -> bool {
        let silent = || self.away.missed(name, state, TIMED_OUT.to_owned());
        let mut look = std::pin::pin!(self.fingerprint(name, state));
        let soon = tokio::time::timeout(away::PATIENCE, look.as_mut()).await;
        let fingerprint = match soon {
            Ok(fingerprint) => Ok(fingerprint),
            Err(_) => {
                silent();
                let rest = FINGERPRINT_PATIENCE.saturating_sub(away::PATIENCE);
                tokio::time::timeout(rest, look).await
            }
        };
        let drifted = match fingerprint {
            Ok(None) => return false,
            Ok(Some(fingerprint)) => {
                let rest = self.differs(name, state, fingerprint);
                tokio::time::timeout(FINGERPRINT_PATIENCE, rest).await
            }
            Err(late) => Err(late),
        };
        drifted.unwrap_or_else(|_| {
            silent();
            self.found(name, Health::Error, Some(TIMED_OUT.to_owned()));
            false
        })
    }
}

/// A source whose new address does not answer goes on with the old one, if that was good: it is tried again at every
/// look at the catalogs.
pub(super) fn keep_what_answers(
    sources: &mut BTreeMap<String, SourceState>,
    before: &BTreeMap<String, SourceState>,
) {
    for (name, state) in sources {
        if state.catalog.is_none()
            && let Some(known) = before.get(name).filter(|known| known.catalog.is_some())
        {
            let trouble = state.trouble.take();
            *state = SourceState {
                trouble,
                ..known.clone()
            };
        }
    }
}

/// Whether a look into the databases may make any problem go away. One that does not answer is not looked into sooner
/// for it.
pub fn has_outdated(generation: &Generation) -> bool {
    generation.problems.iter().any(|problem| {
        !matches!(problem, Problem::Setting { .. })
            && !is_unsupported(problem)
            && !is_unreachable(problem, &generation.sources)
    })
}

/// A look at one source: its name, and whether it changed.
async fn look(state: Arc<State>, name: String, source: SourceState) -> (String, bool) {
    let changed = state.has_drifted_at_last(&name, &source).await;
    (name, changed)
}

/// Looks at each source every few seconds until `stop`, and at each by itself: one that does not answer holds up none
/// that does.
pub(super) async fn follow(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let mut ticks = ticks(FINGERPRINT_INTERVAL);
    let mut under_way = BTreeSet::new();
    let mut looks = FuturesUnordered::new();
    loop {
        let done = tokio::select! {
            _ = ticks.tick() => None,
            () = state.look.notified() => None,
            Some(done) = looks.next() => Some(done),
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Some((name, changed)) = done else {
            for (name, source) in state.reopened() {
                if under_way.insert(name.clone()) {
                    looks.push(look(Arc::clone(&state), name, source));
                }
            }
            continue;
        };
        under_way.remove(&name);
        if !changed {
            continue;
        }
        let mut found = BTreeSet::from([name]);
        let more = async {
            while let Some((name, changed)) = looks.next().await {
                under_way.remove(&name);
                if changed {
                    found.insert(name);
                }
            }
        };
        let _ = tokio::time::timeout(TOGETHER, more).await;
        state.adopt_catalogs(&found).await;
    }
}
