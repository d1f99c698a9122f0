//! Native queries and the logical models that describe their rows.

mod json;

use indexmap::IndexMap;

use crate::Extra;
use crate::permission::{Permission, SelectPermission};
use crate::relationship::ManualConfiguration;

/// A native query; its `root_field_name` is the key of the map it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeQuery {
    /// `code`: SQL in which `{{name}}` stands for an argument.
    pub code: String,
    /// `returns`: a logical model.
    pub returns: NativeQueryReturns,
    /// `arguments`, by name.
    pub arguments: IndexMap<String, NativeQueryArgument>,
    /// `object_relationships`, by name.
    pub object_relationships: IndexMap<String, NativeQueryRelationship>,
    /// `array_relationships`, by name.
    pub array_relationships: IndexMap<String, NativeQueryRelationship>,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `returns` of a native query.
#[derive(Clone, Debug, PartialEq)]
pub enum NativeQueryReturns {
    /// The name of a logical model.
    Named(String),
    /// A logical model given in place, without a name.
    Inline(InlineLogicalModel),
}

/// A logical model in place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InlineLogicalModel {
    /// `fields`, by name.
    pub fields: IndexMap<String, LogicalModelField>,
    /// `select_permissions`, by role.
    pub select_permissions: IndexMap<String, Permission<SelectPermission>>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A relationship of a native query; always manual.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeQueryRelationship {
    /// `using`.
    pub using: ManualConfiguration,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An argument of a native query.
#[derive(Clone, Debug, PartialEq)]
pub struct NativeQueryArgument {
    /// `type`: the name of a Postgres type.
    pub type_name: String,
    /// `nullable`, default false.
    pub nullable: bool,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A logical model; its `name` is the key of the map it stands in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogicalModel {
    /// `fields`, by name.
    pub fields: IndexMap<String, LogicalModelField>,
    /// `description`.
    pub description: Option<String>,
    /// `select_permissions`, by role.
    pub select_permissions: IndexMap<String, Permission<SelectPermission>>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A field of a logical model.
#[derive(Clone, Debug, PartialEq)]
pub struct LogicalModelField {
    /// `type` (older documents: a type name here and `nullable` beside it).
    pub field_type: LogicalModelType,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// The type of a field of a logical model. `nullable` is false by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogicalModelType {
    /// `{scalar, nullable}`: the name of a Postgres type.
    Scalar {
        /// The name of the type.
        scalar: String,
        /// Whether it may be null.
        nullable: bool,
    },
    /// `{logical_model, nullable}`: an object of another logical model.
    LogicalModel {
        /// The name of the logical model.
        logical_model: String,
        /// Whether it may be null.
        nullable: bool,
    },
    /// `{array, nullable}`.
    Array {
        /// The type of the elements.
        array: Box<LogicalModelType>,
        /// Whether the array may be null.
        nullable: bool,
    },
}
