//! Work that takes CPU time, apart from the threads that answer requests.
//!
//! Each piece that is worth it has a thread of its own. It asks the kernel for little as long as requests want the same
//! cores, and when it ends, the allocator takes back at once what the work left behind.

use std::panic::resume_unwind;
use std::thread;

use metadata::Document;
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
    /// A thread would take longer than the work: it is done at once, where it is asked for.
    Little,
}

/// Texts up to so many bytes are read, and documents of so many objects resolved, in less time than it takes to begin a
/// thread, to hand the other tasks over meanwhile, and to end it: some tenths of a millisecond.
const LITTLE_TEXT: usize = 16 * 1024;
const LITTLE_DOCUMENT: usize = 32;

impl Urgency {
    /// Of reading a text of so many bytes.
    pub fn of_text(bytes: usize) -> Self {
        if bytes <= LITTLE_TEXT {
            Self::Little
        } else {
            Self::Gentle
        }
    }

    /// Of what takes time with the objects of a document.
    pub fn of_document(document: &Document) -> Self {
        if document.objects() <= LITTLE_DOCUMENT {
            Self::Little
        } else {
            Self::Gentle
        }
    }
}

/// Does a piece of work and gives what comes of it; the runtime's other tasks go on meanwhile.
pub fn aside<T: Send>(urgency: Urgency, work: impl FnOnce() -> T + Send) -> T {
    if urgency == Urgency::Little {
        return work();
    }
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
    use std::sync::Arc;

    use metadata::QualifiedName;

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

    #[test]
    fn little_work_has_no_thread() {
        let here = || thread::current().id();
        assert_eq!(aside(Urgency::of_text(100), here), here());
        assert_ne!(aside(Urgency::of_text(1 << 20), here), here());
        let mut document = Document::default();
        assert_eq!(aside(Urgency::of_document(&document), here), here());
        let tables = (0..100).map(|at| (QualifiedName::new("public", at.to_string()), Arc::default()));
        document.sources.entry("s".to_owned()).or_default().tables = tables.collect();
        assert_ne!(aside(Urgency::of_document(&document), here), here());
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "the work's own")]
    async fn a_panic_is_passed_on() {
        aside(Urgency::Gentle, || panic!("the work's own"));
    }
}
