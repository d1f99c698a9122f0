//! Writes statuses that differ, a bounded number at a time, and events about what went wrong.

mod pace;
mod queue;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::{Object, ObjectKey};
use crd::Kind;
use crd::status::{Condition, ConditionStatus, ConditionType, Reason};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kube::Client;
use pace::Pace;
use queue::Queue;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::apply::MANAGER;
use crate::deliver::Judged;
use crate::event::Events;
use crate::observe::{Event, Observer, now};
use crate::resource::{Resource, api, custom};
use crate::retry;
use crate::verdicts::{Facts, Verdicts, stalled_by};
use crate::world::{Status, World};

/// Status writes at a time.
const AT_A_TIME: usize = 16;
/// How long the API server may take for one.
const PATIENCE: Duration = Duration::from_secs(10);

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
    uid: String,
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

/// An object that some pod does not serve yet.
#[derive(Debug)]
struct Switch {
    uid: String,
    since: Instant,
}

/// Gathers verdicts and writes statuses.
#[derive(Debug, Default)]
pub struct Reporter {
    verdicts: Mutex<Verdicts>,
    queue: Mutex<Queue>,
    refused: Mutex<HashMap<ObjectKey, Refusal>>,
    /// Of which it was not told.
    switching: Mutex<HashMap<ObjectKey, Switch>>,
    pace: Mutex<Pace>,
    notify: Notify,
}

