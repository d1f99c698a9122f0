//! How often each may ask. Requests are counted in this process, or in Redis for all instances together; while Redis is
//! away, in this process again.
//!
//! A rate of n per minute lets n requests through at once and then one every n-th of a minute (the generic cell rate
//! algorithm), in both places. Never looks at a request, and never keeps what a key was made of: keys are hashed.

mod key;
mod local;
mod shared;
mod table;

use std::sync::Arc;

pub use key::Key;
pub use shared::{Shared, Standing, UrlError};

use local::Local;

/// Counters of all rates.
#[derive(Debug, Default)]
pub struct Rates {
    local: Local,
    shared: Option<Arc<Shared>>,
}

/// Whether a request may pass, and who counted it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// It may.
    pub admitted: bool,
    /// Redis was to count it and did not.
    pub alone: bool,
}

impl Rates {
    /// Counted in this process, or in Redis.
    pub fn new(shared: Option<Arc<Shared>>) -> Self {
        Self {
            local: Local::default(),
            shared,
        }
    }

    /// Counts a request under a key; it is not admitted if there have been more than `most` within a minute. A rate of 0
    /// admits nothing. Without Redis it is ready at once.
    pub async fn count(&self, most: u64, key: &Key) -> Verdict {
        let together = match &self.shared {
            Some(shared) if most > 0 => shared.admits(most, key).await,
            _ => None,
        };
        match together {
            Some(admitted) => Verdict {
                admitted,
                alone: false,
            },
            None => Verdict {
                admitted: self.local.admits(most, key),
                alone: self.shared.is_some(),
            },
        }
    }

    /// Counts a request in this process, wherever others are counted; false if there have been more than `most` within a
    /// minute.
    pub fn count_here(&self, most: u64, key: &Key) -> bool {
        self.local.admits(most, key)
    }

    /// Whether this process would count a further request as admitted. Counts nothing.
    pub fn would_admit(&self, most: u64, key: &Key) -> bool {
        self.local.would_admit(most, key)
    }
}
