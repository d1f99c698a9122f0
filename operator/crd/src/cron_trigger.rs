//! `CronTrigger`: a webhook called by a schedule.

use crate::shape::{kind, part};
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value::{AnyJson, Decimal, Header, Identity, OnInvalid, ValueFrom};

kind! {
    "CronTrigger", "crontriggers", "rcron",
    /// A webhook called by a schedule. Exactly one of `webhook` and `webhookFrom`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.webhook) != has(self.webhookFrom)",
        "message": "exactly one of webhook and webhookFrom",
    }]))]
    pub struct CronTriggerSpec {
        /// Metadata key `cron_triggers[].name`.
        pub name: Identity,
        /// Metadata key `cron_triggers[].schedule`: a cron expression of five fields.
        pub schedule: String,
        /// Metadata key `cron_triggers[].webhook`: a URL in which `{{NAME}}` stands for environment variables.
        pub webhook: Option<String>,
        /// Metadata key `cron_triggers[].webhook` with `from_env`.
        pub webhook_from: Option<ValueFrom>,
        /// Metadata key `cron_triggers[].include_in_metadata`; absent means true.
        pub include_in_metadata: Option<bool>,
        /// Metadata key `cron_triggers[].payload`.
        pub payload: Option<AnyJson>,
        /// Metadata key `cron_triggers[].headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `cron_triggers[].retry_conf`.
        pub retry: Option<CronRetry>,
        /// Metadata key `cron_triggers[].request_transform`.
        pub request_transform: Option<RequestTransform>,
        /// Metadata key `cron_triggers[].response_transform`.
        pub response_transform: Option<ResponseTransform>,
        /// Metadata key `cron_triggers[].comment`.
        pub comment: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// How often delivery is tried.
    pub struct CronRetry {
        /// Metadata key `num_retries`.
        pub retries: Option<u32>,
        /// Metadata key `retry_interval_seconds`.
        pub interval_seconds: Option<Decimal>,
        /// Metadata key `timeout_seconds`.
        pub timeout_seconds: Option<Decimal>,
        /// Metadata key `tolerance_seconds`: events later than this are dropped.
        pub tolerance_seconds: Option<Decimal>,
    }
}
