//! The last accepted set on disk, so that a container that restarts serves while the API server is away.
//!
//! A file of three parts: the hash of the second, a line; the index of the set, a line; the document followed by the table
//! of objects, as they were published.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use delivery::{Index, Mark, Set, hash};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde::Deserialize;

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

const FILE: &str = "accepted-set";
const NEXT_FILE: &str = "accepted-set.next";

/// Where earlier versions kept it. Read where there is no other, and gone with the first that is kept.
const EARLIER_FILE: &str = "accepted-set.json";

/// Its content.
#[derive(Deserialize)]
struct Earlier {
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
        // A process before this one may have ended between the change of places and this: what is written next must not
        // be into a file that has the kept name after a loss of power. Where folders cannot be synced, keeping tells.
        let _ = sync(folder);
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The set that was kept last.
    ///
    /// # Errors
    /// There is one that cannot be read.
    pub fn read(&self) -> Result<Option<Set>, KeepError> {
        match self.read_file(FILE, set_of)? {
            Some(set) => Ok(Some(set)),
            None => self.read_file(EARLIER_FILE, |content| earlier_set_of(&content)),
        }
    }

    fn read_file(
        &self,
        file: &str,
        set_of: impl FnOnce(Vec<u8>) -> Option<Set>,
    ) -> Result<Option<Set>, KeepError> {
        let path = self.folder.join(file);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        match set_of(text) {
            Some(set) => Ok(Some(set)),
            None => Err(KeepError::Damaged(path)),
        }
    }

    /// Writes a set beside the one that is kept. A process that ends before [`Prepared::keep`] leaves the one before.
    /// `mark` has the hashes of the set.
    ///
    /// # Errors
    /// The file system says no.
    pub fn prepare(&self, set: &Set, mark: &Mark) -> Result<Prepared, KeepError> {
        let (path, next) = (self.folder.join(FILE), self.folder.join(NEXT_FILE));
        let index = Index {
            format: Index::FORMAT,
            counter: set.counter,
            generation: mark.generation.clone(),
            objects: mark.objects.clone(),
            metadata_bytes: set.metadata.len(),
            objects_bytes: set.objects.len(),
            half: None,
            parts: Vec::new(),
        };
        let index = serde_json::to_string(&index).map_err(|error| failed("write", &next)(error.into()))?;
        let head = format!("{}\n{index}\n", hash(index.as_bytes()));
        // Over the one before the one that is kept, which has the room already.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&next);
        let mut file = file.map_err(failed("create", &next))?;
        let mut bytes = 0;
        for part in [&head, &set.metadata, &set.objects] {
            file.write_all(part.as_bytes()).map_err(failed("write", &next))?;
            bytes += part.len() as u64;
        }
        let written = file.set_len(bytes).and_then(|()| file.sync_all());
        written.map_err(failed("write", &next))?;
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
    /// The two files change places: where one is made and one removed for each set, ext4 looks for a file number that was
    /// not in use just now, which may take longer than all that a small change costs else.
    ///
    /// # Errors
    /// The file system says no.
    pub fn keep(self) -> Result<(), KeepError> {
        // There is none before the first, and not every file system can do it.
        if renameat_with(CWD, &self.next, CWD, &self.path, RenameFlags::EXCHANGE).is_err() {
            fs::rename(&self.next, &self.path).map_err(failed("replace", &self.path))?;
        }
        // The name, too, is there after the machine lost its power.
        sync(&self.folder)?;
        let earlier = self.folder.join(EARLIER_FILE);
        match fs::remove_file(&earlier) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &earlier)(error)),
            _ => Ok(()),
        }
    }
}

/// The names in a folder are there after the machine lost its power.
fn sync(folder: &Path) -> Result<(), KeepError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed("write", folder))
}

/// The set of a file's content; nothing where it is damaged.
fn set_of(content: Vec<u8>) -> Option<Set> {
    let mut content = String::from_utf8(content).ok()?;
    let (hash_of_index, rest) = content.split_once('\n')?;
    let (index, texts) = rest.split_once('\n')?;
    if hash(index.as_bytes()) != hash_of_index {
        return None;
    }
    let index: Index = serde_json::from_str(index).ok()?;
    let begin = content.len() - texts.len();
    let end = begin.checked_add(index.metadata_bytes)?;
    let whole = index.format == Index::FORMAT
        && texts.len().checked_sub(index.metadata_bytes)? == index.objects_bytes;
    if !whole || !content.is_char_boundary(end) {
        return None;
    }
    let objects = content.split_off(end);
    let set = Set {
        counter: index.counter,
        metadata: content.split_off(begin),
        objects,
    };
    (set.mark() == index.mark()).then_some(set)
}

/// The same of an earlier version's.
fn earlier_set_of(content: &[u8]) -> Option<Set> {
    let earlier: Earlier = serde_json::from_slice(content).ok()?;
    let set = Set {
        counter: earlier.counter,
        metadata: earlier.metadata,
        objects: earlier.objects,
    };
    let of_objects = hash(set.objects.as_bytes());
    let of_texts = format!("{}/{}/{of_objects}", set.counter, set.generation());
    (hash(of_texts.as_bytes()) == earlier.hash).then_some(set)
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeepError {
    let path = path.to_owned();
    move |source| KeepError::File { action, path, source }
}
