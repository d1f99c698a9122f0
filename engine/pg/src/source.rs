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
use crate::health::{Health, MemberMetrics, MemberRole};
use crate::introspect;
use crate::pool::{Pool, Purpose};
use crate::run_sql::{RunSql, RunSqlMode};
use crate::snapshot::Snapshot;
use crate::write::{Failed, Write, alone};

/// How a source is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Name of the source, for logs.
    pub name: String,
    /// The database that is written to.
    pub primary: Member,
    /// Databases that reads are spread over, in turn; without any, reads go to the primary.
    pub replicas: Vec<Member>,
    /// `connection_set`: further databases by name, which only a [`Route`] leads to.
    pub connection_set: Vec<(String, Member)>,
}

/// Where the reads and the writes of a request go (`connection_template`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Route {
    /// Reads to the replicas, if there are any, and writes to the primary.
    #[default]
    Default,
    /// All to the primary.
    Primary,
    /// All to the replicas, in turn.
    ReadReplicas,
    /// All to this member of the connection set.
    Member(String),
}

/// One database of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What metrics call it (`conn_info`): the variable its URL is in, or the URL without its password.
    pub label: String,
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
    /// Most connections at any time, of any use. Default 50. While all are in use, one or two more are opened for a moment
    /// to see whether the database is there.
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
    route: Chosen,
}

/// A [`Route`] that was looked up.
#[derive(Debug, Clone, Copy)]
enum Chosen {
    Default,
    Primary,
    ReadReplicas,
    Member(usize),
}

#[derive(Debug)]
struct Inner {
    config: SourceConfig,
    primary: Arc<Pool>,
    replicas: Vec<Arc<Pool>>,
    connection_set: Vec<Arc<Pool>>,
    next_replica: AtomicUsize,
}

impl Source {
    /// Makes a source; never fails and does not touch the network.
    pub fn connect(config: SourceConfig) -> Source {
        let primary = Pool::new(&config.primary);
        let replicas = config.replicas.iter().map(Pool::new).collect();
        let connection_set = config
            .connection_set
            .iter()
            .map(|(_, member)| Pool::new(member))
            .collect();
        Source {
            inner: Arc::new(Inner {
                config,
                primary,
                replicas,
                connection_set,
                next_replica: AtomicUsize::new(0),
            }),
            route: Chosen::Default,
        }
    }

    /// The same source, whose reads and transactions go this way. What looks after the source itself (introspection,
    /// health, `run_sql`) stays on the primary. `None`: it has no such member, or no replicas.
    pub fn via(&self, route: &Route) -> Option<Source> {
        let route = match route {
            Route::Default => Chosen::Default,
            Route::Primary => Chosen::Primary,
            Route::ReadReplicas if self.inner.replicas.is_empty() => return None,
            Route::ReadReplicas => Chosen::ReadReplicas,
            Route::Member(name) => {
                let mut members = self.inner.config.connection_set.iter();
                Chosen::Member(members.position(|(known, _)| known == name)?)
            }
        };
        Some(Source {
            inner: Arc::clone(&self.inner),
            route,
        })
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
        match self.route {
            Chosen::Default | Chosen::ReadReplicas => self.replica(),
            Chosen::Primary | Chosen::Member(_) => self.writes(),
        }
    }

    /// The pool for transactions, and for reads that must see what was just written.
    fn writes(&self) -> &Arc<Pool> {
        match self.route {
            Chosen::Default | Chosen::Primary => &self.inner.primary,
            Chosen::ReadReplicas => self.replica(),
            Chosen::Member(at) => self.inner.connection_set.get(at).unwrap_or(&self.inner.primary),
        }
    }

    /// The next replica, or the primary if there is none.
    fn replica(&self) -> &Arc<Pool> {
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

    /// The same as [`Source::read`], where transactions go, for reads that must see what was just written.
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
            self.writes(),
            statement,
            values,
            &mut Json::new(&statement.shape, limit, out),
        )
        .await
    }

    /// A read-write transaction on the primary (or where the route leads), sent together with its first statement, with these session variables (a JSON object) as
    /// `hasura.user` for triggers and functions.
    ///
    /// # Errors
    /// No connection.
    pub async fn begin(&self, session_variables: Option<&str>) -> Result<Write, Error> {
        Ok(Write::new(
            self.writes().exclusive(Purpose::Writing).await?,
            session_variables,
        ))
    }

    /// Runs a write of one statement that is a transaction by itself, on a connection that it shares with others, and appends
    /// its JSON to `out`. `None`: nothing was done, it has to [begin](Source::begin) a transaction.
    ///
    /// Dropping the future does not cancel it: it is done as a whole, or not at all. It waits 50 ms at most for a lock.
    ///
    /// # Errors
    /// `out` is as it was before; nothing was written, unless the connection was lost.
    pub async fn write_alone(
        &self,
        statement: &Statement,
        values: &[Option<String>],
        session_variables: &str,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), Failed>> {
        alone::run(self.writes(), statement, values, session_variables, out).await
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
        let snapshot = Snapshot::look(&self.inner.primary).await?;
        let catalog = introspect::catalog(snapshot.client()?).await;
        snapshot.end(catalog).await
    }

    /// What `Catalog::fingerprint` would be now; cheap, meant for reading every few seconds.
    ///
    /// # Errors
    /// No connection.
    pub async fn fingerprint(&self) -> Result<String, Error> {
        let snapshot = Snapshot::look(&self.inner.primary).await?;
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
        let snapshot = Snapshot::look(&self.inner.primary).await?;
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
        let snapshot = Snapshot::look(&self.inner.primary).await?;
        let result = snapshot.client()?.batch_execute(sql).await.map_err(Error::from);
        snapshot.end(result).await
    }

    /// Figures about the connections. Members with the same label and role are taken together.
    pub fn metrics(&self) -> Vec<MemberMetrics> {
        let config = &self.inner.config;
        let mut all: Vec<MemberMetrics> = Vec::new();
        let mut add = |role: MemberRole, member: &Member, pool: &Pool| {
            let at = match all
                .iter()
                .position(|known| known.role == role && known.label == member.label)
            {
                Some(at) => at,
                None => {
                    all.push(MemberMetrics::new(role, &member.label));
                    all.len() - 1
                }
            };
            if let Some(metrics) = all.get_mut(at) {
                pool.add_metrics(&mut metrics.pool);
            }
        };
        add(MemberRole::Primary, &config.primary, &self.inner.primary);
        for (member, pool) in config.replicas.iter().zip(&self.inner.replicas) {
            add(MemberRole::Replica, member, pool);
        }
        for ((_, member), pool) in config.connection_set.iter().zip(&self.inner.connection_set) {
            add(MemberRole::Primary, member, pool);
        }
        all
    }
}
