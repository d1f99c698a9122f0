//! What makes a new generation without a command of this process: documents stored by other instances, DDL made
//! elsewhere, sources that come back, files that change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use metadata::Document;
use schema::problem::Problem;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::{StartError, State, build, introspect, open_sources, parse, refresh_enum_values};
use crate::admin::report::is_unsupported;
use crate::generation::aside::{Urgency, aside};
use crate::generation::source_state::describe;
use crate::generation::{Generation, Provenance, SourceState};
use crate::observe::log::Level;
use crate::observe::{Event, Health};
use crate::settings::Origin;

/// How often each source's catalog fingerprint is read.
const FINGERPRINT_INTERVAL: Duration = Duration::from_secs(5);

/// How long reading one may take.
const FINGERPRINT_PATIENCE: Duration = Duration::from_secs(30);

impl State {
    /// Starts the background work, until `stop`.
    ///
    /// # Errors
    /// The Kubernetes API is needed and there is no way to it.
    pub async fn spawn_followers(self: &Arc<Self>, stop: &watch::Receiver<bool>) -> Result<(), StartError> {
        let secret = &self.settings.secrets.name;
        if matches!(self.settings.origin, Origin::ConfigMap(_)) || secret.is_some() {
            let connection = kubernetes::Connection::infer().await?;
            if let Some(name) = secret.clone() {
                let following =
                    super::secret::follow(Arc::clone(self), connection.clone(), name, stop.clone());
                tokio::spawn(following);
            }
            if let Origin::ConfigMap(name) = &self.settings.origin {
                let (state, name) = (Arc::clone(self), name.clone());
                tokio::spawn(super::delivered::follow(state, connection, name, stop.clone()));
            }
        }
        if let (Origin::Catalog, Some(interval)) = (&self.settings.origin, self.settings.schema_sync_interval)
        {
            tokio::spawn(follow_store(Arc::clone(self), interval, stop.clone()));
        }
        if let Origin::Directory(folder) = &self.settings.origin {
            tokio::spawn(super::folder::follow(
                Arc::clone(self),
                folder.clone(),
                stop.clone(),
            ));
        }
        // A Secret that is watched by name comes sooner than its files; the origin `directory` has variables of its own.
        if let (None, Some(folder)) = (secret, &self.settings.secrets.folder)
            && !matches!(self.settings.origin, Origin::Directory(_))
        {
            tokio::spawn(super::mounted::follow(
                Arc::clone(self),
                folder.clone(),
                stop.clone(),
            ));
        }
        self.authenticator().follow_keys();
        if let Some(counters) = &self.counters {
            let observer = self.observer.clone();
            let report = move |standing: &rate::Standing| observer.emit(Event::RateStore(standing));
            tokio::spawn(Arc::clone(counters).follow(report, stop.clone()));
        }
        tokio::spawn(follow_catalogs(Arc::clone(self), stop.clone()));
        tokio::spawn(super::health::run_checks(Arc::clone(self), stop.clone()));
        Ok(())
    }

    /// Reads the stored document if it is not the present one. For one who holds the writer's lock.
    ///
    /// # Errors
    /// What the storage or the document says.
    pub async fn refresh_from_store(&self) -> Result<(), StartError> {
        let Some(store) = self.store() else { return Ok(()) };
        let mine = self.current().resource_version;
        if store.resource_version().await? == mine {
            return Ok(());
        }
        let stored = store.metadata().await?;
        let document = match &stored.metadata {
            Some(text) => aside(Urgency::Gentle, || parse(text))?,
            None => Document::default(),
        };
        let notification = store.notification_after(mine, self.instance_id).await?;
        let reloaded = notification.map_or_else(BTreeSet::new, |notification| {
            changed_sources(&notification.notification)
        });
        self.adopt(document, stored.resource_version, &reloaded, Arc::default())
            .await;
        self.observer.emit(Event::SchemaSync {
            level: Level::Info,
            thread: "processor",
            info: json!({"message": "schema cache reloaded", "resource_version": stored.resource_version}),
        });
        Ok(())
    }

