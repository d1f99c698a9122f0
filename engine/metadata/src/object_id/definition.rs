//! The `definition` of an object as Hasura shows it beside an inconsistency: the arguments of the command that
//! would make the object, with defaults written out.

use serde_json::{Map, Value, json};

use super::{MetadataObjectId, OpenTelemetryPart, SourceObjectId, TableObjectId};
use crate::json::{Entry, Json};
use crate::permission::PermissionType;
use crate::remote_relationship::RelationshipType;
use crate::{Document, QualifiedName, Source, Table};

impl MetadataObjectId {
    /// The object's `definition`, or nothing if the document has no such object.
    pub fn definition(&self, document: &Document) -> Option<Value> {
        match self {
            Self::Source(name) => document.sources.contains_key(name).then(|| name.print()),
            Self::InSource { source, object } => object.definition(source, document.sources.get(source)?),
            Self::RemoteSchema(name) => {
                let mut printed = entry(name, document.remote_schemas.get(name)?);
                printed.remove("permissions");
                printed.remove("remote_relationships");
                Some(with_comment(printed))
            }
            Self::RemoteSchemaPermission { remote_schema, role } => {
                let schema = document.remote_schemas.get(remote_schema)?;
                let mut printed = entry(role, schema.permissions.get(role)?);
                printed.insert("remote_schema".to_owned(), remote_schema.print());
                Some(with_comment(printed))
            }
            Self::RemoteSchemaRemoteRelationship {
                remote_schema,
                type_name,
                relationship,
            } => {
                let schema = document.remote_schemas.get(remote_schema)?;
                let relationships = &schema.remote_relationships.get(type_name)?.relationships;
                let mut printed = entry(relationship, relationships.get(relationship)?);
                printed.insert("remote_schema".to_owned(), remote_schema.print());
                printed.insert("type_name".to_owned(), type_name.print());
                Some(Value::Object(printed))
            }
            Self::CustomTypes => Some(custom_types(document)),
            Self::Action(name) => {
                let mut printed = entry(name, document.actions.get(name)?);
                printed.remove("permissions");
                if let Some(Value::Object(definition)) = printed.get_mut("definition") {
                    action_defaults(definition);
                }
                Some(with_comment(printed))
            }
            Self::ActionPermission { action, role } => {
                let mut printed = entry(role, document.actions.get(action)?.permissions.get(role)?);
                printed.insert("action".to_owned(), action.print());
                Some(with_comment(printed))
            }
            Self::CronTrigger(name) => Some(document.cron_triggers.get(name)?.print_entry(name)),
            Self::InheritedRole(name) => Some(document.inherited_roles.get(name)?.print_entry(name)),
            Self::RestEndpoint(name) => Some(document.rest_endpoints.get(name)?.print_entry(name)),
            Self::SavedQuery { collection, query } => {
                let queries = &document.query_collections.get(collection)?.definition.queries;
                Some(queries.get(query)?.print_entry(query))
            }
            Self::OpenTelemetry(part) => Some(match part {
                OpenTelemetryPart::All => document.opentelemetry.print(),
                OpenTelemetryPart::ExporterOtlp => document.opentelemetry.exporter_otlp.print(),
                OpenTelemetryPart::BatchSpanProcessor => document.opentelemetry.batch_span_processor.print(),
            }),
        }
    }
}

impl SourceObjectId {
    fn definition(&self, source_name: &str, source: &Source) -> Option<Value> {
        match self {
            Self::Table(name) => source.tables.contains_key(name).then(|| name.print()),
            Self::OfTable { table, object } => {
                object.definition(source_name, table, source.tables.get(table)?)
            }
            Self::Function(name) => {
                let function = source.functions.get(name)?;
                let mut printed = entry(name, function);
                printed.remove("permissions");
                printed
                    .entry("configuration")
                    .or_insert_with(|| function.configuration.print());
                printed.insert("source".to_owned(), source_name.into());
                Some(with_comment(printed))
            }
            Self::FunctionPermission { function, role } => {
                source.functions.get(function)?.permissions.get(role)?;
                Some(json!({"function": function.print(), "role": role, "source": source_name}))
            }
            Self::NativeQuery(name) => Some(source.native_queries.get(name)?.print_entry(name)),
            Self::NativeQueryRelationship {
                native_query,
                name,
                relationship_type,
            } => {
                let native_query = source.native_queries.get(native_query)?;
                let relationships = match relationship_type {
                    RelationshipType::Object => &native_query.object_relationships,
                    RelationshipType::Array => &native_query.array_relationships,
                };
                Some(relationships.get(name)?.print_entry(name))
            }
            Self::LogicalModel(name) => Some(source.logical_models.get(name)?.print_entry(name)),
            Self::LogicalModelPermission { logical_model, role } => {
                let model = source.logical_models.get(logical_model)?;
                let mut printed = entry(role, model.select_permissions.get(role)?);
                printed.insert("source".to_owned(), source_name.into());
                printed.insert("name".to_owned(), logical_model.print());
                Some(with_comment(select_defaults(printed)))
            }
        }
    }
}

