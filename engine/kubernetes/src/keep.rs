//! The last accepted set on disk, so that a container that restarts serves while the API server is away.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use delivery::{Set, hash};
use serde::{Deserialize, Serialize};

/// A folder of this process alone that outlives it.
#[derive(Clone, Debug)]
pub struct Keep {
    folder: PathBuf,
}

/// Why a set cannot be kept, or the kept one cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The file system says no.
    #[error("{action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// The file is not one of ours, or damaged.
    #[error("{} is damaged", .0.display())]
    Damaged(PathBuf),
}

const FILE: &str = "accepted-set.json";
const NEXT_FILE: &str = "accepted-set.json.next";

#[derive(Serialize, Deserialize)]
struct Kept {
    counter: u64,
    metadata: String,
    objects: String,
    /// Of all of that.
    hash: String,
}

impl Keep {
    /// In this folder, which is made where it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(folder: &Path) -> Result<Self, KeepError> {
        fs::create_dir_all(folder).map_err(failed("create", folder))?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The set that was kept last.
    ///
    /// # Errors
    /// There is one that cannot be read.
    pub fn read(&self) -> Result<Option<Set>, KeepError> {
        let path = self.folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let Ok(kept) = serde_json::from_slice::<Kept>(&text) else {
            return Err(KeepError::Damaged(path));
        };
        let set = Set {
            counter: kept.counter,
            metadata: kept.metadata,
            objects: kept.objects,
        };
        if hash_of(&set) == kept.hash {
            Ok(Some(set))
        } else {
            Err(KeepError::Damaged(path))
        }
    }

    /// Writes a set beside the one that is kept. A process that ends before [`Prepared::keep`] leaves the one before.
    ///
    /// # Errors
    /// The file system says no.
    pub fn prepare(&self, set: &Set) -> Result<Prepared, KeepError> {
        let (path, next) = (self.folder.join(FILE), self.folder.join(NEXT_FILE));
        let kept = Kept {
            counter: set.counter,
            hash: hash_of(set),
            metadata: set.metadata.clone(),
            objects: set.objects.clone(),
        };
        let text = serde_json::to_vec(&kept).map_err(|error| failed("write", &next)(error.into()))?;
        let mut file = File::create(&next).map_err(failed("create", &next))?;
        file.write_all(&text).map_err(failed("write", &next))?;
        file.sync_all().map_err(failed("write", &next))?;
        Ok(Prepared {
            folder: self.folder.clone(),
            path,
            next,
        })
    }
}

/// A set that is written and not kept yet. The next one to be prepared takes its place.
#[derive(Debug)]
#[must_use]
pub struct Prepared {
    folder: PathBuf,
    path: PathBuf,
    next: PathBuf,
}

impl Prepared {
    /// Keeps it instead of the one before, in one step.
    ///
    /// # Errors
    /// The file system says no.
    pub fn keep(self) -> Result<(), KeepError> {
        fs::rename(&self.next, &self.path).map_err(failed("replace", &self.path))?;
        // The name, too, is there after the machine lost its power.
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(failed("write", &self.folder))
    }
}

fn hash_of(set: &Set) -> String {
    let of_texts = format!(
        "{}/{}/{}",
        set.counter,
        set.generation(),
        hash(set.objects.as_bytes())
    );
    hash(of_texts.as_bytes())
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |source| KeepError::File { action, path, source }
}
