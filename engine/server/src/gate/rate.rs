//! How often each may ask, counted within this process.
//!
//! A rate of n per minute lets n requests through at once and then one every n-th of a minute. What is counted for
//! clients that have been silent for long enough is forgotten.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Different rates at a time; a document that has more of them begins anew.
const MOST_RATES: usize = 1000;
/// Keys of a rate beyond which silent ones are forgotten.
const MANY_KEYS: usize = 100_000;
/// Keys of a rate at most; more begin anew.
const MOST_KEYS: usize = 400_000;

/// Counters of all rates. They outlive generations: new metadata gives nobody a new budget.
#[derive(Debug, Default)]
pub struct Rates {
    limiters: Mutex<HashMap<u64, Arc<DefaultKeyedRateLimiter<String>>>>,
}

impl Rates {
    /// Counts a request under a key; false if there have been more than `most` within a minute. A rate of 0 admits
    /// nothing.
    pub fn admits(&self, most: u64, key: &str) -> bool {
        let Some(quota) = NonZeroU32::new(u32::try_from(most).unwrap_or(u32::MAX)) else {
            return false;
        };
        let limiter = {
            let mut limiters = self.limiters.lock().unwrap_or_else(PoisonError::into_inner);
            if limiters.len() >= MOST_RATES && !limiters.contains_key(&most) {
                limiters.clear();
            }
            let limiter = limiters
                .entry(most)
                .or_insert_with(|| Arc::new(RateLimiter::keyed(Quota::per_minute(quota))));
            if limiter.len() > MANY_KEYS {
                limiter.retain_recent();
                if limiter.len() > MOST_KEYS {
                    *limiter = Arc::new(RateLimiter::keyed(Quota::per_minute(quota)));
                }
            }
            Arc::clone(limiter)
        };
        limiter.check_key(&key.to_owned()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_budget() {
        let rates = Rates::default();
        for _ in 0..3 {
            assert!(rates.admits(3, "user 1.2.3.4"));
        }
        assert!(!rates.admits(3, "user 1.2.3.4"));
        assert!(rates.admits(3, "user 1.2.3.5"));
        assert!(rates.admits(5, "user 1.2.3.4"), "another rate counts for itself");
        assert!(!rates.admits(0, "user"));
    }
}
