//! Remote relationships as JSON.

use serde_json::{Map, Value};

use super::{
    RelationshipType, RemoteFieldCall, RemoteRelationship, RemoteRelationshipDefinition, RemoteSchemaFormat,
    ToRemoteSchema, ToSource,
};
use crate::json::{
    Content, Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object, json_words,
};

const ENTRY_KEYS: &[&str] = &["name", "definition"];
/// The keys of the legacy definition, when they stand beside `name` (as the legacy commands have them).
const FLAT_KEYS: &[&str] = &[
    "name",
    "definition",
    "remote_schema",
    "hasura_fields",
    "remote_field",
];

impl Entry for RemoteRelationship {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let flat = value.get("definition").is_none() && value.get("remote_schema").is_some();
        let keys = if flat { FLAT_KEYS } else { ENTRY_KEYS };
        let mut object = ObjectReader::open(value, "RemoteRelationship", keys, reader)?;
        let name = object.entry_name("name")?;
        let definition = if flat {
            RemoteRelationshipDefinition::ToRemoteSchema(read_legacy(&mut object)?)
        } else {
            object.required("definition")?
        };
        Ok((
            name,
            Self {
                definition,
                extra: object.finish(),
            },
        ))
    }

    fn print_entry(&self, name: &String) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("definition", &self.definition);
        printer.put("name", name);
        printer.finish(&self.extra)
    }

    fn shape() -> Shape {
        let keys = vec![
            ("name", Content::Leaf),
            ("definition", RemoteRelationshipDefinition::content()),
        ];
        Shape {
            name: "RemoteRelationship",
            keys,
        }
    }
}

const DEFINITION_KEYS: &[&str] = &[
    "to_remote_schema",
    "to_source",
    "remote_schema",
    "hasura_fields",
    "remote_field",
];

impl Json for RemoteRelationshipDefinition {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "RemoteRelationshipDefinition", DEFINITION_KEYS, reader)?;
        let forms = ["to_remote_schema", "to_source", "remote_schema"].map(|key| object.has(key));
        let definition = match forms {
            [true, false, false] => Self::ToRemoteSchema(object.required("to_remote_schema")?),
            [false, true, false] => Self::ToSource(object.required("to_source")?),
            [false, false, true] => {
                let mut schema = read_legacy(&mut object)?;
                schema.extra = object.finish();
                return Ok(Self::ToRemoteSchema(schema));
            }
            _ => {
                return Err(object.reader().error(
                    "remote relationship definition expects exactly one of: to_source, to_remote_schema, remote_schema",
                ));
            }
        };
        object.finish_strictly("RemoteRelationshipDefinition")?;
        Ok(definition)
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        match self {
            Self::ToSource(source) => printer.put("to_source", source),
            Self::ToRemoteSchema(schema) => match schema.format {
                RemoteSchemaFormat::Unified => printer.put("to_remote_schema", schema),
                RemoteSchemaFormat::Legacy => {
                    printer.put("hasura_fields", &schema.lhs_fields);
                    printer.put_value("remote_field", print_calls(&schema.remote_field));
                    printer.put("remote_schema", &schema.remote_schema);
                    return printer.finish(&schema.extra);
                }
            },
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("RemoteRelationshipDefinition", DEFINITION_KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "to_remote_schema" => *content = ToRemoteSchema::content(),
                "to_source" => *content = ToSource::content(),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

fn read_legacy(object: &mut ObjectReader<'_, '_>) -> Result<ToRemoteSchema, ParseError> {
    Ok(ToRemoteSchema {
        remote_schema: object.required("remote_schema")?,
        lhs_fields: object.required("hasura_fields")?,
        remote_field: object.required_with("remote_field", read_calls)?,
        format: RemoteSchemaFormat::Legacy,
        extra: crate::Extra::new(),
    })
}

const TO_SCHEMA_KEYS: &[&str] = &["lhs_fields", "remote_field", "remote_schema"];

impl Json for ToRemoteSchema {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "ToSchemaRelationshipDef", TO_SCHEMA_KEYS, reader)?;
        Ok(Self {
            remote_schema: object.required("remote_schema")?,
            lhs_fields: object.required("lhs_fields")?,
            remote_field: object.required_with("remote_field", read_calls)?,
            format: RemoteSchemaFormat::Unified,
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("lhs_fields", &self.lhs_fields);
        printer.put_value("remote_field", print_calls(&self.remote_field));
        printer.put("remote_schema", &self.remote_schema);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("ToSchemaRelationshipDef", TO_SCHEMA_KEYS))
    }
}

/// Reads the nested calls of `remote_field` into a list, without recursion.
fn read_calls(value: &Value, reader: &mut Reader) -> Result<Vec<RemoteFieldCall>, ParseError> {
    let mut calls = Vec::new();
    let mut level = Some(value);
    while let Some(value) = level {
        let Value::Object(fields) = value else {
            return Err(reader.error("expecting an object with exactly one key for remote_field"));
        };
        let mut fields = fields.iter();
        let (Some((name, call)), None) = (fields.next(), fields.next()) else {
            return Err(reader.error("expecting single value for remote_field"));
        };
        let Value::Object(call) = call else {
            return Err(reader.error(format!("expecting an object for the remote field {name:?}")));
        };
        if let Some(key) = call
            .keys()
            .find(|key| !matches!(key.as_str(), "arguments" | "field"))
        {
            return Err(reader.error(format!("unexpected key {key:?} in the remote field {name:?}")));
        }
        let arguments = match call.get("arguments") {
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => return Err(reader.error(format!("arguments of {name:?} must be an object"))),
            None => return Err(reader.error("key \"arguments\" not found")),
        };
        calls.push(RemoteFieldCall {
            name: name.clone(),
            arguments,
        });
        level = call.get("field").filter(|field| !field.is_null());
    }
    Ok(calls)
}

fn print_calls(calls: &[RemoteFieldCall]) -> Value {
    let mut printed = None;
    for call in calls.iter().rev() {
        let mut object = Map::new();
        object.insert("arguments".to_owned(), Value::Object(call.arguments.clone()));
        if let Some(inner) = printed.take() {
            object.insert("field".to_owned(), inner);
        }
        let mut field = Map::new();
        field.insert(call.name.clone(), Value::Object(object));
        printed = Some(Value::Object(field));
    }
    printed.unwrap_or_default()
}

json_object! { ToSource, "ToSourceRelationshipDef" {
    required field_mapping;
    required relationship_type;
    required source;
    required table;
} }

json_words! { RelationshipType { Object = "object", Array = "array" } }
