//! The operator from outside: what it renders, against files that a person reads when they change.

#![expect(
    clippy::expect_used,
    reason = "a test fails by panicking, in its helping functions too"
)]

mod rendered;
