//! Finding and reading the files of a metadata directory, or of another folder, on disk.

use std::collections::{BTreeMap, HashSet};
use std::fs::{DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;
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

/// Endings of the files that count.
const ENDINGS: &[&str] = &[".yaml", ".yml", ".json", ".graphql"];

/// The files of a folder that count, not read yet.
#[derive(Debug, Default)]
pub struct Listing {
    /// By path relative to the folder, with `/` between its parts.
    pub files: BTreeMap<String, Listed>,
    /// Links that are not followed, and why.
    pub not_followed: BTreeMap<String, NotFollowed>,
}

/// Why a link that may stand for files that count is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// What it names is not there.
    #[error("this link leads nowhere")]
    Dangling,
    /// It would bring in what stands beside the folder that is read.
    #[error("this link leads to a folder that it is in itself, and is not followed")]
    Around,
}

/// A file.
#[derive(Debug)]
pub struct Listed {
    path: PathBuf,
    /// What the file system says of it; of a link, of where it leads.
    pub metadata: Metadata,
}

impl Listing {
    /// Reads the files.
    pub fn read(&self) -> Result<BTreeMap<String, String>, WalkError> {
        let read = |(name, file): (&String, &Listed)| {
            let text = fs::read_to_string(&file.path).map_err(|source| unreadable(&file.path, source))?;
            Ok((name.clone(), text))
        };
        self.files.iter().map(read).collect()
    }
}

/// Reads all YAML, JSON and GraphQL files under `root`, as [`list`] finds them.
pub fn walk(root: &Path) -> Result<BTreeMap<String, String>, WalkError> {
    list(root)?.read()
}

/// Finds all YAML, JSON and GraphQL files under `root`. Names that begin with a dot are passed over: a mounted ConfigMap
/// shows what is in such a folder by links beside it. Links are followed, and each folder is read once: first where it
/// stands itself, so that a link to it adds nothing. A link to a folder around is not followed.
pub fn list(root: &Path) -> Result<Listing, WalkError> {
    let mut walk = Walk::default();
    walk.folders.push((root.to_path_buf(), String::new(), 0));
    loop {
        while let Some((path, prefix, depth)) = walk.folders.pop() {
            walk.folder(&path, &prefix, depth)?;
        }
        // The first by name, whichever the file system tells first.
        let Some(name) = walk.links.keys().next().cloned() else {
            return Ok(walk.listing);
        };
        let Some((path, depth)) = walk.links.remove(&name) else {
            continue;
        };
        if leads_around(root, &path) && !walk.has_read(&path) {
            walk.listing.not_followed.insert(name, NotFollowed::Around);
        } else {
            walk.folders.push((path, format!("{name}/"), depth));
        }
    }
}

/// Whether a link leads to a folder that the root or the link itself is in.
fn leads_around(root: &Path, link: &Path) -> bool {
    let Ok(target) = link.canonicalize() else {
        return false;
    };
    let mut inner = [Some(root), link.parent()].into_iter().flatten();
    inner.any(|folder| {
        folder
            .canonicalize()
            .is_ok_and(|folder| folder.starts_with(&target))
    })
}

fn unreadable(path: &Path, source: io::Error) -> WalkError {
    WalkError::Io {
        path: path.to_owned(),
        source,
    }
}

#[derive(Default)]
struct Walk {
    listing: Listing,
    /// Path, what names in it begin with, and how deep it is.
    folders: Vec<(PathBuf, String, usize)>,
    /// Links to folders, by relative path.
    links: BTreeMap<String, (PathBuf, usize)>,
    /// Device and number of each folder that was read.
    read: HashSet<(u64, u64)>,
}

impl Walk {
    fn has_read(&self, folder: &Path) -> bool {
        fs::metadata(folder).is_ok_and(|metadata| self.read.contains(&(metadata.dev(), metadata.ino())))
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), WalkError> {
        if depth > MAX_DEPTH {
            return Err(WalkError::TooLarge(folder.to_owned()));
        }
        let error = |source| unreadable(folder, source);
        let metadata = fs::metadata(folder).map_err(error)?;
        if !self.read.insert((metadata.dev(), metadata.ino())) {
            return Ok(());
        }
        for entry in fs::read_dir(folder).map_err(error)? {
            let entry = entry.map_err(error)?;
            let name = entry.file_name();
            if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
                self.entry(&entry, name, &format!("{prefix}{name}"), depth)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &DirEntry, name: &str, relative: &str, depth: usize) -> Result<(), WalkError> {
        let path = entry.path();
        let error = |source| unreadable(&path, source);
        let kind = entry.file_type().map_err(error)?;
        if kind.is_dir() {
            self.folders.push((path, format!("{relative}/"), depth + 1));
            return Ok(());
        }
        let is_known = ENDINGS.iter().any(|ending| name.ends_with(ending));
        if !is_known && !kind.is_symlink() {
            return Ok(());
        }
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // Of what does not count, it is no matter why.
            Err(_) if !is_known => {
                let not_followed = &mut self.listing.not_followed;
                not_followed.insert(relative.to_owned(), NotFollowed::Dangling);
                return Ok(());
            }
            Err(source) => return Err(error(source)),
        };
        if metadata.is_dir() {
            self.links.insert(relative.to_owned(), (path, depth + 1));
        } else if is_known && metadata.is_file() {
            if metadata.len() > MAX_FILE_BYTES || self.listing.files.len() >= MAX_FILES {
                return Err(WalkError::TooLarge(path));
            }
            let listed = Listed { path, metadata };
            self.listing.files.insert(relative.to_owned(), listed);
        }
        Ok(())
    }
}
