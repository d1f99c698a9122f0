//! Every setting once: how it is named, what it does and whether the engine honours it.
//!
//! The command line, the reader, the start-up warnings and `docs/settings.md` are all made from [`ALL`].

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Names it within the program: the variable, or the flag where there is no variable.
    pub key: &'static str,
    /// Further variables with the same meaning, older names.
    pub aliases: &'static [&'static str],
    /// Long flag without dashes.
    pub flag: Option<&'static str>,
    /// Short flag.
    pub short: Option<char>,
    /// Before the subcommand (accepted behind it as well) or only behind `serve`.
    pub place: Place,
    /// What a value looks like.
    pub form: Form,
    /// What holds when it is not given, as the documentation prints it.
    pub default: &'static str,
    /// What it does, one sentence.
    pub doc: &'static str,
    /// Whether it is honoured.
    pub standing: Standing,
}

/// Where a flag stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of every command that reaches a database.
    Global,
    /// Of `serve`.
    Serve,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A boolean whose flag may stand alone (`--dev-mode`).
    Switch,
    /// A boolean whose flag takes a value (`--enable-telemetry false`).
    Boolean,
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// Texts, separated by commas in the variable; the flag may be given several times.
    List,
}

/// What the engine does with a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is honoured.
    Used,
    /// Any value is already true of this engine; it is checked and needs no warning.
    Satisfied,
    /// Accepted without effect, with a warning that gives this reason.
    Ignored(&'static str),
    /// Its feature comes later: any value but its default is refused at the start, naming the feature.
    Later(&'static str),
}

impl Setting {
    /// The environment variable, if it has one.
    pub fn variable(&self) -> Option<&'static str> {
        self.key
            .starts_with(|c: char| c.is_ascii_uppercase())
            .then_some(self.key)
    }

    /// The environment variables, the one that counts first.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.variable().into_iter().chain(self.aliases.iter().copied())
    }
}

const fn setting(
    key: &'static str,
    flag: &'static str,
    form: Form,
    default: &'static str,
    doc: &'static str,
) -> Setting {
    Setting {
        key,
        aliases: &[],
        flag: if flag.is_empty() { None } else { Some(flag) },
        short: None,
        place: Place::Serve,
        form,
        default,
        doc,
        standing: Standing::Used,
    }
}

impl Setting {
    const fn global(mut self) -> Self {
        self.place = Place::Global;
        self
    }

    const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    const fn aliases(mut self, names: &'static [&'static str]) -> Self {
        self.aliases = names;
        self
    }

    const fn later(mut self, feature: &'static str) -> Self {
        self.standing = Standing::Later(feature);
        self
    }

    const fn ignored(mut self, reason: &'static str) -> Self {
        self.standing = Standing::Ignored(reason);
        self
    }

    const fn satisfied(mut self) -> Self {
        self.standing = Standing::Satisfied;
        self
    }
}

use Form::{Boolean, List, Number, Switch, Text};

const EVENTS: &str = "event and scheduled triggers";
const ACTIONS: &str = "actions";
const SUBSCRIPTIONS: &str = "subscriptions";
const REMOTE: &str = "remote schemas";
const CACHE: &str = "response caching";
const APM: &str = "trace export";
const MIGRATIONS: &str = "applying migrations at the start";

