//! The metadata, schema and data APIs: `/v1/metadata`, `/v1/query`, `/v2/query`.
//!
//! A request is one envelope. Commands that change the document work on a [`workspace::Workspace`], which holds
//! the writer's lock, rebuilds the model after each change, refuses what breaks it, and stores the result once at
//! the end. Commands that only read work on the present generation.

mod ahead;
mod arguments;
mod bulk;
mod collection;
mod command;
mod data;
mod dependency;
mod document;
mod error;
mod function;
mod inspect;
mod lookup;
mod permission;
mod relationship;
mod rename;
mod run_sql;
mod setting;
mod source;
mod suggest;
mod table;
mod table_change;
mod workspace;

use metadata::permission::{DeletePermission, InsertPermission, SelectPermission, UpdatePermission};
use metadata::relationship::{ArrayRelationship, ObjectRelationship};
use plan::Session;
use serde_json::{Value, json};

use crate::http;
use crate::state::State;
use arguments::Arguments;
pub(crate) use command::Endpoint;
use command::{Command, Effect};
pub(crate) use error::ApiError;
use workspace::Workspace;

/// Who calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Role and variables.
    pub(crate) session: &'a Session,
}

impl Caller<'_> {
    /// Everything but the data commands is for admins.
    fn check(&self, command: &Command<'_>) -> Result<(), ApiError> {
        let open = matches!(command.effect, Effect::Data | Effect::Holds);
        if &*self.session.role == "admin" || (open && command.name != "run_sql") {
            return Ok(());
        }
        Err(ApiError::new("access-denied", "restricted access : admin only"))
    }
}

/// Answers one request to one of the three endpoints.
///
/// # Errors
/// The error body's content: code, message, path, and the status that goes with it.
pub(crate) async fn answer(
    state: &State,
    session: &Session,
    endpoint: Endpoint,
    body: &Value,
) -> Result<Value, ApiError> {
    let caller = Caller { session };
    if endpoint == Endpoint::Metadata && &*session.role != "admin" {
        return Err(ApiError::new("access-denied", "restricted access : admin only"));
    }
    let command = Command::read(body, endpoint)?;
    caller.check(&command)?;
    let expected = match body.get("resource_version") {
        None | Some(Value::Null) => None,
        Some(version) => Some(version.as_i64().ok_or_else(|| {
            ApiError::parse_failed("$.resource_version", "expected an integer for resource_version")
        })?),
    };
    let mut workspace = if writes(&command, endpoint) {
        let is_admin = &*session.role == "admin";
        let is_expected = expected.is_none_or(|expected| expected == state.current().resource_version);
        let ahead = if is_admin && is_expected {
            ahead::read(state, &command, endpoint).await
        } else {
            Vec::new()
        };
        Workspace::begin(state, ahead, expected, command.effect != Effect::Holds).await?
    } else {
        Workspace::read_only(state)
    };
    let answer = execute(&mut workspace, &caller, endpoint, &command).await?;
    workspace.commit().await?;
    Ok(answer)
}

/// Whether the writer's lock is needed for a command (or for one that it holds).
fn writes(command: &Command<'_>, endpoint: Endpoint) -> bool {
    match command.effect {
        Effect::Changes => true,
        Effect::Reads | Effect::Data => false,
        Effect::RunsSql => run_sql::may_change_metadata(command.arguments),
        Effect::Holds => bulk::items(command.arguments).is_ok_and(|items| {
            items
                .iter()
                .any(|item| Command::read(item, endpoint).is_ok_and(|held| writes(&held, endpoint)))
        }),
    }
}

/// What data commands that write are told in read-only mode.
const READ_ONLY: &str = "Cannot run write queries when read-only mode is enabled";

/// Commands that show what is in a database now.
const LOOKS_INTO_CATALOGS: &[&str] = &[
    "get_source_tables",
    "get_source_trackables",
    "get_table_info",
    "suggest_relationships",
];

/// Runs one command; the workspace keeps what it changed. A command that fails on a catalog which others have changed
/// in the meantime (a table that was just created) is run again on the present one.
async fn execute(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    command: &Command<'_>,
) -> Result<Value, ApiError> {
    match command.effect {
        // What was read before may not be so any more.
        Effect::RunsSql | Effect::Data => workspace.forget_ahead(),
        Effect::Reads if LOOKS_INTO_CATALOGS.contains(&command.name) => {
            workspace.refresh_catalogs(command.sources().as_ref()).await?;
        }
        _ => {}
    }
    match run(workspace, caller, endpoint, command).await {
        Err(error)
            if command.effect == Effect::Changes
                && !command.reads_databases()
                && matches!(error.code, "not-exists" | "invalid-configuration" | "unexpected") =>
        {
            if workspace.refresh_catalogs(command.sources().as_ref()).await? {
                run(workspace, caller, endpoint, command).await
            } else {
                Err(error)
            }
        }
        outcome => outcome,
    }
}

