//! Which objects of a document were there first, where that is known: who keeps a name that two of them claim.
//!
//! No part of metadata: never read from a document, never printed, and no part of its hash.

use std::collections::HashMap;

use crate::object_id::MetadataObjectId;

/// The order in which objects came to be. Empty where nobody knows: then the order of the document counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seniority {
    ranks: HashMap<MetadataObjectId, u32>,
}

impl Seniority {
    /// Of these objects, the oldest first.
    pub fn of(oldest_first: impl IntoIterator<Item = MetadataObjectId>) -> Self {
        Self {
            ranks: oldest_first.into_iter().zip(0..).collect(),
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// The place of an object among all, 0 being the oldest. What is not known comes last.
    pub fn rank(&self, object: &MetadataObjectId) -> u32 {
        self.ranks.get(object).copied().unwrap_or(u32::MAX)
    }
}
