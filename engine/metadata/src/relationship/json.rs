//! Object and array relationships as JSON.

use serde_json::Value;

use super::{
    ArrayRelationship, ArrayUsing, ForeignKeyColumns, InsertionOrder, ManualConfiguration, ManualTarget,
    ObjectRelationship, ObjectUsing,
};
use crate::json::{
    Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, json_object, json_words, non_empty,
};

json_object! { entry ObjectRelationship as "name": String, "RelDef" {
    required using;
    optional comment;
} }

json_object! { entry ArrayRelationship as "name": String, "RelDef" {
    required using;
    optional comment;
} }

const USING_KEYS: &[&str] = &["foreign_key_constraint_on", "manual_configuration"];

/// `using`, with its foreign key read by `read_key`.
fn read_using<T>(
    value: &Value,
    reader: &mut Reader,
    read_key: impl FnOnce(&Value, &mut Reader) -> Result<T, ParseError>,
    manual: impl FnOnce(ManualConfiguration) -> T,
) -> Result<T, ParseError> {
    const ONE_OF: &str = "one of foreign_key_constraint_on/manual_configuration should be present";
    if !value.is_object() {
        return Err(reader.error("using should be an object"));
    }
    let mut object = ObjectReader::open(value, "using", USING_KEYS, reader)?;
    let using = match (
        object.raw("foreign_key_constraint_on"),
        object.raw("manual_configuration"),
    ) {
        (Some(key), None) => object
            .reader()
            .within("foreign_key_constraint_on", |reader| read_key(key, reader))?,
        (None, Some(_)) => manual(object.required("manual_configuration")?),
        (None, None) => return Err(object.reader().error(format!("atleast {ONE_OF}"))),
        (Some(_), Some(_)) => return Err(object.reader().error(format!("only {ONE_OF}"))),
    };
    object.finish_strictly("using")?;
    Ok(using)
}

fn print_using(key: &str, value: Value) -> Value {
    let mut printer = ObjectPrinter::default();
    printer.put_value(key, value);
    printer.finish(&crate::Extra::new())
}

fn using_content() -> Content {
    let keys = vec![
        ("foreign_key_constraint_on", ForeignKeyColumns::content()),
        ("manual_configuration", ManualConfiguration::content()),
    ];
    Content::Object(Shape { name: "using", keys })
}

impl Json for ObjectUsing {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let key = |key: &Value, reader: &mut Reader| {
            if key.is_object() {
                ForeignKeyColumns::read(key, reader).map(Self::RemoteForeignKey)
            } else {
                read_columns(key, reader).map(Self::ForeignKey)
            }
        };
        read_using(value, reader, key, Self::Manual)
    }

    fn print(&self) -> Value {
        match self {
            Self::ForeignKey(columns) => print_using("foreign_key_constraint_on", print_columns(columns).1),
            Self::RemoteForeignKey(key) => print_using("foreign_key_constraint_on", key.print()),
            Self::Manual(manual) => print_using("manual_configuration", manual.print()),
        }
    }

    fn content() -> Content {
        using_content()
    }
}

impl Json for ArrayUsing {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let key = |key: &Value, reader: &mut Reader| {
            if key.is_object() {
                ForeignKeyColumns::read(key, reader).map(Self::ForeignKey)
            } else {
                Err(reader.error("Expecting object { table, columns }."))
            }
        };
        read_using(value, reader, key, Self::Manual)
    }

    fn print(&self) -> Value {
        match self {
            Self::ForeignKey(key) => print_using("foreign_key_constraint_on", key.print()),
            Self::Manual(manual) => print_using("manual_configuration", manual.print()),
        }
    }

    fn content() -> Content {
        using_content()
    }
}

const FOREIGN_KEY_KEYS: &[&str] = &["column", "columns", "table"];

impl Json for ForeignKeyColumns {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "foreign_key_constraint_on", FOREIGN_KEY_KEYS, reader)?;
        let table = object.required("table")?;
        let columns = match (object.has("column"), object.has("columns")) {
            (true, false) => object.required_with("column", read_columns)?,
            (false, true) => object.required_with("columns", read_columns)?,
            _ => {
                return Err(object
                    .reader()
                    .error("expected exactly one of 'column' or 'columns'"));
            }
        };
        object.finish_strictly("foreign_key_constraint_on")?;
        Ok(Self { table, columns })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        let (key, columns) = print_columns(&self.columns);
        printer.put_value(key, columns);
        printer.put("table", &self.table);
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("foreign_key_constraint_on", FOREIGN_KEY_KEYS))
    }
}

fn read_columns(value: &Value, reader: &mut Reader) -> Result<Vec<String>, ParseError> {
    match value {
        Value::String(column) => Ok(vec![column.clone()]),
        Value::Array(_) => non_empty(Json::read(value, reader)?, reader),
        _ => Err(reader.error("Expected string or array")),
    }
}

/// One column as a text under `column`, several as a list under `columns`.
fn print_columns(columns: &[String]) -> (&'static str, Value) {
    match columns {
        [column] => ("column", column.print()),
        several => ("columns", several.to_vec().print()),
    }
}

const MANUAL_KEYS: &[&str] = &[
    "column_mapping",
    "insertion_order",
    "native_query",
    "remote_native_query",
    "remote_table",
];

impl Json for ManualConfiguration {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "RelManualConfig", MANUAL_KEYS, reader)?;
        let native_query = match object.optional("remote_native_query")? {
            Some(name) => Some(name),
            None => object.optional("native_query")?,
        };
        let target = match (object.optional("remote_table")?, native_query) {
            (Some(table), None) => ManualTarget::Table(table),
            (None, Some(name)) => ManualTarget::NativeQuery(name),
            (None, None) => return Err(object.reader().error("key \"remote_table\" not found")),
            (Some(_), Some(_)) => {
                let message = "only one of remote_table/remote_native_query should be present";
                return Err(object.reader().error(message));
            }
        };
        Ok(Self {
            target,
            column_mapping: object.required("column_mapping")?,
            insertion_order: object.optional("insertion_order")?,
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("column_mapping", &self.column_mapping);
        printer.put("insertion_order", &self.insertion_order);
        match &self.target {
            ManualTarget::Table(table) => printer.put("remote_table", table),
            ManualTarget::NativeQuery(name) => printer.put("remote_native_query", name),
        }
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("RelManualConfig", MANUAL_KEYS))
    }
}

json_words! { InsertionOrder { BeforeParent = "before_parent", AfterParent = "after_parent" } }
