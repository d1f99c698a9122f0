//! Writes statuses that differ, a bounded number at a time, and events about what went wrong.

mod pace;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::{Object, ObjectKey};
use crd::Kind;
use crd::status::{Condition, ConditionStatus, ConditionType, Reason};
use futures_util::StreamExt;
use futures_util::stream;
use kube::Client;
use kube::api::{Patch, PatchParams};
use pace::Pace;
use serde_json::json;
use tokio::sync::Notify;

use crate::apply::MANAGER;
use crate::deliver::Judged;
use crate::event::Events;
use crate::observe::{Event, Observer, now};
use crate::resource::{api, custom};
use crate::retry;
use crate::verdicts::{Facts, Verdicts, stalled_by};
use crate::world::{Status, World};

/// Status writes at a time.
const AT_A_TIME: usize = 16;

/// How long to wait before a write that failed is tried again.
const PAUSE: Duration = Duration::from_secs(2);

/// How long pods may take to switch before it is told that they have not: nearly every change is over by then, and its two
/// statuses are one. Who waits for a form of an object looks at the generation that a status is about.
const SWITCH: Duration = Duration::from_millis(400);

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
#[derive(Debug, Default)]
pub struct Reporter {
    verdicts: Mutex<Verdicts>,
    dirty: Mutex<BTreeSet<ObjectKey>>,
    refused: Mutex<HashMap<ObjectKey, Refusal>>,
    /// Objects that some pod does not serve yet, which was not told, and since when.
    switching: Mutex<HashMap<ObjectKey, Instant>>,
    pace: Mutex<Pace>,
    notify: Notify,
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

    fn switching(&self) -> MutexGuard<'_, HashMap<ObjectKey, Instant>> {
        self.switching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this status is better told later: pods are about to serve the object, and nothing else is known of it.
    fn is_early(&self, key: &ObjectKey, status: &Status, now: Instant) -> bool {
        let mut switching = self.switching();
        if !is_pending(status) {
            switching.remove(key);
            return false;
        }
        let since = *switching.entry(key.clone()).or_insert(now);
        now.duration_since(since) < SWITCH
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
        entry.stands |= entry.left().is_zero() || stalled_by(known, object.generation) == Some(reason);
        entry.stands
    }

    /// When the next refusal stands, a switch takes long, or what could wait is due.
    fn next_due(&self) -> Option<Duration> {
        let refused = self.refused();
        let waiting = refused.values().filter(|refusal| !refusal.stands);
        let refusal = waiting.map(Refusal::left).min();
        let switching = self.switching();
        let left = |since: &Instant| SWITCH.saturating_sub(since.elapsed());
        // Those that are told already are over when their status is another.
        let switch = switching.values().map(left).filter(|left| !left.is_zero()).min();
        let paced = self.pace().next(Instant::now());
        refusal.into_iter().chain(switch).chain(paced).min()
    }

    fn look_at_due(&self) {
        let due: Vec<ObjectKey> = self
            .refused()
            .iter()
            .filter(|(_, refusal)| !refusal.stands && refusal.left().is_zero())
            .map(|(key, _)| key.clone())
            .collect();
        self.look_at(due);
        let switching: Vec<ObjectKey> = self
            .switching()
            .iter()
            .filter(|(_, since)| since.elapsed() >= SWITCH)
            .map(|(key, _)| key.clone())
            .collect();
        self.look_at(switching);
        let paced = self.pace().due(Instant::now());
        self.look_at(paced);
    }

    /// The statuses of these objects may be wrong.
    pub fn look_at(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        self.dirty().extend(keys);
        self.notify.notify_one();
    }

    /// Takes what an engine makes of all its objects.
    pub fn set(&self, engine: &ObjectKey, judged: Vec<(ObjectKey, Judged)>, facts: Facts) {
        let changed = self.verdicts().set(engine, judged, Some(facts));
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
            self.switching().remove(key);
            self.pace().forget(key);
            return false;
        };
        let selected = world.engines_of(&[&object]);
        let stalled = self.stands(&object, &known, &selected);
        let made = self
            .verdicts()
            .status(&object, &known, &selected, stalled, &now());
        let Some(status) = made else {
            self.switching().remove(key);
            return false;
        };
        let begin = Instant::now();
        if self.is_early(key, &status, begin) || self.pace().holds_back(key, &known, &status, begin) {
            return false;
        }
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
                if key.kind == Kind::Engine {
                    self.pace().written(key, Instant::now());
                }
                events.of_change(&object, &known, &status).await;
                world.set_status(&object, status);
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

/// Whether a status says that the object is good, and that pods do not serve it yet.
fn is_pending(status: &Status) -> bool {
    let conditions = match status {
        Status::None => &None,
        Status::Engine(status) => &status.conditions,
        Status::Object(status) => &status.conditions,
    };
    let mut conditions = conditions.iter().flatten();
    conditions.any(|one| one.kind == ConditionType::Ready && one.reason == Reason::Pending)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, name: &str) -> ObjectKey {
        ObjectKey {
            kind,
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    fn table() -> Object {
        Object {
            key: key(Kind::Table, "t"),
            uid: "t".to_owned(),
            generation: 2,
            created: String::new(),
            labels: std::collections::BTreeMap::new(),
            spec: json!({}).into(),
        }
    }

    /// What an engine says of the table.
    fn said(reason: Reason) -> Vec<(ObjectKey, Judged)> {
        let table = table();
        let condition = Condition {
            kind: ConditionType::Accepted,
            status: ConditionStatus::False,
            reason,
            message: "no".to_owned(),
            observed_generation: table.generation,
            last_transition_time: String::new(),
        };
        let judged = Judged {
            uid: table.uid,
            conditions: vec![condition],
        };
        vec![(table.key, judged)]
    }

    /// What was hopeless for one reason is not for another: the Secret may come.
    #[test]
    fn another_reason_begins_anew() {
        let (table, engine) = (table(), key(Kind::Engine, "e"));
        let reporter = Reporter::default();
        let selected = std::slice::from_ref(&engine);
        reporter.set(&engine, said(Reason::Refused), Facts::default());
        // As an operator wrote it before this one began.
        let made = reporter
            .verdicts()
            .status(&table, &Status::None, selected, true, "1");
        let known = made.expect("a status");
        assert!(reporter.stands(&table, &known, selected));
        reporter.set(&engine, said(Reason::RefNotResolved), Facts::default());
        assert!(!reporter.stands(&table, &known, selected));
    }

    #[test]
    fn a_switch_is_told_when_it_takes_long() {
        let (table, engine) = (table(), key(Kind::Engine, "e"));
        let reporter = Reporter::default();
        let status = |reason| {
            reporter.set(&engine, said(reason), Facts::default());
            let selected = std::slice::from_ref(&engine);
            let made = reporter
                .verdicts()
                .status(&table, &Status::None, selected, false, "1");
            made.expect("a status")
        };
        let (pending, refused) = (status(Reason::Pending), status(Reason::Refused));
        let began = Instant::now();
        assert!(!reporter.is_early(&table.key, &refused, began));
        assert_eq!(reporter.next_due(), None);
        assert!(reporter.is_early(&table.key, &pending, began));
        assert!(reporter.next_due().is_some_and(|due| due <= SWITCH));
        assert!(reporter.is_early(&table.key, &pending, began + SWITCH / 2));
        assert!(!reporter.is_early(&table.key, &pending, began + SWITCH));
        // Another state ends it, and the next switch has its own time.
        assert!(!reporter.is_early(&table.key, &refused, began + SWITCH));
        assert!(reporter.is_early(&table.key, &pending, began + SWITCH));
    }
}
