//! What a pod says of itself on its admin port.

use serde::{Deserialize, Serialize};

/// What the pod serves and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Another text with every change of this report; of this process alone. For `?after=`.
    pub revision: String,
    /// The name of the pod (`HOSTNAME`).
    pub pod: String,
    /// The version of the engine.
    pub version: String,
    /// Counter of the set that is served; absent: none was accepted yet, or the origin has no counters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// Generation hash of what is served.
    pub generation: String,
    /// SHA-256 of the table of objects of the set that is served; empty where there is none.
    pub objects: String,
    /// What `/readyz` says.
    pub ready: bool,
    /// The pod was told to take no new set.
    #[serde(default)]
    pub held: bool,
    /// The latest set that was seen and not taken, until one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<RefusedSet>,
    /// What of the document does not fit the databases.
    pub problems: Vec<ObjectProblem>,
    /// The databases.
    pub sources: Vec<SourceReport>,
    /// `metadata.resourceVersion` of the Secret whose values are in use; absent: none was read through the API yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<String>,
    /// Settings whose value in that Secret is not taken; the last good one stays in use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_settings: Vec<RefusedSetting>,
    /// Why the set that is served could not be kept for a restart; absent: it is kept, or there is nothing to keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unkept: Option<String>,
}

/// A setting that changed and is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedSetting {
    /// The variable.
    pub variable: String,
    /// Why; nothing of a secret.
    pub message: String,
}

/// A set that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedSet {
    /// Its counter, if that could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// Why.
    pub message: String,
}

/// Something that is wrong with an object, which the engine leaves out unless `served` says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectProblem {
    /// The custom resource: `metadata.uid`; empty where no single one can be blamed. The same problem is told once
    /// for each custom resource that it is about.
    pub uid: String,
    /// Its kind; empty as above.
    pub kind: String,
    /// Its namespace; empty as above.
    pub namespace: String,
    /// Its name; empty as above.
    pub name: String,
    /// The field, beginning with `spec`; empty as above.
    pub path: String,
    /// What is wrong, in the words of the metadata API.
    pub message: String,
    /// The database it belongs to cannot be reached: nothing is known of the object itself. Not a reason to refuse
    /// it.
    #[serde(default)]
    pub unreachable: bool,
    /// The engine does not serve it yet. Not a reason to refuse it either.
    #[serde(default)]
    pub unsupported: bool,
    /// Nothing of it is left out: the object is served all the same, and its status tells this. Not a reason to refuse it
    /// either.
    #[serde(default)]
    pub served: bool,
}

/// One database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReport {
    /// Its name in the document.
    pub name: String,
    /// How it is.
    pub state: SourceState,
    /// Why it is not well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Fingerprint of the catalog in use; absent: none was ever read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// How a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SourceState {
    /// It answers.
    Up,
    /// It does not answer; its last good catalog stays in use, if there is one.
    Down,
    /// Its configuration cannot be used.
    Invalid,
}
