//! Files of YAML or JSON to the objects in them, each with the place where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use compile::{Object, ObjectKey};
use serde_json::Value;

use super::NAMESPACE;
use super::secret::{SecretName, Values};
use super::verdict::Finding;

/// The label that every namespace of a cluster has, whether a manifest says so or not: its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Where an object stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the folder.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.file, self.line)
    }
}

/// What a folder of manifests holds.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    /// Objects of ours, each once.
    pub(super) objects: Vec<Arc<Object>>,
    /// Where they are.
    pub(super) places: BTreeMap<ObjectKey, Place>,
    /// Secrets.
    pub(super) secrets: BTreeMap<SecretName, Values>,
    /// Labels of namespaces: what manifests declare, and of each that has an object its name.
    pub(super) namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// What cannot be read.
    pub(super) findings: Vec<Finding>,
}

/// Reads files of manifests; objects of others than Rowlock, Secrets and Namespaces are passed over.
pub(super) fn read(files: &BTreeMap<String, String>) -> Manifests {
    let mut manifests = Manifests::default();
    for (file, text) in files {
        if file.ends_with(".graphql") {
            continue;
        }
        for (line, text) in documents(file, text) {
            let place = Place {
                file: file.clone(),
                line,
            };
            match metadata::directory::read_yaml(file, text) {
                Ok(Value::Null) => {}
                Ok(value) => manifests.add(&place, &value),
                Err(error) => {
                    let message = error.to_string();
                    let message = message.strip_prefix(&format!("{file}: ")).unwrap_or(&message);
                    manifests.findings.push(Finding::of_file(place, message));
                }
            }
        }
    }
    manifests.name_namespaces();
    manifests
}

/// The documents of a YAML file, each with the line it begins on.
fn documents<'t>(file: &str, text: &'t str) -> Vec<(usize, &'t str)> {
    if file.ends_with(".json") {
        return vec![(1, text)];
    }
    let mut documents = Vec::new();
    let (mut from, mut first_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let separates = line == "---"
            || line.starts_with("---\n")
            || line.starts_with("---\r")
            || line.starts_with("--- ");
        if separates {
            documents.push((first_line, &text[from..at]));
            // What stands behind the mark belongs to the document.
            from = at + 3;
            first_line = index + 1;
        }
        at += line.len();
    }
    documents.push((first_line, &text[from..]));
    for (line, text) in &mut documents {
        // The first line that says something.
        let blank = text
            .lines()
            .take_while(|line| line.trim().is_empty() || line.starts_with('#'))
            .count();
        *line += blank;
    }
    documents
}

impl Manifests {
    fn add(&mut self, place: &Place, value: &Value) {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        match (text("/apiVersion"), text("/kind")) {
            (Some(_), Some("List")) => {
                for item in value.get("items").and_then(Value::as_array).into_iter().flatten() {
                    self.add(place, item);
                }
            }
            (Some("v1"), Some("Secret")) => match super::secret::of_manifest(value, NAMESPACE) {
                Ok((name, values)) => drop(self.secrets.insert(name, values)),
                Err(message) => self.findings.push(Finding::of_file(place.clone(), &message)),
            },
            (Some("v1"), Some("Namespace")) => {
                let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
                let labels = labels
                    .into_iter()
                    .flatten()
                    .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())));
                let name = text("/metadata/name").unwrap_or_default().to_owned();
                self.namespaces.insert(name, labels.collect());
            }
            (Some(version), Some(_)) if !version.starts_with(&format!("{}/", crd::GROUP)) => {}
            (Some(_), Some(_)) => self.add_object(place, value),
            _ => self.findings.push(Finding::of_file(
                place.clone(),
                "this is no object: apiVersion or kind is missing",
            )),
        }
    }

    fn add_object(&mut self, place: &Place, value: &Value) {
        match Object::from_json(value, NAMESPACE) {
            Err(error) => self
                .findings
                .push(Finding::of_file(place.clone(), &error.to_string())),
            Ok(object) => match self.places.get(&object.key) {
                Some(first) => self.findings.push(Finding::of_file(
                    place.clone(),
                    &format!("{} stands at {first} already", object.key),
                )),
                None => {
                    self.places.insert(object.key.clone(), place.clone());
                    self.objects.push(Arc::new(object));
                }
            },
        }
    }

    /// Gives each namespace the label that it has in a cluster.
    fn name_namespaces(&mut self) {
        for object in &self.objects {
            self.namespaces.entry(object.key.namespace.clone()).or_default();
        }
        for (name, labels) in &mut self.namespaces {
            labels.insert(NAME_LABEL.to_owned(), name.clone());
        }
    }
}
