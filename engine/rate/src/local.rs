//! Counting within this process. What is counted for clients that have been silent for long enough is forgotten.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::Key;

/// Different rates at a time; a document that has more of them begins anew.
const MOST_RATES: usize = 1000;
/// Keys of a rate beyond which silent ones are forgotten.
const MANY_KEYS: usize = 100_000;
/// Keys of a rate at most; more begin anew.
const MOST_KEYS: usize = 400_000;

/// Counters by rate. They outlive generations: new metadata gives nobody a new budget.
#[derive(Debug, Default)]
pub(crate) struct Local {
    limiters: Mutex<HashMap<u64, Arc<DefaultKeyedRateLimiter<Key>>>>,
}

impl Local {
    /// Counts a request; false if there have been more than `most` within a minute.
    pub(crate) fn admits(&self, most: u64, key: &Key) -> bool {
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
        limiter.check_key(key).is_ok()
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
    }
}
