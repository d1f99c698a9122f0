//! The envelope of a command and what is known of each: its name without prefix, who may run it, what it touches.

use std::collections::BTreeSet;

use serde_json::Value;

use super::arguments::kind;
use super::error::ApiError;

/// Where a command was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `/v1/metadata`
    Metadata,
    /// `/v1/query`
    QueryV1,
    /// `/v2/query`
    QueryV2,
}

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Reads the document or the catalogs.
    Reads,
    /// Changes the document.
    Changes,
    /// Runs SQL, after which the document may have to follow.
    RunsSql,
    /// Reads or writes rows with the role's own permissions.
    Data,
    /// Holds other commands.
    Holds,
}

/// One command.
#[derive(Debug, Clone)]
pub(crate) struct Command<'a> {
    /// Name without backend prefix.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) effect: Effect,
    /// Sent with a backend prefix, or one of the commands that have none.
    pub(crate) source_scoped: bool,
    /// `args`; an empty object if absent.
    pub(crate) arguments: &'a Value,
    /// `version`, 1 if absent.
    pub(crate) version: u64,
}

use Effect::{Changes, Data, Holds, Reads, RunsSql};

/// Commands about one source's objects: `pg_` or `postgres_` may stand before them.
const SOURCE_SCOPED: &[(&str, Effect)] = &[
    ("add_source", Changes),
    ("update_source", Changes),
    ("drop_source", Changes),
    ("get_source_tables", Reads),
    ("get_source_trackables", Reads),
    ("get_table_info", Reads),
    ("test_connection_template", Reads),
    ("track_table", Changes),
    ("track_tables", Changes),
    ("untrack_table", Changes),
    ("untrack_tables", Changes),
    ("set_table_is_enum", Changes),
    ("set_table_customization", Changes),
    ("set_apollo_federation_config", Changes),
    ("create_object_relationship", Changes),
    ("create_array_relationship", Changes),
    ("drop_relationship", Changes),
    ("set_relationship_comment", Changes),
    ("rename_relationship", Changes),
    ("suggest_relationships", Reads),
    ("create_remote_relationship", Changes),
    ("update_remote_relationship", Changes),
    ("delete_remote_relationship", Changes),
    ("create_insert_permission", Changes),
    ("create_select_permission", Changes),
    ("create_update_permission", Changes),
    ("create_delete_permission", Changes),
    ("drop_insert_permission", Changes),
    ("drop_select_permission", Changes),
    ("drop_update_permission", Changes),
    ("drop_delete_permission", Changes),
    ("set_permission_comment", Changes),
    ("track_function", Changes),
    ("untrack_function", Changes),
    ("set_function_customization", Changes),
    ("create_function_permission", Changes),
    ("drop_function_permission", Changes),
    ("add_computed_field", Changes),
    ("drop_computed_field", Changes),
    ("track_native_query", Changes),
    ("untrack_native_query", Changes),
    ("get_native_query", Reads),
    ("track_logical_model", Changes),
    ("untrack_logical_model", Changes),
    ("get_logical_model", Reads),
    ("create_logical_model_select_permission", Changes),
    ("drop_logical_model_select_permission", Changes),
    ("track_stored_procedure", Changes),
    ("untrack_stored_procedure", Changes),
    ("create_event_trigger", Changes),
    ("delete_event_trigger", Changes),
    ("redeliver_event", Reads),
    ("invoke_event_trigger", Reads),
    ("get_event_logs", Reads),
    ("get_event_invocation_logs", Reads),
    ("get_event_by_id", Reads),
];

