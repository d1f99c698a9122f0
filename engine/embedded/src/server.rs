//! A running server.

use std::time::Duration;

use url::Url;

use crate::cluster::SUPERUSER;
use crate::supervisor::Supervisor;
use crate::{Error, Version, administration};

/// How long a server may take to stop before it is left to its supervisor.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server started by [`crate::Launch::start`]; it stops when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    version: Version,
    port: u16,
    password: String,
    supervisor: Supervisor,
}

impl Server {
    pub(crate) fn new(version: Version, port: u16, password: String, supervisor: Supervisor) -> Self {
        Self {
            version,
            port,
            password,
            supervisor,
        }
    }

    /// The version of the server.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The port it listens on, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection URL for one of its databases, as the superuser. It holds the password: not for logs.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let (password, port) = (&self.password, self.port);
        let mut url = format!("postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/");
        url.extend(url::form_urlencoded::byte_serialize(database.as_bytes()).flat_map(str::chars));
        url
    }

    /// Creates a database unless it exists.
    ///
    /// # Errors
    /// [`Error::Database`] with the server's answer.
    pub fn ensure_database(&self, name: &str) -> Result<(), Error> {
        let url = Url::parse(&self.url("postgres")).map_err(|error| Error::Url(Some(error)))?;
        administration::ensure_database(&url, name)
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.supervisor.has_ended()
    }

    /// Stops it and waits until it has stopped: running statements are cancelled, data is left in order. `false` if it
    /// has not stopped after 20 s; its supervisor goes on trying.
    pub fn stop(mut self) -> bool {
        self.supervisor.stop(PATIENCE)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.supervisor.stop(PATIENCE);
    }
}
