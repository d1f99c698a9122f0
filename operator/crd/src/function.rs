//! `Function`: a tracked function of the database.

use crate::shape::{choice, kind, part};
use crate::table::RootField;
use crate::value::{GraphqlName, ObjectRef, OnInvalid, QualifiedName};

kind! {
    "Function", "functions", "rfn",
    /// A tracked function of the database, with the roles that may call it.
    pub struct FunctionSpec {
        /// The source the function is in: its place below metadata key `sources[].functions`.
        pub source_ref: ObjectRef,
        /// Metadata key `sources[].functions[].function`.
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "self == oldSelf",
            "message": "cannot be changed; delete the object and create another",
        }]))]
        pub function: QualifiedName,
        /// Metadata key `sources[].functions[].configuration.custom_name`.
        pub custom_name: Option<GraphqlName>,
        /// Metadata key `sources[].functions[].configuration.custom_root_fields`.
        pub root_fields: Option<FunctionRootFields>,
        /// Metadata key `sources[].functions[].configuration.session_argument`.
        pub session_argument: Option<String>,
        /// Metadata key `sources[].functions[].configuration.exposed_as`.
        pub exposed_as: Option<FunctionExposure>,
        /// Metadata key `sources[].functions[].configuration.response`.
        pub response: Option<FunctionResponse>,
        /// Metadata key `sources[].functions[].permissions`.
        pub permissions: Option<Vec<FunctionPermission>>,
        /// Metadata key `sources[].functions[].comment`.
        pub comment: Option<String>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// Names of the root fields of a function.
    pub struct FunctionRootFields {
        /// Metadata key `function`.
        pub function: Option<RootField>,
        /// Metadata key `function_aggregate`.
        pub function_aggregate: Option<RootField>,
    }
}

choice! {
    /// Metadata key `exposed_as`.
    pub enum FunctionExposure {
        /// `query`
        Query,
        /// `mutation`
        Mutation,
    }
}

part! {
    /// What the rows of a function are.
    pub struct FunctionResponse {
        /// Metadata key `type`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub kind: ResponseType,
        /// Metadata key `table`.
        pub table: Option<QualifiedName>,
        /// Metadata key `logical_model`.
        pub logical_model: Option<String>,
    }
}

choice! {
    /// Metadata key `type`.
    pub enum ResponseType {
        /// `table`
        Table,
        /// `logical_model`
        LogicalModel,
    }
}

part! {
    /// A role that may call the function.
    pub struct FunctionPermission {
        /// Metadata key `role`.
        pub role: String,
    }
}
