//! All open websockets: how many there may be, and what is told to each of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What every websocket is told of. Numbers grow with each change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Signals {
    /// The program is about to stop.
    pub stopping: bool,
    /// Changes of the metadata document.
    pub documents: u64,
}

/// The open websockets of a process.
#[derive(Debug)]
pub struct Registry {
    places: Arc<Semaphore>,
    most: u32,
    signals: watch::Sender<Signals>,
}

impl Registry {
    /// For so many.
    pub fn new(most: usize) -> Self {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        Self {
            places: Arc::new(Semaphore::new(
                usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            most,
            signals: watch::Sender::default(),
        }
    }

    /// A place for one more, to be kept while it is open; `None` if there is none, or no longer.
    pub fn enter(&self) -> Option<(OwnedSemaphorePermit, watch::Receiver<Signals>)> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let signals = self.signals.subscribe();
        let stopping = signals.borrow().stopping;
        (!stopping).then_some((place, signals))
    }

    /// The program is about to stop.
    pub fn stop(&self) {
        self.signals.send_modify(|signals| signals.stopping = true);
    }

    /// The metadata is another.
    pub fn document_changed(&self) {
        self.signals.send_modify(|signals| signals.documents += 1);
    }

    /// Waits until none is open; call it after [`stop`](Self::stop).
    pub async fn all_closed(&self) {
        // The semaphore is never closed: this ends only with all places free.
        let _ = self.places.acquire_many(self.most).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_counted_and_waited_for() {
        let registry = Registry::new(1);
        let (place, mut signals) = registry.enter().unwrap();
        assert!(registry.enter().is_none());
        registry.document_changed();
        signals.changed().await.unwrap();
        assert_eq!(signals.borrow_and_update().documents, 1);
        drop((place, signals));
        let (place, mut signals) = registry.enter().unwrap();
        assert!(
            !signals.has_changed().unwrap(),
            "what was before does not concern it"
        );
        registry.stop();
        signals.changed().await.unwrap();
        assert!(signals.borrow().stopping);
        let mut closed = std::pin::pin!(registry.all_closed());
        assert!(futures_util::poll!(closed.as_mut()).is_pending());
        drop(place);
        closed.await;
        assert!(registry.enter().is_none(), "nobody comes in any more");
    }
}
