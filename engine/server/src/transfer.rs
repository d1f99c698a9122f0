//! `rowlock import` and `rowlock export`: between Hasura metadata and custom resources.
//!
//! ```text
//! directory · document · running server ──import──> files of custom resources
//! files of custom resources ──export──> document · directory
//! ```
//!
//! Neither leaves anything out silently: what the other form cannot hold is listed on standard error, one line each,
//! and the exit status is then 2. Passwords that stand in clear are listed too, and change nothing in it.

mod arguments;
mod export;
mod fetch;
mod import;
mod password;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgMatches;
use compile::NotCarried;
use metadata::JsonPath;

pub use arguments::{export_command, import_command};
pub use export::export;
pub use import::import;

/// Why nothing was transferred.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is to be read cannot be.
    #[error("{what} cannot be read: {message}")]
    Source {
        /// What.
        what: String,
        /// Why.
        message: String,
    },
    /// A file cannot be written.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There are files already.
    #[error("{} is not empty: give a folder that is, or none yet", .0.display())]
    NotEmpty(PathBuf),
    /// What is there is no folder, or may not be read.
    #[error("{} cannot be looked into: give an empty folder, or none yet", .path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value that YAML would change.
    #[error("{what} cannot be written as YAML")]
    Yaml {
        /// Which object.
        what: String,
        /// Why.
        source: metadata::directory::DirectoryError,
    },
    /// The metadata directory cannot be made.
    #[error("the metadata directory cannot be made")]
    Directory(#[from] metadata::directory::DirectoryError),
    /// What was made does not give back what it was made of: a defect.
    #[error(
        "the custom resources do not compile to the document they were made of, at {0}: this is a defect of rowlock"
    )]
    Lossy(JsonPath),
}

/// The exit status where something could not be carried.
const NOT_ALL: u8 = 2;

/// Tells what was not carried, and ends.
fn told(not_carried: &[NotCarried]) -> ExitCode {
    let mut out = std::io::stderr().lock();
    for left in not_carried {
        let _ = writeln!(out, "not carried: {}: {}", left.path, left.reason);
    }
    if not_carried.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_ALL)
    }
}

/// A text argument.
fn text<'m>(matches: &'m ArgMatches, name: &str) -> Option<&'m str> {
    matches.get_one::<String>(name).map(String::as_str)
}
