//! Prometheus metrics.

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::Event;

/// All figures.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    events: IntCounterVec,
    objects: IntGauge,
    denied: IntGauge,
    leading: IntGauge,
    compile: HistogramVec,
    check: HistogramVec,
    delivery: HistogramVec,
    counter: IntGaugeVec,
    refused: IntGaugeVec,
}

/// From a millisecond to a minute.
const SECONDS: &[f64] = &[
    0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0,
];

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Two have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("rowlock_operator".to_owned()), None)?;
        let histogram = |name: &str, help: &str| {
            HistogramVec::new(
                HistogramOpts::new(name, help).buckets(SECONDS.to_vec()),
                &["engine"],
            )
        };
        let metrics = Self {
            events: IntCounterVec::new(
                Opts::new("events_total", "Events by type, as in the log."),
                &["type"],
            )?,
            objects: IntGauge::new("objects", "Custom resources known.")?,
            denied: IntGauge::new("namespaces_denied", "Namespaces that may not be read.")?,
            leading: IntGauge::new("leading", "Whether this instance leads.")?,
            compile: histogram("compile_seconds", "From objects to a document.")?,
            check: histogram("check_seconds", "A pod's check of a candidate.")?,
            delivery: histogram("delivery_seconds", "From published to served by all ready pods.")?,
            counter: IntGaugeVec::new(
                Opts::new("published_counter", "Counter of the set published last."),
                &["engine"],
            )?,
            refused: IntGaugeVec::new(
                Opts::new("objects_refused", "Objects that are not accepted."),
                &["engine"],
            )?,
            registry,
        };
        let registry = &metrics.registry;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.objects.clone()))?;
        registry.register(Box::new(metrics.denied.clone()))?;
        registry.register(Box::new(metrics.leading.clone()))?;
        registry.register(Box::new(metrics.compile.clone()))?;
        registry.register(Box::new(metrics.check.clone()))?;
        registry.register(Box::new(metrics.delivery.clone()))?;
        registry.register(Box::new(metrics.counter.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        Ok(metrics)
    }

    /// How many custom resources there are.
    pub fn set_objects(&self, objects: usize) {
        self.objects.set(i64::try_from(objects).unwrap_or(i64::MAX));
    }

    /// In how many namespaces something may not be read.
    pub fn set_denied(&self, namespaces: usize) {
        self.denied.set(i64::try_from(namespaces).unwrap_or(i64::MAX));
    }

    /// The engine is gone, and its figures with it.
    pub fn forget(&self, engine: &compile::ObjectKey) {
        let label = super::name(engine);
        for histogram in [&self.compile, &self.check, &self.delivery] {
            let _ = histogram.remove_label_values(&[&label]);
        }
        for gauge in [&self.counter, &self.refused] {
            let _ = gauge.remove_label_values(&[&label]);
        }
    }

    /// Counts an event.
    pub fn count(&self, event: &Event<'_>) {
        let kind = match event {
            Event::Started { .. } => "started",
            Event::Synced { .. } => "synced",
            Event::Leading { .. } => {
                self.leading.set(1);
                "leading"
            }
            Event::NotLeading { .. } => {
                self.leading.set(0);
                "not-leading"
            }
            Event::LeaseFailed { .. } => "lease-failed",
            Event::WatchFailed { .. } => "watch-failed",
            Event::Readable { .. } => "readable",
            Event::TaskEnded { .. } => "task-ended",
            Event::TooManyObjects { .. } => "too-many-objects",
            Event::Compiled {
                engine,
                refused,
                took,
                ..
            } => {
                let label = super::name(engine);
                self.compile
                    .with_label_values(&[&label])
                    .observe(took.as_secs_f64());
                self.refused
                    .with_label_values(&[&label])
                    .set(i64::try_from(*refused).unwrap_or(i64::MAX));
                "compiled"
            }
            Event::Published { engine, counter, .. } => {
                let counter = i64::try_from(*counter).unwrap_or(i64::MAX);
                self.counter
                    .with_label_values(&[&super::name(engine)])
                    .set(counter);
                "published"
            }
            Event::Served { engine, took, .. } => {
                self.delivery
                    .with_label_values(&[&super::name(engine)])
                    .observe(took.as_secs_f64());
                "served"
            }
            Event::Checked { engine, took, .. } => {
                self.check
                    .with_label_values(&[&super::name(engine)])
                    .observe(took.as_secs_f64());
                "checked"
            }
            Event::PodFailed { .. } => "pod-failed",
            Event::Doubted { .. } => "doubted",
            Event::Applied { restored: false, .. } => "applied",
            Event::Applied { restored: true, .. } => "restored",
            Event::Deleted { .. } => "deleted",
            Event::WorkFailed { .. } => "work-failed",
            Event::StatusWritten => "status-written",
            Event::StatusFailed { .. } => "status-failed",
            Event::EventDropped => "event-dropped",
            Event::Stopped => "stopped",
        };
        self.events.with_label_values(&[kind]).inc();
    }

    /// In the text format.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_type() {
        let metrics = Metrics::new().expect("names differ");
        metrics.count(&Event::Leading { identity: "a" });
        metrics.count(&Event::StatusWritten);
        metrics.count(&Event::StatusWritten);
        let text = String::from_utf8(metrics.text()).expect("text");
        assert!(
            text.contains("rowlock_operator_events_total{type=\"status-written\"} 2"),
            "{text}"
        );
        assert!(text.contains("rowlock_operator_leading 1"), "{text}");
    }

    /// The table in `docs/operator.md` has each figure, and no other.
    #[test]
    fn the_documented_names_are_the_names() {
        let metrics = Metrics::new().expect("metrics");
        // What has labels is there once it was counted.
        metrics.events.with_label_values(&["started"]).inc();
        for histogram in [&metrics.compile, &metrics.check, &metrics.delivery] {
            histogram.with_label_values(&["n/e"]).observe(1.0);
        }
        for gauge in [&metrics.counter, &metrics.refused] {
            gauge.with_label_values(&["n/e"]).set(1);
        }
        let families = metrics.registry.gather();
        let names: Vec<&str> = families.iter().map(|family| family.name()).collect();
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operator.md");
        let docs = std::fs::read_to_string(docs).expect("the page");
        let prefix = "rowlock_operator_";
        let (_, table) = docs
            .split_once(&format!("all with the prefix `{prefix}`"))
            .expect("the table");
        let rows = table.lines().skip(1).skip_while(|line| line.is_empty());
        let rows = rows.take_while(|line| line.starts_with('|'));
        let mut documented: Vec<String> = rows
            .filter_map(|row| row.strip_prefix("| `")?.split(['`', '{']).next())
            .map(|name| format!("{prefix}{name}"))
            .collect();
        documented.sort();
        assert_eq!(names, documented);
    }
}
