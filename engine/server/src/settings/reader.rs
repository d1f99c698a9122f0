//! Flags and variables → [`Settings`], with the rules of the start.

mod authentication;
mod rotation;
mod secret;
mod websocket;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ArgMatches;
use metadata::source::IsolationLevel;
use schema::model::Options;
use schema::naming::NamingConvention;

use super::list::{ALL, Form, Setting, Standing};
use super::value::{self, boolean, list, number, seconds};
use super::{
    Address, Apis, DefaultSource, Environment, Graphql, Http, Log, Metrics, Origin, Pool, Secret, Settings,
    command_line,
};
use crate::auth::cors::Cors;
use crate::observe::log::{Level, LogType};

pub use secret::{Changeable, mounted};

/// Why the program does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable's value is wrong.
    #[error("Environment variable {variable}: {reason}")]
    Variable {
        /// Its name.
        variable: String,
        /// What is wrong.
        reason: value::Error,
    },
    /// A flag's value is wrong.
    #[error("Command line flag --{flag}: {reason}")]
    Flag {
        /// Its name.
        flag: &'static str,
        /// What is wrong.
        reason: value::Error,
    },
    /// Settings that do not go together.
    #[error("{0}")]
    Rule(&'static str),
}

impl Error {
    /// The same, without the value of a variable that comes from a Secret: who starts the program tells it on.
    fn hiding(self, of_secret: &BTreeSet<String>) -> Self {
        match self {
            Self::Variable { variable, reason } if of_secret.contains(&variable) => {
                // What is said of keys of tokens names none of them.
                let is_of_tokens = delivery::secret::CHANGES_AT_RUN_TIME.contains(&variable.as_str());
                let reason = match &reason {
                    value::Error::Other(_) if !is_of_tokens => {
                        "the value is none that this setting takes".to_owned()
                    }
                    reason => reason.without_value(),
                };
                Self::Variable {
                    variable,
                    reason: value::Error::Other(reason),
                }
            }
            error => error,
        }
    }
}

/// Experimental features of Hasura that this engine knows and that change nothing which is missing here.
const EXPERIMENTAL: &[&str] = &[
    "inherited_roles",
    "optimize_permission_filters",
    "naming_convention",
    "streaming_subscriptions",
    "hide_update_many_fields",
    "bigquery_string_numeric_input",
    "hide_aggregation_predicates",
    "hide_stream_fields",
    "disable_postgres_arrays",
    "no_null_unbound_variable_default",
    "remove_empty_subscription_responses",
];

/// Experimental features whose part of the engine comes later.
const EXPERIMENTAL_LATER: &[&str] = &["apollo_federation", "group_by_aggregations"];

/// Reads everything that `serve` needs.
pub fn read(matches: &ArgMatches, environment: &Environment) -> Result<Settings, Error> {
    let mounted = Given::new(matches, environment)
        .parsed("ROWLOCK_SECRETS_DIR", |folder| mounted(Path::new(folder)))?
        .unwrap_or_default();
    let of_secret: BTreeSet<String> = mounted.iter().map(|(name, _)| name.clone()).collect();
    let with_secrets = environment.with(mounted);
    let given = Given::new(matches, &with_secrets);
    let read = given
        .check_standings()
        .and_then(|warnings| given.settings(warnings));
    let mut settings = read.map_err(|error| error.hiding(&of_secret))?;
    settings.secrets.below = environment.clone();
    Ok(settings)
}

/// What was given, by setting.
struct Given<'a> {
    matches: &'a ArgMatches,
    environment: &'a Environment,
    /// Keys that the reader asked for: a test holds them against the list.
    asked: RefCell<BTreeSet<&'static str>>,
}

/// A value and where it came from, for messages.
struct Value<'a> {
    text: &'a str,
    origin: ValueOrigin<'a>,
}

enum ValueOrigin<'a> {
    Flag(&'static str),
    Variable(&'a str),
}

impl Value<'_> {
    fn wrong(&self, reason: value::Error) -> Error {
        match self.origin {
            ValueOrigin::Flag(flag) => Error::Flag { flag, reason },
            ValueOrigin::Variable(name) => Error::Variable {
                variable: name.to_owned(),
                reason,
            },
        }
    }
}

impl<'a> Given<'a> {
    fn new(matches: &'a ArgMatches, environment: &'a Environment) -> Self {
        Self {
            matches,
            environment,
            asked: RefCell::default(),
        }
    }

