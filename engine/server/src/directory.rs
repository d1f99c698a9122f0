//! The origin `directory`: custom resources with the Secrets beside them, or a Hasura metadata directory.
//!
//! Custom resources become a document by the very crate that the operator uses, so what is served from a folder is what
//! a cluster serves from the same files. What became of each is told in words for a person, with file and line.

mod held;
mod manifest;
mod secret;
mod selected;
mod verdict;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use compile::{LastAccepted, ObjectKey, Published, Snapshot, compile_against};
use metadata::Document;
use serde_json::Value;

use crate::generation::Provenance;
use crate::generation::source_state::describe;
use crate::settings::SecretFile;
use held::Form;
use manifest::Place;
use secret::{SecretName, Values};

pub use held::Held;
pub use manifest::Readable;
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
    /// Whether databases have something against any of them.
    pub is_opposed: bool,
    /// The objects that are in the document as they stand in the files, by uid.
    present: BTreeMap<String, Form>,
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

/// A folder that was read; what is served of it depends on what was before, and on the databases.
#[derive(Debug)]
pub struct Loaded {
    made_of: MadeOf,
    trial: bool,
    readable: Readable,
}

#[derive(Debug)]
enum MadeOf {
    /// No file at all.
    Nothing,
    Hasura {
        document: Box<Document>,
        findings: Vec<Finding>,
    },
    Resources {
        places: BTreeMap<ObjectKey, Place>,
        secrets: BTreeMap<SecretName, Values>,
        snapshot: Snapshot,
        findings: Vec<Finding>,
    },
}

/// Reads a folder. Files of custom resources that cannot be read count as they were `before`.
///
/// # Errors
/// It cannot be read at all.
pub fn load(folder: &Path, wanted: &Wanted, before: &Readable) -> Result<Loaded, String> {
    let listing = metadata::directory::list(folder).map_err(|error| describe(&error))?;
    let files = listing.read().map_err(|error| describe(&error))?;
    let loaded = |made_of: MadeOf, readable: Readable| Loaded {
        made_of,
        trial: wanted.trial,
        readable,
    };
    if is_of_hasura(folder) {
        let value = metadata::directory::from_files(&files).map_err(|error| describe(&error))?;
        return match Document::parse(&value) {
            Ok((document, warnings)) => {
                let made_of = MadeOf::Hasura {
                    document: Box::new(document),
                    findings: warnings.iter().map(Finding::of_warning).collect(),
                };
                Ok(loaded(made_of, Readable::new()))
            }
            Err(error) => Err(format!("{}: {}", error.path, error.message)),
        };
    }
    let manifests = manifest::read(&files, before);
    let (snapshot, unselected) = selected::snapshot(&manifests, wanted.engine.as_deref())?;
    let mut secrets = manifests.secrets;
    secret::add_files(&mut secrets, &wanted.secrets)?;
    if files.is_empty() {
        return Ok(loaded(MadeOf::Nothing, Readable::new()));
    }
    let mut findings = manifests.findings;
    findings.extend(unselected);
    findings.extend(listing.not_followed.iter().map(|(file, why)| {
        let (file, line) = (file.clone(), 1);
        Finding::of_file(Place { file, line }, &why.to_string())
    }));
    let made_of = MadeOf::Resources {
        places: manifests.places,
        secrets,
        snapshot,
        findings,
    };
    Ok(loaded(made_of, manifests.readable))
}

impl Loaded {
    /// The files as they could be read last, for the next time.
    pub fn readable(&self) -> &Readable {
        &self.readable
    }

    /// Whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        matches!(self.made_of, MadeOf::Nothing)
    }

    /// What it comes to. `last` is what was served before: objects whose present form is not acceptable go on in their
    /// form there. `held` is what databases have against objects.
    pub fn contents(&self, last: &LastAccepted, held: &Held) -> Contents {
        let (places, secrets, snapshot, told) = match &self.made_of {
            MadeOf::Nothing => return Contents::default(),
            MadeOf::Hasura { document, findings } => {
                return Contents {
                    document: Document::clone(document),
                    findings: findings.clone(),
                    ..Contents::default()
                };
            }
            MadeOf::Resources {
                places,
                secrets,
                snapshot,
                findings,
            } => (places, secrets, snapshot, findings),
        };
        let compiled = compile_against(snapshot, last, held.objections());
        let mut findings = told.clone();
        findings.extend(compiled.verdicts.iter().filter_map(|verdict| {
            let place = places.get(&verdict.object)?;
            verdict::of_verdict(place, verdict)
        }));
        findings.extend(snapshot.objects().iter().filter_map(|object| {
            let place = places.get(&object.key)?;
            verdict::of_grant(place, object)
        }));
        let unsupported = compiled
            .verdicts
            .iter()
            .filter(|verdict| !verdict.unsupported.is_empty());
        let unsupported = unsupported.map(|verdict| verdict.object.clone()).collect();
        let served = snapshot.objects().iter().filter(|_| !self.trial);
        findings.extend(served.filter_map(|object| {
            let place = places.get(&object.key)?;
            verdict::of_settings(place, object)
        }));
        let variables = secret::variables(secrets, &compiled, &mut findings);
        let objects: Vec<Value> = compiled.published.iter().map(Published::to_json).collect();
        let present = held::present(&compiled);
        let mut document = compiled.document;
        document.seniority = compile::seniority(&compiled.published);
        Contents {
            document,
            provenance: Provenance::of_objects(Value::Array(objects).to_string()),
            variables,
            findings,
            places: places.clone(),
            unsupported,
            is_opposed: !held.objections().is_empty(),
            present,
        }
    }
}

/// Everything that one engine is made of, out of these files, and what of them cannot be read or is selected by nobody.
///
/// # Errors
/// It is not clear which engine is meant.
pub fn snapshot_of(
    files: &BTreeMap<String, String>,
    engine: Option<&str>,
) -> Result<(Snapshot, Vec<Finding>), String> {
    let mut manifests = manifest::read(files, &Readable::new());
    let (snapshot, unselected) = selected::snapshot(&manifests, engine)?;
    manifests.findings.extend(unselected);
    Ok((snapshot, manifests.findings))
}

#[cfg(test)]
mod tests;
