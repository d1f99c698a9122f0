//! Waiting for what somebody else does.

use std::time::Duration;

/// Between two looks at something that is waited for: whatever makes it so needs the processor.
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}
