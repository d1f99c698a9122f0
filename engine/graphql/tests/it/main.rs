//! Tests of the crate from outside.

mod fuzz;
mod schema;
