//! What a person waiting for a server may want to see.

use std::path::PathBuf;

use crate::Version;

/// One step on the way to a running server, told before the step begins (but for [`Progress::Ready`]).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// An installed server was found.
    Found {
        /// Its version.
        version: Version,
        /// The directory of its programs.
        programs: PathBuf,
    },
    /// No server is installed: one is fetched from Maven Central (about 12 MB).
    Downloading {
        /// Which release.
        version: String,
        /// Where it will be kept for the next time.
        directory: PathBuf,
    },
    /// A new data directory is initialised.
    Initializing {
        /// The directory.
        directory: PathBuf,
    },
    /// The server is started.
    Starting {
        /// The port it will listen on, on the loopback interface.
        port: u16,
    },
    /// The server answers.
    Ready {
        /// The port it listens on.
        port: u16,
    },
}
