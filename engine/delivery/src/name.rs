//! The names of objects in the cluster and of keys in them. They are fixed, so that a pod may be granted exactly these.

use serde::{Deserialize, Serialize};

/// Key of the index, JSON.
pub const INDEX_KEY: &str = "index.json";
/// Key of the metadata document, canonical JSON; only where the set is not in parts.
pub const METADATA_KEY: &str = "metadata.json";
/// Key of the table of objects, JSON; only where the set is not in parts.
pub const OBJECTS_KEY: &str = "objects.json";
/// Key in the binary data of a part.
pub const PART_KEY: &str = "part";

/// Parts of one half at most.
pub const MOST_PARTS: usize = 16;

/// One of two groups of parts, written in turn: while one is written, the index names the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// `…-a-0`, `…-a-1`, …
    A,
    /// `…-b-0`, `…-b-1`, …
    B,
}

impl Half {
    /// The one that may be written while this one is read.
    pub fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }
}

/// The ConfigMap with the index of an engine: what its pods are told as `--origin configmap:NAME`.
pub fn index(engine: &str) -> String {
    format!("{engine}-metadata")
}

/// A ConfigMap with a part; `index` is the name of the one with the index.
pub fn part(index: &str, half: Half, number: usize) -> String {
    format!("{index}-{}-{number}", half.letter())
}

/// The index and every part that there may be: what pods may read.
pub fn every(index: &str) -> Vec<String> {
    let mut names = vec![index.to_owned()];
    for half in [Half::A, Half::B] {
        names.extend((0..MOST_PARTS).map(|number| part(index, half, number)));
    }
    names
}

/// The Secret with the variables of an engine.
pub fn secrets(engine: &str) -> String {
    format!("{engine}-secrets")
}
