//! `rowlock`: a GraphQL engine for Postgres, compatible with Hasura v2.

mod admin;
mod auth;
mod dev;
mod directory;
mod explain;
#[cfg(test)]
mod fuzz;
mod gate;
#[cfg(test)]
mod generated;
mod generation;
mod http;
mod metadata_api;
mod observe;
mod outbound;
mod request;
mod run;
mod settings;
mod state;
mod transfer;
mod websocket;

use std::process::ExitCode;

/// Faster than the system's allocator with many small, short-lived buffers: `docs/decisions/0017-release-profile-and-allocator.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run::main()
}
