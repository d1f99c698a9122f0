//! Relationships that leave the source: to a remote schema, or to a table of another source.

mod json;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::{Extra, QualifiedName};

/// An entry of `remote_relationships`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteRelationship {
    /// `definition`.
    pub definition: RemoteRelationshipDefinition,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a remote relationship.
#[derive(Clone, Debug, PartialEq)]
pub enum RemoteRelationshipDefinition {
    /// `{to_remote_schema: {remote_schema, lhs_fields, remote_field}}`, or the legacy form.
    ToRemoteSchema(ToRemoteSchema),
    /// `{to_source: {…}}`
    ToSource(ToSource),
}

/// A relationship to fields of a remote schema.
#[derive(Clone, Debug, PartialEq)]
pub struct ToRemoteSchema {
    /// `remote_schema`: its name.
    pub remote_schema: String,
    /// `lhs_fields` (legacy: `hasura_fields`): the fields of this side that arguments may refer to.
    pub lhs_fields: Vec<String>,
    /// `remote_field`: the path of fields to call, outermost first; at least one.
    pub remote_field: Vec<RemoteFieldCall>,
    /// Which form it was written in; it is printed in the same one.
    pub format: RemoteSchemaFormat,
    /// Unknown keys.
    pub extra: Extra,
}

/// The form in which a [`ToRemoteSchema`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteSchemaFormat {
    /// `{to_remote_schema: {remote_schema, lhs_fields, remote_field}}`
    Unified,
    /// `{remote_schema, hasura_fields, remote_field}`
    Legacy,
}

/// One level of `remote_field`: `{<name>: {arguments: {…}, field?: {…}}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteFieldCall {
    /// The field of the remote schema.
    pub name: String,
    /// `arguments`: JSON values, in which a string `$name` refers to a field of this side.
    pub arguments: Map<String, Value>,
}

/// A relationship to a table of another source.
#[derive(Clone, Debug, PartialEq)]
pub struct ToSource {
    /// `source`: its name.
    pub source: String,
    /// `table`.
    pub table: QualifiedName,
    /// `relationship_type`.
    pub relationship_type: RelationshipType,
    /// `field_mapping`: column of the target, by field of this side.
    pub field_mapping: IndexMap<String, String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// Whether a relationship leads to one row or to many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationshipType {
    /// `object`: one row.
    Object,
    /// `array`: many rows.
    Array,
}
