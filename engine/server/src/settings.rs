//! Every setting of the program, read once at the start from flags and environment variables.
//!
//! A flag beats its variable. Wrong values, settings whose feature comes later and combinations that cannot work
//! end the start with a message that names the setting; nothing is accepted and then forgotten. Nothing below this
//! module reads the environment by itself.

pub mod command_line;
#[cfg(test)]
mod document;
pub mod environment;
pub mod list;
pub mod origin;
pub mod reader;
pub mod value;

use std::path::PathBuf;
use std::time::Duration;

pub use environment::{Environment, Secret};
pub use origin::Origin;
pub use reader::{Changeable, Error, mounted};

use crate::auth::cors::Cors;
use crate::observe::log::{Level, LogType};

/// What `serve` was told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The source `default` to create on the first start.
    pub default_source: Option<DefaultSource>,
    /// Where the metadata is stored; `None` only with an origin that needs no storage.
    pub metadata_database_url: Option<Secret>,
    /// Schema of extensions in the metadata database.
    pub metadata_extensions_schema: String,
    /// How often a failed connection to the metadata database is tried again at the start.
    pub retries: u64,
    /// Where the document comes from.
    pub origin: Origin,
    /// How requests arrive.
    pub http: Http,
    /// Websockets.
    pub websockets: Websockets,
    /// Who may ask.
    pub authentication: Authentication,
    /// Requests that the engine makes.
    pub outbound: Outbound,
    /// Only queries of the allow list are served.
    pub allow_list: bool,
    /// Operations per minute of a role and client address, where metadata does not say.
    pub rate_limit: Option<u64>,
    /// Requests to the metadata API and wrong admin secrets, per minute and client address.
    pub metadata_rate_limit: Option<u64>,
    /// Where several instances count together.
    pub rate_limit_redis: Option<RateLimitRedis>,
    /// Pool settings of sources whose metadata does not say.
    pub pool: Pool,
    /// Folder that `dynamic_from_file` may read.
    pub dynamic_secrets_prefix: Option<String>,
    /// Settings that the schema depends on.
    pub schema: schema::model::Options,
    /// How operations are read.
    pub graphql: Graphql,
    /// Memory of the plan cache, in bytes.
    pub plan_cache_bytes: usize,
    /// `internal` is shown to everybody.
    pub dev_mode: bool,
    /// `internal` is shown to admins.
    pub admin_internal_errors: bool,
    /// Metadata must not change.
    pub maintenance_mode: bool,
    /// How often other instances' changes are looked for; `None` is never.
    pub schema_sync_interval: Option<Duration>,
    /// What is logged.
    pub log: Log,
    /// What is measured.
    pub metrics: Metrics,
    /// The variables that metadata may refer to, as they were at the start; `State::environment` has what holds now.
    pub environment: Environment,
    /// Where variables come from that change while the program runs.
    pub secrets: Secrets,
    /// What is wanted of the folder of the origin `directory`.
    pub directory: crate::directory::Wanted,
    /// Folder for what outlives the process.
    pub state_dir: Option<PathBuf>,
    /// Port of the admin API.
    pub admin_port: Option<u16>,
    /// Reads again what may change while the program runs.
    pub changeable: Changeable,
    /// What was accepted without effect, for the start-up log: (setting, reason).
    pub warnings: Vec<(&'static str, String)>,
}

impl Settings {
    /// The variables as documents may look them up. Where objects of a cluster make the document, those who write them
    /// need not be those who may read its Secrets; elsewhere a document may name any variable, as Hasura's may.
    pub fn for_documents(&self, environment: Environment) -> Environment {
        if matches!(self.origin, Origin::ConfigMap(_)) {
            environment.guarded()
        } else {
            environment
        }
    }
}

/// A Secret that is read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// Its name, or namespace and name with a `/` between.
    pub name: String,
    /// The file: a manifest, or lines of `KEY=VALUE`.
    pub file: PathBuf,
}

/// Variables that win over those of the environment.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// Folder with a file per variable.
    pub folder: Option<PathBuf>,
    /// Secret that is watched.
    pub name: Option<String>,
    /// The environment without any of them.
    pub below: Environment,
}

/// The source `default` as the command line or environment gives it.
#[derive(Debug, Clone)]
pub struct DefaultSource {
    /// How metadata refers to it.
    pub address: Address,
    /// `HASURA_GRAPHQL_USE_PREPARED_STATEMENTS`
    pub use_prepared_statements: bool,
    /// `HASURA_GRAPHQL_TX_ISOLATION`
    pub isolation: metadata::source::IsolationLevel,
}

