//! Counting within this process, in a table of fixed size. The client that has been silent for longest is forgotten first.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use governor::clock::DefaultClock;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use crate::Key;
use crate::table::Table;

/// Different rates at a time; a document that has more of them begins anew.
const MOST_RATES: usize = 1000;

/// Counters by rate. They outlive generations: new metadata gives nobody a new budget.
#[derive(Debug)]
pub(crate) struct Local {
    table: Arc<Table>,
    /// Times in the table are nanoseconds since then.
    since: Instant,
    limiters: Mutex<Limiters>,
}

#[derive(Debug, Default)]
struct Limiters {
    by_rate: HashMap<u64, Arc<Limiter>>,
    /// How many were made so far.
    made: u64,
}

/// One rate. What a key has used up is in the table; each rate has names of its own for the same key.
#[derive(Debug)]
struct Limiter {
    counting: RateLimiter<Key, Counters, DefaultClock>,
    looking: RateLimiter<Key, Counters, DefaultClock>,
}

/// The table as one limiter sees it: time begins with the limiter.
#[derive(Debug)]
struct Counters {
    table: Arc<Table>,
    /// Tells the rate's keys from those of other rates.
    rate: u64,
    /// Nanoseconds from the table's beginning to that of the limiter.
    begin: u64,
    /// Nothing is stored.
    only_looks: bool,
}

impl StateStore for Counters {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let key = key.of_rate(self.rate);
        let measured = |until: u64| {
            let known = (until > 0).then(|| Nanos::new(until.saturating_sub(self.begin)));
            let (told, next) = measure(known)?;
            Ok((told, self.begin.saturating_add(next.as_u64()).max(1)))
        };
        if self.only_looks {
            return measured(self.table.get(key)).map(|(told, _)| told);
        }
        self.table.replace(key, measured)
    }
}

impl Default for Local {
    fn default() -> Self {
        Self {
            table: Arc::default(),
            since: Instant::now(),
            limiters: Mutex::default(),
        }
    }
}

impl Local {
    /// Counts a request; false if there have been more than `most` within a minute.
    pub(crate) fn admits(&self, most: u64, key: &Key) -> bool {
        let limiter = self.limiter(most);
        limiter.is_some_and(|limiter| limiter.counting.check_key(key).is_ok())
    }

    /// The same, but counts nothing.
    pub(crate) fn would_admit(&self, most: u64, key: &Key) -> bool {
        let limiter = self.limiter(most);
        limiter.is_some_and(|limiter| limiter.looking.check_key(key).is_ok())
    }

    /// Of a rate; there is none of 0.
    fn limiter(&self, most: u64) -> Option<Arc<Limiter>> {
        let quota = NonZeroU32::new(u32::try_from(most).unwrap_or(u32::MAX))?;
        let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = limiters.by_rate.get(&most) {
            return Some(Arc::clone(known));
        }
        if limiters.by_rate.len() >= MOST_RATES {
            limiters.by_rate.clear();
        }
        limiters.made += 1;
        let counters = |only_looks| Counters {
            table: Arc::clone(&self.table),
            rate: limiters.made,
            begin: u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX),
            only_looks,
        };
        let made = |only_looks| {
            let quota = Quota::per_minute(quota);
            RateLimiter::new(quota, counters(only_looks), DefaultClock::default())
        };
        let limiter = Arc::new(Limiter {
            counting: made(false),
            looking: made(true),
        });
        limiters.by_rate.insert(most, Arc::clone(&limiter));
        Some(limiter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_budget() {
        let rates = Local::default();
        let (one, other) = (Key::new(["user", "1.2.3.4"]), Key::new(["user", "1.2.3.5"]));
        for _ in 0..3 {
            assert!(rates.admits(3, &one));
        }
        assert!(!rates.admits(3, &one));
        assert!(rates.admits(3, &other));
        assert!(rates.admits(5, &one), "another rate counts for itself");
        assert!(!rates.admits(0, &one));
        assert!(!rates.would_admit(0, &one));
    }

    #[test]
    fn looking_counts_nothing() {
        let rates = Local::default();
        let key = Key::new(["1.2.3.4"]);
        for _ in 0..2 {
            for _ in 0..10 {
                assert!(rates.would_admit(2, &key));
            }
            assert!(rates.admits(2, &key));
        }
        assert!(!rates.would_admit(2, &key));
        assert!(!rates.admits(2, &key));
    }

    #[test]
    fn a_budget_outlives_many_other_clients() {
        let rates = Local::default();
        let key = Key::new(["user", "1.2.3.4"]);
        assert!(rates.admits(1, &key));
        for number in 0..100_000 {
            assert!(rates.admits(1, &Key::new(["user", &number.to_string()])));
        }
        assert!(!rates.admits(1, &key));
    }

    #[test]
    fn more_rates_than_there_can_be() {
        let rates = Local::default();
        let key = Key::new(["user"]);
        for most in 1..=3 * u64::try_from(MOST_RATES).unwrap() {
            assert!(rates.admits(most, &key));
        }
        let limiters = rates.limiters.lock().unwrap();
        assert!(limiters.by_rate.len() <= MOST_RATES);
    }
}
