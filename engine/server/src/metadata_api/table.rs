//! Commands about tracked tables.

use std::sync::Arc;

use metadata::object_id::MetadataObjectId;
use metadata::table::{ApolloFederationConfig, TableConfiguration, TableRootFields};
use metadata::{QualifiedName, Table};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::lookup;
use super::success;
use super::workspace::Workspace;

/// `track_table`, `add_existing_table_or_view`: version 1 knows `is_enum` alone, or the bare table.
pub(crate) async fn track(
    workspace: &mut Workspace<'_>,
    value: &Value,
    version: u64,
    source_scoped: bool,
) -> Result<Value, ApiError> {
    let request = TrackRequest::read(value, version, source_scoped)?;
    let object = MetadataObjectId::table(&request.source, request.table.clone());
    request.check(workspace)?;
    if request.entry.is_enum {
        workspace.read_enum_table(&request.source, &request.table).await;
    }
    workspace.change(Some(&object), |document| request.apply(document))?;
    Ok(success())
}

/// `track_tables`: what can be tracked is, the rest are warnings.
pub(crate) async fn track_many(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let items = arguments.list("tables")?;
    let requests: Vec<TrackRequest> = items
        .iter()
        .map(|item| TrackRequest::read(item.value(), 2, true))
        .collect::<Result<_, _>>()?;
    check_duplicates(requests.iter().map(|request| (&request.source, &request.table)))?;
    let allow_warnings = arguments.optional("allow_warnings")?.unwrap_or(true);
    let mut warnings = Vec::new();
    let mut tracked = Vec::new();
    for request in &requests {
        match request.check(workspace) {
            Ok(()) => {
                if request.entry.is_enum {
                    workspace.read_enum_table(&request.source, &request.table).await;
                }
                tracked.push(request);
            }
            Err(error) => warnings.push(warning(
                "track-table-failed",
                &request.source,
                &request.table,
                &error.message,
            )),
        }
    }
    // One build for all of them; whoever turns out broken is taken out again and reported.
    let changes: Vec<_> = tracked
        .iter()
        .map(|request| {
            let object = MetadataObjectId::table(&request.source, request.table.clone());
            (object, move |document: &mut metadata::Document| {
                request.apply(document)
            })
        })
        .collect();
    let broken = workspace.change_many(&changes)?;
    let tracked_count = tracked.len() - broken.len();
    for (position, reason) in broken {
        let request = tracked[position];
        warnings.push(warning(
            "track-table-failed",
            &request.source,
            &request.table,
            &reason,
        ));
    }
    finish_many(
        warnings,
        tracked_count,
        allow_warnings,
        "all tables failed to track",
    )
}

/// `untrack_table`
pub(crate) fn untrack(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    untrack_one(workspace, arguments)?;
    Ok(success())
}

/// `untrack_tables`
pub(crate) fn untrack_many(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let items = arguments.list("tables")?;
    let allow_warnings = arguments.optional("allow_warnings")?.unwrap_or(true);
    let mut names = Vec::new();
    for item in &items {
        names.push((item.source()?, item.required::<QualifiedName>("table")?));
    }
    check_duplicates(names.iter().map(|(source, table)| (source, table)))?;
    let mut warnings = Vec::new();
    for (item, (source, table)) in items.iter().zip(&names) {
        if let Err(error) = untrack_one(workspace, *item) {
            warnings.push(warning("untrack-table-failed", source, table, &error.message));
        }
    }
    let done = items.len() - warnings.len();
    finish_many(warnings, done, allow_warnings, "all tables failed to untrack")
}

