//! What is measured of websockets.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use rustc_hash::FxHashMap;

use super::{MOST_OPERATIONS, as_u64, kept};
use crate::observe::OperationLog;

/// Seconds, in Hasura's buckets for messages of websockets.
const SECONDS: &[f64] = &[0.000_001, 0.0001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

type SenderKey = (Option<Arc<str>>, Option<Arc<str>>);

/// See the module.
#[derive(Debug)]
pub struct WebsocketMetrics {
    high_cardinality: bool,
    open: IntGauge,
    received: IntCounter,
    sent: IntCounterVec,
    known_senders: RwLock<FxHashMap<SenderKey, IntCounter>>,
    queue_time: Histogram,
    write_time: Histogram,
}

/// An open websocket, counted until this is dropped.
#[derive(Debug)]
pub struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl WebsocketMetrics {
    pub(super) fn new(registry: &Registry, high_cardinality: bool) -> prometheus::Result<Self> {
        let time = |name: &str, help: &str| {
            let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
            kept(registry, Histogram::with_opts(options))
        };
        let sent = Opts::new(
            "hasura_websocket_messages_sent_bytes_total",
            "Bytes of messages sent on websockets",
        );
        Ok(Self {
            high_cardinality,
            open: kept(
                registry,
                IntGauge::new("hasura_websocket_connections", "Open websockets"),
            )?,
            received: kept(
                registry,
                IntCounter::new(
                    "hasura_websocket_messages_received_bytes_total",
                    "Bytes of messages received on websockets",
                ),
            )?,
            sent: kept(
                registry,
                IntCounterVec::new(sent, &["operation_name", "parameterized_query_hash"]),
            )?,
            known_senders: RwLock::default(),
            queue_time: time(
                "hasura_websocket_message_queue_time",
                "Seconds that a message waited to be written to its websocket",
            )?,
            write_time: time(
                "hasura_websocket_message_write_time",
                "Seconds that it took to write a message to its websocket",
            )?,
        })
    }

    /// One more is open, for as long as the answer is kept: however its task ends, it is counted once.
    pub fn open(&self) -> Open {
        self.open.inc();
        Open(self.open.clone())
    }

    /// A message came.
    pub fn received(&self, bytes: usize) {
        self.received.inc_by(as_u64(bytes));
    }

    /// A message was written. `counter` is that of what it belongs to.
    pub fn sent(&self, counter: &IntCounter, bytes: usize, waited: Duration, took: Duration) {
        counter.inc_by(as_u64(bytes));
        self.queue_time.observe(waited.as_secs_f64());
        self.write_time.observe(took.as_secs_f64());
    }

    /// Where the bytes of an operation's messages are counted, or of those that belong to none.
    pub fn sender(&self, operation: Option<&OperationLog>) -> IntCounter {
        let key = match operation {
            Some(operation) if self.high_cardinality => (operation.name.clone(), operation.hash.clone()),
            _ => (None, None),
        };
        {
            let known = self.known_senders.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counter) = known.get(&key) {
                return counter.clone();
            }
        }
        let mut known = self.known_senders.write().unwrap_or_else(PoisonError::into_inner);
        let key = if known.len() < MOST_OPERATIONS {
            key
        } else {
            (None, None)
        };
        let counter = self.sent.with_label_values(&[
            key.0.as_deref().unwrap_or_default(),
            key.1.as_deref().unwrap_or_default(),
        ]);
        known.insert(key, counter.clone());
        counter
    }

    #[cfg(test)]
    pub(super) fn senders(&self) -> usize {
        self.known_senders.read().unwrap().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_whose_task_panics_is_counted_out() {
        let metrics = WebsocketMetrics::new(&Registry::new(), false).unwrap();
        let first = metrics.open();
        let second = metrics.open();
        assert_eq!(metrics.open.get(), 2);
        let panicked = std::thread::spawn(move || {
            let _open = second;
            panic!("as a task may");
        });
        assert!(panicked.join().is_err());
        assert_eq!(metrics.open.get(), 1);
        drop(first);
        assert_eq!(metrics.open.get(), 0);
    }
}
