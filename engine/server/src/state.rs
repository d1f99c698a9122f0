//! What lives as long as the process: the present generation, where documents are stored, the writer's lock.

mod away;
mod catalogs;
mod delivered;
mod enduring;
mod folder;
pub mod follow;
pub mod health;
mod mounted;
mod readiness;
pub mod reading;
mod secret;
mod standing;
mod start;
mod under_way;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use delivery::secret::INSTANCES;
use futures_util::future::join_all;
use metadata::document::Known;
use metadata::{Document, Source};
use plan::PlanCache;
use plan::cache::Statistics;
use rate::Rates;
use tokio::runtime::Handle;
use tokio::sync::{MutexGuard, Notify};
use uuid::Uuid;

use crate::admin::report;
use crate::auth::Authenticator;
use crate::generation::aside::{Urgency, aside};
use crate::generation::source::Surroundings;
use crate::generation::{Generation, SourceState};
use crate::observe::{Event, Observer};
use crate::outbound::Client;
use crate::settings::{Environment, Origin, Secret, Settings};
use crate::websocket::Registry;
use standing::Standing;

pub use away::{soon, within};
pub use catalogs::{has_outdated, keep_what_answers};
pub use readiness::Readiness;
use start::parse;
pub use start::{EVERYTHING, StartError};

/// How long one source may take to be introspected before the generation is made without it. A source of thousands of
/// tables takes seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The same where others wait for it: a change goes on without one that takes longer.
pub const READING: Duration = Duration::from_secs(5);

/// The same at the start, when nothing is served yet.
const FIRST_PATIENCE: Duration = Duration::from_secs(15);

/// How often it is looked whether a generation has served its last request.
const RETIREMENT: Duration = Duration::from_millis(100);

/// The process's state.
#[derive(Debug)]
pub struct State {
    /// How it was started.
    pub settings: Arc<Settings>,
    /// Identifies this process to others on the same metadata database.
    pub instance_id: Uuid,
    /// Log and metrics.
    pub observer: Observer,
    authenticator: ArcSwap<Authenticator>,
    /// For requests of the engine's own.
    client: Client,
    /// How often each may ask.
    pub rates: Rates,
    /// Where several instances count together.
    counters: Option<Arc<rate::Shared>>,
    environment: ArcSwap<Environment>,
    /// The variables that say who may ask, as they were taken last.
    authenticated_by: Mutex<Environment>,
    admin_token: ArcSwapOption<Secret>,
    /// What the admin port tells besides the generation.
    standing: Standing,
    generation: ArcSwap<Generation>,
    /// What the document has in common with the next one.
    known: Mutex<Known>,
    store: Option<pg::Store>,
    writer: tokio::sync::Mutex<()>,
    /// What was told last of the files of a folder.
    told: Mutex<String>,
    /// One document is checked at a time: each takes the memory of a generation.
    check: tokio::sync::Mutex<()>,
    health: Mutex<BTreeMap<String, health::Report>>,
    /// A source answered since there is a document.
    reached: AtomicBool,
    /// Sources that nobody waits for.
    away: away::Away,
    /// Asks for a look at the sources before the next one is due.
    look: Notify,
    /// Plans of all generations: each is found only while the parts that it was made from are there.
    plans: Arc<PlanCache>,
    draining: AtomicBool,
    /// The websockets that are open.
    pub websockets: Registry,
}

