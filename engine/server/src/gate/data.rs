//! Data commands of `/v1/query` and `/v2/query`, which roles other than admin may give as well.

use serde_json::Value;

use super::{Time, batch, rate, time};
use crate::auth::is_admin;
use crate::http::error::{ApiError, Code};
use crate::request::Context;

/// Counts the commands of a request, and gives the time that all of them may take together. Depth and nodes are those of
/// operations; what the allow list has is operations too, so that where it is switched on there are no commands.
///
/// # Errors
/// There are too many, or no commands at all.
pub async fn commands(context: &Context<'_>, body: &Value) -> Result<Option<Time>, ApiError> {
    if is_admin(context.session) {
        return Ok(None);
    }
    if context.state.settings.allow_list {
        return Err(ApiError::new(Code::ValidationFailed, "query is not allowed"));
    }
    let commands = count(body);
    batch(context, commands)?;
    for _ in 0..commands.max(1) {
        rate(context).await?;
    }
    Ok(time(context))
}

/// Commands of a request: those that a bulk holds, however deep.
fn count(body: &Value) -> usize {
    let mut open = vec![body];
    let mut found = 0;
    while let Some(command) = open.pop() {
        let is_bulk = command
            .get("type")
            .and_then(Value::as_str)
            .is_some_and(|name| name.contains("bulk"));
        match command.get("args").and_then(Value::as_array).filter(|_| is_bulk) {
            Some(held) => open.extend(held),
            None => found += 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_of_bulks() {
        let select = json!({"type": "select", "args": {}});
        let bulk =
            json!({"type": "bulk", "args": [select, {"type": "concurrent_bulk", "args": [select, select]}]});
        assert_eq!(count(&select), 1);
        assert_eq!(count(&bulk), 3);
        assert_eq!(count(&json!({"type": "bulk", "args": []})), 0);
        assert_eq!(count(&json!([])), 1);
    }
}
