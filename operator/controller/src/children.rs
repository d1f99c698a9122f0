//! What the operator made for engines, as it is now: enough to see that somebody else changed or deleted it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use compile::ObjectKey;
use crd::Kind;
use kube::api::ObjectMeta;
use serde_json::Value;

use crate::render::ENGINE_LABEL;
use crate::resource::{Native, Resource};

/// Which child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildKey {
    /// The kind.
    pub kind: Native,
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// A child as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Child {
    /// The engine that its label names.
    pub engine: String,
    /// The uid of the engine that owns it.
    pub owner: String,
    /// `metadata.uid`
    pub uid: String,
    /// Grows with every change: `metadata.generation` where the kind has one, else the resource version.
    pub version: u64,
    /// The resource version, by which two objects of one name are told apart in time.
    pub revision: u64,
    /// `status` of a Deployment.
    pub status: Value,
    /// It was deleted.
    pub gone: bool,
}

impl Child {
    fn deleted(self) -> Self {
        Self {
            status: Value::Null,
            gone: true,
            ..self
        }
    }
}

/// All children.
#[derive(Debug, Default)]
pub struct Children {
    all: Mutex<BTreeMap<ChildKey, Child>>,
}

impl Children {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChildKey, Child>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a child as it is; gives its engine if something changed.
    pub fn seen(&self, kind: Native, resource: &Resource) -> Option<ObjectKey> {
        let (key, child) = read(kind, resource)?;
        let engine = engine(&key, &child);
        let before = self.lock().insert(key, child.clone());
        (before != Some(child)).then_some(engine)
    }

    /// The child was deleted; gives its engine. While that `is_there` the child is remembered as gone, as it has to be made
    /// again.
    pub fn gone(
        &self,
        kind: Native,
        resource: &Resource,
        is_there: impl Fn(&ObjectKey) -> bool,
    ) -> Option<ObjectKey> {
        let (key, child) = read(kind, resource)?;
        let engine = engine(&key, &child);
        // An engine that goes meanwhile is forgotten after this.
        let mut all = self.lock();
        if is_there(&engine) {
            all.insert(key, child.deleted());
        } else {
            all.remove(&key);
        }
        Some(engine)
    }

    /// Children of a kind, in a namespace or in all, that are not among the uids `seen` are gone; gives their engines.
    /// They are remembered as in `gone`.
    pub fn keep(
        &self,
        kind: Native,
        namespace: Option<&str>,
        seen: &BTreeSet<String>,
        is_there: impl Fn(&ObjectKey) -> bool,
    ) -> Vec<ObjectKey> {
        let mut engines = Vec::new();
        self.lock().retain(|key, child| {
            let here = key.kind == kind && namespace.is_none_or(|namespace| key.namespace == namespace);
            if !here || child.gone || seen.contains(&child.uid) {
                return true;
            }
            let engine = engine(key, child);
            let is_there = is_there(&engine);
            engines.push(engine);
            *child = std::mem::take(child).deleted();
            is_there
        });
        engines
    }

    /// A child as it is.
    pub fn get(&self, key: &ChildKey) -> Option<Child> {
        self.lock().get(key).cloned()
    }

    /// The children that are there, of an engine with a uid.
    pub fn of_engine(&self, namespace: &str, uid: &str) -> Vec<ChildKey> {
        let all = self.lock();
        let ours = all
            .iter()
            .filter(|(key, child)| key.namespace == namespace && child.owner == uid && !child.gone);
        ours.map(|(key, _)| key.clone()).collect()
    }

    /// The engine is there no more: what is known of its deleted children is not needed any more.
    pub fn forget(&self, engine: &ObjectKey) {
        self.lock().retain(|key, child| {
            !(child.gone && key.namespace == engine.namespace && child.engine == engine.name)
        });
    }
}

