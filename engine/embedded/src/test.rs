//! The Postgres that tests use.
//!
//! `ROWLOCK_TEST_DATABASE_URL` names a server (its user must be allowed to create databases); without it each test
//! process starts a temporary one, shared by its tests, which is gone when the process ends. No Postgres at all is a
//! failure, never a skip.
//!
//! ```no_run
//! let database = embedded::test::TestDatabase::create("orders");
//! let url = database.url();
//! ```

use std::process;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use url::Url;

use crate::{Error, Launch, Server, administration};

/// Names a server to test against.
pub const VARIABLE: &str = "ROWLOCK_TEST_DATABASE_URL";

/// The server of this test process.
#[derive(Debug)]
pub struct TestServer {
    url: Url,
    /// Held for the life of the process; its supervisor stops it afterwards.
    _own: Option<Server>,
}

impl TestServer {
    fn start() -> Result<Self, Error> {
        let parse = |url: &str| Url::parse(url).map_err(|error| Error::Url(Some(error)));
        if let Ok(url) = std::env::var(VARIABLE) {
            return Ok(Self {
                url: parse(&url)?,
                _own: None,
            });
        }
        let server = Launch::temporary().start(&mut |_| ())?;
        Ok(Self {
            url: parse(&server.url("postgres"))?,
            _own: Some(server),
        })
    }

    /// The URL of the database everyone may connect to, to create others from there.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.url.to_string()
    }

    /// The URL of one database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let mut url = self.url.clone();
        url.set_path(database);
        url.into()
    }
}

/// The server of this test process, started at the first call.
///
/// # Panics
/// When there is no Postgres: the test fails and says what to do.
pub fn server() -> &'static TestServer {
    static SERVER: OnceLock<Result<TestServer, Error>> = OnceLock::new();
    SERVER
        .get_or_init(TestServer::start)
        .as_ref()
        .unwrap_or_else(|error| fail("start Postgres for tests", error))
}

/// A database of a test's own, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
}

impl TestDatabase {
    /// Creates an empty database. `name` says which test it is for; the database's real name is unique.
    ///
    /// # Panics
    /// When there is no Postgres or it refuses.
    #[must_use]
    pub fn create(name: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        // At most 63 bytes, the longest name Postgres keeps.
        let short: String = name.chars().filter(char::is_ascii).take(32).collect();
        let name = format!("rowlock_{}_{number}_{short}", process::id());
        match administration::create_database(&server().url, &name) {
            Ok(()) => Self { name },
            Err(error) => fail("create a database for a test", &error),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its connection URL.
    #[must_use]
    pub fn url(&self) -> String {
        server().url(&self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Fails while the test still holds connections; our own server goes with its data anyway, and on a given
        // one the leftover's name says where it is from.
        let _ = administration::drop_database(&server().url, &self.name);
    }
}

#[expect(
    clippy::panic,
    reason = "this module is for tests, where a panic is how a failure is told"
)]
fn fail(action: &str, error: &Error) -> ! {
    let mut message = format!("could not {action}: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(": ");
        message.push_str(&error.to_string());
        cause = error.source();
    }
    panic!("{message}")
}
