//! Tasks that are not to end. A panic in one of them must not leave the rest working as if nothing had happened.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use crate::admin::Health;
use crate::observe::{Event, Observer};

/// Runs tasks that nothing can do without: when one ends, `/healthz` says so, and Kubernetes begins the program anew.
#[derive(Clone, Debug)]
pub struct Tasks {
    health: Arc<Health>,
    observer: Observer,
}

impl Tasks {
    /// None yet.
    pub fn new(health: Arc<Health>, observer: Observer) -> Self {
        Self { health, observer }
    }

    /// Runs one that never ends.
    pub fn spawn(&self, name: String, work: impl Future<Output = ()> + Send + 'static) {
        let tasks = self.clone();
        tokio::spawn(async move {
            if survived(&tasks.observer, &name, work).await {
                let message = "it ended";
                tasks.observer.emit(&Event::TaskEnded { task: &name, message });
            }
            tasks.health.fail(&name);
        });
    }

    /// Runs one that ends when the program stops, or when nobody needs it any more; a panic is no such end.
    pub fn spawn_for_a_time(
        &self,
        name: String,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let tasks = self.clone();
        tokio::spawn(async move {
            if !survived(&tasks.observer, &name, work).await {
                tasks.health.fail(&name);
            }
        })
    }
}

/// Runs to the end; gives whether that was without a panic, which is told.
pub async fn survived(observer: &Observer, name: &str, work: impl Future<Output = ()> + Send) -> bool {
    let Err(panic) = AssertUnwindSafe(work).catch_unwind().await else {
        return true;
    };
    let message = words(panic.as_ref());
    observer.emit(&Event::TaskEnded { task: name, message });
    false
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("it panicked")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Level, Metrics};

    /// At the end of the program nothing is wrong.
    #[tokio::test]
    async fn a_task_that_may_end_does_so_silently() {
        let observer = Observer::new(Level::Error, Metrics::new().expect("names differ"));
        let health = Arc::new(Health::default());
        let tasks = Tasks::new(Arc::clone(&health), observer.clone());
        let task = tasks.spawn_for_a_time("writing events".to_owned(), async {});
        task.await.expect("no panic");
        assert_eq!(health.failed(), None);
        let text = String::from_utf8(observer.metrics.text()).expect("text");
        assert!(!text.contains("task-ended"), "{text}");
        let failing = async { std::panic::panic_any("made to fail") };
        let task = tasks.spawn_for_a_time("competing".to_owned(), failing);
        task.await.expect("it is caught");
        assert_eq!(health.failed().as_deref(), Some("competing"));
    }

    #[tokio::test]
    async fn a_task_that_panics_makes_the_program_unhealthy() {
        let observer = Observer::new(Level::Error, Metrics::new().expect("names differ"));
        let health = Arc::new(Health::default());
        let tasks = Tasks::new(Arc::clone(&health), observer.clone());
        tasks.spawn("watching Table".to_owned(), async {
            tokio::task::yield_now().await;
            std::panic::panic_any("made to fail");
        });
        for _ in 0..1_000 {
            if health.failed().is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(health.failed().as_deref(), Some("watching Table"));
        let text = String::from_utf8(observer.metrics.text()).expect("text");
        assert!(text.contains("events_total{type=\"task-ended\"} 1"), "{text}");
    }
}
