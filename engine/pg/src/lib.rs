//! Postgres: connections, introspection, execution, rows as JSON, and the metadata database.
//!
//! The only crate that names a database driver. It runs `sql::Statement`s and writes what comes back by their
//! `sql::Shape`; it never knows GraphQL, and makes no SQL for a request.

pub mod codec;
pub mod connect;
pub mod enum_table;
pub mod error;
mod execute;
pub mod health;
mod introspect;
mod pool;
pub mod run_sql;
mod snapshot;
pub mod source;
pub mod store;
pub mod write;

pub use self::connect::{ConnectionParameters, Secret, ServerRole, Target, TlsMode, TlsSettings};
pub use self::enum_table::EnumValue;
pub use self::error::{Code, ConnectError, DatabaseError, Error, Expect, Told};
pub use self::health::{Durations, Health, MemberMetrics, MemberRole, PoolMetrics};
pub use self::run_sql::{RunSql, RunSqlMode, SqlResult};
pub use self::source::{IsolationLevel, Member, PoolSettings, Route, Source, SourceConfig};
pub use self::store::Store;
pub use self::write::{Failed, Work, Write};