    fn of(&self, setting: &Setting) -> Option<Value<'a>> {
        if let (Some(text), Some(flag)) = (command_line::given(self.matches, setting), setting.flag) {
            return Some(Value {
                text,
                origin: ValueOrigin::Flag(flag),
            });
        }
        setting.variables().find_map(|name| {
            let text = self.environment.get(name)?;
            Some(Value {
                text,
                origin: ValueOrigin::Variable(name),
            })
        })
    }

    /// Refuses what comes later and collects warnings about what has no effect.
    fn check_standings(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let mut warnings = Vec::new();
        for setting in ALL {
            let Some(value) = self.of(setting) else {
                continue;
            };
            match setting.standing {
                Standing::Used => {}
                Standing::Satisfied => {
                    boolean(value.text).map_err(|reason| value.wrong(reason))?;
                }
                Standing::Ignored(reason) => warnings.push((setting.key, format!("has no effect: {reason}"))),
                Standing::Later(feature) => {
                    let inert = match setting.form {
                        Form::Switch | Form::Boolean => {
                            let given = boolean(value.text).map_err(|reason| value.wrong(reason))?;
                            given.to_string() == setting.default
                        }
                        Form::Text | Form::Number | Form::List => {
                            value.text.eq_ignore_ascii_case(setting.default)
                        }
                    };
                    if !inert {
                        return Err(value.wrong(value::Error::Other(format!(
                            "not supported yet: {feature} will come with a later version"
                        ))));
                    }
                }
            }
        }
        Ok(warnings)
    }

    fn text(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().insert(key);
        ALL.iter()
            .find(|setting| setting.key == key)
            .and_then(|setting| self.of(setting))
    }

    fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, value::Error>,
    ) -> Result<Option<T>, Error> {
        self.text(key)
            .map(|value| parse(value.text).map_err(|reason| value.wrong(reason)))
            .transpose()
    }

    fn flag(&self, key: &'static str, default: bool) -> Result<bool, Error> {
        Ok(self.parsed(key, boolean)?.unwrap_or(default))
    }

    fn count(&self, key: &'static str, default: u64, least: u64, most: u64) -> Result<u64, Error> {
        Ok(self
            .parsed(key, |text| number(text, least, most))?
            .unwrap_or(default))
    }

    fn time(&self, key: &'static str, default: u64) -> Result<Duration, Error> {
        Ok(self.parsed(key, seconds)?.unwrap_or(Duration::from_secs(default)))
    }

    fn settings(&self, mut warnings: Vec<(&'static str, String)>) -> Result<Settings, Error> {
        let (default_source, database_url) = self.default_source()?;
        let metadata_database_url = self
            .parsed("HASURA_GRAPHQL_METADATA_DATABASE_URL", value::text)?
            .map(Secret::new);
        let origin = self
            .parsed("ROWLOCK_ORIGIN", Origin::parse)?
            .unwrap_or(Origin::Catalog);
        // Only this origin needs one: others may serve a database that cannot be written to.
        let metadata_database_url = match origin {
            Origin::Catalog => metadata_database_url.or(database_url),
            Origin::Directory(_) | Origin::ConfigMap(_) => metadata_database_url,
        };
        if origin == Origin::Catalog && metadata_database_url.is_none() {
            return Err(Error::Rule(
                "one of --database-url (HASURA_GRAPHQL_DATABASE_URL) or --metadata-database-url \
                 (HASURA_GRAPHQL_METADATA_DATABASE_URL) is needed: it stores the metadata",
            ));
        }
        let metrics_enabled = self.flag("HASURA_GRAPHQL_ENABLE_METRICS", false)?;
        let authentication = self.authentication()?;
        warnings.extend(authentication.warnings.iter().cloned());
        let schema = self.schema()?;
        let sync = self.count("HASURA_GRAPHQL_SCHEMA_SYNC_POLL_INTERVAL", 1000, 0, 86_400_000)?;
        Ok(Settings {
            default_source,
            metadata_database_url,
            metadata_extensions_schema: self
                .parsed("HASURA_GRAPHQL_METADATA_DATABASE_EXTENSIONS_SCHEMA", value::text)?
                .unwrap_or_else(|| "public".to_owned()),
            retries: self.count("HASURA_GRAPHQL_NO_OF_RETRIES", 1, 0, 1000)?,
            http: self.http(metrics_enabled, &mut warnings)?,
            websockets: self.websockets()?,
            authentication,
            outbound: self.outbound()?,
            allow_list: self.flag("HASURA_GRAPHQL_ENABLE_ALLOWLIST", false)?,
            rate_limit: self.parsed("HASURA_GRAPHQL_RATE_LIMIT_PER_MINUTE", |text| {
                number(text, 1, 1_000_000_000)
            })?,
            metadata_rate_limit: self.parsed("ROWLOCK_METADATA_RATE_LIMIT_PER_MINUTE", |text| {
                number(text, 1, 1_000_000_000)
            })?,
            rate_limit_redis: self.rate_limit_redis()?,
            pool: self.pool()?,
            dynamic_secrets_prefix: self
                .parsed("HASURA_GRAPHQL_DYNAMIC_SECRETS_ALLOWED_PATH_PREFIX", value::text)?,
            graphql: Graphql {
                limits: self.limits()?,
                options: graphql::Options {
                    no_null_unbound_variable_default: schema
                        .experimental_features
                        .iter()
                        .any(|feature| feature == "no_null_unbound_variable_default"),
                    null_in_nonnullable_variables: self.flag(
                        "HASURA_GRAPHQL_BACKWARDS_COMPAT_NULL_IN_NONNULLABLE_VARIABLES",
                        false,
                    )?,
                    rows_apart: false,
                },
                read_only: self.flag("ROWLOCK_READ_ONLY", false)?,
            },
            schema,
            plan_cache_bytes: to_usize(self.count("ROWLOCK_PLAN_CACHE_BYTES", 64 << 20, 1 << 20, 1 << 40)?),
            dev_mode: self.flag("HASURA_GRAPHQL_DEV_MODE", false)?,
            admin_internal_errors: self.flag("HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS", true)?,
            maintenance_mode: self.flag("HASURA_GRAPHQL_ENABLE_MAINTENANCE_MODE", false)?,
            schema_sync_interval: (sync > 0).then(|| Duration::from_millis(sync)),
            log: self.log()?,
            metrics: Metrics {
                secret: self
                    .parsed("HASURA_GRAPHQL_METRICS_SECRET", value::text)?
                    .map(Secret::new),
                high_cardinality: self.flag("HASURA_GRAPHQL_METRICS_ENABLE_HIGH_CARDINALITY_LABELS", true)?,
            },
            origin,
            environment: self.environment.clone(),
            secrets: self.secrets()?,
            directory: crate::directory::Wanted {
                engine: self.parsed("ROWLOCK_ENGINE", value::text)?,
                secrets: self.secret_files()?,
                trial: false,
            },
            state_dir: self.parsed("ROWLOCK_STATE_DIR", value::text)?.map(PathBuf::from),
            admin_port: self.admin_port()?,
            changeable: Changeable::new(self.matches.clone()),
            warnings,
        })
    }

    /// The source `default` and its URL, from a URL or from parts.
    fn default_source(&self) -> Result<(Option<DefaultSource>, Option<Secret>), Error> {
        let use_prepared_statements = self.flag("HASURA_GRAPHQL_USE_PREPARED_STATEMENTS", true)?;
        let isolation = self
            .parsed("HASURA_GRAPHQL_TX_ISOLATION", isolation)?
            .unwrap_or_default();
        let parts = self.url_of_parts()?;
        let (address, url) = match (self.text("HASURA_GRAPHQL_DATABASE_URL"), parts) {
            (Some(value), None) => {
                let url = value::text(value.text).map_err(|reason| value.wrong(reason))?;
                let address = match value.origin {
                    ValueOrigin::Variable(_) => Address::FromVariable,
                    ValueOrigin::Flag(_) => Address::Url(Secret::new(url.clone())),
                };
                (address, Secret::new(url))
            }
            (None, Some(url)) => (Address::Url(url.clone()), url),
            (None, None) => return Ok((None, None)),
            (Some(value), Some(url)) => match value.origin {
                // Flags beat the environment.
                ValueOrigin::Variable(_) => (Address::Url(url.clone()), url),
                ValueOrigin::Flag(_) => {
                    return Err(Error::Rule(
                        "--database-url and --host, --port, --user, --password, --dbname cannot be given together",
                    ));
                }
            },
        };
        let source = DefaultSource {
            address,
            use_prepared_statements,
            isolation,
        };
        Ok((Some(source), Some(url)))
    }

    fn url_of_parts(&self) -> Result<Option<Secret>, Error> {
        let part = |key| self.parsed(key, value::text);
        let port = self.parsed("port", |text| number(text, 1, 65535))?;
        let (host, user, password) = (part("host")?, part("user")?, part("password")?);
        let (database, options) = (part("dbname")?, part("pg-connection-options")?);
        match (host, user, database) {
            (Some(host), Some(user), Some(database)) => {
                let mut url = format!("postgresql://{}", percent_encoded(&user));
                if let Some(password) = password {
                    url.push(':');
                    url.push_str(&percent_encoded(&password));
                }
                url.push_str(&format!(
                    "@{}:{}/{}",
                    percent_encoded(&host),
                    port.unwrap_or(5432),
                    percent_encoded(&database)
                ));
                if let Some(options) = options {
                    url.push_str(&format!("?options={}", percent_encoded(&options)));
                }
                Ok(Some(Secret::new(url)))
            }
            (None, None, None) => Ok(None),
            _ => Err(Error::Rule("--host, --user and --dbname must be given together")),
        }
    }

    fn http(&self, metrics: bool, warnings: &mut Vec<(&'static str, String)>) -> Result<Http, Error> {
        let mut apis = self
            .apis("HASURA_GRAPHQL_ENABLED_APIS", warnings)?
            .unwrap_or(Apis {
                graphql: true,
                metadata: true,
                config: true,
                metrics: false,
                console: false,
            });
        apis.metrics |= metrics;
        apis.console = apis.metadata && self.flag("HASURA_GRAPHQL_ENABLE_CONSOLE", false)?;
        let disabled = self.flag("HASURA_GRAPHQL_DISABLE_CORS", false)?;
        let domains = self.parsed("HASURA_GRAPHQL_CORS_DOMAIN", Cors::parse)?;
        Ok(Http {
            host: self
                .parsed("HASURA_GRAPHQL_SERVER_HOST", value::text)?
                .unwrap_or_else(|| "*".to_owned()),
            port: u16::try_from(self.count("HASURA_GRAPHQL_SERVER_PORT", 8080, 0, 65535)?).unwrap_or(8080),
            timeout: self.time("HASURA_GRAPHQL_SERVER_TIMEOUT", 30)?,
            // hyper reads heads through a buffer of 8 KiB at least.
            max_head: to_usize(self.count(
                "HASURA_GRAPHQL_MAX_TOTAL_HEADER_LENGTH",
                1 << 20,
                8192,
                1 << 30,
            )?),
            max_body: to_usize(self.count("ROWLOCK_MAX_BODY_LENGTH", 64 << 20, 1024, 1 << 32)?),
            max_response: to_usize(self.count("ROWLOCK_MAX_RESPONSE_LENGTH", 1 << 30, 1024, 1 << 40)?),
            graceful_shutdown: self.time("HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT", 60)?,
            apis,
            admin_apis: self.apis("ROWLOCK_ADMIN_APIS", warnings)?.unwrap_or_default(),
            trusted_proxies: self
                .parsed("ROWLOCK_TRUSTED_PROXIES", |text| number(text, 0, 64))?
                .map(to_usize),
            cors: if disabled {
                Cors::Disabled
            } else {
                domains.unwrap_or(Cors::Any)
            },
            preserve_401: self.flag("HASURA_GRAPHQL_PRESERVE_401_ERRORS", false)?,
        })
    }

    /// A list of APIs.
    fn apis(
        &self,
        key: &'static str,
        warnings: &mut Vec<(&'static str, String)>,
    ) -> Result<Option<Apis>, Error> {
        let Some(value) = self.text(key) else {
            return Ok(None);
        };
        let mut apis = Apis::default();
        for name in list(value.text) {
            match name.to_ascii_lowercase().as_str() {
                "graphql" => apis.graphql = true,
                "metadata" => apis.metadata = true,
                "config" => apis.config = true,
                "metrics" => apis.metrics = true,
                "pgdump" | "developer" => {
                    warnings.push((key, format!("the API `{name}` has no endpoints yet")));
                }
                _ => {
                    return Err(value.wrong(value::Error::Choice {
                        choices: "metadata, graphql, pgdump, config, developer, metrics",
                        text: name.to_owned(),
                    }));
                }
            }
        }
        Ok(Some(apis))
    }

    /// What a document may cost. The depth is bounded because what walks an operation recurses that deep.
    fn limits(&self) -> Result<graphql::Limits, Error> {
        let default = graphql::Limits::default();
        Ok(graphql::Limits {
            bytes: default.bytes,
            tokens: to_usize(self.count("ROWLOCK_MAX_QUERY_TOKENS", 500_000, 16, 10_000_000)?),
            depth: to_usize(self.count("ROWLOCK_MAX_QUERY_DEPTH", 128, 4, 128)?),
            selections: to_usize(self.count("ROWLOCK_MAX_QUERY_FIELDS", 50_000, 1, 1_000_000)?),
        })
    }

    fn pool(&self) -> Result<Pool, Error> {
        let lifetime = self.time("HASURA_GRAPHQL_PG_CONN_LIFETIME", 600)?;
        Ok(Pool {
            max_connections: self.count("HASURA_GRAPHQL_PG_CONNECTIONS", 50, 1, 10_000)?,
            idle_timeout: self.time("HASURA_GRAPHQL_PG_TIMEOUT", 180)?,
            connection_lifetime: (!lifetime.is_zero()).then_some(lifetime),
            pool_timeout: self.parsed("HASURA_GRAPHQL_PG_POOL_TIMEOUT", seconds)?,
            instances: self.count("ROWLOCK_INSTANCES", 1, 1, 100_000)?,
        })
    }

    fn schema(&self) -> Result<Options, Error> {
        let experimental_features = self
            .parsed("HASURA_GRAPHQL_EXPERIMENTAL_FEATURES", experimental_features)?
            .unwrap_or_default();
        Ok(Options {
            infer_function_permissions: self.flag("HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS", true)?,
            stringify_numeric_types: self.flag("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES", false)?,
            boolean_null_collapse: self.flag("HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE", false)?,
            default_naming_convention: self
                .parsed("HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION", naming_convention)?
                .unwrap_or_default(),
            experimental_features,
        })
    }

    fn log(&self) -> Result<Log, Error> {
        let types = self.parsed("HASURA_GRAPHQL_ENABLED_LOG_TYPES", |text| {
            list(text)
                .map(|name| {
                    LogType::selectable(name).ok_or_else(|| value::Error::Choice {
                        choices: LogType::SELECTABLE,
                        text: name.to_owned(),
                    })
                })
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(Log {
            types: types.unwrap_or_else(LogType::defaults),
            level: self
                .parsed("HASURA_GRAPHQL_LOG_LEVEL", |text| {
                    Level::parse(text).ok_or_else(|| value::Error::Choice {
                        choices: "debug, info, warn, error",
                        text: text.to_owned(),
                    })
                })?
                .unwrap_or(Level::Info),
            metadata_queries: self.flag("HASURA_GRAPHQL_ENABLE_METADATA_QUERY_LOGGING", false)?,
            query_only_on_error: self.flag("HASURA_GRAPHQL_HTTP_LOG_QUERY_ONLY_ON_ERROR", false)?,
        })
    }
}

fn isolation(text: &str) -> Result<IsolationLevel, value::Error> {
    match text {
        "read-committed" => Ok(IsolationLevel::ReadCommitted),
        "repeatable-read" => Ok(IsolationLevel::RepeatableRead),
        "serializable" => Ok(IsolationLevel::Serializable),
        _ => Err(value::Error::Choice {
            choices: "read-committed, repeatable-read, serializable",
            text: text.to_owned(),
        }),
    }
}

fn naming_convention(text: &str) -> Result<NamingConvention, value::Error> {
    match text {
        "hasura-default" => Ok(NamingConvention::HasuraDefault),
        "graphql-default" => Ok(NamingConvention::GraphqlDefault),
        _ => Err(value::Error::Choice {
            choices: "hasura-default, graphql-default",
            text: text.to_owned(),
        }),
    }
}

fn experimental_features(text: &str) -> Result<Vec<String>, value::Error> {
    list(text)
        .map(|name| {
            if EXPERIMENTAL_LATER.contains(&name) {
                return Err(value::Error::Other(format!(
                    "not supported yet: the experimental feature `{name}` will come with a later version"
                )));
            }
            EXPERIMENTAL
                .contains(&name)
                .then(|| name.to_owned())
                .ok_or_else(|| {
                    value::Error::Other(format!(
                        "unknown experimental feature {name:?}; known are {}",
                        EXPERIMENTAL.join(", ")
                    ))
                })
        })
        .collect()
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A part of a URL with everything escaped that is not unreserved.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
