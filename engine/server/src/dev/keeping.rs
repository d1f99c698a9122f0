//! Where `dev` keeps the metadata it serves. A database of the user's gets nothing that was not asked for: unless it holds
//! metadata already, metadata is kept in a local database that is for it alone.

use std::path::PathBuf;
use std::time::Duration;

use super::Error;

/// How long a database may take to say whether it holds metadata.
const PATIENCE: Duration = Duration::from_secs(10);

/// Longest name of a database, in bytes.
const LONGEST_NAME: usize = 63;

/// Where the metadata is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Keeping {
    /// In a directory, which is watched and never written to.
    Directory(PathBuf),
    /// In the served database.
    Served {
        /// It was there before.
        found: bool,
    },
    /// In a database of our own.
    Local {
        /// Where that is.
        url: String,
        /// The directory of its server.
        data: PathBuf,
    },
}

impl Keeping {
    /// What a person is told of it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Directory(directory) => {
                format!("{} (edit it: changes are served at once)", directory.display())
            }
            Self::Served { found: true } => {
                "the metadata found in your database (schema hdb_catalog); changes of it are stored there"
                    .to_owned()
            }
            Self::Served { found: false } => {
                "your database, with its metadata in a new schema hdb_catalog there, as you asked".to_owned()
            }
            Self::Local { data, .. } => format!(
                "your database; nothing is created in it, metadata is kept in {} (--store-metadata keeps it in yours)",
                data.display()
            ),
        }
    }
}

/// Whether the database at this URL holds metadata. Only looks.
pub(super) async fn holds_metadata(url: &str) -> Result<bool, Error> {
    let target = pg::Target::parse(url).map_err(Error::OwnUrl)?;
    let settings = pg::PoolSettings {
        max_connections: 1,
        pool_timeout: Some(PATIENCE),
        ..pg::PoolSettings::default()
    };
    let store = pg::Store::connect(&target, &settings, "public").map_err(Error::OwnDatabase)?;
    store.is_used().await.map_err(Error::OwnDatabase)
}

/// The name of the local database with the metadata for the database at this URL: the same at every start, another for
/// another database.
pub(super) fn local_name(url: &str) -> Result<String, Error> {
    let target = pg::Target::parse(url).map_err(Error::OwnUrl)?;
    let user = target.user.unwrap_or_default();
    let mut name = format!("metadata_{}", target.database.unwrap_or(user));
    for (host, port) in &target.hosts {
        name.push_str(&format!("_{host}_{port}"));
    }
    let mut name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.len() > LONGEST_NAME {
        // The end tells long names apart that begin alike.
        let checksum = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        name.truncate(LONGEST_NAME - 17);
        name.push_str(&format!("_{checksum:016x}"));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_has_a_local_one() {
        let name = |url: &str| local_name(url).unwrap();
        assert_eq!(
            name("postgresql://me:secret@db.example:5433/mine"),
            "metadata_mine_db_example_5433"
        );
        assert_ne!(name("postgresql://h/a"), name("postgresql://h/b"));
        let long = |end: &str| name(&format!("postgresql://h/{}{end}", "x".repeat(60)));
        assert_eq!(long("a").len(), LONGEST_NAME);
        assert_ne!(long("a"), long("b"));
    }
}
