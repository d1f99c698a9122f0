//! `Permission`: what one role may do with one table.

use crate::shape::{choice, kind, part};
use crate::value::{Header, Identity, JsonObject, ObjectRef, OnInvalid};

kind! {
    "Permission", "permissions", "rperm",
    /// What one role may do with one table. A verb that is not given is not allowed.
    pub struct PermissionSpec {
        /// The table: its place below metadata key `sources[].tables[]`.
        pub table_ref: ObjectRef,
        /// Metadata key `role` of each verb.
        pub role: Identity,
        /// Metadata key `sources[].tables[].select_permissions`.
        pub select: Option<SelectPermission>,
        /// Metadata key `sources[].tables[].insert_permissions`.
        pub insert: Option<InsertPermission>,
        /// Metadata key `sources[].tables[].update_permissions`.
        pub update: Option<UpdatePermission>,
        /// Metadata key `sources[].tables[].delete_permissions`.
        pub delete: Option<DeletePermission>,
        /// What is served while this object is not acceptable; absent means what the engine says.
        pub on_invalid: Option<OnInvalid>,
    }
}

part! {
    /// Reading.
    pub struct SelectPermission {
        /// Metadata key `permission.columns`: columns, or `["*"]` for all, also later ones.
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "!self.exists(c, c == '*') || self.size() == 1",
            "message": "\"*\" stands alone",
        }]))]
        #[schemars(length(max = 1600), inner(length(max = 63)))]
        pub columns: Vec<String>,
        /// Metadata key `permission.computed_fields`.
        pub computed_fields: Option<Vec<String>>,
        /// Metadata key `permission.filter`: a boolean expression; `{}` lets every row pass.
        pub filter: JsonObject,
        /// Metadata key `permission.limit`: most rows of one selection.
        pub limit: Option<u64>,
        /// Metadata key `permission.allow_aggregations`.
        pub allow_aggregations: Option<bool>,
        /// Metadata key `permission.query_root_fields`; absent means all.
        pub query_root_fields: Option<Vec<QueryRootField>>,
        /// Metadata key `permission.subscription_root_fields`; absent means all.
        pub subscription_root_fields: Option<Vec<SubscriptionRootField>>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

choice! {
    /// One of `query_root_fields`.
    pub enum QueryRootField {
        /// `select`
        Select,
        /// `select_by_pk`
        SelectByPk,
        /// `select_aggregate`
        SelectAggregate,
    }
}

choice! {
    /// One of `subscription_root_fields`.
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
}

part! {
    /// Inserting.
    pub struct InsertPermission {
        /// Metadata key `permission.columns`: columns, or `["*"]` for all, also later ones.
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "!self.exists(c, c == '*') || self.size() == 1",
            "message": "\"*\" stands alone",
        }]))]
        #[schemars(length(max = 1600), inner(length(max = 63)))]
        pub columns: Vec<String>,
        /// How `["*"]` is written to metadata key `permission.columns`: absent or `Explicit` as `"*"`, `Implicit` by
        /// leaving the key out. The meaning is the same.
        pub columns_form: Option<ColumnsForm>,
        /// Metadata key `permission.check`: a boolean expression that inserted rows must satisfy.
        pub check: JsonObject,
        /// Metadata key `permission.set`: values by column; `x-hasura-…` takes a session variable.
        pub set: Option<JsonObject>,
        /// Metadata key `permission.backend_only`.
        pub backend_only: Option<bool>,
        /// Metadata key `permission.validate_input`.
        pub validate_input: Option<ValidateInput>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

choice! {
    /// How all columns are written.
    pub enum ColumnsForm {
        /// As `"*"`.
        Explicit,
        /// By leaving the key out.
        Implicit,
    }
}

part! {
    /// Updating.
    pub struct UpdatePermission {
        /// Metadata key `permission.columns`: columns, or `["*"]` for all, also later ones.
        #[schemars(extend("x-kubernetes-validations" = [{
            "rule": "!self.exists(c, c == '*') || self.size() == 1",
            "message": "\"*\" stands alone",
        }]))]
        #[schemars(length(max = 1600), inner(length(max = 63)))]
        pub columns: Vec<String>,
        /// Metadata key `permission.filter`: which rows may be updated; `{}` lets every row pass.
        pub filter: JsonObject,
        /// Metadata key `permission.check`: what updated rows must satisfy; `{}` lets every row pass, and so does
        /// `{"$json": "null"}`, which is a key that says null.
        pub check: JsonObject,
        /// Metadata key `permission.set`: values by column; `x-hasura-…` takes a session variable.
        pub set: Option<JsonObject>,
        /// Metadata key `permission.backend_only`.
        pub backend_only: Option<bool>,
        /// Metadata key `permission.validate_input`.
        pub validate_input: Option<ValidateInput>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// Deleting.
    pub struct DeletePermission {
        /// Metadata key `permission.filter`: which rows may be deleted; `{}` lets every row pass.
        pub filter: JsonObject,
        /// Metadata key `permission.backend_only`.
        pub backend_only: Option<bool>,
        /// Metadata key `permission.validate_input`.
        pub validate_input: Option<ValidateInput>,
        /// Metadata key `comment`.
        pub comment: Option<String>,
    }
}

part! {
    /// A webhook that judges the arguments of a mutation.
    pub struct ValidateInput {
        /// Metadata key `type`; absent means `Http`.
        #[serde(rename = "type")]
        #[schemars(rename = "type")]
        pub kind: Option<ValidationType>,
        /// Metadata key `definition.url`: a text in which `{{NAME}}` stands for environment variables.
        pub url: String,
        /// Metadata key `definition.headers`.
        #[schemars(length(max = 100))]
        pub headers: Option<Vec<Header>>,
        /// Metadata key `definition.forward_client_headers`.
        pub forward_client_headers: Option<bool>,
        /// Metadata key `definition.timeout`: seconds; absent means 10.
        pub timeout_seconds: Option<u32>,
    }
}

choice! {
    /// Metadata key `type`.
    pub enum ValidationType {
        /// `http`
        Http,
    }
}
