//! Work that takes CPU time, apart from the threads that answer requests.
//!
//! Each piece has a thread of its own. It asks the kernel for little as long as requests want the same cores, and when it
//! ends, the allocator takes back at once what the work left behind.

use std::panic::resume_unwind;
use std::thread;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// How much nicer than the rest of the process: about a tenth of a core that others want as well, and all of it else.
const NICENESS: i32 = 10;

/// How urgent a piece of work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing can be served before it is done.
    Now,
    /// Requests come first.
    Gentle,
}

/// Does a piece of work and gives what comes of it; the runtime's other tasks go on meanwhile.
pub fn aside<T: Send>(urgency: Urgency, work: impl FnOnce() -> T + Send) -> T {
    let shared =
        Handle::try_current().is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if shared {
        block_in_place(|| on_own_thread(urgency, work))
    } else {
        on_own_thread(urgency, work)
    }
}

fn on_own_thread<T: Send>(urgency: Urgency, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            if urgency == Urgency::Gentle {
                // Concerns this thread alone. Where it is not allowed, the work is only less gentle.
                let _ = rustix::process::nice(NICENESS);
            }
            work()
        });
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        rustix::process::nice(0).unwrap()
    }

    #[test]
    fn only_the_work_is_gentle() {
        let before = niceness();
        assert_eq!(aside(Urgency::Now, niceness), before);
        assert_eq!(aside(Urgency::Gentle, niceness), (before + NICENESS).min(19));
        assert_eq!(niceness(), before);
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "the work's own")]
    async fn a_panic_is_passed_on() {
        aside(Urgency::Gentle, || panic!("the work's own"));
    }
}
