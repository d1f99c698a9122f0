//! Reading a whole document, of any version.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::Document;
use crate::QualifiedName;
use crate::action::Action;
use crate::collection::{AllowlistEntry, QueryCollection};
use crate::cron_trigger::CronTrigger;
use crate::custom_type::CustomTypes;
use crate::function::Function;
use crate::json::{
    Content, Json, ObjectReader, ParseError, Reader, Shape, Warning, entries_content, field_content,
};
use crate::remote_schema::RemoteSchema;
use crate::seniority::Seniority;
use crate::table::Table;

const KEYS: &[&str] = &[
    "version",
    "sources",
    "remote_schemas",
    "query_collections",
    "allowlist",
    "actions",
    "custom_types",
    "cron_triggers",
    "rest_endpoints",
    "api_limits",
    "metrics_config",
    "inherited_roles",
    "graphql_schema_introspection",
    "network",
    "backend_configs",
    "opentelemetry",
];

const SOURCELESS_KEYS: &[&str] = &[
    "version",
    "tables",
    "functions",
    "remote_schemas",
    "query_collections",
    "allowlist",
    "actions",
    "custom_types",
    "cron_triggers",
];

/// The source that documents without sources are about.
pub const DEFAULT_SOURCE: &str = "default";

/// A document of any version.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyDocument {
    /// Version 3.
    Sources(Box<Document>),
    /// Version 1 or 2.
    Sourceless(Box<SourcelessDocument>),
}

/// A document of version 1 or 2, which is about one database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourcelessDocument {
    /// `tables`, by name.
    pub tables: IndexMap<QualifiedName, Arc<Table>>,
    /// `functions`, by name; version 1 lists bare names.
    pub functions: IndexMap<QualifiedName, Function>,
    /// `remote_schemas`, by name.
    pub remote_schemas: IndexMap<String, RemoteSchema>,
    /// `query_collections`, by name.
    pub query_collections: IndexMap<String, QueryCollection>,
    /// `allowlist`, by name of the collection.
    pub allowlist: IndexMap<String, AllowlistEntry>,
    /// `actions`, by name.
    pub actions: IndexMap<String, Action>,
    /// `custom_types`.
    pub custom_types: CustomTypes,
    /// `cron_triggers`, by name.
    pub cron_triggers: IndexMap<String, CronTrigger>,
}

/// A document without sources cannot be applied where there is no source `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot import metadata without sources since no default source is defined")]
pub struct NoDefaultSource;

impl SourcelessDocument {
    /// The document that replaces `current`: its source `default` with these tables and functions and no other
    /// source, this document's other sections, and the REST endpoints of `current`.
    pub fn apply_to(self, current: &Document) -> Result<Document, NoDefaultSource> {
        let mut source = current
            .sources
            .get(DEFAULT_SOURCE)
            .cloned()
            .ok_or(NoDefaultSource)?;
        source.tables = self.tables;
        source.functions = self.functions;
        Ok(Document {
            sources: IndexMap::from([(DEFAULT_SOURCE.to_owned(), source)]),
            remote_schemas: self.remote_schemas,
            query_collections: self.query_collections,
            allowlist: self.allowlist,
            actions: self.actions,
            custom_types: self.custom_types,
            cron_triggers: self.cron_triggers,
            rest_endpoints: current.rest_endpoints.clone(),
            ..Document::default()
        })
    }
}

impl AnyDocument {
    /// Reads a document of any version. A missing `version` means 1.
    pub fn parse(value: &Value) -> Result<(Self, Vec<Warning>), ParseError> {
        let mut reader = Reader::new();
        let document = reader.read(value)?;
        Ok((document, reader.into_warnings()))
    }
}

impl Document {
    /// Reads a document of version 3.
    pub fn parse(value: &Value) -> Result<(Self, Vec<Warning>), ParseError> {
        let mut reader = Reader::new();
        let document = reader.read(value)?;
        Ok((document, reader.into_warnings()))
    }
}

impl Json for AnyDocument {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match version(value, reader)? {
            3 => Document::read(value, reader).map(|document| Self::Sources(Box::new(document))),
            version => {
                read_sourceless(value, version, reader).map(|document| Self::Sourceless(Box::new(document)))
            }
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::Sources(document) => document.print(),
            Self::Sourceless(document) => document.print(),
        }
    }
}

