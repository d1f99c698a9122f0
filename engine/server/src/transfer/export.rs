//! `rowlock export`: custom resources become a document or a metadata directory.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use compile::NotCarried;
use metadata::Document;

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
            let files = metadata::directory::to_files(&exported.document)?;
            not_carried.extend(lost(&exported.document, &files));
            for (name, content) in files {
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

/// What the files do not give back: a directory has no place for arguments of the fields of types, say.
fn lost(document: &Document, files: &BTreeMap<String, String>) -> Vec<NotCarried> {
    let not_carried = |path: String, reason: String| NotCarried { path, reason };
    let read = metadata::directory::from_files(files).map_err(|error| describe(&error));
    let read = read.and_then(|value| {
        Document::parse(&value).map_err(|error| format!("{}: {}", error.path, error.message))
    });
    match read {
        Ok((again, _)) => metadata::json::differences(&document.to_json(), &again.to_json())
            .into_iter()
            .map(|path| {
                let reason = "a metadata directory does not hold it as it is";
                not_carried(path.to_string(), reason.to_owned())
            })
            .collect(),
        Err(message) => {
            let reason = format!("it cannot be read as it is: {message}");
            vec![not_carried("the metadata directory".to_owned(), reason)]
        }
    }
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
