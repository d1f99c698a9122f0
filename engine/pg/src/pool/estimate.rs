//! How long each statement takes, remembered to tell short from long.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustc_hash::FxBuildHasher;

/// Statements remembered; when full, the half that was not used for longest is forgotten.
const MOST_STATEMENTS: usize = 8192;

/// A statement up to this is short. It bounds how long the reads behind it on a shared connection wait.
const SHORT: Duration = Duration::from_millis(20);

/// Runs after which an estimate is believed.
const RUNS: u32 = 3;

/// What is known about one statement's text.
#[derive(Debug)]
pub(crate) struct Known {
    /// Number of the statement, never used again.
    pub(crate) id: u64,
    /// Keeps the text alive, so that its address stays its own.
    text: Arc<str>,
    micros: AtomicU32,
    runs: AtomicU32,
    used: AtomicU64,
}

impl Known {
    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// It has run often enough, and always quickly.
    pub(crate) fn is_short(&self) -> bool {
        self.runs.load(Ordering::Relaxed) >= RUNS && self.estimate() <= SHORT
    }

    /// A moving average of how long it took.
    pub(crate) fn estimate(&self) -> Duration {
        Duration::from_micros(u64::from(self.micros.load(Ordering::Relaxed)))
    }

    /// Adds one run. Lost updates between threads change nothing that matters.
    pub(crate) fn took(&self, duration: Duration) {
        let new = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX / 2);
        let runs = self.runs.load(Ordering::Relaxed);
        let old = self.micros.load(Ordering::Relaxed);
        // The first run prepares and warms caches, so the second one replaces it.
        let next = if runs < 2 {
            new
        } else {
            (old / 8).saturating_mul(7).saturating_add(new / 8)
        };
        self.micros.store(next, Ordering::Relaxed);
        if runs < RUNS {
            self.runs.store(runs + 1, Ordering::Relaxed);
        }
    }
}

/// What is known about all statements.
#[derive(Debug, Default)]
pub(crate) struct Estimates {
    table: RwLock<Table>,
    clock: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    /// By address of the text, which is how a cached plan finds its entry without reading the text. Several addresses may
    /// hold the same text; each is kept alive here.
    by_address: HashMap<usize, (Arc<str>, Arc<Known>), FxBuildHasher>,
    by_text: HashMap<Arc<str>, Arc<Known>, FxBuildHasher>,
    last_id: u64,
}

impl Estimates {
    /// The entry of a statement, made if there is none.
    pub(crate) fn of(&self, text: &Arc<str>) -> Arc<Known> {
        let address = text.as_ptr() as usize;
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some((_, known)) = self
            .table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .by_address
            .get(&address)
        {
            known.used.store(now, Ordering::Relaxed);
            return known.clone();
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        let known = match table.by_text.get(text) {
            Some(known) => known.clone(),
            None => {
                table.last_id += 1;
                let known = Arc::new(Known {
                    id: table.last_id,
                    text: text.clone(),
                    micros: AtomicU32::new(0),
                    runs: AtomicU32::new(0),
                    used: AtomicU64::new(now),
                });
                table.by_text.insert(text.clone(), known.clone());
                known
            }
        };
        table.by_address.insert(address, (text.clone(), known.clone()));
        if table.by_address.len() > MOST_STATEMENTS {
            table.forget_half();
        }
        known
    }
}

impl Table {
    fn forget_half(&mut self) {
        let mut used: Vec<u64> = self
            .by_address
            .values()
            .map(|(_, known)| known.used.load(Ordering::Relaxed))
            .collect();
        used.sort_unstable();
        let Some(median) = used.get(used.len() / 2).copied() else {
            return;
        };
        self.by_address
            .retain(|_, (_, known)| known.used.load(Ordering::Relaxed) > median);
        self.by_text
            .retain(|_, known| known.used.load(Ordering::Relaxed) > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_an_entry() {
        let estimates = Estimates::default();
        let (one, two): (Arc<str>, Arc<str>) = (Arc::from("select 1"), Arc::from("select 1"));
        assert_eq!(estimates.of(&one).id, estimates.of(&two).id);
        assert_ne!(estimates.of(&one).id, estimates.of(&Arc::from("select 2")).id);
    }

    #[test]
    fn short_is_what_was_seen_to_be_short() {
        let estimates = Estimates::default();
        let known = estimates.of(&Arc::from("select 1"));
        known.took(Duration::from_secs(1));
        assert!(!known.is_short());
        known.took(Duration::from_millis(1));
        known.took(Duration::from_millis(1));
        assert!(known.is_short());
        for _ in 0..3 {
            known.took(Duration::from_millis(200));
        }
        assert!(!known.is_short());
    }

    #[test]
    fn the_table_is_bounded() {
        let estimates = Estimates::default();
        for number in 0..MOST_STATEMENTS * 3 {
            estimates.of(&Arc::from(format!("select {number}")));
        }
        let table = estimates.table.read().unwrap();
        assert!(table.by_address.len() <= MOST_STATEMENTS && table.by_text.len() <= MOST_STATEMENTS);
    }
}
