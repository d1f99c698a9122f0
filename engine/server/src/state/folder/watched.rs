//! What the system tells of changes in a folder, and in files of Secrets wherever they are. It tells nothing of a link that
//! leads elsewhere, nor of a folder by a name that another one had: who watches also looks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::settings::SecretFile;

/// What is watched: a folder, and files of Secrets wherever they are.
#[derive(Debug)]
struct Files {
    folder: PathBuf,
    secrets: Vec<PathBuf>,
}

/// The name that a mounted volume's files change by, all at once.
const MOUNTED: &str = "..data";

impl Files {
    fn new(folder: &Path, secrets: &[SecretFile]) -> Self {
        // As the watcher names what changed: a folder that is watched by two names is told of by one of them.
        let real = |path: &Path| {
            let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            path.canonicalize().unwrap_or_else(|_| absolute())
        };
        // The file itself may be a link that leads elsewhere tomorrow.
        let named = |file: &Path| {
            let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
            match (absolute.parent(), absolute.file_name()) {
                (Some(parent), Some(name)) => real(parent).join(name),
                _ => absolute,
            }
        };
        Self {
            folder: real(folder),
            secrets: secrets.iter().map(|secret| named(&secret.file)).collect(),
        }
    }

    /// The folders that have to be watched for the files: one that is replaced is another file by the same name.
    fn beside(&self) -> BTreeSet<PathBuf> {
        let folders = self.secrets.iter().filter_map(|file| file.parent());
        let beside = folders.filter(|folder| !folder.starts_with(&self.folder));
        beside.map(Path::to_owned).collect()
    }

    /// Whether a change at these paths may change what is served.
    fn concern(&self, paths: &[PathBuf]) -> bool {
        let is_wanted = |path: &PathBuf| {
            path.starts_with(&self.folder)
                || self.secrets.contains(path)
                || path.file_name().is_some_and(|name| name == MOUNTED)
        };
        // An event without a path says that some were lost.
        paths.is_empty() || paths.iter().any(is_wanted)
    }
}

/// Watches the folder, and files of Secrets, where they are now. Changes are told until what is given is dropped.
///
/// # Errors
/// The folder cannot be watched, or not all that is beside it.
pub(super) fn watch(
    folder: &Path,
    secrets: &[SecretFile],
    signal: &mpsc::Sender<()>,
) -> (Option<RecommendedWatcher>, Result<(), notify::Error>) {
    let wanted = Files::new(folder, secrets);
    let (watched, beside) = (wanted.folder.clone(), wanted.beside());
    let signal = signal.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files is an event too.
        let is_change = |event: notify::Event| !event.kind.is_access() && wanted.concern(&event.paths);
        if event.map_or(true, is_change) {
            // One waiting signal is as good as many.
            let _ = signal.try_send(());
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => return (None, Err(error)),
    };
    let mut all = watcher.watch(&watched, RecursiveMode::Recursive);
    for folder in beside {
        // The rest is watched nevertheless.
        all = all.and(watcher.watch(&folder, RecursiveMode::NonRecursive));
    }
    (Some(watcher), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_secrets_concern_it_and_their_neighbours_do_not() {
        let secret = |file: &str| SecretFile {
            name: "database".to_owned(),
            file: file.into(),
        };
        let files = Files::new(
            Path::new("/shop"),
            &[
                secret("/run/one/uri"),
                secret("/run/other/uri"),
                secret("/shop/uri"),
            ],
        );
        let beside: Vec<_> = files.beside().into_iter().collect();
        assert_eq!(beside, [Path::new("/run/one"), Path::new("/run/other")]);
        let concern = |paths: &[&str]| files.concern(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        for path in ["/shop/tables/album.yaml", "/run/one/uri", "/run/other/..data"] {
            assert!(concern(&["/run/one/neighbour", path]), "{path}");
        }
        assert!(concern(&[]), "some were lost");
        assert!(!concern(&["/run/one/neighbour", "/shopping/uri"]));
    }
}
