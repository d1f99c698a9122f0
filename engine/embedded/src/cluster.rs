//! A data directory and what stands beside it: password and log.
//!
//! ```text
//! base/            owned by the user that runs the server, closed to others
//!   data/          what initdb makes
//!   password       of the superuser `postgres`
//!   postgres.log   of the last start
//! ```

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::supervisor::clean_environment;
use crate::{Error, Installation, Progress};

/// The superuser that initdb creates.
pub(crate) const SUPERUSER: &str = "postgres";

/// How many lines of the log go into an error.
const LOG_LINES: usize = 15;

/// A base directory, which may not be initialised yet.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    base: PathBuf,
}

/// Whether what is written must survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It must.
    Safe,
    /// It need not: nothing is flushed to disk.
    None,
}

impl Cluster {
    /// Makes the base directory and hands it to `account`.
    pub(crate) fn prepare(base: &Path, account: &Account) -> Result<Self, Error> {
        if !base.exists() {
            if let Some(parent) = base.parent() {
                fs::create_dir_all(parent).map_err(Error::file("create", parent))?;
            }
            fs::DirBuilder::new()
                .mode(0o700)
                .create(base)
                .map_err(Error::file("create", base))?;
        }
        let base = base.canonicalize().map_err(Error::file("read", base))?;
        account.check_reach(&base)?;
        account.own(&base)?;
        Ok(Self { base })
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.base.join("postgres.log")
    }

    /// The major version that made the data, if there is any.
    pub(crate) fn major(&self) -> Option<u32> {
        fs::read_to_string(self.data().join("PG_VERSION"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// The superuser's password.
    pub(crate) fn password(&self) -> Result<String, Error> {
        let path = self.base.join("password");
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        Ok(text.trim().to_owned())
    }

    /// Runs initdb unless there is data already.
    pub(crate) fn initialize(
        &self,
        installation: &Installation,
        account: &Account,
        durability: Durability,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(), Error> {
        if self.major().is_some() {
            return Ok(());
        }
        progress(Progress::Initializing {
            directory: self.data(),
        });
        self.write_password(account)?;
        // C.UTF-8 sorts by code point and knows upper and lower case of all letters, the same on every machine;
        // where the C library lacks it, plain C is next best.
        let first = self.run_initdb(installation, account, durability, &["--locale=C.UTF-8"])?;
        let Err(first) = first else { return Ok(()) };
        match self.run_initdb(installation, account, durability, &["--no-locale"])? {
            Ok(()) => Ok(()),
            Err(_) => Err(Error::Initialize { output: first }),
        }
    }

    fn write_password(&self, account: &Account) -> Result<(), Error> {
        let path = self.base.join("password");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::file("create", &path))?;
        file.write_all(random_word().as_bytes())
            .map_err(Error::file("write", &path))?;
        account.own(&path)
    }

    fn run_initdb(
        &self,
        installation: &Installation,
        account: &Account,
        durability: Durability,
        locale: &[&str],
    ) -> Result<Result<(), String>, Error> {
        let program = installation.program("initdb");
        let mut command = Command::new(&program);
        command
            .arg("--pgdata")
            .arg(self.data())
            .args(["--username", SUPERUSER, "--encoding=UTF8"]);
        // `password`: the server listens on the loopback interface alone, where nobody but root can listen in, and
        // tests that connect a thousand times are spared a thousand key derivations.
        command
            .args(["--auth=password", "--lc-messages=C", "--pwfile"])
            .arg(self.base.join("password"));
        command.args(locale);
        if durability == Durability::None {
            command.arg("--no-sync");
        }
        clean_environment(&mut command);
        account.apply(&mut command);
        command.current_dir(&self.base).stdin(Stdio::null());
        let output = command
            .output()
            .map_err(|source| Error::Spawn { program, source })?;
        if output.status.success() {
            return Ok(Ok(()));
        }
        let text = [output.stdout, output.stderr].concat();
        Ok(Err(String::from_utf8_lossy(&text).trim().to_owned()))
    }
}

/// The last lines of a server's log. Read through a handle that was opened before the server started, because a
/// temporary directory goes with its server.
pub(crate) fn log_tail(log: &mut fs::File) -> String {
    let mut bytes = Vec::new();
    if log.rewind().and_then(|()| log.read_to_end(&mut bytes)).is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

/// Digits nobody can guess.
pub(crate) fn random_word() -> String {
    let mut bytes = [0_u8; 16];
    let filled = fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    if filled.is_err() {
        // Hash keys come from the operating system too.
        for half in bytes.chunks_mut(8) {
            half.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
        }
    }
    u128::from_ne_bytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_words_differ() {
        assert_ne!(random_word(), random_word());
        assert!(random_word().len() > 20, "2^-60 of all words are shorter");
    }
}
