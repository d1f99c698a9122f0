//! How the sources are: what the last look at each found, and the checks that their metadata asks for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use metadata::source::HealthCheck;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::State;
use crate::generation::source_state::read_health;
use crate::observe::log::Timestamp;
use crate::observe::{Event, Health};

/// What was found last.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it is.
    pub health: Health,
    /// Why it is not well.
    pub error: Option<String>,
    /// When that was found.
    pub at: SystemTime,
}

impl State {
    /// A look at the source found this. Where the metadata asks for a check of its own, only that counts.
    pub(super) fn found(&self, source: &str, health: Health, error: Option<String>) {
        let current = self.current();
        let known = current.document.sources.get(source);
        if known.is_some_and(|source| source.health_check.is_none()) {
            self.report(source, health, error);
        }
    }

    fn report(&self, source: &str, health: Health, error: Option<String>) {
        let report = Report {
            health,
            error: error.clone(),
            at: SystemTime::now(),
        };
        let before = self.reports().insert(source.to_owned(), report);
        self.has_reached_a_source();
        if before.map(|report| report.error) != Some(error.clone()) {
            self.tell();
        }
        self.observer.emit(Event::SourceHealth {
            source,
            health,
            error,
        });
    }

    /// What was wrong with a source when it was last looked at.
    pub fn trouble_of(&self, source: &str) -> Option<String> {
        let reports = self.reports();
        let report = reports.get(source)?;
        let told = || {
            report
                .error
                .clone()
                .unwrap_or_else(|| report.health.as_str().to_owned())
        };
        (report.health != Health::Ok).then(told)
    }

    /// Whether any source answered since there is a document, or there was none to answer. Once it holds it always does:
    /// an outage is told of by source and takes nobody out of service.
    pub fn has_reached_a_source(&self) -> bool {
        if self.reached.load(Ordering::Acquire) {
            return true;
        }
        let reached = self.has_document() && self.reaches_a_source();
        if reached {
            self.reached.store(true, Ordering::Release);
        }
        reached
    }

    /// Whether any source answered when it was last looked at, or there is none.
    fn reaches_a_source(&self) -> bool {
        let generation = self.current();
        let reports = self.reports();
        generation.sources.is_empty()
            || generation
                .sources
                .iter()
                .any(|(name, source)| match reports.get(name) {
                    Some(report) => report.health == Health::Ok,
                    None => source.trouble.is_none(),
                })
    }
}

/// The check of one source, which ends when this is dropped.
struct Running {
    database: pg::Source,
    check: HealthCheck,
    /// When the next one begins, if this one has ended then. Nothing: in longer than there is time.
    next: Option<Instant>,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    fn begin(state: &Arc<State>, name: &str, database: &pg::Source, check: &HealthCheck) -> Self {
        // Each in a task of its own: a source that hangs must not delay the others.
        let task = run_check(
            Arc::clone(state),
            name.to_owned(),
            database.clone(),
            check.clone(),
        );
        Self {
            database: database.clone(),
            check: check.clone(),
            next: Instant::now().checked_add(Duration::from_secs(check.interval.max(1))),
            task: tokio::spawn(task),
        }
    }

    fn is_of(&self, database: &pg::Source, check: &HealthCheck) -> bool {
        self.database.config() == database.config() && self.check == *check
    }

    fn is_over(&self, now: Instant) -> bool {
        self.task.is_finished() && self.next.is_some_and(|next| next <= now)
    }
}

/// Runs the checks of `sources[].health_check` until `stop`, of each source one at a time.
pub async fn run_checks(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running: BTreeMap<String, Running> = BTreeMap::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let generation = state.current();
        let wanted = |name: &str| {
            let database = generation.sources.get(name)?.database.as_ref()?;
            let source = generation.document.sources.get(name)?;
            Some((database, source.health_check.as_ref()?))
        };
        // What is found in another database, or in another way, says nothing any more.
        running.retain(|name, running| {
            wanted(name).is_some_and(|(database, check)| running.is_of(database, check))
        });
        let now = Instant::now();
        for name in generation.sources.keys() {
            let Some((database, check)) = wanted(name) else {
                continue;
            };
            if running.get(name).is_none_or(|running| running.is_over(now)) {
                running.insert(name.clone(), Running::begin(&state, name, database, check));
            }
        }
    }
}

async fn run_check(state: Arc<State>, name: String, database: pg::Source, check: HealthCheck) {
    let mut attempt = 0;
    loop {
        let found = database
            .check(&check.test.sql, Duration::from_secs(check.timeout.max(1)))
            .await;
        let (health, error) = read_health(found);
        if health == Health::Ok || attempt >= check.retries {
            return state.report(&name, health, error);
        }
        attempt += 1;
        tokio::time::sleep(Duration::from_secs(check.retry_interval)).await;
    }
}

/// `GET /healthz/sources`.
pub fn page(state: &State) -> Value {
    let reports = state.reports().clone();
    let generation = state.current();
    let page: Map<String, Value> = generation
        .sources
        .iter()
        .map(|(name, source)| {
            let found = reports.get(name);
            let health = match found {
                Some(report) => report.health,
                None if source.trouble.is_none() => Health::Ok,
                None => Health::Error,
            };
            let error = found.map_or_else(|| source.trouble.clone(), |report| report.error.clone());
            let at = found.map_or_else(SystemTime::now, |report| report.at);
            let entry = json!({
                "status": health.as_str(),
                "error": error,
                "timestamp": Timestamp(at).to_string(),
            });
            (name.clone(), entry)
        })
        .collect();
    Value::Object(page)
}
