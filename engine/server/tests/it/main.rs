//! The program from outside, as a process against a real Postgres.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails says so by a panic"
)]

#[cfg(test)]
mod access;
mod answers;
#[cfg(test)]
mod api_server;
#[cfg(test)]
mod attacks;
// `cfg(test)` tells clippy that helpers in these files are test code too.
#[cfg(test)]
mod authentication;
mod clashes;
mod command_line;
#[cfg(test)]
mod conflicts;
#[cfg(test)]
mod crash;
mod data_api;
#[cfg(test)]
mod delivered;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod dev;
mod directory;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod hanging;
mod health;
#[cfg(test)]
mod hooks;
mod injection;
#[cfg(test)]
mod key_sets;
mod levels;
#[cfg(test)]
mod mutation_forms;
mod mutations;
#[cfg(test)]
mod outbound;
mod permissions;
mod process;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod round_trips;
mod routing;
mod saved_queries;
mod serving;
#[cfg(test)]
mod silent;
mod slow;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod stand_in;
mod tables;
#[cfg(test)]
mod token_answers;
#[cfg(test)]
mod torn;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod two_sources;
mod validation;
mod wait;
#[cfg(test)]
mod way;
#[cfg(test)]
mod websockets;
