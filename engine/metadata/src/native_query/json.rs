//! Native queries and logical models as JSON.

use serde_json::Value;

use super::{
    InlineLogicalModel, LogicalModel, LogicalModelField, LogicalModelType, NativeQuery, NativeQueryArgument,
    NativeQueryRelationship, NativeQueryReturns,
};
use crate::json::{
    Content, Entry, Json, MAX_DEPTH, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object,
    type_mismatch,
};

json_object! { entry NativeQuery as "root_field_name": String, "NativeQueryMetadata" in alphabet {
    default arguments;
    entries array_relationships ("array relationships");
    required code;
    optional description;
    entries object_relationships ("object relationships");
    required returns;
} }

json_object! { NativeQueryArgument, "NullableScalarType" {
    optional description;
    shown nullable (false);
    required type_name: "type";
} }

json_object! { entry NativeQueryRelationship as "name": String, "RelDef" in alphabet {
    required using;
    optional comment;
} }

impl Json for NativeQueryReturns {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(name) => Ok(Self::Named(name.clone())),
            Value::Object(_) => Json::read(value, reader).map(Self::Inline),
            other => Err(type_mismatch("LogicalModelIdentifier", "String", other, reader)),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::Named(name) => name.print(),
            Self::Inline(model) => model.print(),
        }
    }

    fn content() -> Content {
        InlineLogicalModel::content()
    }
}

json_object! { InlineLogicalModel, "InlineLogicalModelMetadata" {
    required_entries fields ("fields");
    entries select_permissions ("select permissions");
} }

json_object! { entry LogicalModel as "name": String, "LogicalModelMetadata" in alphabet {
    optional description;
    required_entries fields ("fields");
    entries select_permissions ("select permissions");
} }

const FIELD_KEYS: &[&str] = &["name", "type", "nullable", "description"];

impl Entry for LogicalModelField {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let mut object = ObjectReader::open(value, "LogicalModelField", FIELD_KEYS, reader)?;
        let name = object.entry_name("name")?;
        let nullable: Option<bool> = object.optional("nullable")?;
        let field_type = match object.required("type")? {
            LogicalModelType::Scalar {
                scalar,
                nullable: inner,
            } => LogicalModelType::Scalar {
                scalar,
                nullable: nullable.unwrap_or(inner),
            },
            other => other,
        };
        let description = object.optional("description")?;
        Ok((
            name,
            Self {
                field_type,
                description,
                extra: object.finish(),
            },
        ))
    }

    fn print_entry(&self, name: &String) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put_some("description", self.description.as_ref());
        printer.put("name", name);
        printer.put("type", &self.field_type);
        printer.finish(&self.extra)
    }

    fn shape() -> Shape {
        let mut shape = Shape::of_leaves("LogicalModelField", FIELD_KEYS);
        for (key, content) in &mut shape.keys {
            if *key == "type" {
                *content = LogicalModelType::content();
            }
        }
        shape
    }
}

const TYPE_KEYS: &[&str] = &["array", "logical_model", "nullable", "scalar"];

/// A bare text is a scalar that is not null.
impl Json for LogicalModelType {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        read_type(value, reader, MAX_DEPTH)
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        match self {
            Self::Scalar { scalar, nullable } => {
                printer.put("nullable", nullable);
                printer.put("scalar", scalar);
            }
            Self::LogicalModel {
                logical_model,
                nullable,
            } => {
                printer.put("logical_model", logical_model);
                printer.put("nullable", nullable);
            }
            Self::Array { array, nullable } => {
                printer.put_value("array", array.print());
                printer.put("nullable", nullable);
            }
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("LogicalModelType", TYPE_KEYS))
    }
}

fn read_type(value: &Value, reader: &mut Reader, levels: usize) -> Result<LogicalModelType, ParseError> {
    if let Value::String(scalar) = value {
        return Ok(LogicalModelType::Scalar {
            scalar: scalar.clone(),
            nullable: false,
        });
    }
    let mut object = ObjectReader::open(value, "LogicalModelType", TYPE_KEYS, reader)?;
    let nullable = object.optional("nullable")?.unwrap_or_default();
    let forms = ["scalar", "logical_model", "array"].map(|key| object.has(key));
    let read = match forms {
        [true, false, false] => LogicalModelType::Scalar {
            scalar: object.required("scalar")?,
            nullable,
        },
        [false, true, false] => LogicalModelType::LogicalModel {
            logical_model: object.required("logical_model")?,
            nullable,
        },
        [false, false, true] => {
            let Some(levels) = levels.checked_sub(1) else {
                return Err(object.reader().error("nested too deeply"));
            };
            let array = object.required_with("array", |value, reader| read_type(value, reader, levels))?;
            LogicalModelType::Array {
                array: Box::new(array),
                nullable,
            }
        }
        _ => {
            return Err(object
                .reader()
                .error("expected exactly one of: scalar, logical_model, array"));
        }
    };
    object.finish_strictly("LogicalModelType")?;
    Ok(read)
}
