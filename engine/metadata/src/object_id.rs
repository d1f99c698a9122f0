//! The name of one object of the document, for problems, inconsistencies and statuses.

mod definition;

use std::fmt;

use crate::QualifiedName;
use crate::permission::PermissionType;
use crate::remote_relationship::RelationshipType;

/// One object of the document. `Display` is Hasura's `name`, beginning with the type:
/// `select_permission user in table author in source default`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetadataObjectId {
    /// A source.
    Source(String),
    /// Something inside a source.
    InSource {
        /// The source.
        source: String,
        /// What.
        object: SourceObjectId,
    },
    /// A remote schema.
    RemoteSchema(String),
    /// A permission on a remote schema.
    RemoteSchemaPermission {
        /// The remote schema.
        remote_schema: String,
        /// The role.
        role: String,
    },
    /// A relationship that starts at a type of a remote schema.
    RemoteSchemaRemoteRelationship {
        /// The remote schema.
        remote_schema: String,
        /// The type.
        type_name: String,
        /// The relationship.
        relationship: String,
    },
    /// All custom types together.
    CustomTypes,
    /// An action.
    Action(String),
    /// A permission on an action.
    ActionPermission {
        /// The action.
        action: String,
        /// The role.
        role: String,
    },
    /// A cron trigger.
    CronTrigger(String),
    /// An inherited role.
    InheritedRole(String),
    /// A REST endpoint.
    RestEndpoint(String),
    /// A saved query.
    SavedQuery {
        /// The query collection.
        collection: String,
        /// The query.
        query: String,
    },
    /// A part of the OpenTelemetry settings.
    OpenTelemetry(OpenTelemetryPart),
}

/// An object inside a source.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceObjectId {
    /// A table.
    Table(QualifiedName),
    /// Something of a table.
    OfTable {
        /// The table.
        table: QualifiedName,
        /// What.
        object: TableObjectId,
    },
    /// A function.
    Function(QualifiedName),
    /// A permission on a function.
    FunctionPermission {
        /// The function.
        function: QualifiedName,
        /// The role.
        role: String,
    },
    /// A native query.
    NativeQuery(String),
    /// A relationship of a native query.
    NativeQueryRelationship {
        /// The native query.
        native_query: String,
        /// The relationship.
        name: String,
        /// Its type.
        relationship_type: RelationshipType,
    },
    /// A logical model.
    LogicalModel(String),
    /// A permission on a logical model.
    LogicalModelPermission {
        /// The logical model.
        logical_model: String,
        /// The role.
        role: String,
    },
}

/// An object of a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TableObjectId {
    /// An object or array relationship.
    Relationship {
        /// Its name.
        name: String,
        /// Which of the two.
        relationship_type: RelationshipType,
    },
    /// A computed field.
    ComputedField(String),
    /// A relationship that leaves the source.
    RemoteRelationship(String),
    /// A permission.
    Permission {
        /// The role.
        role: String,
        /// Insert, select, update or delete.
        permission_type: PermissionType,
    },
    /// An event trigger.
    EventTrigger(String),
}

/// A part of the OpenTelemetry settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenTelemetryPart {
    /// All of them.
    All,
    /// `exporter_otlp`.
    ExporterOtlp,
    /// `batch_span_processor`.
    BatchSpanProcessor,
}

impl MetadataObjectId {
    /// A table of a source.
    pub fn table(source: impl Into<String>, table: QualifiedName) -> Self {
        Self::InSource {
            source: source.into(),
            object: SourceObjectId::Table(table),
        }
    }

    /// Something of a table.
    pub fn of_table(source: impl Into<String>, table: QualifiedName, object: TableObjectId) -> Self {
        Self::InSource {
            source: source.into(),
            object: SourceObjectId::OfTable { table, object },
        }
    }

    /// A function of a source.
    pub fn function(source: impl Into<String>, function: QualifiedName) -> Self {
        Self::InSource {
            source: source.into(),
            object: SourceObjectId::Function(function),
        }
    }

