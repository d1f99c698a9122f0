//! Tracked functions and computed fields.

mod json;

use indexmap::IndexMap;

use crate::table::CustomRootField;
use crate::{Extra, QualifiedName};

/// A tracked function; its name is the key of the map it stands in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Function {
    /// `configuration`.
    pub configuration: FunctionConfiguration,
    /// `permissions`, by role.
    pub permissions: IndexMap<String, FunctionPermission>,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `permissions` of a function. It says no more than that the role may call it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionPermission {
    /// Unknown keys.
    pub extra: Extra,
}

/// `configuration` of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionConfiguration {
    /// `custom_name`: the name in the schema.
    pub custom_name: Option<String>,
    /// `custom_root_fields`.
    pub custom_root_fields: FunctionRootFields,
    /// `session_argument`: the argument that gets the session variables as JSON.
    pub session_argument: Option<String>,
    /// `exposed_as`: absent means by volatility.
    pub exposed_as: Option<FunctionExposure>,
    /// `response`: what the rows are; absent means what the catalog says.
    pub response: Option<FunctionResponse>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `custom_root_fields` of a function.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FunctionRootFields {
    /// `function`
    pub function: CustomRootField,
    /// `function_aggregate`
    pub function_aggregate: CustomRootField,
    /// Unknown keys.
    pub extra: Extra,
}

/// `exposed_as`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionExposure {
    /// `query`
    Query,
    /// `mutation`
    Mutation,
}

/// `response` of a function.
#[derive(Clone, Debug, PartialEq)]
pub enum FunctionResponse {
    /// `{"type": "table", "table"?: …}`: rows of a tracked table, by default the one the catalog names.
    Table(Option<QualifiedName>),
    /// `{"type": "logical_model", "logical_model": …}`: rows of a logical model.
    LogicalModel(String),
}

/// An entry of `computed_fields`.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputedField {
    /// `definition`.
    pub definition: ComputedFieldDefinition,
    /// `comment`: the description; absent means the comment in the database, `""` means none.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a computed field.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputedFieldDefinition {
    /// `function`.
    pub function: QualifiedName,
    /// `table_argument`: the argument that gets the row; absent means the first.
    pub table_argument: Option<String>,
    /// `session_argument`: the argument that gets the session variables as JSON.
    pub session_argument: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}