/// Commands that never have a prefix.
const GENERAL: &[(&str, Effect)] = &[
    ("rename_source", Changes),
    ("list_source_kinds", Reads),
    ("get_source_kind_capabilities", Reads),
    ("set_query_tags", Changes),
    ("add_inherited_role", Changes),
    ("drop_inherited_role", Changes),
    ("create_query_collection", Changes),
    ("rename_query_collection", Changes),
    ("drop_query_collection", Changes),
    ("add_query_to_collection", Changes),
    ("drop_query_from_collection", Changes),
    ("add_collection_to_allowlist", Changes),
    ("drop_collection_from_allowlist", Changes),
    ("update_scope_of_collection_in_allowlist", Changes),
    ("create_rest_endpoint", Changes),
    ("drop_rest_endpoint", Changes),
    ("set_api_limits", Changes),
    ("remove_api_limits", Changes),
    ("set_graphql_schema_introspection_options", Changes),
    ("add_host_to_tls_allowlist", Changes),
    ("drop_host_from_tls_allowlist", Changes),
    ("set_metrics_config", Changes),
    ("remove_metrics_config", Changes),
    ("set_opentelemetry_config", Changes),
    ("set_opentelemetry_status", Changes),
    ("set_custom_types", Changes),
    ("create_action", Changes),
    ("update_action", Changes),
    ("drop_action", Changes),
    ("create_action_permission", Changes),
    ("drop_action_permission", Changes),
    ("add_remote_schema", Changes),
    ("update_remote_schema", Changes),
    ("remove_remote_schema", Changes),
    ("reload_remote_schema", Changes),
    ("introspect_remote_schema", Reads),
    ("add_remote_schema_permissions", Changes),
    ("drop_remote_schema_permissions", Changes),
    ("create_remote_schema_remote_relationship", Changes),
    ("update_remote_schema_remote_relationship", Changes),
    ("delete_remote_schema_remote_relationship", Changes),
    ("create_cron_trigger", Changes),
    ("delete_cron_trigger", Changes),
    ("get_cron_triggers", Reads),
    ("create_scheduled_event", Reads),
    ("delete_scheduled_event", Reads),
    ("get_scheduled_events", Reads),
    ("get_scheduled_event_invocations", Reads),
    ("cleanup_event_trigger_logs", Reads),
    ("pause_event_trigger_cleanups", Changes),
    ("resume_event_trigger_cleanups", Changes),
    ("dc_add_agent", Changes),
    ("dc_delete_agent", Changes),
    ("test_webhook_transform", Reads),
    ("export_metadata", Reads),
    ("replace_metadata", Changes),
    ("clear_metadata", Changes),
    ("reload_metadata", Changes),
    ("get_inconsistent_metadata", Reads),
    ("drop_inconsistent_metadata", Changes),
    ("get_catalog_state", Reads),
    ("set_catalog_state", Reads),
    ("dump_internal_state", Reads),
    ("bulk", Holds),
    ("bulk_keep_going", Holds),
    ("bulk_atomic", Holds),
];

/// Commands of `/v1/query` and `/v2/query` that `/v1/metadata` does not have.
const DATA: &[(&str, Effect)] = &[
    ("run_sql", RunsSql),
    ("select", Data),
    ("insert", Data),
    ("update", Data),
    ("delete", Data),
    ("count", Data),
];

/// Old names of `/v1/query`.
const OLD_NAMES: &[(&str, &str, Effect)] = &[
    ("add_existing_table_or_view", "track_table", Changes),
    ("set_table_custom_fields", "set_table_custom_fields", Changes),
];

/// Databases that the API knows and this engine does not serve.
const OTHER_BACKENDS: &[&str] = &["citus", "cockroach", "mssql", "bigquery"];

