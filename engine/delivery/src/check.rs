//! Asking a pod whether a document fits the databases, before it is published.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{ObjectProblem, SourceReport};

/// A document that might be published. The body may be compressed (`content-encoding: gzip`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckRequest {
    /// The metadata document, canonical, as a text.
    pub metadata: String,
    /// The objects it was made of, as they would be published (`objects.json`), so that problems name them.
    pub objects: Vec<Value>,
}

/// What would be left out of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckAnswer {
    /// The hash of the document that was checked.
    pub generation: String,
    /// What does not fit.
    pub problems: Vec<ObjectProblem>,
    /// The databases as the check found them.
    pub sources: Vec<SourceReport>,
}
