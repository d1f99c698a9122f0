//! A source of the document → how `pg` reaches it: templates and environment variables filled in, defaults applied.

use std::path::{Component, Path};
use std::time::Duration;

use metadata::source::{
    ConnectionInfo, DatabaseUrl, EnvironmentVariable, IsolationLevel, PoolSettings, SecretValue, SslMode,
};
use pg::connect::ParseError;
use serde_json::Number;

use crate::generation::connection_template::InvalidTemplate;
use crate::settings::{Environment, Pool};

/// What the server adds to a source's own configuration.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Variables that the document may name.
    pub environment: Environment,
    /// Pool settings that the source does not give.
    pub pool: Pool,
    /// Folder that `dynamic_from_file` may read.
    pub dynamic_secrets_prefix: Option<String>,
}

/// Why a source cannot be reached as configured. Names variables and files, never their content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another database than Postgres.
    #[error("sources of kind {0} are not supported")]
    Kind(String),
    /// A variable is not set.
    #[error("environment variable '{0}' not set")]
    Variable(String),
    /// `{{NAME` without an end.
    #[error("the template of the database URL is not closed")]
    Template,
    /// No connection string.
    #[error("{0}")]
    Url(#[from] ParseError),
    /// A file outside the allowed folder.
    #[error("the path of dynamic_from_file is not within HASURA_GRAPHQL_DYNAMIC_SECRETS_ALLOWED_PATH_PREFIX")]
    Forbidden,
    /// A file that cannot be read.
    #[error("the file of dynamic_from_file cannot be read: {0}")]
    File(String),
    /// A connection template that is none.
    #[error(transparent)]
    ConnectionTemplate(#[from] InvalidTemplate),
}

/// How the source is reached.
pub fn configuration(
    name: &str,
    source: &metadata::Source,
    surroundings: &Surroundings,
) -> Result<pg::SourceConfig, Error> {
    if let metadata::source::SourceKind::Other(kind) = &source.kind {
        return Err(Error::Kind(kind.clone()));
    }
    let configuration = &source.configuration;
    Ok(pg::SourceConfig {
        name: name.to_owned(),
        primary: member(&configuration.connection_info, surroundings)?,
        replicas: configuration
            .read_replicas
            .iter()
            .map(|info| member(info, surroundings))
            .collect::<Result<_, _>>()?,
        connection_set: configuration
            .connection_set
            .iter()
            .map(|(name, info)| Ok((name.clone(), member(info, surroundings)?)))
            .collect::<Result<_, Error>>()?,
    })
}

fn member(info: &ConnectionInfo, surroundings: &Surroundings) -> Result<pg::Member, Error> {
    let mut target = match &info.database_url {
        DatabaseUrl::Url(template) => pg::Target::parse(&filled(template, &surroundings.environment)?)?,
        DatabaseUrl::FromEnv(name) => pg::Target::parse(variable(name, &surroundings.environment)?)?,
        DatabaseUrl::DynamicFromFile(path) => pg::Target::parse(&file(path, surroundings)?)?,
        DatabaseUrl::Parameters(given) => pg::Target::from_parameters(pg::ConnectionParameters {
            host: given.host.clone(),
            port: given.port,
            username: given.username.clone(),
            password: given.password.as_deref().map(pg::Secret::new),
            database: given.database.clone(),
        }),
    };
    if let Some(ssl) = &info.ssl_configuration {
        let text = |variable_name: &Option<EnvironmentVariable>| {
            variable_name
                .as_ref()
                .map(|name| variable(&name.0, &surroundings.environment).map(str::to_owned))
                .transpose()
        };
        target = target.with_tls(pg::TlsSettings {
            mode: match ssl.sslmode {
                SslMode::Disable => pg::TlsMode::Disable,
                SslMode::Allow => pg::TlsMode::Allow,
                SslMode::Prefer => pg::TlsMode::Prefer,
                SslMode::Require => pg::TlsMode::Require,
                SslMode::VerifyCa => pg::TlsMode::VerifyCa,
                SslMode::VerifyFull => pg::TlsMode::VerifyFull,
            },
            root_certificate: text(&ssl.sslrootcert)?,
            client_certificate: text(&ssl.sslcert)?,
            client_key: text(&ssl.sslkey)?.map(pg::Secret::new),
            client_key_password: match &ssl.sslpassword {
                None => None,
                Some(SecretValue::Value(value)) => Some(pg::Secret::new(value.clone())),
                Some(SecretValue::FromEnv(name)) => {
                    Some(pg::Secret::new(variable(name, &surroundings.environment)?))
                }
            },
        });
    }
    Ok(pg::Member {
        label: label(&info.database_url, &target),
        target,
        pool: pool(info.pool_settings.as_ref(), &surroundings.pool),
        isolation_level: match info.isolation_level {
            IsolationLevel::ReadCommitted => pg::IsolationLevel::ReadCommitted,
            IsolationLevel::RepeatableRead => pg::IsolationLevel::RepeatableRead,
            IsolationLevel::Serializable => pg::IsolationLevel::Serializable,
        },
        use_prepared_statements: info.use_prepared_statements,
    })
}

/// What metrics call a database: where its URL comes from, or the URL without login data.
fn label(url: &DatabaseUrl, target: &pg::Target) -> String {
    match url {
        DatabaseUrl::FromEnv(name) => name.clone(),
        DatabaseUrl::DynamicFromFile(path) => path.clone(),
        DatabaseUrl::Url(_) | DatabaseUrl::Parameters(_) => {
            let hosts: Vec<String> = target
                .hosts
                .iter()
                .map(|(host, port)| format!("{host}:{port}"))
                .collect();
            let database = target
                .database
                .as_deref()
                .or(target.user.as_deref())
                .unwrap_or_default();
            format!("postgresql://{}/{database}", hosts.join(","))
        }
    }
}

fn pool(given: Option<&PoolSettings>, defaults: &Pool) -> pg::PoolSettings {
    let given = given.cloned().unwrap_or_default();
    // `total_max_connections` is for all instances together; each takes its part.
    let part = given
        .total_max_connections
        .map(|total| (total / defaults.instances.max(1)).max(1));
    let most = [given.max_connections, part]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(defaults.max_connections);
    pg::PoolSettings {
        max_connections: u32::try_from(most.max(1)).unwrap_or(u32::MAX),
        idle_timeout: given
            .idle_timeout
            .map_or(defaults.idle_timeout, Duration::from_secs),
        retries: u32::try_from(given.retries.unwrap_or(1)).unwrap_or(u32::MAX),
        pool_timeout: given
            .pool_timeout
            .as_ref()
            .and_then(seconds)
            .or(defaults.pool_timeout),
        connection_lifetime: match given.connection_lifetime.as_ref().and_then(seconds) {
            Some(lifetime) => (!lifetime.is_zero()).then_some(lifetime),
            None => defaults.connection_lifetime,
        },
    }
}

fn seconds(number: &Number) -> Option<Duration> {
    number
        .as_f64()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
}

fn variable<'a>(name: &str, environment: &'a Environment) -> Result<&'a str, Error> {
    environment
        .get(name)
        .ok_or_else(|| Error::Variable(name.to_owned()))
}

