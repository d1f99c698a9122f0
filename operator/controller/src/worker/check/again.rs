//! When a pod is asked again: what it refused, or did not answer, may be otherwise without anybody telling the operator.

use std::time::{Duration, Instant};

use crate::retry::doubled;

/// The first pause after an answer: a mended value may have taken a while to the pod.
const FIRST: Duration = Duration::from_secs(5);
/// The longest.
const MOST: Duration = Duration::from_secs(60);
/// The first pause where nobody answered.
const FIRST_OF_SILENCE: Duration = Duration::from_secs(2);
/// The longest.
const MOST_OF_SILENCE: Duration = Duration::from_secs(30);

/// When to ask again. What else happens meanwhile puts it off only if it makes the operator ask.
#[derive(Debug, Default)]
pub(in crate::worker) struct Again {
    at: Option<Instant>,
    due: bool,
    /// A pod was asked since the last candidate.
    asked: bool,
    answered: bool,
    /// How often the same was asked.
    times: u32,
}

impl Again {
    /// How long until it is time.
    pub(in crate::worker) fn left(&self, now: Instant) -> Option<Duration> {
        Some(self.at?.saturating_duration_since(now))
    }

    /// It is time, if it is: the next candidate is asked of.
    pub(in crate::worker) fn wake(&mut self, now: Instant) {
        if self.at.is_some_and(|at| at <= now) {
            self.at = None;
            self.due = true;
        }
    }

    /// Whether what is known counts no more.
    pub(in crate::worker) fn is_due(&self) -> bool {
        self.due
    }

    /// A pod is asked.
    pub(super) fn asked(&mut self) {
        self.asked = true;
    }

    /// A candidate was made. `open`: there is something to ask; `answered`: somebody answered.
    pub(super) fn made(&mut self, open: bool, answered: bool, now: Instant) {
        let due = std::mem::take(&mut self.due);
        let asked = std::mem::take(&mut self.asked);
        if !open {
            *self = Self::default();
            return;
        }
        if self.at.is_some() && !asked {
            return;
        }
        if answered != self.answered {
            self.times = 0;
        } else if due {
            self.times = self.times.saturating_add(1);
        }
        self.answered = answered;
        let (first, most) = match answered {
            true => (FIRST, MOST),
            false => (FIRST_OF_SILENCE, MOST_OF_SILENCE),
        };
        self.at = Some(now + doubled(first, self.times, most));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(again: &Again, now: Instant) -> u64 {
        again.left(now).expect("it waits").as_secs()
    }

    #[test]
    fn what_is_held_is_asked_again_with_pauses_that_grow() {
        let mut again = Again::default();
        let mut now = Instant::now();
        again.asked();
        again.made(true, true, now);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            pauses.push(seconds(&again, now));
            assert!(!again.is_due());
            now += again.left(now).expect("it waits");
            again.wake(now);
            assert!(again.is_due() && again.left(now).is_none());
            again.asked();
            again.made(true, true, now);
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        again.made(false, true, now);
        assert_eq!(again.left(now), None);
    }

    /// Reports of pods, many a second, neither put it off nor make the pause longer.
    #[test]
    fn what_happens_meanwhile_puts_nothing_off() {
        let mut again = Again::default();
        let now = Instant::now();
        again.asked();
        again.made(true, false, now);
        assert_eq!(seconds(&again, now), 2);
        let later = now + Duration::from_secs(1);
        for _ in 0..20 {
            again.wake(later);
            again.made(true, false, later);
        }
        assert_eq!(seconds(&again, now), 2);
        // Asked because of a change, with the same silence.
        again.asked();
        again.made(true, false, later);
        assert_eq!(seconds(&again, later), 2);
    }
}
