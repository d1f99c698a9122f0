//! The command line of `dev`, and what it means to `serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::keeping::Keeping;
use crate::settings::Environment;

/// The variable that the sample's metadata takes its database from, as any Hasura metadata may.
const DATABASE_VARIABLE: &str = "HASURA_GRAPHQL_DATABASE_URL";

/// What the subcommand is for.
pub(crate) const ABOUT: &str = "Start a Postgres with a sample database and serve it, to try things out";

/// What `dev` was told.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// Address to listen on.
    pub(super) host: IpAddr,
    /// Port to listen on.
    pub(super) port: u16,
    /// Which database is served.
    pub(super) database: Database,
    /// Where the local Postgres keeps its data.
    pub(super) data: PathBuf,
    /// Metadata is stored in a database of the user's.
    pub(super) store_metadata: bool,
    /// Custom resources or a Hasura metadata directory instead of the sample's.
    pub(super) directory: Option<PathBuf>,
    /// Secrets from files, as `serve` takes them.
    pub(super) secrets: Vec<String>,
    /// The `Engine` that is served, where the directory has several.
    pub(super) engine: Option<String>,
    /// With one, requests without it are refused.
    pub(super) admin_secret: Option<String>,
}

/// Which database is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Database {
    /// The sample, on a server of our own.
    Sample,
    /// One of the user's, by URL.
    Own(String),
}

/// The command line of `dev`. It is parsed apart from the one of `serve`, whose `--host` and `--port` are the
/// database's, as in Hasura.
pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    Command::new("dev")
        .bin_name("rowlock dev")
        .about(ABOUT)
        .arg(
            option("port", "PORT", "Port to listen on")
                .value_parser(value_parser!(u16))
                .default_value("8080"),
        )
        .arg(
            option("host", "ADDRESS", "Address to listen on")
                .value_parser(value_parser!(IpAddr))
                .default_value("127.0.0.1"),
        )
        .arg(option(
            "database-url",
            "URL",
            "Serve this database instead of the sample; nothing is created in it",
        ))
        .arg(
            Arg::new("store-metadata")
                .long("store-metadata")
                .action(ArgAction::SetTrue)
                .requires("database-url")
                .conflicts_with("directory")
                .help(
                    "Store metadata in the served database (schema hdb_catalog), as `rowlock serve` does, instead of \
                     in a local one",
                ),
        )
        .arg(
            Arg::new("directory")
                .value_name("DIR")
                .help("Serve the custom resources (or the Hasura metadata directory) in this folder; it is watched")
                .value_parser(value_parser!(PathBuf)),
        )
        .arg(
            option(
                "secret",
                "NAME=FILE",
                "A Secret that custom resources refer to: a manifest, or lines of KEY=VALUE",
            )
            .action(ArgAction::Append),
        )
        .arg(
            option(
                "engine",
                "[NAMESPACE/]NAME",
                "The Engine that is served, where the custom resources have several",
            )
            .requires("directory"),
        )
        .arg(
            option(
                "data",
                "DIRECTORY",
                "Where the local Postgres keeps its data [default: in your data directory]",
            )
            .value_parser(value_parser!(PathBuf)),
        )
        .arg(option(
            "admin-secret",
            "SECRET",
            "Refuse requests without this secret",
        ))
}

impl Options {
    pub(super) fn read(matches: &ArgMatches) -> Self {
        let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        Self {
            // Both have defaults in the command.
            host: matches
                .get_one("host")
                .copied()
                .unwrap_or(IpAddr::from([127, 0, 0, 1])),
            port: matches.get_one("port").copied().unwrap_or(8080),
            database: text("database-url").map_or(Database::Sample, Database::Own),
            data: path("data").unwrap_or_else(|| embedded::data_home().join("dev")),
            store_metadata: matches.get_flag("store-metadata"),
            directory: path("directory"),
            secrets: matches
                .get_many("secret")
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            engine: text("engine"),
            admin_secret: text("admin-secret"),
        }
    }
}

/// What stands for the Secret that the sample's `Source` refers to.
fn sample_variable() -> String {
    let secret = compile::SecretKey {
        namespace: crate::directory::NAMESPACE.to_owned(),
        name: "record-shop-database".to_owned(),
        key: "uri".to_owned(),
    };
    secret.variable()
}

/// The command line and the variables for `serve`. Variables of the process hold where `dev` does not decide.
pub(super) fn of_serve(
    options: &Options,
    environment: &Environment,
    url: &str,
    keeping: &Keeping,
) -> (Vec<String>, Environment) {
    let mut arguments = vec![
        "rowlock".to_owned(),
        "serve".to_owned(),
        format!("--server-host={}", options.host),
        format!("--server-port={}", options.port),
    ];
    if let Some(secret) = &options.admin_secret {
        arguments.push(format!("--admin-secret={secret}"));
    }
    arguments.extend(options.secrets.iter().map(|secret| format!("--secret={secret}")));
    arguments.extend(options.engine.iter().map(|engine| format!("--engine={engine}")));
    match keeping {
        Keeping::Directory(directory) => {
            arguments.push(format!("--origin=directory:{}", directory.display()));
        }
        Keeping::Served { .. } => {}
        Keeping::Local { url, .. } => arguments.push(format!("--metadata-database-url={url}")),
    }
    let mut variables: Vec<(String, String)> = vec![
        (DATABASE_VARIABLE.to_owned(), url.to_owned()),
        (sample_variable(), url.to_owned()),
    ];
    // Errors say what is behind them, and requests that succeed do not fill the screen.
    for (name, value) in [
        ("HASURA_GRAPHQL_DEV_MODE", "true"),
        ("HASURA_GRAPHQL_LOG_LEVEL", "error"),
    ] {
        if environment.get(name).is_none() {
            variables.push((name.to_owned(), value.to_owned()));
        }
    }
    (arguments, environment.with(variables))
}
