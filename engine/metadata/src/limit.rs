//! `api_limits`: limits on operations, globally and per role.

mod json;

use std::collections::BTreeMap;

use crate::Extra;

/// `api_limits`. An absent limit is no limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiLimits {
    /// `disabled`: true switches all limits off. Default false.
    pub disabled: bool,
    /// `depth_limit`: levels of nesting of an operation.
    pub depth_limit: Option<Limit<u64>>,
    /// `node_limit`: number of fields of an operation.
    pub node_limit: Option<Limit<u64>>,
    /// `time_limit`: seconds an operation may take; the number may have a fraction.
    pub time_limit: Option<Limit<serde_json::Number>>,
    /// `batch_limit`: operations in one HTTP request.
    pub batch_limit: Option<Limit<u64>>,
    /// `rate_limit`: requests per minute.
    pub rate_limit: Option<Limit<RateLimit>>,
    /// Unknown keys.
    pub extra: Extra,
}

/// One limit: a global value and values for single roles, which may only be stricter.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit<T> {
    /// `global`: the value for every role without an own one.
    pub global: T,
    /// `per_role`, by role.
    pub per_role: BTreeMap<String, T>,
    /// Unknown keys.
    pub extra: Extra,
}

/// The value of `rate_limit`.
#[derive(Clone, Debug, PartialEq)]
pub struct RateLimit {
    /// `max_reqs_per_min`.
    pub max_reqs_per_min: u64,
    /// `unique_params`: what tells clients of one role apart; absent means that they share one budget.
    pub unique_params: Option<UniqueParams>,
    /// Unknown keys.
    pub extra: Extra,
}

/// What tells clients of one role apart for [`RateLimit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UniqueParams {
    /// `"IP"`: the client's address.
    IpAddress,
    /// Names of session variables, never `x-hasura-role`.
    SessionVariables(Vec<String>),
}
