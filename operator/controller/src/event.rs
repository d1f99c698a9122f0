//! Kubernetes Events: what a person looks for first with `kubectl describe`. Only what went wrong and what came right
//! again, each once, and not more than a few a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use compile::Object;
use crd::status::Condition;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event as KubernetesEvent, EventType, Recorder, Reporter};
use tokio::sync::mpsc;

use crate::apply::MANAGER;
use crate::observe::{Event, Observer};
use crate::report::not_accepted;
use crate::world::Status;

/// Events at once, before the rate holds.
const BURST: f64 = 50.0;
/// Events a second after that.
const RATE: f64 = 5.0;
/// Characters of a note: what the API server takes.
const MOST_NOTE: usize = 1_000;
/// Events that wait to be written, at most.
const WAITING: usize = 256;
/// How long the API server may take for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes events and writes them behind: nothing waits for them.
#[derive(Debug)]
pub struct Events {
    queue: mpsc::Sender<(KubernetesEvent, ObjectReference)>,
    observer: Observer,
    bucket: Mutex<Bucket>,
}

impl Events {
    /// In the name of an instance; what comes out is to be run beside.
    pub fn new(
        client: Client,
        identity: &str,
        observer: Observer,
    ) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let reporter = Reporter {
            controller: MANAGER.to_owned(),
            instance: Some(identity.to_owned()),
        };
        let recorder = Recorder::new(client, reporter);
        let (queue, mut queued) = mpsc::channel::<(KubernetesEvent, ObjectReference)>(WAITING);
        let behind = observer.clone();
        let writing = async move {
            while let Some((event, reference)) = queued.recv().await {
                let written = tokio::time::timeout(PATIENCE, recorder.publish(&event, &reference));
                if !matches!(written.await, Ok(Ok(()))) {
                    behind.emit(&Event::EventDropped);
                }
            }
        };
        let events = Self {
            queue,
            observer,
            bucket: Mutex::new(Bucket::full(Instant::now())),
        };
        (events, writing)
    }

    /// The status of an object has changed.
    pub fn of_change(&self, object: &Object, before: &Status, after: &Status) {
        if let Some((kind, reason, note)) = told(before, after) {
            self.write(object, kind, &reason, note, None);
        }
    }

    /// An engine's child was changed or deleted by somebody else, and is as it was.
    pub fn of_restored(&self, engine: &Object, kind: &str, name: &str) {
        let child = ObjectReference {
            kind: Some(kind.to_owned()),
            namespace: Some(engine.key.namespace.clone()),
            name: Some(name.to_owned()),
            ..ObjectReference::default()
        };
        let note = format!("{kind} {name} was changed or deleted by somebody else and is as it was");
        // Events that differ in their notes alone would be counted as one: the child makes them different.
        self.write(engine, EventType::Normal, "Restored", &note, Some(child));
    }

    /// An event about an object, to be written soon. One that cannot be is counted and forgotten.
    fn write(
        &self,
        object: &Object,
        kind: EventType,
        reason: &str,
        note: &str,
        secondary: Option<ObjectReference>,
    ) {
        let allowed = self
            .bucket
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(Instant::now());
        let reference = ObjectReference {
            api_version: Some(crd::API_VERSION.to_owned()),
            kind: Some(object.key.kind.as_str().to_owned()),
            namespace: Some(object.key.namespace.clone()),
            name: Some(object.key.name.clone()),
            uid: Some(object.uid.clone()),
            ..ObjectReference::default()
        };
        let event = KubernetesEvent {
            type_: kind,
            reason: reason.to_owned(),
            note: Some(note.chars().take(MOST_NOTE).collect()),
            action: "Reconcile".to_owned(),
            secondary,
        };
        if !allowed || self.queue.try_send((event, reference)).is_err() {
            self.observer.emit(&Event::EventDropped);
        }
    }
}

/// What is told of a status that changed. Whether pods serve an earlier form meanwhile is no news: it comes and goes with
/// them, for all objects at once.
fn told<'s>(before: &Status, after: &'s Status) -> Option<(EventType, String, &'s str)> {
    let fault = |condition: &'_ Condition| (condition.reason, compile::fault(&condition.message).to_owned());
    let was = not_accepted(before);
    match not_accepted(after) {
        Some(condition) if was.map(fault) != Some(fault(condition)) => {
            let reason = format!("{:?}", condition.reason);
            Some((EventType::Warning, reason, &condition.message))
        }
        None if was.is_some() => {
            let note = "valid, and its references resolve";
            Some((EventType::Normal, "Accepted".to_owned(), note))
        }
        _ => None,
    }
}

/// A token bucket.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self {
            tokens: BURST,
            at: now,
        }
    }

    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * RATE).min(BURST);
        self.at = now;
        let allowed = self.tokens >= 1.0;
        if allowed {
            self.tokens -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_to_the_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::full(start);
        assert_eq!((0..100).filter(|_| bucket.take(start)).count(), 50);
        let later = start + Duration::from_secs(2);
        assert_eq!((0..100).filter(|_| bucket.take(later)).count(), 10);
    }
    /// The last form is served or not as pods come and go.
    #[test]
    fn only_another_fault_is_told() {
        let refused = |message: &str| {
            let status = serde_json::json!({"engines": [{"namespace": "n", "name": "e", "conditions": [{
                "type": "Accepted", "status": "False", "reason": "Invalid", "message": message,
                "observedGeneration": 2, "lastTransitionTime": "2026-01-01T00:00:00Z",
            }]}]});
            Status::Object(serde_json::from_value(status).expect("a status"))
        };
        let wrong = "spec.x: wrong.";
        let alone = refused(wrong);
        let served = refused(&format!("{wrong} The form of generation 1 goes on being served."));
        let kinds =
            |before: &Status, after: &Status| told(before, after).map(|(kind, reason, _)| (kind, reason));
        let warning = Some((EventType::Warning, "Invalid".to_owned()));
        assert_eq!(kinds(&Status::None, &served), warning);
        assert_eq!(kinds(&served, &alone), None);
        assert_eq!(kinds(&alone, &served), None);
        assert_eq!(kinds(&served, &refused("spec.x: wrong too.")), warning);
        assert_eq!(
            kinds(&served, &Status::None),
            Some((EventType::Normal, "Accepted".to_owned()))
        );
    }
}
