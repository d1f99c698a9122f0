//! Commands about sources.

use std::sync::Arc;

use metadata::object_id::MetadataObjectId;
use metadata::remote_relationship::RemoteRelationshipDefinition;
use metadata::source::{HealthCheck, QueryTags, SourceConfiguration, SourceCustomization};
use metadata::{Document, Source};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::lookup;
use super::success;
use super::workspace::Workspace;

/// `pg_add_source`: the database is introspected before anything is kept.
pub(crate) async fn add(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    let replace = arguments.flag("replace_configuration")?;
    let known = workspace.document().sources.contains_key(&name);
    if known && !replace {
        return Err(ApiError::new(
            "already-exists",
            format!("source with name \"{name}\" already exists"),
        ));
    }
    let configuration: SourceConfiguration = arguments.required("configuration")?;
    let customization: SourceCustomization = arguments.optional("customization")?.unwrap_or_default();
    let health_check: Option<HealthCheck> = arguments.optional("health_check")?;
    let object = MetadataObjectId::Source(name.clone());
    let edited = name.clone();
    workspace
        .change_sources(Some(&object), &name, move |document| {
            match document.sources.get_mut(&edited) {
                Some(source) => {
                    source.configuration = configuration;
                    source.customization = customization;
                    source.health_check = health_check;
                }
                None => {
                    let source = Source {
                        configuration,
                        customization,
                        health_check,
                        ..Source::default()
                    };
                    document.sources.insert(edited, source);
                }
            }
            Ok(())
        })
        .await?;
    Ok(success())
}

/// `pg_update_source`: what is not given stays.
pub(crate) async fn update(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    lookup::source(workspace.document(), &name)?;
    let configuration: Option<SourceConfiguration> = arguments.optional("configuration")?;
    let customization: Option<SourceCustomization> = arguments.optional("customization")?;
    let health_check: Option<HealthCheck> = arguments.optional("health_check")?;
    let object = MetadataObjectId::Source(name.clone());
    let edited = name.clone();
    workspace
        .change_sources(Some(&object), &name, move |document| {
            let source = lookup::source_mut(document, &edited)?;
            if let Some(configuration) = configuration {
                source.configuration = configuration;
            }
            if let Some(customization) = customization {
                source.customization = customization;
            }
            if health_check.is_some() {
                source.health_check = health_check;
            }
            Ok(())
        })
        .await?;
    Ok(success())
}

/// `rename_source`: references from other sources follow.
pub(crate) async fn rename(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    let new_name = arguments.name("new_name")?;
    if !workspace.document().sources.contains_key(&name) {
        return Err(ApiError::new(
            "not-exists",
            format!("Could not find source with name \"{name}\""),
        ));
    }
    if workspace.document().sources.contains_key(&new_name) {
        return Err(ApiError::new(
            "already-exists",
            format!("Source with name \"{new_name}\" already exists"),
        ));
    }
    workspace.rename_catalog(&name, &new_name);
    let served = new_name.clone();
    workspace
        .change_sources(None, &served, move |document| {
            if let Some(source) = document.sources.shift_remove(&name) {
                document.sources.insert(new_name.clone(), source);
            }
            follow_rename(document, &name, &new_name);
            Ok(())
        })
        .await?;
    Ok(success())
}

fn follow_rename(document: &mut Document, name: &str, new_name: &str) {
    for table in document
        .sources
        .values_mut()
        .flat_map(|source| source.tables.values_mut())
        .filter(|table| !table.remote_relationships.is_empty())
    {
        for relationship in Arc::make_mut(table).remote_relationships.values_mut() {
            if let RemoteRelationshipDefinition::ToSource(target) = &mut relationship.definition
                && target.source == name
            {
                new_name.clone_into(&mut target.source);
            }
        }
    }
    for object in document.custom_types.objects.values_mut() {
        for relationship in object.relationships.values_mut() {
            if relationship.source == name {
                new_name.clone_into(&mut relationship.source);
            }
        }
    }
}

/// `pg_drop_source`
pub(crate) fn drop(workspace: &mut Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    let cascade = arguments.flag("cascade")?;
    lookup::source(workspace.document(), &name)?;
    workspace.remove(cascade, |document| {
        document.sources.shift_remove(&name);
        Ok(())
    })?;
    Ok(success())
}

/// `list_source_kinds`
pub(crate) fn list_kinds() -> Value {
    json!({ "sources": [
        { "kind": "pg", "builtin": true, "display_name": "pg", "available": true, "release_name": null },
    ] })
}

/// `get_source_kind_capabilities`: only data connectors have any to tell of.
pub(crate) fn kind_capabilities(arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let name = arguments.name("name")?;
    Err(match name.as_str() {
        "pg" | "postgres" => ApiError::new(
            "not-supported",
            format!("sources of kind \"{name}\" are built in; only data connectors have capabilities"),
        ),
        _ => ApiError::new("not-exists", format!("source kind \"{name}\" does not exist")).at("$.args.name"),
    })
}

/// `set_query_tags`
pub(crate) fn set_query_tags(
    workspace: &mut Workspace<'_>,
    arguments: Arguments<'_>,
) -> Result<Value, ApiError> {
    let name = arguments.name("source_name")?;
    lookup::source(workspace.document(), &name)?;
    let tags: QueryTags = super::arguments::read_command::<QueryTags>(arguments)?;
    workspace.change(None, |document| {
        lookup::source_mut(document, &name)?.query_tags = Some(tags);
        Ok(())
    })?;
    Ok(success())
}
