//! Postgres SQL, as far as the engine emits it: the tree, names, parameters and the only writer of SQL text.
//!
//! Knows no GraphQL and no metadata.

pub mod shape;
pub mod statement;

pub use statement::{Parameter, Statement, Values};
