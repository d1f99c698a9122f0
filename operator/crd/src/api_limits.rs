//! `APILimits`: limits on operations.

use crate::shape::{kind, part};
use crate::value::{Decimal, OnInvalid};

kind! {
    "APILimits", "apilimits", "rlim",
    /// Limits on operations, for all roles and for single ones. An engine takes one such object. Of another namespace
    /// than the Engine's only with a `ReferenceGrant` there, from `APILimits` to `Engine`.
    pub struct APILimitsSpec {
        /// Metadata key `api_limits.disabled`: true switches all limits off.
        pub disabled: Option<bool>,
        /// Metadata key `api_limits.depth_limit`: levels of nesting.
        pub depth: Option<CountLimit>,
        /// Metadata key `api_limits.node_limit`: number of fields.
        pub nodes: Option<CountLimit>,
        /// Metadata key `api_limits.time_limit`: seconds.
        pub time_seconds: Option<TimeLimit>,
        /// Metadata key `api_limits.batch_limit`: operations in one request.
        pub batch: Option<CountLimit>,
        /// Metadata key `api_limits.rate_limit`.
        pub rate: Option<RateLimits>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// A limit that is a count.
    pub struct CountLimit {
        /// Metadata key `global`.
        pub global: u64,
        /// Metadata key `per_role`.
        pub roles: Option<Vec<RoleCount>>,
    }
}

part! {
    /// The count of one role.
    pub struct RoleCount {
        /// The role: the key in `per_role`.
        pub role: String,
        /// The value in `per_role`.
        pub value: u64,
    }
}

part! {
    /// A limit in seconds.
    pub struct TimeLimit {
        /// Metadata key `global`.
        pub global: Decimal,
        /// Metadata key `per_role`.
        pub roles: Option<Vec<RoleTime>>,
    }
}

part! {
    /// The seconds of one role.
    pub struct RoleTime {
        /// The role: the key in `per_role`.
        pub role: String,
        /// The value in `per_role`.
        pub value: Decimal,
    }
}

part! {
    /// Limits on the number of requests.
    pub struct RateLimits {
        /// Metadata key `global`.
        pub global: RateLimit,
        /// Metadata key `per_role`.
        pub roles: Option<Vec<RoleRate>>,
    }
}

part! {
    /// A limit on the number of requests.
    pub struct RateLimit {
        /// Metadata key `max_reqs_per_min`.
        pub max_requests_per_minute: u64,
        /// Metadata key `unique_params`: session variables that tell clients apart, or `["IP"]` for their address;
        /// absent means that all share one budget.
        pub unique_params: Option<Vec<String>>,
    }
}

part! {
    /// The rate limit of one role.
    pub struct RoleRate {
        /// The role: the key in `per_role`.
        pub role: String,
        /// Metadata key `max_reqs_per_min`.
        pub max_requests_per_minute: u64,
        /// Metadata key `unique_params`, as above.
        pub unique_params: Option<Vec<String>>,
    }
}
