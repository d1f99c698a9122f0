//! Permissions and inherited roles as JSON.

use serde_json::Value;

use super::{
    Columns, DeletePermission, InheritedRole, InsertPermission, Permission, PermissionType, QueryRootField,
    SelectPermission, SubscriptionRootField, UpdatePermission, ValidateInput, ValidationType,
    ValidationWebhook,
};
use crate::BoolExp;
use crate::json::{Json, ParseError, Reader, json_object, json_words};

json_object! { entry Permission<InsertPermission> as "role": String, "PermDef" {
    required permission;
    optional comment;
} }

json_object! { entry Permission<SelectPermission> as "role": String, "PermDef" {
    required permission;
    optional comment;
} }

json_object! { entry Permission<UpdatePermission> as "role": String, "PermDef" {
    required permission;
    optional comment;
} }

json_object! { entry Permission<DeletePermission> as "role": String, "PermDef" {
    required permission;
    optional comment;
} }

json_object! { InsertPermission, "InsPerm" {
    required check;
    default set;
    optional columns;
    default backend_only;
    optional validate_input;
} }

json_object! { SelectPermission, "SelPerm" {
    required columns;
    default computed_fields;
    required filter;
    optional limit;
    default allow_aggregations;
    optional query_root_fields;
    optional subscription_root_fields;
} }

json_object! { UpdatePermission, "UpdPerm" {
    required columns;
    required filter;
    nullable check;
    default set;
    default backend_only;
    optional validate_input;
} }

json_object! { DeletePermission, "DelPerm" {
    required filter;
    default backend_only;
    optional validate_input;
} }

json_words! { PermissionType { Insert = "insert", Select = "select", Update = "update", Delete = "delete" } }

json_words! { QueryRootField {
    Select = "select",
    SelectByPk = "select_by_pk",
    SelectAggregate = "select_aggregate",
} }

json_words! { SubscriptionRootField {
    Select = "select",
    SelectByPk = "select_by_pk",
    SelectAggregate = "select_aggregate",
    SelectStream = "select_stream",
} }

json_object! { ValidateInput, "ValidateInput" {
    required definition;
    shown validation_type: "type" (ValidationType::Http);
} }

json_words! { ValidationType { Http = "http" } }

json_object! { ValidationWebhook, "ValidateInputHttpDefinition" {
    default forward_client_headers;
    default headers;
    hidden timeout (10);
    required url;
} }

json_object! { entry InheritedRole as "role_name": String, "Role" {
    required role_set;
} }

impl Json for Columns {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) if text == "*" => Ok(Self::All),
            Value::Array(_) => Json::read(value, reader).map(Self::List),
            _ => Err(reader.error("unexpected value for columns: expected \"*\" or a list of columns")),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::All => Value::String("*".to_owned()),
            Self::List(columns) => columns.print(),
        }
    }
}

impl Json for BoolExp {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        Json::read(value, reader).map(Self)
    }

    fn print(&self) -> Value {
        self.0.print()
    }
}
