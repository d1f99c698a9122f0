//! Writes statuses that differ, a bounded number at a time, and events about what went wrong.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::{Object, ObjectKey};
use crd::status::{Condition, ConditionStatus, ConditionType, Reason};
use futures_util::StreamExt;
use futures_util::stream;
use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use tokio::sync::Notify;

use crate::apply::MANAGER;
use crate::event::Events;
use crate::observe::{Event, Observer, now};
use crate::resource::{api, custom};
use crate::retry;
use crate::verdicts::{Facts, Verdicts, is_stalled};
use crate::world::{Status, World};

/// Status writes at a time.
const AT_A_TIME: usize = 16;

/// How long to wait before a write that failed is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// How long an object must be refused before waiting is said not to help: what it names may come in the same commit,
/// Secrets from elsewhere, and pods tell the operator of a migration within seconds.
fn patience(reason: Reason) -> Duration {
    match reason {
        Reason::Invalid | Reason::NotSupported => Duration::ZERO,
        Reason::Refused | Reason::Duplicate => Duration::from_secs(6),
        _ => Duration::from_secs(60),
    }
}

/// An object that is refused.
#[derive(Debug)]
struct Refusal {
    generation: i64,
    reason: Reason,
    since: Instant,
    stands: bool,
}

impl Refusal {
    /// How long until it stands.
    fn left(&self) -> Duration {
        patience(self.reason).saturating_sub(self.since.elapsed())
    }
}

/// Gathers verdicts and writes statuses.
#[derive(Debug)]
pub struct Reporter {
    verdicts: Mutex<Verdicts>,
    dirty: Mutex<BTreeSet<ObjectKey>>,
    refused: Mutex<HashMap<ObjectKey, Refusal>>,
    notify: Notify,
}

impl Default for Reporter {
    fn default() -> Self {
        Self {
            verdicts: Mutex::default(),
            dirty: Mutex::default(),
            refused: Mutex::default(),
            notify: Notify::new(),
        }
    }
}

impl Reporter {
    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dirty(&self) -> MutexGuard<'_, BTreeSet<ObjectKey>> {
        self.dirty.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<ObjectKey, Refusal>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the object is refused and stays so: at once where its own words are wrong, else after a while.
    fn stands(&self, object: &Object, known: &Status, selected: &[ObjectKey]) -> bool {
        let reason = self.verdicts().refusal(object, selected);
        let mut refused = self.refused();
        let Some(reason) = reason else {
            refused.remove(&object.key);
            return false;
        };
        let fresh = || Refusal {
            generation: object.generation,
            reason,
            since: Instant::now(),
            stands: false,
        };
        let entry = refused.entry(object.key.clone()).or_insert_with(fresh);
        if (entry.generation, entry.reason) != (object.generation, reason) {
            *entry = fresh();
        }
        // Or another operator said so before this one began.
        entry.stands |= entry.left().is_zero() || is_stalled(known, object.generation);
        entry.stands
    }

    /// When the next refusal stands.
    fn next_due(&self) -> Option<Duration> {
        let refused = self.refused();
        let waiting = refused.values().filter(|refusal| !refusal.stands);
        waiting.map(Refusal::left).min()
    }

    fn look_at_due(&self) {
        let due: Vec<ObjectKey> = self
            .refused()
            .iter()
            .filter(|(_, refusal)| !refusal.stands && refusal.left().is_zero())
            .map(|(key, _)| key.clone())
            .collect();
        self.look_at(due);
    }

    /// The statuses of these objects may be wrong.
    pub fn look_at(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        self.dirty().extend(keys);
        self.notify.notify_one();
    }

    /// Takes what an engine makes of all its objects.
    pub fn set(&self, engine: &ObjectKey, conditions: Vec<(ObjectKey, Vec<Condition>)>, facts: Facts) {
        let changed = self.verdicts().set(engine, conditions, Some(facts));
        self.look_at(changed);
    }

    /// The engine is gone.
    pub fn forget(&self, engine: &ObjectKey) {
        let changed = self.verdicts().forget(engine);
        self.look_at(changed);
    }

    /// Writes statuses for ever.
    pub async fn run(&self, client: &Client, world: &World, events: &Events, observer: &Observer) {
        loop {
            let due = self.next_due();
            tokio::select! {
                () = self.notify.notified() => {}
                () = tokio::time::sleep(due.unwrap_or(Duration::MAX)), if due.is_some() => self.look_at_due(),
            }
            let keys = std::mem::take(&mut *self.dirty());
            let failed = stream::iter(keys)
                .map(|key| async move {
                    let again = self.write(client, world, events, observer, &key).await;
                    again.then_some(key)
                })
                .buffer_unordered(AT_A_TIME)
                .filter_map(std::future::ready)
                .collect::<Vec<_>>()
                .await;
            if !failed.is_empty() {
                tokio::time::sleep(PAUSE).await;
                self.look_at(failed);
            }
        }
    }

    /// Writes the status of an object if it is not right; gives whether to try again.
    async fn write(
        &self,
        client: &Client,
        world: &World,
        events: &Events,
        observer: &Observer,
        key: &ObjectKey,
    ) -> bool {
        let Some((object, known)) = world.get(key) else {
            self.refused().remove(key);
            return false;
        };
        let selected = world.engines_of(&[&object]);
        let stalled = self.stands(&object, &known, &selected);
        let made = self
            .verdicts()
            .status(&object, &known, &selected, stalled, &now());
        let Some(status) = made else {
            return false;
        };
        let body = match &status {
            Status::Object(status) => json!({"status": status}),
            Status::Engine(status) => json!({"status": status}),
            Status::None => return false,
        };
        let objects = api(client, Some(&key.namespace), &custom(key.kind));
        let parameters = PatchParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match objects
            .patch_status(&key.name, &parameters, &Patch::Merge(&body))
            .await
        {
            Ok(_) => {
                observer.emit(&Event::StatusWritten);
                events.of_change(&object, &known, &status).await;
                world.set_status(key, status);
                false
            }
            // Deleted in the meantime.
            Err(error) if retry::code(&error) == 404 => false,
            Err(error) => {
                let again = retry::may_succeed(&error);
                observer.emit(&Event::StatusFailed {
                    object: key,
                    message: retry::message(&error),
                });
                again
            }
        }
    }
}

/// Whether a status says that the object is accepted by every engine; the first condition that does not.
pub fn not_accepted(status: &Status) -> Option<&Condition> {
    let conditions: Vec<&Condition> = match status {
        Status::None => Vec::new(),
        Status::Engine(status) => status.conditions.iter().flatten().collect(),
        Status::Object(status) => {
            let engines = status.engines.iter().flatten();
            engines.flat_map(|engine| &engine.conditions).collect()
        }
    };
    conditions.into_iter().find(|condition| {
        condition.kind == ConditionType::Accepted && condition.status == ConditionStatus::False
    })
}

/// Shared by those who report.
pub type Shared = Arc<Reporter>;
