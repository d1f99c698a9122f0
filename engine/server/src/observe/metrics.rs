//! Counters, gauges and histograms under Hasura's names, in Prometheus's text format.

mod websocket;

use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use rustc_hash::FxHashMap;

use super::http::{HttpEvent, OperationLog};
pub use websocket::WebsocketMetrics;

/// Distinct (operation name, query hash) pairs that get labels of their own; what comes later is counted without.
/// Ten thousand shapes are some 10 MiB of exposition, far above what a set of applications uses.
const MOST_OPERATIONS: usize = 10_000;

/// Everything that is measured.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    high_cardinality: bool,
    requests: IntCounterVec,
    known_requests: RwLock<FxHashMap<RequestKey, IntCounter>>,
    query_time: Histogram,
    mutation_time: Histogram,
    request_bytes: IntCounter,
    response_bytes: IntCounter,
    connections: IntGauge,
    websockets: WebsocketMetrics,
    health: IntGaugeVec,
    generation_version: IntGauge,
    generation_problems: IntGauge,
    generations: IntCounter,
    generation_time: Histogram,
    rate_store: IntGauge,
    rate_fallbacks: IntCounter,
}

type RequestKey = (&'static str, bool, Option<Arc<str>>, Option<Arc<str>>);

/// What is only known at the moment of a scrape.
#[derive(Debug, Default)]
pub struct Scrape {
    /// Connections by source.
    pub pools: Vec<(String, Vec<pg::MemberMetrics>)>,
    /// The plan cache.
    pub plans: PlanCacheFigures,
    /// Log lines dropped.
    pub dropped_log_lines: u64,
    /// Hash of the generation served.
    pub generation: String,
    /// Counter of the published set it is.
    pub counter: Option<u64>,
    /// Whether that set is kept for a restart; nothing where none is to be.
    pub is_kept: Option<bool>,
}

/// How the plan cache does.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct PlanCacheFigures {
    /// Requests served from it.
    pub hits: u64,
    /// Requests planned anew.
    pub misses: u64,
    /// Cached plans.
    pub entries: u64,
    /// Their estimated size.
    pub bytes: u64,
}

