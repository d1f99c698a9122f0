//! One source: a primary database, its read replicas, and the connections to them.
//!
//! Connecting is lazy: a source can always be made, and a database that is down shows when a statement is run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use schema::catalog::{Catalog, QualifiedName};
use sql::Statement;

use crate::connect::Target;
use crate::enum_table::{self, EnumValue};
use crate::error::Error;
use crate::execute::{self, Json, Keyed};
use crate::health::{Health, PoolMetrics};
use crate::introspect;
use crate::pool::Pool;
use crate::run_sql::{RunSql, RunSqlMode};
use crate::snapshot::Snapshot;
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

impl IsolationLevel {
    /// Reads `read-committed`, `repeatable-read` or `serializable`.
    pub fn parse(text: &str) -> Option<IsolationLevel> {
        Some(match text {
            "read-committed" => IsolationLevel::ReadCommitted,
            "repeatable-read" => IsolationLevel::RepeatableRead,
            "serializable" => IsolationLevel::Serializable,
            _ => return None,
        })
    }

    /// As a value of `default_transaction_isolation`.
    pub(crate) fn as_setting(self) -> &'static str {
        match self {
            IsolationLevel::ReadCommitted => "read committed",
            IsolationLevel::RepeatableRead => "repeatable read",
            IsolationLevel::Serializable => "serializable",
        }
    }

    /// Begins a read-only transaction with the time zone that the codecs need.
    pub(crate) fn begin_read_only(self) -> &'static str {
        match self {
            IsolationLevel::ReadCommitted => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY; SET LOCAL TimeZone TO 'UTC'"
            }
            IsolationLevel::RepeatableRead => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TimeZone TO 'UTC'"
            }
            IsolationLevel::Serializable => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; SET LOCAL TimeZone TO 'UTC'"
            }
        }
    }

    /// Begins a read-write transaction with the time zone that the codecs need. A session that was set up when it was
    /// connected has time zone and isolation already.
    pub(crate) fn begin_read_write(self, is_set_up: bool) -> &'static str {
        if is_set_up {
            return "BEGIN READ WRITE";
        }
        match self {
            IsolationLevel::ReadCommitted => {
                "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL TimeZone TO 'UTC'"
            }
            IsolationLevel::RepeatableRead => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; SET LOCAL TimeZone TO 'UTC'"
            }
            IsolationLevel::Serializable => {
                "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE; SET LOCAL TimeZone TO 'UTC'"
            }
        }
    }

    /// Begins a transaction of any kind without touching the session's time zone (`run_sql`).
    pub(crate) fn begin_plain(self, access: Access) -> String {
        let access = match access {
            Access::ReadOnly => "READ ONLY",
            Access::ReadWrite => "READ WRITE",
        };
        format!("BEGIN ISOLATION LEVEL {} {access}", self.as_setting())
    }
}

/// Whether a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    ReadOnly,
    ReadWrite,
}

/// A connected source; cheap to clone. Dropping the last clone closes its connections.
#[derive(Debug, Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: SourceConfig,
    primary: Arc<Pool>,
    replicas: Vec<Arc<Pool>>,
    next_replica: AtomicUsize,
}

impl Source {
    /// Makes a source; never fails and does not touch the network.
    pub fn connect(config: SourceConfig) -> Source {
        let primary = Pool::new(&config.primary);
        let replicas = config.replicas.iter().map(Pool::new).collect();
        Source {
            inner: Arc::new(Inner {
                config,
                primary,
                replicas,
                next_replica: AtomicUsize::new(0),
            }),
        }
    }

    /// How it is reached.
    pub fn config(&self) -> &SourceConfig {
        &self.inner.config
    }

    /// Whether sessions have `TimeZone` UTC, so that `timestamptz` may be fetched in binary (`Codec::TimestampTz`). They
    /// have: set at connecting, or, without session state, in every transaction.
    pub fn pins_time_zone(&self) -> bool {
        true
    }

    /// The pool for the next read.
    fn reads(&self) -> &Arc<Pool> {
        let replicas = &self.inner.replicas;
        if replicas.is_empty() {
            return &self.inner.primary;
        }
        let next = self.inner.next_replica.fetch_add(1, Ordering::Relaxed);
        replicas.get(next % replicas.len()).unwrap_or(&self.inner.primary)
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
        statement: &Statement,
        values: &[Option<String>],
        limit: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        execute::read(
            self.reads(),
            statement,
            values,
            &mut Json::new(&statement.shape, limit, out),
        )
        .await
    }

