//! `cron_triggers`.

mod json;

use serde_json::{Number, Value};

use crate::Extra;
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value_source::{Header, UrlSource};

/// A webhook called by a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct CronTrigger {
    /// `webhook`: a URL template, or `{from_env}`.
    pub webhook: UrlSource,
    /// `schedule`: a cron expression of five fields.
    pub schedule: String,
    /// `include_in_metadata`.
    pub include_in_metadata: bool,
    /// `payload`, absent means null.
    pub payload: Option<Value>,
    /// `retry_conf`.
    pub retry_conf: CronRetryConf,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `comment`.
    pub comment: Option<String>,
    /// `request_transform`.
    pub request_transform: Option<RequestTransform>,
    /// `response_transform`.
    pub response_transform: Option<ResponseTransform>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `retry_conf` of cron triggers and one-off events. Numbers are seconds and may have a fraction.
#[derive(Clone, Debug, PartialEq)]
pub struct CronRetryConf {
    /// `num_retries`, default 0.
    pub num_retries: u64,
    /// `retry_interval_seconds`, default 10.
    pub retry_interval_seconds: Number,
    /// `timeout_seconds`, default 60.
    pub timeout_seconds: Number,
    /// `tolerance_seconds`: events later than this are dropped; default 21600 (6 hours).
    pub tolerance_seconds: Number,
    /// Unknown keys.
    pub extra: Extra,
}

impl Default for CronRetryConf {
    fn default() -> Self {
        Self {
            num_retries: 0,
            retry_interval_seconds: Number::from(10),
            timeout_seconds: Number::from(60),
            tolerance_seconds: Number::from(21_600),
            extra: Extra::new(),
        }
    }
}
