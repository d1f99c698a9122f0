//! `rowlock-operator`: parse the settings, run, exit status; nothing else.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use crd::Kind;
use operator::settings::{Arguments, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(settings) => {
            operator::run::run(*settings).map_err(|error| operator::observe::chain(&error))
        }
        Command::Crds => crds(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "rowlock-operator: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the definitions of all kinds.
fn crds() -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    for &kind in Kind::ALL {
        let text = crd::definition::yaml(kind).map_err(|error| operator::observe::chain(&error))?;
        out.write_all(text.as_bytes())
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
