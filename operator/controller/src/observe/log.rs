//! Log lines: one JSON object each on standard output.

use std::io::Write;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Map, Value};

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "debug" => Ok(Self::Debug),
            "info" => Ok(Self::Info),
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            _ => Err("one of debug, info, warn, error".to_owned()),
        }
    }
}

/// Now, in seconds since 1970.
pub fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

/// Now, as Kubernetes writes it: in UTC, to the second.
pub fn now() -> String {
    let seconds = i64::try_from(unix_seconds()).unwrap_or_default();
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Writes a line. A reader that is gone is no reason to end.
pub fn write(level: Level, kind: &str, message: &str, fields: Value) {
    let mut line = Map::new();
    line.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
    line.insert("level".to_owned(), level.as_str().into());
    line.insert("type".to_owned(), kind.into());
    line.insert("message".to_owned(), message.into());
    if let Value::Object(fields) = fields {
        line.extend(fields);
    }
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
