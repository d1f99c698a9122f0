//! The objects of one engine, as read from a cluster or from files.

mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crd::Kind;
use serde_json::Value;

use crate::grant::Grants;
use crate::selector::Selection;

pub use spec::Spec;

/// Which object: kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The kind.
    pub kind: Kind,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A custom resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which one.
    pub key: ObjectKey,
    /// `metadata.uid`; of objects from files, something that is theirs alone.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.creationTimestamp`, as written (RFC 3339 in UTC, so that texts sort as times do).
    pub created: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `spec`.
    pub spec: Spec,
}

/// Why a value is not an object of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// Another `apiVersion`.
    #[error("apiVersion is {0:?}, expected {API:?}", API = crd::API_VERSION)]
    ApiVersion(String),
    /// A kind that does not exist.
    #[error("kind {0:?} does not exist in {API}", API = crd::API_VERSION)]
    Kind(String),
    /// No name.
    #[error("metadata.name is missing")]
    Name,
}

impl Object {
    /// Reads an object from JSON. `namespace` is meant where the object names none. Without a uid, kind, namespace and
    /// name serve as one.
    pub fn from_json(value: &Value, namespace: &str) -> Result<Self, ObjectError> {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let version = text("/apiVersion").unwrap_or_default();
        if version != crd::API_VERSION {
            return Err(ObjectError::ApiVersion(version));
        }
        let kind = text("/kind").unwrap_or_default();
        let Some(kind) = Kind::named(&kind) else {
            return Err(ObjectError::Kind(kind));
        };
        let key = ObjectKey {
            kind,
            namespace: text("/metadata/namespace").unwrap_or_else(|| namespace.to_owned()),
            name: text("/metadata/name").ok_or(ObjectError::Name)?,
        };
        let number = value.pointer("/metadata/generation").and_then(Value::as_i64);
        let labels = value.pointer("/metadata/labels").and_then(Value::as_object);
        let labels = labels.into_iter().flatten();
        Ok(Self {
            uid: text("/metadata/uid").unwrap_or_else(|| key.to_string()),
            generation: number.unwrap_or(1),
            created: text("/metadata/creationTimestamp").unwrap_or_default(),
            labels: labels
                .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())))
                .collect(),
            spec: value.get("spec").cloned().unwrap_or_default().into(),
            key,
        })
    }

    /// Older objects first, then by namespace, name and kind.
    pub(crate) fn age(&self) -> (&str, &str, &str, Kind) {
        (&self.created, &self.key.namespace, &self.key.name, self.key.kind)
    }
}

/// Everything one engine is made of: its own object, the objects it selects, and all `ReferenceGrant`s.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    objects: Vec<Arc<Object>>,
    guarded: BTreeSet<String>,
    is_open: bool,
}

impl Snapshot {
    /// The objects, in any order.
    pub fn new(objects: Vec<Object>) -> Self {
        Self::shared(objects.into_iter().map(Arc::new).collect())
    }

    /// The same, of objects that are kept elsewhere too.
    pub fn shared(mut objects: Vec<Arc<Object>>) -> Self {
        objects.sort_by(|one, two| one.key.cmp(&two.key).then_with(|| one.uid.cmp(&two.uid)));
        objects.dedup_by(|one, two| one.key == two.key);
        Self {
            objects,
            guarded: BTreeSet::new(),
            is_open: false,
        }
    }

    /// With variables that come from Secrets in what runs: while the Engine's present form is refused, say, or pods are
    /// being replaced, they are there though the Engine does not have them any more.
    #[must_use]
    pub fn guarding(mut self, variables: BTreeSet<String>) -> Self {
        self.guarded = variables;
        self
    }

    /// With objects that may name any variable: what they say is compared, and served to nobody.
    pub(crate) fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    pub(crate) fn is_open(&self) -> bool {
        self.is_open
    }

    pub(crate) fn guarded(&self) -> &BTreeSet<String> {
        &self.guarded
    }

    /// What an engine is made of, out of all objects: the engine itself, what it selects, and every
    /// `ReferenceGrant`. `namespaces` has the labels of each namespace; one that it lacks has none.
    pub fn of_engine(
        engine: &Arc<Object>,
        objects: &[Arc<Object>],
        namespaces: &BTreeMap<String, BTreeMap<String, String>>,
    ) -> Self {
        let selection = Selection::of(engine);
        let grants = Grants::of(objects.iter().map(AsRef::as_ref));
        let nothing = BTreeMap::new();
        let belongs = |object: &&Arc<Object>| {
            let namespace = namespaces.get(&object.key.namespace).unwrap_or(&nothing);
            selection.takes(object, namespace, &grants)
        };
        let mut selected: Vec<Arc<Object>> = objects.iter().filter(belongs).cloned().collect();
        selected.push(Arc::clone(engine));
        Self::shared(selected)
    }

    /// The objects by kind, namespace and name.
    pub fn objects(&self) -> &[Arc<Object>] {
        &self.objects
    }

    pub(crate) fn find(&self, key: &ObjectKey) -> Option<&Object> {
        let index = self.objects.binary_search_by(|object| object.key.cmp(key)).ok()?;
        self.objects.get(index).map(AsRef::as_ref)
    }
}
