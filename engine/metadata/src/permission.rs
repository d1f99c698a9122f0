//! Permissions of a role on a table, and inherited roles.

mod json;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use crate::value_source::Header;
use crate::{BoolExp, Extra};

/// One entry of a permission list; the role is the key of the map it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Permission<T> {
    /// `permission`: what the role may do. Equal ones of a document are held once.
    pub permission: Arc<T>,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A set of columns: `"*"` or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// `"*"`: all columns the table has, also those added later.
    All,
    /// These columns, as written.
    List(Vec<String>),
}

/// The kind of a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PermissionType {
    /// `insert`
    Insert,
    /// `select`
    Select,
    /// `update`
    Update,
    /// `delete`
    Delete,
}

/// `permission` of a select permission.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectPermission {
    /// `columns`: the columns the role sees.
    pub columns: Columns,
    /// `computed_fields`: the scalar computed fields the role sees.
    pub computed_fields: Vec<String>,
    /// `filter`: which rows.
    pub filter: BoolExp,
    /// `limit`: most rows of one selection.
    pub limit: Option<u64>,
    /// `allow_aggregations`, default false.
    pub allow_aggregations: bool,
    /// `query_root_fields`: the root fields of queries; absent means all.
    pub query_root_fields: Option<Vec<QueryRootField>>,
    /// `subscription_root_fields`: the root fields of subscriptions; absent means all.
    pub subscription_root_fields: Option<Vec<SubscriptionRootField>>,
    /// Unknown keys.
    pub extra: Extra,
}

/// One of `query_root_fields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueryRootField {
    /// `select`
    Select,
    /// `select_by_pk`
    SelectByPk,
    /// `select_aggregate`
    SelectAggregate,
}

/// One of `subscription_root_fields`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SubscriptionRootField {
    /// `select`
    Select,
    /// `select_by_pk`
    SelectByPk,
    /// `select_aggregate`
    SelectAggregate,
    /// `select_stream`
    SelectStream,
}

/// `permission` of an insert permission.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertPermission {
    /// `check`: what a row must satisfy after the insert.
    pub check: BoolExp,
    /// `set`: presets by column; values may name session variables.
    pub set: IndexMap<String, Value>,
    /// `columns` the role may give; absent means all.
    pub columns: Option<Columns>,
    /// `backend_only`: only for requests with the admin secret and `x-hasura-use-backend-only-permissions`.
    pub backend_only: bool,
    /// `validate_input`.
    pub validate_input: Option<ValidateInput>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `permission` of an update permission.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatePermission {
    /// `columns` the role may set.
    pub columns: Columns,
    /// `filter`: which rows may be updated.
    pub filter: BoolExp,
    /// `check`: what a row must satisfy after the update. Absent prints as null.
    pub check: Option<BoolExp>,
    /// `set`: presets by column; values may name session variables.
    pub set: IndexMap<String, Value>,
    /// `backend_only`: see [`InsertPermission::backend_only`].
    pub backend_only: bool,
    /// `validate_input`.
    pub validate_input: Option<ValidateInput>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `permission` of a delete permission.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletePermission {
    /// `filter`: which rows may be deleted.
    pub filter: BoolExp,
    /// `backend_only`: see [`InsertPermission::backend_only`].
    pub backend_only: bool,
    /// `validate_input`.
    pub validate_input: Option<ValidateInput>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `validate_input`: a webhook that judges the arguments of a mutation.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidateInput {
    /// `type`.
    pub validation_type: ValidationType,
    /// `definition`.
    pub definition: ValidationWebhook,
    /// Unknown keys.
    pub extra: Extra,
}

/// `type` of `validate_input`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValidationType {
    /// `http`, the only one.
    #[default]
    Http,
}

/// `definition` of `validate_input`.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidationWebhook {
    /// `url`: a URL template.
    pub url: String,
    /// `headers`.
    pub headers: Vec<Header>,
    /// `forward_client_headers`, default false.
    pub forward_client_headers: bool,
    /// `timeout` in seconds, default 10.
    pub timeout: u64,
    /// Unknown keys.
    pub extra: Extra,
}

/// An entry of `inherited_roles`; the key is `role_name`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InheritedRole {
    /// `role_set`: the parent roles, each once.
    pub role_set: Vec<String>,
    /// Unknown keys.
    pub extra: Extra,
}
