//! What databases have against objects of a folder. As in a cluster, such an object goes on in its last good form, or is left
//! out with what belongs to it.

use std::collections::{BTreeMap, BTreeSet};

use compile::{Compiled, LastAccepted, Objection, Published, Serving};
use crd::status::Reason;
use metadata::Document;

use super::Contents;
use crate::admin::report::objecting;
use crate::generation::Generation;

/// The form of an object that stands in the files.
#[derive(Debug)]
pub(super) struct Form {
    generation: i64,
    /// Of its part of the document.
    hash: String,
}

/// The objects that are in a document as they stand in the files, by uid.
pub(super) fn present(compiled: &Compiled) -> BTreeMap<String, Form> {
    let verdicts = compiled.verdicts.iter();
    let present: BTreeSet<&str> = verdicts
        .filter(|verdict| verdict.serving == Serving::Present)
        .map(|verdict| verdict.uid.as_str())
        .collect();
    let published = compiled.published.iter();
    published
        .filter(|entry| present.contains(entry.uid.as_str()))
        .map(|entry| {
            let form = Form {
                generation: entry.observed_generation,
                hash: entry.hash.clone(),
            };
            (entry.uid.clone(), form)
        })
        .collect()
}

/// See the module. It is about one reading of the files.
#[derive(Debug, Default)]
pub struct Held {
    objections: Vec<Objection>,
    /// Hashes of the forms that are refused, by uid.
    refused: BTreeMap<String, String>,
}

impl Held {
    /// What it is, each object once.
    pub(super) fn objections(&self) -> &[Objection] {
        &self.objections
    }

    /// Takes what a generation of these contents leaves out; whether that is anything new.
    pub fn take(&mut self, generation: &Generation, contents: &Contents) -> bool {
        let before = self.objections.len();
        for problem in objecting(generation) {
            let Some(form) = contents.present.get(&problem.uid) else {
                continue;
            };
            if self.refused.contains_key(&problem.uid) {
                continue;
            }
            self.refused.insert(problem.uid.clone(), form.hash.clone());
            self.objections.push(Objection {
                uid: problem.uid,
                generation: form.generation,
                reason: Reason::Refused,
                path: match problem.path.as_str() {
                    "" => "spec".to_owned(),
                    path => path.to_owned(),
                },
                message: problem.message,
            });
        }
        self.objections.len() > before
    }

    /// The forms that objects may go on in, out of what is served. One that was taken before anybody could ask the database
    /// and is the same as the one that is refused is not good.
    pub fn last(&self, document: &Document, published: &[Published]) -> LastAccepted {
        let good = |entry: &&Published| self.refused.get(&entry.uid) != Some(&entry.hash);
        let good: Vec<Published> = published.iter().filter(good).cloned().collect();
        LastAccepted::read(document, &good)
    }
}
