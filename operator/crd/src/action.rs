//! `Action`: a root field answered by a webhook.

use crate::custom_type::CustomTypes;
use crate::shape::{choice, kind, part};
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value::{GraphqlIdentity, GraphqlName, Header, OnInvalid};

kind! {
    "Action", "actions", "ract",
    /// A root field answered by a webhook, with its own types and the roles that may call it.
    #[schemars(extend("x-kubernetes-validations" = [{
        "rule": "self.type != 'Query' || !has(self.kind)",
        "message": "kind is for mutations",
    }]))]
    pub struct ActionSpec {
        /// Metadata key `actions[].name`.
        pub name: GraphqlIdentity,
        /// Metadata key `actions[].definition.type`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub operation: ActionType,
        /// Metadata key `actions[].definition.kind`; absent means synchronous.
        pub kind: Option<ActionKind>,
        /// Metadata key `actions[].definition.handler`: a URL in which `{{NAME}}` stands for environment variables.
        pub handler: String,
        /// Metadata key `actions[].definition.arguments`.
        pub arguments: Option<Vec<ActionArgument>>,
        /// Metadata key `actions[].definition.output_type`: a GraphQL type.
        pub output_type: String,
        /// Metadata key `actions[].definition.headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `actions[].definition.forward_client_headers`.
        pub forward_client_headers: Option<bool>,
        /// Metadata key `actions[].definition.ignored_client_headers`.
        pub ignored_client_headers: Option<Vec<String>>,
        /// Metadata key `actions[].definition.timeout`: seconds; absent means 30.
        pub timeout_seconds: Option<u32>,
        /// Metadata key `actions[].definition.request_transform`.
        pub request_transform: Option<RequestTransform>,
        /// Metadata key `actions[].definition.response_transform`.
        pub response_transform: Option<ResponseTransform>,
        /// Metadata key `actions[].permissions`.
        pub permissions: Option<Vec<ActionPermission>>,
        /// Metadata key `actions[].comment`.
        pub comment: Option<String>,
        /// Metadata key `custom_types`: the types that this action brings along.
        pub types: Option<CustomTypes>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

choice! {
    /// Metadata key `type`.
    pub enum ActionType {
        /// `query`
        Query,
        /// `mutation`
        Mutation,
    }
}

choice! {
    /// Metadata key `kind`.
    pub enum ActionKind {
        /// `synchronous`
        Synchronous,
        /// `asynchronous`
        Asynchronous,
    }
}

part! {
    /// An argument of an action.
    pub struct ActionArgument {
        /// Metadata key `name`.
        pub name: GraphqlName,
        /// Metadata key `type`: a GraphQL type.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub type_name: String,
        /// Metadata key `description`.
        pub description: Option<String>,
    }
}

part! {
    /// A role that may call the action.
    pub struct ActionPermission {
        /// Metadata key `role`.
        pub role: String,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}
