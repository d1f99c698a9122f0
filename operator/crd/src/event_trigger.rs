//! `EventTrigger`: a webhook called after rows change.

use crate::shape::{kind, part};
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value::{Header, Identity, ObjectRef, OnInvalid, ValueFrom};

kind! {
    "EventTrigger", "eventtriggers", "revt",
    /// A webhook called after rows of a table change. Exactly one of `webhook` and `webhookFrom`, and at least one
    /// of `insert`, `update`, `delete` and `enableManual`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.webhook) != has(self.webhookFrom)",
        "message": "exactly one of webhook and webhookFrom",
    }, {
        "rule": "has(self.insert) || has(self.update) || has(self.delete) || has(self.enableManual)",
        "message": "at least one of insert, update, delete and enableManual",
    }]))]
    pub struct EventTriggerSpec {
        /// The table: its place below metadata key `sources[].tables[].event_triggers`.
        pub table_ref: ObjectRef,
        /// Metadata key `sources[].tables[].event_triggers[].name`.
        pub name: Identity,
        /// Metadata key `sources[].tables[].event_triggers[].definition.insert`.
        pub insert: Option<EventOperation>,
        /// Metadata key `sources[].tables[].event_triggers[].definition.update`.
        pub update: Option<EventOperation>,
        /// Metadata key `sources[].tables[].event_triggers[].definition.delete`.
        pub delete: Option<EventOperation>,
        /// Metadata key `sources[].tables[].event_triggers[].definition.enable_manual`.
        pub enable_manual: Option<bool>,
        /// Metadata key `sources[].tables[].event_triggers[].webhook`: a URL in which `{{NAME}}` stands for
        /// environment variables.
        pub webhook: Option<String>,
        /// Metadata key `sources[].tables[].event_triggers[].webhook_from_env`.
        pub webhook_from: Option<ValueFrom>,
        /// Metadata key `sources[].tables[].event_triggers[].headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `sources[].tables[].event_triggers[].retry_conf`.
        pub retry: Option<EventRetry>,
        /// Metadata key `sources[].tables[].event_triggers[].request_transform`.
        pub request_transform: Option<RequestTransform>,
        /// Metadata key `sources[].tables[].event_triggers[].response_transform`.
        pub response_transform: Option<ResponseTransform>,
        /// Metadata key `sources[].tables[].event_triggers[].cleanup_config`.
        pub cleanup: Option<EventCleanup>,
        /// Metadata key `sources[].tables[].event_triggers[].trigger_on_replication`.
        pub trigger_on_replication: Option<bool>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// Which columns of an operation matter.
    pub struct EventOperation {
        /// Metadata key `columns`: columns, or `["*"]` for all.
        #[schemars(length(max = 1600), inner(length(max = 63)))]
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "!self.exists(c, c == '*') || self.size() == 1",
            "message": "\"*\" stands alone",
        }]))]
        pub columns: Vec<String>,
        /// Metadata key `payload`: the columns sent, or `["*"]`; absent means all.
        #[schemars(length(max = 1600), inner(length(max = 63)))]
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "!self.exists(c, c == '*') || self.size() == 1",
            "message": "\"*\" stands alone",
        }]))]
        pub payload: Option<Vec<String>>,
    }
}

part! {
    /// How often delivery is tried.
    pub struct EventRetry {
        /// Metadata key `num_retries`.
        pub retries: Option<u32>,
        /// Metadata key `interval_sec`.
        pub interval_seconds: Option<u32>,
        /// Metadata key `timeout_sec`.
        pub timeout_seconds: Option<u32>,
    }
}

part! {
    /// When old log rows are removed.
    pub struct EventCleanup {
        /// Metadata key `schedule`: a cron expression.
        pub schedule: String,
        /// Metadata key `clear_older_than`: hours.
        pub clear_older_than_hours: u32,
        /// Metadata key `batch_size`.
        pub batch_size: Option<u32>,
        /// Metadata key `timeout`: seconds.
        pub timeout_seconds: Option<u32>,
        /// Metadata key `clean_invocation_logs`.
        pub clean_invocation_logs: Option<bool>,
        /// Metadata key `paused`.
        pub paused: Option<bool>,
    }
}
