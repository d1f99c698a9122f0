//! Work that goes on until the program stops. After a panic it begins again: a pod that no longer follows something would
//! otherwise serve what it knew at that moment for ever, and be ready all the while.

use std::time::Duration;

use tokio::sync::watch;

use crate::observe::defect::survived;
use crate::observe::{Event, Observer};

/// Before work that panicked begins again.
const PAUSE: Duration = Duration::from_secs(5);

/// Does this work until it ends by itself, and tells of each time that it did not.
pub(super) async fn enduring<W: Future<Output = ()>>(
    observer: Observer,
    name: &'static str,
    mut stop: watch::Receiver<bool>,
    begin: impl Fn() -> W,
) {
    while let Err(panicked) = survived(async { begin().await }).await {
        observer.emit(Event::Defect(format!("{name}, which begins again: {panicked}")));
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::observe::log::Logger;
    use crate::observe::log::tests::Captured;
    use crate::settings::{Environment, command_line, reader};

    fn observer(captured: &Captured) -> Observer {
        let line = ["rowlock", "serve", "--origin=configmap:none", "--admin-secret=s"];
        let matches = command_line::command().try_get_matches_from(line).unwrap();
        let settings = reader::read(&matches, &Environment::default()).unwrap();
        Observer::with_logger(&settings, Logger::to(&settings.log, captured.clone())).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_panicked_begins_again() {
        let captured = Captured::default();
        let observer = observer(&captured);
        let (_stop, stopped) = watch::channel(false);
        let begun = AtomicU32::new(0);
        let since = tokio::time::Instant::now();
        enduring(observer.clone(), "following", stopped, || async {
            let before = begun.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            assert!(before >= 2, "made to fail");
        })
        .await;
        assert_eq!(begun.into_inner(), 3);
        assert_eq!(since.elapsed(), PAUSE * 2);
        observer.flush();
        let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        let told = log.matches("following, which begins again: made to fail");
        assert_eq!(told.count(), 2, "{log}");
        assert!(log.contains("unhandled-internal-error"), "{log}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_does_not_when_the_program_stops() {
        let observer = observer(&Captured::default());
        let (stop, stopped) = watch::channel(false);
        let begun = AtomicU32::new(0);
        let work = enduring(observer, "following", stopped, || async {
            begun.fetch_add(1, Ordering::SeqCst);
            stop.send_replace(true);
            panic!("made to fail");
        });
        work.await;
        assert_eq!(begun.into_inner(), 1);
    }
}
