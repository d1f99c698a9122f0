//! Fetches Postgres programs from Maven Central when none are installed.
//!
//! The archives are the ones of the zonky project, checked against the repository's checksum by
//! `postgresql_embedded`, and kept in the cache directory of the user.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};

use crate::administration::on_runtime;
use crate::place::downloads;
use crate::{Installation, Progress};

/// The release that is fetched when any will do. Pinned, so that everyone gets the same one.
const RELEASE: &str = "17.11.0";

/// Names the zonky archives to `postgresql_embedded`; nothing is fetched from this address itself.
const ARCHIVES: &str = "https://github.com/zonkyio/embedded-postgres-binaries";

/// Fetches the pinned release.
pub(crate) fn newest(progress: &mut dyn FnMut(Progress)) -> Result<Installation, postgresql_embedded::Error> {
    fetch(RELEASE, progress)
}

/// Fetches the newest release of one major version.
pub(crate) fn of_major(
    major: u32,
    progress: &mut dyn FnMut(Progress),
) -> Result<Installation, postgresql_embedded::Error> {
    fetch(&major.to_string(), progress)
}

/// The trees fetched before.
pub(crate) fn kept() -> Vec<PathBuf> {
    let entries = fs::read_dir(downloads()).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.join("bin").is_dir())
        .collect()
}

fn fetch(
    release: &str,
    progress: &mut dyn FnMut(Progress),
) -> Result<Installation, postgresql_embedded::Error> {
    let directory = downloads();
    progress(Progress::Downloading {
        version: release.to_owned(),
        directory: directory.clone(),
    });
    let version = VersionReq::parse(&format!("={release}"))
        .map_err(|error| postgresql_embedded::Error::DatabaseInitializationError(error.to_string()))?;
    fs::create_dir_all(&directory)?;

    // `setup` fetches and unpacks, then runs initdb unless the data directory looks initialised. We run initdb
    // ourselves (as another user, if we are root), so it is shown a directory that looks so.
    let pretended = directory.join(format!("pretended-{}", std::process::id()));
    fs::create_dir_all(&pretended)?;
    fs::write(pretended.join("postgresql.conf"), "")?;
    let settings = settings(version, directory, pretended.clone());
    let outcome = on_runtime(async move {
        let mut postgres = PostgreSQL::new(settings);
        postgres
            .setup()
            .await
            .map(|()| postgres.settings().installation_dir.clone())
    });
    // What is left of the pretence harms nobody.
    let _ = fs::remove_dir_all(&pretended);
    let tree = match outcome {
        Ok(result) => result?,
        Err(error) => {
            return Err(postgresql_embedded::Error::DatabaseInitializationError(
                error.to_string(),
            ));
        }
    };
    // The archive is unpacked into a directory closed to others; the server may run as someone else.
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o755))?;
    Installation::at(&tree.join("bin")).ok_or_else(|| {
        postgresql_embedded::Error::DatabaseInitializationError(format!(
            "the programs downloaded to {} do not run on this machine",
            tree.display()
        ))
    })
}

fn settings(version: VersionReq, installation_dir: PathBuf, data_dir: PathBuf) -> Settings {
    // `Settings::new` would leave two temporary directories behind at each call.
    Settings {
        releases_url: ARCHIVES.to_owned(),
        version,
        installation_dir,
        password_file: data_dir.join("password"),
        data_dir,
        host: String::new(),
        port: 0,
        username: String::new(),
        password: String::new(),
        temporary: false,
        timeout: None,
        configuration: HashMap::new(),
        trust_installation_dir: false,
        socket_dir: None,
    }
}
