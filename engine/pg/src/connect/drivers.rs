//! A [`Target`] as each driver wants it.

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connect::{ServerRole, Target, TlsMode, tls};
use crate::error::{ConnectError, Error};

/// A way to connect with the data path's driver, made once per target.
#[derive(Clone)]
pub(crate) struct Connector {
    /// One for each host, in the order to be tried.
    hosts: Vec<Config>,
    role: ServerRole,
    mode: TlsMode,
    tls: Result<MakeRustlsConnect, String>,
    timeout: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    /// `session` are settings (`name=value`) for every session made, sent as start-up options.
    pub(crate) fn new(target: &Target, session: &[(&str, &str)]) -> Connector {
        let mut config = Config::new();
        config.user(target.user.as_deref().unwrap_or("postgres"));
        if let Some(password) = &target.password {
            config.password(password.expose());
        }
        if let Some(database) = target.database.as_deref().or(target.user.as_deref()) {
            config.dbname(database);
        }
        config.application_name(target.application_name.as_deref().unwrap_or("rowlock"));
        let mut options = target.options.clone().unwrap_or_default();
        for (name, value) in session {
            if !options.is_empty() {
                options.push(' ');
            }
            // In options a space separates and a backslash escapes.
            options.push_str(&format!("-c {name}={}", value.replace(' ', "\\ ")));
        }
        if !options.is_empty() {
            config.options(options);
        }
        config.connect_timeout(target.connect_timeout);
        let tls = match target.tls.mode {
            TlsMode::Disable => Err(String::new()),
            _ => tls::client_config(&target.tls)
                .map(MakeRustlsConnect::new)
                .map_err(|error| error.to_string()),
        };
        let at = |(host, port): &(String, u16)| {
            let mut config = config.clone();
            config.host(host).port(*port);
            config
        };
        Connector {
            hosts: target.hosts.iter().map(at).collect(),
            role: target.role,
            mode: target.tls.mode,
            tls,
            timeout: target.connect_timeout,
        }
    }

    /// One connection to the first host that will do. Its IO runs in a task of its own that ends with it.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let mut last = Error::Connect(ConnectError::Server("no host is given".to_owned()));
        for host in &self.hosts {
            match tokio::time::timeout(self.timeout, self.attempt(host)).await {
                Ok(Ok(client)) => return Ok(client),
                Ok(Err(error)) => last = error,
                Err(_) => last = Error::Connect(ConnectError::Timeout),
            }
        }
        Err(last)
    }

    async fn attempt(&self, host: &Config) -> Result<Client, Error> {
        let client = match self.mode {
            TlsMode::Disable => self.plain(host).await?,
            TlsMode::Allow => match self.plain(host).await {
                Err(Error::Connect(_)) => self.encrypted(host, SslMode::Require).await?,
                other => other?,
            },
            TlsMode::Prefer => self.encrypted(host, SslMode::Prefer).await?,
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => {
                self.encrypted(host, SslMode::Require).await?
            }
        };
        let wanted = match self.role {
            ServerRole::Any => return Ok(client),
            ServerRole::Primary => "f",
            ServerRole::Standby => "t",
        };
        let answer = client
            .simple_query("select pg_catalog.pg_is_in_recovery()")
            .await?;
        let is_wanted = answer.iter().any(|message| {
            matches!(message, SimpleQueryMessage::Row(row) if row.try_get(0).ok().flatten() == Some(wanted))
        });
        if is_wanted {
            Ok(client)
        } else {
            Err(Error::Connect(ConnectError::Server(
                "no host has the role that target_session_attrs asks for".to_owned(),
            )))
        }
    }

    async fn plain(&self, host: &Config) -> Result<Client, Error> {
        let mut config = host.clone();
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(refused)?;
        tokio::spawn(connection);
        Ok(client)
    }

    async fn encrypted(&self, host: &Config, mode: SslMode) -> Result<Client, Error> {
        let tls = self
            .tls
            .clone()
            .map_err(|error| Error::Connect(ConnectError::Tls(error)))?;
        let mut config = host.clone();
        config.ssl_mode(mode);
        let (client, connection) = config.connect(tls).await.map_err(refused)?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// Asks the server to cancel what the client runs.
    pub(crate) async fn cancel(&self, token: &tokio_postgres::CancelToken) {
        // Whether it arrives changes nothing for anybody: the answer is read to its end anyway.
        let _ = match &self.tls {
            Ok(tls) if self.mode != TlsMode::Allow => token.cancel_query(tls.clone()).await,
            _ => token.cancel_query(NoTls).await,
        };
    }
}

