//! The full document with a part removed, turned round or extended by a key that nobody knows: still the same document after import and compile, or what
//! is missing has been said.

use compile::{LastAccepted, Object, Snapshot, compile, import};
use metadata::Document;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn full() -> Value {
    serde_json::from_str(include_str!("../../../../engine/metadata/tests/it/full.json")).expect("JSON")
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(|item| 1 + count(item)).sum(),
        Value::Object(object) => object.values().map(|item| 1 + count(item)).sum(),
        _ => 0,
    }
}

/// What becomes of a node.
#[derive(Clone, Debug)]
enum Change {
    Removed,
    Turned,
    /// It gets a key that nobody knows, with this value.
    Extended(Value),
}

/// Changes the node that the walk has come to.
fn change(value: &mut Value, left: &mut usize, how: &Change) -> bool {
    let step = |item: &mut Value, left: &mut usize| -> Option<bool> {
        if *left == 0 {
            match (how, item) {
                (Change::Turned, Value::Array(items)) => items.reverse(),
                (Change::Turned, Value::Object(object)) => {
                    *object = std::mem::take(object).into_iter().rev().collect();
                }
                (Change::Extended(value), Value::Object(object)) => {
                    object.insert("unknown".to_owned(), value.clone());
                }
                _ => {}
            }
            return Some(matches!(how, Change::Removed));
        }
        *left -= 1;
        change(item, left, how).then_some(false)
    };
    match value {
        Value::Array(items) => {
            for index in 0..items.len() {
                if let Some(remove) = step(&mut items[index], left) {
                    if remove {
                        items.remove(index);
                    }
                    return true;
                }
            }
        }
        Value::Object(object) => {
            let keys: Vec<String> = object.keys().cloned().collect();
            for key in keys {
                if let Some(remove) = step(&mut object[&key], left) {
                    if remove {
                        object.shift_remove(&key);
                    }
                    return true;
                }
            }
        }
        _ => {}
    }
    false
}

/// A changed document, if it still is one.
fn changed(at: Index, how: &Change) -> Option<Document> {
    let mut value = full();
    let mut left = at.index(count(&value));
    assert!(change(&mut value, &mut left, how));
    Document::parse(&value).ok().map(|(document, _)| document)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_unsaid(at in any::<Index>(), how in prop_oneof![
        Just(Change::Removed),
        Just(Change::Turned),
        Just(Change::Extended(Value::Null)),
        Just(Change::Extended(json!({"a": null}))),
        Just(Change::Extended(json!({"a": [null, 1]}))),
    ]) {
        let Some(mut document) = changed(at, &how) else {
            return Ok(());
        };
        // It has one entry for a collection that does not exist.
        let collections = document.query_collections.clone();
        document.allowlist.retain(|name, _| collections.contains_key(name));
        let imported = import(&document, "shop", "shop");
        let objects: Vec<Object> = imported
            .objects
            .iter()
            .map(|object| Object::from_json(object, "shop").expect("an object"))
            .collect();
        let compiled = compile(&Snapshot::new(objects), &LastAccepted::nothing());
        for verdict in &compiled.verdicts {
            prop_assert_eq!(&verdict.refusal, &None, "{}", verdict.object);
        }
        if imported.not_carried.is_empty() {
            prop_assert_eq!(compiled.document.to_text(), document.to_text());
        } else {
            prop_assert_ne!(compiled.document.to_text(), document.to_text());
        }
    }
}
