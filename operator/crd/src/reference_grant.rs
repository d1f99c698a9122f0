//! `ReferenceGrant`: consent to references from other namespaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::part;

/// What `from` and `to` may name: every kind but this one, as a list of all of them is no slip of the pen. Secrets are not among
/// them: each object refers to those of its own namespace.
pub const GRANTABLE: &[&str] = &[
    "Engine",
    "Source",
    "Table",
    "Permission",
    "Function",
    "NativeQuery",
    "LogicalModel",
    "Action",
    "ActionTypes",
    "RemoteSchema",
    "RemoteSchemaPermission",
    "EventTrigger",
    "CronTrigger",
    "InheritedRole",
    "QueryCollection",
    "RestEndpoint",
    "APILimits",
];

/// Consent, given in the namespace of the target, to references from other namespaces. It is about no metadata key.
#[derive(kube::CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "rowlock.dev",
    version = "v1alpha1",
    kind = "ReferenceGrant",
    plural = "referencegrants",
    shortname = "rrg",
    category = "rowlock",
    namespaced,
    derive = "PartialEq",
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReferenceGrantSpec {
    /// Who may refer, and which engines may serve: any of these. Not a part of the metadata document.
    #[schemars(length(min = 1, max = 16))]
    pub from: Vec<GrantFrom>,
    /// To what, and serve what: any of these, in this namespace. Not a part of the metadata document.
    #[schemars(length(min = 1, max = 16))]
    pub to: Vec<GrantTo>,
}

part! {
    /// Objects of one kind in one namespace.
    pub struct GrantFrom {
        /// The kind of the objects that refer; `Engine`: engines that serve the objects.
        // A text and not a word of a list: of a grant that names a kind that there is not the rest counts.
        #[schemars(extend("enum" = GRANTABLE))]
        pub kind: String,
        /// Their namespace.
        #[schemars(extend("maxLength" = 63, "minLength" = 1))]
        pub namespace: String,
    }
}

part! {
    /// Objects of one kind, or one of them.
    pub struct GrantTo {
        /// The kind of the objects referred to or served; `Engine`: what objects say of all that engines here serve.
        #[schemars(extend("enum" = GRANTABLE))]
        pub kind: String,
        /// The name of the object; absent means all of the kind.
        #[schemars(extend("maxLength" = 253, "minLength" = 1))]
        pub name: Option<String>,
    }
}
