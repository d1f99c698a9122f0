//! What owners consent to: references into their namespace, and engines of others that serve their objects.

use std::collections::HashSet;

use crd::Kind;
use crd::reference_grant::GRANTABLE;
use serde_json::Value;

use crate::compile::Refusal;
use crate::object::{Object, ObjectKey};

/// The consents of all `ReferenceGrant`s.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Who refers (kind, namespace) to what (kind, namespace, name; no name is any).
    granted: HashSet<(Kind, String, Kind, String, Option<String>)>,
}

impl Grants {
    /// Reads the grants among these objects; a kind that does not exist grants nothing, see [`grant_fault`].
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

/// What of a `ReferenceGrant` cannot be read, and grants nothing.
pub fn grant_fault(grant: &Object) -> Option<Refusal> {
    let spec = grant.spec.value();
    if let Err(error) = crd::spec::check(Kind::ReferenceGrant, &spec) {
        return Some(Refusal::invalid(error.path, error.message));
    }
    ["from", "to"].into_iter().find_map(|list| {
        let kind = |item: &Value| text(item, "kind").unwrap_or_default();
        let (index, item) = items(&spec, list)
            .enumerate()
            .find(|(_, item)| !GRANTABLE.contains(&kind(item).as_str()))?;
        Some(Refusal::invalid(
            format!("spec.{list}[{index}].kind"),
            format!("{:?} is not one of {}", kind(item), GRANTABLE.join(", ")),
        ))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grant(spec: &Value) -> Object {
        let value = json!({
            "apiVersion": crd::API_VERSION, "kind": "ReferenceGrant", "metadata": {"name": "g", "namespace": "n"},
            "spec": spec,
        });
        Object::from_json(&value, "n").expect("an object")
    }

    #[test]
    fn what_grants_nothing_is_told() {
        let fault = |from: Value, to: Value| {
            let grant = grant(&json!({"from": [from], "to": [to]}));
            grant_fault(&grant)
                .map(|fault| fault.to_string())
                .unwrap_or_default()
        };
        let table = json!({"kind": "Table", "namespace": "m"});
        assert_eq!(fault(table.clone(), json!({"kind": "Source"})), "");
        let misspelt = fault(
            json!({"kind": "Tabel", "namespace": "m"}),
            json!({"kind": "Source"}),
        );
        assert!(
            misspelt.starts_with("spec.from[0].kind: \"Tabel\" is not one of Engine, Source, "),
            "{misspelt}"
        );
        let secret = fault(table.clone(), json!({"kind": "Secret"}));
        assert!(
            secret.starts_with("spec.to[0].kind: \"Secret\" is not one of Engine, Source, "),
            "{secret}"
        );
        let unknown = fault(table, json!({"kind": "Source", "names": ["a"]}));
        assert!(unknown.starts_with("spec.to[0]"), "{unknown}");
    }

    /// What is misspelt takes nothing from the rest.
    #[test]
    fn the_rest_of_a_grant_counts() {
        let from = json!([{"kind": "Tabel", "namespace": "m"}, {"kind": "Table", "namespace": "m"}]);
        let grants = Grants::of([&grant(
            &json!({"from": from, "to": [{"kind": "Source"}, {"kind": "Secret"}]}),
        )]);
        let key = |kind, namespace: &str| ObjectKey {
            kind,
            namespace: namespace.to_owned(),
            name: "x".to_owned(),
        };
        assert!(grants.permit(&key(Kind::Table, "m"), &key(Kind::Source, "n")));
        assert!(!grants.permit(&key(Kind::Function, "m"), &key(Kind::Source, "n")));
    }

    /// Engines serve all but grants.
    #[test]
    fn every_kind_but_grants_can_be_granted() {
        for kind in Kind::ALL {
            let is_grantable = GRANTABLE.contains(&kind.as_str());
            assert_eq!(is_grantable, *kind != Kind::ReferenceGrant, "{kind}");
        }
        assert!(GRANTABLE.iter().all(|name| Kind::named(name).is_some()));
    }
}
