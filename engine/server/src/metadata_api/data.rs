//! The old data commands of `/v1/query` and `/v2/query`: `select`, `count`, `insert`, `update`, `delete`.

use std::borrow::Cow;

use graphql::OperationKind;
use plan::Plan;
use plan::dml;
use plan::prepared::RootContent;
use schema::model::SourceId;
use serde_json::{Map, Value};
use sql::refusal::Refusal;

use super::arguments::kind;
use super::command::{Command, Endpoint};
use super::error::ApiError;
use super::run_sql::data_error;
use super::workspace::Workspace;
use super::{Caller, bulk, execute};
use crate::generation::RoutedRequest;

/// Runs one data command.
pub(crate) async fn run(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    name: &'static str,
    arguments: &Value,
) -> Result<Value, ApiError> {
    let Value::Object(arguments) = arguments else {
        return Err(ApiError::parse_failed(
            "$",
            format!(
                "parsing Object failed, expected Object, but encountered {}",
                kind(arguments)
            ),
        ));
    };
    match name {
        "select" => select(workspace, caller, dml::Command::Select, arguments).await,
        "count" => select(workspace, caller, dml::Command::Count, arguments).await,
        "insert" => write(workspace, caller, dml::Command::Insert, arguments).await,
        "update" => write(workspace, caller, dml::Command::Update, arguments).await,
        "delete" => write(workspace, caller, dml::Command::Delete, arguments).await,
        other => Err(ApiError::unexpected(format!("\"{other}\" is no data command"))),
    }
}

async fn select(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    command: dml::Command,
    arguments: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let plan = planned(workspace, caller, command, arguments)?;
    let values = plan
        .bind(&Map::new(), caller.session)
        .map_err(|error| refusal(&error))?;
    let out = read(workspace, caller, &plan, &values).await?;
    serde_json::from_slice(&out).map_err(|error| ApiError::unexpected(error.to_string()))
}

fn planned(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    command: dml::Command,
    arguments: &Map<String, Value>,
) -> Result<Plan, ApiError> {
    let model = &workspace.generation().model;
    dml::plan(model, caller.session, command, arguments).map_err(|error| refusal(&error))
}

async fn read(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    plan: &Plan,
    values: &[Option<String>],
) -> Result<Vec<u8>, ApiError> {
    let mut out = Vec::new();
    for root in &plan.roots {
        let RootContent::Statement { source, statement } = &root.content else {
            continue;
        };
        let database = routed(workspace, caller, *source, OperationKind::Query)?;
        // The primary: a command of a bulk may have written what this one reads.
        database
            .read_primary(statement, values, None, &mut out)
            .await
            .map_err(|error| data_error(&error))?;
    }
    Ok(out)
}

/// The database that a command goes to. Connection templates see no headers of this API.
fn routed<'w>(
    workspace: &'w Workspace<'_>,
    caller: &Caller<'_>,
    source: SourceId,
    kind: OperationKind,
) -> Result<Cow<'w, pg::Source>, ApiError> {
    let request = RoutedRequest {
        headers: None,
        session: caller.session,
        kind,
        operation_name: None,
    };
    let routed = workspace.generation().routed(source, &request);
    routed.map_err(|error| ApiError::new(error.code.as_str(), error.message))
}

async fn write(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    command: dml::Command,
    arguments: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let plan = planned(workspace, caller, command, arguments)?;
    let values = plan
        .bind(&Map::new(), caller.session)
        .map_err(|error| refusal(&error))?;
    let mutations = plan.roots.iter().filter_map(|root| match &root.content {
        RootContent::Mutation(mutation) => Some(mutation),
        _ => None,
    });
    let mut out = Vec::new();
    for mutation in mutations {
        let works: Vec<pg::Work<'_>> = mutation
            .statements
            .iter()
            .map(|one| pg::Work {
                statement: &one.statement,
                answers: one.answers,
            })
            .collect();
        let database = routed(workspace, caller, mutation.source, OperationKind::Mutation)?;
        let variables = caller.session.to_json();
        let mut transaction = database
            .begin(Some(&variables))
            .await
            .map_err(|error| data_error(&error))?;
        transaction
            .execute_all(&works, &values, None, true, &mut out, &mut Vec::new())
            .await
            .map_err(|failed| write_error(&failed.error))?;
    }
    serde_json::from_slice(&out).map_err(|error| ApiError::unexpected(error.to_string()))
}

