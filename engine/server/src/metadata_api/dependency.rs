//! Objects of the document by id: making ids, calling them in messages, taking them out.

use std::sync::Arc;

use metadata::object_id::{MetadataObjectId, OpenTelemetryPart, SourceObjectId, TableObjectId};
use metadata::permission::PermissionType;
use metadata::remote_relationship::RelationshipType;
use metadata::{Document, QualifiedName, Source, Table};

/// A permission of a table.
pub(crate) fn permission(
    permission_type: PermissionType,
    source: &str,
    table: &QualifiedName,
    role: &str,
) -> MetadataObjectId {
    let object = TableObjectId::Permission {
        role: role.to_owned(),
        permission_type,
    };
    MetadataObjectId::of_table(source, table.clone(), object)
}

/// A relationship of a table.
pub(crate) fn relationship(
    relationship_type: RelationshipType,
    source: &str,
    table: &QualifiedName,
    name: &str,
) -> MetadataObjectId {
    let object = TableObjectId::Relationship {
        name: name.to_owned(),
        relationship_type,
    };
    MetadataObjectId::of_table(source, table.clone(), object)
}

/// A computed field of a table.
pub(crate) fn computed_field(source: &str, table: &QualifiedName, name: &str) -> MetadataObjectId {
    MetadataObjectId::of_table(
        source,
        table.clone(),
        TableObjectId::ComputedField(name.to_owned()),
    )
}

/// A permission of a function.
pub(crate) fn function_permission(source: &str, function: &QualifiedName, role: &str) -> MetadataObjectId {
    MetadataObjectId::InSource {
        source: source.to_owned(),
        object: SourceObjectId::FunctionPermission {
            function: function.clone(),
            role: role.to_owned(),
        },
    }
}

/// The OpenTelemetry section.
pub(crate) fn open_telemetry() -> MetadataObjectId {
    MetadataObjectId::OpenTelemetry(OpenTelemetryPart::All)
}

/// How an object is called as a dependent of another: `relationship article.author in source "default"`.
pub(crate) fn dependent_name(object: &MetadataObjectId) -> String {
    let MetadataObjectId::InSource { source, object } = object else {
        return object.name();
    };
    let name = match object {
        SourceObjectId::Table(table) => format!("table {table}"),
        SourceObjectId::OfTable { table, object } => match object {
            TableObjectId::Relationship { name, .. } => format!("relationship {table}.{name}"),
            TableObjectId::ComputedField(name) => format!("computed field {table}.{name}"),
            TableObjectId::RemoteRelationship(name) => format!("remote relationship {table}.{name}"),
            TableObjectId::Permission {
                role,
                permission_type,
            } => {
                format!("permission {table}.{role}.{}", verb(*permission_type))
            }
            TableObjectId::EventTrigger(name) => format!("event-trigger {table}.{name}"),
        },
        SourceObjectId::Function(function) => format!("function {function}"),
        SourceObjectId::FunctionPermission { function, role } => format!("permission {function}.{role}"),
        SourceObjectId::NativeQuery(name) => format!("native query {name}"),
        SourceObjectId::NativeQueryRelationship {
            native_query, name, ..
        } => {
            format!("relationship {native_query}.{name}")
        }
        SourceObjectId::LogicalModel(name) => format!("logical model {name}"),
        SourceObjectId::LogicalModelPermission { logical_model, role } => {
            format!("permission {logical_model}.{role}.select")
        }
    };
    format!("{name} in source \"{source}\"")
}

/// The verb of a permission as commands write it.
pub(crate) fn verb(permission_type: PermissionType) -> &'static str {
    match permission_type {
        PermissionType::Insert => "insert",
        PermissionType::Select => "select",
        PermissionType::Update => "update",
        PermissionType::Delete => "delete",
    }
}