    /// The source the object belongs to, or is.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::Source(source) | Self::InSource { source, .. } => Some(source),
            _ => None,
        }
    }

    /// Hasura's `type`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Source(_) => "source",
            Self::InSource { object, .. } => object.type_name(),
            Self::RemoteSchema(_) => "remote_schema",
            Self::RemoteSchemaPermission { .. } => "remote_schema_permission",
            Self::RemoteSchemaRemoteRelationship { .. } => "remote_schema_remote_relationship",
            Self::CustomTypes => "custom_types",
            Self::Action(_) => "action",
            Self::ActionPermission { .. } => "action_permission",
            Self::CronTrigger(_) => "cron_trigger",
            Self::InheritedRole(_) => "inherited_role",
            Self::RestEndpoint(_) => "rest_endpoint",
            Self::SavedQuery { .. } => "query_collections",
            Self::OpenTelemetry(_) => "open_telemetry",
        }
    }

    /// Hasura's `name`, beginning with the type.
    pub fn name(&self) -> String {
        self.to_string()
    }
}

impl SourceObjectId {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::OfTable { object, .. } => object.type_name(),
            Self::Function(_) => "function",
            Self::FunctionPermission { .. } => "function_permission",
            Self::NativeQuery(_) => "native_query",
            Self::NativeQueryRelationship {
                relationship_type, ..
            } => relation(*relationship_type),
            Self::LogicalModel(_) => "logical_model",
            Self::LogicalModelPermission { .. } => "select_permission",
        }
    }
}

impl TableObjectId {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Relationship {
                relationship_type, ..
            } => relation(*relationship_type),
            Self::ComputedField(_) => "computed_field",
            Self::RemoteRelationship(_) => "remote_relationship",
            Self::Permission { permission_type, .. } => match permission_type {
                PermissionType::Insert => "insert_permission",
                PermissionType::Select => "select_permission",
                PermissionType::Update => "update_permission",
                PermissionType::Delete => "delete_permission",
            },
            Self::EventTrigger(_) => "event_trigger",
        }
    }

    fn own_name(&self) -> &str {
        match self {
            Self::Relationship { name, .. }
            | Self::ComputedField(name)
            | Self::RemoteRelationship(name)
            | Self::EventTrigger(name) => name,
            Self::Permission { role, .. } => role,
        }
    }
}

fn relation(relationship_type: RelationshipType) -> &'static str {
    match relationship_type {
        RelationshipType::Object => "object_relation",
        RelationshipType::Array => "array_relation",
    }
}

impl fmt::Display for MetadataObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.type_name())?;
        match self {
            Self::Source(name)
            | Self::RemoteSchema(name)
            | Self::Action(name)
            | Self::CronTrigger(name)
            | Self::RestEndpoint(name) => f.write_str(name),
            Self::InSource { source, object } => object.write_name(source, f),
            Self::RemoteSchemaPermission { remote_schema, role } => {
                write!(f, "{role} permission in remote schema {remote_schema}")
            }
            Self::RemoteSchemaRemoteRelationship {
                remote_schema,
                type_name,
                relationship,
            } => write!(
                f,
                "remote_relationship {relationship} on type {type_name} in remote schema {remote_schema}"
            ),
            Self::CustomTypes => f.write_str("custom_types"),
            Self::ActionPermission { action, role } => write!(f, "{role} permission in {action}"),
            Self::InheritedRole(role) => write!(f, "inherited role {role}"),
            Self::SavedQuery { collection, query } => write!(f, "{query} in {collection}"),
            Self::OpenTelemetry(part) => f.write_str(match part {
                OpenTelemetryPart::All => "all",
                OpenTelemetryPart::ExporterOtlp => "exporter_otlp",
                OpenTelemetryPart::BatchSpanProcessor => "batch_span_processor",
            }),
        }
    }
}

impl SourceObjectId {
    fn write_name(&self, source: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(name) | Self::Function(name) => write!(f, "{name} in source {source}"),
            Self::OfTable { table, object } => {
                write!(f, "{} in table {table} in source {source}", object.own_name())
            }
            Self::FunctionPermission { function, role } => {
                write!(f, "{role} permission for function {function} in source {source}")
            }
            Self::NativeQuery(name) | Self::LogicalModel(name) => write!(f, "{name} in source {source}"),
            Self::NativeQueryRelationship {
                native_query, name, ..
            } => write!(f, "{name} in {native_query}"),
            Self::LogicalModelPermission { logical_model, role } => {
                write!(f, "{role} in logical_model {logical_model} in source {source}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
