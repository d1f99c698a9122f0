//! How often an engine's status is written for the sake of what every publication changes: its hash and its number of
//! objects. Who changes a hundred objects one by one would have it written a hundred times, and an API server has more
//! to do for it than pods have with the change itself. Nothing else in a status ever waits for this.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use compile::ObjectKey;
use crd::status::EngineStatus;

use crate::world::Status;

/// How long they may be those of an earlier publication.
const PACE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Last {
    written: Instant,
    /// Something later is to be written.
    waits: bool,
}

/// When the statuses of engines were written last.
#[derive(Debug, Default)]
pub(super) struct Pace {
    engines: HashMap<ObjectKey, Last>,
}

impl Pace {
    /// Whether this status is better written later. Then the engine is among those of [`Self::due`] in time.
    pub(super) fn holds_back(
        &mut self,
        key: &ObjectKey,
        known: &Status,
        status: &Status,
        now: Instant,
    ) -> bool {
        let Some(last) = self.engines.get_mut(key) else {
            return false;
        };
        last.waits = differ_in_publication_alone(known, status) && now.duration_since(last.written) < PACE;
        last.waits
    }

    /// The status of an engine was written.
    pub(super) fn written(&mut self, key: &ObjectKey, now: Instant) {
        let last = Last {
            written: now,
            waits: false,
        };
        self.engines.insert(key.clone(), last);
    }

    /// The engine is gone.
    pub(super) fn forget(&mut self, key: &ObjectKey) {
        self.engines.remove(key);
    }

    /// How long until something is due.
    pub(super) fn next(&self, now: Instant) -> Option<Duration> {
        let waiting = self.engines.values().filter(|last| last.waits);
        waiting
            .map(|last| PACE.saturating_sub(now.duration_since(last.written)))
            .min()
    }

    /// Those that have waited long enough, each once.
    pub(super) fn due(&mut self, now: Instant) -> Vec<ObjectKey> {
        let mut due = Vec::new();
        for (key, last) in &mut self.engines {
            if last.waits && now.duration_since(last.written) >= PACE {
                last.waits = false;
                due.push(key.clone());
            }
        }
        due
    }
}

fn differ_in_publication_alone(known: &Status, status: &Status) -> bool {
    let (Status::Engine(known), Status::Engine(status)) = (known, status) else {
        return false;
    };
    let as_before = EngineStatus {
        generation_hash: known.generation_hash.clone(),
        objects: known.objects,
        ..(**status).clone()
    };
    as_before == **known
}

#[cfg(test)]
mod tests {
    use crd::Kind;

    use super::*;

    fn status(hash: &str, ready: i32) -> Status {
        Status::Engine(Box::new(EngineStatus {
            observed_generation: None,
            conditions: None,
            replicas: None,
            ready_replicas: Some(ready),
            selector: None,
            generation_hash: Some(hash.to_owned()),
            objects: None,
        }))
    }

    #[test]
    fn a_hash_waits_for_others_and_what_people_wait_for_does_not() {
        let key = ObjectKey {
            kind: Kind::Engine,
            namespace: "n".to_owned(),
            name: "e".to_owned(),
        };
        let (mut pace, start) = (Pace::default(), Instant::now());
        let later = |millis: u64| start + Duration::from_millis(millis);
        assert!(
            !pace.holds_back(&key, &status("a", 1), &status("b", 1), start),
            "the first"
        );
        pace.written(&key, start);
        assert!(pace.holds_back(&key, &status("b", 1), &status("c", 1), later(10)));
        assert!(!pace.holds_back(&key, &status("b", 1), &status("c", 2), later(20)));
        assert!(pace.holds_back(&key, &status("b", 1), &status("d", 1), later(30)));
        assert!(
            pace.next(later(30))
                .is_some_and(|next| next <= Duration::from_millis(970))
        );
        assert!(pace.due(later(999)).is_empty());
        assert_eq!(pace.due(later(1000)), std::slice::from_ref(&key));
        assert!(!pace.holds_back(&key, &status("b", 1), &status("d", 1), later(1000)));
        assert!(pace.due(later(2000)).is_empty() && pace.next(later(2000)).is_none());
    }
}
