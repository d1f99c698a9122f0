//! Compile and import over cases, random worlds and whole documents.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod coverage;
mod every_document;
mod examples;
mod golden;
mod mutated;
mod owner;
mod properties;
mod round_trip;
mod world;
