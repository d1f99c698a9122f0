//! `query_collections` and `allowlist`.

mod json;

use indexmap::IndexMap;

use crate::Extra;

/// A named set of saved queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryCollection {
    /// `definition`.
    pub definition: QueryCollectionDefinition,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a query collection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryCollectionDefinition {
    /// `queries`, by name.
    pub queries: IndexMap<String, ListedQuery>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A saved query.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedQuery {
    /// `query`: the text of the operation.
    pub query: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `allowlist`; the key is `collection`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllowlistEntry {
    /// `scope`.
    pub scope: AllowlistScope,
    /// Unknown keys.
    pub extra: Extra,
}

/// For whom the queries of an allow-listed collection are allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AllowlistScope {
    /// `{"global": true}`, the default: all roles.
    #[default]
    Global,
    /// `{"global": false, "roles": […]}`: these roles, each once, at least one.
    Roles(Vec<String>),
}