async fn run(
    workspace: &mut Workspace<'_>,
    caller: &Caller<'_>,
    endpoint: Endpoint,
    command: &Command<'_>,
) -> Result<Value, ApiError> {
    let value = command.arguments;
    if workspace.is_read_only_mode() {
        match command.effect {
            Effect::Changes => {
                return Err(ApiError::new(
                    "not-supported",
                    "metadata cannot be modified in read-only mode",
                ));
            }
            Effect::RunsSql if value.get("read_only") != Some(&Value::Bool(true)) => {
                return Err(ApiError::new("not-supported", READ_ONLY));
            }
            Effect::Data if !matches!(command.name, "select" | "count") => {
                return Err(ApiError::new("not-supported", READ_ONLY));
            }
            _ => {}
        }
    }
    if command.effect == Effect::Changes && !workspace.origin_is_writable() {
        return Err(ApiError::new("not-supported", workspace.read_only_message()));
    }
    match command.name {
        "bulk" => return bulk::all_or_nothing(workspace, caller, endpoint, value).await,
        "concurrent_bulk" => return data::concurrent_bulk(workspace, caller, value).await,
        "bulk_keep_going" => return bulk::keep_going(workspace, caller, endpoint, value).await,
        "bulk_atomic" => return bulk::atomic(workspace, caller, endpoint, value).await,
        "run_sql" => return run_sql::run(workspace, Arguments::new(value)?).await,
        "select" | "insert" | "update" | "delete" | "count" => {
            return data::run(workspace, caller, command.name, value).await;
        }
        "track_table" => return table::track(workspace, value, command.version, command.source_scoped).await,
        "track_function" => return function::track(workspace, value),
        "untrack_function" => return function::untrack(workspace, value),
        "set_opentelemetry_status" => return setting::set_opentelemetry_status(workspace, value),
        "replace_metadata" => return document::replace(workspace, value, command.version).await,
        "export_metadata" => return Ok(document::export(workspace, command.version)),
        "clear_metadata" => return document::clear(workspace).await,
        "get_inconsistent_metadata" => return Ok(document::inconsistent(workspace)),
        "drop_inconsistent_metadata" => return document::drop_inconsistent(workspace),
        "list_source_kinds" => return Ok(source::list_kinds()),
        "remove_api_limits" => return setting::remove_api_limits(workspace),
        "remove_metrics_config" => return setting::remove_metrics_config(workspace),
        "get_catalog_state" => return workspace.catalog_state().await,
        "dump_internal_state" => return Ok(inspect::dump_internal_state(workspace)),
        _ => {}
    }
    let empty = json!({});
    let arguments = Arguments::new(if value.is_null() { &empty } else { value })?;
    match command.name {
        "add_source" => source::add(workspace, arguments).await,
        "update_source" => source::update(workspace, arguments).await,
        "rename_source" => source::rename(workspace, arguments).await,
        "drop_source" => source::drop(workspace, arguments),
        "set_query_tags" => source::set_query_tags(workspace, arguments),
        "get_source_tables" => inspect::source_tables(workspace, arguments),
        "get_source_trackables" => inspect::source_trackables(workspace, arguments),
        "test_connection_template" => inspect::test_connection_template(workspace, arguments),
        "get_source_kind_capabilities" => source::kind_capabilities(arguments),
        "get_table_info" => inspect::table_info(workspace, arguments),
        "track_tables" => table::track_many(workspace, arguments).await,
        "untrack_table" => table::untrack(workspace, arguments),
        "untrack_tables" => table::untrack_many(workspace, arguments),
        "set_table_is_enum" => table::set_is_enum(workspace, arguments).await,
        "set_table_customization" => table::set_customization(workspace, arguments),
        "set_table_custom_fields" => table::set_custom_fields(workspace, arguments),
        "set_apollo_federation_config" => table::set_apollo_federation(workspace, arguments),
        "create_object_relationship" => relationship::create::<ObjectRelationship>(workspace, arguments),
        "create_array_relationship" => relationship::create::<ArrayRelationship>(workspace, arguments),
        "drop_relationship" => relationship::drop(workspace, arguments),
        "set_relationship_comment" => relationship::set_comment(workspace, arguments),
        "rename_relationship" => relationship::rename(workspace, arguments),
        "suggest_relationships" => suggest::run(workspace, arguments),
        "create_insert_permission" => permission::create::<InsertPermission>(workspace, arguments),
        "create_select_permission" => permission::create::<SelectPermission>(workspace, arguments),
        "create_update_permission" => permission::create::<UpdatePermission>(workspace, arguments),
        "create_delete_permission" => permission::create::<DeletePermission>(workspace, arguments),
        "drop_insert_permission" => permission::drop::<InsertPermission>(workspace, arguments),
        "drop_select_permission" => permission::drop::<SelectPermission>(workspace, arguments),
        "drop_update_permission" => permission::drop::<UpdatePermission>(workspace, arguments),
        "drop_delete_permission" => permission::drop::<DeletePermission>(workspace, arguments),
        "set_permission_comment" => permission::set_comment(workspace, arguments),
        "set_function_customization" => function::set_customization(workspace, arguments),
        "create_function_permission" => function::create_permission(workspace, arguments),
        "drop_function_permission" => function::drop_permission(workspace, arguments),
        "add_computed_field" => function::add_computed_field(workspace, arguments),
        "drop_computed_field" => function::drop_computed_field(workspace, arguments),
        "add_inherited_role" => setting::add_inherited_role(workspace, arguments),
        "drop_inherited_role" => setting::drop_inherited_role(workspace, arguments),
        "create_query_collection" => collection::create(workspace, arguments),
        "rename_query_collection" => collection::rename(workspace, arguments),
        "drop_query_collection" => collection::drop(workspace, arguments),
        "add_query_to_collection" => collection::add_query(workspace, arguments),
        "drop_query_from_collection" => collection::drop_query(workspace, arguments),
        "add_collection_to_allowlist" => collection::allow(workspace, arguments),
        "drop_collection_from_allowlist" => collection::disallow(workspace, arguments),
        "update_scope_of_collection_in_allowlist" => collection::update_scope(workspace, arguments),
        "create_rest_endpoint" => collection::create_endpoint(workspace, arguments),
        "drop_rest_endpoint" => collection::drop_endpoint(workspace, arguments),
        "set_api_limits" => setting::set_api_limits(workspace, arguments),
        "set_graphql_schema_introspection_options" => setting::set_introspection(workspace, arguments),
        "add_host_to_tls_allowlist" => setting::add_tls_host(workspace, arguments),
        "drop_host_from_tls_allowlist" => setting::drop_tls_host(workspace, arguments),
        "set_metrics_config" => setting::set_metrics_config(workspace, arguments),
        "set_opentelemetry_config" => setting::set_opentelemetry(workspace, arguments),
        "reload_metadata" => document::reload(workspace, arguments).await,
        "set_catalog_state" => workspace.set_catalog_state(arguments).await,
        "test_webhook_transform" => inspect::test_webhook_transform(arguments),
        // Parts of the API whose features come later: nothing is stored that would not be served.
        other => {
            refuse_bad_names(arguments)?;
            Err(ApiError::new(
                "not-supported",
                format!("the command \"{other}\" is not supported yet"),
            ))
        }
    }
}

