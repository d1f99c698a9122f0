//! The generated definitions and pages, and the examples in them.

mod definitions;
mod examples;
