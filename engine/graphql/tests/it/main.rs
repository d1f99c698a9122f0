//! Tests of the crate from outside.

mod fuzz;
#[cfg(test)]
mod schema;
