//! Reading the files of a metadata directory from disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How deeply folders may be nested.
const MAX_DEPTH: usize = 16;
/// How many files are read at most.
const MAX_FILES: usize = 100_000;
/// How large a file may be, in bytes.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// A file or folder could not be read.
    #[error("cannot read {path}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Too many files, too large ones, or folders nested too deeply.
    #[error("{0} is larger or deeper than a metadata directory may be")]
    TooLarge(PathBuf),
}

/// Reads all YAML, JSON and GraphQL files under `root`. Keys are paths relative to it, with `/` between their
/// parts. Names that begin with a dot are passed over, and so are links to folders: a mounted ConfigMap shows its
/// files as links beside a hidden folder.
pub fn walk(root: &Path) -> Result<BTreeMap<String, String>, WalkError> {
    let mut files = BTreeMap::new();
    let mut folders = vec![(root.to_path_buf(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        if depth > MAX_DEPTH {
            return Err(WalkError::TooLarge(folder));
        }
        let entries = fs::read_dir(&folder).map_err(|source| WalkError::Io {
            path: folder.clone(),
            source,
        })?;
        for entry in entries {
            let entry = entry.map_err(|source| WalkError::Io {
                path: folder.clone(),
                source,
            })?;
            let path = entry.path();
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let error = |source| WalkError::Io {
                path: path.clone(),
                source,
            };
            let relative = format!("{prefix}{name}");
            if entry.file_type().map_err(error)?.is_dir() {
                folders.push((path, format!("{relative}/"), depth + 1));
                continue;
            }
            let known = [".yaml", ".yml", ".json", ".graphql"]
                .iter()
                .any(|ending| name.ends_with(ending));
            let metadata = fs::metadata(&path).map_err(error)?;
            if !known || !metadata.is_file() {
                continue;
            }
            if metadata.len() > MAX_FILE_BYTES || files.len() >= MAX_FILES {
                return Err(WalkError::TooLarge(path));
            }
            files.insert(relative, fs::read_to_string(&path).map_err(error)?);
        }
    }
    Ok(files)
}
