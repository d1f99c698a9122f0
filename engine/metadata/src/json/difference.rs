//! Where two values differ.

use serde_json::{Map, Value};

use super::path::JsonPath;

/// The places at which two values are not the same to the byte: what only one of them has, other texts of numbers, another
/// order of keys. A list of another length is one place. Recurses as deep as the values nest.
pub fn differences(one: &Value, other: &Value) -> Vec<JsonPath> {
    let mut found = Vec::new();
    compare(one, other, &mut JsonPath::root(), &mut found);
    found
}

fn compare(one: &Value, other: &Value, path: &mut JsonPath, found: &mut Vec<JsonPath>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => compare_objects(one, other, path, found),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                path.push(index.into());
                compare(one, other, path, found);
                path.pop();
            }
        }
        _ if one == other => {}
        _ => found.push(path.clone()),
    }
}

fn compare_objects(
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    path: &mut JsonPath,
    found: &mut Vec<JsonPath>,
) {
    let before = found.len();
    for (key, value) in one {
        path.push(key.as_str().into());
        match other.get(key) {
            Some(other) => compare(value, other, path, found),
            None => found.push(path.clone()),
        }
        path.pop();
    }
    let added = other.keys().filter(|key| !one.contains_key(*key));
    found.extend(added.map(|key| path.clone().join(key.as_str())));
    if found.len() == before && !one.keys().eq(other.keys()) {
        found.push(path.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(one: &str, other: &str) -> Vec<String> {
        let (one, other) = (
            serde_json::from_str(one).unwrap(),
            serde_json::from_str(other).unwrap(),
        );
        let found = differences(&one, &other);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_place_once() {
        let one = r#"{"a": [1.50, {"b": null}], "c": [1], "d": {"x": 1, "y": 2}, "e": "same"}"#;
        let other = r#"{"a": [1.5, {}], "c": [1, 2], "d": {"y": 2, "x": 1}, "e": "same", "f": 1}"#;
        assert_eq!(places(one, one), [""; 0]);
        assert_eq!(places(one, other), ["$.a[0]", "$.a[1].b", "$.c", "$.d", "$.f"]);
        assert_eq!(places("1", "[1]"), ["$"]);
    }
}
