//! What is worth observing: one list of events; log lines and metrics are two functions of it.

mod log;
mod metrics;

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use compile::ObjectKey;
use serde_json::{Value, json};

pub use log::{Level, now, unix_seconds};
pub use metrics::Metrics;

/// Something worth observing.
#[derive(Debug)]
pub enum Event<'e> {
    /// The program runs.
    Started {
        /// The namespaces; none: all.
        namespaces: &'e [Option<String>],
    },
    /// All objects were read once.
    Synced {
        /// How many there are.
        objects: usize,
    },
    /// This instance leads from now on.
    Leading {
        /// Its name.
        identity: &'e str,
    },
    /// It does not lead any more.
    NotLeading {
        /// Why.
        reason: &'e str,
    },
    /// The lease could not be read or written.
    LeaseFailed {
        /// Why.
        message: String,
    },
    /// A watch failed and begins again.
    WatchFailed {
        /// What is watched.
        kind: &'e str,
        /// Where; none: everywhere.
        namespace: Option<&'e str>,
        /// Why.
        message: String,
        /// As it did before.
        again: bool,
    },
    /// In a namespace that could not be read everything may be read again.
    Readable {
        /// Which one.
        namespace: &'e str,
    },
    /// A task ended that is not to end.
    TaskEnded {
        /// Which one.
        task: &'e str,
        /// Why.
        message: &'e str,
    },
    /// There are more objects than allowed.
    TooManyObjects {
        /// How many may be.
        most: usize,
    },
    /// The objects of an engine became a document.
    Compiled {
        /// Which engine.
        engine: &'e ObjectKey,
        /// How many objects.
        objects: usize,
        /// How many are not accepted.
        refused: usize,
        /// How long it took.
        took: Duration,
    },
    /// A generation was published.
    Published {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Its counter.
        counter: u64,
        /// Its hash.
        generation: &'e str,
        /// Bytes of the document.
        bytes: usize,
        /// ConfigMaps beside the index.
        parts: usize,
    },
    /// All ready pods serve what was published.
    Served {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Its counter.
        counter: u64,
        /// How many pods.
        pods: usize,
        /// Since it was published.
        took: Duration,
    },
    /// A candidate was checked by a pod.
    Checked {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Which pod.
        pod: &'e str,
        /// What the pod finds wrong.
        problems: usize,
        /// How long it took.
        took: Duration,
    },
    /// A pod did not answer.
    PodFailed {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Which pod.
        pod: &'e str,
        /// Why.
        message: String,
    },
    /// What is published, or said of it, is not believed.
    Doubted {
        /// Which engine.
        engine: &'e ObjectKey,
        /// What, and why.
        message: String,
    },
    /// Something of an engine was written.
    Applied {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Its kind.
        kind: &'e str,
        /// Its name.
        name: &'e str,
        /// Whether it had been changed or deleted by somebody else.
        restored: bool,
    },
    /// Something that is not needed any more was deleted.
    Deleted {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Its kind.
        kind: &'e str,
        /// Its name.
        name: &'e str,
    },
    /// Work on an engine failed.
    WorkFailed {
        /// Which engine.
        engine: &'e ObjectKey,
        /// Why.
        message: String,
        /// When it is tried again; never: when something changes.
        again: Option<Duration>,
    },
    /// A status was written.
    StatusWritten,
    /// A status could not be written.
    StatusFailed {
        /// Of which object.
        object: &'e ObjectKey,
        /// Why.
        message: String,
    },
    /// A Kubernetes Event could not be written, or was one too many.
    EventDropped,
    /// The program ends.
    Stopped,
}

/// Takes events.
#[derive(Clone, Debug)]
pub struct Observer {
    least: Level,
    /// The figures.
    pub metrics: Arc<Metrics>,
}

impl Observer {
    /// Logs from a level on.
    pub fn new(least: Level, metrics: Metrics) -> Self {
        Self {
            least,
            metrics: Arc::new(metrics),
        }
    }

    /// Counts the event and logs it.
    pub fn emit(&self, event: &Event<'_>) {
        self.metrics.count(event);
        let Some((level, kind, message, fields)) = line(event) else {
            return;
        };
        if level >= self.least {
            log::write(level, kind, &message, fields);
        }
    }
}