    /// Runs a read of several results at once (a multiplexed live query) on a replica if there is one: the first column
    /// of each row is its key (text), the shape's `row` is read from the same columns, key included. `limit` is for each.
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn read_keyed(
        &self,
        statement: &Statement,
        values: &[Option<String>],
        limit: Option<usize>,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let mut sink = Keyed::new(&statement.shape, limit);
        execute::read(self.reads(), statement, values, &mut sink).await?;
        Ok(sink.rows)
    }

    /// The same as [`Source::read`], always on the primary, for reads that must see what was just written.
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn read_primary(
        &self,
        statement: &Statement,
        values: &[Option<String>],
        limit: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        execute::read(
            &self.inner.primary,
            statement,
            values,
            &mut Json::new(&statement.shape, limit, out),
        )
        .await
    }

    /// A read-write transaction on the primary, sent together with its first statement, with these session variables (a JSON object) as
    /// `hasura.user` for triggers and functions.
    ///
    /// # Errors
    /// No connection.
    pub async fn begin(&self, session_variables: Option<&str>) -> Result<Write, Error> {
        Ok(Write::new(
            self.inner.primary.exclusive().await?,
            session_variables,
        ))
    }

    /// The lines of `EXPLAIN (FORMAT TEXT)`, from where reads go.
    ///
    /// # Errors
    /// As for [`Source::read`].
    pub async fn explain(
        &self,
        statement: &Statement,
        values: &[Option<String>],
    ) -> Result<Vec<String>, Error> {
        let values = execute::values(&statement.parameters, values)?;
        let text = format!("EXPLAIN (FORMAT TEXT) {}", statement.text);
        let snapshot = Snapshot::begin(self.reads()).await?;
        let lines = execute::lines(snapshot.client()?, &text, &values).await;
        snapshot.end(lines).await
    }

    /// Introspects the primary.
    ///
    /// # Errors
    /// No connection, or the server is older than 12.
    pub async fn introspect(&self) -> Result<Catalog, Error> {
        let snapshot = Snapshot::begin(&self.inner.primary).await?;
        let catalog = introspect::catalog(snapshot.client()?).await;
        snapshot.end(catalog).await
    }

    /// What `Catalog::fingerprint` would be now; cheap, meant for reading every few seconds.
    ///
    /// # Errors
    /// No connection.
    pub async fn fingerprint(&self) -> Result<String, Error> {
        let snapshot = Snapshot::begin(&self.inner.primary).await?;
        let found = introspect::fingerprint(snapshot.client()?).await;
        snapshot.end(found).await
    }

    /// The values of an enum table in order of the value column, with their comments.
    ///
    /// # Errors
    /// No connection, or no such table or column.
    pub async fn enum_values(
        &self,
        table: &QualifiedName,
        value_column: &str,
        comment_column: Option<&str>,
    ) -> Result<Vec<EnumValue>, Error> {
        let snapshot = Snapshot::begin(&self.inner.primary).await?;
        let values = enum_table::read(snapshot.client()?, table, value_column, comment_column).await;
        snapshot.end(values).await
    }

    /// Opens a connection of its own for `run_sql` on the primary.
    ///
    /// # Errors
    /// No connection.
    pub async fn run_sql(&self, mode: RunSqlMode) -> Result<RunSql, Error> {
        RunSql::begin(self.inner.primary.exclusive_plain().await?, mode).await
    }

    /// Runs a health check's SQL on the primary within `timeout`, in a read-only transaction.
    pub async fn check(&self, sql: &str, timeout: Duration) -> Health {
        match tokio::time::timeout(timeout, self.run_check(sql)).await {
            Ok(Ok(())) => Health::Ok,
            Ok(Err(error @ Error::Database(_))) => Health::Failed(error),
            Ok(Err(error)) => Health::Error(error),
            Err(_) => Health::Timeout,
        }
    }

    async fn run_check(&self, sql: &str) -> Result<(), Error> {
        let snapshot = Snapshot::begin(&self.inner.primary).await?;
        let result = snapshot.client()?.batch_execute(sql).await.map_err(Error::from);
        snapshot.end(result).await
    }

    /// Figures about the connections, all members together.
    pub fn metrics(&self) -> PoolMetrics {
        let mut metrics = PoolMetrics::default();
        self.inner.primary.add_metrics(&mut metrics);
        for replica in &self.inner.replicas {
            replica.add_metrics(&mut metrics);
        }
        metrics
    }
}
