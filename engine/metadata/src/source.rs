//! Sources: a database, how to reach it and what is tracked in it.

mod connection;
mod json;

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Number, Value};

use crate::function::Function;
use crate::native_query::{LogicalModel, NativeQuery};
use crate::table::Table;
use crate::{Extra, QualifiedName};

/// A source; its name is the key of the map it stands in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    /// `kind`.
    pub kind: SourceKind,
    /// `tables`, by name; copies of a document share them.
    pub tables: IndexMap<QualifiedName, Arc<Table>>,
    /// `functions`, by name.
    pub functions: IndexMap<QualifiedName, Function>,
    /// `native_queries`, by `root_field_name`.
    pub native_queries: IndexMap<String, NativeQuery>,
    /// `stored_procedures`, as written; Postgres sources have none.
    pub stored_procedures: Vec<Value>,
    /// `logical_models`, by name.
    pub logical_models: IndexMap<String, LogicalModel>,
    /// `configuration`.
    pub configuration: SourceConfiguration,
    /// `query_tags`.
    pub query_tags: Option<QueryTags>,
    /// `customization`.
    pub customization: SourceCustomization,
    /// `health_check`.
    pub health_check: Option<HealthCheck>,
    /// Unknown keys. Of a source of another kind than Postgres: everything but `name` and `kind`.
    pub extra: Extra,
}

/// `kind` of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// `postgres`; also meant when absent.
    #[default]
    Postgres,
    /// Another kind, by name. Such a source is kept as written and cannot be served.
    Other(String),
}

/// `configuration` of a Postgres source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceConfiguration {
    /// `connection_info`: the primary.
    pub connection_info: ConnectionInfo,
    /// `read_replicas`.
    pub read_replicas: Vec<ConnectionInfo>,
    /// `extensions_schema`: where extensions are installed; absent means `public`.
    pub extensions_schema: Option<String>,
    /// `connection_template`.
    pub connection_template: Option<ConnectionTemplate>,
    /// `connection_set`, by name.
    pub connection_set: IndexMap<String, ConnectionInfo>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An empty connection string, as sources of other kinds than Postgres have.
impl Default for SourceConfiguration {
    fn default() -> Self {
        Self::new(DatabaseUrl::Url(String::new()))
    }
}

impl SourceConfiguration {
    /// The configuration that names a database and nothing else.
    pub fn new(database_url: DatabaseUrl) -> Self {
        Self {
            connection_info: ConnectionInfo {
                database_url,
                pool_settings: None,
                use_prepared_statements: false,
                isolation_level: IsolationLevel::ReadCommitted,
                ssl_configuration: None,
                extra: Extra::new(),
            },
            read_replicas: Vec::new(),
            extensions_schema: None,
            connection_template: None,
            connection_set: IndexMap::new(),
            extra: Extra::new(),
        }
    }
}

/// `connection_info`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionInfo {
    /// `database_url`.
    pub database_url: DatabaseUrl,
    /// `pool_settings`.
    pub pool_settings: Option<PoolSettings>,
    /// `use_prepared_statements`, default false.
    pub use_prepared_statements: bool,
    /// `isolation_level`, default `read-committed`.
    pub isolation_level: IsolationLevel,
    /// `ssl_configuration`.
    pub ssl_configuration: Option<SslConfiguration>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `database_url`.
#[derive(Clone, Debug, PartialEq)]
pub enum DatabaseUrl {
    /// A connection string, in which `{{NAME}}` stands for environment variables.
    Url(String),
    /// `{from_env}`: the environment variable that holds the connection string.
    FromEnv(String),
    /// `{connection_parameters}`.
    Parameters(ConnectionParameters),
    /// `{dynamic_from_file}`: the path of a file that holds the connection string and may change.
    DynamicFromFile(String),
}