/// All settings, in the order of the documentation.
pub const ALL: &[Setting] = &[
    // Process and connection.
    setting("HASURA_GRAPHQL_DATABASE_URL", "database-url", Text, "",
        "Postgres URL of the source `default`, which is created on the first start; also the metadata database when none is given.").global(),
    setting("host", "host", Text, "", "Host of the source `default`, instead of a URL.").global(),
    setting("port", "port", Number, "5432", "Port of the source `default`, instead of a URL.").global(),
    setting("user", "user", Text, "", "User of the source `default`, instead of a URL.").global().short('u'),
    setting("password", "password", Text, "", "Password of the source `default`, instead of a URL.").global().short('p'),
    setting("dbname", "dbname", Text, "", "Database of the source `default`, instead of a URL.").global().short('d'),
    setting("pg-connection-options", "pg-connection-options", Text, "", "libpq `options` of the source `default`, instead of a URL.").global().short('o'),
    setting("HASURA_GRAPHQL_METADATA_DATABASE_URL", "metadata-database-url", Text, "the database URL",
        "Postgres URL of the database that stores the metadata (schema `hdb_catalog`).").global(),
    setting("HASURA_GRAPHQL_METADATA_DATABASE_EXTENSIONS_SCHEMA", "metadata-database-extensions-schema", Text, "public",
        "Schema of extensions in the metadata database.").global(),
    setting("HASURA_GRAPHQL_NO_OF_RETRIES", "retries", Number, "1", "How often a failed connection to the metadata database is tried again at the start.").global(),
    setting("ROWLOCK_ORIGIN", "origin", Text, "catalog",
        "Where the metadata document comes from: `catalog` (the metadata database, written by the metadata API), `configmap:NAME` (what the operator publishes, [watched through the Kubernetes API](delivery.md)) or `directory:DIR` (custom resources or a Hasura metadata directory, watched)."),
    setting("ROWLOCK_ENGINE", "engine", Text, "", "The `Engine` to serve from a directory of custom resources that has several: its name, or `NAMESPACE/NAME`."),
    setting("ROWLOCK_SECRET_FILES", "secret", List, "", "`NAME=FILE`: the Secret NAME (or NAMESPACE/NAME) for custom resources of a directory, from its manifest or from lines of `KEY=VALUE`; wins over manifests in the directory."),
    setting("ROWLOCK_STATE_DIR", "state-dir", Text, "", "Folder for the last accepted set of the origin `configmap`, so that a restart serves while the API server is away."),
    setting("ROWLOCK_SECRETS_DIR", "secrets-dir", Text, "", "Folder with a file per variable (a mounted Secret); these variables win over those of the environment. It is looked at every second: admin secrets, JWT keys, the hook, and variables that metadata refers to change while the engine runs, other settings at the next start. With `ROWLOCK_SECRETS_NAME` or the origin `directory` it is read at the start only."),
    setting("ROWLOCK_SECRETS_NAME", "secrets-name", Text, "", "Secret whose keys are variables, watched through the Kubernetes API; they win over those of the environment."),
    setting("ROWLOCK_ADMIN_APIS", "", Text, "", "Comma list of APIs (as of `HASURA_GRAPHQL_ENABLED_APIS`) that the admin port serves too, behind the admin secret: with `metadata` here and not there, the metadata API stays inside a cluster."),
    setting("ROWLOCK_ADMIN_PORT", "admin-port", Number, "", "Port of the [admin API](delivery.md#the-admin-port) for the operator; without it there is none. 0 takes a free one."),
    setting("ROWLOCK_ADMIN_TOKEN", "", Text, "", "Bearer token of the admin API."),
    setting("HASURA_GRAPHQL_SERVER_PORT", "server-port", Number, "8080", "Port to listen on; 0 takes a free one."),
    setting("HASURA_GRAPHQL_SERVER_HOST", "server-host", Text, "*", "Address to listen on; `*` means all of them."),
    setting("HASURA_GRAPHQL_SERVER_TIMEOUT", "server-timeout", Number, "30", "Seconds a client may take to send the head of a request or a message of a websocket, or may pause within a body."),
    setting("HASURA_GRAPHQL_MAX_TOTAL_HEADER_LENGTH", "max-total-header-length", Number, "1048576", "Bytes of a request's head at most; a longer one is answered 431."),
    setting("ROWLOCK_MAX_BODY_LENGTH", "max-body-length", Number, "67108864", "Bytes of a request's body at most; a longer one is answered 413."),
    setting("ROWLOCK_MAX_RESPONSE_LENGTH", "max-response-length", Number, "1073741824", "Bytes of one root field's answer at most; a longer one is an error."),
    setting("ROWLOCK_MAX_QUERY_TOKENS", "max-query-tokens", Number, "500000", "Words and signs of one operation's text at most, whatever the role; a longer one is refused before it is parsed."),
    setting("ROWLOCK_MAX_QUERY_DEPTH", "max-query-depth", Number, "128", "How deep brackets may be nested in an operation's text, selection sets with their fragments put in place, and values with their variables; 128 at most."),
    setting("ROWLOCK_MAX_QUERY_FIELDS", "max-query-fields", Number, "50000", "Selected fields of one operation at most, fragments counted wherever they are used."),
    setting("ROWLOCK_READ_ONLY", "read-only", Boolean, "false", "Refuse mutations, data commands that write and changes of the metadata."),
    setting("ROWLOCK_PLAN_CACHE_BYTES", "plan-cache-bytes", Number, "67108864", "Memory that prepared plans may take."),
    setting("HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT", "graceful-shutdown-timeout", Number, "60", "Seconds that requests in flight get to finish after SIGTERM or SIGINT."),
    setting("HASURA_GRAPHQL_DYNAMIC_SECRETS_ALLOWED_PATH_PREFIX", "", Text, "", "Folder that files named by `dynamic_from_file` must lie in; without it none may be read."),
    setting("HASURA_GRAPHQL_PG_CONNECTIONS", "connections", Number, "50", "Connections to a source at most, unless its metadata says otherwise.").short('c'),
    setting("HASURA_GRAPHQL_PG_TIMEOUT", "timeout", Number, "180", "Seconds after which an idle connection is closed, unless the source's metadata says otherwise."),
    setting("HASURA_GRAPHQL_PG_CONN_LIFETIME", "conn-lifetime", Number, "600", "Seconds a connection may live, 0 for ever, unless the source's metadata says otherwise."),
    setting("HASURA_GRAPHQL_PG_POOL_TIMEOUT", "pool-timeout", Number, "no limit", "Seconds to wait for a free connection, unless the source's metadata says otherwise."),
    setting("ROWLOCK_INSTANCES", "instances", Number, "1", "Number of instances that serve the same metadata: each takes its part of a source's `total_max_connections`. In a cluster the operator says it, in the engine's Secret, and it follows `spec.replicas` while the engine runs."),
    setting("HASURA_GRAPHQL_PG_STRIPES", "stripes", Number, "1", "Number of pools per source.").short('s')
        .ignored("a source has one pool; it needs no stripes"),
    setting("HASURA_GRAPHQL_USE_PREPARED_STATEMENTS", "use-prepared-statements", Boolean, "true", "Whether the source `default` made from the database URL uses prepared statements."),
    setting("HASURA_GRAPHQL_TX_ISOLATION", "tx-iso", Text, "read-committed", "Isolation level of the source `default` made from the database URL: `read-committed`, `repeatable-read` or `serializable`.").short('i'),
    setting("HASURA_GRAPHQL_READ_REPLICA_URLS", "", Text, "", "Read replicas of the source `default`.")
        .later("read replicas given by variable (list them in the source's `read_replicas` instead)"),
    setting("HASURA_GRAPHQL_CONNECTIONS_PER_READ_REPLICA", "", Number, "50", "Connections to a read replica.")
        .later("read replicas given by variable (list them in the source's `read_replicas` instead)"),
    // Security and authentication.
    setting("HASURA_GRAPHQL_ADMIN_SECRET", "admin-secret", Text, "", "The secret that makes a request an admin's (header `x-hasura-admin-secret`)."),
    setting("HASURA_GRAPHQL_ACCESS_KEY", "access-key", Text, "", "Older name of the admin secret."),
    setting("HASURA_GRAPHQL_ADMIN_SECRETS", "", Text, "", "JSON list of admin secrets, one at least, each as good as the others, for changing them without a gap."),
    setting("HASURA_GRAPHQL_AUTH_HOOK", "auth-hook", Text, "", "URL of the webhook that authenticates requests without the admin secret (`docs/authentication.md`); needs an admin secret."),
    setting("HASURA_GRAPHQL_AUTH_HOOK_MODE", "auth-hook-mode", Text, "GET", "`GET` (the hook gets the request's headers) or `POST` (it gets them and the request in a JSON body).").aliases(&["HASURA_GRAPHQL_AUTH_HOOK_TYPE"]),
    setting("HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY", "auth-hook-send-request-body", Boolean, "true", "Whether a POST hook sees the GraphQL request."),
    setting("HASURA_GRAPHQL_JWT_SECRET", "jwt-secret", Text, "", "How JSON web tokens are verified, in JSON (`docs/authentication.md`); needs an admin secret."),
    setting("HASURA_GRAPHQL_JWT_SECRETS", "", Text, "", "JSON list of several ways to verify JSON web tokens, chosen by the token's place and issuer."),
    setting("HASURA_GRAPHQL_UNAUTHORIZED_ROLE", "unauthorized-role", Text, "", "Role of requests without the admin secret and without a token; without it they are refused."),
    setting("HASURA_GRAPHQL_PRESERVE_401_ERRORS", "preserve-401-errors", Switch, "false", "Answer a refused request on `/v1/graphql` with HTTP 401 instead of 200."),
    setting("HASURA_GRAPHQL_CORS_DOMAIN", "cors-domain", Text, "*", "Origins that browsers may call from: a comma list of `scheme://host[:port]`, `scheme://*.domain[:port]`, or `*`."),
    setting("HASURA_GRAPHQL_DISABLE_CORS", "disable-cors", Switch, "false", "Send no CORS headers at all."),
    setting("HASURA_GRAPHQL_WS_READ_COOKIE", "ws-read-cookie", Switch, "false", "Read cookies of websockets although CORS is disabled; only with `HASURA_GRAPHQL_DISABLE_CORS`."),
    setting("HASURA_GRAPHQL_ENABLE_ALLOWLIST", "enable-allowlist", Switch, "false", "Serve roles other than admin only the queries of the allow list."),
    setting("HASURA_GRAPHQL_ENABLE_REMOTE_SCHEMA_PERMISSIONS", "enable-remote-schema-permissions", Switch, "false", "Roles see only what remote schema permissions grant.").later(REMOTE),
    setting("HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS", "infer-function-permissions", Boolean, "true", "A role that may select a function's table may call the function in queries."),
    setting("HASURA_GRAPHQL_SSO_PROVIDERS", "", Text, "", "Single sign-on of the console.").ignored("the engine has no console that one signs on to"),
    setting("HASURA_GRAPHQL_EE_LICENSE_KEY", "", Text, "", "Licence.").ignored("no feature of this engine needs a licence"),
    // Features and behaviour.
    setting("HASURA_GRAPHQL_ENABLE_CONSOLE", "enable-console", Switch, "false", "Serve a page at `/console` that shows the state and runs operations; needs the API `metadata`."),
    setting("HASURA_GRAPHQL_CONSOLE_ASSETS_DIR", "console-assets-dir", Text, "", "Files of the console.").later("the console"),
    setting("HASURA_CONSOLE_SENTRY_DSN", "console-sentry-dsn", Text, "", "Error reports of the console.").ignored("nothing is ever reported to anybody"),
    setting("HASURA_GRAPHQL_ENABLE_TELEMETRY", "enable-telemetry", Boolean, "true", "Whether usage may be reported; this engine never does.").satisfied(),
    setting("HASURA_GRAPHQL_DEV_MODE", "dev-mode", Switch, "false", "Show internal details of errors to everybody."),
    setting("HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS", "admin-internal-errors", Boolean, "true", "Show internal details of errors to admins."),
    setting("HASURA_GRAPHQL_ENABLED_APIS", "enabled-apis", Text, "metadata,graphql,pgdump,config", "Comma list of the APIs to serve, of `metadata`, `graphql`, `config`, `metrics`, `pgdump` and `developer` (the last two have no endpoints yet). REST endpoints are always served, as in Hasura: without `graphql` they are all that clients can ask."),
    setting("HASURA_GRAPHQL_EXPERIMENTAL_FEATURES", "experimental-features", Text, "", "Comma list of features that change the schema, Hasura's names."),
    setting("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES", "stringify-numeric-types", Switch, "false", "Write bigint, numeric and double precision values as JSON strings."),
    setting("HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE", "v1-boolean-null-collapse", Switch, "false", "A null in a boolean expression means true, as in Hasura v1."),
    setting("HASURA_GRAPHQL_BACKWARDS_COMPAT_NULL_IN_NONNULLABLE_VARIABLES", "null-in-nonnullable-variables", Switch, "false", "Accept null for a variable of non-nullable type where it is not used as such."),
    setting("HASURA_GRAPHQL_REMOTE_SCHEMA_SKIP_NULLS", "remote-schema-skip-nulls", Switch, "false", "Leave nulls out of remote calls.").later(REMOTE),
    setting("HASURA_GRAPHQL_REMOTE_SCHEMA_PRIORITIZE_DATA", "remote-schema-prioritize-data", Switch, "false", "Prefer data to errors of remote schemas.").later(REMOTE),
    setting("HASURA_GRAPHQL_CONFIGURED_HEADER_PRECEDENCE", "configured-header-precedence", Switch, "false", "Configured headers win over forwarded ones.").later(ACTIONS),
    setting("HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION", "default-naming-convention", Text, "hasura-default", "`hasura-default` or `graphql-default`; needs the experimental feature `naming_convention`."),
    setting("HASURA_GRAPHQL_METADATA_DEFAULTS", "metadata-defaults", Text, "{}", "Defaults merged into metadata.").later("metadata defaults"),
    setting("HASURA_GRAPHQL_ENABLE_APOLLO_FEDERATION", "enable-apollo-federation", Switch, "false", "Serve as an Apollo subgraph.").later("Apollo federation"),
    setting("HASURA_GRAPHQL_DISABLE_NATIVE_QUERY_VALIDATION", "disable-native-query-validation", Switch, "false", "Do not check native queries.").later("native queries"),
    setting("HASURA_GRAPHQL_ENABLE_MAINTENANCE_MODE", "enable-maintenance-mode", Switch, "false", "Refuse every change of metadata."),
    setting("HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL", "schema-sync-poll-interval", Number, "1000", "Milliseconds between two looks for metadata changes by other instances; 0 never looks."),
    setting("HASURA_GRAPHQL_ENABLE_PERSISTED_QUERIES", "enable-persisted-queries", Switch, "false", "Automatic persisted queries.").later("persisted queries"),
    setting("HASURA_GRAPHQL_PERSISTED_QUERIES_TTL", "persisted-queries-ttl", Number, "5", "Seconds a persisted query is kept.").later("persisted queries"),
    setting("HASURA_GRAPHQL_CLOSE_WEBSOCKETS_ON_METADATA_CHANGE", "", Boolean, "true", "Close websockets (code 1012) when the metadata changes, so that clients connect again; with `false` they stay, and each next operation meets the new metadata."),
    setting("disable-close-websockets-on-metadata-change", "disable-close-websockets-on-metadata-change", Switch, "false", "Leave websockets open when the metadata changes; beats the variable."),
    // Events, actions, subscriptions.
    setting("HASURA_GRAPHQL_EVENTS_HTTP_POOL_SIZE", "events-http-pool-size", Number, "100", "Event deliveries at a time.").later(EVENTS),
    setting("HASURA_GRAPHQL_EVENTS_FETCH_INTERVAL", "events-fetch-interval", Number, "1000", "Milliseconds between two looks for events.").later(EVENTS),
    setting("HASURA_GRAPHQL_EVENTS_FETCH_BATCH_SIZE", "events-fetch-batch-size", Number, "100", "Events taken at a time.").later(EVENTS),
    setting("HASURA_GRAPHQL_ENABLE_TRIGGERS_ERROR_LOG_LEVEL", "enable-triggers-error-log-level", Switch, "false", "Log failed deliveries as errors.").later(EVENTS),
    setting("HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_INTERVAL", "async-actions-fetch-interval", Number, "1000", "Milliseconds between two looks for asynchronous actions.").later(ACTIONS),
    setting("HASURA_GRAPHQL_ASYNC_ACTIONS_FETCH_BATCH_SIZE", "async-actions-fetch-batch-size", Number, "10", "Asynchronous actions taken at a time.").later(ACTIONS),
    setting("HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL", "live-queries-multiplexed-refetch-interval", Number, "1000", "Milliseconds between two polls of a live query.").later(SUBSCRIPTIONS),
    setting("HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_BATCH_SIZE", "live-queries-multiplexed-batch-size", Number, "100", "Subscribers per statement.").later(SUBSCRIPTIONS),
    setting("HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_REFETCH_INTERVAL", "streaming-queries-multiplexed-refetch-interval", Number, "1000", "Milliseconds between two polls of a stream.").later(SUBSCRIPTIONS),
    setting("HASURA_GRAPHQL_STREAMING_QUERIES_MULTIPLEXED_BATCH_SIZE", "streaming-queries-multiplexed-batch-size", Number, "100", "Subscribers per statement.").later(SUBSCRIPTIONS),
    setting("HASURA_GRAPHQL_WEBSOCKET_KEEPALIVE", "websocket-keepalive", Number, "5", "Seconds between two keep-alives of a websocket; 0 sends none."),
    setting("HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT", "websocket-connection-init-timeout", Number, "3", "Seconds that a websocket may take to send `connection_init`."),
    setting("HASURA_GRAPHQL_CONNECTION_COMPRESSION", "websocket-compression", Switch, "false", "Compress websocket frames.").later("compression of websocket frames"),
    setting("ROWLOCK_MAX_WEBSOCKETS", "max-websockets", Number, "10000", "Websockets open at a time; more are answered 503."),
    setting("ROWLOCK_MAX_WEBSOCKET_OPERATIONS", "max-websocket-operations", Number, "100", "Operations that one websocket may have running; more are refused one by one."),
    setting("ROWLOCK_MAX_WEBSOCKET_MESSAGE_LENGTH", "max-websocket-message-length", Number, "16777216", "Bytes of one message from a websocket; a longer one closes it (code 1009)."),
    setting("ROWLOCK_MAX_WEBSOCKET_QUEUE", "max-websocket-queue", Number, "16777216", "Bytes that may wait for a client to read them; while more do, nothing more of it is read. One that reads nothing for `HASURA_GRAPHQL_SERVER_TIMEOUT` is gone."),
    // Logging, metrics, limits, caching.
    setting("HASURA_GRAPHQL_ENABLED_LOG_TYPES", "enabled-log-types", Text, "startup,http-log,webhook-log,websocket-log,jwk-refresh-log", "Comma list of the log types to write, besides those that are always written."),
    setting("HASURA_GRAPHQL_LOG_LEVEL", "log-level", Text, "info", "`debug`, `info`, `warn` or `error`."),
    setting("HASURA_GRAPHQL_ENABLE_METADATA_QUERY_LOGGING", "enable-metadata-query-logging", Switch, "false", "Log whole bodies of metadata requests instead of their type."),
    setting("HASURA_GRAPHQL_HTTP_LOG_QUERY_ONLY_ON_ERROR", "http-log-query-only-on-error", Switch, "false", "Log the text of a query only if it failed."),
    setting("HASURA_GRAPHQL_ENABLE_QUERY_TRACING", "trace-sql-query", Switch, "false", "SQL in traces.").later(APM),
    setting("HASURA_GRAPHQL_ENABLE_LOG_COMPRESSION", "", Switch, "false", "Compress the log.").later("log compression"),
    setting("HASURA_GRAPHQL_ENABLE_METRICS", "", Switch, "false", "Serve `/v1/metrics`, as the API `metrics` does."),
    setting("HASURA_GRAPHQL_METRICS_SECRET", "metrics-secret", Text, "", "Bearer token of `/v1/metrics`; without it the metrics cannot be read."),
    setting("HASURA_GRAPHQL_METRICS_ENABLE_HIGH_CARDINALITY_LABELS", "", Switch, "true", "Label metrics with operation name and query hash."),
    setting("HASURA_GRAPHQL_RATE_LIMIT_PER_MINUTE", "", Number, "", "Operations per minute, role and client address, for roles other than admin, where metadata has no `rate_limit`."),
    setting("ROWLOCK_METADATA_RATE_LIMIT_PER_MINUTE", "", Number, "", "Requests per minute and client address to the metadata API (`/v1/metadata`, `/v1/query`, `/v2/query`, explain, config, sources, OpenAPI), admins included; wrong admin secrets count wherever they are shown. Each instance counts its own."),
    setting("ROWLOCK_TRUSTED_PROXIES", "", Number, "", "Proxies in front that each add whom they saw to `X-Forwarded-For` (or the only one, which sets `X-Real-IP`): the client's address is what the outermost of them saw. 0: headers are not believed. Without it, logs and operation limits go by what headers say, as in Hasura, and the metadata API's rate by the socket's peer."),
    setting("HASURA_GRAPHQL_ENABLE_APM", "", Switch, "false", "Export traces.").ignored("traces are not exported yet"),
    setting("DD_AGENT_HOST", "", Text, "", "Where traces would be sent.").ignored("traces are not exported yet"),
    setting("DD_SERVICE", "", Text, "", "Name of the service in traces.").ignored("traces are not exported yet"),
    setting("DD_ENV", "", Text, "", "Environment in traces.").ignored("traces are not exported yet"),
    setting("HASURA_GRAPHQL_MAX_CACHE_SIZE", "", Number, "", "Megabytes of cached answers.").later(CACHE),
    setting("HASURA_GRAPHQL_CACHE_MAX_ENTRY_TTL", "", Number, "3600", "Seconds an answer may be cached.").later(CACHE),
    setting("HASURA_GRAPHQL_CACHE_MAX_ENTRY_SIZE", "", Number, "", "Megabytes of one cached answer.").later(CACHE),
    setting("HASURA_GRAPHQL_CACHE_BUCKET_SIZE", "", Number, "", "Burst of cache writes.").later(CACHE),
    setting("HASURA_GRAPHQL_CACHE_BUCKET_RATE", "", Number, "", "Rate of cache writes.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_URL", "", Text, "", "Redis for cached answers.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_USE_TLS", "", Switch, "false", "TLS to Redis.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_TLS_HOSTNAME", "", Text, "", "Name in the certificate of Redis.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_TLS_SHARED_CA_STORE_PATH", "", Text, "", "Certificate authorities for Redis.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_TIMEOUT", "", Number, "", "Timeout of Redis.").later(CACHE),
    setting("HASURA_GRAPHQL_REDIS_NO_FAIL_ON_STARTUP", "", Switch, "false", "Start although Redis is away.").later(CACHE),
    setting("HASURA_GRAPHQL_CACHING_REDIS_POOL_SIZE", "", Number, "500", "Connections to Redis.").later(CACHE),
    setting("HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL", "", Text, "", "Redis in which all instances count requests together (`redis://[user:password@]host[:port][/database]`, `rediss://` for TLS). Without it, and while it is away, each instance counts its own."),
    setting("HASURA_GRAPHQL_RATE_LIMIT_REDIS_USE_TLS", "", Switch, "false", "TLS to that Redis. Trusted are the authorities of `ROWLOCK_OUTBOUND_CA_FILE`, without it the system's."),
    setting("HASURA_GRAPHQL_RATE_LIMIT_REDIS_TLS_HOSTNAME", "", Text, "", "Name in the certificate of Redis for rate limits.").later("another name in the certificate of Redis than that of its URL"),
    setting("HASURA_GRAPHQL_RATE_LIMIT_REDIS_POOL_SIZE", "", Number, "500", "Connections to Redis for rate limits.").ignored("one connection carries all requests"),
    // Requests that the engine makes.
    setting("ROWLOCK_OUTBOUND_ALLOWED_ADDRESSES", "", Text, "", "Comma list of networks (`169.254.170.0/24`) that hooks and key sets may be in although link-local addresses and metadata services of clouds are refused."),
    setting("ROWLOCK_OUTBOUND_CA_FILE", "", Text, "", "PEM file of certificate authorities to trust in outgoing requests, besides the system's."),
    // Deprecated, and of other images.
    setting("HASURA_GRAPHQL_QUERY_PLAN_CACHE_SIZE", "query-plan-cache-size", Number, "", "Number of cached plans.").ignored("deprecated; plans are bounded by `ROWLOCK_PLAN_CACHE_BYTES`"),
    setting("HASURA_GRAPHQL_STRIPES_PER_READ_REPLICA", "", Number, "", "Number of pools per read replica.").ignored("deprecated; a replica has one pool"),
    setting("HASURA_GRAPHQL_POOL_TIMEOUT", "", Number, "", "Older pool timeout.").ignored("deprecated; use `HASURA_GRAPHQL_PG_POOL_TIMEOUT`"),
    setting("HASURA_SECRETS_BLOCKING_FORCE_REFRESH_URL", "", Text, "", "Where a refresh of secrets is asked for.").ignored("deprecated; secrets are read again when a connection is made"),
    setting("HASURA_GRAPHQL_MIGRATIONS_DIR", "", Text, "", "Folder of migrations.").later(MIGRATIONS),
    setting("HASURA_GRAPHQL_METADATA_DIR", "", Text, "", "Folder of metadata.").later("applying metadata at the start (use `--origin directory:DIR`)"),
    setting("HASURA_GRAPHQL_MIGRATIONS_SERVER_PORT", "", Number, "9691", "Port while migrations run.").later(MIGRATIONS),
    setting("HASURA_GRAPHQL_MIGRATIONS_SERVER_TIMEOUT", "", Number, "30", "Seconds to wait for that server.").later(MIGRATIONS),
    setting("HASURA_GRAPHQL_MIGRATIONS_DATABASE_ENV_VAR", "", Text, "", "Variable with the URL to migrate.").later(MIGRATIONS),
];
