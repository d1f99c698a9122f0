//! Actions: root fields answered by a webhook.

mod json;

use indexmap::IndexMap;

use crate::Extra;
use crate::transform::{RequestTransform, ResponseTransform};
use crate::value_source::Header;

/// An action; its name is the key of the map it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// `definition`.
    pub definition: ActionDefinition,
    /// `comment`.
    pub comment: Option<String>,
    /// `permissions`, by role.
    pub permissions: IndexMap<String, ActionPermission>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `permissions` of an action.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ActionPermission {
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `definition` of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionDefinition {
    /// `handler`: a URL template.
    pub handler: String,
    /// `output_type`: a GraphQL type as text.
    pub output_type: String,
    /// `forward_client_headers`, default false.
    pub forward_client_headers: bool,
    /// `ignored_client_headers`: client headers that are never forwarded; absent means the built-in list.
    pub ignored_client_headers: Option<Vec<String>>,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `arguments`, by name.
    pub arguments: IndexMap<String, ActionArgument>,
    /// `request_transform`.
    pub request_transform: Option<RequestTransform>,
    /// `response_transform`.
    pub response_transform: Option<ResponseTransform>,
    /// `type` and `kind`.
    pub action_type: ActionType,
    /// `timeout` in seconds, default 30.
    pub timeout: u64,
    /// Unknown keys.
    pub extra: Extra,
}

/// `type` and, for mutations, `kind` of an action. Default: a synchronous mutation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ActionType {
    /// `type: query`
    Query,
    /// `type: mutation, kind: synchronous`
    #[default]
    SynchronousMutation,
    /// `type: mutation, kind: asynchronous`
    AsynchronousMutation,
}

/// An argument of an action.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionArgument {
    /// `type`: a GraphQL type as text.
    pub type_name: String,
    /// `description`.
    pub description: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}
