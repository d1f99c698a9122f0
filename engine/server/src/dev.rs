//! `rowlock dev`: one command to a server to try things on.
//!
//! Finds or fetches a Postgres, keeps its data in a directory, fills a sample database, and serves it from a folder of
//! custom resources that is watched, so that an edited file is served at once. It makes the arguments of `serve` and runs
//! that: what works here works there. In a database of the user's own it creates nothing unless told to ([`keeping`]).

mod announcement;
mod arguments;
mod database;
mod keeping;
mod request;
mod sample;
mod screen;

use std::ffi::OsString;
use std::net::{IpAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use self::announcement::Facts;
pub(crate) use self::arguments::ABOUT;
use self::arguments::{Database, Options, command};
use self::database::Local;
use self::keeping::Keeping;
use self::screen::Screen;
use crate::settings::{self, Environment, Settings};

/// Why `dev` ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Someone else listens where we would.
    #[error("port {port} is in use; choose another one with --port")]
    PortInUse {
        /// The port.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// No local Postgres.
    #[error("start Postgres")]
    Postgres(#[source] embedded::Error),
    /// The sample's files cannot be written or read.
    #[error("{action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A directory with nothing to serve was given.
    #[error("{} has no YAML or JSON files: neither custom resources nor a Hasura metadata directory", .0.display())]
    NoMetadata(PathBuf),
    /// The directory that was given cannot be read.
    #[error("{} cannot be served", .directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// Why.
        source: metadata::directory::WalkError,
    },
    /// The sample's SQL does not run.
    #[error("load {file} into the sample database")]
    Sample {
        /// Which file.
        file: &'static str,
        /// What Postgres said.
        source: pg::Error,
    },
    /// The URL of the local server is refused: a bug.
    #[error("connect to the sample database")]
    Target(#[source] pg::connect::ParseError),
    /// The URL of the user's database.
    #[error("--database-url")]
    OwnUrl(#[source] pg::connect::ParseError),
    /// The user's database.
    #[error("connect to the database of --database-url")]
    OwnDatabase(#[source] pg::store::Error),
    /// The server's own settings are wrong, as in a `HASURA_GRAPHQL_…` variable.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// Wrong arguments, or a wish for help.
    #[error(transparent)]
    Arguments(#[from] Box<clap::Error>),
    /// The server ended.
    #[error(transparent)]
    Serve(#[from] crate::run::Error),
    /// A blocking task was lost.
    #[error("a task ended without an answer")]
    Lost,
}

/// Runs `dev` with the arguments after the program's name.
///
/// # Errors
/// [`Error`]; what was started is stopped.
pub(crate) fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<(), Error> {
    let matches = command().try_get_matches_from(arguments).map_err(Box::new)?;
    crate::run::runtime()?.block_on(run(&Options::read(&matches), environment))
}

/// Starts everything, serves until told to stop, stops everything.
async fn run(options: &Options, environment: &Environment) -> Result<(), Error> {
    let screen = Screen::new();
    check_port(options.host, options.port)?;
    if let Some(directory) = &options.directory {
        check_files(directory)?;
    }
    let start = |name: String| {
        let screen = screen.clone();
        async move { Local::start(options.data.clone(), &name, screen).await }
    };
    let mut local = None;
    let (url, keeping) = match (&options.database, &options.directory) {
        (Database::Sample, directory) => {
            let started = local.insert(start(database::SAMPLE.to_owned()).await?);
            (started.url.clone(), directory.clone().map(Keeping::Directory))
        }
        (Database::Own(url), Some(directory)) => (url.clone(), Some(Keeping::Directory(directory.clone()))),
        (Database::Own(url), None) => {
            let found = keeping::holds_metadata(url).await?;
            let keeping = if found || options.store_metadata {
                Keeping::Served { found }
            } else {
                let started = local.insert(start(keeping::local_name(url)?).await?);
                Keeping::Local {
                    url: started.url.clone(),
                    data: options.data.clone(),
                }
            };
            (url.clone(), Some(keeping))
        }
    };
    let served = serve(options, environment, &url, keeping, &screen).await;
    if let Some(local) = local {
        screen.line("stopping Postgres");
        local.stop().await;
    }
    served
}

/// Serves the database; without anything said of its metadata, the sample's, which is loaded first.
async fn serve(
    options: &Options,
    environment: &Environment,
    url: &str,
    keeping: Option<Keeping>,
    screen: &Screen,
) -> Result<(), Error> {
    let is_sample = keeping.is_none();
    let keeping = match keeping {
        Some(keeping) => keeping,
        None => {
            if sample::load(url).await? {
                screen.line("filled the sample database: a record shop");
            }
            Keeping::Directory(sample::directory(&options.data)?)
        }
    };
    let mut settings = settings_of(options, environment, url, &keeping)?;
    settings.directory.trial = true;
    let facts = Facts {
        keeping,
        is_sample,
        secret: options.admin_secret.clone(),
    };
    let (stop, stopped) = watch::channel(false);
    // Until here Ctrl-C ends the process at once, and the local Postgres with it.
    tokio::spawn(crate::run::signals(stop)?);
    let listening = |address| {
        tokio::spawn(announcement::announce(address, facts, screen.clone()));
    };
    Ok(crate::run::serve_until(Arc::new(settings), stopped, listening).await?)
}

/// The settings that `serve` would read from these arguments and variables.
fn settings_of(
    options: &Options,
    environment: &Environment,
    url: &str,
    keeping: &Keeping,
) -> Result<Settings, Error> {
    let (arguments, environment) = arguments::of_serve(options, environment, url, keeping);
    let matches = settings::command_line::command()
        .try_get_matches_from(arguments)
        .map_err(Box::new)?;
    Ok(settings::reader::read(&matches, &environment)?)
}

/// Told before anything is started, as with the port.
fn check_files(directory: &Path) -> Result<(), Error> {
    match metadata::directory::walk(directory) {
        Ok(files) if files.is_empty() => Err(Error::NoMetadata(directory.to_owned())),
        Ok(_) => Ok(()),
        Err(source) => Err(Error::Directory {
            directory: directory.to_owned(),
            source,
        }),
    }
}

/// Told before anything is started: a person waits for a download only once.
fn check_port(host: IpAddr, port: u16) -> Result<(), Error> {
    match TcpListener::bind((host, port)) {
        Ok(_) => Ok(()),
        Err(source) => Err(Error::PortInUse { port, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::source_state::describe;

    #[test]
    fn a_port_in_use_is_named() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = check_port([127, 0, 0, 1].into(), port).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("port {port} is in use; choose another one with --port")
        );
        drop(listener);
        assert!(check_port([127, 0, 0, 1].into(), port).is_ok());
    }

    #[test]
    fn a_directory_that_cannot_be_read_says_why() {
        let folder = std::env::temp_dir().join(format!("rowlock-dev-unreadable-{}", std::process::id()));
        let told = |folder: &Path| describe(&check_files(folder).unwrap_err());
        let place = folder.display();
        assert_eq!(
            told(&folder),
            format!("{place} cannot be served: cannot read {place}: No such file or directory (os error 2)")
        );
        std::fs::create_dir(&folder).unwrap();
        assert!(told(&folder).contains("has no YAML or JSON files"));
        std::fs::write(folder.join("a.yaml"), b"name: caf\xe9\n").unwrap();
        assert_eq!(
            told(&folder),
            format!(
                "{place} cannot be served: cannot read {place}/a.yaml: stream did not contain valid UTF-8"
            )
        );
        std::fs::write(folder.join("a.yaml"), "name: café\n").unwrap();
        assert!(check_files(&folder).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn serve_accepts_what_is_made_for_it() {
        let matches = command()
            .try_get_matches_from(["dev", "--port", "9123", "--admin-secret", "s"])
            .unwrap();
        let settings = settings_of(
            &Options::read(&matches),
            &Environment::default(),
            "postgresql://u:p@127.0.0.1:1/record_shop",
            &Keeping::Directory("config/samples".into()),
        )
        .unwrap();
        assert_eq!(settings.http.port, 9123);
        assert_eq!(
            settings.origin,
            settings::Origin::Directory("config/samples".into())
        );
        assert!(settings.dev_mode);
        assert_eq!(settings.authentication.admin_secrets.len(), 1);
    }

    #[test]
    fn one_engine_of_several_is_chosen() {
        let arguments = ["dev", "--engine", "live/shop", "resources"];
        let matches = command().try_get_matches_from(arguments).unwrap();
        let keeping = Keeping::Directory("resources".into());
        let url = "postgresql://127.0.0.1/mine";
        let options = Options::read(&matches);
        let settings = settings_of(&options, &Environment::default(), url, &keeping).unwrap();
        assert_eq!(settings.directory.engine.as_deref(), Some("live/shop"));
        let alone = command().try_get_matches_from(["dev", "--engine", "shop"]);
        assert!(alone.is_err());
    }

    #[test]
    fn a_database_of_ones_own_keeps_its_metadata_itself() {
        let arguments = ["dev", "--database-url", "postgresql://127.0.0.1/mine"];
        let matches = command().try_get_matches_from(arguments).unwrap();
        let options = Options::read(&matches);
        assert_eq!(
            options.database,
            Database::Own("postgresql://127.0.0.1/mine".into())
        );
        let settings = settings_of(
            &options,
            &Environment::default(),
            "postgresql://127.0.0.1/mine",
            &Keeping::Local {
                url: "postgresql://127.0.0.1:1/metadata_mine".to_owned(),
                data: PathBuf::new(),
            },
        )
        .unwrap();
        assert_eq!(settings.origin, settings::Origin::Catalog);
        let both = ["dev", "--store-metadata", "--database-url", "x", "y"];
        assert!(command().try_get_matches_from(both).is_err());
        assert!(
            command()
                .try_get_matches_from(["dev", "--store-metadata"])
                .is_err()
        );
    }
}
