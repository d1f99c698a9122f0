//! The GraphQL types of actions, inline in an `Action` or shared in `ActionTypes`.

use std::collections::BTreeMap;

use crate::relationship::RelationshipType;
use crate::shape::{kind, part};
use crate::value::{AnyJson, GraphqlName, OnInvalid, QualifiedName};

kind! {
    "ActionTypes", "actiontypes", "rat",
    /// GraphQL types that several actions share.
    pub struct ActionTypesSpec {
        /// Metadata key `custom_types`.
        pub types: CustomTypes,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// GraphQL types.
    pub struct CustomTypes {
        /// Metadata key `custom_types.input_objects`.
        pub input_objects: Option<Vec<InputObjectType>>,
        /// Metadata key `custom_types.objects`.
        pub objects: Option<Vec<ObjectType>>,
        /// Metadata key `custom_types.scalars`.
        pub scalars: Option<Vec<ScalarType>>,
        /// Metadata key `custom_types.enums`.
        pub enums: Option<Vec<EnumType>>,
    }
}

part! {
    /// An input object.
    pub struct InputObjectType {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `fields`.
        pub fields: Vec<InputObjectField>,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// A field of an input object.
    pub struct InputObjectField {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `type`: a GraphQL type (`[String!]!`).
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub type_name: String,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// An object.
    pub struct ObjectType {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `fields`.
        pub fields: Vec<ObjectField>,
        /// Metadata key `description`.
        pub description: Option<String>,
        /// Metadata key `relationships`.
        pub relationships: Option<Vec<TypeRelationship>>,
    }
}

part! {
    /// A field of an object.
    pub struct ObjectField {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `type`: a GraphQL type (`[String!]!`).
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub type_name: String,
        /// Metadata key `arguments`, as written; without effect.
        pub arguments: Option<AnyJson>,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// A relationship from an object of an action to a table.
    pub struct TypeRelationship {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `type`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub relationship_type: RelationshipType,
        /// Metadata key `source`: its name in the document; absent means `default`. A source of another namespace
        /// needs a `ReferenceGrant`.
        pub source: Option<String>,
        /// Metadata key `remote_table`.
        pub remote_table: QualifiedName,
        /// Metadata key `field_mapping`: column of the table, by field of the object.
        pub field_mapping: BTreeMap<String, String>,
    }
}

part! {
    /// A scalar.
    pub struct ScalarType {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// An enum.
    pub struct EnumType {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `values`.
        pub values: Vec<EnumValue>,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// A value of an enum.
    pub struct EnumValue {
        /// Metadata key `value`.
        pub value: GraphqlName,
        /// Metadata key `description`.
        pub description: Option<String>,
        /// Metadata key `is_deprecated`.
        pub is_deprecated: Option<bool>,
    }
}
