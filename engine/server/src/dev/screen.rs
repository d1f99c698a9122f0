//! What a person sees in the terminal.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use embedded::Progress;

/// Lines to the terminal; cheap to clone. What cannot be shown is not worth failing for.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    /// Ends the dots of a long step.
    waiting: Arc<AtomicBool>,
}

/// How often a dot shows that a long step goes on.
const DOT: Duration = Duration::from_secs(1);

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            waiting: Arc::new(AtomicBool::new(false)),
        }
    }

    /// One line.
    pub(super) fn line(&self, text: &str) {
        self.end_dots();
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// One step of the local Postgres.
    pub(super) fn step(&self, step: &Progress) {
        match step {
            Progress::Found { version, programs } => {
                self.line(&format!("Postgres {version} in {}", programs.display()));
            }
            Progress::Downloading { version, directory } => {
                self.line(&format!(
                    "no Postgres is installed: fetching {version} (about 12 MB) into {}",
                    directory.display()
                ));
                self.start_dots();
            }
            Progress::Initializing { directory } => {
                self.line(&format!("making a new data directory {}", directory.display()));
            }
            Progress::Starting { .. } => self.line("starting Postgres"),
            Progress::Ready { port } => self.line(&format!("Postgres is ready on port {port}")),
            _ => {}
        }
    }

    fn start_dots(&self) {
        let waiting = Arc::clone(&self.waiting);
        waiting.store(true, Ordering::Relaxed);
        thread::spawn(move || {
            let started = Instant::now();
            let mut dots = 0;
            while waiting.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
                if started.elapsed() > DOT * (dots + 1) {
                    dots += 1;
                    let _ = write!(io::stdout(), ".");
                    let _ = io::stdout().flush();
                }
            }
        });
    }

    fn end_dots(&self) {
        if self.waiting.swap(false, Ordering::Relaxed) {
            let _ = writeln!(io::stdout());
        }
    }
}