fn engine(key: &ChildKey, child: &Child) -> ObjectKey {
    ObjectKey {
        kind: Kind::Engine,
        namespace: key.namespace.clone(),
        name: child.engine.clone(),
    }
}

/// What counts as the version of an object.
pub fn version(metadata: &ObjectMeta) -> u64 {
    let number = match metadata.generation {
        Some(generation) => u64::try_from(generation).ok(),
        None => return revision(metadata),
    };
    number.unwrap_or_default()
}

/// The resource version as a number, which API servers count in; 0 where it is none.
pub fn revision(metadata: &ObjectMeta) -> u64 {
    let version = metadata.resource_version.as_ref();
    version
        .and_then(|version| version.parse().ok())
        .unwrap_or_default()
}

fn read(kind: Native, resource: &Resource) -> Option<(ChildKey, Child)> {
    let metadata = &resource.metadata;
    let key = ChildKey {
        kind,
        namespace: metadata.namespace.clone()?,
        name: metadata.name.clone()?,
    };
    let owner = metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.kind == "Engine");
    let child = Child {
        engine: metadata.labels.as_ref()?.get(ENGINE_LABEL)?.clone(),
        owner: owner.map(|owner| owner.uid.clone()).unwrap_or_default(),
        uid: metadata.uid.clone()?,
        version: version(metadata),
        revision: revision(metadata),
        status: resource.status.clone(),
        gone: false,
    };
    Some((key, child))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn child(name: &str, version: &str) -> Resource {
        let value = json!({"metadata": {
            "name": name, "namespace": "n", "uid": name, "resourceVersion": version,
            "labels": {ENGINE_LABEL: "e"},
            "ownerReferences": [{"apiVersion": "x", "kind": "Engine", "name": "e", "uid": "u"}],
        }});
        serde_json::from_value(value).expect("a resource")
    }

    #[test]
    fn changes_and_deletions_are_told_to_the_engine() {
        let children = Children::default();
        let kind = Native::ConfigMap;
        assert!(
            children
                .seen(kind, &child("a", "1"))
                .is_some_and(|engine| engine.name == "e")
        );
        assert!(children.seen(kind, &child("a", "1")).is_none());
        assert!(children.seen(kind, &child("a", "2")).is_some());
        children.seen(kind, &child("b", "3"));
        assert_eq!(children.of_engine("n", "u").len(), 2);
        assert_eq!(children.of_engine("n", "another").len(), 0);
        let seen = BTreeSet::from(["b".to_owned()]);
        let there = |_: &ObjectKey| true;
        assert_eq!(children.keep(kind, None, &seen, there).len(), 1);
        assert_eq!(children.keep(kind, None, &seen, there).len(), 0);
        let all = children.of_engine("n", "u");
        assert_eq!(all.len(), 1);
        let engine = engine(&all[0], &children.get(&all[0]).expect("b"));
        children.gone(kind, &child("b", "4"), there);
        assert!(children.get(&all[0]).is_some_and(|child| child.gone));
        children.forget(&engine);
        assert_eq!(children.get(&all[0]), None);
    }

    /// What an engine made is deleted after the engine.
    #[test]
    fn of_an_engine_that_is_gone_nothing_stays() {
        let children = Children::default();
        let kind = Native::ConfigMap;
        let count = || children.lock().len();
        for name in ["a", "b", "c"] {
            children.seen(kind, &child(name, "1"));
        }
        let engine = children
            .lock()
            .iter()
            .map(|(key, child)| engine(key, child))
            .next();
        let engine = engine.expect("one");
        children.gone(kind, &child("a", "1"), |_| true);
        children.forget(&engine);
        assert_eq!(count(), 2, "two are there yet");
        assert_eq!(children.gone(kind, &child("b", "1"), |_| false), Some(engine));
        assert_eq!(count(), 1);
        assert_eq!(children.keep(kind, None, &BTreeSet::new(), |_| false).len(), 1);
        assert_eq!(count(), 0);
    }
}
