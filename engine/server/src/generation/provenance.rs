//! What a document was made of: which published set it is, and the custom resources in it.

use compile::{Owners, Published};
use metadata::Seniority;
use metadata::object_id::MetadataObjectId;
use serde_json::Value;
use serde_json::value::RawValue;

/// What a document was made of. Empty for documents that were written as such.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// Counter of the published set.
    pub counter: Option<u64>,
    /// Hash of the published text of the document: programs of another version may print it differently.
    pub published_hash: Option<String>,
    /// The table of objects, as published; empty: there is none.
    pub objects: String,
    /// Its hash; empty: there is none.
    pub objects_hash: String,
    /// How many sets, good or bad, had come to this process when it came; 0: it was there from the start.
    pub arrival: u64,
}

/// A field of a custom resource that something in the document came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `metadata.uid` of the resource.
    pub uid: String,
    /// Resource and field.
    pub field: compile::Field,
}

impl Provenance {
    /// Of a published set with these hashes, the `arrival`th that came.
    pub fn of_set(set: &delivery::Set, mark: delivery::Mark, arrival: u64) -> Self {
        Self {
            arrival,
            counter: Some(mark.counter),
            published_hash: Some(mark.generation),
            objects: set.objects.clone(),
            objects_hash: mark.objects,
        }
    }

    /// Of objects that were compiled here.
    pub fn of_objects(objects: String) -> Self {
        Self {
            objects_hash: delivery::hash(objects.as_bytes()),
            objects,
            ..Self::default()
        }
    }

    /// The custom resources in it.
    pub fn published(&self) -> Vec<Published> {
        let entries: Vec<Value> = serde_json::from_str(&self.objects).unwrap_or_default();
        entries.iter().filter_map(Published::from_json).collect()
    }

    /// Who was there first.
    pub fn seniority(&self) -> Seniority {
        seniority(&self.objects)
    }

    /// Finds whose fault something is.
    pub fn blame(&self) -> Blame {
        let entries: Vec<Value> = serde_json::from_str(&self.objects).unwrap_or_default();
        Blame::of(&entries)
    }
}

/// Who was there first, by a table of objects. Nobody is, where it has no ages or is of another form.
pub fn seniority(objects: &str) -> Seniority {
    // Most entries have no age: what is not looked at is not made.
    let entries: Vec<&RawValue> = serde_json::from_str(objects).unwrap_or_default();
    let aged = entries
        .into_iter()
        .filter(|entry| entry.get().contains("\"created\""));
    let published: Vec<Published> = aged
        .filter_map(|entry| Published::from_json(&serde_json::from_str(entry.get()).ok()?))
        .collect();
    compile::seniority(&published)
}

/// From objects of the document to custom resources.
#[derive(Debug)]
pub struct Blame {
    owners: Owners,
    uids: std::collections::HashMap<compile::ObjectKey, String>,
}

impl Blame {
    /// From a table of objects; entries of another form are passed over.
    pub fn of(entries: &[Value]) -> Self {
        let published: Vec<Published> = entries.iter().filter_map(Published::from_json).collect();
        Self {
            owners: Owners::of(&published),
            uids: published
                .into_iter()
                .map(|entry| (entry.object, entry.uid))
                .collect(),
        }
    }

    /// The fields that an object of the document came from; none, if no custom resource declares it.
    pub fn fields(&self, id: &MetadataObjectId) -> Vec<Origin> {
        let fields = self.owners.fields(id).into_iter();
        fields
            .map(|field| Origin {
                uid: self.uids.get(&field.object).cloned().unwrap_or_default(),
                field,
            })
            .collect()
    }
}