/// Level, kind, message and fields of the line; some events are counted only.
fn line(event: &Event<'_>) -> Option<(Level, &'static str, String, Value)> {
    use Level::{Debug, Error, Info, Warn};
    Some(match event {
        Event::Started { namespaces } => {
            let version = env!("CARGO_PKG_VERSION");
            (
                Info,
                "started",
                format!("rowlock-operator {version} runs"),
                json!({"version": version, "namespaces": namespaces}),
            )
        }
        Event::Synced { objects } => (
            Info,
            "synced",
            format!("{objects} objects read"),
            json!({"objects": objects}),
        ),
        Event::Leading { identity } => (
            Info,
            "leading",
            format!("{identity} leads"),
            json!({"identity": identity}),
        ),
        Event::NotLeading { reason } => (
            Info,
            "not-leading",
            format!("does not lead: {reason}"),
            json!({"reason": reason}),
        ),
        Event::LeaseFailed { message } => (Warn, "lease-failed", message.clone(), json!({})),
        Event::WatchFailed {
            kind,
            namespace,
            message,
            again,
        } => (
            if *again { Debug } else { Warn },
            "watch-failed",
            format!("watching {kind}: {message}"),
            json!({"kind": kind, "namespace": namespace}),
        ),
        Event::Readable { namespace } => (
            Info,
            "readable",
            format!("namespace {namespace} can be read"),
            json!({"namespace": namespace}),
        ),
        Event::TaskEnded { task, message } => (
            Error,
            "task-ended",
            format!("{task}: {message}"),
            json!({"task": task}),
        ),
        Event::TooManyObjects { most } => (
            Error,
            "too-many-objects",
            format!(
                "there are more than {most} custom resources; nothing is published until some are gone, or the memory limit (or --max-objects) is raised"
            ),
            json!({"most": most}),
        ),
        Event::Compiled {
            engine,
            objects,
            refused,
            took,
        } => (
            Debug,
            "compiled",
            format!("{engine}: {objects} objects, {refused} refused"),
            json!({"engine": name(engine), "objects": objects, "refused": refused, "millis": millis(*took)}),
        ),
        Event::Published {
            engine,
            counter,
            generation,
            bytes,
            parts,
        } => (
            Info,
            "published",
            format!("{engine}: generation {generation} published"),
            json!({"engine": name(engine), "counter": counter, "generation": generation, "bytes": bytes, "parts": parts}),
        ),
        Event::Served {
            engine,
            counter,
            pods,
            took,
        } => (
            Info,
            "served",
            format!("{engine}: served by {pods} of {pods} ready pods"),
            json!({"engine": name(engine), "counter": counter, "pods": pods, "millis": millis(*took)}),
        ),
        Event::Checked {
            engine,
            pod,
            problems,
            took,
        } => (
            Debug,
            "checked",
            format!("{engine}: {pod} finds {problems} problems"),
            json!({"engine": name(engine), "pod": pod, "problems": problems, "millis": millis(*took)}),
        ),
        Event::PodFailed { engine, pod, message } => (
            Warn,
            "pod-failed",
            format!("{engine}: {pod}: {message}"),
            json!({"engine": name(engine), "pod": pod}),
        ),
        Event::Doubted { engine, message } => (
            Warn,
            "doubted",
            format!("{engine}: {message}"),
            json!({"engine": name(engine)}),
        ),
        Event::Applied {
            engine,
            kind,
            name: child,
            restored,
        } => (
            if *restored { Warn } else { Info },
            "applied",
            format!(
                "{engine}: {kind} {child} {}",
                if *restored { "restored" } else { "applied" }
            ),
            json!({"engine": name(engine), "kind": kind, "name": child, "restored": restored}),
        ),
        Event::Deleted {
            engine,
            kind,
            name: child,
        } => (
            Info,
            "deleted",
            format!("{engine}: {kind} {child} deleted"),
            json!({"engine": name(engine), "kind": kind, "name": child}),
        ),
        Event::WorkFailed {
            engine,
            message,
            again,
        } => (
            Error,
            "work-failed",
            format!("{engine}: {message}"),
            json!({"engine": name(engine), "againMillis": again.map(millis)}),
        ),
        Event::StatusFailed { object, message } => (
            Warn,
            "status-failed",
            format!("status of {object}: {message}"),
            json!({"object": object.to_string()}),
        ),
        Event::Stopped => (Info, "stopped", "stopped".to_owned(), json!({})),
        Event::StatusWritten | Event::EventDropped => return None,
    })
}

fn name(engine: &ObjectKey) -> String {
    format!("{}/{}", engine.namespace, engine.name)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// An error and its causes, on one line. What a cause repeats of the error before it is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            let _ = write!(text, ": {words}");
        }
        next = cause.source();
    }
    text
}
