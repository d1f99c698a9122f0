//! Settings that are secrets or say where secrets come from, and those that may change while the program runs.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::rotation::{Rotated, rotated};
use super::value::{self, list, number};
use super::{Environment, Error, Given, Secret};
use crate::settings::list::ALL;
use crate::settings::{SecretFile, Secrets, command_line};

/// The variables of a folder with a file for each, as Kubernetes mounts a Secret.
pub fn mounted(folder: &Path) -> Result<Vec<(String, String)>, value::Error> {
    let unreadable =
        |error: std::io::Error| value::Error::Other(format!("the folder cannot be read: {error}"));
    let mut variables = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // What begins so is how the files are exchanged all at once.
        if name.starts_with("..") || !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        if let Ok(value) = String::from_utf8(bytes) {
            variables.push((name.to_owned(), value));
        }
    }
    Ok(variables)
}

/// Settings that are read again when the variables change.
#[derive(Clone)]
pub struct Changeable {
    matches: ArgMatches,
}

impl Changeable {
    pub(super) fn new(matches: ArgMatches) -> Self {
        Self { matches }
    }

    /// Who may ask, by these variables; by the last ones, where a setting is wrong.
    ///
    /// # Errors
    /// The last variables are wrong themselves.
    pub fn authentication(&self, environment: &Environment, last: &Environment) -> Result<Rotated, Error> {
        rotated(&self.matches, environment, last)
    }

    /// The token of the admin API, by these variables.
    ///
    /// # Errors
    /// It is empty.
    pub fn admin_token(&self, environment: &Environment) -> Result<Option<Secret>, Error> {
        Given::new(&self.matches, environment).admin_token()
    }
}

impl fmt::Debug for Changeable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The command line may hold secrets.
        out.write_str("Changeable")
    }
}

impl Given<'_> {
    pub(super) fn secrets(&self) -> Result<Secrets, Error> {
        Ok(Secrets {
            folder: self
                .parsed("ROWLOCK_SECRETS_DIR", value::text)?
                .map(PathBuf::from),
            name: self.parsed("ROWLOCK_SECRETS_NAME", value::text)?,
            below: Environment::default(),
        })
    }

    pub(super) fn secret_files(&self) -> Result<Vec<SecretFile>, Error> {
        const KEY: &str = "ROWLOCK_SECRET_FILES";
        let Some(value) = self.text(KEY) else {
            return Ok(Vec::new());
        };
        let given = ALL.iter().find(|setting| setting.key == KEY);
        let flags = given.map(|setting| command_line::every(self.matches, setting));
        let texts = match flags {
            Some(flags) if !flags.is_empty() => flags,
            _ => list(value.text).collect(),
        };
        let files = texts.into_iter().map(|text| match text.split_once('=') {
            Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok(SecretFile {
                name: name.to_owned(),
                file: file.into(),
            }),
            _ => {
                let expected = format!("expecting NAME=FILE, but got {text:?}");
                Err(value.wrong(value::Error::Other(expected)))
            }
        });
        files.collect()
    }

    fn admin_token(&self) -> Result<Option<Secret>, Error> {
        Ok(self.parsed("ROWLOCK_ADMIN_TOKEN", value::text)?.map(Secret::new))
    }

    pub(super) fn admin_port(&self) -> Result<Option<u16>, Error> {
        let port = self.parsed("ROWLOCK_ADMIN_PORT", |text| number(text, 0, 65535))?;
        let watched = self.text("ROWLOCK_SECRETS_NAME").is_some();
        // A watched Secret may bring the token later.
        let token = self.admin_token()?;
        if port.is_some() && token.is_none() && !watched {
            return Err(Error::Rule(
                "--admin-port (ROWLOCK_ADMIN_PORT) needs the variable ROWLOCK_ADMIN_TOKEN",
            ));
        }
        Ok(port.and_then(|port| u16::try_from(port).ok()))
    }
}