impl State {
    /// The present generation.
    pub fn current(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// Who may ask, as it holds now.
    pub fn authenticator(&self) -> Arc<Authenticator> {
        self.authenticator.load_full()
    }

    /// Whether a webhook authenticates. Asked for each request: it holds nothing.
    pub fn has_hook(&self) -> bool {
        self.authenticator.load().has_hook()
    }

    /// Whether it wants to know how headers were spelled. Asked whenever a connection is read: it holds nothing.
    pub fn wants_spelling(&self) -> bool {
        self.authenticator.load().wants_spelling()
    }

    /// The client for requests of the engine's own.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The variables that metadata may refer to, as they hold now.
    pub fn environment(&self) -> Arc<Environment> {
        self.environment.load_full()
    }

    /// The bearer token of the admin port.
    pub fn admin_token(&self) -> Option<Arc<Secret>> {
        self.admin_token.load_full()
    }

    /// Whether there is a document yet: with an origin that is watched it may come later.
    pub fn has_document(&self) -> bool {
        match self.settings.origin {
            Origin::ConfigMap(_) => self.current().provenance.counter.is_some(),
            Origin::Catalog | Origin::Directory(_) => true,
        }
    }

    /// Where the document is stored, if it is.
    pub fn store(&self) -> Option<&pg::Store> {
        self.store.as_ref()
    }

    /// The metadata API may change the document.
    pub fn is_writable(&self) -> bool {
        self.settings.origin.is_writable()
    }

    /// Reads a document's text.
    ///
    /// # Errors
    /// Where and why it cannot be read.
    pub fn parse(&self, text: &str) -> Result<Document, StartError> {
        parse(text, &self.known)
    }

    /// One change of the document at a time.
    pub async fn lock(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().await
    }

    /// One check of a document at a time.
    pub async fn check_alone(&self) -> MutexGuard<'_, ()> {
        self.check.lock().await
    }

    /// Works out what is told of a generation, so that nobody who asks waits for that.
    fn complete(&self, generation: &Generation) {
        let is_told = self.settings.admin_port.is_some();
        let complete = || {
            generation.hash();
            if is_told {
                generation.report_problems(report::problems_of);
            }
        };
        // A thread of its own costs more than to find out that nothing is wrong with what has a hash.
        let is_little = generation.is_consistent() || generation.has_reported() || !is_told;
        if generation.has_hash() && is_little {
            complete();
        } else {
            aside(Urgency::Gentle, complete);
        }
    }

    /// Makes a generation the present one.
    pub fn swap(&self, mut generation: Generation) {
        let before = self.current();
        generation.plans = Arc::clone(&self.plans);
        for name in before.sources.keys() {
            if !generation.sources.contains_key(name) {
                self.observer.metrics.forget_source(name);
                self.reports().remove(name);
            }
        }
        let changed_problems = generation.problems != before.problems;
        self.complete(&generation);
        let generation = Arc::new(generation);
        self.client.allow_tls(&generation.document.network.tls_allowlist);
        self.generation.store(Arc::clone(&generation));
        if generation.hash() != before.hash() {
            self.websockets.document_changed();
        }
        self.observer.emit(Event::Generation {
            number: generation.number,
            resource_version: generation.resource_version,
            hash: generation.hash(),
            problems: generation.problems.len(),
            build_time: generation.build_time,
        });
        if changed_problems && !generation.is_consistent() {
            let objects = generation.inconsistent_objects().into();
            self.observer.emit(Event::InconsistentMetadata(objects));
        }
        retire(before);
        self.has_reached_a_source();
        self.tell();
    }

    /// How the plan cache does, since the start.
    pub fn plan_statistics(&self) -> Statistics {
        self.plans.statistics()
    }

