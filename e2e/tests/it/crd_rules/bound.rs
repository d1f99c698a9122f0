//! What a schema asks for besides its CEL rules (types, required fields, lengths, counts, words, patterns), and specs that
//! break each of these bounds; many in one spec, as an API server tells all that it finds.

use serde_json::{Value, json};

use super::instance::least;

/// A step from a value to one in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field of the schema.
    Field(String),
    /// The first of a list.
    Item,
    /// An entry of a map with names of the author's.
    Entry,
}

/// A bound, and what breaks it.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The value that it bounds, from `spec` on.
    pub path: Vec<Step>,
    /// What stands there instead; nothing takes the field away.
    pub broken: Option<Value>,
    /// The field that the refusal names.
    pub field: String,
    /// What the refusal says of it.
    pub words: &'static str,
}

/// The bounds of a schema, in every place.
pub fn bounds(schema: &Value) -> Vec<Bound> {
    let mut found = Vec::new();
    walk(schema, &[], &mut found);
    found
}

fn walk(schema: &Value, path: &[Step], found: &mut Vec<Bound>) {
    own(schema, path, found);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        walk(field, &with(path, Step::Field(name.clone())), found);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &with(path, Step::Item), found);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &with(path, Step::Entry), found);
    }
}

fn with(path: &[Step], step: Step) -> Vec<Step> {
    path.iter().cloned().chain([step]).collect()
}

/// The bounds of one place.
fn own(schema: &Value, path: &[Step], found: &mut Vec<Bound>) {
    let mut add = |broken: Value, words: &'static str| {
        found.push(Bound {
            path: path.to_vec(),
            broken: Some(broken),
            field: named(path),
            words,
        });
    };
    let number = |key: &str| schema[key].as_i64();
    let count = |key: &str| schema[key].as_u64().and_then(|count| usize::try_from(count).ok());
    let items = |count: usize| Value::Array((0..count).map(|index| item(schema, index)).collect());
    match schema["type"].as_str() {
        // Not the spec itself: without one there is no path to name.
        Some("object") if path.is_empty() => {}
        Some("object" | "array" | "integer" | "boolean") => add(json!("a"), "must be of type"),
        Some("string") => add(json!(1), "must be of type"),
        _ if schema["x-kubernetes-int-or-string"] == true => add(json!(true), "must be of type"),
        _ => {}
    }
    if schema["enum"].is_array() {
        add(json!("NoSuchWord"), "Unsupported value");
    }
    if schema["pattern"].is_string() {
        add(json!("0 a"), "should match");
    }
    if let Some(most) = count("maxLength") {
        add(json!("a".repeat(most + 1)), "Too long");
    }
    if let Some(fewest) = count("minLength") {
        add(json!("a".repeat(fewest.saturating_sub(1))), "should be at least");
    }
    if let Some(minimum) = number("minimum") {
        add(json!(minimum - 1), "should be greater than or equal to");
    }
    if let Some(maximum) = number("maximum") {
        add(json!(maximum + 1), "should be less than or equal to");
    }
    if let Some(most) = count("maxItems") {
        add(items(most + 1), "Too many");
    }
    if let Some(fewest) = count("minItems") {
        add(items(fewest.saturating_sub(1)), "should have at least");
    }
    for key in [
        "minProperties",
        "maxProperties",
        "multipleOf",
        "uniqueItems",
        "not",
        "anyOf",
        "oneOf",
        "allOf",
    ] {
        assert!(
            schema.get(key).is_none(),
            "say here what breaks {key} of {path:?}"
        );
    }
    if schema["x-kubernetes-list-type"] == "map" {
        found.push(Bound {
            path: path.to_vec(),
            broken: Some(json!([item(schema, 0), item(schema, 0)])),
            field: format!("{}[1]", named(path)),
            words: "Duplicate value",
        });
    }
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required.filter_map(Value::as_str) {
        let path = with(path, Step::Field(name.to_owned()));
        found.push(Bound {
            field: named(&path),
            path,
            broken: None,
            words: "Required value",
        });
    }
}

/// One of many in a list, which differs from the others by its key.
fn item(schema: &Value, index: usize) -> Value {
    let mut item = least(&schema["items"]);
    let keys = schema["x-kubernetes-list-map-keys"].as_array();
    if let Some(key) = keys.and_then(|keys| keys.first()).and_then(Value::as_str) {
        item[key] = json!(format!("a{index}"));
    }
    item
}

/// The objects of a schema that know their fields: where a field that they do not have is told.
pub fn closed(schema: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    walk_closed(schema, &mut Vec::new(), &mut found);
    found
}

fn walk_closed(schema: &Value, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if schema["properties"].is_object() && schema["x-kubernetes-preserve-unknown-fields"] != true {
        found.push(path.clone());
    }
    let mut inner: Vec<(Step, &Value)> = Vec::new();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        inner.push((Step::Field(name.clone()), field));
    }
    if schema["items"].is_object() {
        inner.push((Step::Item, &schema["items"]));
    }
    if schema["additionalProperties"].is_object() {
        inner.push((Step::Entry, &schema["additionalProperties"]));
    }
    for (step, schema) in inner {
        path.push(step);
        walk_closed(schema, path, found);
        path.pop();
    }
}

/// A path as refusals name it.
pub fn named(path: &[Step]) -> String {
    path.iter().fold("spec".to_owned(), |found, step| match step {
        Step::Field(name) => format!("{found}.{name}"),
        Step::Item => format!("{found}[0]"),
        Step::Entry => format!("{found}.entry"),
    })
}

/// Bounds in as few lists as can be found at once: in none is one bound's value a part of another's.
pub fn rounds(bounds: Vec<Bound>) -> Vec<Vec<Bound>> {
    let mut rounds: Vec<Vec<Bound>> = Vec::new();
    for bound in bounds {
        let apart =
            |other: &Bound| !other.path.starts_with(&bound.path) && !bound.path.starts_with(&other.path);
        match rounds.iter_mut().find(|round| round.iter().all(apart)) {
            Some(round) => round.push(bound),
            None => rounds.push(vec![bound]),
        }
    }
    rounds
}

/// Puts a value at a path (nothing takes away what is there), with the least values on the way.
pub fn put(schema: &Value, place: &mut Value, path: &[Step], value: Option<&Value>) {
    match path {
        [] => *place = value.cloned().unwrap_or_default(),
        [Step::Field(name)] if value.is_none() => {
            place.as_object_mut().expect("an object").remove(name);
        }
        [Step::Item, rest @ ..] => {
            let list = place.as_array_mut().expect("a list");
            if list.is_empty() {
                list.push(least(&schema["items"]));
            }
            put(&schema["items"], &mut list[0], rest, value);
        }
        [step, rest @ ..] => {
            let (name, inner) = match step {
                Step::Field(name) => (name.as_str(), schema["properties"].get(name)),
                _ => ("entry", schema.get("additionalProperties")),
            };
            // A field that the schema does not have is put as it is.
            let inner = inner.unwrap_or(&Value::Null);
            if place.get(name).is_none() {
                place[name] = least(inner);
            }
            put(inner, &mut place[name], rest, value);
        }
    }
}
