//! A Postgres server of our own: found on this machine or downloaded, started, watched and stopped.
//!
//! `rowlock dev` keeps one with data that survives ([`Launch::persistent`]); tests take a temporary one that is
//! gone with the process ([`test::server`]). A server never outlives the process that started it, however that
//! process ends: a small shell stands between the two and stops the server when its standard input closes.
//!
//! Every function here blocks; async callers use a blocking task. This crate never speaks SQL but for creating and
//! dropping databases, and nothing in the request path may name it.

mod account;
mod administration;
mod cluster;
mod download;
mod error;
mod installation;
mod launch;
mod place;
mod progress;
mod server;
mod supervisor;
pub mod test;

pub use error::Error;
pub use installation::{Installation, Version};
pub use launch::Launch;
pub use place::data_home;
pub use progress::Progress;
pub use server::Server;
