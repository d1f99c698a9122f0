//! What makes a new generation without a command of this process, and documents stored by other instances.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use metadata::Document;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};

use super::catalogs::keep_what_answers;
use super::enduring::enduring;
use super::{FIRST_PATIENCE, READING, StartError, State, build, open_sources, parse};
use crate::generation::aside::{Urgency, aside};
use crate::generation::source_state::describe;
use crate::generation::{Generation, Provenance, SourceState};
use crate::observe::Event;
use crate::observe::log::Level;
use crate::settings::Origin;

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
                let connection = connection.clone();
                self.begin("following the Secret", stop, move |state, stop| {
                    super::secret::follow(state, connection.clone(), name.clone(), stop)
                });
            }
            if let Origin::ConfigMap(name) = &self.settings.origin {
                let name = name.clone();
                self.begin("following the ConfigMap", stop, move |state, stop| {
                    super::delivered::follow(state, connection.clone(), name.clone(), stop)
                });
            }
        }
        if let (Origin::Catalog, Some(interval)) = (&self.settings.origin, self.settings.schema_sync_interval)
        {
            self.begin("following the metadata database", stop, move |state, stop| {
                follow_store(state, interval, stop)
            });
        }
        if let Origin::Directory(folder) = &self.settings.origin {
            let folder = folder.clone();
            self.begin("following the directory", stop, move |state, stop| {
                super::folder::follow(state, folder.clone(), stop)
            });
        }
        // A Secret that is watched by name comes sooner than its files; the origin `directory` has variables of its own.
        if let (None, Some(folder)) = (secret, &self.settings.secrets.folder)
            && !matches!(self.settings.origin, Origin::Directory(_))
        {
            let folder = folder.clone();
            self.begin("following the folder of secrets", stop, move |state, stop| {
                super::mounted::follow(state, folder.clone(), stop)
            });
        }
        self.authenticator().follow_keys();
        if let Some(counters) = &self.counters {
            let counters = Arc::clone(counters);
            self.begin("following Redis", stop, move |state, stop| {
                let report = move |standing: &rate::Standing| state.observer.emit(Event::RateStore(standing));
                Arc::clone(&counters).follow(report, stop)
            });
        }
        self.begin("following the catalogs", stop, super::catalogs::follow);
        self.begin("health checks", stop, super::health::run_checks);
        Ok(())
    }

    /// Begins work that goes on until `stop`, whatever becomes of it in between.
    fn begin<W: Future<Output = ()> + Send + 'static>(
        self: &Arc<Self>,
        name: &'static str,
        stop: &watch::Receiver<bool>,
        work: impl Fn(Arc<Self>, watch::Receiver<bool>) -> W + Send + Sync + 'static,
    ) {
        let (state, until) = (Arc::clone(self), stop.clone());
        let begin = move || work(Arc::clone(&state), until.clone());
        tokio::spawn(enduring(self.observer.clone(), name, stop.clone(), begin));
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
            Some(text) => aside(Urgency::Gentle, || parse(text, &self.known))?,
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
        self.next_after(self.current(), document, resource_version, reloaded, provenance)
            .await
    }

    /// The same after a generation that may not be served.
    pub(super) async fn next_after(
        &self,
        current: Arc<Generation>,
        document: Document,
        resource_version: i64,
        reloaded: &BTreeSet<String>,
        provenance: Arc<Provenance>,
    ) -> Generation {
        let document = Arc::new(document);
        let environment = self.environment();
        let mut sources = open_sources(&document, &self.settings, &environment, Some(&current.sources));
        let wanted = |name: &str, state: &SourceState| state.catalog.is_none() || reloaded.contains(name);
        let patience = if self.has_document() {
            READING
        } else {
            FIRST_PATIENCE
        };
        self.introspect_what_answers(&document, &mut sources, wanted, patience)
            .await;
        self.refresh_enum_values(&document, &mut sources).await;
        keep_what_answers(&mut sources, &current.sources);
        let next = build(document, sources, &self.settings, Some(current), resource_version).await;
        next.made_of(provenance)
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

pub(super) fn ticks(every: Duration) -> Interval {
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
