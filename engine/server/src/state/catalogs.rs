//! Databases change without a command of this process: catalogs are compared with them every few seconds, and whenever
//! something does not fit. They are read before the writer's lock is taken, each by itself, so that a database which does not
//! answer, or not to the end, keeps nobody waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{join_all, ready};
use futures_util::stream::{self, FuturesUnordered};
use metadata::Source;
use schema::CatalogState;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::away::{soon, within};
use super::follow::ticks;
use super::reading::{Read, Wanted, Way, enum_tables, ways};
use super::under_way::{Begin, UnderWay};
use super::{FIRST_PATIENCE, PATIENCE, READING, State, away, build, open_sources, surroundings};
use crate::admin::report::is_unreachable;
use crate::generation::source_state::{TIMED_OUT, describe};
use crate::generation::{Generation, SourceState};
use crate::observe::Health;

/// How often each source's catalog fingerprint is read.
const FINGERPRINT_INTERVAL: Duration = Duration::from_secs(5);

/// How long reading one may take before the source counts as down.
const FINGERPRINT_PATIENCE: Duration = Duration::from_secs(10);

/// Sources whose catalogs were read within so long of each other come into one generation.
const TOGETHER: Duration = Duration::from_millis(50);

/// Databases that are read for one command at the same time: each takes connections that requests wait for, and the
/// memory of a catalog.
const MOST_AT_A_TIME: usize = 8;

impl State {
    /// Asks for a look into the databases where something does not fit: they may have changed since their catalogs were
    /// read, or answer by now.
    pub(super) fn look_soon(&self) {
        let current = self.current();
        if has_outdated(&current) || has_unreachable(&current) {
            self.look.notify_one();
        }
    }

    /// Looks into the databases at once; whether more is known by now than in the generation of this number.
    pub async fn read_catalogs_again(&self, before: u64) -> bool {
        self.refresh_catalogs().await;
        self.current().number != before
    }

