//! The whole document, section by section in export order.

mod json;
mod print;
mod read;
mod text;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::Extra;
use crate::action::Action;
use crate::collection::{AllowlistEntry, QueryCollection};
use crate::cron_trigger::CronTrigger;
use crate::custom_type::CustomTypes;
use crate::limit::ApiLimits;
use crate::network::Network;
use crate::opentelemetry::OpenTelemetry;
use crate::permission::InheritedRole;
use crate::remote_schema::RemoteSchema;
use crate::rest::RestEndpoint;
use crate::seniority::Seniority;
use crate::source::Source;
use crate::table::Table;

pub use print::hash;
pub use read::{AnyDocument, DEFAULT_SOURCE, NoDefaultSource, SourcelessDocument};
pub use text::{Known, TextError};

/// A metadata document of version 3. Empty sections are absent from the printed form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// `sources`, by name.
    pub sources: IndexMap<String, Source>,
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
    /// `rest_endpoints`, by name.
    pub rest_endpoints: IndexMap<String, RestEndpoint>,
    /// `api_limits`.
    pub api_limits: ApiLimits,
    /// `metrics_config`.
    pub metrics_config: MetricsConfig,
    /// `inherited_roles`, by name of the inherited role.
    pub inherited_roles: IndexMap<String, InheritedRole>,
    /// `graphql_schema_introspection`.
    pub graphql_schema_introspection: GraphqlSchemaIntrospection,
    /// `network`.
    pub network: Network,
    /// `backend_configs`: settings of data connectors, by backend, as written. Nothing here reads them.
    pub backend_configs: Map<String, Value>,
    /// `opentelemetry`.
    pub opentelemetry: OpenTelemetry,
    /// Unknown top level keys.
    pub extra: Extra,
    /// Which objects were there first. Not read, and not printed.
    pub seniority: Seniority,
}

/// `metrics_config`: extra labels on metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricsConfig {
    /// `analyze_query_variables`, default false.
    pub analyze_query_variables: bool,
    /// `analyze_response_body`, default false.
    pub analyze_response_body: bool,
    /// Unknown keys.
    pub extra: Extra,
}

/// `graphql_schema_introspection`: roles that may not introspect.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GraphqlSchemaIntrospection {
    /// `disabled_for_roles`, each role once.
    pub disabled_for_roles: Vec<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// A remote schema brings its own; how many is not in the document.
const TYPES_OF_A_REMOTE_SCHEMA: usize = 100;

impl Document {
    /// How many objects there are that take time when the document is resolved: tables and what is tracked beside them,
    /// permissions, queries, endpoints, actions and their types, remote schemas, inherited roles.
    pub fn objects(&self) -> usize {
        let of_table = |table: &Table| {
            1 + table.insert_permissions.len()
                + table.select_permissions.len()
                + table.update_permissions.len()
                + table.delete_permissions.len()
        };
        let of_source = |source: &Source| {
            source.tables.values().map(|table| of_table(table)).sum::<usize>()
                + source.functions.len()
                + source.native_queries.len()
                + source.logical_models.len()
        };
        let queries = |collection: &QueryCollection| collection.definition.queries.len();
        let types = &self.custom_types;
        self.sources.values().map(of_source).sum::<usize>()
            + self.query_collections.values().map(queries).sum::<usize>()
            + self.rest_endpoints.len()
            + self.actions.len()
            + types.input_objects.len()
            + types.objects.len()
            + types.scalars.len()
            + types.enums.len()
            + self.remote_schemas.len() * TYPES_OF_A_REMOTE_SCHEMA
            + self.inherited_roles.len()
    }
}
