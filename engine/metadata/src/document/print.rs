//! The canonical form of a document and its generation hash.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::read::SourcelessDocument;
use super::{Document, GraphqlSchemaIntrospection, MetricsConfig};
use crate::custom_type::CustomTypes;
use crate::json::{Entry, ObjectPrinter, print_entries};
use crate::limit::ApiLimits;
use crate::network::Network;
use crate::opentelemetry::OpenTelemetry;
use crate::rest::RestEndpoint;
use crate::seniority::Seniority;
use crate::source::{Source, SourceKind};

impl Document {
    /// The canonical form, as `export_metadata` answers it: `version` first, sections in a fixed order, empty
    /// sections and defaults left out, entries sorted.
    pub fn to_json(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put_value("version", Value::from(3));
        printer.put_value("sources", print_entries(&self.sources, true));
        printer.put_entries("remote_schemas", &self.remote_schemas, true);
        printer.put_entries("query_collections", &self.query_collections, true);
        printer.put_entries("allowlist", &self.allowlist, true);
        printer.put_entries("actions", &self.actions, true);
        printer.put_unless("custom_types", &self.custom_types, &CustomTypes::default());
        printer.put_entries("cron_triggers", &self.cron_triggers, true);
        printer.put_entries("rest_endpoints", &by_url(&self.rest_endpoints), false);
        printer.put_unless("api_limits", &self.api_limits, &ApiLimits::default());
        printer.put_unless("metrics_config", &self.metrics_config, &MetricsConfig::default());
        printer.put_entries("inherited_roles", &self.inherited_roles, true);
        printer.put_unless(
            "graphql_schema_introspection",
            &self.graphql_schema_introspection,
            &GraphqlSchemaIntrospection::default(),
        );
        printer.put_unless("network", &self.network, &Network::default());
        printer.put_unless("backend_configs", &self.backend_configs, &Map::new());
        printer.put_unless("opentelemetry", &self.opentelemetry, &OpenTelemetry::default());
        printer.finish(&self.extra)
    }

    /// The canonical form as compact text. Tables, which are nearly all of a large document, are printed one by one, so
    /// that they never stand beside the text as one tree.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        // Everything but the sources, which are nearly all of a large document.
        let rest = Self {
            sources: IndexMap::new(),
            remote_schemas: self.remote_schemas.clone(),
            query_collections: self.query_collections.clone(),
            allowlist: self.allowlist.clone(),
            actions: self.actions.clone(),
            custom_types: self.custom_types.clone(),
            cron_triggers: self.cron_triggers.clone(),
            rest_endpoints: self.rest_endpoints.clone(),
            api_limits: self.api_limits.clone(),
            metrics_config: self.metrics_config.clone(),
            inherited_roles: self.inherited_roles.clone(),
            graphql_schema_introspection: self.graphql_schema_introspection.clone(),
            network: self.network.clone(),
            backend_configs: self.backend_configs.clone(),
            opentelemetry: self.opentelemetry.clone(),
            extra: self.extra.clone(),
            seniority: Seniority::default(),
        };
        write_object(text, &rest.to_json(), |key, text| {
            if key != "sources" {
                return false;
            }
            let mut sources: Vec<_> = self.sources.iter().collect();
            sources.sort_by_key(|(name, _)| *name);
            write_list(text, &sources, |text, (name, source)| {
                write_source(text, name, source);
            });
            true
        });
    }

    /// The generation hash: SHA-256 of the canonical text, in lower-case hexadecimal.
    pub fn generation_hash(&self) -> String {
        hash(&self.to_text())
    }
}

fn write_source(text: &mut String, name: &String, source: &Source) {
    let rest = Source {
        tables: IndexMap::new(),
        ..source.clone()
    };
    write_object(text, &rest.print_entry(name), |key, text| {
        // A source of another kind is kept as written, tables and all.
        if key != "tables" || source.kind != SourceKind::Postgres {
            return false;
        }
        let mut tables: Vec<_> = source.tables.iter().collect();
        tables.sort_by_key(|(name, _)| *name);
        write_list(text, &tables, |text, (name, table)| {
            text.push_str(&table.print_entry(name).to_string());
        });
        true
    });
}

/// Writes an object; `instead` may write the value of a key in its own way.
fn write_object(text: &mut String, value: &Value, mut instead: impl FnMut(&str, &mut String) -> bool) {
    text.push('{');
    for (at, (key, value)) in value.as_object().into_iter().flatten().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&Value::from(key.as_str()).to_string());
        text.push(':');
        if !instead(key, text) {
            text.push_str(&value.to_string());
        }
    }
    text.push('}');
}

fn write_list<T>(text: &mut String, items: &[T], mut write: impl FnMut(&mut String, &T)) {
    text.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

/// SHA-256 of a text, in lower-case hexadecimal.
pub fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn by_url(endpoints: &IndexMap<String, RestEndpoint>) -> IndexMap<String, RestEndpoint> {
    let mut sorted = endpoints.clone();
    sorted.sort_by(|one_name, one, two_name, two| (&one.url, one_name).cmp(&(&two.url, two_name)));
    sorted
}

impl SourcelessDocument {
    /// The canonical form, as version 2.
    pub(crate) fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put_value("version", Value::from(2));
        printer.put_value("tables", print_entries(&self.tables, true));
        printer.put_entries("functions", &self.functions, true);
        printer.put_entries("remote_schemas", &self.remote_schemas, true);
        printer.put_entries("query_collections", &self.query_collections, true);
        printer.put_entries("allowlist", &self.allowlist, true);
        printer.put_entries("actions", &self.actions, true);
        printer.put_unless("custom_types", &self.custom_types, &CustomTypes::default());
        printer.put_entries("cron_triggers", &self.cron_triggers, true);
        printer.finish(&crate::Extra::new())
    }
}
