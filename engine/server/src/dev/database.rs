//! The local Postgres of `dev`.

use std::path::PathBuf;

use embedded::{Launch, Server};

use super::Error;
use super::screen::Screen;

/// The sample's database.
pub(super) const SAMPLE: &str = "record_shop";

/// A running server with one database.
#[derive(Debug)]
pub(super) struct Local {
    /// The database.
    pub(super) url: String,
    server: Server,
}

impl Local {
    /// Starts it, telling each step; downloading and initialising take seconds to minutes.
    pub(super) async fn start(directory: PathBuf, name: &str, screen: Screen) -> Result<Self, Error> {
        let name = name.to_owned();
        let base = directory.join("postgres");
        let started = tokio::task::spawn_blocking(move || {
            let server = Launch::persistent(base).start(&mut |step| screen.step(&step))?;
            server.ensure_database(&name)?;
            let url = server.url(&name);
            Ok((server, url))
        });
        let (server, url) = started.await.map_err(|_| Error::Lost)?.map_err(Error::Postgres)?;
        Ok(Self { url, server })
    }

    /// Stops it in order.
    pub(super) async fn stop(self) {
        // If the task is lost, the server's supervisor stops it when this process ends.
        let _ = tokio::task::spawn_blocking(move || self.server.stop()).await;
    }
}
