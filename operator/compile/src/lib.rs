//! Custom resources to the metadata document, and back. Pure: the same objects give the same bytes in any order;
//! no cluster, no clock, no environment, no file.
//!
//! ```text
//! Snapshot ──compile──> Compiled { document, verdicts, published, secrets }
//! Document ──import───> custom resources, and what could not be carried
//! ```
//!
//! One bad object is out with what depends on it, says so, and nothing else changes. An object that was good goes on
//! in its last accepted form, unless it says otherwise.

mod compile;
mod export;
mod fragment;
mod grant;
mod guarded;
mod import;
mod mapping;
mod object;
mod owner;
mod secret;
mod selector;
mod seniority;
mod status;
mod support;

pub use compile::{
    Compiled, LastAccepted, Objection, Published, Refusal, Serving, Verdict, compile, compile_against,
};
pub use export::{Exported, export};
pub use grant::{Grants, grant_fault};
pub use guarded::is_guarded;
pub use import::{Imported, NotCarried, import, loss};
pub use mapping::field_at;
pub use object::{Object, ObjectError, ObjectKey, Snapshot, Spec};
pub use owner::{Field, Owners};
pub use secret::SecretKey;
pub use selector::Selection;
pub use seniority::seniority;
pub use status::{Delivery, fault, merge_conditions, object_conditions, ready};

/// The proofs that no field and no key is left out, for tests.
pub mod proof {
    use std::collections::BTreeSet;

    use crd::Kind;

    use crate::mapping::{covered, keys, kind::mapping, resource_paths};

    /// The metadata paths that some field of some kind reaches, written as in the coverage table.
    pub fn metadata_paths() -> BTreeSet<String> {
        let mut paths = BTreeSet::from(["version".to_owned()]);
        for mapping in Kind::ALL.iter().filter_map(|kind| mapping(*kind)) {
            covered(mapping.lens, mapping.prefix, &mut paths);
        }
        paths
    }

    /// The fields of a kind that become metadata or are known to be none, as paths below `spec`.
    pub fn fields(kind: Kind) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        if let Some(mapping) = mapping(kind) {
            resource_paths(mapping.lens, "spec", &mut paths);
        }
        paths
    }

    /// Fields of a kind, as paths below `spec` with lists marked by `[]`, and the metadata key that each becomes.
    pub fn keys_of(kind: Kind) -> Vec<(String, &'static str)> {
        let mut found = Vec::new();
        if let Some(mapping) = mapping(kind) {
            keys(mapping.lens, "spec", &mut found);
        }
        found
    }
}