    /// The program is about to stop: it is no longer ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        self.websockets.stop();
        self.tell();
    }

    /// Whether the program is about to stop.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    fn told_findings(&self) -> std::sync::MutexGuard<'_, String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the sources are.
    fn reports(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, health::Report>> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the server adds to the configuration of sources.
fn surroundings(settings: &Settings, environment: &Environment) -> Surroundings {
    let mut pool = settings.pool;
    // The operator tells in the Secret how many pods there are, which changes while they run.
    if !environment.agrees(&settings.secrets.below, INSTANCES) {
        pool.instances = environment.number(INSTANCES).unwrap_or(pool.instances).max(1);
    }
    Surroundings {
        environment: environment.clone(),
        pool,
        dynamic_secrets_prefix: settings.dynamic_secrets_prefix.clone(),
    }
}

/// Connections for each source of a document, reusing those of the generation before.
pub fn open_sources(
    document: &Document,
    settings: &Settings,
    environment: &Environment,
    previous: Option<&BTreeMap<String, SourceState>>,
) -> BTreeMap<String, SourceState> {
    let surroundings = surroundings(settings, environment);
    document
        .sources
        .iter()
        .map(|(name, source)| {
            let known = previous.and_then(|sources| sources.get(name));
            (
                name.clone(),
                SourceState::open(name, source, &surroundings, known),
            )
        })
        .collect()
}

/// Reads the catalogs of those sources that `wanted` names, all at a time, for one who asked for them.
pub async fn introspect(
    document: &Document,
    sources: &mut BTreeMap<String, SourceState>,
    wanted: impl Fn(&str, &SourceState) -> bool,
) {
    introspect_within(document, sources, wanted, FIRST_PATIENCE).await;
}

/// The same within another time.
async fn introspect_within(
    document: &Document,
    sources: &mut BTreeMap<String, SourceState>,
    wanted: impl Fn(&str, &SourceState) -> bool,
    patience: Duration,
) {
    let reading =
        chosen(document, sources, wanted).map(|(_, state, source)| state.introspect(source, patience));
    join_all(reading).await;
}

/// Those sources of a document that `wanted` names, each with what the document says of it.
fn chosen<'s>(
    document: &'s Document,
    sources: &'s mut BTreeMap<String, SourceState>,
    wanted: impl Fn(&str, &SourceState) -> bool + 's,
) -> impl Iterator<Item = (&'s str, &'s mut SourceState, &'s Source)> {
    sources.iter_mut().filter_map(move |(name, state)| {
        let source = document.sources.get(name)?;
        wanted(name, state).then_some((name.as_str(), state, source))
    })
}

/// Builds a generation without holding up requests.
pub async fn build(
    document: Arc<Document>,
    sources: BTreeMap<String, SourceState>,
    settings: &Settings,
    previous: Option<Arc<Generation>>,
    resource_version: i64,
) -> Generation {
    Generation::build(
        document,
        sources,
        &settings.schema,
        previous.as_deref(),
        resource_version,
    )
}

/// Lets a generation go once its last request has ended, and not by that request: freeing a large model takes
/// milliseconds.
fn retire(generation: Arc<Generation>) {
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    runtime.spawn(async move {
        while Arc::strong_count(&generation) > 1 {
            tokio::time::sleep(RETIREMENT).await;
        }
        // Catalogs that others have are not freed with it.
        let mut catalogs = generation
            .sources
            .values()
            .filter_map(|source| source.catalog.as_ref());
        let is_little = Urgency::of_document(&generation.document) == Urgency::Little;
        if is_little && catalogs.all(|catalog| Arc::strong_count(catalog) > 1) {
            return;
        }
        // Only waited for so that the task ends after the work.
        let free = move || aside(Urgency::Gentle, || drop(generation));
        let _ = tokio::task::spawn_blocking(free).await;
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{command_line, reader};

    #[test]
    fn pods_share_what_all_may_have() {
        let line = ["rowlock", "serve", "--origin=configmap:none", "--instances=2"];
        let matches = command_line::command().try_get_matches_from(line).unwrap();
        let own = Environment::from_iter([("HASURA_GRAPHQL_ADMIN_SECRET".to_owned(), "x".to_owned())]);
        let settings = reader::read(&matches, &own).unwrap();
        let instances = |told: &str| {
            let secret = own.with([(INSTANCES.to_owned(), told.to_owned())]);
            surroundings(&settings, &secret.guarded()).pool.instances
        };
        assert_eq!(
            surroundings(&settings, &own).pool.instances,
            2,
            "as it was started"
        );
        assert_eq!(instances("5"), 5);
        assert_eq!(instances("0"), 1);
        assert_eq!(instances("many"), 2);
    }
}
