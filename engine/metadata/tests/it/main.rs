//! Tests of the metadata document from outside the crate.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod coverage;
mod directory;
mod errors;
mod forms;
mod fuzz;
mod round_trip;

use serde_json::Value;

/// A document in canonical form that uses every key, each in every form that prints differently.
fn full() -> Value {
    serde_json::from_str(include_str!("full.json")).expect("the fixture is JSON")
}
