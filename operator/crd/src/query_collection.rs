//! `QueryCollection`: saved queries, and whether they are on the allow list.

use crate::shape::{choice, kind, part};
use crate::value::{Identity, OnInvalid};

kind! {
    "QueryCollection", "querycollections", "rqc",
    /// Saved queries, for REST endpoints and for the allow list.
    pub struct QueryCollectionSpec {
        /// Metadata key `query_collections[].name`.
        pub name: Identity,
        /// Metadata key `query_collections[].definition.queries`.
        pub queries: Vec<SavedQuery>,
        /// Metadata key `query_collections[].comment`.
        pub comment: Option<String>,
        /// Metadata key `allowlist`: with this the queries are allowed; absent means that they are not. Of another
        /// namespace than the Engine's only with a `ReferenceGrant` there, from `QueryCollection` to `Engine`.
        pub allow_list: Option<AllowList>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// A saved query.
    pub struct SavedQuery {
        /// Metadata key `name`.
        pub name: String,
        /// Metadata key `query`: the text of the operation.
        pub query: String,
    }
}

part! {
    /// For whom the queries are allowed.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "(self.scope == 'Roles') == has(self.roles)",
        "message": "roles are given exactly with scope Roles",
    }]))]
    pub struct AllowList {
        /// Metadata key `scope.global`.
        pub scope: AllowListScope,
        /// Metadata key `scope.roles`.
        #[schemars(length(min = 1))]
        pub roles: Option<Vec<String>>,
    }
}

choice! {
    /// Metadata key `scope.global`.
    pub enum AllowListScope {
        /// `true`: all roles.
        Global,
        /// `false`: the roles given.
        Roles,
    }
}