/// An empty name is refused as such, also by commands that are refused anyway.
fn refuse_bad_names(arguments: Arguments<'_>) -> Result<(), ApiError> {
    if arguments.raw("name").is_some_and(Value::is_string) {
        arguments.name("name")?;
    }
    Ok(())
}

/// `{"message": "success"}`
fn success() -> Value {
    json!({ "message": "success" })
}

/// Answers one request as the listener wants it: the body's bytes, or the error in the server's form.
///
/// # Errors
/// As [`answer`].
pub(crate) async fn serve(
    state: &State,
    session: &Session,
    endpoint: http::Endpoint,
    body: &Value,
) -> Result<Vec<u8>, http::error::ApiError> {
    let endpoint = match endpoint {
        http::Endpoint::QueryV1 => Endpoint::QueryV1,
        http::Endpoint::QueryV2 => Endpoint::QueryV2,
        _ => Endpoint::Metadata,
    };
    let answer = answer(state, session, endpoint, body).await?;
    serde_json::to_vec(&answer).map_err(|error| http::error::ApiError::unexpected(&error.to_string()))
}

impl From<ApiError> for http::error::ApiError {
    fn from(error: ApiError) -> Self {
        let code = http::error::Code::ALL
            .iter()
            .find(|code| code.as_str() == error.code);
        let mut converted = Self::new(
            code.copied().unwrap_or(http::error::Code::Unexpected),
            error.message,
        )
        .path(error.path);
        converted.internal = error.internal;
        if let Ok(status) = ::http::StatusCode::from_u16(error.status) {
            converted.status = status;
        }
        converted
    }
}
