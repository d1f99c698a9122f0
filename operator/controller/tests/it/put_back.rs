//! What the operator made for an engine and somebody else changed or deleted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::stand_in::{Cluster, Key, State};

/// What belongs to the engine, without what the API server adds.
fn made(state: &State) -> BTreeMap<Key, Value> {
    let owned = state
        .objects
        .iter()
        .filter(|(_, object)| object["metadata"]["ownerReferences"][0]["kind"] == "Engine");
    owned
        .map(|(key, object)| (key.clone(), content(object)))
        .collect()
}

fn content(object: &Value) -> Value {
    let mut object = object.clone();
    for added in ["uid", "resourceVersion", "generation", "creationTimestamp"] {
        let metadata = object["metadata"].as_object_mut().expect("metadata");
        metadata.remove(added);
    }
    object
}

/// The object with its first field of content changed.
fn changed(object: &Value) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().expect("an object");
    let of_all = ["apiVersion", "kind", "metadata"];
    let field = fields
        .iter_mut()
        .find(|(name, _)| !of_all.contains(&name.as_str()));
    let (_, value) = field.expect("some content");
    *value = match value {
        Value::Object(_) => json!({}),
        Value::Array(_) => json!([]),
        Value::Bool(before) => json!(!*before),
        _ => json!("other"),
    };
    object
}

#[test]
fn whatever_was_made_is_put_back() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let _operator = cluster.operator(&[]);
    let expected: BTreeSet<&str> = [
        "configmaps",
        "secrets",
        "services",
        "serviceaccounts",
        "deployments",
        "poddisruptionbudgets",
        "networkpolicies",
        "roles",
        "rolebindings",
    ]
    .into();
    let mut before = BTreeMap::new();
    cluster.until("all is made", |state| {
        before = made(state);
        let kinds = before.keys().filter_map(|key| key.0.rsplit('/').next());
        BTreeSet::from_iter(kinds) == expected && state.set("shop", "e").is_some()
    });
    let index = before.keys().any(|key| key.2 == "e-metadata");
    assert!(index, "the index of the published set is among them");
    cluster.with(|state| {
        for key in before.keys() {
            let object = changed(&state.objects[key]);
            assert_ne!(content(&object), before[key]);
            state.put(key, object);
        }
    });
    cluster.until("what was changed is as it was", |state| made(state) == before);
    cluster.with(|state| {
        for key in before.keys() {
            state.remove(key);
        }
    });
    cluster.until("what was deleted is there again", |state| made(state) == before);
}
