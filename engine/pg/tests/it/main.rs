//! Against a real Postgres, each test in a database of its own.

mod codecs;
mod introspection;
mod reading;
mod run_sql;
mod store;
mod world;
mod writing;