/// The version of a document: 1, 2 or 3.
fn version(value: &Value, reader: &mut Reader) -> Result<u64, ParseError> {
    match value.get("version") {
        None | Some(Value::Null) => Ok(1),
        Some(version) => reader.within("version", |reader| match u64::read(version, reader)? {
            known @ 1..=3 => Ok(known),
            other => Err(reader.error(format!("expected 1, 2 or 3, encountered {other}"))),
        }),
    }
}

impl Json for Document {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "Metadata", KEYS, reader)?;
        let version = version(value, object.reader())?;
        if version != 3 {
            let message = format!("expected metadata version 3, encountered {version}");
            return Err(object.reader().error(message));
        }
        Ok(Self {
            sources: object.required_with("sources", |value, reader| {
                crate::json::read_entries(value, "sources", reader)
            })?,
            remote_schemas: object.entries("remote_schemas", "remote schemas")?,
            query_collections: object.entries("query_collections", "query collections")?,
            allowlist: object.entries("allowlist", "allowlist entries")?,
            actions: object.entries("actions", "actions")?,
            custom_types: object.optional("custom_types")?.unwrap_or_default(),
            cron_triggers: object.entries("cron_triggers", "cron triggers")?,
            rest_endpoints: object.entries("rest_endpoints", "rest endpoints")?,
            api_limits: object.optional("api_limits")?.unwrap_or_default(),
            metrics_config: object.optional("metrics_config")?.unwrap_or_default(),
            inherited_roles: object.entries("inherited_roles", "inherited roles")?,
            graphql_schema_introspection: object
                .optional("graphql_schema_introspection")?
                .unwrap_or_default(),
            network: object.optional("network")?.unwrap_or_default(),
            backend_configs: object.optional("backend_configs")?.unwrap_or_default(),
            opentelemetry: object.optional("opentelemetry")?.unwrap_or_default(),
            extra: object.finish(),
            seniority: Seniority::default(),
        })
    }

    fn print(&self) -> Value {
        self.to_json()
    }

    fn content() -> Content {
        let mut shape = Shape::of_leaves("Metadata", KEYS);
        for (key, content) in &mut shape.keys {
            *content = match *key {
                "sources" => entries_content(|whole: &Self| &whole.sources),
                "remote_schemas" => entries_content(|whole: &Self| &whole.remote_schemas),
                "query_collections" => entries_content(|whole: &Self| &whole.query_collections),
                "allowlist" => entries_content(|whole: &Self| &whole.allowlist),
                "actions" => entries_content(|whole: &Self| &whole.actions),
                "custom_types" => field_content(|whole: &Self| &whole.custom_types),
                "cron_triggers" => entries_content(|whole: &Self| &whole.cron_triggers),
                "rest_endpoints" => entries_content(|whole: &Self| &whole.rest_endpoints),
                "api_limits" => field_content(|whole: &Self| &whole.api_limits),
                "metrics_config" => field_content(|whole: &Self| &whole.metrics_config),
                "inherited_roles" => entries_content(|whole: &Self| &whole.inherited_roles),
                "graphql_schema_introspection" => {
                    field_content(|whole: &Self| &whole.graphql_schema_introspection)
                }
                "network" => field_content(|whole: &Self| &whole.network),
                "opentelemetry" => field_content(|whole: &Self| &whole.opentelemetry),
                _ => Content::Leaf,
            };
        }
        Content::Object(shape)
    }
}

fn read_sourceless(
    value: &Value,
    version: u64,
    reader: &mut Reader,
) -> Result<SourcelessDocument, ParseError> {
    let mut object = ObjectReader::open(value, "Metadata", SOURCELESS_KEYS, reader)?;
    let functions = if version == 1 {
        let names: Vec<QualifiedName> = object.optional("functions")?.unwrap_or_default();
        names
            .into_iter()
            .map(|name| (name, Function::default()))
            .collect()
    } else {
        object.entries("functions", "functions")?
    };
    let document = SourcelessDocument {
        tables: object.required_with("tables", |value, reader| {
            crate::json::read_entries(value, "tables", reader)
        })?,
        functions,
        remote_schemas: object.entries("remote_schemas", "remote schemas")?,
        query_collections: object.entries("query_collections", "query collections")?,
        allowlist: object.entries("allowlist", "allowlist entries")?,
        actions: object.entries("actions", "actions")?,
        custom_types: object.optional("custom_types")?.unwrap_or_default(),
        cron_triggers: object.entries("cron_triggers", "cron triggers")?,
    };
    object.finish();
    Ok(document)
}
