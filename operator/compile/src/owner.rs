//! Whose fault a problem is: from an object of the document, as the engine reports it, to the custom resource and the
//! field that it came from.

use std::collections::HashMap;

use crd::Kind;
use metadata::MetadataObjectId;
use metadata::QualifiedName;
use metadata::object_id::{SourceObjectId, TableObjectId};
use metadata::permission::PermissionType;
use metadata::remote_relationship::RelationshipType;

use crate::compile::Published;
use crate::object::ObjectKey;

/// A field of a custom resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Field {
    /// The custom resource.
    pub object: ObjectKey,
    /// The field, beginning with `spec`.
    pub path: String,
}

/// The custom resources of a published document, found by what they declare.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    by_place: HashMap<(Kind, Vec<String>), ObjectKey>,
    /// All that bring types along.
    of_types: Vec<Field>,
}

impl Owners {
    /// The owners of what was published.
    pub fn of(published: &[Published]) -> Self {
        let mut owners = Self::default();
        for entry in published {
            let kind = entry.object.kind;
            let mut place = entry.place.clone();
            match kind {
                // Names of types follow the name of an action, a position the role.
                Kind::Action => {
                    if place.len() > 1 {
                        owners.of_types.push(field(&entry.object, "spec.types"));
                    }
                    place.truncate(1);
                }
                Kind::RemoteSchemaPermission => place.truncate(2),
                Kind::ActionTypes => owners.of_types.push(field(&entry.object, "spec.types")),
                _ => {}
            }
            owners.by_place.insert((kind, place), entry.object.clone());
        }
        owners
    }

    /// The fields that an object of the document came from: one, none where no custom resource declares it, and for
    /// custom types, which the document has in one place, all that bring some along.
    pub fn fields(&self, id: &MetadataObjectId) -> Vec<Field> {
        let (kind, place, path) = match id {
            MetadataObjectId::CustomTypes => return self.of_types.clone(),
            MetadataObjectId::Source(source) => (Kind::Source, vec![source.clone()], "spec".to_owned()),
            MetadataObjectId::InSource { source, object } => in_source(source, object),
            MetadataObjectId::RemoteSchema(name) => {
                (Kind::RemoteSchema, vec![name.clone()], "spec".to_owned())
            }
            MetadataObjectId::RemoteSchemaPermission { remote_schema, role } => (
                Kind::RemoteSchemaPermission,
                vec![remote_schema.clone(), role.clone()],
                "spec.schema".to_owned(),
            ),
            MetadataObjectId::RemoteSchemaRemoteRelationship {
                remote_schema,
                type_name,
                relationship,
            } => (
                Kind::RemoteSchema,
                vec![remote_schema.clone()],
                format!("spec.remoteRelationships[typeName={type_name}].relationships[name={relationship}]"),
            ),
            MetadataObjectId::Action(name) => (Kind::Action, vec![name.clone()], "spec".to_owned()),
            MetadataObjectId::ActionPermission { action, role } => (
                Kind::Action,
                vec![action.clone()],
                format!("spec.permissions[role={role}]"),
            ),
            MetadataObjectId::CronTrigger(name) => (Kind::CronTrigger, vec![name.clone()], "spec".to_owned()),
            MetadataObjectId::InheritedRole(role) => {
                (Kind::InheritedRole, vec![role.clone()], "spec.parents".to_owned())
            }
            MetadataObjectId::RestEndpoint(name) => {
                (Kind::RestEndpoint, vec![name.clone()], "spec".to_owned())
            }
            MetadataObjectId::SavedQuery { collection, query } => (
                Kind::QueryCollection,
                vec![collection.clone()],
                format!("spec.queries[name={query}].query"),
            ),
            MetadataObjectId::OpenTelemetry(_) => (Kind::Engine, Vec::new(), "spec.openTelemetry".to_owned()),
        };
        let owner = self.by_place.get(&(kind, place));
        owner.map(|object| field(object, &path)).into_iter().collect()
    }
}

fn field(object: &ObjectKey, path: &str) -> Field {
    Field {
        object: object.clone(),
        path: path.to_owned(),
    }
}

fn in_source(source: &str, object: &SourceObjectId) -> (Kind, Vec<String>, String) {
    let inside = |name: &str| vec![source.to_owned(), name.to_owned()];
    let qualified = |name: &QualifiedName| vec![source.to_owned(), name.schema.clone(), name.name.clone()];
    match object {
        SourceObjectId::Table(table) => (Kind::Table, qualified(table), "spec.table".to_owned()),
        SourceObjectId::OfTable { table, object } => {
            let (kind, name, path) = of_table(object);
            let mut place = qualified(table);
            place.extend(name.map(str::to_owned));
            (kind, place, path)
        }
        SourceObjectId::Function(function) => {
            (Kind::Function, qualified(function), "spec.function".to_owned())
        }
        SourceObjectId::FunctionPermission { function, role } => (
            Kind::Function,
            qualified(function),
            format!("spec.permissions[role={role}]"),
        ),
        SourceObjectId::NativeQuery(name) => (Kind::NativeQuery, inside(name), "spec".to_owned()),
        SourceObjectId::NativeQueryRelationship {
            native_query,
            name,
            relationship_type,
        } => (
            Kind::NativeQuery,
            inside(native_query),
            format!("spec.{}[name={name}]", relationships(*relationship_type)),
        ),
        SourceObjectId::LogicalModel(name) => (Kind::LogicalModel, inside(name), "spec".to_owned()),
        SourceObjectId::LogicalModelPermission { logical_model, role } => (
            Kind::LogicalModel,
            inside(logical_model),
            format!("spec.selectPermissions[role={role}]"),
        ),
    }
}

/// The kind, the name behind the table's in its place, and the field.
fn of_table(object: &TableObjectId) -> (Kind, Option<&str>, String) {
    match object {
        TableObjectId::Relationship {
            name,
            relationship_type,
        } => {
            let path = format!("spec.{}[name={name}]", relationships(*relationship_type));
            (Kind::Table, None, path)
        }
        TableObjectId::ComputedField(name) => {
            (Kind::Table, None, format!("spec.computedFields[name={name}]"))
        }
        TableObjectId::RemoteRelationship(name) => (
            Kind::Table,
            None,
            format!("spec.remoteRelationships[name={name}]"),
        ),
        TableObjectId::Permission {
            role,
            permission_type,
        } => {
            let verb = match permission_type {
                PermissionType::Insert => "spec.insert",
                PermissionType::Select => "spec.select",
                PermissionType::Update => "spec.update",
                PermissionType::Delete => "spec.delete",
            };
            (Kind::Permission, Some(role), verb.to_owned())
        }
        TableObjectId::EventTrigger(name) => (Kind::EventTrigger, Some(name), "spec".to_owned()),
    }
}

fn relationships(relationship_type: RelationshipType) -> &'static str {
    match relationship_type {
        RelationshipType::Object => "objectRelationships",
        RelationshipType::Array => "arrayRelationships",
    }
}