impl Metrics {
    /// With or without labels of unbounded number.
    pub fn new(high_cardinality: bool) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let execution = kept(
            &registry,
            HistogramVec::new(
                HistogramOpts::new(
                    "hasura_graphql_execution_time_seconds",
                    "Execution time of successful GraphQL operations",
                )
                .buckets(SECONDS.to_vec()),
                &["operation_type"],
            ),
        )?;
        let requests = kept(
            &registry,
            IntCounterVec::new(
                Opts::new("hasura_graphql_requests_total", "GraphQL operations answered"),
                &[
                    "operation_type",
                    "response_status",
                    "operation_name",
                    "parameterized_query_hash",
                ],
            ),
        )?;
        let health = kept(
            &registry,
            IntGaugeVec::new(
                Opts::new(
                    "hasura_source_health",
                    "Health of a source: 0 OK, 1 TIMEOUT, 2 FAILED, 3 ERROR",
                ),
                &["source_name"],
            ),
        )?;
        let generation_time = kept(
            &registry,
            Histogram::with_opts(
                HistogramOpts::new("rowlock_generation_build_seconds", "Time to make a generation")
                    .buckets(SECONDS.to_vec()),
            ),
        )?;
        let counter = |name: &str, help: &str| kept(&registry, IntCounter::new(name, help));
        let gauge = |name: &str, help: &str| kept(&registry, IntGauge::new(name, help));
        Ok(Self {
            high_cardinality,
            query_time: execution.with_label_values(&["query"]),
            mutation_time: execution.with_label_values(&["mutation"]),
            known_requests: RwLock::default(),
            request_bytes: counter(
                "hasura_http_request_bytes_total",
                "Bytes of request bodies received",
            )?,
            response_bytes: counter(
                "hasura_http_response_bytes_total",
                "Bytes of response bodies sent",
            )?,
            connections: gauge("hasura_http_connections", "Open HTTP connections")?,
            websockets: WebsocketMetrics::new(&registry, high_cardinality)?,
            generation_version: gauge(
                "rowlock_metadata_resource_version",
                "Resource version of the metadata served",
            )?,
            generation_problems: gauge(
                "rowlock_inconsistent_objects",
                "Inconsistent objects of the metadata served",
            )?,
            generations: counter("rowlock_generations_total", "Generations made since the start")?,
            generation_time,
            rate_store: gauge(
                "rowlock_rate_limit_redis_up",
                "1 while requests are counted in Redis, 0 while each instance counts its own",
            )?,
            rate_fallbacks: counter(
                "rowlock_rate_limit_fallbacks_total",
                "Requests that Redis was to count and this instance counted alone",
            )?,
            requests,
            health,
            registry,
        })
    }

    /// Redis counts requests, or not.
    pub fn rate_store(&self, up: bool) {
        self.rate_store.set(up.into());
    }

    /// Redis was to count a request and did not.
    pub fn rate_fallback(&self) {
        self.rate_fallbacks.inc();
    }

    /// The gauge of open connections.
    pub fn connections(&self) -> &IntGauge {
        &self.connections
    }

    /// A request was answered.
    pub fn http(&self, event: &HttpEvent<'_>) {
        self.request_bytes.inc_by(as_u64(event.request_size));
        self.response_bytes.inc_by(as_u64(event.response_size));
        for operation in event.operations {
            self.operation(operation);
        }
    }

    /// What is measured of websockets.
    pub fn websockets(&self) -> &WebsocketMetrics {
        &self.websockets
    }

    /// An operation was answered.
    pub fn operation(&self, operation: &OperationLog) {
        match (operation.kind, operation.success) {
            ("query", true) => self.query_time.observe(operation.took.as_secs_f64()),
            ("mutation", true) => self.mutation_time.observe(operation.took.as_secs_f64()),
            _ => {}
        }
        let (name, hash) = if self.high_cardinality {
            (operation.name.clone(), operation.hash.clone())
        } else {
            (None, None)
        };
        self.request_counter((operation.kind, operation.success, name, hash))
            .inc();
    }

    fn request_counter(&self, key: RequestKey) -> IntCounter {
        {
            let known = self.known_requests.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(counter) = known.get(&key) {
                return counter.clone();
            }
        }
        let mut known = self
            .known_requests
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let key = if known.len() < MOST_OPERATIONS {
            key
        } else {
            (key.0, key.1, None, None)
        };
        let counter = self.requests.with_label_values(&[
            key.0,
            if key.1 { "success" } else { "failed" },
            key.2.as_deref().unwrap_or_default(),
            key.3.as_deref().unwrap_or_default(),
        ]);
        known.insert(key, counter.clone());
        counter
    }

    /// A generation is served.
    pub fn generation(&self, resource_version: i64, problems: usize, took: Duration) {
        self.generation_version.set(resource_version);
        self.generation_problems
            .set(i64::try_from(problems).unwrap_or(i64::MAX));
        self.generations.inc();
        self.generation_time.observe(took.as_secs_f64());
    }

    /// A source is so well; gives how it was before.
    pub fn source_health(&self, source: &str, health: i64) -> i64 {
        let gauge = self.health.with_label_values(&[source]);
        let before = gauge.get();
        gauge.set(health);
        before
    }

    /// A source is gone.
    pub fn forget_source(&self, source: &str) {
        let _ = self.health.remove_label_values(&[source]);
    }

    /// All of it as text.
    pub fn render(&self, scrape: &Scrape) -> String {
        let mut bytes = Vec::new();
        let mut text = match TextEncoder::new().encode(&self.registry.gather(), &mut bytes) {
            Ok(()) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(_) => String::new(),
        };
        render_pools(&mut text, &scrape.pools);
        let plans = scrape.plans;
        series(
            &mut text,
            "hasura_cache_request_count",
            "counter",
            "Lookups in the plan cache",
            [
                ("{status=\"hit\"}".to_owned(), plans.hits as f64),
                ("{status=\"miss\"}".to_owned(), plans.misses as f64),
            ],
        );
        let info = [(format!("{{hash=\"{}\"}}", escaped(&scrape.generation)), 1.0)];
        series(
            &mut text,
            "rowlock_generation_info",
            "gauge",
            "The generation served, by the hash of its document",
            info,
        );
        if let Some(counter) = scrape.counter {
            series(
                &mut text,
                "rowlock_generation_counter",
                "gauge",
                "Counter of the published set that is served",
                [(String::new(), counter as f64)],
            );
        }
        if let Some(is_kept) = scrape.is_kept {
            series(
                &mut text,
                "rowlock_set_kept",
                "gauge",
                "1 while the published set that is served is kept for a restart, 0 while it could not be",
                [(String::new(), f64::from(u8::from(is_kept)))],
            );
        }
        for (name, kind, help, value) in [
            (
                "rowlock_plan_cache_entries",
                "gauge",
                "Cached plans",
                plans.entries,
            ),
            (
                "rowlock_plan_cache_bytes",
                "gauge",
                "Estimated size of cached plans",
                plans.bytes,
            ),
            (
                "rowlock_log_lines_dropped_total",
                "counter",
                "Log lines that nobody read fast enough",
                scrape.dropped_log_lines,
            ),
        ] {
            series(&mut text, name, kind, help, [(String::new(), value as f64)]);
        }
        text
    }
}

