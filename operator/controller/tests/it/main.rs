//! The operator from outside: what it renders, against files that a person reads when they change; and all of it, against a
//! stand-in for a cluster.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod checking;
mod failing;
mod following;
mod forged;
mod leading;
mod people;
mod put_back;
mod rendered;
mod rolling;
mod stand_in;
mod story;
mod values;
