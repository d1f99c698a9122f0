//! How parts of a spec and whole kinds are declared: derives and serde attributes in one place, so that none is
//! forgotten. Unknown fields are always refused.

/// A part of a spec: a struct in camelCase whose optional fields are left out when absent.
macro_rules! part {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)* }) => {
        #[serde_with::skip_serializing_none]
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    };
}

/// One word out of several.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$word_meta:meta])* $word:ident,)* }) => {
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema
        )]
        // In schemas the field's description stands, not the one of its type.
        #[schemars(description = "")]
        $(#[$meta])*
        pub enum $name { $($(#[$word_meta])* $word,)* }
    };
}

/// A kind: its spec, and the resource around it. Columns and status are the same for all kinds but `Engine` and
/// `ReferenceGrant`, which are declared by hand.
macro_rules! kind {
    (
        $kind:literal, $plural:literal, $short:literal,
        $(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident : $type:ty,)* }
    ) => {
        #[serde_with::skip_serializing_none]
        #[derive(
            kube::CustomResource, Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize,
            schemars::JsonSchema
        )]
        #[kube(
            group = "rowlock.dev",
            version = "v1alpha1",
            kind = $kind,
            plural = $plural,
            shortname = $short,
            category = "rowlock",
            namespaced,
            derive = "PartialEq",
            status = "crate::status::ObjectStatus",
            printcolumn(
                name = "Ready", type_ = "string",
                json_path = ".status.conditions[?(@.type==\"Ready\")].status"
            ),
            printcolumn(
                name = "Reason", type_ = "string",
                json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
            ),
            printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
        )]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        $(#[$meta])*
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    };
}

pub(crate) use choice;
pub(crate) use kind;
pub(crate) use part;
