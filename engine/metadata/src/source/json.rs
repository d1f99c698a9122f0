//! Sources as JSON.

use serde_json::Value;

use super::{
    HealthCheck, HealthCheckTest, NamingConvention, QueryTags, QueryTagsFormat, RootFieldsCustomization,
    Source, SourceConfiguration, SourceCustomization, SourceKind, TypeNamesCustomization,
};
use crate::json::{
    Content, Entry, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, entries_content,
    field_content, json_object, json_words,
};

const KEYS: &[&str] = &[
    "name",
    "kind",
    "tables",
    "functions",
    "native_queries",
    "stored_procedures",
    "logical_models",
    "configuration",
    "query_tags",
    "customization",
    "health_check",
];
/// What is read of a source of another kind; the rest is kept as written.
const OTHER_KEYS: &[&str] = &["name", "kind"];

impl Entry for Source {
    type Name = String;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(String, Self), ParseError> {
        let kind = match value.get("kind") {
            None | Some(Value::Null) => SourceKind::Postgres,
            Some(kind) => reader.within("kind", |reader| SourceKind::read(kind, reader))?,
        };
        if let SourceKind::Other(_) = kind {
            return read_other(value, kind, reader);
        }
        let mut object = ObjectReader::open(value, "SourceMetadata", KEYS, reader)?;
        let name = object.entry_name("name")?;
        let source = Self {
            kind,
            tables: object.entries("tables", "tables")?,
            functions: object.entries("functions", "functions")?,
            native_queries: object.entries("native_queries", "native queries")?,
            stored_procedures: object.optional("stored_procedures")?.unwrap_or_default(),
            logical_models: object.entries("logical_models", "logical models")?,
            configuration: object.required("configuration")?,
            query_tags: object.optional("query_tags")?,
            customization: object.optional("customization")?.unwrap_or_default(),
            health_check: object.optional("health_check")?,
            extra: object.finish(),
        };
        Ok((name, source))
    }

    fn print_entry(&self, name: &String) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("name", name);
        printer.put("kind", &self.kind);
        if self.kind == SourceKind::Postgres {
            printer.put_value("tables", crate::json::print_entries(&self.tables, true));
            printer.put_entries("functions", &self.functions, true);
            printer.put_entries("native_queries", &self.native_queries, true);
            printer.put_unless("stored_procedures", &self.stored_procedures, &Vec::new());
            printer.put_entries("logical_models", &self.logical_models, true);
            printer.put("configuration", &self.configuration);
            printer.put_some("query_tags", self.query_tags.as_ref());
            printer.put_unless(
                "customization",
                &self.customization,
                &SourceCustomization::default(),
            );
            printer.put_some("health_check", self.health_check.as_ref());
        }
        printer.finish(&self.extra)
    }

    fn shape() -> Shape {
        let mut shape = Shape::of_leaves("SourceMetadata", KEYS);
        for (key, content) in &mut shape.keys {
            *content = match *key {
                "tables" => entries_content(|source: &Self| &source.tables),
                "functions" => entries_content(|source: &Self| &source.functions),
                "native_queries" => entries_content(|source: &Self| &source.native_queries),
                "logical_models" => entries_content(|source: &Self| &source.logical_models),
                "configuration" => field_content(|source: &Self| &source.configuration),
                "query_tags" => field_content(|source: &Self| &source.query_tags),
                "customization" => field_content(|source: &Self| &source.customization),
                "health_check" => field_content(|source: &Self| &source.health_check),
                _ => Content::Leaf,
            };
        }
        shape
    }
}

fn read_other(value: &Value, kind: SourceKind, reader: &mut Reader) -> Result<(String, Source), ParseError> {
    let mut object = ObjectReader::open(value, "SourceMetadata", OTHER_KEYS, reader)?;
    let name = object.entry_name("name")?;
    Ok((
        name,
        Source {
            kind,
            extra: object.finish_silently(),
            ..Source::default()
        },
    ))
}

impl Source {
    /// A Postgres source in which nothing is tracked.
    pub fn new(configuration: SourceConfiguration) -> Self {
        Self {
            configuration,
            ..Self::default()
        }
    }
}

/// `pg` means the same as `postgres`.
impl Json for SourceKind {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let kind = String::read(value, reader)?;
        Ok(if matches!(kind.as_str(), "postgres" | "pg") {
            Self::Postgres
        } else {
            Self::Other(kind)
        })
    }

    fn print(&self) -> Value {
        Value::String(match self {
            Self::Postgres => "postgres".to_owned(),
            Self::Other(kind) => kind.clone(),
        })
    }
}

json_object! { QueryTags, "QueryTagsConfig" {
    shown disabled (false);
    shown format (QueryTagsFormat::Standard);
    shown omit_request_id (true);
} }

json_words! { QueryTagsFormat { Standard = "standard", SqlCommenter = "sqlcommenter" } }

json_object! { SourceCustomization, "SourceCustomization" {
    optional naming_convention;
    optional root_fields;
    optional type_names;
} }

json_object! { RootFieldsCustomization, "RootFieldsCustomization" {
    name namespace;
    name prefix;
    optional suffix;
} }

json_object! { TypeNamesCustomization, "SourceTypeCustomization" {
    name prefix;
    optional suffix;
} }

json_words! { NamingConvention {
    HasuraDefault = "hasura-default",
    GraphqlDefault = "graphql-default",
} }

json_object! { HealthCheck, "HealthCheckConfig" {
    required interval;
    shown retries (3);
    shown retry_interval (10);
    shown test (HealthCheckTest::default());
    shown timeout (10);
} }

json_object! { HealthCheckTest, "HealthCheckTest" {
    shown sql ("SELECT 1".to_owned());
} }
