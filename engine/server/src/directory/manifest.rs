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
    /// The files as they could be read last.
    pub(super) readable: Readable,
}

/// Texts of files that could be read, by file.
pub type Readable = BTreeMap<String, String>;

/// Something in a file.
enum Item {
    Object(Box<Object>),
    Secret(SecretName, Values),
    Namespace(String, BTreeMap<String, String>),
}

/// Reads files of manifests; objects of others than Rowlock, Secrets and Namespaces are passed over. A file that cannot be
/// read as a whole counts as it was `before`: a slip of the pen deletes nothing, as a cluster keeps what was applied last.
pub(super) fn read(files: &BTreeMap<String, String>, before: &Readable) -> Manifests {
    let mut manifests = Manifests::default();
    for (file, text) in files {
        if file.ends_with(".graphql") {
            continue;
        }
        let mut items = Items::read(file, text);
        let is_readable = items.findings.is_empty();
        let last = before.get(file).filter(|_| !is_readable);
        if let Some(last) = last {
            items.all = Items::read(file, last).all;
            for finding in &mut items.findings {
                finding.meanwhile = Some("the file counts as it was before".to_owned());
            }
        }
        if let Some(text) = last.or(is_readable.then_some(text)) {
            manifests.readable.insert(file.clone(), text.clone());
        }
        manifests.findings.append(&mut items.findings);
        for (place, item) in items.all {
            manifests.add(place, item);
        }
    }
    manifests.name_namespaces();
    manifests
}

/// What is in a file.
#[derive(Default)]
struct Items {
    all: Vec<(Place, Item)>,
    findings: Vec<Finding>,
}

impl Items {
    fn read(file: &str, text: &str) -> Self {
        let mut items = Self::default();
        for (line, text) in documents(file, text) {
            let place = Place {
                file: file.to_owned(),
                line,
            };
            match metadata::directory::read_yaml(file, text) {
                Ok(Value::Null) => {}
                Ok(value) => items.add(&place, &value),
                Err(error) => {
                    let message = error.to_string();
                    let message = message.strip_prefix(&format!("{file}: ")).unwrap_or(&message);
                    items.findings.push(Finding::of_file(place, message));
                }
            }
        }
        items
    }

    fn add(&mut self, place: &Place, value: &Value) {
        match item(value) {
            Ok(Some(item)) => self.all.push((place.clone(), item)),
            Ok(None) => {
                let items = value.get("items").and_then(Value::as_array);
                let is_list = value.get("kind").is_some_and(|kind| kind == "List");
                for item in items.into_iter().flatten().filter(|_| is_list) {
                    self.add(place, item);
                }
            }
            Err(message) => self.findings.push(Finding::of_file(place.clone(), &message)),
        }
    }
}

/// What a document is; nothing: a list, or an object of others.
fn item(value: &Value) -> Result<Option<Item>, String> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    match (text("/apiVersion"), text("/kind")) {
        (Some(_), Some("List")) => Ok(None),
        (Some("v1"), Some("Secret")) => {
            let (name, values) = super::secret::of_manifest(value, NAMESPACE)?;
            Ok(Some(Item::Secret(name, values)))
        }
        (Some("v1"), Some("Namespace")) => {
            let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
            let labels = labels
                .into_iter()
                .flatten()
                .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())));
            let name = text("/metadata/name").unwrap_or_default().to_owned();
            Ok(Some(Item::Namespace(name, labels.collect())))
        }
        (Some(version), Some(_)) if !version.starts_with(&format!("{}/", crd::GROUP)) => Ok(None),
        (Some(_), Some(_)) => {
            let object = Object::from_json(value, NAMESPACE).map_err(|error| error.to_string())?;
            Ok(Some(Item::Object(Box::new(object))))
        }
        _ => Err("this is no object: apiVersion or kind is missing".to_owned()),
    }
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
    fn add(&mut self, place: Place, item: Item) {
        match item {
            Item::Secret(name, values) => drop(self.secrets.insert(name, values)),
            Item::Namespace(name, labels) => drop(self.namespaces.insert(name, labels)),
            Item::Object(object) => match self.places.get(&object.key) {
                Some(first) => {
                    let message = format!("{} stands at {first} already", object.key);
                    self.findings.push(Finding::of_file(place, &message));
                }
                None => {
                    self.places.insert(object.key.clone(), place);
                    self.objects.push(Arc::new(*object));
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
