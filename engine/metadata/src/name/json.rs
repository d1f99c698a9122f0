//! Names of tables and functions as JSON.

use serde_json::Value;

use super::{DEFAULT_SCHEMA, QualifiedName};
use crate::json::{Json, ObjectPrinter, ObjectReader, ParseError, Reader, type_mismatch};

const KEYS: &[&str] = &["name", "schema"];

impl Json for QualifiedName {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(name) => Ok(Self::public(name.clone())),
            Value::Object(_) => {
                let mut object = ObjectReader::open(value, "QualifiedObject", KEYS, reader)?;
                let name: String = object.required("name")?;
                let schema = object
                    .optional("schema")?
                    .unwrap_or_else(|| DEFAULT_SCHEMA.to_owned());
                object.finish_strictly("QualifiedObject")?;
                Ok(Self { schema, name })
            }
            other => Err(type_mismatch("QualifiedObject", "String/Object", other, reader)),
        }
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("name", &self.name);
        printer.put("schema", &self.schema);
        printer.finish(&crate::Extra::new())
    }
}
