//! The origin `directory`: custom resources with the Secrets beside them, or a Hasura metadata directory.
//!
//! Custom resources become a document by the very crate that the operator uses, so what is served from a folder is what
//! a cluster serves from the same files. What became of each is told in words for a person, with file and line.

mod manifest;
mod secret;
mod selected;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use compile::{LastAccepted, ObjectKey, Published, Snapshot, compile};
use metadata::Document;
use serde_json::Value;

use crate::generation::Provenance;
use crate::generation::source_state::describe;
use crate::settings::SecretFile;
use manifest::Place;

pub use verdict::{Finding, of_generation, page, without_last_forms};

/// The namespace of objects that name none.
pub const NAMESPACE: &str = "default";

/// Files that make a folder a Hasura metadata directory.
const HASURA_FILES: &[&str] = &["version.yaml", "metadata.json", "metadata.yaml", "metadata.yml"];

/// What a folder holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The document.
    pub document: Document,
    /// What it was made of.
    pub provenance: Provenance,
    /// Values of the variables that stand for keys of Secrets.
    pub variables: BTreeMap<String, String>,
    /// What is wrong in the files, by place.
    pub findings: Vec<Finding>,
    /// Where each object is.
    pub places: BTreeMap<ObjectKey, Place>,
    /// The objects that have something of which the findings say already that it is not served.
    pub unsupported: BTreeSet<ObjectKey>,
}

/// What is wanted of a folder besides its files.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The `Engine` that is served, where there are several.
    pub engine: Option<String>,
    /// Secrets from elsewhere.
    pub secrets: Vec<SecretFile>,
    /// Somebody tries it out on this machine: what an `Engine` says of its server is for later.
    pub trial: bool,
}

/// Whether a folder is a Hasura metadata directory; else it is one of custom resources.
pub fn is_of_hasura(folder: &Path) -> bool {
    HASURA_FILES.iter().any(|name| folder.join(name).is_file())
}

/// Reads a folder. `last` is what was served from it before: objects whose present form is not acceptable go on in
/// their form there.
///
/// # Errors
/// It cannot be read at all.
pub fn read(folder: &Path, wanted: &Wanted, last: &LastAccepted) -> Result<Contents, String> {
    let files = metadata::directory::walk(folder).map_err(|error| describe(&error))?;
    if is_of_hasura(folder) {
        let value = metadata::directory::from_files(&files).map_err(|error| describe(&error))?;
        return match Document::parse(&value) {
            Ok((document, warnings)) => Ok(Contents {
                document,
                findings: warnings.iter().map(Finding::of_warning).collect(),
                ..Contents::default()
            }),
            Err(error) => Err(format!("{}: {}", error.path, error.message)),
        };
    }
    let manifests = manifest::read(&files);
    let mut findings = manifests.findings.clone();
    let (snapshot, unselected) = selected::snapshot(&manifests, wanted.engine.as_deref())?;
    findings.extend(unselected);
    let compiled = compile(&snapshot, last);
    findings.extend(compiled.verdicts.iter().filter_map(|verdict| {
        let place = manifests.places.get(&verdict.object)?;
        verdict::of_verdict(place, verdict)
    }));
    findings.extend(snapshot.objects().iter().filter_map(|object| {
        let place = manifests.places.get(&object.key)?;
        verdict::of_grant(place, object)
    }));
    let unsupported = compiled
        .verdicts
        .iter()
        .filter(|verdict| !verdict.unsupported.is_empty());
    let unsupported = unsupported.map(|verdict| verdict.object.clone()).collect();
    let served = snapshot.objects().iter().filter(|_| !wanted.trial);
    findings.extend(served.filter_map(|object| {
        let place = manifests.places.get(&object.key)?;
        verdict::of_settings(place, object)
    }));
    let mut secrets = manifests.secrets;
    let variables = secret::variables(&mut secrets, &wanted.secrets, &compiled, &mut findings)?;
    let objects: Vec<Value> = compiled.published.iter().map(Published::to_json).collect();
    let mut document = compiled.document;
    document.seniority = compile::seniority(&compiled.published);
    Ok(Contents {
        document,
        provenance: Provenance::of_objects(Value::Array(objects).to_string()),
        variables,
        findings,
        places: manifests.places,
        unsupported,
    })
}

/// Everything that one engine is made of, out of these files, and what of them cannot be read or is selected by nobody.
///
/// # Errors
/// It is not clear which engine is meant.
pub fn snapshot_of(
    files: &BTreeMap<String, String>,
    engine: Option<&str>,
) -> Result<(Snapshot, Vec<Finding>), String> {
    let mut manifests = manifest::read(files);
    let (snapshot, unselected) = selected::snapshot(&manifests, engine)?;
    manifests.findings.extend(unselected);
    Ok((snapshot, manifests.findings))
}

#[cfg(test)]
mod tests;
