//! Waiting for what somebody else does.

use std::time::{Duration, Instant};

use crate::process::PATIENCE;

/// Between two looks at something that is waited for: whatever makes it so needs the processor.
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

/// Waits until something is so, and fails by its name where it never is.
#[track_caller]
pub(crate) fn until(what: &str, done: impl FnMut() -> bool) {
    within(PATIENCE, what, done);
}

/// The same of something that is so sooner.
#[track_caller]
pub(crate) fn within(patience: Duration, what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < patience, "{what}");
        pause();
    }
}
