//! Attempts at one watch: how long to wait for the next, and whether a failure was told already.

use std::time::{Duration, Instant};

use crate::retry::{APART, Pauses};

/// How a watch went.
#[derive(Debug, Default)]
pub struct Attempts {
    pauses: Pauses,
    told: bool,
    read: Option<Instant>,
}

impl Attempts {
    /// Everything was listed. That proves nothing of what follows.
    pub fn is_read(&mut self, now: Instant) {
        self.read = Some(now);
    }

    /// An event came that is none of a list.
    pub fn goes_on(&mut self) {
        self.pauses.reset();
        self.told = false;
    }

    /// It failed; gives whether that was told already.
    pub fn failed(&mut self, now: Instant) -> bool {
        // Who may list and not watch reads everything, and fails at once.
        let read = self.read.take();
        if read.is_some_and(|read| now.duration_since(read) > APART) {
            self.goes_on();
        }
        std::mem::replace(&mut self.told, true)
    }

    /// How long to wait after a failure that lasts.
    pub fn pause(&mut self) -> Duration {
        self.pauses.pause()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_list_and_not_watch_is_not_asked_again_and_again() {
        let mut attempts = Attempts::default();
        let mut now = Instant::now();
        let mut fail = |after: Duration| {
            attempts.is_read(now);
            now += after;
            let told = attempts.failed(now);
            let pause = attempts.pause();
            now += pause;
            (told, pause)
        };
        let at_once = Duration::from_millis(5);
        let (told, first) = fail(at_once);
        assert!(!told);
        let pauses: Vec<_> = (0..8).map(|_| fail(at_once)).collect();
        assert!(pauses.iter().all(|(told, _)| *told));
        assert!(pauses.is_sorted_by_key(|(_, pause)| *pause) && pauses[7].1 > Duration::from_secs(10));
        assert_eq!(
            fail(Duration::from_secs(60)),
            (false, first),
            "it went well in between"
        );
    }
}
