//! What a generation is made of, as texts.

use sha2::{Digest, Sha256};

use crate::index::Mark;

/// A document with the objects it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Grows with every change.
    pub counter: u64,
    /// The metadata document, canonical.
    pub metadata: String,
    /// The objects it was made of: a JSON list of [`ObjectEntry`](crate::ObjectEntry)s with more keys of the
    /// operator's own.
    pub objects: String,
}

impl Set {
    /// The generation hash: of the document's text.
    pub fn generation(&self) -> String {
        hash(self.metadata.as_bytes())
    }

    /// What tells it from other sets. Takes as long as reading all of it twice.
    pub fn mark(&self) -> Mark {
        Mark {
            counter: self.counter,
            generation: self.generation(),
            objects: hash(self.objects.as_bytes()),
        }
    }

    /// Whether both are the same but for the counter: then there is nothing to publish.
    pub fn has_content_of(&self, other: &Self) -> bool {
        self.metadata == other.metadata && self.objects == other.objects
    }
}

/// SHA-256 in hexadecimal.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
