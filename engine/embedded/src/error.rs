//! What can go wrong between "a Postgres, please" and a server that answers.

use std::io;
use std::path::PathBuf;

/// A failure of this crate; `source()` has the cause where there is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No installed server and none could be downloaded.
    #[error(
        "no Postgres server is installed (looked on PATH and in the usual places) and none could be downloaded; \
         install one (Debian: `apt-get install postgresql`) or give the URL of a running one"
    )]
    NoPostgres(#[source] Box<postgresql_embedded::Error>),

    /// The data directory was made by a major version that is not installed here.
    #[error(
        "the data in {} was made by Postgres {major}, which is not installed and could not be downloaded; \
         install it, or remove that directory to start afresh",
        .directory.display()
    )]
    WrongMajor {
        /// The data directory.
        directory: PathBuf,
        /// Its major version.
        major: u32,
        /// Why the download failed.
        source: Box<postgresql_embedded::Error>,
    },

    /// Postgres refuses to run as root and there is no one else to run it as.
    #[error("Postgres does not run as root, and this machine has neither a user `postgres` nor `nobody`")]
    NoAccount,

    /// A file or directory could not be made, read or handed over.
    #[error("{action} {}", .path.display())]
    File {
        /// What was tried, as "create" or "read".
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// The unprivileged user that runs Postgres cannot reach the data directory.
    #[error(
        "the user `{user}`, who runs Postgres, may not enter {}; choose a data directory below one that \
         everyone may enter",
        .directory.display()
    )]
    Unreachable {
        /// The name of the user.
        user: String,
        /// The first directory on the way that is closed.
        directory: PathBuf,
    },

    /// A program could not be run at all.
    #[error("run {}", .program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },

    /// `initdb` ran and failed.
    #[error("initdb failed:\n{output}")]
    Initialize {
        /// What it wrote.
        output: String,
    },

    /// The port that was asked for is taken.
    #[error("port {port} is in use by another program")]
    PortInUse {
        /// The port.
        port: u16,
    },

    /// The server ended instead of becoming ready.
    #[error("Postgres did not start; the end of its log:\n{log}")]
    Exited {
        /// The last lines of the log.
        log: String,
    },

    /// The server was not ready in time.
    #[error("Postgres was not ready after {seconds} s; the end of its log:\n{log}")]
    Deadline {
        /// How long it was given.
        seconds: u64,
        /// The last lines of the log.
        log: String,
    },

    /// A URL that does not name a server.
    #[error("not the URL of a Postgres server")]
    Url(#[source] Option<url::ParseError>),

    /// Creating or dropping a database failed.
    #[error("{action} database {name}")]
    Database {
        /// "create" or "drop".
        action: &'static str,
        /// The database.
        name: String,
        /// The server's answer.
        source: Box<postgresql_embedded::Error>,
    },

    /// No thread or runtime for a blocking call could be made.
    #[error("start a helper thread")]
    Thread(#[source] io::Error),

    /// A helper thread ended without an answer.
    #[error("a helper thread ended without an answer")]
    Lost,
}

impl Error {
    /// A failed file operation; for `map_err`.
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
