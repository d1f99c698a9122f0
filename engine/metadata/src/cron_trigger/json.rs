//! `cron_triggers` as JSON.

use serde_json::Number;

use super::{CronRetryConf, CronTrigger};
use crate::json::json_object;

json_object! { entry CronTrigger as "name": String, "CronTriggerMetadata" {
    required webhook;
    required schedule;
    required include_in_metadata;
    optional payload;
    hidden retry_conf (CronRetryConf::default());
    default headers;
    optional comment;
    optional request_transform;
    optional response_transform;
} }

json_object! { CronRetryConf, "STRetryConf" {
    shown num_retries (0);
    shown retry_interval_seconds (Number::from(10));
    shown timeout_seconds (Number::from(60));
    shown tolerance_seconds (Number::from(21_600));
} }
