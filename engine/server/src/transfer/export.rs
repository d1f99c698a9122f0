//! `rowlock export`: custom resources become a document or a metadata directory.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use compile::NotCarried;

use super::import::write;
use super::{Error, text, told};
use crate::directory;
use crate::generation::source_state::describe;

/// Runs the command.
///
/// # Errors
/// Nothing was written, or not all files could be.
pub fn export(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let from = text(matches, "resources").unwrap_or_default();
    let wrong = |message: String| Error::Source {
        what: from.to_owned(),
        message,
    };
    let files = files(from).map_err(wrong)?;
    let (snapshot, findings) = directory::snapshot_of(&files, text(matches, "engine")).map_err(wrong)?;
    let exported = compile::export(&snapshot);
    let mut not_carried: Vec<NotCarried> = findings
        .into_iter()
        .map(|finding| NotCarried {
            // Objects by their names, as in what follows; else where it stands.
            path: finding
                .object
                .or_else(|| finding.place.map(|place| place.to_string()))
                .unwrap_or_default(),
            reason: finding.message,
        })
        .collect();
    not_carried.extend(exported.not_carried);
    match text(matches, "out") {
        Some(folder) => {
            super::import::refuse_files(Path::new(folder))?;
            for (name, content) in metadata::directory::to_files(&exported.document)? {
                write(&Path::new(folder).join(name), &content)?;
            }
        }
        None => {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{:#}", exported.document.to_json());
        }
    }
    Ok(told(&not_carried))
}

fn files(from: &str) -> Result<BTreeMap<String, String>, String> {
    if from == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| error.to_string())?;
        return Ok(BTreeMap::from([("standard input".to_owned(), text)]));
    }
    if Path::new(from).is_dir() {
        return metadata::directory::walk(Path::new(from)).map_err(|error| describe(&error));
    }
    let text = std::fs::read_to_string(from).map_err(|error| error.to_string())?;
    Ok(BTreeMap::from([(from.to_owned(), text)]))
}
