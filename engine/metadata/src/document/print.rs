//! The canonical form of a document and its generation hash.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::read::SourcelessDocument;
use super::{Document, GraphqlSchemaIntrospection, MetricsConfig};
use crate::custom_type::CustomTypes;
use crate::json::{ObjectPrinter, print_entries};
use crate::limit::ApiLimits;
use crate::network::Network;
use crate::opentelemetry::OpenTelemetry;
use crate::rest::RestEndpoint;

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

    /// The canonical form as compact text.
    pub fn to_text(&self) -> String {
        self.to_json().to_string()
    }

    /// The generation hash: SHA-256 of the canonical text, in lower-case hexadecimal.
    pub fn generation_hash(&self) -> String {
        hash(&self.to_text())
    }
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
