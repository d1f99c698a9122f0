//! `event_triggers` of a table.

mod json;

use crate::Extra;
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value_source::{Header, UrlSource};

/// A webhook called after rows of a table change.
#[derive(Clone, Debug, PartialEq)]
pub struct EventTrigger {
    /// `definition`: which changes.
    pub definition: EventTriggerDefinition,
    /// `retry_conf`.
    pub retry_conf: EventRetryConf,
    /// `webhook` (a URL template) or `webhook_from_env`; exactly one of them is given.
    pub webhook: UrlSource,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `request_transform`.
    pub request_transform: Option<RequestTransform>,
    /// `response_transform`.
    pub response_transform: Option<ResponseTransform>,
    /// `cleanup_config`: automatic removal of old log rows.
    pub cleanup_config: Option<EventCleanupConfig>,
    /// `trigger_on_replication`, default false.
    pub trigger_on_replication: bool,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of an event trigger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventTriggerDefinition {
    /// `enable_manual`: may be invoked through the metadata API.
    pub enable_manual: bool,
    /// `insert`.
    pub insert: Option<EventOperation>,
    /// `update`.
    pub update: Option<EventOperation>,
    /// `delete`.
    pub delete: Option<EventOperation>,
    /// Unknown keys.
    pub extra: Extra,
}

/// Which columns of an operation matter.
#[derive(Clone, Debug, PartialEq)]
pub struct EventOperation {
    /// `columns`: for updates, the columns whose change fires the trigger.
    pub columns: EventColumns,
    /// `payload`: the columns sent; absent means all.
    pub payload: Option<EventColumns>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `"*"` or a list of columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventColumns {
    /// `"*"`
    All,
    /// Names of columns.
    List(Vec<String>),
}

/// `retry_conf` of event triggers; seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRetryConf {
    /// `num_retries`, default 0.
    pub num_retries: u64,
    /// `interval_sec`, default 10.
    pub interval_sec: u64,
    /// `timeout_sec`, absent means the default of 60.
    pub timeout_sec: Option<u64>,
    /// Unknown keys.
    pub extra: Extra,
}

impl Default for EventRetryConf {
    fn default() -> Self {
        Self {
            num_retries: 0,
            interval_sec: 10,
            timeout_sec: Some(60),
            extra: Extra::new(),
        }
    }
}

/// `cleanup_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct EventCleanupConfig {
    /// `schedule`: a cron expression.
    pub schedule: String,
    /// `batch_size`: rows removed at once; default 10000.
    pub batch_size: u64,
    /// `clear_older_than`: hours.
    pub clear_older_than: u64,
    /// `timeout`: seconds per batch; default 60.
    pub timeout: u64,
    /// `clean_invocation_logs`, default false.
    pub clean_invocation_logs: bool,
    /// `paused`, default false.
    pub paused: bool,
    /// Unknown keys.
    pub extra: Extra,
}
