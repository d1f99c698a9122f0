//! Who runs the server: ourselves, or an unprivileged user when we are root, because Postgres refuses root.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::Error;

/// The user that owns the data directory and runs the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// The user of this process.
    Own,
    /// Another user, as this process is root.
    Other {
        /// Login name, for messages.
        name: String,
        /// Numeric user.
        uid: u32,
        /// Numeric primary group.
        gid: u32,
    },
}

/// Tried in this order when we are root: Postgres packages create the first, every Unix has the second.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

impl Account {
    /// Decides who runs the server.
    pub(crate) fn choose() -> Result<Self, Error> {
        if !running_as_root() {
            return Ok(Self::Own);
        }
        let path = Path::new("/etc/passwd");
        let table = fs::read_to_string(path).map_err(Error::file("read", path))?;
        from_table(&table).ok_or(Error::NoAccount)
    }

    /// Makes `command` run as this user.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Other { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Hands a file or directory over to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid, .. } => {
                chown(path, Some(*uid), Some(*gid)).map_err(Error::file("change the owner of", path))
            }
        }
    }

    /// Checks that this user may pass through every directory above `path`. Without it Postgres fails with a message
    /// about its own files that does not name the closed directory.
    pub(crate) fn check_reach(&self, path: &Path) -> Result<(), Error> {
        let Self::Other { name, uid, gid } = self else {
            return Ok(());
        };
        for directory in path.ancestors().skip(1) {
            let Ok(found) = fs::metadata(directory) else {
                continue;
            };
            let bits = found.permissions().mode();
            let open = bits & 0o001 != 0
                || (found.gid() == *gid && bits & 0o010 != 0)
                || (found.uid() == *uid && bits & 0o100 != 0);
            if !open {
                return Err(Error::Unreachable {
                    user: name.clone(),
                    directory: directory.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whether this process is root. `/proc/self` belongs to the effective user; where there is no `/proc`, `id` tells.
pub(crate) fn running_as_root() -> bool {
    if let Ok(found) = fs::metadata("/proc/self") {
        return found.uid() == 0;
    }
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn from_table(table: &str) -> Option<Account> {
    CANDIDATES.iter().find_map(|wanted| {
        table.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| name == wanted)?.to_owned();
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some(Account::Other { name, uid, gid })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_postgres_over_nobody() {
        let table = "root:x:0:0::/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(
            from_table(table),
            Some(Account::Other {
                name: "postgres".into(),
                uid: 101,
                gid: 104
            })
        );
        let table = "root:x:0:0::/root:/bin/bash\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(
            from_table(table),
            Some(Account::Other {
                name: "nobody".into(),
                uid: 65534,
                gid: 65533
            })
        );
        assert_eq!(
            from_table("root:x:0:0::/root:/bin/bash\nbroken\nnobody:x:q:1::\n"),
            None
        );
    }

    #[test]
    fn names_the_closed_directory() {
        let parent = Path::new("/tmp").join(format!("rowlock-account-{}", std::process::id()));
        let inner = parent.join("inner");
        fs::create_dir_all(&inner).unwrap();
        fs::set_permissions(&parent, fs::Permissions::from_mode(0o700)).unwrap();
        let account = Account::Other {
            name: "someone".into(),
            uid: 4_000_000,
            gid: 4_000_000,
        };
        let refused = account.check_reach(&inner);
        fs::set_permissions(&parent, fs::Permissions::from_mode(0o755)).unwrap();
        let allowed = account.check_reach(&inner);
        fs::remove_dir_all(&parent).unwrap();
        assert!(matches!(refused, Err(Error::Unreachable { directory, .. }) if directory == parent));
        assert!(allowed.is_ok(), "{allowed:?}");
    }
}