/// The check of a permission is a refusal of the statement's own.
fn write_error(error: &pg::Error) -> ApiError {
    if let pg::Error::Database(database) = error
        && database.refusal() == Some(Refusal::Check)
    {
        return ApiError::new(
            "permission-error",
            "check constraint of an insert/update permission has failed",
        );
    }
    data_error(error)
}

/// An error of planning. Its path begins at the command's arguments, which Hasura v2 names in all errors but those of
/// reading them. What is wrong with their form upstream finds while decoding them, before it looks at `where` and at
/// values of columns, and reports without `args`.
fn refusal(error: &graphql::Error) -> ApiError {
    let path = error.path.to_string();
    let rest = path.strip_prefix('$').unwrap_or("");
    let decoding =
        error.code == graphql::Code::ParseFailed && !rest.starts_with(".where") && !of_a_column(rest);
    let args = if decoding { "" } else { ".args" };
    // Hasura v2 has other words for it here than in GraphQL.
    let message = match error.message.strip_prefix(plan::MISSING_VARIABLE) {
        Some(quoted) if error.code == graphql::Code::NotFound => {
            format!("{quoted} header is expected but not found")
        }
        _ => error.message.clone(),
    };
    ApiError::new(error.code.as_str(), message).at(format!("${args}{rest}"))
}

/// A path to what was given for a column: `.objects[0].name`, `["$set"].name`, `.values.name`.
fn of_a_column(path: &str) -> bool {
    let row = path
        .strip_prefix(".objects[")
        .and_then(|rest| rest.split_once(']'));
    let below = row.map(|(_, below)| below).or_else(|| {
        [".values", "[\"$set\"]", "[\"$inc\"]", "[\"$mul\"]"]
            .iter()
            .find_map(|operator| path.strip_prefix(operator))
    });
    below.is_some_and(|below| !below.is_empty())
}

/// `concurrent_bulk`: commands that only read.
pub(crate) async fn concurrent_bulk(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    arguments: &Value,
) -> Result<Value, ApiError> {
    let items = bulk::items(arguments)?;
    let mut commands = Vec::new();
    for item in items {
        let command = Command::read(item, Endpoint::QueryV2)?;
        let read_only = match command.name {
            "select" | "count" => true,
            "run_sql" => command.arguments.get("read_only").and_then(Value::as_bool) == Some(true),
            _ => false,
        };
        if !read_only {
            return Err(ApiError::unexpected(
                "Only read-only queries are allowed in a concurrent_bulk",
            ));
        }
        caller.check(&command)?;
        commands.push(command);
    }
    let mut answers = Vec::new();
    for (position, command) in commands.iter().enumerate() {
        let answer = Box::pin(execute(workspace, caller, Endpoint::QueryV2, command))
            .await
            .map_err(|error| error.below(&format!("$.args[{position}]")))?;
        answers.push(answer);
    }
    Ok(Value::Array(answers))
}

#[cfg(test)]
mod tests {
    use graphql::{Code, Path};

    use super::*;

    #[test]
    fn paths_of_refusals() {
        let told = |code: Code, path: Path| {
            let message = String::new();
            refusal(&graphql::Error { code, path, message }).path
        };
        let root = Path::root();
        assert_eq!(told(Code::ParseFailed, root.key("limit")), "$.limit");
        assert_eq!(told(Code::NotSupported, root.key("limit")), "$.args.limit");
        let label = root.key("where").key("path").key("$ancestor_any").index(0);
        assert_eq!(
            told(Code::ParseFailed, label),
            "$.args.where.path[\"$ancestor_any\"][0]"
        );
        let row = root.key("objects").index(12);
        assert_eq!(told(Code::ParseFailed, row.clone()), "$.objects[12]");
        assert_eq!(
            told(Code::ParseFailed, row.key("name")),
            "$.args.objects[12].name"
        );
        let set = root.key("$set");
        assert_eq!(told(Code::ParseFailed, set.clone()), "$[\"$set\"]");
        assert_eq!(told(Code::ParseFailed, set.key("name")), "$.args[\"$set\"].name");
    }
}