impl TableObjectId {
    fn definition(&self, source: &str, name: &QualifiedName, table: &Table) -> Option<Value> {
        let mut printed = match self {
            Self::Relationship {
                name,
                relationship_type: RelationshipType::Object,
            } => entry(name, table.object_relationships.get(name)?),
            Self::Relationship {
                name,
                relationship_type: RelationshipType::Array,
            } => entry(name, table.array_relationships.get(name)?),
            Self::ComputedField(name) => entry(name, table.computed_fields.get(name)?),
            Self::RemoteRelationship(name) => entry(name, table.remote_relationships.get(name)?),
            Self::Permission {
                role,
                permission_type,
            } => permission(table, role, *permission_type)?,
            Self::EventTrigger(trigger) => {
                let configuration = table.event_triggers.get(trigger)?.print_entry(trigger);
                return Some(json!({"configuration": configuration, "table": name.print()}));
            }
        };
        printed.insert("source".to_owned(), source.into());
        printed.insert("table".to_owned(), name.print());
        Some(if matches!(self, Self::RemoteRelationship(_)) {
            Value::Object(printed)
        } else {
            with_comment(printed)
        })
    }
}

fn permission(table: &Table, role: &String, permission_type: PermissionType) -> Option<Map<String, Value>> {
    Some(match permission_type {
        PermissionType::Select => select_defaults(entry(role, table.select_permissions.get(role)?)),
        PermissionType::Insert => write_defaults(entry(role, table.insert_permissions.get(role)?)),
        PermissionType::Update => write_defaults(entry(role, table.update_permissions.get(role)?)),
        PermissionType::Delete => write_defaults(entry(role, table.delete_permissions.get(role)?)),
    })
}

fn entry<T: Entry>(name: &T::Name, entry: &T) -> Map<String, Value> {
    match entry.print_entry(name) {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn with_comment(mut printed: Map<String, Value>) -> Value {
    default(&mut printed, "comment", Value::Null);
    Value::Object(printed)
}

fn default(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key).or_insert(value);
}

fn select_defaults(mut printed: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(permission)) = printed.get_mut("permission") {
        default(permission, "allow_aggregations", Value::Bool(false));
        default(permission, "computed_fields", json!([]));
    }
    printed
}

fn write_defaults(mut printed: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(permission)) = printed.get_mut("permission") {
        default(permission, "backend_only", Value::Bool(false));
        if permission.get("check").is_some_and(Value::is_null) {
            permission.remove("check");
        }
    }
    printed
}

fn action_defaults(definition: &mut Map<String, Value>) {
    default(definition, "arguments", json!([]));
    default(definition, "forward_client_headers", Value::Bool(false));
    default(definition, "headers", json!([]));
    default(definition, "timeout", json!(30));
    each(definition, "arguments", |argument| {
        default(argument, "description", Value::Null);
    });
}

fn custom_types(document: &Document) -> Value {
    let Value::Object(mut printed) = document.custom_types.print() else {
        return json!({});
    };
    for key in ["input_objects", "objects", "scalars", "enums"] {
        default(&mut printed, key, json!([]));
        each(&mut printed, key, |custom_type| {
            default(custom_type, "description", Value::Null);
            if key == "objects" {
                default(custom_type, "relationships", json!([]));
            }
            each(custom_type, "fields", |field| {
                default(field, "description", Value::Null);
                if key == "objects" {
                    default(field, "arguments", Value::Null);
                }
            });
            each(custom_type, "values", |value| {
                default(value, "description", Value::Null);
                default(value, "is_deprecated", Value::Null);
            });
        });
    }
    Value::Object(printed)
}

fn each(object: &mut Map<String, Value>, key: &str, mut change: impl FnMut(&mut Map<String, Value>)) {
    if let Some(Value::Array(items)) = object.get_mut(key) {
        items
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(&mut change);
    }
}
