//! `query_collections` and `allowlist`.

use indexmap::IndexMap;

use crate::Extra;

/// A named set of saved queries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryCollection {
    /// `definition.queries`: text of the operation, by name.
    pub queries: IndexMap<String, String>,
    /// `comment`.
    pub comment: Option<String>,
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
