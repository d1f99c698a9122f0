//! What an operation must pass before it runs: the rate, the allow list, depth and nodes, the size of a batch; and the
//! time that it may take. Admins pass everywhere but the rate of the metadata API.
//!
//! Limits are those of the metadata (`api_limits`): a role's own value, or the global one where it has none.

mod allow_list;
pub mod data;
mod management;

use std::time::Duration;

use metadata::limit::{Limit, RateLimit, UniqueParams};
use plan::Plan;
use rate::Key;

pub use allow_list::AllowList;
pub use management::{administrator, authenticate};

use crate::auth::is_admin;
use crate::http::error::{ApiError, Code};
use crate::request::Context;

/// Counts the operation, and refuses it if there were too many within a minute.
///
/// # Errors
/// There were.
pub async fn rate(context: &Context<'_>) -> Result<(), ApiError> {
    if is_admin(context.session) {
        return Ok(());
    }
    let limits = &context.generation.document.api_limits;
    let role = &*context.session.role;
    let by_default;
    let limit = match &limits.rate_limit {
        _ if limits.disabled => return Ok(()),
        Some(limit) => limit.per_role.get(role).unwrap_or(&limit.global),
        None => match context.state.settings.rate_limit {
            None => return Ok(()),
            Some(max_reqs_per_min) => {
                by_default = RateLimit {
                    max_reqs_per_min,
                    unique_params: Some(UniqueParams::IpAddress),
                    extra: metadata::Extra::new(),
                };
                &by_default
            }
        },
    };
    let most = limit.max_reqs_per_min;
    let verdict = context.state.rates.count(most, &key(context, limit)).await;
    if verdict.alone {
        context.state.observer.metrics.rate_fallback();
    }
    if verdict.admitted {
        return Ok(());
    }
    Err(exceeded(most))
}

fn exceeded(most: u64) -> ApiError {
    ApiError::new(
        Code::RateLimitExceeded,
        format!("the rate limit of {most} requests per minute is exceeded"),
    )
}

/// What is counted together: the role and what tells its clients apart.
fn key(context: &Context<'_>, limit: &RateLimit) -> Key {
    let role = [&*context.session.role];
    match &limit.unique_params {
        None => Key::new(role),
        Some(UniqueParams::IpAddress) => Key::new([role[0], context.client]),
        Some(UniqueParams::SessionVariables(names)) => {
            let variables = names.iter().map(|name| {
                let value = context.session.variable(&name.to_ascii_lowercase());
                value.unwrap_or_default()
            });
            Key::new(role.into_iter().chain(variables))
        }
    }
}

/// Refuses what the allow list does not have, where it is switched on.
///
/// # Errors
/// `query is not allowed`
pub fn allowed(context: &Context<'_>, text: &str) -> Result<(), ApiError> {
    if !context.state.settings.allow_list || is_admin(context.session) {
        return Ok(());
    }
    let limits = &context.state.settings.graphql.limits;
    if context
        .generation
        .allow_list()
        .allows(text, &context.session.role, limits)?
    {
        return Ok(());
    }
    Err(ApiError::new(Code::ValidationFailed, "query is not allowed"))
}

/// Refuses what is nested too deeply or has too many nodes.
///
/// # Errors
/// Which limit it is.
pub fn cost(context: &Context<'_>, plan: &Plan) -> Result<(), ApiError> {
    let limits = &context.generation.document.api_limits;
    if limits.disabled || is_admin(context.session) {
        return Ok(());
    }
    let role = &*context.session.role;
    check("depth", plan.cost.depth, most(limits.depth_limit.as_ref(), role))?;
    check(
        "number of nodes",
        plan.cost.nodes,
        most(limits.node_limit.as_ref(), role),
    )
}

/// Refuses batches that are too large.
///
/// # Errors
/// How large it may be.
pub fn batch(context: &Context<'_>, operations: usize) -> Result<(), ApiError> {
    let limits = &context.generation.document.api_limits;
    if limits.disabled || is_admin(context.session) {
        return Ok(());
    }
    let operations = u64::try_from(operations).unwrap_or(u64::MAX);
    let most = most(limits.batch_limit.as_ref(), &context.session.role);
    check("number of operations in a batch", operations, most)
}

/// How long something may take.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    time: Duration,
    /// As it was given.
    seconds: f64,
}

/// How long the session's operations may take, if that is bounded.
pub fn time(context: &Context<'_>) -> Option<Time> {
    let limits = &context.generation.document.api_limits;
    let limit = match &limits.time_limit {
        Some(limit) if !limits.disabled && !is_admin(context.session) => limit,
        _ => return None,
    };
    let own = limit.per_role.get(&*context.session.role);
    let allowed = own.unwrap_or(&limit.global).as_f64()?;
    let time = Duration::try_from_secs_f64(allowed).ok()?;
    Some(Time {
        time,
        seconds: allowed,
    })
}

/// Runs something within its time, if that is bounded.
///
/// # Errors
/// Its own, or that its time is over.
pub async fn within<T>(
    time: Option<Time>,
    execution: impl Future<Output = Result<T, ApiError>>,
) -> Result<T, ApiError> {
    let Some(Time { time, seconds }) = time else {
        return execution.await;
    };
    match tokio::time::timeout(time, execution).await {
        Ok(outcome) => outcome,
        Err(_) => Err(ApiError::new(
            Code::Timeout,
            format!("the operation took longer than the time limit of {seconds} seconds"),
        )),
    }
}

fn most(limit: Option<&Limit<u64>>, role: &str) -> Option<u64> {
    let limit = limit?;
    Some(limit.per_role.get(role).copied().unwrap_or(limit.global))
}

fn check(what: &str, found: u64, most: Option<u64>) -> Result<(), ApiError> {
    match most {
        Some(most) if found > most => Err(ApiError::new(
            Code::ValidationFailed,
            format!("the {what} is {found}, which exceeds the limit of {most}"),
        )),
        _ => Ok(()),
    }
}
