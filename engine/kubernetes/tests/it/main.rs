//! Sets and secrets followed through a stand-in for the API server, and kept on disk.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod api_server;
mod keep;
mod secrets;
mod sets;
