//! A table of fixed size, in which each key has one of a few places: looking one up takes the same few steps however many
//! keys there are, nothing is ever moved or swept, and memory has a bound.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Places that a key can have.
const WAYS: usize = 16;
/// Buckets that are locked together.
const BUCKETS: usize = 64;
/// Locks.
const SHARDS: usize = 1024;

/// What is known of one key: 24 bytes, of which there are 1,048,576 at most.
#[derive(Debug, Clone, Copy)]
struct Slot {
    key: [u8; 16],
    /// A time; 0 is a free slot.
    until: u64,
}

const FREE: Slot = Slot {
    key: [0; 16],
    until: 0,
};

/// Times by key. A key without a place takes the one whose time is the earliest: a free one, one whose time has passed,
/// or, if all of its places are in use, that of the client which asked least.
#[derive(Debug)]
pub(crate) struct Table {
    /// Each is made when its first key comes.
    shards: Box<[Mutex<Vec<Slot>>]>,
    #[cfg(test)]
    looked: std::sync::atomic::AtomicUsize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            #[cfg(test)]
            looked: 0.into(),
        }
    }
}

impl Table {
    /// Replaces the time of a key by what `change` makes of it; one that it refuses stays. `change` is told 0 of a key that
    /// is not known.
    pub(crate) fn replace<T, E>(
        &self,
        key: [u8; 16],
        change: impl FnOnce(u64) -> Result<(T, u64), E>,
    ) -> Result<T, E> {
        // Keys are hashes: any of their bytes are as good as others.
        let [low, high, bucket, ..] = key;
        let first = usize::from(bucket) % BUCKETS * WAYS;
        let mut shard = self.shard(usize::from(u16::from_le_bytes([low, high])) % SHARDS);
        if shard.is_empty() {
            shard.resize(BUCKETS * WAYS, FREE);
        }
        let bucket = shard.get_mut(first..first + WAYS).unwrap_or_default();
        #[cfg(test)]
        self.looked
            .fetch_add(bucket.len(), std::sync::atomic::Ordering::Relaxed);
        // The earliest slot, unless one has the key.
        let place = bucket
            .iter_mut()
            .min_by_key(|slot| (slot.until == 0 || slot.key != key, slot.until));
        let known = place
            .as_ref()
            .filter(|slot| slot.key == key)
            .map_or(0, |slot| slot.until);
        let (told, until) = change(known)?;
        if let Some(slot) = place {
            *slot = Slot { key, until };
        }
        Ok(told)
    }

    /// The time of a key, 0 if it is not known.
    pub(crate) fn get(&self, key: [u8; 16]) -> u64 {
        let refused = self.replace(key, Err::<((), u64), u64>);
        refused.err().unwrap_or_default()
    }

    fn shard(&self, at: usize) -> MutexGuard<'_, Vec<Slot>> {
        // The index is below the number of shards, whatever the caller says.
        let shard = &self.shards[at % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::Key;

    fn set(table: &Table, key: [u8; 16], until: u64) -> u64 {
        table.replace(key, |known| Ok::<_, ()>((known, until))).unwrap()
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let table = Table::default();
        let key = Key::new(["a"]).bytes();
        assert_eq!(table.get(key), 0);
        assert_eq!(set(&table, key, 7), 0);
        assert_eq!(table.replace(key, |_| Err::<((), u64), _>("no")), Err("no"));
        assert_eq!(table.get(key), 7);
        assert_eq!(set(&table, key, 9), 7);
        assert_eq!(table.get(Key::new(["b"]).bytes()), 0);
    }

    #[test]
    fn the_earliest_makes_room() {
        let table = Table::default();
        // All in one bucket.
        let key = |last: u8| {
            let mut key = [0; 16];
            key[15] = last;
            key
        };
        for last in 1..=16 {
            set(&table, key(last), 100 + u64::from(last));
        }
        set(&table, key(3), 1000);
        set(&table, key(17), 500);
        assert_eq!(table.get(key(1)), 0, "the earliest is gone");
        for (last, until) in [(2, 102), (3, 1000), (16, 116), (17, 500)] {
            assert_eq!(table.get(key(last)), until);
        }
    }

    /// Steps are counted and not time, which says nothing on a machine that does something else as well.
    #[test]
    fn half_a_million_keys_cost_what_one_does() {
        const KEYS: u64 = 500_000;
        let table = Table::default();
        let hot = Key::new(["hot"]).bytes();
        set(&table, hot, u64::MAX);
        table.looked.store(0, Ordering::Relaxed);
        let mut most = 0;
        for number in 1..=KEYS {
            let before = table.looked.load(Ordering::Relaxed);
            set(&table, Key::new([number.to_string().as_str()]).bytes(), number);
            most = most.max(table.looked.load(Ordering::Relaxed) - before);
        }
        assert_eq!(most, WAYS, "slots looked at for one key");
        assert_eq!(table.get(hot), u64::MAX, "who asks most is remembered");
        let slots: usize = (0..SHARDS).map(|at| table.shard(at).capacity()).sum();
        assert!(slots <= SHARDS * BUCKETS * WAYS, "{slots}");
        let lost = (1..=KEYS)
            .filter(|number| table.get(Key::new([number.to_string().as_str()]).bytes()) != *number)
            .count();
        assert!(lost < 20_000, "{lost} keys of {KEYS} were forgotten");
    }
}
