//! Names of tables and functions: a schema and a name. Nothing here looks anything up in a database.

mod json;

use std::fmt;

/// The schema meant when a table or function is given by a bare name.
pub const DEFAULT_SCHEMA: &str = "public";

/// The name of a table, view or function in a source.
///
/// Written as `{"schema": "s", "name": "n"}`, as `{"name": "n"}` or as the bare string `"n"`; without a schema
/// `public` is meant. Always printed as an object. `Display` is Hasura's text: `n` for schema `public`, else
/// `s.n`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QualifiedName {
    /// The schema, `public` by default.
    pub schema: String,
    /// The name inside the schema.
    pub name: String,
}

impl QualifiedName {
    /// A name in an explicit schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            name: name.into(),
        }
    }

    /// A name in the schema `public`.
    pub fn public(name: impl Into<String>) -> Self {
        Self::new(DEFAULT_SCHEMA, name)
    }

    /// Whether the schema is `public`, whose name is left out wherever Hasura shows or derives names.
    pub fn is_public(&self) -> bool {
        self.schema == DEFAULT_SCHEMA
    }

    /// The name used to derive GraphQL names: `n` for schema `public`, else `s_n`.
    pub fn snake_case(&self) -> String {
        if self.is_public() {
            self.name.clone()
        } else {
            format!("{}_{}", self.schema, self.name)
        }
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_public() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}.{}", self.schema, self.name)
        }
    }
}
