//! Where a database is and how it is reached: one reader of URLs, parameters and TLS settings that feeds both drivers.
//!
//! Secrets (passwords, keys) never show in `Debug`, `Display` or errors.

use std::fmt;
use std::time::Duration;

mod drivers;
mod parse;
mod tls;

pub(crate) use self::drivers::Connector;
pub use self::parse::ParseError;

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One database server and database, with the login to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Host names or addresses (a leading `/` means a directory of Unix sockets) with their ports, tried in order.
    pub hosts: Vec<(String, u16)>,
    /// Role to log in as.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Database; the role's name if absent.
    pub database: Option<String>,
    /// `application_name`
    pub application_name: Option<String>,
    /// `options`: command line options for the backend.
    pub options: Option<String>,
    /// `target_session_attrs`: which of the hosts will do.
    pub role: ServerRole,
    /// How long one connection attempt may take; default 30 seconds.
    pub connect_timeout: Duration,
    /// TLS.
    pub tls: TlsSettings,
}

/// The parts of a connection given one by one (`connection_parameters`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionParameters {
    /// Host name or address.
    pub host: String,
    /// Port, usually 5432.
    pub port: u16,
    /// Role to log in as.
    pub username: String,
    /// Its password.
    pub password: Option<Secret>,
    /// Database.
    pub database: String,
}

/// Which of several servers is wanted (`target_session_attrs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerRole {
    /// The first that can be reached. The default.
    #[default]
    Any,
    /// The first that is not in recovery (`read-write`, `primary`).
    Primary,
    /// The first that is in recovery (`read-only`, `standby`).
    Standby,
}

/// `sslmode`, with libpq's meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Never TLS.
    Disable,
    /// Without TLS first, with it if the server insists.
    Allow,
    /// TLS if the server can, without checking certificates. The default.
    #[default]
    Prefer,
    /// TLS, without checking certificates (checking the issuer if a root certificate is given, as libpq does).
    Require,
    /// TLS, with the issuer checked.
    VerifyCa,
    /// TLS, with issuer and host name checked.
    VerifyFull,
}

/// `ssl_configuration`: the mode, and certificates and keys as PEM text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// `sslmode`
    pub mode: TlsMode,
    /// `sslrootcert`, PEM.
    pub root_certificate: Option<String>,
    /// `sslcert`, PEM.
    pub client_certificate: Option<String>,
    /// `sslkey`, PEM.
    pub client_key: Option<Secret>,
    /// `sslpassword`: of the key, if that is encrypted (PKCS #8 with PBES2).
    pub client_key_password: Option<Secret>,
}

impl Target {
    /// Reads `postgresql://…`, `postgres://…` or `key=value …`.
    ///
    /// # Errors
    /// What is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Target, ParseError> {
        parse::target(text)
    }

    /// From single parameters.
    pub fn from_parameters(parameters: ConnectionParameters) -> Target {
        Target {
            hosts: vec![(parameters.host, parameters.port)],
            user: Some(parameters.username),
            password: parameters.password,
            database: Some(parameters.database),
            ..Target::local()
        }
    }

    /// The same with other TLS settings (`ssl_configuration` holds over the URL).
    #[must_use]
    pub fn with_tls(self, tls: TlsSettings) -> Target {
        Target { tls, ..self }
    }

    /// What a text that says nothing means.
    fn local() -> Target {
        Target {
            hosts: Vec::new(),
            user: None,
            password: None,
            database: None,
            application_name: None,
            options: None,
            role: ServerRole::Any,
            connect_timeout: Duration::from_secs(30),
            tls: TlsSettings::default(),
        }
    }
}