impl<'a> Command<'a> {
    /// Reads `{"type", "args", "version"}`.
    pub(crate) fn read(body: &'a Value, endpoint: Endpoint) -> Result<Self, ApiError> {
        let Value::Object(object) = body else {
            return Err(ApiError::parse_failed(
                "$",
                format!(
                    "parsing Object failed, expected Object, but encountered {}",
                    kind(body)
                ),
            ));
        };
        let type_ = match object.get("type") {
            Some(Value::String(type_)) => type_,
            Some(other) => {
                return Err(ApiError::parse_failed(
                    "$.type",
                    format!(
                        "parsing Text failed, expected String, but encountered {}",
                        kind(other)
                    ),
                ));
            }
            None => return Err(ApiError::parse_failed("$", "key \"type\" not found")),
        };
        let version = match object.get("version") {
            None | Some(Value::Null) => 1,
            Some(value) => match value.as_u64() {
                Some(version @ (1 | 2)) => version,
                _ => {
                    return Err(ApiError::parse_failed(
                        "$.version",
                        format!("expected 1 or 2, encountered {value}"),
                    ));
                }
            },
        };
        let (name, effect, source_scoped) = resolve(type_, endpoint)?;
        let arguments = object.get("args").unwrap_or(&EMPTY);
        Ok(Self {
            name,
            effect,
            source_scoped,
            arguments,
            version,
        })
    }
}

impl<'a> Command<'a> {
    /// The sources whose catalogs decide how it ends: those of its objects. `None` if that may be any.
    pub(crate) fn sources(&self) -> Option<BTreeSet<&'a str>> {
        let is_of_objects = SOURCE_SCOPED.iter().any(|(name, _)| *name == self.name);
        if !is_of_objects || self.name.ends_with("_source") {
            return None;
        }
        Some(match self.arguments.get("tables").and_then(Value::as_array) {
            Some(items) => items.iter().map(source_of).collect(),
            None => BTreeSet::from([source_of(self.arguments)]),
        })
    }

    /// It reads databases itself: one that fails would not fare better after another look at them.
    pub(crate) fn reads_databases(&self) -> bool {
        matches!(
            self.name,
            "add_source" | "update_source" | "reload_metadata" | "replace_metadata" | "clear_metadata"
        )
    }
}

/// The source that arguments name.
fn source_of(arguments: &Value) -> &str {
    let named = arguments.get("source").and_then(Value::as_str);
    named.unwrap_or("default")
}

static EMPTY: Value = Value::Null;

fn resolve(type_: &str, endpoint: Endpoint) -> Result<(&'static str, Effect, bool), ApiError> {
    let prefixed = type_
        .strip_prefix("pg_")
        .or_else(|| type_.strip_prefix("postgres_"));
    if endpoint != Endpoint::Metadata
        && let Some(&(name, effect)) = DATA.iter().find(|(name, _)| *name == prefixed.unwrap_or(type_))
    {
        return Ok((name, effect, prefixed.is_some()));
    }
    if endpoint == Endpoint::QueryV2 {
        return match type_ {
            "bulk" => Ok(("bulk", Holds, false)),
            "concurrent_bulk" => Ok(("concurrent_bulk", Holds, false)),
            _ => Err(ApiError::parse_failed(
                "$",
                format!("unknown query type: \"{type_}\""),
            )),
        };
    }
    if endpoint == Endpoint::QueryV1
        && let Some(&(_, name, effect)) = OLD_NAMES.iter().find(|(old, _, _)| *old == type_)
    {
        return Ok((name, effect, false));
    }
    let scoped = prefixed.unwrap_or(type_);
    if let Some(&(name, effect)) = SOURCE_SCOPED.iter().find(|(name, _)| *name == scoped) {
        return Ok((name, effect, prefixed.is_some() || endpoint == Endpoint::Metadata));
    }
    if let Some(&(name, effect)) = GENERAL.iter().find(|(name, _)| *name == type_) {
        return Ok((name, effect, false));
    }
    if let Some(command) = prefixed {
        return Err(ApiError::parse_failed(
            "$",
            format!("unknown metadata command \"{command}\" for backend postgres"),
        ));
    }
    let backend = type_.split('_').next().unwrap_or(type_);
    if OTHER_BACKENDS.contains(&backend) {
        return Err(
            ApiError::new("not-supported", format!("backend \"{backend}\" is not supported")).at("$.type"),
        );
    }
    Err(ApiError::parse_failed(
        "$",
        format!(
            "unknown metadata command \"{type_}\"; \"{backend}\" was not recognized as a valid backend name"
        ),
    ))
}
