//! The table of objects, as far as pods and the operator both know it.

use serde::{Deserialize, Serialize};

/// One object of the set. Further keys are the operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEntry {
    /// `metadata.uid`
    pub uid: String,
    /// `kind`
    pub kind: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.generation` whose form is in the document.
    pub generation: i64,
    /// Hash of the object's part of the document. A pod that serves a set with this hash serves the object.
    pub hash: String,
}

/// Reads the table.
///
/// # Errors
/// The text is not such a table.
pub fn read_objects(text: &str) -> Result<Vec<ObjectEntry>, serde_json::Error> {
    serde_json::from_str(text)
}
