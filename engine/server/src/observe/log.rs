//! Hasura's log: one JSON object per line on standard output.
//!
//! Lines gather in a bounded buffer that a thread of its own writes out every few milliseconds, so that a slow reader of
//! the output never slows a request, and a busy engine does not wake the writer for each line. What does not fit is
//! dropped and counted.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::settings::Log;

/// Bytes waiting for the writer at most: at 1 KiB a line, half a second of a very busy engine's log.
const MOST_BYTES: usize = 8 << 20;

/// How long the writer waits for more lines after the first.
const GATHER: Duration = Duration::from_millis(5);

/// How bad a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For finding defects.
    Debug,
    /// Normal operation.
    Info,
    /// To look at.
    Warn,
    /// Failed.
    Error,
}

impl Level {
    /// From a setting, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// As a line has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// `type` of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogType {
    /// `startup`
    Startup,
    /// `http-log`
    HttpLog,
    /// `webhook-log`
    WebhookLog,
    /// `websocket-log`
    WebsocketLog,
    /// `query-log`
    QueryLog,
    /// `execution-log`
    ExecutionLog,
    /// `livequery-poller-log`
    LivequeryPollerLog,
    /// `action-handler-log`
    ActionHandlerLog,
    /// `data-connector-log`
    DataConnectorLog,
    /// `jwk-refresh-log`
    JwkRefreshLog,
    /// `validate-insert-input-log`
    ValidateInsertInputLog,
    /// `unstructured`
    Unstructured,
    /// `unhandled-internal-error`
    UnhandledInternalError,
    /// `inconsistent_metadata`
    InconsistentMetadata,
    /// `schema-sync`
    SchemaSync,
    /// `pg-client`
    PgClient,
    /// `metadata`
    Metadata,
}

impl LogType {
    /// Names of the types that can be selected, for messages.
    pub const SELECTABLE: &'static str = "startup, http-log, webhook-log, websocket-log, query-log, execution-log, \
        livequery-poller-log, action-handler-log, data-connector-log, jwk-refresh-log, validate-insert-input-log";

    /// A type that can be selected, by name.
    pub fn selectable(name: &str) -> Option<Self> {
        [
            Self::Startup,
            Self::HttpLog,
            Self::WebhookLog,
            Self::WebsocketLog,
            Self::QueryLog,
            Self::ExecutionLog,
            Self::LivequeryPollerLog,
            Self::ActionHandlerLog,
            Self::DataConnectorLog,
            Self::JwkRefreshLog,
            Self::ValidateInsertInputLog,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == name)
    }

    /// The types that are written unless the settings say otherwise.
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::Startup,
            Self::HttpLog,
            Self::WebhookLog,
            Self::WebsocketLog,
            Self::JwkRefreshLog,
        ]
    }

    /// As a line has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::HttpLog => "http-log",
            Self::WebhookLog => "webhook-log",
            Self::WebsocketLog => "websocket-log",
            Self::QueryLog => "query-log",
            Self::ExecutionLog => "execution-log",
            Self::LivequeryPollerLog => "livequery-poller-log",
            Self::ActionHandlerLog => "action-handler-log",
            Self::DataConnectorLog => "data-connector-log",
            Self::JwkRefreshLog => "jwk-refresh-log",
            Self::ValidateInsertInputLog => "validate-insert-input-log",
            Self::Unstructured => "unstructured",
            Self::UnhandledInternalError => "unhandled-internal-error",
            Self::InconsistentMetadata => "inconsistent_metadata",
            Self::SchemaSync => "schema-sync",
            Self::PgClient => "pg-client",
            Self::Metadata => "metadata",
        }
    }

    /// Written whatever is selected.
    fn is_internal(self) -> bool {
        matches!(
            self,
            Self::Unstructured
                | Self::UnhandledInternalError
                | Self::InconsistentMetadata
                | Self::SchemaSync
                | Self::PgClient
                | Self::Metadata
        )
    }
}

/// Writes lines; cheap to clone.
#[derive(Debug, Clone)]
pub struct Logger {
    shared: Arc<Shared>,
    level: Level,
    types: Arc<[LogType]>,
}

#[derive(Debug, Default)]
struct Shared {
    buffer: Mutex<Buffer>,
    arrived: Condvar,
    written: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Buffer {
    /// Lines not yet taken by the writer.
    bytes: Vec<u8>,
    /// Lines queued since the start.
    queued: u64,
    /// Lines written since the start.
    written: u64,
    /// Somebody waits for the writer: it does not wait for more lines.
    urgent: bool,
}

impl Logger {
    /// To standard output.
    pub fn to_stdout(settings: &Log) -> Self {
        Self::to(settings, std::io::stdout())
    }

    /// To any writer.
    pub fn to(settings: &Log, writer: impl Write + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let logger = Self {
            shared: Arc::clone(&shared),
            level: settings.level,
            types: settings.types.clone().into(),
        };
        // Without a thread there is no log; the program still serves.
        let _ = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.write_forever(writer));
        logger
    }

