//! One signal per engine: that something it depends on has changed, gathered until the engine's worker has time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use compile::ObjectKey;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What has changed; several may hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons(u8);

impl Reasons {
    /// Objects that the engine is made of.
    pub const OBJECTS: Self = Self(1);
    /// Secrets that they refer to.
    pub const SECRETS: Self = Self(2);
    /// What the operator made for the engine.
    pub const CHILDREN: Self = Self(4);
    /// Pods, or what they report.
    pub const PODS: Self = Self(8);
    /// A database, as pods report it.
    pub const CATALOG: Self = Self(16);
    /// Everything.
    pub const ALL: Self = Self(31);

    /// Whether one of these holds.
    pub fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// These but for others.
    pub fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Both.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How long it must be quiet before a worker begins: one `kubectl apply` of many objects is one piece of work.
const QUIET: Duration = Duration::from_millis(20);
/// How long a worker waits for quiet at most.
const MOST_WAIT: Duration = Duration::from_millis(200);

/// The signal of one engine.
#[derive(Debug, Default)]
pub struct Signal {
    reasons: AtomicU8,
    notify: Notify,
}

impl Signal {
    /// Something has changed.
    pub fn raise(&self, reasons: Reasons) {
        self.reasons.fetch_or(reasons.0, Ordering::AcqRel);
        self.notify.notify_one();
    }

    /// Waits until something has changed and, where that is objects, until it is quiet; gives all of it.
    pub async fn gathered(&self) -> Reasons {
        loop {
            if self.reasons.load(Ordering::Acquire) == 0 {
                self.notify.notified().await;
                continue;
            }
            let reasons = Reasons(self.reasons.load(Ordering::Acquire));
            if reasons.any(Reasons::OBJECTS.and(Reasons::SECRETS)) {
                self.quiet().await;
            }
            return Reasons(self.reasons.swap(0, Ordering::AcqRel));
        }
    }

    async fn quiet(&self) {
        let end = Instant::now() + MOST_WAIT;
        loop {
            let until = (Instant::now() + QUIET).min(end);
            if tokio::time::timeout_at(until, self.notify.notified())
                .await
                .is_err()
                || until >= end
            {
                return;
            }
        }
    }
}

/// The signals of all engines that have a worker.
#[derive(Debug, Default)]
pub struct Signals {
    engines: Mutex<HashMap<ObjectKey, Arc<Signal>>>,
    /// Engines have come or gone.
    pub roster: Notify,
}

impl Signals {
    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectKey, Arc<Signal>>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signal of an engine from now on.
    pub fn register(&self, engine: &ObjectKey) -> Arc<Signal> {
        Arc::clone(self.lock().entry(engine.clone()).or_default())
    }

    /// The engine has no worker any more.
    pub fn forget(&self, engine: &ObjectKey) {
        self.lock().remove(engine);
    }

    /// Raises the signal of an engine, if it has a worker.
    pub fn raise(&self, engine: &ObjectKey, reasons: Reasons) {
        if let Some(signal) = self.lock().get(engine) {
            signal.raise(reasons);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
    }

    #[test]
    fn what_comes_together_is_gathered() {
        runtime().block_on(async {
            let signal = Signal::default();
            signal.raise(Reasons::OBJECTS);
            signal.raise(Reasons::PODS);
            let all = signal.gathered().await;
            assert!(all.any(Reasons::OBJECTS) && all.any(Reasons::PODS) && !all.any(Reasons::SECRETS));
            let none = tokio::time::timeout(Duration::from_millis(5), signal.gathered()).await;
            assert!(none.is_err(), "a signal is given once");
        });
    }

    #[test]
    fn a_busy_world_does_not_hold_the_worker_back_for_ever() {
        runtime().block_on(async {
            let signal = Arc::new(Signal::default());
            let busy = Arc::clone(&signal);
            let raising = tokio::spawn(async move {
                let mut ticks = tokio::time::interval(Duration::from_millis(2));
                loop {
                    ticks.tick().await;
                    busy.raise(Reasons::OBJECTS);
                }
            });
            let begin = Instant::now();
            signal.gathered().await;
            let waited = begin.elapsed();
            raising.abort();
            assert!(waited >= QUIET && waited < Duration::from_secs(30), "{waited:?}");
        });
    }

    #[test]
    fn engines_without_a_worker_are_passed_over() {
        let signals = Signals::default();
        let engine = ObjectKey {
            kind: crd::Kind::Engine,
            namespace: "n".to_owned(),
            name: "e".to_owned(),
        };
        signals.raise(&engine, Reasons::ALL);
        let signal = signals.register(&engine);
        signals.raise(&engine, Reasons::PODS);
        assert!(runtime().block_on(signal.gathered()) == Reasons::PODS);
    }
}