fn untrack_one(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<(), ApiError> {
    let source = arguments.source()?;
    let table: QualifiedName = arguments.required("table")?;
    let cascade = arguments.flag("cascade")?;
    if !lookup::source(workspace.document(), &source)?
        .tables
        .contains_key(&table)
    {
        let exists = workspace
            .catalog(&source)
            .is_none_or(|c| c.table(&table.schema, &table.name).is_some());
        return Err(if exists {
            ApiError::new(
                "already-untracked",
                format!("view/table already untracked: \"{table}\""),
            )
        } else {
            lookup::table_missing(&source, &table)
        });
    }
    workspace.remove(cascade, |document| {
        lookup::source_mut(document, &source)?.tables.shift_remove(&table);
        Ok(())
    })
}

/// `set_table_is_enum`
pub(crate) async fn set_is_enum(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let is_enum = arguments.required::<bool>("is_enum")?;
    if is_enum {
        workspace
            .read_enum_table(&arguments.source()?, &arguments.required("table")?)
            .await;
    }
    edit(workspace, arguments, |table| table.is_enum = is_enum)
}

/// `set_table_customization`
pub(crate) fn set_customization(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let configuration: TableConfiguration = arguments.required("configuration")?;
    edit(workspace, arguments, |table| table.configuration = configuration)
}

/// `set_table_custom_fields` (version 2 of the old API)
pub(crate) fn set_custom_fields(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let root_fields: TableRootFields = arguments.optional("custom_root_fields")?.unwrap_or_default();
    let columns = arguments
        .raw("custom_column_names")
        .cloned()
        .unwrap_or_else(|| json!({}));
    // The old key is read by the reader of the configuration, which also gives it its errors.
    let names: TableConfiguration = super::arguments::read_value(&json!({ "custom_column_names": columns }))?;
    edit(workspace, arguments, |table| {
        table.configuration.custom_root_fields = root_fields;
        table.configuration.column_config = names.column_config;
    })
}

/// `set_apollo_federation_config`
pub(crate) fn set_apollo_federation(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let config: Option<ApolloFederationConfig> = arguments.optional("apollo_federation_config")?;
    edit(workspace, arguments, |table| {
        table.apollo_federation_config = config;
    })
}

fn edit(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
    change: impl FnOnce(&mut Table),
) -> Result<Value, ApiError> {
    let source = arguments.source()?;
    let name: QualifiedName = arguments.required("table")?;
    lookup::table(workspace.document(), &source, &name)?;
    let object = MetadataObjectId::table(&source, name.clone());
    workspace.change(Some(&object), |document| {
        change(lookup::table_mut(document, &source, &name)?);
        Ok(())
    })?;
    Ok(success())
}

struct TrackRequest {
    source: String,
    table: QualifiedName,
    entry: Table,
}

impl TrackRequest {
    fn read(value: &Value, version: u64, source_scoped: bool) -> Result<Self, ApiError> {
        // `track_table` of the old API takes the table itself as its argument.
        let bare = match value {
            Value::String(_) => true,
            Value::Object(object) => !object.contains_key("table"),
            _ => false,
        };
        if bare && version == 1 && (!source_scoped || value.is_string()) {
            return Ok(Self {
                source: "default".to_owned(),
                table: super::arguments::read_value(value)?,
                entry: Table::default(),
            });
        }
        let arguments = Arguments::new(value)?;
        Ok(Self {
            source: arguments.source()?,
            table: arguments.required("table")?,
            entry: Table {
                is_enum: arguments.flag("is_enum")?,
                configuration: arguments.optional("configuration")?.unwrap_or_default(),
                apollo_federation_config: arguments.optional("apollo_federation_config")?,
                logical_model: arguments.optional("logical_model")?,
                ..Table::default()
            },
        })
    }

    fn check(&self, workspace: &Workspace<'_>) -> Result<(), ApiError> {
        let source = lookup::source(workspace.document(), &self.source)?;
        if source.tables.contains_key(&self.table) {
            return Err(ApiError::new(
                "already-tracked",
                format!("view/table already tracked: \"{}\"", self.table),
            ));
        }
        if source.functions.contains_key(&self.table) {
            return Err(ApiError::new(
                "not-supported",
                format!("function with name \"{}\" already exists", self.table),
            ));
        }
        if let Some(catalog) = workspace.catalog(&self.source)
            && catalog.table(&self.table.schema, &self.table.name).is_none()
        {
            return Err(ApiError::new(
                "not-exists",
                format!("no such table/view exists in source: \"{}\"", self.table),
            ));
        }
        Ok(())
    }

    fn apply(&self, document: &mut metadata::Document) -> Result<(), ApiError> {
        lookup::source_mut(document, &self.source)?
            .tables
            .insert(self.table.clone(), Arc::new(self.entry.clone()));
        Ok(())
    }
}

fn check_duplicates<'a>(
    names: impl Iterator<Item = (&'a String, &'a QualifiedName)>,
) -> Result<(), ApiError> {
    let mut seen = std::collections::HashSet::new();
    let mut twice = Vec::new();
    for name in names {
        if !seen.insert(name) {
            twice.push(name.1.to_string());
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    Err(ApiError::new(
        "bad-request",
        format!(
            "The following tables occur more than once in the request: {}",
            twice.join(", ")
        ),
    ))
}

fn warning(code: &str, source: &str, table: &QualifiedName, message: &str) -> Value {
    json!({
        "message": message,
        "code": code,
        "type": "table",
        "name": MetadataObjectId::table(source, table.clone()).name(),
    })
}

fn finish_many(
    warnings: Vec<Value>,
    done: usize,
    allow_warnings: bool,
    all_failed: &str,
) -> Result<Value, ApiError> {
    if warnings.is_empty() {
        return Ok(success());
    }
    if done == 0 {
        return Err(ApiError::new("invalid-configuration", all_failed).with_internal(Value::Array(warnings)));
    }
    if !allow_warnings {
        return Err(
            ApiError::new("metadata-warnings", "failed due to metadata warnings")
                .with_internal(Value::Array(warnings)),
        );
    }
    Ok(json!({ "message": "success", "warnings": warnings }))
}