    /// Whether a line of this type and level would be written.
    pub fn writes(&self, kind: LogType, level: Level) -> bool {
        level >= self.level && (kind.is_internal() || self.types.contains(&kind))
    }

    /// Queues a line, or drops it if the buffer is full.
    pub fn write(&self, level: Level, kind: LogType, detail: &Value) {
        self.write_with(level, kind, |line| {
            let _ = serde_json::to_writer(line, detail);
        });
    }

    /// The same, with a function that writes the detail's JSON.
    pub fn write_with(&self, level: Level, kind: LogType, detail: impl FnOnce(&mut Vec<u8>)) {
        if !self.writes(kind, level) {
            return;
        }
        let mut line = Vec::with_capacity(1024);
        line.extend_from_slice(b"{\"detail\":");
        detail(&mut line);
        // Writing to a vector cannot fail.
        let _ = writeln!(
            line,
            ",\"level\":\"{}\",\"timestamp\":\"{}\",\"type\":\"{}\"}}",
            level.as_str(),
            Timestamp(SystemTime::now()),
            kind.as_str()
        );
        self.shared.queue(&line);
    }

    /// How many lines were dropped.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything queued is written, `patience` at most.
    pub fn flush(&self, patience: Duration) {
        let mut buffer = self.shared.lock();
        let goal = buffer.queued;
        buffer.urgent = true;
        self.shared.arrived.notify_one();
        let _ = self
            .shared
            .written
            .wait_timeout_while(buffer, patience, |buffer| buffer.written < goal);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queue(&self, line: &[u8]) {
        let mut buffer = self.lock();
        if buffer.bytes.len() + line.len() > MOST_BYTES {
            drop(buffer);
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let first = buffer.bytes.is_empty();
        buffer.bytes.extend_from_slice(line);
        buffer.queued += 1;
        drop(buffer);
        // The writer only sleeps without a deadline while the buffer is empty.
        if first {
            self.arrived.notify_one();
        }
    }

    fn write_forever(&self, mut writer: impl Write) {
        let mut taken = Vec::new();
        loop {
            let buffer = self.lock();
            let buffer = self
                .arrived
                .wait_while(buffer, |buffer| buffer.bytes.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            let (mut buffer, _) = self
                .arrived
                .wait_timeout_while(buffer, GATHER, |buffer| !buffer.urgent)
                .unwrap_or_else(PoisonError::into_inner);
            buffer.urgent = false;
            std::mem::swap(&mut buffer.bytes, &mut taken);
            let written = buffer.queued;
            drop(buffer);
            // Nobody may be reading the output any more; that must not end the engine.
            let _ = writer.write_all(&taken).and_then(|()| writer.flush());
            taken.clear();
            self.lock().written = written;
            self.written.notify_all();
        }
    }
}

/// `2026-01-31T23:59:59.123+0000`
#[derive(Debug, Clone, Copy)]
pub struct Timestamp(pub SystemTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since.as_secs();
        let (year, month, day) = civil(i64::try_from(seconds / 86_400).unwrap_or(0));
        write!(
            out,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}+0000",
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60,
            since.subsec_millis()
        )
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar: years are counted from March, so
/// that the leap day is a year's last, and eras of 400 years repeat.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::mpsc::{Receiver, sync_channel};

    use serde_json::json;

    use super::*;

    /// Keeps what is logged.
    #[derive(Clone, Default)]
    pub(crate) struct Captured(pub(crate) Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn settings(level: Level) -> Log {
        Log {
            types: LogType::defaults(),
            level,
            metadata_queries: false,
            query_only_on_error: false,
        }
    }

    #[test]
    fn selected_types_and_levels() {
        let captured = Captured::default();
        let logger = Logger::to(&settings(Level::Info), captured.clone());
        logger.write(Level::Info, LogType::HttpLog, &json!("x"));
        logger.write(Level::Debug, LogType::HttpLog, &json!("x"));
        logger.write(Level::Error, LogType::QueryLog, &json!("x"));
        logger.write(Level::Warn, LogType::InconsistentMetadata, &json!("x"));
        logger.flush(Duration::from_secs(10));
        let text = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let kinds: Vec<&str> = lines.iter().map(|line| line["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["http-log", "inconsistent_metadata"]);
        assert_eq!(lines[0]["level"], "info");
        assert_eq!(lines[0]["detail"], "x");
    }

    #[test]
    fn a_slow_reader_loses_lines_and_stops_nobody() {
        struct Stuck(Receiver<()>);
        impl Write for Stuck {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let (release, stuck) = sync_channel::<()>(0);
        let logger = Logger::to(&settings(Level::Info), Stuck(stuck));
        let long = json!("x".repeat(1 << 20));
        for _ in 0..32 {
            logger.write(Level::Info, LogType::Startup, &long);
        }
        assert!(logger.dropped() > 0);
        drop(release);
    }

    #[test]
    fn timestamps() {
        let at = |seconds: u64| Timestamp(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00.000+0000");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000+0000");
        assert_eq!(at(1_767_225_599), "2025-12-31T23:59:59.000+0000");
    }
}
