//! How long each statement takes, remembered to tell short from long.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use rustc_hash::FxBuildHasher;
use sql::Statement;

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
    text: Arc<str>,
    record_text: OnceLock<String>,
    micros: AtomicU32,
    quick: AtomicU32,
    runs: AtomicU32,
    used: AtomicU64,
}

impl Known {
    /// It is this text's entry. Cached plans share their text, so the address mostly settles it.
    fn is_of(&self, text: &Arc<str>) -> bool {
        Arc::ptr_eq(&self.text, text) || self.text == *text
    }

    /// The text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// [`Statement::text_of_records`], made once.
    pub(crate) fn record_text(&self, statement: &Statement) -> &str {
        self.record_text.get_or_init(|| statement.text_of_records())
    }

    /// It has run often enough, and always quickly.
    pub(crate) fn is_short(&self) -> bool {
        self.runs.load(Ordering::Relaxed) >= RUNS && self.estimate() <= SHORT
    }

    /// A moving average of how long it took.
    pub(crate) fn estimate(&self) -> Duration {
        Duration::from_micros(u64::from(self.micros.load(Ordering::Relaxed)))
    }

    /// How long it took when it was quick: nine of ten runs were slower. Nearer to what the server needs for it than the average
    /// where many wait for a processor.
    pub(crate) fn quick(&self) -> Duration {
        Duration::from_micros(u64::from(self.quick.load(Ordering::Relaxed)))
    }

    /// Adds one run on a connection of its own of what should run on a shared one. With many at a time such a run waits for
    /// its turn at the processor, which says nothing of a shared connection; so it only counts where nothing better is known.
    pub(crate) fn took_by_itself(&self, duration: Duration) {
        if !self.is_short() {
            self.took(duration);
        }
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
        let quick = self.quick.load(Ordering::Relaxed);
        // Nine steps down outweigh one up, so that it rests where a tenth of the runs is below.
        let step = (quick / 128).max(1);
        let next = if runs < 2 {
            new
        } else if new < quick {
            quick.saturating_sub(step.saturating_mul(9)).max(new)
        } else {
            quick.saturating_add(step).min(new)
        };
        self.quick.store(next, Ordering::Relaxed);
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
    /// By the statement's id, a hash of its text.
    known: HashMap<u64, Arc<Known>, FxBuildHasher>,
    last_id: u64,
}

impl Estimates {
    /// The entry of a statement, made if there is none.
    pub(crate) fn of(&self, statement: &Statement) -> Arc<Known> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(known) = self
            .table
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .known
            .get(&statement.id)
            && known.is_of(&statement.text)
        {
            known.used.store(now, Ordering::Relaxed);
            return known.clone();
        }
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table
            .known
            .get(&statement.id)
            .filter(|known| known.is_of(&statement.text))
        {
            return known.clone();
        }
        table.last_id += 1;
        let known = Arc::new(Known {
            id: table.last_id,
            text: statement.text.clone(),
            record_text: OnceLock::new(),
            micros: AtomicU32::new(0),
            quick: AtomicU32::new(0),
            runs: AtomicU32::new(0),
            used: AtomicU64::new(now),
        });
        // Of two texts with the same hash the later one is kept; the other begins anew each time, with a number of
        // its own, so that they are never mistaken for each other.
        table.known.insert(statement.id, known.clone());
        if table.known.len() > MOST_STATEMENTS {
            table.forget_half();
        }
        known
    }
}

impl Table {
    fn forget_half(&mut self) {
        let mut used: Vec<u64> = self
            .known
            .values()
            .map(|known| known.used.load(Ordering::Relaxed))
            .collect();
        used.sort_unstable();
        let Some(median) = used.get(used.len() / 2).copied() else {
            return;
        };
        self.known
            .retain(|_, known| known.used.load(Ordering::Relaxed) > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str) -> Statement {
        let row = sql::shape::ValueShape::Constant(Box::default());
        let shape = sql::shape::Shape {
            cardinality: sql::shape::Cardinality::List,
            row,
        };
        Statement::new(text, Vec::new(), shape)
    }

    #[test]
    fn equal_texts_share_an_entry() {
        let estimates = Estimates::default();
        let one = estimates.of(&statement("select 1")).id;
        assert_eq!(estimates.of(&statement("select 1")).id, one);
        assert_ne!(estimates.of(&statement("select 2")).id, one);
    }

    #[test]
    fn equal_hashes_are_told_apart() {
        let estimates = Estimates::default();
        let one = estimates.of(&statement("select 1"));
        let other = Statement {
            id: statement("select 1").id,
            ..statement("select 2")
        };
        assert_ne!(estimates.of(&other).id, one.id);
    }

    #[test]
    fn short_is_what_was_seen_to_be_short() {
        let estimates = Estimates::default();
        let known = estimates.of(&statement("select 1"));
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
    fn quick_is_what_few_runs_beat() {
        let estimates = Estimates::default();
        let known = estimates.of(&statement("insert 2"));
        for run in 0..20_000_u64 {
            // Evenly from 100 to 1,099 microseconds.
            known.took(Duration::from_micros(100 + run * 7919 % 1000));
        }
        let quick = known.quick().as_micros();
        assert!((150..300).contains(&quick), "{quick}");
        assert!(known.estimate() > known.quick());
    }

    #[test]
    fn runs_elsewhere_count_only_until_it_is_short() {
        let estimates = Estimates::default();
        let known = estimates.of(&statement("insert 1"));
        for _ in 0..3 {
            known.took_by_itself(Duration::from_millis(2));
        }
        assert!(known.is_short());
        let before = known.estimate();
        known.took_by_itself(Duration::from_secs(1));
        assert_eq!(known.estimate(), before);
        known.took(Duration::from_secs(1));
        assert!(!known.is_short());
        for _ in 0..60 {
            known.took_by_itself(Duration::from_millis(1));
        }
        assert!(known.is_short());
    }

    #[test]
    fn the_table_is_bounded() {
        let estimates = Estimates::default();
        for number in 0..MOST_STATEMENTS * 3 {
            estimates.of(&statement(&format!("select {number}")));
        }
        assert!(estimates.table.read().unwrap().known.len() <= MOST_STATEMENTS);
    }
}