/// How metadata refers to the database of the source `default`.
#[derive(Debug, Clone)]
pub enum Address {
    /// `{from_env: HASURA_GRAPHQL_DATABASE_URL}`
    FromVariable,
    /// The URL itself, when it was given by flags.
    Url(Secret),
}

/// How operations are read.
#[derive(Debug, Clone)]
pub struct Graphql {
    /// What a document may cost.
    pub limits: graphql::Limits,
    /// How variables are read.
    pub options: graphql::Options,
    /// Nothing may be written.
    pub read_only: bool,
}

/// The listener, limits and which APIs are served.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address; `*` is all of them.
    pub host: String,
    /// Port; 0 is a free one.
    pub port: u16,
    /// A client may take so long to send a head, and pause so long within a body.
    pub timeout: Duration,
    /// Proxies that are believed; `None`: nothing is known of any.
    pub trusted_proxies: Option<usize>,
    /// What the admin port serves besides the operator's API.
    pub admin_apis: Apis,
    /// Bytes of a request's head.
    pub max_head: usize,
    /// Bytes of a request's body.
    pub max_body: usize,
    /// Bytes of one root field's answer.
    pub max_response: usize,
    /// Time for requests in flight after a signal to stop.
    pub graceful_shutdown: Duration,
    /// Which families of endpoints exist.
    pub apis: Apis,
    /// CORS.
    pub cors: Cors,
    /// HTTP 401 on GraphQL endpoints.
    pub preserve_401: bool,
}

/// What holds for websockets.
#[derive(Debug, Clone)]
pub struct Websockets {
    /// Time between two keep-alives; `None` sends none.
    pub keepalive: Option<Duration>,
    /// Time for `connection_init`.
    pub init_timeout: Duration,
    /// They are closed when the metadata changes.
    pub close_on_metadata_change: bool,
    /// Cookies count although CORS is disabled.
    pub read_cookie: bool,
    /// Open at a time.
    pub max_connections: usize,
    /// Operations of one at a time.
    pub max_operations: usize,
    /// Bytes of a message.
    pub max_message: usize,
    /// Bytes waiting for a client; while there are more, nothing of it is read.
    pub max_queued: usize,
}

/// `HASURA_GRAPHQL_ENABLED_APIS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Apis {
    /// GraphQL endpoints.
    pub graphql: bool,
    /// Metadata, query and explain endpoints.
    pub metadata: bool,
    /// `/v1alpha1/config`
    pub config: bool,
    /// `/v1/metrics`
    pub metrics: bool,
    /// `/console`
    pub console: bool,
}

/// Who may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authentication {
    /// Any of these makes an admin; none means that everybody is one.
    pub admin_secrets: Vec<Secret>,
    /// Role of requests without a secret or token.
    pub unauthorized_role: Option<String>,
    /// Ways to verify tokens; none means that tokens are not looked at.
    pub jwt: Vec<auth::JwtSecret>,
    /// The webhook that authenticates.
    pub hook: Option<Hook>,
    /// What of the variables means nothing, and the variable.
    pub warnings: Vec<(&'static str, String)>,
}

/// `HASURA_GRAPHQL_AUTH_HOOK`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Where it is.
    pub url: String,
    /// POST, not GET.
    pub post: bool,
    /// A POST hook sees what was asked.
    pub send_request_body: bool,
    /// How long it may take.
    pub patience: Duration,
}

/// `HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL`
#[derive(Debug, Clone)]
pub struct RateLimitRedis {
    /// Where it is.
    pub url: Secret,
    /// TLS whatever the scheme.
    pub tls: bool,
}

/// Requests that the engine makes.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    /// Networks that are allowed although they would be refused.
    pub allowed_addresses: Vec<ipnet::IpNet>,
    /// PEM file of further certificate authorities.
    pub authorities: Option<String>,
}

/// Pool settings of sources that do not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Connections at most.
    pub max_connections: u64,
    /// An idle connection is closed after this.
    pub idle_timeout: Duration,
    /// A connection lives so long; `None` is for ever.
    pub connection_lifetime: Option<Duration>,
    /// How long to wait for a connection; `None` is for ever.
    pub pool_timeout: Option<Duration>,
    /// How many instances share a source's `total_max_connections`.
    pub instances: u64,
}

/// What is logged.
#[derive(Debug, Clone)]
pub struct Log {
    /// Selected types.
    pub types: Vec<LogType>,
    /// Lowest level.
    pub level: Level,
    /// Bodies of metadata requests are logged whole.
    pub metadata_queries: bool,
    /// Query texts only of failed requests.
    pub query_only_on_error: bool,
}

/// What is measured.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Bearer token.
    pub secret: Option<Secret>,
    /// Labels of unbounded number.
    pub high_cardinality: bool,
}
