//! Whose statuses are to be looked at, and when. One that cannot be written holds up no other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use compile::ObjectKey;

use crate::retry::Pauses;

/// The objects whose statuses may be wrong.
#[derive(Debug, Default)]
pub(super) struct Queue {
    dirty: BTreeSet<ObjectKey>,
    /// Two writes of one status at a time would be a race.
    running: HashSet<ObjectKey>,
    /// The pauses of what failed, and when it is tried again.
    failed: HashMap<ObjectKey, (Pauses, Instant)>,
    /// What failed, by when it is tried again: each once.
    later: BTreeSet<(Instant, ObjectKey)>,
}

impl Queue {
    /// Nobody writes, as it was broken off: what was being looked at is to be looked at again.
    pub(super) fn begin(&mut self) {
        self.dirty.extend(self.running.drain());
    }

    /// These may be wrong.
    pub(super) fn add(&mut self, keys: impl IntoIterator<Item = ObjectKey>) {
        self.dirty.extend(keys);
    }

    /// The next to look at. It is looked at once at a time.
    pub(super) fn take(&mut self, now: Instant) -> Option<ObjectKey> {
        while self.later.first().is_some_and(|(due, _)| *due <= now) {
            self.dirty.extend(self.later.pop_first().map(|(_, key)| key));
        }
        let key = self
            .dirty
            .iter()
            .find(|key| !self.running.contains(*key))?
            .clone();
        self.dirty.remove(&key);
        self.running.insert(key.clone());
        Some(key)
    }

    /// It was looked at; `again`: what failed may succeed later.
    pub(super) fn done(&mut self, key: ObjectKey, again: bool, now: Instant) {
        self.running.remove(&key);
        let failed = self.failed.remove(&key);
        let mut pauses = Pauses::default();
        let mut left = None;
        if let Some((before, due)) = failed {
            self.later.remove(&(due, key.clone()));
            pauses = before;
            left = Some(due.saturating_duration_since(now)).filter(|left| !left.is_zero());
        }
        if again {
            // What was tried before its time does not make the next time later.
            let due = now + left.unwrap_or_else(|| pauses.pause());
            self.failed.insert(key.clone(), (pauses, due));
            self.later.insert((due, key));
        }
    }

    /// How long until what failed is tried again.
    pub(super) fn next(&self, now: Instant) -> Option<Duration> {
        let (due, _) = self.later.first()?;
        Some(due.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crd::Kind;

    fn key(name: &str) -> ObjectKey {
        ObjectKey {
            kind: Kind::Table,
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn what_fails_comes_back_later_and_holds_up_nothing() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.add([key("a"), key("b")]);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.done(key("a"), true, now);
        assert_eq!(queue.take(now), Some(key("b")), "b is not held up");
        assert_eq!(queue.take(now), None);
        let first = queue.next(now).expect("a waits");
        let mut at = now + first;
        assert_eq!(queue.take(at), Some(key("a")));
        queue.done(key("a"), true, at);
        let second = queue.next(at).expect("a waits again");
        assert!(second > first, "pauses grow");
        at += second;
        assert_eq!(queue.take(at), Some(key("a")));
        queue.done(key("a"), false, at);
        assert_eq!(queue.next(at), None);
    }

    /// Whoever looks at it meanwhile does not make it be tried more often, or later.
    #[test]
    fn what_fails_again_and_again_waits_once() {
        let mut queue = Queue::default();
        let now = Instant::now();
        let mut next = None;
        for _ in 0..3 {
            queue.add([key("a")]);
            assert_eq!(queue.take(now), Some(key("a")));
            queue.done(key("a"), true, now);
            assert_eq!(queue.next(now), *next.get_or_insert(queue.next(now)));
        }
        assert_eq!(queue.later.len(), 1);
        queue.add([key("a")]);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.done(key("a"), false, now);
        assert!(queue.later.is_empty() && queue.failed.is_empty());
    }

    /// Who leads no more drops what it was writing; when it leads again, that is looked at again.
    #[test]
    fn what_was_broken_off_is_looked_at_again() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.add([key("a")]);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.begin();
        assert_eq!(queue.take(now), Some(key("a")));
    }

    #[test]
    fn one_status_is_written_once_at_a_time() {
        let mut queue = Queue::default();
        let now = Instant::now();
        queue.add([key("a")]);
        assert_eq!(queue.take(now), Some(key("a")));
        queue.add([key("a")]);
        assert_eq!(queue.take(now), None, "it is being written");
        queue.done(key("a"), false, now);
        assert_eq!(queue.take(now), Some(key("a")), "and looked at again after that");
    }
}
