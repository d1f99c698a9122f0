//! Somebody else who changes what the operator writes, as soon as it is written: a second operator for the same
//! namespace, a controller with other opinions. Restoring at once each time would never end.

use std::time::{Duration, Instant};

/// Restorations in a row that nothing slows down: people try things.
const FREE: u32 = 3;
/// The first pause after them; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(1);
/// The longest.
const MOST: Duration = Duration::from_secs(60);
/// Restorations further apart have nothing to do with each other.
const APART: Duration = Duration::from_secs(300);

/// How often one child had to be restored of late.
#[derive(Debug, Clone, Default)]
pub struct Dispute {
    in_a_row: u32,
    last: Option<Instant>,
}

impl Dispute {
    /// It is restored now.
    pub fn restored(&mut self, now: Instant) {
        let goes_on = self.last.is_some_and(|last| now.duration_since(last) < APART);
        self.in_a_row = if goes_on {
            self.in_a_row.saturating_add(1)
        } else {
            1
        };
        self.last = Some(now);
    }

    /// How long it is to be left as it is; `None` if it may be restored.
    pub fn pause(&self, now: Instant) -> Option<Duration> {
        let doubled = self.in_a_row.checked_sub(FREE)?;
        let pause = FIRST.saturating_mul(1 << doubled.min(10)).min(MOST);
        pause
            .checked_sub(now.duration_since(self.last?))
            .filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarrel_slows_down_and_is_forgotten() {
        let mut now = Instant::now();
        let mut dispute = Dispute::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let pause = dispute.pause(now).unwrap_or_default();
            pauses.push(pause.as_secs());
            now += pause;
            assert_eq!(dispute.pause(now), None, "after its pause it may be restored");
            dispute.restored(now);
        }
        assert_eq!(pauses, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        now += APART;
        assert_eq!(dispute.pause(now), None);
        dispute.restored(now);
        assert_eq!(dispute.pause(now), None, "it begins anew");
    }
}
