//! Tables and their configuration as JSON.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{
    ApolloFederationConfig, ApolloFederationVersion, ColumnConfig, CustomRootField, Table,
    TableConfiguration, TableRootFields,
};
use crate::QualifiedName;
use crate::json::{
    Content, Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, entries_content,
    field_content, json_object, json_words, type_mismatch,
};

const KEYS: &[&str] = &[
    "table",
    "is_enum",
    "configuration",
    "object_relationships",
    "array_relationships",
    "computed_fields",
    "remote_relationships",
    "insert_permissions",
    "select_permissions",
    "update_permissions",
    "delete_permissions",
    "event_triggers",
    "apollo_federation_config",
    "logical_model",
];

/// Unknown keys are refused.
impl Entry for Table {
    type Name = QualifiedName;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(QualifiedName, Self), ParseError> {
        let mut object = ObjectReader::open(value, "TableMetadata", KEYS, reader)?;
        object.refuse_unknown("TableMetadata")?;
        let name = object.entry_name("table")?;
        let table = Self {
            is_enum: object.optional("is_enum")?.unwrap_or_default(),
            configuration: object.optional("configuration")?.unwrap_or_default(),
            object_relationships: object.entries("object_relationships", "object relationships")?,
            array_relationships: object.entries("array_relationships", "array relationships")?,
            computed_fields: object.entries("computed_fields", "computed fields")?,
            remote_relationships: object.entries("remote_relationships", "remote relationships")?,
            insert_permissions: object.entries("insert_permissions", "insert permissions")?,
            select_permissions: object.entries("select_permissions", "select permissions")?,
            update_permissions: object.entries("update_permissions", "update permissions")?,
            delete_permissions: object.entries("delete_permissions", "delete permissions")?,
            event_triggers: object.entries("event_triggers", "event triggers")?,
            apollo_federation_config: object.optional("apollo_federation_config")?,
            logical_model: object.optional("logical_model")?,
        };
        Ok((name, table))
    }

    fn print_entry(&self, name: &QualifiedName) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("table", name);
        printer.put_unless("is_enum", &self.is_enum, &false);
        printer.put_unless(
            "configuration",
            &self.configuration,
            &TableConfiguration::default(),
        );
        printer.put_entries("object_relationships", &self.object_relationships, true);
        printer.put_entries("array_relationships", &self.array_relationships, true);
        printer.put_entries("computed_fields", &self.computed_fields, true);
        printer.put_entries("remote_relationships", &self.remote_relationships, true);
        printer.put_entries("insert_permissions", &self.insert_permissions, true);
        printer.put_entries("select_permissions", &self.select_permissions, true);
        printer.put_entries("update_permissions", &self.update_permissions, true);
        printer.put_entries("delete_permissions", &self.delete_permissions, true);
        printer.put_entries("event_triggers", &self.event_triggers, true);
        printer.put_some("apollo_federation_config", self.apollo_federation_config.as_ref());
        printer.put_some("logical_model", self.logical_model.as_ref());
        printer.finish(&crate::Extra::new())
    }

    fn shape() -> Shape {
        let mut shape = Shape::of_leaves("TableMetadata", KEYS);
        for (key, content) in &mut shape.keys {
            *content = match *key {
                "configuration" => TableConfiguration::content(),
                "object_relationships" => entries_content(|table: &Self| &table.object_relationships),
                "array_relationships" => entries_content(|table: &Self| &table.array_relationships),
                "computed_fields" => entries_content(|table: &Self| &table.computed_fields),
                "remote_relationships" => entries_content(|table: &Self| &table.remote_relationships),
                "insert_permissions" => entries_content(|table: &Self| &table.insert_permissions),
                "select_permissions" => entries_content(|table: &Self| &table.select_permissions),
                "update_permissions" => entries_content(|table: &Self| &table.update_permissions),
                "delete_permissions" => entries_content(|table: &Self| &table.delete_permissions),
                "event_triggers" => entries_content(|table: &Self| &table.event_triggers),
                "apollo_federation_config" => field_content(|table: &Self| &table.apollo_federation_config),
                _ => Content::Leaf,
            };
        }
        shape
    }
}

const CONFIGURATION_KEYS: &[&str] = &[
    "column_config",
    "comment",
    "custom_column_names",
    "custom_name",
    "custom_root_fields",
];

/// Column names under the legacy key `custom_column_names` count where `column_config` gives none.
impl Json for TableConfiguration {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "TableConfig", CONFIGURATION_KEYS, reader)?;
        let mut column_config: IndexMap<String, ColumnConfig> =
            object.optional("column_config")?.unwrap_or_default();
        let legacy: IndexMap<String, GraphqlName> =
            object.optional("custom_column_names")?.unwrap_or_default();
        for (column, name) in legacy {
            column_config
                .entry(column)
                .or_default()
                .custom_name
                .get_or_insert(name.0);
        }
        Ok(Self {
            column_config,
            comment: object.optional("comment")?,
            custom_name: object.graphql_name("custom_name")?,
            custom_root_fields: object.optional("custom_root_fields")?.unwrap_or_default(),
            extra: object.finish(),
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("column_config", &self.column_config);
        printer.put_some("comment", self.comment.as_ref());
        let mut names: Vec<_> = self
            .column_config
            .iter()
            .filter_map(|(column, config)| Some((column.clone(), config.custom_name.clone()?)))
            .collect();
        names.sort();
        let names: Map<String, Value> = names
            .into_iter()
            .map(|(column, name)| (column, Value::String(name)))
            .collect();
        printer.put_value("custom_column_names", Value::Object(names));
        printer.put_some("custom_name", self.custom_name.as_ref());
        printer.put("custom_root_fields", &self.custom_root_fields);
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("TableConfig", CONFIGURATION_KEYS);
        for (key, content) in &mut shape.keys {
            match *key {
                "column_config" => *content = ColumnConfig::content().mapped(),
                "custom_root_fields" => *content = TableRootFields::content(),
                _ => {}
            }
        }
        Content::Object(shape)
    }
}

