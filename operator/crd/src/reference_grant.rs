//! `ReferenceGrant`: consent to references from other namespaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shape::part;

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
        #[schemars(extend("maxLength" = 63))]
        pub kind: String,
        /// Their namespace.
        #[schemars(extend("maxLength" = 63, "minLength" = 1))]
        pub namespace: String,
    }
}

part! {
    /// Objects of one kind, or one of them.
    pub struct GrantTo {
        /// The kind of the objects referred to.
        #[schemars(extend("maxLength" = 63))]
        pub kind: String,
        /// The name of the object; absent means all of the kind.
        #[schemars(extend("maxLength" = 253, "minLength" = 1))]
        pub name: Option<String>,
    }
}
