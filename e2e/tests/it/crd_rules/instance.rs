//! The least value that a schema accepts: required fields alone, and what the rules ask for besides.

use serde_json::{Map, Value, json};

use super::rule::{choices, fixes};

/// The least value.
pub fn least(schema: &Value) -> Value {
    if let Some(word) = schema["enum"].as_array().and_then(|words| words.first()) {
        return word.clone();
    }
    match schema["type"].as_str() {
        Some("string") => json!("a"),
        Some("integer") => json!(schema["minimum"].as_i64().unwrap_or(1).max(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(0);
            Value::Array((0..count).map(|_| least(&schema["items"])).collect())
        }
        Some("object") => object(schema),
        _ => json!(1),
    }
}

fn object(schema: &Value) -> Value {
    let mut found = Map::new();
    for name in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        found.insert(name.to_owned(), least(&schema["properties"][name]));
    }
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let message = rule["message"].as_str().unwrap_or_default();
        if message.starts_with("exactly one of ") || message.starts_with("at least one of ") {
            let names = choices(message);
            if let (None, Some(first)) = (
                names.iter().find(|name| found.contains_key(**name)),
                names.first(),
            ) {
                found.insert((*first).to_owned(), least(&schema["properties"][first]));
            }
        }
        for (name, value) in fixes(message) {
            found.insert(name.to_owned(), value);
        }
    }
    Value::Object(found)
}

/// The schema at a path below another (`a.b[0].c`), and the place of its value in `value`, filled with the least values
/// on the way.
pub fn plant<'s, 'v>(schema: &'s Value, value: &'v mut Value, path: &str) -> (&'s Value, &'v mut Value) {
    let (mut schema, mut value) = (schema, value);
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let (name, is_list) = step
            .strip_suffix("[0]")
            .map_or((step, false), |name| (name, true));
        schema = &schema["properties"][name];
        if value.get(name).is_none() {
            value[name] = least(schema);
        }
        value = &mut value[name];
        if is_list {
            schema = &schema["items"];
            let list = value.as_array_mut().expect("a list");
            if list.is_empty() {
                list.push(least(schema));
            }
            value = &mut list[0];
        }
    }
    (schema, value)
}
