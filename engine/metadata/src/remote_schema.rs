//! Remote schemas, their permissions and the relationships that start at their types.

mod json;

use indexmap::IndexMap;

use crate::Extra;
use crate::remote_relationship::RemoteRelationship;
use crate::value_source::{Header, UrlSource};

/// A remote schema; its name is the key of the map it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteSchema {
    /// `definition`.
    pub definition: RemoteSchemaDefinition,
    /// `comment`.
    pub comment: Option<String>,
    /// `permissions`, by role.
    pub permissions: IndexMap<String, RemoteSchemaPermission>,
    /// `remote_relationships`, by `type_name`.
    pub remote_relationships: IndexMap<String, RemoteSchemaTypeRelationships>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a remote schema.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteSchemaDefinition {
    /// `url` or `url_from_env`; exactly one of them is given.
    pub url: UrlSource,
    /// `timeout_seconds`, absent means 60.
    pub timeout_seconds: Option<u64>,
    /// `customization`.
    pub customization: Option<RemoteSchemaCustomization>,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `forward_client_headers`, default false.
    pub forward_client_headers: bool,
    /// Unknown keys.
    pub extra: Extra,
}

/// `customization` of a remote schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteSchemaCustomization {
    /// `root_fields_namespace`.
    pub root_fields_namespace: Option<String>,
    /// `type_names`.
    pub type_names: Option<RemoteTypeCustomization>,
    /// `field_names`: one entry per parent type.
    pub field_names: Vec<RemoteFieldCustomization>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `type_names` of a remote schema's customization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteTypeCustomization {
    /// `prefix`.
    pub prefix: Option<String>,
    /// `suffix`.
    pub suffix: Option<String>,
    /// `mapping`: new name, by type.
    pub mapping: IndexMap<String, String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// One entry of `field_names`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteFieldCustomization {
    /// `parent_type`.
    pub parent_type: String,
    /// `prefix`.
    pub prefix: Option<String>,
    /// `suffix`.
    pub suffix: Option<String>,
    /// `mapping`: new name, by field.
    pub mapping: IndexMap<String, String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `permissions` of a remote schema.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteSchemaPermission {
    /// `definition`.
    pub definition: RemoteSchemaPermissionDefinition,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of a remote schema permission.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteSchemaPermissionDefinition {
    /// `schema`: the role's part of the schema, as SDL.
    pub schema: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `remote_relationships` of a remote schema: what starts at one of its types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteSchemaTypeRelationships {
    /// `relationships`, by name.
    pub relationships: IndexMap<String, RemoteRelationship>,
    /// Unknown keys.
    pub extra: Extra,
}
