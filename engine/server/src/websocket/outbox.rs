//! Messages on their way to the client: queued without waiting, written one after the other.
//!
//! The queue is bounded by its user: while [`Outbox::has_room`] says no, nothing that would add to it is to be done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{Sink, SinkExt};
use prometheus::IntCounter;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::close::Close;
use crate::observe::metrics::WebsocketMetrics;

/// The end that messages are put in.
#[derive(Debug)]
pub struct Outbox {
    sender: mpsc::UnboundedSender<Queued>,
    level: Arc<Level>,
    most: usize,
}

/// The end that writes them.
#[derive(Debug)]
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<Queued>,
    level: Arc<Level>,
}

#[derive(Debug, Default)]
struct Level {
    bytes: AtomicUsize,
    sunk: Notify,
}

#[derive(Debug)]
struct Queued {
    message: Message,
    since: Instant,
    /// Where its bytes are counted; `None` for the end.
    counter: Option<IntCounter>,
}

/// A queue that is full with so many bytes.
pub fn outbox(most: usize) -> (Outbox, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let level = Arc::<Level>::default();
    let outbox = Outbox {
        sender,
        level: Arc::clone(&level),
        most,
    };
    (outbox, Queue { receiver, level })
}

impl Outbox {
    /// Puts a message in. `counter` is where its bytes are counted.
    pub fn push(&self, text: Vec<u8>, counter: IntCounter) {
        let length = text.len();
        // What is made here is JSON and so UTF-8; this checks it once more rather than to send what is not.
        let Ok(text) = Utf8Bytes::try_from(text) else {
            return;
        };
        self.level.bytes.fetch_add(length, Ordering::AcqRel);
        let _ = self.sender.send(Queued {
            message: Message::Text(text),
            since: Instant::now(),
            counter: Some(counter),
        });
    }

    /// The last message: nothing behind it is written.
    pub fn close(&self, close: Close) {
        let _ = self.sender.send(Queued {
            message: Message::Close(Some(close.into())),
            since: Instant::now(),
            counter: None,
        });
    }

    /// Whether more may come.
    pub fn has_room(&self) -> bool {
        self.level.bytes.load(Ordering::Acquire) < self.most
    }

    /// Whether everything is written.
    pub fn is_empty(&self) -> bool {
        self.level.bytes.load(Ordering::Acquire) == 0
    }

    /// Waits until something was written.
    pub async fn sunk(&self) {
        self.level.sunk.notified().await;
    }
}

impl Queue {
    /// Writes until the end, or until the client is gone or takes nothing for as long as `patience`. `taken` counts the
    /// bytes that it took.
    pub async fn write_to(
        mut self,
        mut sink: impl Sink<Message> + Unpin,
        taken: &AtomicU64,
        patience: Duration,
        metrics: &WebsocketMetrics,
    ) {
        while let Some(queued) = self.receiver.recv().await {
            let began = Instant::now();
            let waited = began.saturating_duration_since(queued.since);
            let length = queued.message.len();
            let mut writing = std::pin::pin!(sink.send(queued.message));
            loop {
                let before = taken.load(Ordering::Relaxed);
                match tokio::time::timeout(patience, writing.as_mut()).await {
                    Ok(Ok(())) => break,
                    Ok(Err(_)) => return,
                    Err(_) if taken.load(Ordering::Relaxed) == before => return,
                    Err(_) => {}
                }
            }
            let Some(counter) = queued.counter else {
                return;
            };
            metrics.sent(&counter, length, waited, began.elapsed());
            self.level.bytes.fetch_sub(length, Ordering::AcqRel);
            self.level.sunk.notify_one();
        }
    }
}
