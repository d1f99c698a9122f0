//! Against a real Postgres, each test in a database of its own.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails says so by a panic"
)]

mod codecs;
mod introspection;
mod pgbouncer;
mod reading;
mod run_sql;
mod sharing;
mod store;
mod tls;
mod world;
mod writing;
