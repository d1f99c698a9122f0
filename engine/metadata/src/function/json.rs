//! Functions and computed fields as JSON.

use serde_json::Value;

use super::{
    ComputedField, ComputedFieldDefinition, Function, FunctionConfiguration, FunctionExposure,
    FunctionPermission, FunctionResponse, FunctionRootFields,
};
use crate::QualifiedName;
use crate::json::{
    Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object, json_words,
};

json_object! { entry Function as "function": QualifiedName, "FunctionMetadata" {
    default configuration;
    ordered permissions ("permissions");
    optional comment;
} }

json_object! { entry FunctionPermission as "role": String, "FunctionPermissionInfo" {} }

json_object! { FunctionConfiguration, "FunctionConfig" {
    name custom_name;
    shown custom_root_fields (FunctionRootFields::default());
    optional exposed_as;
    optional response;
    optional session_argument;
} }

json_object! { FunctionRootFields, "FunctionCustomRootFields" {
    default function;
    default function_aggregate;
} }

json_words! { FunctionExposure { Query = "query", Mutation = "mutation" } }

const RESPONSE_KEYS: &[&str] = &["logical_model", "table", "type"];

impl Json for FunctionResponse {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "FunctionReturnType", RESPONSE_KEYS, reader)?;
        let kind: String = object.required("type")?;
        let response = match kind.as_str() {
            "table" => Self::Table(object.optional("table")?),
            "logical_model" => Self::LogicalModel(object.required("logical_model")?),
            other => return Err(object.reader().error(format!("unknown response type {other:?}"))),
        };
        object.finish_strictly("FunctionReturnType")?;
        Ok(response)
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        match self {
            Self::Table(table) => {
                printer.put_some("table", table.as_ref());
                printer.put_value("type", Value::String("table".to_owned()));
            }
            Self::LogicalModel(name) => {
                printer.put("logical_model", name);
                printer.put_value("type", Value::String("logical_model".to_owned()));
            }
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("FunctionReturnType", RESPONSE_KEYS))
    }
}

json_object! { entry ComputedField as "name": String, "ComputedFieldMetadata" {
    required definition;
    optional comment;
} }

json_object! { ComputedFieldDefinition, "ComputedFieldDefinition" {
    required function;
    optional session_argument;
    optional table_argument;
} }
