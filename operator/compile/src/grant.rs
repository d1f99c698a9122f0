//! What owners consent to: references into their namespace, and engines of others that serve their objects.

use std::collections::HashSet;

use crd::Kind;
use serde_json::Value;

use crate::object::{Object, ObjectKey};

/// The consents of all `ReferenceGrant`s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Who refers (kind, namespace) to what (kind, namespace, name; no name is any).
    granted: HashSet<(Kind, String, Kind, String, Option<String>)>,
}

impl Grants {
    /// Reads the grants among these objects; a kind that does not exist grants nothing.
    pub fn of<'o>(objects: impl IntoIterator<Item = &'o Object>) -> Self {
        let mut granted = HashSet::new();
        let grants = objects
            .into_iter()
            .filter(|object| object.key.kind == Kind::ReferenceGrant);
        for grant in grants {
            let spec = grant.spec.value();
            if crd::spec::check(Kind::ReferenceGrant, &spec).is_err() {
                continue;
            }
            for from in items(&spec, "from") {
                for to in items(&spec, "to") {
                    if let (Some(from_kind), Some(from_namespace), Some(to_kind)) =
                        (kind(from), text(from, "namespace"), kind(to))
                    {
                        let namespace = grant.key.namespace.clone();
                        granted.insert((from_kind, from_namespace, to_kind, namespace, text(to, "name")));
                    }
                }
            }
        }
        Self { granted }
    }

    /// Whether an object may refer to another, or an engine serve it.
    pub fn permit(&self, from: &ObjectKey, to: &ObjectKey) -> bool {
        from.namespace == to.namespace
            || [None, Some(to.name.clone())].into_iter().any(|name| {
                self.granted.contains(&(
                    from.kind,
                    from.namespace.clone(),
                    to.kind,
                    to.namespace.clone(),
                    name,
                ))
            })
    }
}

fn items<'v>(spec: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + Clone {
    spec.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn kind(value: &Value) -> Option<Kind> {
    value.get("kind").and_then(Value::as_str).and_then(Kind::named)
}