impl Reporter {
    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self) -> MutexGuard<'_, HashMap<ObjectKey, Refusal>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switching(&self) -> MutexGuard<'_, HashMap<ObjectKey, Switch>> {
        self.switching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this status is better told later: pods are about to serve the object, and nothing else is known of it.
    fn is_early(&self, object: &Object, status: &Status, now: Instant) -> bool {
        let mut switching = self.switching();
        if !is_pending(status) {
            switching.remove(&object.key);
            return false;
        }
        let fresh = || Switch {
            uid: object.uid.clone(),
            since: now,
        };
        let switch = switching.entry(object.key.clone()).or_insert_with(fresh);
        if switch.uid != object.uid {
            *switch = fresh();
        }
        now.duration_since(switch.since) < SWITCH
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
            uid: object.uid.clone(),
            generation: object.generation,
            reason,
            since: Instant::now(),
            stands: false,
        };
        let entry = refused.entry(object.key.clone()).or_insert_with(fresh);
        if (entry.uid.as_str(), entry.generation, entry.reason) != (&object.uid, object.generation, reason) {
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
        let left = |switch: &Switch| SWITCH.saturating_sub(switch.since.elapsed());
        // Those that are told already are over when their status is another.
        let switch = switching.values().map(left).filter(|left| !left.is_zero()).min();
        let now = Instant::now();
        let paced = self.pace().next(now);
        let failed = self.queue().next(now);
        refusal.into_iter().chain(switch).chain(paced).chain(failed).min()
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
            .filter(|(_, switch)| switch.since.elapsed() >= SWITCH)
            .map(|(key, _)| key.clone())
            .collect();
        self.look_at(switching);
        let paced = self.pace().due(Instant::now());
        self.look_at(paced);
    }

    /// The statuses of these objects may be wrong.
    pub fn look_at(&self, keys: impl IntoIterator<Item = ObjectKey>) {
        self.queue().add(keys);
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
        let mut running = FuturesUnordered::new();
        self.queue().begin();
        loop {
            while running.len() < AT_A_TIME {
                let Some(key) = self.queue().take(Instant::now()) else {
                    break;
                };
                running.push(async move {
                    let again = self.write(client, world, events, observer, &key).await;
                    (key, again)
                });
            }
            let due = self.next_due();
            tokio::select! {
                Some((key, again)) = running.next() => self.queue().done(key, again, Instant::now()),
                () = self.notify.notified() => {}
                () = tokio::time::sleep(due.unwrap_or(Duration::MAX)), if due.is_some() => self.look_at_due(),
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
        // Who may read half a namespace would say half a truth of it.
        if key.kind != Kind::Engine && world.denials.of(&key.namespace).is_some() {
            return false;
        }
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
        if self.is_early(&object, &status, begin) || self.pace().holds_back(key, &known, &status, begin) {
            return false;
        }
        let body = match &status {
            Status::Object(status) => json!(status),
            Status::Engine(status) => json!(status),
            Status::None => return false,
        };
        let written = tokio::time::timeout(PATIENCE, replace(client, &object, &body)).await;
        let Ok(written) = written else {
            observer.emit(&Event::StatusFailed {
                object: key,
                message: format!("the API server did not answer within {} s", PATIENCE.as_secs()),
            });
            return true;
        };
        match written {
            Ok(_) => {
                observer.emit(&Event::StatusWritten);
                if key.kind == Kind::Engine {
                    self.pace().written(key, Instant::now());
                }
                events.of_change(&object, &known, &status);
                world.set_status(&object, status);
                false
            }
            // Deleted in the meantime.
            Err(error) if retry::code(&error) == 404 => false,
            // And made again: its watch tells of it.
            Err(error) if is_of_another(&error) => false,
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

/// Puts a status in the place of the one that is there, if the object is still this one: a successor of the same name
/// is judged by itself. A JSON patch can say so in one request; of a merge patch on a status the API server drops
/// whatever it says of the metadata.
async fn replace(client: &Client, object: &Object, status: &Value) -> Result<Resource, kube::Error> {
    let objects = api(client, Some(&object.key.namespace), &custom(object.key.kind));
    let url = format!(
        "{}/{}/status?fieldManager={MANAGER}",
        objects.resource_url(),
        object.key.name
    );
    let operations = json!([
        {"op": "test", "path": "/metadata/uid", "value": object.uid},
        {"op": "add", "path": "/status", "value": status},
    ]);
    let request = http::Request::patch(url)
        .header("content-type", "application/json-patch+json")
        .header("accept", "application/json")
        .body(operations.to_string().into_bytes())
        .map_err(kube::Error::HttpError)?;
    client.request(request).await
}

/// Whether the patch was meant for another object of the same name. Of a test that fails the API server says no more than
/// that something is wrong; of a status that is, which object's it would be.
fn is_of_another(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else {
        return false;
    };
    let details = status.details.as_ref();
    status.code == 422 && details.is_none_or(|details| details.name.is_empty() && details.causes.is_empty())
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
        assert!(!reporter.is_early(&table, &refused, began));
        assert_eq!(reporter.next_due(), None);
        assert!(reporter.is_early(&table, &pending, began));
        assert!(reporter.next_due().is_some_and(|due| due <= SWITCH));
        assert!(reporter.is_early(&table, &pending, began + SWITCH / 2));
        assert!(!reporter.is_early(&table, &pending, began + SWITCH));
        // Another state ends it, and the next switch has its own time.
        assert!(!reporter.is_early(&table, &refused, began + SWITCH));
        assert!(reporter.is_early(&table, &pending, began + SWITCH));
        // As has another object of this name.
        let successor = Object {
            uid: "another".to_owned(),
            ..table
        };
        assert!(reporter.is_early(&successor, &pending, began + SWITCH * 3));
    }

    /// What was said against an object says nothing against the next of its name.
    #[test]
    fn a_successor_is_not_stalled_by_its_predecessor() {
        let (table, engine) = (table(), key(Kind::Engine, "e"));
        let reporter = Reporter::default();
        let selected = std::slice::from_ref(&engine);
        reporter.set(&engine, said(Reason::Refused), Facts::default());
        assert!(!reporter.stands(&table, &Status::None, selected));
        if let Some(refusal) = reporter.refused().get_mut(&table.key) {
            refusal.stands = true;
        }
        assert!(reporter.stands(&table, &Status::None, selected));
        let successor = Object {
            uid: "another".to_owned(),
            ..table
        };
        let mut of_successor = said(Reason::Refused);
        of_successor[0].1.uid = successor.uid.clone();
        reporter.set(&engine, of_successor, Facts::default());
        assert!(!reporter.stands(&successor, &Status::None, selected));
    }
}
