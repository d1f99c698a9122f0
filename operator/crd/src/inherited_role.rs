//! `InheritedRole`: a role that has the permissions of others.

use crate::shape::kind;
use crate::value::{Identity, OnInvalid};

kind! {
    "InheritedRole", "inheritedroles", "rrole",
    /// A role that has the permissions of other roles. Of another namespace than the Engine's only with a `ReferenceGrant` there,
    /// from `InheritedRole` to `Engine`.
    pub struct InheritedRoleSpec {
        /// Metadata key `inherited_roles[].role_name`.
        pub role: Identity,
        /// Metadata key `inherited_roles[].role_set`: the parent roles.
        pub parents: Vec<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}