/// One figure of a pool: name, type, help, how to read it.
type PoolFigure = (
    &'static str,
    &'static str,
    &'static str,
    fn(&pg::PoolMetrics) -> f64,
);

const POOL_FIGURES: &[PoolFigure] = &[
    (
        "hasura_postgres_connections",
        "gauge",
        "Open connections",
        |pool| pool.connections as f64,
    ),
    (
        "rowlock_postgres_idle_connections",
        "gauge",
        "Open connections with nothing to do",
        |pool| pool.idle as f64,
    ),
    (
        "rowlock_postgres_max_connections",
        "gauge",
        "Connections allowed",
        |pool| pool.max_connections as f64,
    ),
    (
        "rowlock_postgres_waiting_statements",
        "gauge",
        "Statements waiting for a connection",
        |pool| pool.waiting as f64,
    ),
    (
        "rowlock_postgres_turned_away_total",
        "counter",
        "Statements refused because too many were waiting for a connection",
        |pool| pool.turned_away as f64,
    ),
    (
        "rowlock_postgres_connects_total",
        "counter",
        "Connections made",
        |pool| pool.connects as f64,
    ),
    (
        "hasura_postgres_connection_error_total",
        "counter",
        "Connection attempts that failed",
        |pool| pool.connect_errors as f64,
    ),
    (
        "rowlock_postgres_statements_total",
        "counter",
        "Statements run",
        |pool| pool.statements as f64,
    ),
    (
        "rowlock_postgres_statement_errors_total",
        "counter",
        "Statements that failed",
        |pool| pool.statement_errors as f64,
    ),
];

/// One histogram of a pool: name, help, how to read it.
type PoolDurations = (&'static str, &'static str, fn(&pg::PoolMetrics) -> &pg::Durations);

const POOL_DURATIONS: &[PoolDurations] = &[
    (
        "hasura_postgres_connection_init_time",
        "Seconds it took to make a connection",
        |pool| &pool.connect,
    ),
    (
        "hasura_postgres_pool_wait_time",
        "Seconds a statement waited for a connection",
        |pool| &pool.wait,
    ),
];

fn render_pools(text: &mut String, pools: &[(String, Vec<pg::MemberMetrics>)]) {
    let members: Vec<(String, &pg::PoolMetrics)> = pools
        .iter()
        .flat_map(|(source, members)| members.iter().map(move |member| (source, member)))
        .map(|(source, member)| {
            let labels = format!(
                "conn_info=\"{}\",role=\"{}\",source_name=\"{}\"",
                escaped(&member.label),
                member.role.as_str(),
                escaped(source)
            );
            (labels, &member.pool)
        })
        .collect();
    for (name, kind, help, read) in POOL_FIGURES {
        let samples = members
            .iter()
            .map(|(labels, pool)| (format!("{{{labels}}}"), read(pool)));
        series(text, name, kind, help, samples);
    }
    for (name, help, read) in POOL_DURATIONS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        for (labels, pool) in &members {
            histogram(text, name, labels, read(pool));
        }
    }
}

/// The samples of one histogram.
fn histogram(text: &mut String, name: &str, labels: &str, durations: &pg::Durations) {
    let mut within = 0;
    for (bound, count) in pg::Durations::BOUNDS.iter().zip(&durations.counts) {
        within += count;
        let _ = writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {within}");
    }
    let count = durations.count();
    let seconds = durations.micros as f64 / 1e6;
    let _ = writeln!(
        text,
        "{name}_bucket{{{labels},le=\"+Inf\"}} {count}\n{name}_sum{{{labels}}} {seconds}\n{name}_count{{{labels}}} {count}"
    );
}

