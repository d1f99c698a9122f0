//! `custom_types`: the GraphQL types that actions use. Types are kept as GraphQL type texts (`[String!]!`).

mod json;

use indexmap::IndexMap;
use serde_json::Value;

use crate::remote_relationship::RelationshipType;
use crate::{Extra, QualifiedName};

/// `custom_types`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CustomTypes {
    /// `input_objects`, by name.
    pub input_objects: IndexMap<String, InputObjectType>,
    /// `objects`, by name.
    pub objects: IndexMap<String, ObjectType>,
    /// `scalars`, by name.
    pub scalars: IndexMap<String, ScalarType>,
    /// `enums`, by name.
    pub enums: IndexMap<String, EnumType>,
    /// Unknown keys.
    pub extra: Extra,
}

impl CustomTypes {
    /// Whether nothing is defined.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An input object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputObjectType {
    /// `fields`, by name.
    pub fields: IndexMap<String, InputObjectField>,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A field of an input object.
#[derive(Clone, Debug, PartialEq)]
pub struct InputObjectField {
    /// `type`: a GraphQL type as text.
    pub type_name: String,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectType {
    /// `fields`, by name.
    pub fields: IndexMap<String, ObjectField>,
    /// `description`.
    pub description: Option<String>,
    /// `relationships` to tables, by name.
    pub relationships: IndexMap<String, ObjectTypeRelationship>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectField {
    /// `type`: a GraphQL type as text.
    pub type_name: String,
    /// `arguments`, as written; Hasura ignores them.
    pub arguments: Option<Value>,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A relationship from an object of an action to a table.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectTypeRelationship {
    /// `type`.
    pub relationship_type: RelationshipType,
    /// `source`, default `default`.
    pub source: String,
    /// `remote_table`.
    pub remote_table: QualifiedName,
    /// `field_mapping`: column of the table, by field of the object.
    pub field_mapping: IndexMap<String, String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A scalar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScalarType {
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An enum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnumType {
    /// `values`, by name.
    pub values: IndexMap<String, EnumValue>,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A value of an enum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnumValue {
    /// `description`.
    pub description: Option<String>,
    /// `is_deprecated`.
    pub is_deprecated: Option<bool>,
    /// Unknown keys.
    pub extra: Extra,
}
