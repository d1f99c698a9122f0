//! The examples of the reference pages, and what becomes of damaged ones.

use compile::{LastAccepted, Object, Snapshot, compile, import};
use crd::{Kind, reference};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn example(kind: Kind) -> Value {
    serde_norway::from_str(reference::example(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn objects() -> Vec<Object> {
    Kind::ALL
        .iter()
        .map(|kind| Object::from_json(&example(*kind), "shop").unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

#[test]
fn together_they_are_an_application() {
    let compiled = compile(&Snapshot::new(objects()), &LastAccepted::nothing());
    for verdict in &compiled.verdicts {
        assert_eq!(verdict.refusal, None, "{}", verdict.object);
    }
    assert_eq!(compiled.verdicts.len(), Kind::ALL.len() - 1);
    // The secrets of the application: of the engine's settings too.
    let mut keys: Vec<&str> = compiled
        .secrets
        .iter()
        .map(|secret| secret.key.as_str())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["admin-secret", "api-key", "jwt", "token", "token", "uri"]);
    // Keys of Secrets are not in the document; what stands for them is named.
    let again = import(&compiled.document, "shop", "shop");
    let named: Vec<&str> = again.not_carried.iter().map(|left| left.path.as_str()).collect();
    assert_eq!(
        named,
        [
            "Source default: spec.connection.urlFrom.env",
            "Action checkout: spec.headers[0].valueFrom.env",
            "RemoteSchema shipping: spec.headers[0].valueFrom.env",
            "EventTrigger default.public.album.album_published: spec.headers[0].valueFrom.env",
        ]
    );
}

/// Puts `damage` where the walk over the value's nodes has come so far.
fn damage(value: &mut Value, at: &mut usize, damage_with: &Value) {
    if *at == 0 {
        *value = damage_with.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| damage(item, at, damage_with)),
        Value::Object(object) => object.values_mut().for_each(|item| damage(item, at, damage_with)),
        _ => {}
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(object) => object.values().map(nodes).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in a field: there is a verdict, a refusal says where, and what is published is a document.
    #[test]
    fn damaged_ones_get_a_verdict(kind in 0..Kind::ALL.len(), at in any::<Index>(), with in 0_usize..10) {
        let mut objects = objects();
        let object = &mut objects[kind];
        let replacement = [
            json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("\u{0}{{"), json!([]), json!([[1]]),
            json!({}), json!({"$json": "{\"a\":[1.50,null]}"}),
        ][with].clone();
        let mut at = at.index(nodes(&object.spec.value()));
        object.spec.change(|spec| damage(spec, &mut at, &replacement));
        let compiled = compile(&Snapshot::new(objects), &LastAccepted::nothing());
        for refusal in compiled.verdicts.iter().filter_map(|verdict| verdict.refusal.as_ref()) {
            prop_assert!(refusal.path.starts_with("spec"), "{refusal}");
            prop_assert!(!refusal.message.is_empty());
        }
        let text = compiled.document.to_text();
        let value: Value = serde_json::from_str(&text).expect("JSON");
        let (read, _) = metadata::Document::parse(&value).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(read.to_text(), text);
    }
}
