//! Plans by operation text. Bounded in bytes; a hit allocates nothing, takes a shared lock on one of several
//! shards, and costs the same whatever the size of the schema.
//!
//! A cache outlives generations: a plan is found as long as the model still has the parts that it was made from.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use schema::model::Model;
use serde_json::{Map, Value};

use crate::prepared::Plan;

/// Number of parts with a lock each.
const SHARDS: usize = 16;
/// Plans of one text that differ in what they assume of the variables; a further one replaces the oldest.
const VARIANTS: usize = 8;
/// What an entry costs besides its plan and its text.
const OVERHEAD: usize = 256;

/// What a plan is found by, besides the variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// Which GraphQL endpoint: `v1`, `v1alpha1`, …
    pub endpoint: &'a str,
    /// The role.
    pub role: &'a str,
    /// Backend-only permissions apply.
    pub backend: bool,
    /// The whole text.
    pub text: &'a str,
    /// Which operation of it.
    pub operation_name: Option<&'a str>,
}

/// Plans by operation text.
#[derive(Debug)]
pub struct PlanCache {
    shards: [RwLock<Shard>; SHARDS],
    hasher: RandomState,
    /// Most bytes of one shard.
    shard_bytes: usize,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How a cache is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Look-ups that found a plan.
    pub hits: u64,
    /// Look-ups that did not, and plans that were made without one.
    pub misses: u64,
    /// Texts held.
    pub entries: usize,
    /// Bytes held, roughly.
    pub bytes: usize,
}

#[derive(Debug, Default)]
struct Shard {
    entries: HashMap<u64, Vec<Entry>>,
    /// Hashes of the entries, in the order in which they are looked at for eviction.
    clock: VecDeque<u64>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    endpoint: Box<str>,
    role: Box<str>,
    backend: bool,
    text: Box<str>,
    operation_name: Option<Box<str>>,
    plans: Vec<Arc<Plan>>,
    bytes: usize,
    /// Found since the clock last came by.
    used: AtomicBool,
}

impl Entry {
    fn is(&self, key: &Key<'_>) -> bool {
        *self.text == *key.text
            && *self.role == *key.role
            && *self.endpoint == *key.endpoint
            && self.backend == key.backend
            && self.operation_name.as_deref() == key.operation_name
    }

    fn weigh(&mut self) {
        self.bytes = OVERHEAD
            + self.text.len()
            + self.role.len()
            + self.plans.iter().map(|plan| plan.bytes()).sum::<usize>();
    }
}

impl PlanCache {
    /// A cache of at most so many bytes; 0 caches nothing.
    pub fn new(bytes: usize) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            hasher: RandomState::new(),
            shard_bytes: bytes / SHARDS,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// A plan of that text that was made from parts of this model and fits the variables.
    pub fn get(&self, key: &Key<'_>, model: &Model, variables: &Map<String, Value>) -> Option<Arc<Plan>> {
        let hash = self.hasher.hash_one(key);
        let found = self.shard(hash).and_then(|shard| {
            // Whoever panicked while holding the lock left plans that are whole or absent.
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            let entry = shard.entries.get(&hash)?.iter().find(|entry| entry.is(key))?;
            let mut plans = entry.plans.iter();
            let plan = plans.find(|plan| plan.basis.holds(model) && plan.fits(variables))?;
            if !entry.used.load(Ordering::Relaxed) {
                entry.used.store(true, Ordering::Relaxed);
            }
            Some(Arc::clone(plan))
        });
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Counts a plan that is made to be run once, and not kept: nobody looked for it here.
    pub fn count_unkept(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// Keeps a plan.
    pub fn insert(&self, key: &Key<'_>, plan: Arc<Plan>) {
        let size = plan.bytes() + key.text.len() + OVERHEAD;
        if size > self.shard_bytes {
            return;
        }
        let hash = self.hasher.hash_one(key);
        let Some(shard) = self.shard(hash) else {
            return;
        };
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        shard.insert(hash, key, plan);
        shard.shrink(self.shard_bytes);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        for shard in &self.shards {
            *shard.write().unwrap_or_else(PoisonError::into_inner) = Shard::default();
        }
    }

    /// How the cache is doing.
    pub fn statistics(&self) -> Statistics {
        let mut all = Statistics {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            ..Statistics::default()
        };
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            all.entries += shard.clock.len();
            all.bytes += shard.bytes;
        }
        all
    }

    fn shard(&self, hash: u64) -> Option<&RwLock<Shard>> {
        self.shards.get(hash as usize % SHARDS)
    }
}

impl Shard {
    fn insert(&mut self, hash: u64, key: &Key<'_>, plan: Arc<Plan>) {
        let entries = self.entries.entry(hash).or_default();
        if let Some(entry) = entries.iter_mut().find(|entry| entry.is(key)) {
            entry.plans.retain(|other| other.guards != plan.guards);
            if entry.plans.len() >= VARIANTS {
                entry.plans.remove(0);
            }
            entry.plans.push(plan);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            entry.weigh();
            self.bytes += entry.bytes;
            return;
        }
        let mut entry = Entry {
            endpoint: key.endpoint.into(),
            role: key.role.into(),
            backend: key.backend,
            text: key.text.into(),
            operation_name: key.operation_name.map(Into::into),
            plans: vec![plan],
            bytes: 0,
            used: AtomicBool::new(false),
        };
        entry.weigh();
        self.bytes += entry.bytes;
        entries.push(entry);
        self.clock.push_back(hash);
    }

    /// Drops what was not used lately until the rest fits.
    fn shrink(&mut self, most: usize) {
        while self.bytes > most {
            let Some(hash) = self.clock.pop_front() else {
                return;
            };
            let Some(entries) = self.entries.get_mut(&hash) else {
                continue;
            };
            // Entries of one hash are as good as always one; the first stands for them.
            if entries
                .first()
                .is_some_and(|entry| entry.used.swap(false, Ordering::Relaxed))
            {
                self.clock.push_back(hash);
                continue;
            }
            if !entries.is_empty() {
                let entry = entries.remove(0);
                self.bytes = self.bytes.saturating_sub(entry.bytes);
            }
            if entries.is_empty() {
                self.entries.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests;
