//! Postgres SQL, as far as the engine emits it: the tree, names, parameters and the only writer of SQL text.
//!
//! Knows no GraphQL and no metadata.

pub mod ast;
pub mod comment;
pub mod name;
mod print;
pub mod refusal;
pub mod shape;
pub mod simplify;
pub mod statement;
pub mod write;

pub use statement::{Parameter, Statement, Values};