/// One family in text form.
fn series(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    samples: impl IntoIterator<Item = (String, f64)>,
) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Registers what was made.
fn kept<C: Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let made = made?;
    registry.register(Box::new(made.clone()))?;
    Ok(made)
}

/// Seconds, in Hasura's buckets for execution times.
const SECONDS: &[f64] = &[0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(name: &str) -> OperationLog {
        OperationLog {
            kind: "query",
            name: Some(Arc::from(name)),
            hash: Some(Arc::from("abc")),
            success: true,
            took: Duration::from_millis(20),
        }
    }

    #[test]
    fn all_families_are_registered_and_readable() {
        let metrics = Metrics::new(true).unwrap();
        metrics.operation(&operation("artists"));
        metrics.websockets().sender(Some(&operation("artists"))).inc_by(9);
        metrics.source_health("default", 2);
        let mut member = pg::MemberMetrics {
            label: "PG_URL".to_owned(),
            role: pg::MemberRole::Replica,
            pool: pg::PoolMetrics::default(),
        };
        member.pool.wait.counts[1] = 2;
        member.pool.wait.counts[10] = 1;
        member.pool.wait.micros = 150_000_000;
        let text = metrics.render(&Scrape {
            pools: vec![("a\"b".to_owned(), vec![member])],
            generation: "abc".to_owned(),
            counter: Some(7),
            is_kept: Some(false),
            ..Scrape::default()
        });
        for line in [
            r#"hasura_graphql_requests_total{operation_name="artists",operation_type="query",parameterized_query_hash="abc",response_status="success"} 1"#,
            r#"hasura_graphql_execution_time_seconds_bucket{operation_type="query",le="0.03"} 1"#,
            r#"hasura_source_health{source_name="default"} 2"#,
            r#"hasura_postgres_connections{conn_info="PG_URL",role="replica",source_name="a\"b"} 0"#,
            "# TYPE hasura_postgres_pool_wait_time histogram",
            r#"hasura_postgres_pool_wait_time_bucket{conn_info="PG_URL",role="replica",source_name="a\"b",le="0.000001"} 0"#,
            r#"hasura_postgres_pool_wait_time_bucket{conn_info="PG_URL",role="replica",source_name="a\"b",le="100"} 2"#,
            r#"hasura_postgres_pool_wait_time_bucket{conn_info="PG_URL",role="replica",source_name="a\"b",le="+Inf"} 3"#,
            r#"hasura_postgres_pool_wait_time_sum{conn_info="PG_URL",role="replica",source_name="a\"b"} 150"#,
            r#"hasura_postgres_connection_init_time_count{conn_info="PG_URL",role="replica",source_name="a\"b"} 0"#,
            "hasura_http_connections 0",
            "hasura_websocket_connections 0",
            "hasura_websocket_messages_received_bytes_total 0",
            r#"hasura_websocket_message_queue_time_bucket{le="0.000001"} 0"#,
            "hasura_websocket_message_write_time_count 0",
            r#"hasura_websocket_messages_sent_bytes_total{operation_name="artists",parameterized_query_hash="abc"} 9"#,
            "hasura_http_request_bytes_total 0",
            "hasura_http_response_bytes_total 0",
            "rowlock_metadata_resource_version 0",
            "rowlock_inconsistent_objects 0",
            "rowlock_set_kept 0",
            "rowlock_generations_total 0",
            "rowlock_rate_limit_redis_up 0",
            "rowlock_rate_limit_fallbacks_total 0",
            "rowlock_generation_build_seconds_count 0",
            r#"hasura_cache_request_count{status="hit"} 0"#,
            r#"rowlock_generation_info{hash="abc"} 1"#,
            "rowlock_generation_counter 7",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn labels_of_unbounded_number_are_bounded() {
        let metrics = Metrics::new(true).unwrap();
        for number in 0..MOST_OPERATIONS + 100 {
            let operation = operation(&format!("o{number}"));
            metrics.operation(&operation);
            metrics.websockets().sender(Some(&operation)).inc();
        }
        assert!(metrics.websockets().senders() <= MOST_OPERATIONS + 1);
        assert!(metrics.known_requests.read().unwrap().len() <= MOST_OPERATIONS + 1);
        let metrics = Metrics::new(false).unwrap();
        metrics.operation(&operation("artists"));
        assert!(!metrics.render(&Scrape::default()).contains("artists"));
    }
}
