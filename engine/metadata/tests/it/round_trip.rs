//! Reading and printing again changes nothing, and a changed document is either refused or as stable.

use metadata::json::{Content, Shape};
use metadata::{AnyDocument, Document, Json};
use serde_json::{Value, json};

use crate::full;

#[test]
fn the_full_document_is_its_own_canonical_form() {
    let value = full();
    let (document, warnings) = Document::parse(&value).expect("it is valid");
    assert_eq!(warnings, []);
    let printed = document.to_json();
    for (one, two) in lines(&printed).lines().zip(lines(&value).lines()) {
        assert_eq!(one, two);
    }
    assert_eq!(printed.to_string(), value.to_string());
}

fn lines(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value prints")
}

/// Otherwise the tests over the full document would prove nothing about a key it lacks.
#[test]
fn the_full_document_has_every_key() {
    let Content::Object(shape) = Document::content() else {
        panic!("a document is an object")
    };
    let mut missing = Vec::new();
    collect_missing(&shape, &[&full()], "$", &mut missing);
    // Forms that are read and printed in another form.
    missing.retain(|path| !path.ends_with(".manual_configuration.native_query"));
    missing.retain(|path| !path.ends_with(".fields[].nullable"));
    assert_eq!(missing, Vec::<String>::new());
}

fn collect_missing(shape: &Shape, values: &[&Value], path: &str, missing: &mut Vec<String>) {
    for (key, content) in &shape.keys {
        let path = format!("{path}.{key}");
        let found: Vec<&Value> = values.iter().filter_map(|value| value.get(key)).collect();
        if found.is_empty() {
            missing.push(path);
            continue;
        }
        match content {
            Content::Leaf => {}
            // The text forms of an object are leaves; at least one value must be an object.
            Content::Object(inner) => {
                let objects: Vec<&Value> = found.into_iter().filter(|value| value.is_object()).collect();
                if !objects.is_empty() || inner.name != "CustomRootField" {
                    if is_shared(inner) {
                        continue;
                    }
                    collect_missing(inner, &objects, &path, missing);
                }
            }
            Content::List(inner) => {
                if is_shared(inner) {
                    continue;
                }
                let items: Vec<&Value> = found.into_iter().filter_map(Value::as_array).flatten().collect();
                collect_missing(inner, &items, &format!("{path}[]"), missing);
            }
            Content::Map(inner) => {
                let items: Vec<&Value> = found
                    .into_iter()
                    .filter_map(Value::as_object)
                    .flat_map(|map| map.values())
                    .collect();
                // `per_role` may be empty where another limit has one.
                if !items.is_empty() {
                    collect_missing(inner, &items, &format!("{path}.*"), missing);
                }
            }
        }
    }
}

/// Objects that stand in many places and are complete in one of them.
fn is_shared(shape: &Shape) -> bool {
    const SHARED: &[&str] = &[
        "HeaderConf",
        "RequestTransform",
        "ResponseTransform",
        "ValidateInput",
        "PostgresSourceConnInfo",
        "PermDef",
        "RelDef",
        "RemoteRelationship",
        "TriggerOpsDef",
        "LogicalModelType",
    ];
    SHARED.contains(&shape.name)
}

#[test]
fn the_order_of_entries_does_not_matter() {
    let value = full();
    let (document, _) = Document::parse(&value).expect("it is valid");
    let mut shuffled = value.clone();
    reverse(&mut shuffled["sources"]);
    reverse(&mut shuffled["sources"][1]["tables"]);
    for key in [
        "object_relationships",
        "array_relationships",
        "select_permissions",
        "event_triggers",
    ] {
        reverse(&mut shuffled["sources"][1]["tables"][1][key]);
    }
    for key in [
        "remote_schemas",
        "actions",
        "cron_triggers",
        "rest_endpoints",
        "allowlist",
    ] {
        reverse(&mut shuffled[key]);
    }
    assert_ne!(shuffled.to_string(), value.to_string());
    let (other, _) = Document::parse(&shuffled).expect("it is valid");
    assert_eq!(other.to_text(), document.to_text());
    assert_eq!(other.generation_hash(), document.generation_hash());
}

fn reverse(value: &mut Value) {
    value.as_array_mut().expect("a list").reverse();
}

#[test]
fn an_empty_document_has_a_known_hash() {
    let (document, _) = Document::parse(&json!({"version": 3, "sources": []})).expect("it is valid");
    assert_eq!(document.to_text(), r#"{"version":3,"sources":[]}"#);
    // printf '%s' '{"version":3,"sources":[]}' | sha256sum
    assert_eq!(
        document.generation_hash(),
        "b5691f8a847392ee794040463cee258770a825b5f15b9eceb1699c55f5fbbc5d"
    );
}

/// Every value of the full document is replaced by values of other types, and every key is taken away: the
/// result is refused, or printing it is stable. Nothing panics.
#[test]
fn mutated_documents_are_refused_or_stable() {
    let value = full();
    let mut pointers = Vec::new();
    collect_pointers(&value, String::new(), &mut pointers);
    assert!(pointers.len() > 700, "only {} places", pointers.len());
    let replacements = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(""),
        json!("x"),
        json!([]),
        json!([{}]),
        json!({}),
    ];
    let (mut refused, mut accepted) = (0, 0);
    for (index, pointer) in pointers.iter().enumerate() {
        let mut mutants: Vec<Value> = Vec::new();
        // Three of the replacements for each place, in turn: all nine would take a quarter of a minute.
        for replacement in replacements
            .iter()
            .cycle()
            .skip(index % replacements.len())
            .take(3)
        {
            let mut mutant = value.clone();
            *mutant.pointer_mut(pointer).expect("the place exists") = replacement.clone();
            mutants.push(mutant);
        }
        mutants.extend(without(&value, pointer));
        for mutant in mutants {
            match AnyDocument::parse(&mutant) {
                Err(error) => {
                    assert!(!error.message.is_empty());
                    refused += 1;
                }
                Ok((document, _)) => {
                    accepted += 1;
                    let printed = document.print();
                    let (again, _) = AnyDocument::parse(&printed).unwrap_or_else(|error| {
                        panic!("{pointer}: printed form refused: {}: {error}", error.path)
                    });
                    assert_eq!(again, document, "{pointer}");
                    assert_eq!(again.print().to_string(), printed.to_string(), "{pointer}");
                }
            }
        }
    }
    assert!(
        refused > 500 && accepted > 500,
        "{refused} refused, {accepted} accepted"
    );
}

fn collect_pointers(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_pointers(item, format!("{pointer}/{index}"), pointers);
            }
        }
        Value::Object(object) => {
            for (key, item) in object {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect_pointers(item, format!("{pointer}/{key}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}

fn without(value: &Value, pointer: &str) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    let mut mutant = value.clone();
    mutant.pointer_mut(parent)?.as_object_mut()?.remove(key)?;
    Some(mutant)
}
