//! `bulk`, `bulk_keep_going` and `bulk_atomic`: several commands in one request.

use serde_json::Value;

use super::arguments::kind;
use super::command::{Command, Endpoint};
use super::error::ApiError;
use super::success;
use super::workspace::Workspace;
use super::{Caller, execute};

/// `bulk`: the first error ends it and nothing is stored.
pub(crate) async fn all_or_nothing(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    arguments: &Value,
) -> Result<Value, ApiError> {
    let mut answers = Vec::new();
    for place in items(arguments)?.iter().enumerate() {
        answers.push(run_item(workspace, caller, endpoint, place).await?);
    }
    Ok(Value::Array(answers))
}

/// `bulk_keep_going`: a failed command leaves no trace, the others stand.
pub(crate) async fn keep_going(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    arguments: &Value,
) -> Result<Value, ApiError> {
    let mut answers = Vec::new();
    for place in items(arguments)?.iter().enumerate() {
        let before = workspace.snapshot();
        match run_item(workspace, caller, endpoint, place).await {
            Ok(answer) => answers.push(answer),
            Err(error) => {
                workspace.restore(before);
                answers.push(error.to_json());
            }
        }
    }
    Ok(Value::Array(answers))
}

/// Commands that `bulk_atomic` takes.
const ATOMIC: &[&str] = &[
    "create_object_relationship",
    "create_array_relationship",
    "drop_relationship",
    "delete_remote_relationship",
    "track_native_query",
    "untrack_native_query",
    "track_logical_model",
    "untrack_logical_model",
    "track_stored_procedure",
    "untrack_stored_procedure",
];

/// `bulk_atomic`: one schema build at the end.
pub(crate) async fn atomic(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    arguments: &Value,
) -> Result<Value, ApiError> {
    let before = workspace.snapshot();
    workspace.defer_builds();
    for (position, item) in items(arguments)?.iter().enumerate() {
        let place = |error: ApiError| error.below(&format!("$.args[{position}]"));
        let command = Command::read(item, endpoint).map_err(place)?;
        if !ATOMIC.contains(&command.name) {
            workspace.restore(before);
            return Err(place(ApiError::unexpected(
                "Bulk atomic does not support this command",
            )));
        }
        Box::pin(execute(workspace, caller, endpoint, &command))
            .await
            .map_err(place)?;
    }
    let found = workspace.build_deferred();
    if !found.is_empty() {
        workspace.restore(before);
        return Err(ApiError::new("bad-request", "Schema inconsistency").with_internal(Value::Array(found)));
    }
    Ok(success())
}

/// Runs one command of a bulk; errors say at which place.
async fn run_item(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    (position, item): (usize, &Value),
) -> Result<Value, ApiError> {
    let run = async {
        let command = Command::read(item, endpoint)?;
        caller.check(&command)?;
        Box::pin(execute(workspace, caller, endpoint, &command)).await
    };
    run.await
        .map_err(|error: ApiError| error.below(&format!("$.args[{position}]")))
}

/// The commands of a bulk.
pub(crate) fn items(arguments: &Value) -> Result<&[Value], ApiError> {
    match arguments {
        Value::Array(items) => Ok(items),
        other => Err(ApiError::parse_failed(
            "$",
            format!(
                "parsing [] failed, expected Array, but encountered {}",
                kind(other)
            ),
        )),
    }
}