/// Takes an object out of the document; false if it was not there.
pub(crate) fn remove(document: &mut Document, object: &MetadataObjectId) -> bool {
    match object {
        MetadataObjectId::Source(name) => document.sources.shift_remove(name).is_some(),
        MetadataObjectId::InSource { source, object } => document
            .sources
            .get_mut(source)
            .is_some_and(|source| remove_from_source(source, object)),
        MetadataObjectId::RemoteSchema(name) => document.remote_schemas.shift_remove(name).is_some(),
        MetadataObjectId::RemoteSchemaPermission { remote_schema, role } => document
            .remote_schemas
            .get_mut(remote_schema)
            .is_some_and(|schema| schema.permissions.shift_remove(role).is_some()),
        MetadataObjectId::RemoteSchemaRemoteRelationship {
            remote_schema,
            type_name,
            relationship,
        } => document
            .remote_schemas
            .get_mut(remote_schema)
            .and_then(|schema| schema.remote_relationships.get_mut(type_name))
            .is_some_and(|type_| type_.relationships.shift_remove(relationship).is_some()),
        MetadataObjectId::CustomTypes => {
            let known = !document.custom_types.is_empty();
            document.custom_types = metadata::custom_type::CustomTypes::default();
            known
        }
        MetadataObjectId::Action(name) => document.actions.shift_remove(name).is_some(),
        MetadataObjectId::ActionPermission { action, role } => document
            .actions
            .get_mut(action)
            .is_some_and(|action| action.permissions.shift_remove(role).is_some()),
        MetadataObjectId::CronTrigger(name) => document.cron_triggers.shift_remove(name).is_some(),
        MetadataObjectId::InheritedRole(name) => document.inherited_roles.shift_remove(name).is_some(),
        MetadataObjectId::RestEndpoint(name) => document.rest_endpoints.shift_remove(name).is_some(),
        MetadataObjectId::SavedQuery { collection, query } => document
            .query_collections
            .get_mut(collection)
            .is_some_and(|collection| collection.definition.queries.shift_remove(query).is_some()),
        MetadataObjectId::OpenTelemetry(_) => {
            let empty = metadata::opentelemetry::OpenTelemetry::default();
            std::mem::replace(&mut document.opentelemetry, empty.clone()) != empty
        }
    }
}

fn remove_from_source(source: &mut Source, object: &SourceObjectId) -> bool {
    match object {
        SourceObjectId::Table(table) => source.tables.shift_remove(table).is_some(),
        SourceObjectId::OfTable { table, object } => source
            .tables
            .get_mut(table)
            .is_some_and(|table| remove_from_table(Arc::make_mut(table), object)),
        SourceObjectId::Function(function) => source.functions.shift_remove(function).is_some(),
        SourceObjectId::FunctionPermission { function, role } => source
            .functions
            .get_mut(function)
            .is_some_and(|function| function.permissions.shift_remove(role).is_some()),
        SourceObjectId::NativeQuery(name) => source.native_queries.shift_remove(name).is_some(),
        SourceObjectId::NativeQueryRelationship {
            native_query,
            name,
            relationship_type,
        } => source
            .native_queries
            .get_mut(native_query)
            .is_some_and(|query| match relationship_type {
                RelationshipType::Object => query.object_relationships.shift_remove(name).is_some(),
                RelationshipType::Array => query.array_relationships.shift_remove(name).is_some(),
            }),
        SourceObjectId::LogicalModel(name) => source.logical_models.shift_remove(name).is_some(),
        SourceObjectId::LogicalModelPermission { logical_model, role } => source
            .logical_models
            .get_mut(logical_model)
            .is_some_and(|model| model.select_permissions.shift_remove(role).is_some()),
    }
}

fn remove_from_table(table: &mut Table, object: &TableObjectId) -> bool {
    match object {
        TableObjectId::Relationship {
            name,
            relationship_type,
        } => match relationship_type {
            RelationshipType::Object => table.object_relationships.shift_remove(name).is_some(),
            RelationshipType::Array => table.array_relationships.shift_remove(name).is_some(),
        },
        TableObjectId::ComputedField(name) => table.computed_fields.shift_remove(name).is_some(),
        TableObjectId::RemoteRelationship(name) => table.remote_relationships.shift_remove(name).is_some(),
        TableObjectId::Permission {
            role,
            permission_type,
        } => match permission_type {
            PermissionType::Insert => table.insert_permissions.shift_remove(role).is_some(),
            PermissionType::Select => table.select_permissions.shift_remove(role).is_some(),
            PermissionType::Update => table.update_permissions.shift_remove(role).is_some(),
            PermissionType::Delete => table.delete_permissions.shift_remove(role).is_some(),
        },
        TableObjectId::EventTrigger(name) => table.event_triggers.shift_remove(name).is_some(),
    }
}