/// `connection_parameters`.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionParameters {
    /// `host`.
    pub host: String,
    /// `username`.
    pub username: String,
    /// `password`.
    pub password: Option<String>,
    /// `port`.
    pub port: u16,
    /// `database`.
    pub database: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// `pool_settings`. Numbers of connections, and seconds. Absent means the server's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolSettings {
    /// `max_connections` of one instance.
    pub max_connections: Option<u64>,
    /// `total_max_connections` of all instances together.
    pub total_max_connections: Option<u64>,
    /// `idle_timeout`: seconds after which an idle connection is closed.
    pub idle_timeout: Option<u64>,
    /// `retries` of a failed connection attempt.
    pub retries: Option<u64>,
    /// `pool_timeout`: seconds to wait for a connection; may have a fraction.
    pub pool_timeout: Option<Number>,
    /// `connection_lifetime`: seconds, may have a fraction; 0 means for ever.
    pub connection_lifetime: Option<Number>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `isolation_level`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IsolationLevel {
    /// `read-committed`
    #[default]
    ReadCommitted,
    /// `repeatable-read`
    RepeatableRead,
    /// `serializable`
    Serializable,
}

/// `ssl_configuration`.
#[derive(Clone, Debug, PartialEq)]
pub struct SslConfiguration {
    /// `sslmode`.
    pub sslmode: SslMode,
    /// `sslrootcert`: PEM.
    pub sslrootcert: Option<EnvironmentVariable>,
    /// `sslcert`: PEM.
    pub sslcert: Option<EnvironmentVariable>,
    /// `sslkey`: PEM.
    pub sslkey: Option<EnvironmentVariable>,
    /// `sslpassword`: of the key.
    pub sslpassword: Option<SecretValue>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `{from_env: NAME}`: the environment variable that holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable(pub String);

/// A value, or the environment variable that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretValue {
    /// The value itself.
    Value(String),
    /// `{from_env: NAME}`
    FromEnv(String),
}

/// `sslmode`, with libpq's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// `disable`
    Disable,
    /// `allow`
    Allow,
    /// `prefer`
    Prefer,
    /// `require`
    Require,
    /// `verify-ca`
    VerifyCa,
    /// `verify-full`
    VerifyFull,
}

/// `connection_template`: a Kriti template that picks a connection per request.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectionTemplate {
    /// `version`; the only one is 1.
    pub version: u64,
    /// `template`.
    pub template: String,
    /// Unknown keys.
    pub extra: Extra,
}

/// `query_tags`: comments appended to SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryTags {
    /// `disabled`, default false.
    pub disabled: bool,
    /// `format`, default `standard`.
    pub format: QueryTagsFormat,
    /// `omit_request_id`, default true.
    pub omit_request_id: bool,
    /// Unknown keys.
    pub extra: Extra,
}

/// `format` of query tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueryTagsFormat {
    /// `standard`
    #[default]
    Standard,
    /// `sqlcommenter`
    SqlCommenter,
}

/// `customization` of a source: how its names appear in the GraphQL schema.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceCustomization {
    /// `root_fields`.
    pub root_fields: Option<RootFieldsCustomization>,
    /// `type_names`.
    pub type_names: Option<TypeNamesCustomization>,
    /// `naming_convention`: absent means the server's default.
    pub naming_convention: Option<NamingConvention>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `root_fields` of a customization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RootFieldsCustomization {
    /// `namespace`: a root field under which all of the source's root fields stand.
    pub namespace: Option<String>,
    /// `prefix`.
    pub prefix: Option<String>,
    /// `suffix`.
    pub suffix: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `type_names` of a customization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeNamesCustomization {
    /// `prefix`.
    pub prefix: Option<String>,
    /// `suffix`.
    pub suffix: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `naming_convention`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NamingConvention {
    /// `hasura-default`: names as in the database, snake case.
    HasuraDefault,
    /// `graphql-default`: camel case fields, Pascal case types.
    GraphqlDefault,
}

/// `health_check` of a source. Times are seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// `test`.
    pub test: HealthCheckTest,
    /// `interval` between checks.
    pub interval: u64,
    /// `retries`, default 3.
    pub retries: u64,
    /// `retry_interval`, default 10.
    pub retry_interval: u64,
    /// `timeout`, default 10.
    pub timeout: u64,
    /// Unknown keys.
    pub extra: Extra,
}

/// `test` of a health check.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheckTest {
    /// `sql`, default `SELECT 1`.
    pub sql: String,
    /// Unknown keys.
    pub extra: Extra,
}

impl Default for HealthCheckTest {
    fn default() -> Self {
        Self {
            sql: "SELECT 1".to_owned(),
            extra: Extra::new(),
        }
    }
}
