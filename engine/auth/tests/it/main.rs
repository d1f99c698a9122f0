//! Tokens as clients send them, against keys as issuers publish them.

mod attack;
mod configuration;
mod fuzz;
mod signing;
mod tokens;
