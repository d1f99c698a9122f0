//! Random input for tests: for `ROWLOCK_FUZZ_SECONDS` (1 by default), from `ROWLOCK_FUZZ_SEED` on.

use std::time::{Duration, Instant};

/// A run of a fuzz test.
pub(crate) struct Fuzz {
    state: u64,
    until: Instant,
}

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

impl Fuzz {
    /// As the variables say.
    pub(crate) fn begin() -> Self {
        Self {
            state: setting("ROWLOCK_FUZZ_SEED", 7) | 1,
            until: Instant::now() + Duration::from_secs(setting("ROWLOCK_FUZZ_SECONDS", 1)),
        }
    }

    /// Whether there is time left.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % 1_000_003).unwrap() % bound
    }
}
