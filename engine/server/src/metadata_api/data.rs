//! The old data commands of `/v1/query` and `/v2/query`: `select`, `count`, `insert`.

use std::borrow::Cow;

use graphql::OperationKind;
use plan::Plan;
use plan::dml;
use plan::prepared::RootContent;
use schema::catalog::QualifiedName;
use schema::model::SourceId;
use serde_json::{Map, Value, json};

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
        "insert" => insert(workspace, caller, arguments).await,
        other => Err(ApiError::new(
            "not-supported",
            format!("the command \"{other}\" is not supported yet"),
        )),
    }
}

async fn select(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    command: dml::Command,
    arguments: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let generation = workspace.generation();
    let plan =
        dml::plan(&generation.model, caller.session, command, arguments).map_err(|error| refusal(&error))?;
    let values = plan
        .bind(&Map::new(), caller.session)
        .map_err(|error| refusal(&error))?;
    let out = read(workspace, caller, &plan, &values).await?;
    serde_json::from_slice(&out).map_err(|error| ApiError::unexpected(error.to_string()))
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

async fn insert(
    workspace: &Workspace<'_>,
    caller: &Caller<'_>,
    arguments: &Map<String, Value>,
) -> Result<Value, ApiError> {
    let generation = workspace.generation();
    let (source, table) =
        dml::table(&generation.model, caller.session, arguments).map_err(|error| refusal(&error))?;
    let role = &*caller.session.role;
    if role != "admin" {
        let access = generation.model.roles.get(role);
        let access = access.and_then(|role| role.tables.get(&table.id));
        if access.is_none_or(|access| access.insert.is_none()) {
            return Err(insert_denied(&table.name, role));
        }
        return Err(ApiError::new(
            "not-supported",
            "insert with the permissions of a role is not supported yet",
        ));
    }
    let stringify = generation.model.options.stringify_numeric_types;
    let plan = plan::insert::insert(source, table, arguments, stringify).map_err(|error| refusal(&error))?;
    let database = routed(workspace, caller, plan.source, OperationKind::Mutation)?;
    let variables = caller.session.to_json();
    let mut transaction = database
        .begin(Some(&variables))
        .await
        .map_err(|error| data_error(&error))?;
    let (mut affected, mut returned) = (0, Vec::new());
    for statement in &plan.statements {
        let mut out = Vec::new();
        transaction
            .execute(statement, &[], None, &mut out)
            .await
            .map_err(|error| data_error(&error))?;
        let answer: Value =
            serde_json::from_slice(&out).map_err(|error| ApiError::unexpected(error.to_string()))?;
        affected += answer["affected_rows"].as_u64().unwrap_or(0);
        if let Some(rows) = answer["returning"].as_array() {
            returned.extend_from_slice(rows);
        }
    }
    transaction.commit().await.map_err(|error| data_error(&error))?;
    let mut answer = json!({ "affected_rows": affected });
    if plan.returning {
        answer["returning"] = Value::Array(returned);
    }
    Ok(answer)
}

/// Upstream ends the sentence for what it adds for some commands.
fn insert_denied(table: &QualifiedName, role: &str) -> ApiError {
    let name = if table.schema == "public" {
        table.name.clone()
    } else {
        format!("{}.{}", table.schema, table.name)
    };
    ApiError::new(
        "permission-denied",
        format!("insert on \"{name}\" for role \"{role}\" is not allowed. "),
    )
}

/// An error of planning. Its path begins at the command's arguments, which Hasura v2 names in all errors but those of
/// reading them. What is wrong with their form upstream finds
/// while decoding them, before it looks at `where`, and reports without `args`.
fn refusal(error: &graphql::Error) -> ApiError {
    let path = error.path.to_string();
    let rest = path.strip_prefix('$').unwrap_or("");
    let decoding = error.code == graphql::Code::ParseFailed && !rest.starts_with(".where");
    let args = if decoding { "" } else { ".args" };
    ApiError::new(error.code.as_str(), error.message.clone()).at(format!("${args}{rest}"))
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
    }

    #[test]
    fn a_role_without_the_right_to_insert() {
        let error = |schema: &str| {
            let name = QualifiedName {
                schema: schema.to_owned(),
                name: "address".to_owned(),
            };
            insert_denied(&name, "merchant").message
        };
        assert_eq!(
            error("public"),
            "insert on \"address\" for role \"merchant\" is not allowed. "
        );
        assert_eq!(
            error("x"),
            "insert on \"x.address\" for role \"merchant\" is not allowed. "
        );
    }
}
