//! Finds the Postgres programs of this machine.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Error, Progress, download};

/// What a server needs; client programs (`psql`, `createdb`) are not needed.
const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Where packages put versioned trees: each entry's children (or the entry's `name*` children) have a `bin`.
const VERSIONED: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/usr/libexec", "postgresql"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// Where packages put one tree.
const SINGLE: [&str; 2] = ["/usr/local/pgsql/bin", "/usr/local/bin"];

/// The oldest major version that is used when found; Hasura v2 asks for the same.
const OLDEST: u32 = 12;

/// A Postgres version, as `postgres --version` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 15 in 15.4.
    pub major: u32,
    /// 4 in 15.4; 0 for a development or beta version.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

/// A directory with the server programs of one Postgres version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    programs: PathBuf,
    version: Version,
}

impl Installation {
    /// The newest installed server, else the newest downloaded before, else a freshly downloaded one. An installed
    /// one comes first whatever its version: it has the extensions that its packages brought.
    ///
    /// # Errors
    /// [`Error::NoPostgres`] when nothing is installed and the download fails.
    pub fn find_or_download(progress: &mut dyn FnMut(Progress)) -> Result<Self, Error> {
        match Self::find_all().pop() {
            Some(found) => {
                progress(Progress::Found {
                    version: found.version,
                    programs: found.programs.clone(),
                });
                Ok(found)
            }
            None => download::newest(progress).map_err(|error| Error::NoPostgres(Box::new(error))),
        }
    }

    /// The newest installed server of one major version, else a downloaded one: for data that this version made.
    pub(crate) fn of_major(
        major: u32,
        data: &Path,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        let found = Self::find_all()
            .into_iter()
            .rfind(|installation| installation.version.major == major);
        if let Some(found) = found {
            progress(Progress::Found {
                version: found.version,
                programs: found.programs.clone(),
            });
            return Ok(found);
        }
        download::of_major(major, progress).map_err(|source| Error::WrongMajor {
            directory: data.to_owned(),
            major,
            source: Box::new(source),
        })
    }

    /// Every server on this machine, the best last: downloaded ones, then installed ones, each oldest first.
    #[must_use]
    pub fn find_all() -> Vec<Self> {
        let mut found = sorted(download::kept().iter().map(|directory| directory.join("bin")));
        found.extend(sorted(candidates().into_iter()));
        found
    }

    /// The installation whose programs are in this directory, if all are there and run.
    #[must_use]
    pub fn at(programs: &Path) -> Option<Self> {
        if !PROGRAMS.iter().all(|name| programs.join(name).is_file()) {
            return None;
        }
        let output = Command::new(programs.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let version = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        (version.major >= OLDEST).then(|| Self {
            programs: programs.to_owned(),
            version,
        })
    }

    /// The version of the server.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The path of one of its programs, which may be missing if it is a client program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

fn sorted(directories: impl Iterator<Item = PathBuf>) -> Vec<Installation> {
    let mut found: Vec<_> = directories
        .filter_map(|programs| Installation::at(&programs))
        .collect();
    found.sort_by_key(|installation| installation.version);
    found
}

/// Directories that may hold server programs, each once.
fn candidates() -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut add = |path: PathBuf| {
        // A link on PATH leads to the real tree, beside which Postgres looks for its files.
        let server = path.join("postgres").canonicalize();
        if let Some(real) = server.ok().as_deref().and_then(Path::parent) {
            found.insert(real.to_owned());
        }
    };
    for directory in env::var_os("PATH").iter().flat_map(env::split_paths) {
        if directory.join("postgres").is_file() {
            add(directory.clone());
        }
    }
    if let Ok(output) = Command::new("pg_config")
        .arg("--bindir")
        .stdin(Stdio::null())
        .output()
    {
        add(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for (parent, prefix) in VERSIONED {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                add(entry.path().join("bin"));
            }
        }
    }
    for directory in SINGLE {
        add(PathBuf::from(directory));
    }
    found
}

/// `postgres (PostgreSQL) 15.4 (Debian 15.4-1)` → 15.4; `17beta1` → 17.0.
fn parse_version(text: &str) -> Option<Version> {
    let word = text
        .split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let mut parts = word.split('.');
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>();
    let major = digits(parts.next()?).parse().ok()?;
    let minor = parts
        .next()
        .and_then(|part| digits(part).parse().ok())
        .unwrap_or(0);
    Some(Version { major, minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions() {
        let parse = |text| parse_version(text).map(|version| (version.major, version.minor));
        assert_eq!(
            parse("postgres (PostgreSQL) 15.4 (Debian 15.4-1)\n"),
            Some((15, 4))
        );
        assert_eq!(parse("postgres (PostgreSQL) 17.11"), Some((17, 11)));
        assert_eq!(parse("postgres (PostgreSQL) 18beta2"), Some((18, 0)));
        assert_eq!(parse("not postgres"), None);
    }

    #[test]
    fn a_directory_without_programs_is_no_installation() {
        assert_eq!(Installation::at(Path::new("/")), None);
    }
}
