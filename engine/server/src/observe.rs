//! Everything worth observing, as one list. Modules emit an [`Event`]; the log and the metrics are two readers of it,
//! so that nobody formats a log line in passing.

pub mod defect;
pub mod http;
pub mod log;
pub mod metrics;
pub mod websocket;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::settings::Settings;
pub use http::{HttpEvent, OperationLog, RequestLog};
use log::{Level, LogType, Logger};
use metrics::Metrics;
use websocket::WebsocketEvent;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A step of the start is done.
    Startup {
        /// `server_configuration`, `postgres_connection`, `db_migrate`, `schema_cache`, …
        kind: &'static str,
        /// Details.
        info: Value,
    },
    /// A setting without effect, an unsafe configuration.
    StartupWarning {
        /// What about.
        kind: &'static str,
        /// What.
        message: String,
    },
    /// A statement is about to be run, or a constant answered.
    Query {
        /// Request id.
        request_id: &'a str,
        /// The operation as sent.
        query: Value,
        /// SQL and arguments by root field.
        generated_sql: Value,
        /// `database` or `introspection`.
        kind: &'static str,
    },
    /// Objects that cannot be served.
    InconsistentMetadata(Value),
    /// A new generation is served.
    Generation {
        /// Its number within this process.
        number: u64,
        /// Its resource version.
        resource_version: i64,
        /// Hash of its document.
        hash: &'a str,
        /// Inconsistent objects.
        problems: usize,
        /// How long it took to resolve.
        build_time: Duration,
    },
    /// Work on metadata changes of other instances.
    SchemaSync {
        /// How bad.
        level: Level,
        /// `listener`, `processor` or `metadata-api`.
        thread: &'static str,
        /// What.
        info: Value,
    },
    /// The health of a source changed or was measured.
    SourceHealth {
        /// Which.
        source: &'a str,
        /// OK, TIMEOUT, FAILED or ERROR.
        health: Health,
        /// Why it is not well.
        error: Option<String>,
    },
    /// Keys were fetched, or not.
    JwkRefresh {
        /// How bad.
        level: Level,
        /// Where from, without its query.
        url: &'a str,
        /// What.
        message: &'a str,
    },
    /// The authentication hook was asked.
    Webhook {
        /// How bad.
        level: Level,
        /// Which, without its query.
        url: &'a str,
        /// GET or POST.
        method: &'static str,
        /// Status of its answer, if there was one.
        status: Option<u16>,
        /// Why the request was refused.
        error: Option<String>,
    },
    /// The Redis that counts requests has come or gone.
    RateStore(&'a rate::Standing),
    /// A webhook was asked about the input of a mutation.
    Validation {
        /// The request's id.
        request_id: &'a str,
        /// Which, without its query.
        url: &'a str,
        /// Status of its answer, if there was one.
        status: Option<u16>,
        /// Why the mutation was refused.
        error: Option<&'a str>,
    },
    /// A line without structure.
    Unstructured {
        /// How bad.
        level: Level,
        /// What.
        message: String,
    },
    /// A defect: a task panicked.
    Defect(String),
}

/// How a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Ok,
    /// It does not answer in time.
    Timeout,
    /// It answers with an error.
    Failed,
    /// It cannot be asked.
    Error,
}

impl Health {
    /// As `/healthz/sources` prints it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Timeout => "TIMEOUT",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
        }
    }

    /// As `hasura_source_health` counts it.
    fn as_gauge(self) -> i64 {
        match self {
            Self::Ok => 0,
            Self::Timeout => 1,
            Self::Failed => 2,
            Self::Error => 3,
        }
    }
}

/// Emits events; cheap to clone.
#[derive(Debug, Clone)]
pub struct Observer {
    logger: Logger,
    /// What is measured, for those who read gauges at the moment of a scrape.
    pub metrics: Arc<Metrics>,
    query_only_on_error: bool,
}

impl Observer {
    /// From settings; lines go to standard output.
    pub fn new(settings: &Settings) -> prometheus::Result<Self> {
        Self::with_logger(settings, Logger::to_stdout(&settings.log))
    }

    /// From settings, with lines going elsewhere.
    pub fn with_logger(settings: &Settings, logger: Logger) -> prometheus::Result<Self> {
        Ok(Self {
            logger,
            metrics: Arc::new(Metrics::new(settings.metrics.high_cardinality)?),
            query_only_on_error: settings.log.query_only_on_error,
        })
    }

    /// Whether query-log lines are written: making their detail is not free.
    pub fn wants_queries(&self) -> bool {
        self.logger.writes(LogType::QueryLog, Level::Info)
    }

    /// Whether websocket-log lines are written.
    pub fn wants_websockets(&self) -> bool {
        self.logger.writes(LogType::WebsocketLog, Level::Error)
    }