    /// Reads the catalogs anew of sources whose database, enum tables or address changed, and of those that were in
    /// trouble. Those that do not answer soon are left to [`follow`].
    async fn refresh_catalogs(&self) {
        let looks = self
            .reopened()
            .into_iter()
            .filter(|(name, source)| !self.is_away(name, source))
            .map(|(name, source)| async move {
                let read = match within(self.has_drifted(&name, &source)).await {
                    Some(false) => return None,
                    Some(true) => {
                        let read = timeout(READING, self.read(name, source.clone())).await.ok();
                        if read.is_none() {
                            self.away.missed(&source, TIMED_OUT.to_owned());
                        }
                        read
                    }
                    None => None,
                };
                if read.is_none() {
                    self.look.notify_one();
                }
                read
            });
        let read = join_all(looks).await.into_iter().flatten().collect();
        if self.adopt_catalogs(read).await {
            self.look.notify_one();
        }
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

    /// Whether a source of the document is to be reached like this now. What becomes of another way to it tells nothing.
    pub(super) fn is_wanted(&self, name: &str, source: &SourceState) -> bool {
        let current = self.current();
        let known = current.sources.get(name);
        let surroundings = surroundings(&self.settings, &self.environment());
        current.document.sources.get(name).is_some_and(|definition| {
            SourceState::open(name, definition, &surroundings, known).is_reached_like(source)
        })
    }

    /// Reads the catalog of a source of the document, for whoever adopts it.
    async fn read(&self, name: String, source: SourceState) -> Read {
        let current = self.current();
        let known = current.sources.get(&name).and_then(|known| known.catalog.clone());
        let document = Arc::clone(&current.document);
        drop(current);
        match document.sources.get(&name) {
            Some(definition) => self.read_as(name, source, known, definition).await,
            None => Read::new(name, source, known, []),
        }
    }

    /// The same of any source. One that takes its time is nobody's to wait for.
    async fn read_as(
        &self,
        name: String,
        mut source: SourceState,
        known: Option<Arc<CatalogState>>,
        definition: &Source,
    ) -> Read {
        let way = source.clone();
        let late = async {
            tokio::time::sleep(READING).await;
            self.away.missed(&way, TIMED_OUT.to_owned());
            std::future::pending::<()>().await;
        };
        let trouble = tokio::select! {
            trouble = source.introspect(definition, PATIENCE) => trouble,
            () = late => None,
        };
        let failed = trouble.is_some();
        self.tried(&source, trouble);
        Read::new(name, source, known, enum_tables(definition)).failed(failed)
    }

    /// Whether the database of a source that somebody asks about is not as its catalog says. It has to give a sign of life
    /// soon, and has time for the rest.
    pub async fn is_outdated(&self, source: &SourceState) -> bool {
        let (Some(database), Some(known)) = (&source.database, &source.catalog) else {
            return false;
        };
        source.clone().answers(away::PATIENCE).await
            && matches!(soon(database.fingerprint()).await, Some(Ok(now)) if now != known.catalog.fingerprint)
    }

    /// Reads databases for one who is about to take the writer's lock, each once, and some at a time. Those that are not
    /// named are left out where they are away.
    pub async fn read_ahead(&self, wanted: Vec<Wanted>) -> Vec<Read> {
        let surroundings = surroundings(&self.settings, &self.environment());
        let ways = ways(wanted, &self.current().sources, &surroundings);
        let reading = ways.into_iter().map(|way| async move {
            let Way {
                name,
                definition,
                is_named,
                mut source,
                known,
            } = way;
            if !is_named && self.is_away(&name, &source) {
                return None;
            }
            let patience = if is_named { FIRST_PATIENCE } else { away::PATIENCE };
            if !source.answers(patience).await {
                self.tried(&source, source.trouble.clone());
                return Some(Read::new(name, source, known, []));
            }
            Some(self.read_as(name, source, known, &definition).await)
        });
        stream::iter(reading.collect::<Vec<_>>())
            .buffer_unordered(MOST_AT_A_TIME)
            .filter_map(ready)
            .collect()
            .await
    }

    /// Serves what was read of databases, each on the connections that were looked at. Whether any is to be looked at again,
    /// because what is known of it has changed since.
    async fn adopt_catalogs(&self, found: Vec<Read>) -> bool {
        if found.is_empty() {
            return false;
        }
        let _writer = self.lock().await;
        let mut sources = self.reopened();
        let current = self.current();
        let mut again = false;
        for (name, place) in &mut sources {
            let (known, definition) = (current.sources.get(name), current.document.sources.get(name));
            let mut read = found.iter().filter(|read| read.is_of(name, place));
            match (read.next(), definition) {
                (Some(read), Some(definition)) if read.is_news_to(known) && read.has_rows_for(definition) => {
                    *place = read.in_place_of(place);
                }
                (read, _) => {
                    again |= read.is_some();
                    // A new way that was not tried is for later.
                    if let Some(known) = known
                        && place.database.is_some()
                        && !place.is_reached_like(known)
                    {
                        *place = known.clone();
                    }
                }
            }
        }
        keep_what_answers(&mut sources, &current.sources);
        let same = sources.iter().all(|(name, state)| {
            current.sources.get(name).is_some_and(|known| {
                known.trouble == state.trouble && known.is_reached_like(state) && known.knows_the_same(state)
            })
        });
        if same {
            return again;
        }
        let moved: Vec<String> = sources
            .iter()
            .filter(|(name, source)| {
                let known = current.sources.get(*name);
                source.trouble.is_none() && !known.is_some_and(|known| known.is_reached_like(source))
            })
            .map(|(name, _)| name.clone())
            .collect();
        let document = Arc::clone(&current.document);
        let version = current.resource_version;
        let next = build(document, sources, &self.settings, Some(current), version).await;
        self.swap(next);
        for name in moved {
            self.found(&name, Health::Ok, None);
        }
        again
    }

    /// Whether a database is not as its catalog says any more; a source that is down has not changed.
    async fn has_drifted(&self, name: &str, state: &SourceState) -> bool {
        let Some(fingerprint) = self.fingerprint(name, state).await else {
            return false;
        };
        let differs = self.differs(name, state, fingerprint).await;
        if !differs {
            self.away.answered(state);
        }
        differs
    }

    /// What a database says of its catalog, which is how it is told to be there.
    async fn fingerprint(&self, name: &str, state: &SourceState) -> Option<String> {
        let Some(database) = &state.database else {
            self.found(name, Health::Error, state.trouble.clone());
            return None;
        };
        match database.fingerprint().await {
            Ok(fingerprint) => {
                // A new way is told to be well when it serves.
                let current = self.current();
                if current
                    .sources
                    .get(name)
                    .is_some_and(|served| served.is_reached_like(state))
                {
                    self.found_like(name, state, Health::Ok, None);
                }
                Some(fingerprint)
            }
            Err(error) => {
                let trouble = describe(&error);
                self.away.missed(state, trouble.clone());
                self.found_like(name, state, Health::Error, Some(trouble));
                None
            }
        }
    }

    /// A look at the source found this, unless it is reached in another way by now.
    fn found_like(&self, name: &str, state: &SourceState, health: Health, trouble: Option<String>) {
        if self.is_wanted(name, state) {
            self.found(name, health, trouble);
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
        let silent = || self.away.missed(state, TIMED_OUT.to_owned());
        let mut look = std::pin::pin!(self.fingerprint(name, state));
        let soon = timeout(away::PATIENCE, look.as_mut()).await;
        let fingerprint = match soon {
            Ok(fingerprint) => Ok(fingerprint),
            Err(_) => {
                silent();
                let rest = FINGERPRINT_PATIENCE.saturating_sub(away::PATIENCE);
                timeout(rest, look).await
            }
        };
        match fingerprint {
            Ok(None) => false,
            Ok(Some(fingerprint)) => {
                let rest = self.differs(name, state, fingerprint);
                let differs = timeout(FINGERPRINT_PATIENCE, rest).await;
                if differs != Ok(true) {
                    self.away.answered(state);
                }
                if differs.is_err() {
                    // The database is there. What is known of its enum tables stays, and nobody waits for more.
                    self.away.missed_rows(state);
                }
                differs == Ok(true)
            }
            Err(_) => {
                silent();
                self.found_like(name, state, Health::Error, Some(TIMED_OUT.to_owned()));
                false
            }
        }
    }
}

/// A source whose new address does not answer goes on with the old one, if that was good: it is tried again at every
/// look at the catalogs.
pub fn keep_what_answers(
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
    generation
        .problems
        .iter()
        .any(|problem| !problem.is_unsupported() && !is_unreachable(problem, &generation.sources))
}

fn has_unreachable(generation: &Generation) -> bool {
    let mut problems = generation.problems.iter();
    problems.any(|problem| is_unreachable(problem, &generation.sources))
}

/// Looks at one source, and reads it if it changed.
async fn look(state: Arc<State>, name: String, source: SourceState) -> Result<Read, (String, SourceState)> {
    if state.has_drifted_at_last(&name, &source).await {
        Ok(state.read(name, source).await)
    } else {
        Err((name, source))
    }
}

/// Adopts what was read. Gives the ways to these sources, and whether any is to be looked at again.
async fn adopt(state: Arc<State>, found: Vec<Read>) -> (Vec<(String, SourceState)>, bool) {
    let ways = found.iter().map(Read::way).collect();
    (ways, state.adopt_catalogs(found).await)
}

/// Looks at each source every few seconds until `stop`, and at each by itself: one that does not answer holds up none
/// that does, and so does one that is read.
pub(super) async fn follow(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let mut ticks = ticks(FINGERPRINT_INTERVAL);
    let mut under_way = UnderWay::default();
    let mut looks = FuturesUnordered::new();
    let mut found = Vec::new();
    let mut adopted_at = Instant::now();
    let mut adoptions = FuturesUnordered::new();
    loop {
        let (ended, again) = tokio::select! {
            _ = ticks.tick() => {
                looks.extend(begin(&state, &mut under_way, &Begin::All));
                continue;
            }
            () = state.look.notified() => {
                looks.extend(begin(&state, &mut under_way, &Begin::Asked));
                continue;
            }
            Some(looked) = looks.next() => match looked {
                Ok(read) => {
                    if found.is_empty() {
                        adopted_at = Instant::now() + TOGETHER;
                    }
                    found.push(read);
                    continue;
                }
                Err(way) => (vec![way], false),
            },
            () = sleep_until(adopted_at), if !found.is_empty() => {
                adoptions.push(adopt(Arc::clone(&state), std::mem::take(&mut found)));
                continue;
            }
            Some(adopted) = adoptions.next() => adopted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let mut named = BTreeSet::new();
        for (name, source) in ended {
            if under_way.ended(&name, &source) || again {
                named.insert(name);
            }
        }
        if !named.is_empty() {
            looks.extend(begin(&state, &mut under_way, &Begin::These(named)));
        }
    }
}

/// The looks that begin.
fn begin(
    state: &Arc<State>,
    under_way: &mut UnderWay,
    which: &Begin,
) -> Vec<impl Future<Output = Result<Read, (String, SourceState)>> + use<>> {
    let begin = under_way.begin(which, state.reopened());
    begin
        .into_iter()
        .map(|(name, source)| look(Arc::clone(state), name, source))
        .collect()
}
