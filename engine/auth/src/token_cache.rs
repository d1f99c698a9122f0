//! Verified tokens, by their whole text: the second use of a token costs a look-up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::claims::Claims;

/// Bytes of all tokens that are kept.
const MOST_BYTES: usize = 32 << 20;

/// What a token costs besides its text: claims and table.
const OVERHEAD: usize = 1024;

/// Parts with a lock each, so that requests rarely meet.
const SHARDS: usize = 16;

/// A token that was verified.
#[derive(Debug)]
pub(crate) struct Verified {
    /// What it says.
    pub claims: Claims,
    /// Which secret it was verified with.
    pub secret: usize,
    /// Version of the keys it was verified with.
    pub keys: u64,
    /// When it ends, allowed skew included.
    pub expires: Option<f64>,
}

/// Verified tokens. When half of the room is filled, what has not been used since the last time is dropped: nothing is
/// kept in order, and nothing grows. The table's hashes are keyed by chance, so timing tells nothing of kept tokens.
#[derive(Debug)]
pub(crate) struct TokenCache {
    shards: Vec<Mutex<Shard>>,
    hasher: RandomState,
}

#[derive(Debug, Default)]
struct Shard {
    recent: HashMap<Box<str>, Arc<Verified>>,
    older: HashMap<Box<str>, Arc<Verified>>,
    bytes: usize,
}

impl TokenCache {
    pub(crate) fn new() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, token: &str) -> Option<MutexGuard<'_, Shard>> {
        let hash = usize::try_from(self.hasher.hash_one(token) >> 32).unwrap_or_default();
        let shard = self.shards.get(hash % SHARDS)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A token that was verified before; whether it still holds is the caller's to see.
    pub(crate) fn get(&self, token: &str) -> Option<Arc<Verified>> {
        let mut shard = self.shard(token)?;
        if let Some(found) = shard.recent.get(token) {
            return Some(Arc::clone(found));
        }
        let (key, found) = shard.older.remove_entry(token)?;
        shard.keep(key, Arc::clone(&found));
        Some(found)
    }

    pub(crate) fn insert(&self, token: &str, verified: Arc<Verified>) {
        if let Some(mut shard) = self.shard(token) {
            shard.older.remove(token);
            shard.keep(token.into(), verified);
        }
    }

    pub(crate) fn remove(&self, token: &str) {
        if let Some(mut shard) = self.shard(token) {
            shard.older.remove(token);
            // Its bytes count until the next turn-over.
            shard.recent.remove(token);
        }
    }
}

impl Shard {
    fn keep(&mut self, token: Box<str>, verified: Arc<Verified>) {
        let cost = token.len() + OVERHEAD;
        if self.bytes + cost > MOST_BYTES / SHARDS / 2 {
            self.older = std::mem::take(&mut self.recent);
            self.bytes = 0;
        }
        self.bytes += cost;
        self.recent.insert(token, verified);
    }
}
