//! Tokens as clients send them, against keys as issuers publish them.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by a panic")]

mod attack;
mod configuration;
mod fuzz;
mod signing;
mod tokens;
