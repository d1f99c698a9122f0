//! Where things are kept on this machine.

use std::env;
use std::path::{Path, PathBuf};

use crate::account::running_as_root;

/// Downloaded servers: `$XDG_CACHE_HOME/rowlock/postgres` or `~/.cache/rowlock/postgres`.
pub(crate) fn downloads() -> PathBuf {
    base("XDG_CACHE_HOME", ".cache", "/var/cache").join("rowlock/postgres")
}

/// Where data that should survive is best kept: `$XDG_DATA_HOME/rowlock` or `~/.local/share/rowlock`.
#[must_use]
pub fn data_home() -> PathBuf {
    base("XDG_DATA_HOME", ".local/share", "/var/lib").join("rowlock")
}

/// For root a place that other users may enter, because the server runs as one; root's home is closed to them.
fn base(variable: &str, in_home: &str, for_root: &str) -> PathBuf {
    if running_as_root() {
        return PathBuf::from(for_root);
    }
    let given = env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute());
    let found = given.or_else(|| env::home_dir().map(|home| home.join(in_home)));
    found.as_deref().map_or_else(env::temp_dir, Path::to_owned)
}