struct GraphqlName(String);

impl Json for GraphqlName {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        crate::json::read_graphql_name(value, reader).map(Self)
    }

    fn print(&self) -> Value {
        self.0.print()
    }
}

json_object! { ColumnConfig, "ColumnConfig" {
    optional comment;
    name custom_name;
} }

/// The keys of `custom_root_fields`, in alphabetical order.
const ROOT_FIELD_KEYS: &[&str] = &[
    "delete",
    "delete_by_pk",
    "insert",
    "insert_one",
    "select",
    "select_aggregate",
    "select_by_pk",
    "select_stream",
    "update",
    "update_by_pk",
    "update_many",
];

impl TableRootFields {
    /// Every root field with its key.
    fn all(&self) -> [(&'static str, &CustomRootField); 11] {
        [
            ("delete", &self.delete),
            ("delete_by_pk", &self.delete_by_pk),
            ("insert", &self.insert),
            ("insert_one", &self.insert_one),
            ("select", &self.select),
            ("select_aggregate", &self.select_aggregate),
            ("select_by_pk", &self.select_by_pk),
            ("select_stream", &self.select_stream),
            ("update", &self.update),
            ("update_by_pk", &self.update_by_pk),
            ("update_many", &self.update_many),
        ]
    }
}

/// No name may be given twice.
impl Json for TableRootFields {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "TableCustomRootFields", ROOT_FIELD_KEYS, reader)?;
        let mut field = |key| object.optional(key).map(Option::unwrap_or_default);
        let fields = Self {
            delete: field("delete")?,
            delete_by_pk: field("delete_by_pk")?,
            insert: field("insert")?,
            insert_one: field("insert_one")?,
            select: field("select")?,
            select_aggregate: field("select_aggregate")?,
            select_by_pk: field("select_by_pk")?,
            select_stream: field("select_stream")?,
            update: field("update")?,
            update_by_pk: field("update_by_pk")?,
            update_many: field("update_many")?,
            extra: crate::Extra::new(),
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut duplicates: Vec<&str> = Vec::new();
        for name in fields
            .all()
            .into_iter()
            .filter_map(|(_, field)| field.name.as_deref())
        {
            if !seen.contains(&name) {
                seen.push(name);
            } else if !duplicates.contains(&name) {
                duplicates.push(name);
            }
        }
        if !duplicates.is_empty() {
            let names = english_list(&duplicates);
            return Err(object.reader().error(format!(
                "the following custom root field names are duplicated: {names}"
            )));
        }
        Ok(Self {
            extra: object.finish(),
            ..fields
        })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        for (key, field) in self.all() {
            printer.put_unless(key, field, &CustomRootField::default());
        }
        printer.finish(&self.extra)
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("TableCustomRootFields", ROOT_FIELD_KEYS);
        for (_, content) in &mut shape.keys {
            *content = CustomRootField::content();
        }
        Content::Object(shape)
    }
}

fn english_list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [initials @ .., last] => format!("{}, and {last}", initials.join(", ")),
    }
}

const ROOT_FIELD_NAME_KEYS: &[&str] = &["comment", "name"];

/// A bare text is the name; an empty one is no name, as the console writes it to take a name away.
impl Json for CustomRootField {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::Null => Ok(Self::default()),
            Value::String(text) if text.is_empty() => Ok(Self::default()),
            Value::String(_) => {
                let name = crate::json::read_graphql_name(value, reader)?;
                Ok(Self {
                    name: Some(name),
                    comment: None,
                })
            }
            Value::Object(_) => {
                let mut object = ObjectReader::open(value, "CustomRootField", ROOT_FIELD_NAME_KEYS, reader)?;
                let name = object.graphql_name("name")?;
                let comment = object.optional("comment")?;
                object.finish_strictly("CustomRootField")?;
                Ok(Self { name, comment })
            }
            other => Err(type_mismatch(
                "CustomRootField",
                "Object, String or Null",
                other,
                reader,
            )),
        }
    }

    fn print(&self) -> Value {
        match (&self.name, &self.comment) {
            (None, None) => Value::Null,
            (Some(name), None) => name.print(),
            (name, comment) => {
                let mut printer = ObjectPrinter::default();
                printer.put("comment", comment);
                printer.put("name", name);
                printer.finish(&crate::Extra::new())
            }
        }
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("CustomRootField", ROOT_FIELD_NAME_KEYS))
    }
}

json_object! { ApolloFederationConfig, "ApolloFederationConfig" {
    required enable;
} }

json_words! { ApolloFederationVersion { V1 = "v1" } }