    /// Serves a document that came from outside. Sources that are new, changed or `reloaded` are introspected.
    pub(super) async fn adopt(
        &self,
        document: Document,
        resource_version: i64,
        reloaded: &BTreeSet<String>,
        provenance: Arc<Provenance>,
    ) {
        let next = self.next(document, resource_version, reloaded, provenance).await;
        self.swap(next);
    }

    /// What [`Self::adopt`] serves, before it does.
    pub(super) async fn next(
        &self,
        document: Document,
        resource_version: i64,
        reloaded: &BTreeSet<String>,
        provenance: Arc<Provenance>,
    ) -> Generation {
        let current = self.current();
        let document = Arc::new(document);
        let environment = self.environment();
        let mut sources = open_sources(&document, &self.settings, &environment, Some(&current.sources));
        introspect(&document, &mut sources, |name, state| {
            state.catalog.is_none() || reloaded.contains(name)
        })
        .await;
        refresh_enum_values(&document, &mut sources).await;
        keep_what_answers(&mut sources, &current.sources);
        let next = build(document, sources, &self.settings, Some(current), resource_version).await;
        next.made_of(provenance)
    }

    /// Looks into the databases where something does not fit: they may have changed since their catalogs were read.
    pub(super) async fn look_again(&self) {
        if self.current().problems.iter().any(may_be_outdated) {
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
    /// trouble.
    pub(super) async fn refresh_catalogs(&self) {
        let current = self.current();
        let environment = self.environment();
        let reopened = open_sources(
            &current.document,
            &self.settings,
            &environment,
            Some(&current.sources),
        );
        let mut changed = BTreeSet::new();
        for (name, state) in &reopened {
            // A new address counts when it answers.
            let look = self.has_drifted(name, state);
            if tokio::time::timeout(FINGERPRINT_PATIENCE, look)
                .await
                .unwrap_or(false)
            {
                changed.insert(name.clone());
            }
        }
        if changed.is_empty() {
            return;
        }
        let _writer = self.lock().await;
        let current = self.current();
        let mut sources = open_sources(
            &current.document,
            &self.settings,
            &environment,
            Some(&current.sources),
        );
        introspect(&current.document, &mut sources, |name, _| changed.contains(name)).await;
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
        let Some(database) = &state.database else {
            self.found(name, Health::Error, state.trouble.clone());
            return false;
        };
        let fingerprint = match database.fingerprint().await {
            Ok(fingerprint) => {
                self.found(name, Health::Ok, None);
                fingerprint
            }
            Err(error) => {
                self.found(name, Health::Error, Some(describe(&error)));
                return false;
            }
        };
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

    pub(super) fn trouble(&self, thread: &'static str, message: &str) {
        let info = json!({ "message": message });
        self.observer.emit(Event::SchemaSync {
            level: Level::Error,
            thread,
            info,
        });
    }
}

/// A source whose new address does not answer goes on with the old one, if that was good: it is tried again at every
/// look at the catalogs.
fn keep_what_answers(sources: &mut BTreeMap<String, SourceState>, before: &BTreeMap<String, SourceState>) {
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

/// Whether a look into the database may make the problem go away.
fn may_be_outdated(problem: &Problem) -> bool {
    !matches!(problem, Problem::Setting { .. }) && !is_unsupported(problem)
}

/// Names under `sources` of a notification.
fn changed_sources(notification: &str) -> BTreeSet<String> {
    serde_json::from_str::<Value>(notification)
        .ok()
        .and_then(|value| {
            let names = value.get("sources")?.as_array()?;
            Some(
                names
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            )
        })
        .unwrap_or_default()
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn follow_store(state: Arc<State>, every: Duration, mut stop: watch::Receiver<bool>) {
    let mut ticks = ticks(every);
    let mut last = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        let _writer = state.lock().await;
        let trouble = state
            .refresh_from_store()
            .await
            .err()
            .map(|error| describe(&error));
        // Said once, not every second.
        if let Some(message) = trouble.as_deref().filter(|_| trouble != last) {
            state.trouble("listener", message);
        }
        last = trouble;
    }
}

async fn follow_catalogs(state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let mut ticks = ticks(FINGERPRINT_INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        state.refresh_catalogs().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_name_sources() {
        let names = changed_sources(r#"{"metadata":true,"sources":["a","b"],"remote_schemas":[]}"#);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(changed_sources("nonsense").is_empty());
    }
}