/// A text with `{{NAME}}` replaced by the variable's value.
fn filled(template: &str, environment: &Environment) -> Result<String, Error> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) = after.split_once("}}").ok_or(Error::Template)?;
        text.push_str(before);
        text.push_str(variable(name.trim(), environment)?);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

fn file(path: &str, surroundings: &Surroundings) -> Result<String, Error> {
    let allowed = surroundings
        .dynamic_secrets_prefix
        .as_deref()
        .is_some_and(|prefix| Path::new(path).starts_with(prefix));
    let climbs = Path::new(path)
        .components()
        .any(|component| component == Component::ParentDir);
    if !allowed || climbs {
        return Err(Error::Forbidden);
    }
    std::fs::read_to_string(path)
        .map(|text| text.trim().to_owned())
        .map_err(|error| Error::File(error.kind().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        [("HOST", "db"), ("URL", "postgresql://u:p@h:5433/d")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect()
    }

    fn surroundings(prefix: Option<&str>) -> Surroundings {
        Surroundings {
            environment: environment(),
            pool: Pool {
                max_connections: 50,
                idle_timeout: Duration::from_secs(180),
                connection_lifetime: Some(Duration::from_secs(600)),
                pool_timeout: None,
                instances: 1,
            },
            dynamic_secrets_prefix: prefix.map(str::to_owned),
        }
    }

    fn info(database_url: DatabaseUrl) -> ConnectionInfo {
        ConnectionInfo {
            database_url,
            pool_settings: None,
            use_prepared_statements: false,
            isolation_level: IsolationLevel::ReadCommitted,
            ssl_configuration: None,
            extra: metadata::Extra::new(),
        }
    }

    #[test]
    fn templates_and_variables() {
        assert_eq!(
            filled("postgresql://{{HOST}}/a{{ HOST }}", &environment()).unwrap(),
            "postgresql://db/adb"
        );
        assert_eq!(
            filled("{{NONE}}", &environment()),
            Err(Error::Variable("NONE".to_owned()))
        );
        assert_eq!(filled("{{HOST", &environment()), Err(Error::Template));
        let member = member(&info(DatabaseUrl::FromEnv("URL".to_owned())), &surroundings(None)).unwrap();
        assert_eq!(member.target.hosts, [("h".to_owned(), 5433)]);
        assert_eq!(member.pool.max_connections, 50);
        assert_eq!(member.label, "URL");
        let url = DatabaseUrl::Url("postgresql://u:secret@{{HOST}}/d?sslmode=disable".to_owned());
        let member = super::member(&info(url), &surroundings(None)).unwrap();
        assert_eq!(member.label, "postgresql://db:5432/d");
    }

    #[test]
    fn connections_of_all_instances_are_shared_out() {
        let given = |total: u64, most: Option<u64>| PoolSettings {
            total_max_connections: Some(total),
            max_connections: most,
            ..PoolSettings::default()
        };
        let mut defaults = surroundings(None).pool;
        assert_eq!(pool(Some(&given(30, None)), &defaults).max_connections, 30);
        defaults.instances = 4;
        assert_eq!(pool(Some(&given(30, None)), &defaults).max_connections, 7);
        assert_eq!(pool(Some(&given(30, Some(5))), &defaults).max_connections, 5);
        assert_eq!(pool(Some(&given(3, None)), &defaults).max_connections, 1);
    }

    #[test]
    fn files_only_from_the_allowed_folder() {
        let folder = std::env::temp_dir().join(format!("rowlock-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("url");
        std::fs::write(&path, "postgresql://h/d\n").unwrap();
        let path = path.to_str().unwrap();
        let prefix = folder.to_str().unwrap();
        assert_eq!(
            file(path, &surroundings(Some(prefix))).unwrap(),
            "postgresql://h/d"
        );
        assert_eq!(file(path, &surroundings(None)), Err(Error::Forbidden));
        assert_eq!(
            file(path, &surroundings(Some("/elsewhere"))),
            Err(Error::Forbidden)
        );
        let climbing = format!("{prefix}/../url");
        assert_eq!(
            file(&climbing, &surroundings(Some(prefix))),
            Err(Error::Forbidden)
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_lifetime_of_zero_is_for_ever() {
        let given = PoolSettings {
            connection_lifetime: Some(0.into()),
            max_connections: Some(7),
            pool_timeout: Number::from_f64(0.5),
            ..PoolSettings::default()
        };
        let pool = pool(Some(&given), &surroundings(None).pool);
        assert_eq!(pool.connection_lifetime, None);
        assert_eq!(pool.max_connections, 7);
        assert_eq!(pool.pool_timeout, Some(Duration::from_millis(500)));
    }
}
