//! The program: settings, the parts in order, and the way out.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::ArgMatches;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::dev;
use crate::generation::source_state::describe;
use crate::http::listener;
use crate::observe::{Event, Observer};
use crate::settings::{self, Environment, Settings, command_line};
use crate::state::{StartError, State};
use crate::transfer;

/// How long background work may take to notice that the program has ended.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// Why the program ends with a status other than 0.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// The runtime could not be made.
    #[error("cannot start the runtime")]
    Runtime(#[source] std::io::Error),
    /// A metric could not be made.
    #[error("cannot set up metrics")]
    Metrics(#[from] prometheus::Error),
    /// The metadata cannot be had.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nobody can connect.
    #[error(transparent)]
    Listen(#[from] listener::Error),
    /// Signals cannot be received.
    #[error("cannot wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    // `dev` has a command line of its own: among the flags of `serve`, `--port` is the database's.
    if std::env::args_os().nth(1).is_some_and(|word| word == "dev") {
        return match dev::main(std::env::args_os().skip(1), &environment) {
            Err(dev::Error::Arguments(error)) => told_by_the_parser(&error),
            outcome => exit_code(outcome),
        };
    }
    let matches = match command_line::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return told_by_the_parser(&error),
    };
    let outcome = match matches.subcommand_name() {
        Some("version") => {
            let _ = writeln!(std::io::stdout(), "rowlock {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Some("import") => return transferred(matches.subcommand_matches("import").map(transfer::import)),
        Some("export") => return transferred(matches.subcommand_matches("export").map(transfer::export)),
        _ => serve(&matches, &environment),
    };
    exit_code(outcome)
}

/// Help that was asked for, or what is wrong with the arguments.
fn told_by_the_parser(error: &clap::Error) -> ExitCode {
    let asked_for = !error.use_stderr();
    let _ = error.print();
    if asked_for {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn transferred(outcome: Option<Result<ExitCode, transfer::Error>>) -> ExitCode {
    match outcome {
        Some(Ok(code)) => code,
        Some(Err(error)) => exit_code(Err(error)),
        None => ExitCode::FAILURE,
    }
}

fn exit_code<E: std::error::Error + 'static>(outcome: Result<(), E>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "Fatal Error:- {}", describe(&error));
            ExitCode::FAILURE
        }
    }
}

/// `rowlock serve`
fn serve(matches: &ArgMatches, environment: &Environment) -> Result<(), Error> {
    let settings = settings::reader::read(matches, environment)?;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let (stop, stopped) = watch::channel(false);
        let signals = signals(stop)?;
        tokio::spawn(signals);
        serve_until(Arc::new(settings), stopped, |_| {}).await
    });
    // What is still going on has had its time.
    runtime.shutdown_timeout(LAST_PATIENCE);
    served
}

/// A runtime with a worker per core.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("rowlock")
        .build()
        .map_err(Error::Runtime)
}

/// Serves until `stop` turns true and requests in flight are done. `listening` learns the address.
pub async fn serve_until(
    settings: Arc<Settings>,
    stop: watch::Receiver<bool>,
    listening: impl FnOnce(std::net::SocketAddr),
) -> Result<(), Error> {
    let observer = Observer::new(&settings)?;
    announce(&settings, &observer);
    // A port that is taken is found out before anything is done to a database.
    let listener = listener::bind(&settings.http.host, settings.http.port).await?;
    let address = listener.local_addr().map_err(|error| listener::Error::Bind {
        address: format!("{}:{}", settings.http.host, settings.http.port),
        reason: error.to_string(),
    })?;
    let admin = match settings.admin_port {
        Some(port) => Some(listener::bind(&settings.http.host, port).await?),
        None => None,
    };
    let state = State::start(settings, observer.clone()).await?;
    state.spawn_followers(&stop).await?;
    observer.emit(Event::Startup {
        kind: "server",
        info: json!({"message": "starting API server", "address": address.to_string()}),
    });
    if let Some(admin) = admin {
        let address = admin.local_addr().map(|address| address.to_string());
        observer.emit(Event::Startup {
            kind: "admin",
            info: json!({"message": "starting admin API", "admin_address": address.unwrap_or_default()}),
        });
        tokio::spawn(crate::admin::serve(Arc::clone(&state), admin, stop.clone()));
    }
    listening(address);
    listener::serve(state, listener, stop).await;
    observer.emit(Event::Startup {
        kind: "server",
        info: json!({"message": "the server has stopped"}),
    });
    observer.flush();
    Ok(())
}

/// Says what the server was told, and what of it has no effect or is unsafe.
fn announce(settings: &Settings, observer: &Observer) {
    observer.emit(Event::Startup {
        kind: "server_configuration",
        info: json!({
            "version": env!("CARGO_PKG_VERSION"),
            "host": settings.http.host,
            "port": settings.http.port,
            "origin": settings.origin.to_string(),
            "secrets_dir": settings.secrets.folder,
            "secrets_name": settings.secrets.name,
            "admin_secret_set": !settings.authentication.admin_secrets.is_empty(),
            "jwt_secrets": settings.authentication.jwt.len(),
            "auth_hook_set": settings.authentication.hook.is_some(),
            "unauthorized_role": settings.authentication.unauthorized_role,
            "dev_mode": settings.dev_mode,
            "stringify_numeric_types": settings.schema.stringify_numeric_types,
            "experimental_features": settings.schema.experimental_features,
        }),
    });
    for (setting, reason) in &settings.warnings {
        observer.emit(Event::StartupWarning {
            kind: "env_variables",
            message: format!("{setting}: {reason}"),
        });
    }
    if settings.authentication.admin_secrets.is_empty() {
        observer.emit(Event::StartupWarning {
            kind: "no_admin_secret",
            message: "no admin secret is set (HASURA_GRAPHQL_ADMIN_SECRET): everybody who reaches this server is an admin"
                .to_owned(),
        });
    }
}

/// Turns `stop` true on SIGTERM or SIGINT. A second signal ends the process at once, as somebody is waiting for it.
pub fn signals(stop: watch::Sender<bool>) -> Result<impl Future<Output = ()>, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::Signals)?;
    Ok(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                let _ = stop.send(true);
            } else {
                std::process::exit(1);
            }
        }
    })
}