    /// Lines that could not be written because nobody read the output fast enough.
    pub fn dropped_lines(&self) -> u64 {
        self.logger.dropped()
    }

    /// Waits until all lines so far are written, at the end of the program.
    pub fn flush(&self) {
        self.logger.flush(Duration::from_secs(2));
    }

    /// Something happened.
    pub fn emit(&self, event: Event<'_>) {
        match event {
            Event::Startup { kind, info } => {
                self.line(Level::Info, LogType::Startup, &json!({"kind": kind, "info": info}));
            }
            Event::StartupWarning { kind, message } => {
                self.line(Level::Warn, LogType::Startup, &json!({"kind": kind, "info": message}));
            }
            Event::Query {
                request_id,
                query,
                generated_sql,
                kind,
            } => self.line(
                Level::Info,
                LogType::QueryLog,
                &json!({"query": query, "generated_sql": generated_sql, "request_id": request_id, "kind": kind}),
            ),
            Event::InconsistentMetadata(objects) => {
                self.line(Level::Warn, LogType::InconsistentMetadata, &json!({"objects": objects}));
            }
            Event::Generation {
                number,
                resource_version,
                hash,
                problems,
                build_time,
            } => {
                self.metrics.generation(resource_version, problems, build_time);
                self.line(
                    Level::Info,
                    LogType::Metadata,
                    &json!({
                        "kind": "generation",
                        "info": {
                            "number": number,
                            "resource_version": resource_version,
                            "hash": hash,
                            "seconds": build_time.as_secs_f64(),
                            "inconsistent_objects": problems,
                        },
                    }),
                );
            }
            Event::SchemaSync { level, thread, info } => {
                self.line(level, LogType::SchemaSync, &json!({"thread_type": thread, "info": info}));
            }
            Event::SourceHealth { source, health, error } => {
                let before = self.metrics.source_health(source, health.as_gauge());
                if before != health.as_gauge() {
                    let level = if health == Health::Ok { Level::Info } else { Level::Error };
                    self.line(
                        level,
                        LogType::PgClient,
                        &json!({"source": source, "health": health.as_str(), "message": error}),
                    );
                }
            }
            Event::JwkRefresh { level, url, message } => self.line(
                level,
                LogType::JwkRefreshLog,
                &json!({"message": message, "url": url}),
            ),
            Event::Webhook {
                level,
                url,
                method,
                status,
                error,
            } => self.line(
                level,
                LogType::WebhookLog,
                &json!({
                    "status_code": status,
                    "url": url,
                    "method": method,
                    "http_error": error.as_deref().filter(|_| status.is_none()),
                    "response": null,
                    "message": error.as_deref(),
                }),
            ),
            Event::RateStore(standing) => {
                let (level, message) = match standing {
                    rate::Standing::Up => (Level::Info, "requests are counted in Redis".to_owned()),
                    rate::Standing::Away(reason) => (
                        Level::Error,
                        format!("Redis is away, requests are counted by this instance alone: {reason}"),
                    ),
                };
                self.metrics.rate_store(*standing == rate::Standing::Up);
                self.line(level, LogType::Unstructured, &Value::String(message));
            }
            Event::Validation {
                request_id,
                url,
                status,
                error,
            } => self.line(
                Level::Info,
                LogType::ValidateInsertInputLog,
                &json!({
                    "type": "http",
                    "details": {
                        "request_id": request_id,
                        "url": url,
                        "response_status": status,
                        "error": error,
                    },
                }),
            ),
            Event::Unstructured { level, message } => {
                self.line(level, LogType::Unstructured, &Value::String(message));
            }
            Event::Defect(message) => {
                self.line(Level::Error, LogType::UnhandledInternalError, &Value::String(message));
            }
        }
    }

    /// A request was answered. Apart from the other events because it is the only frequent one.
    pub fn http(&self, event: &HttpEvent<'_>) {
        self.metrics.http(event);
        let level = if event.error.is_some() {
            Level::Error
        } else {
            Level::Info
        };
        self.logger.write_with(level, LogType::HttpLog, |line| {
            event.write_detail(line, self.query_only_on_error);
        });
    }

    /// Something happened on a websocket, or to one that was wanted. Apart from the others because it is frequent.
    pub fn websocket(&self, event: &WebsocketEvent<'_>) {
        if let Some(operation) = event.ended() {
            self.metrics.operation(operation);
        }
        self.logger
            .write_with(event.level(), LogType::WebsocketLog, |line| {
                event.write_detail(line, self.query_only_on_error);
            });
    }

    fn line(&self, level: Level, kind: LogType, detail: &Value) {
        self.logger.write(level, kind, detail);
    }
}
