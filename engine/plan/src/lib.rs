//! One request, one role, one session → a [`Plan`]: where permissions are woven in.
//!
//! Pure: no IO, no clock, no environment. SQL text is written by `sql` alone.

pub mod prepared;
pub mod session;

pub use prepared::Plan;
pub use session::Session;
