//! Commands that show what a source holds.

use metadata::QualifiedName;
use schema::catalog::{Table, TableKind, Volatility};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::lookup;
use super::workspace::Workspace;
use crate::generation::connection_template::{self, ConnectionTemplate};

/// `pg_get_source_tables`
pub(crate) fn source_tables(workspace: &Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let tables = visible_tables(workspace, arguments)?;
    Ok(tables
        .into_iter()
        .map(|table| json!({ "schema": table.name.schema, "name": table.name.name }))
        .collect())
}

/// `pg_get_source_trackables`; `volitility` is the key that existing clients read.
pub(crate) fn source_trackables(
    workspace: &Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let tables: Vec<Value> = visible_tables(workspace, arguments)?
        .into_iter()
        .map(|table| json!({ "name": { "schema": table.name.schema, "name": table.name.name } }))
        .collect();
    let catalog = catalog(workspace, &arguments.source()?)?;
    let functions: Vec<Value> = catalog
        .functions
        .iter()
        .filter(|function| function.is_plain)
        .map(|function| {
            json!({
                "name": { "schema": function.name.schema, "name": function.name.name },
                "volitility": match function.volatility {
                    Volatility::Immutable => "IMMUTABLE",
                    Volatility::Stable => "STABLE",
                    Volatility::Volatile => "VOLATILE",
                },
            })
        })
        .collect();
    Ok(json!({ "tables": tables, "functions": functions }))
}

/// `pg_get_table_info`
pub(crate) fn table_info(workspace: &Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let source = arguments.source()?;
    let name: QualifiedName = arguments.required("table")?;
    let catalog = catalog(workspace, &source)?;
    let Some(table) = catalog.table(&name.schema, &name.name) else {
        return Err(ApiError::new(
            "not-exists",
            format!("no such table/view exists in source: \"{name}\""),
        ));
    };
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|column| {
            json!({
                "name": column.name, "type": column.type_.name, "nullable": column.nullable,
                "description": column.comment,
            })
        })
        .collect();
    let foreign_keys: serde_json::Map<String, Value> = table
        .foreign_keys
        .iter()
        .map(|key| {
            let mapping: serde_json::Map<String, Value> = key
                .columns
                .iter()
                .map(|(own, other)| (own.clone(), json!(other)))
                .collect();
            let target = json!({ "schema": key.target.schema, "name": key.target.name });
            (
                key.name.clone(),
                json!({ "foreign_table": target, "column_mapping": mapping }),
            )
        })
        .collect();
    Ok(json!({
        "name": { "schema": name.schema, "name": name.name },
        "type": match table.kind {
            TableKind::View => "view",
            TableKind::MaterializedView => "materialized view",
            TableKind::ForeignTable => "foreign table",
            TableKind::Table | TableKind::PartitionedTable => "table",
        },
        "columns": columns,
        "primary_key": table.primary_key.as_ref().map(|key| &key.columns),
        "foreign_keys": foreign_keys,
        "description": table.comment,
        "insertable": table.mutability.insertable,
        "updatable": table.mutability.updatable,
        "deletable": table.mutability.deletable,
    }))
}

/// `dump_internal_state`: what the present model knows, for debugging.
pub(crate) fn dump_internal_state(workspace: &Workspace<'_>) -> Value {
    let model = workspace.model();
    let sources: serde_json::Map<String, Value> = model
        .sources
        .iter()
        .map(|source| {
            let tables: Vec<String> = source
                .tables
                .iter()
                .map(|table| format!("{}.{}", table.name.schema, table.name.name))
                .collect();
            let functions: Vec<String> = source
                .functions
                .iter()
                .map(|function| format!("{}.{}", function.name.schema, function.name.name))
                .collect();
            let content = json!({
                "tables": tables, "functions": functions, "predicates": source.predicates.len(),
                "query_fields": source.query_fields.len(),
            });
            (source.name.to_string(), content)
        })
        .collect();
    let roles: Vec<&str> = model.roles.keys().map(|role| &**role).collect();
    json!({
        "resource_version": workspace.resource_version(),
        "sources": sources,
        "roles": roles,
        "inconsistent_objects": workspace.inconsistent_objects(),
    })
}

/// `pg_test_connection_template`: where a request would go, by the source's template or by one that is tried.
pub(crate) fn test_connection_template(
    workspace: &Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name: Option<String> = arguments.optional("source_name")?;
    let name = name.unwrap_or_else(|| "default".to_owned());
    let configuration = &lookup::source(workspace.document(), &name)?.configuration;
    let tried: Option<metadata::source::ConnectionTemplate> = arguments.optional("connection_template")?;
    let Some(written) = tried.as_ref().or(configuration.connection_template.as_ref()) else {
        return Err(ApiError::new(
            "template-resolution-failed",
            format!("source \"{name}\" has no connection template, and none is given"),
        ));
    };
    let request = request_context(arguments)?;
    let template = ConnectionTemplate::new(written, configuration)
        .map_err(|error| ApiError::new("template-resolution-failed", error.to_string()))?;
    let route = template
        .resolve(request)
        .map_err(|error| ApiError::new(error.code.as_str(), error.message))?;
    Ok(json!({ "result": connection_template::shown(&route) }))
}

/// `request_context`, as `$.request`: all of its keys may be absent.
fn request_context(arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let Some(given) = arguments.raw("request_context") else {
        return Err(ApiError::parse_failed("$", "key \"request_context\" not found"));
    };
    let given = Arguments::new(given)?;
    let texts = |of: Arguments<'_>, key: &str| match of.raw(key) {
        None => Ok(json!({})),
        Some(Value::Object(texts)) if texts.values().all(Value::is_string) => Ok(Value::Object(
            texts
                .iter()
                .map(|(name, text)| (name.to_lowercase(), text.clone()))
                .collect(),
        )),
        Some(_) => Err(ApiError::parse_failed(
            format!("$.request_context.{key}"),
            "expected an object of texts",
        )),
    };
    let (mut kind, mut operation_name) = ("query".to_owned(), None);
    if let Some(query) = given.raw("query") {
        let query = Arguments::new(query)?;
        kind = query.optional("operation_type")?.unwrap_or(kind);
        operation_name = query.optional::<String>("operation_name")?;
    }
    if !matches!(kind.as_str(), "query" | "mutation" | "subscription") {
        return Err(ApiError::parse_failed(
            "$.request_context.query.operation_type",
            "expected one of query, mutation, subscription",
        ));
    }
    Ok(json!({
        "headers": texts(given, "headers")?,
        "session": texts(given, "session")?,
        "query": { "operation_type": kind, "operation_name": operation_name },
    }))
}

/// `test_webhook_transform`
pub(crate) fn test_webhook_transform(arguments: Arguments<'_>) -> Result<Value, ApiError> {
    kriti::test_webhook_transform(arguments.value()).map_err(|error| {
        let refusal = ApiError::new(error.code(), error.to_string()).at(error.path());
        match error.internal() {
            Some(internal) => refusal.with_internal(internal),
            None => refusal,
        }
    })
}

fn visible_tables<'a>(
    workspace: &'a Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Vec<&'a Table>, ApiError> {
    let catalog = catalog(workspace, &arguments.source()?)?;
    Ok(catalog
        .tables
        .iter()
        .filter(|table| !table.is_partition)
        .collect())
}

fn catalog<'a>(workspace: &'a Workspace<'_>, source: &str) -> Result<&'a schema::catalog::Catalog, ApiError> {
    lookup::source(workspace.document(), source)?;
    workspace
        .catalog(source)
        .ok_or_else(|| ApiError::unexpected(format!("source \"{source}\" is not reachable")))
}
