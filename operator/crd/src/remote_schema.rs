//! `RemoteSchema` and `RemoteSchemaPermission`: GraphQL of other servers.

use std::collections::BTreeMap;

use crate::relationship::RemoteRelationship;
use crate::shape::{kind, part};
use crate::value::{GraphqlName, Header, Identity, ObjectRef, OnInvalid, ValueFrom};

kind! {
    "RemoteSchema", "remoteschemas", "rrs",
    /// The GraphQL of another server, joined to this one's. Exactly one of `url` and `urlFrom`.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "has(self.url) != has(self.urlFrom)",
        "message": "exactly one of url and urlFrom",
    }]))]
    pub struct RemoteSchemaSpec {
        /// Metadata key `remote_schemas[].name`.
        pub name: Identity,
        /// Metadata key `remote_schemas[].definition.url`: a URL in which `{{NAME}}` stands for environment
        /// variables.
        pub url: Option<String>,
        /// Metadata key `remote_schemas[].definition.url_from_env`.
        pub url_from: Option<ValueFrom>,
        /// Metadata key `remote_schemas[].definition.timeout_seconds`; absent means 60.
        pub timeout_seconds: Option<u32>,
        /// Metadata key `remote_schemas[].definition.headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `remote_schemas[].definition.forward_client_headers`.
        pub forward_client_headers: Option<bool>,
        /// Metadata key `remote_schemas[].definition.customization`.
        pub customization: Option<RemoteSchemaCustomization>,
        /// Metadata key `remote_schemas[].remote_relationships`.
        #[schemars(length(max = 500))]
        pub remote_relationships: Option<Vec<TypeRelationships>>,
        /// Metadata key `remote_schemas[].comment`.
        pub comment: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// How the names of a remote schema appear in the API.
    pub struct RemoteSchemaCustomization {
        /// Metadata key `root_fields_namespace`.
        pub root_fields_namespace: Option<GraphqlName>,
        /// Metadata key `type_names`.
        pub type_names: Option<RemoteTypeNames>,
        /// Metadata key `field_names`.
        pub field_names: Option<Vec<RemoteFieldNames>>,
    }
}

part! {
    /// Names of types.
    pub struct RemoteTypeNames {
        /// Metadata key `prefix`.
        pub prefix: Option<String>,
        /// Metadata key `suffix`.
        pub suffix: Option<String>,
        /// Metadata key `mapping`: new name, by type.
        pub mapping: Option<BTreeMap<String, String>>,
    }
}

part! {
    /// Names of the fields of one type.
    pub struct RemoteFieldNames {
        /// Metadata key `parent_type`.
        pub parent_type: String,
        /// Metadata key `prefix`.
        pub prefix: Option<String>,
        /// Metadata key `suffix`.
        pub suffix: Option<String>,
        /// Metadata key `mapping`: new name, by field.
        pub mapping: Option<BTreeMap<String, String>>,
    }
}

part! {
    /// The relationships that start at one type of the remote schema.
    pub struct TypeRelationships {
        /// Metadata key `type_name`.
        pub type_name: String,
        /// Metadata key `relationships`.
        #[schemars(length(max = 100))]
        pub relationships: Option<Vec<RemoteRelationship>>,
    }
}

kind! {
    "RemoteSchemaPermission", "remoteschemapermissions", "rrsp",
    /// What one role sees of a remote schema.
    pub struct RemoteSchemaPermissionSpec {
        /// The remote schema: its place below metadata key `remote_schemas[].permissions`.
        pub remote_schema_ref: ObjectRef,
        /// Metadata key `remote_schemas[].permissions[].role`.
        pub role: Identity,
        /// Metadata key `remote_schemas[].permissions[].definition.schema`: the role's part of the schema, as SDL.
        pub schema: String,
        /// Metadata key `remote_schemas[].permissions[].comment`.
        pub comment: Option<String>,
        /// The place in the list `remote_schemas[].permissions`; entries without one follow, by role.
        pub position: Option<u32>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}