/// Why the server could not be logged in to; the driver's messages name neither password nor key.
fn refused(error: tokio_postgres::Error) -> Error {
    match Error::from(error) {
        Error::Database(error) => Error::Connect(ConnectError::Refused {
            sqlstate: error.sqlstate.into(),
            message: error.message.into(),
        }),
        Error::Lost(Some(error)) => {
            let cause = std::error::Error::source(&error)
                .map(|cause| format!(": {cause}"))
                .unwrap_or_default();
            Error::Connect(ConnectError::Server(format!("{error}{cause}")))
        }
        other => other,
    }
}

impl Target {
    /// For the control path's driver.
    pub(crate) fn sqlx_options(&self) -> Result<PgConnectOptions, ConnectError> {
        // Checked here, so that a bad certificate is reported in the same words by both drivers.
        if self.tls.mode != TlsMode::Disable {
            tls::client_config(&self.tls)?;
        }
        let mode = match self.tls.mode {
            TlsMode::Disable => PgSslMode::Disable,
            // This driver's `allow` never uses TLS.
            TlsMode::Allow | TlsMode::Prefer => PgSslMode::Prefer,
            TlsMode::Require => PgSslMode::Require,
            TlsMode::VerifyCa => PgSslMode::VerifyCa,
            TlsMode::VerifyFull => PgSslMode::VerifyFull,
        };
        let mut options = PgConnectOptions::new_without_pgpass()
            // A pooler refuses settings it does not know.
            .extra_float_digits(None)
            .ssl_mode(mode)
            .application_name(self.application_name.as_deref().unwrap_or("rowlock"))
            .username(self.user.as_deref().unwrap_or("postgres"));
        // This driver knows one host only.
        if let Some((host, port)) = self.hosts.first() {
            options = options.host(host).port(*port);
            if host.starts_with('/') {
                options = options.socket(host);
            }
        }
        if let Some(password) = &self.password {
            options = options.password(password.expose());
        }
        if let Some(database) = self.database.as_deref().or(self.user.as_deref()) {
            options = options.database(database);
        }
        if let Some(text) = &self.options {
            options = options.options(settings(text));
        }
        if let Some(root) = &self.tls.root_certificate {
            options = options.ssl_root_cert_from_pem(root.clone().into_bytes());
        }
        if let (Some(certificate), Some(key)) = (&self.tls.client_certificate, tls::client_key(&self.tls)?) {
            options = options
                .ssl_client_cert_from_pem(certificate)
                .ssl_client_key_from_pem(key.expose());
        }
        Ok(options)
    }
}

/// The settings in a text of command line options: `-c name=value`, `-cname=value` and `--name=value`.
fn settings(options: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut words = options.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let setting = match word {
            "-c" => words.next(),
            _ => word.strip_prefix("--").or_else(|| word.strip_prefix("-c")),
        };
        found.extend(setting.and_then(|setting| setting.split_once('=')));
    }
    found
}

impl FromStr for Target {
    type Err = crate::connect::ParseError;

    fn from_str(text: &str) -> Result<Target, Self::Err> {
        Target::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_settings() {
        let found = settings("-c a=1 -cb=2 --c=3=4 -x d=5 -c");
        assert_eq!(found, [("a", "1"), ("b", "2"), ("c", "3=4")]);
    }
}
