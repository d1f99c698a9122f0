//! The index: which set is the present one, where it is, and how to know it.

use serde::{Deserialize, Serialize};

use crate::name::{self, Half};

/// Written last, read first. JSON under [`name::INDEX_KEY`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Of this format: [`Index::FORMAT`]. Readers refuse others.
    pub format: u32,
    /// Of the set.
    pub counter: u64,
    /// SHA-256 of the metadata document: the generation hash.
    pub generation: String,
    /// SHA-256 of the table of objects.
    pub objects: String,
    /// Bytes of the metadata document.
    pub metadata_bytes: usize,
    /// Bytes of the table of objects.
    pub objects_bytes: usize,
    /// Where the parts are; absent: document and table are beside the index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half: Option<Half>,
    /// SHA-256 of each part. Put together and decompressed (gzip) they are the document followed by the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// What tells one accepted set from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its counter.
    pub counter: u64,
    /// Hash of its document.
    pub generation: String,
    /// Hash of its table of objects.
    pub objects: String,
}

/// What a set is to somebody who has accepted another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Later: to be taken.
    Later,
    /// The same.
    Same,
    /// Earlier: never taken.
    Earlier,
    /// Of the same counter, with other content: never taken.
    Contradiction,
}

impl Index {
    /// The format that this crate reads and writes.
    pub const FORMAT: u32 = 1;

    /// Bytes of document and table together: what [`assemble`](crate::assemble) makes at most.
    pub fn bytes(&self) -> usize {
        self.metadata_bytes.saturating_add(self.objects_bytes)
    }

    /// What tells the set from others.
    pub fn mark(&self) -> Mark {
        Mark {
            counter: self.counter,
            generation: self.generation.clone(),
            objects: self.objects.clone(),
        }
    }

    /// What the set is to one who has accepted `accepted`.
    pub fn standing(&self, accepted: Option<&Mark>) -> Standing {
        let Some(accepted) = accepted else {
            return Standing::Later;
        };
        match self.counter.cmp(&accepted.counter) {
            std::cmp::Ordering::Greater => Standing::Later,
            std::cmp::Ordering::Less => Standing::Earlier,
            std::cmp::Ordering::Equal if self.mark() == *accepted => Standing::Same,
            std::cmp::Ordering::Equal => Standing::Contradiction,
        }
    }

    /// The ConfigMaps to get, in order; `index` is the name of the one with the index.
    pub fn part_names(&self, index: &str) -> Vec<String> {
        self.half
            .into_iter()
            .flat_map(|half| (0..self.parts.len()).map(move |number| name::part(index, half, number)))
            .collect()
    }

    /// The half that the next set in parts goes to.
    pub fn free_half(&self) -> Half {
        self.half.map_or(Half::A, Half::other)
    }
}
