//! Free JSON that an API server would change: it sorts keys, knows numbers as 64 bits, and merge patches delete
//! nulls. Such values are written as `{"$json": "<text>"}`.

use crd::value::EXACT;
use serde_json::{Map, Value};

/// The value meant.
pub(super) fn decode(value: &Value) -> Result<Value, String> {
    match exact_text(value) {
        Some(text) => serde_json::from_str(text).map_err(|error| format!("{EXACT} is not JSON: {error}")),
        None => Ok(value.clone()),
    }
}

/// The value as a resource can hold it.
pub(super) fn encode(value: &Value) -> Value {
    if survives(value) {
        return value.clone();
    }
    let mut object = Map::new();
    object.insert(EXACT.to_owned(), Value::String(value.to_string()));
    Value::Object(object)
}

fn exact_text(value: &Value) -> Option<&str> {
    let object = value.as_object()?;
    match object.get(EXACT) {
        Some(Value::String(text)) if object.len() == 1 => Some(text),
        _ => None,
    }
}

/// Whether an API server gives the value back as it is.
fn survives(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number_survives(&number.to_string()),
        Value::Array(items) => items.iter().all(survives),
        Value::Object(object) => {
            let sorted = object
                .keys()
                .zip(object.keys().skip(1))
                .all(|(one, two)| one < two);
            sorted && exact_text(value).is_none() && object.values().all(survives)
        }
    }
}

/// Whole numbers of 64 bits, and short decimals in plain notation without a last zero.
fn number_survives(text: &str) -> bool {
    if text.parse::<i64>().is_ok_and(|whole| whole.to_string() == text) {
        return true;
    }
    let digits = text.trim_start_matches('-');
    match digits.split_once('.') {
        Some((whole, fraction)) => {
            let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            plain(whole)
                && plain(fraction)
                && !fraction.ends_with('0')
                && whole.len() + fraction.len() <= 15
                && !(whole == "0" && fraction.starts_with("0000"))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> String {
        encode(&serde_json::from_str(text).expect("JSON")).to_string()
    }

    #[test]
    fn only_what_would_change_is_a_text() {
        for text in [r#"{"a":1,"b":[1.5,"x",true]}"#, "{}", "-3", "0.001"] {
            assert_eq!(encoded(text), text);
        }
        for text in [
            r#"{"b":1,"a":1}"#,
            r#"{"a":null}"#,
            r#"{"a":1.10}"#,
            "1.0",
            "1e3",
            "12345678901234567890",
            "-0",
            r#"{"$json":"1"}"#,
        ] {
            let value: Value = serde_json::from_str(text).expect("JSON");
            let encoded = encode(&value);
            assert!(exact_text(&encoded).is_some(), "{text}");
            assert_eq!(
                decode(&encoded).expect("it was encoded").to_string(),
                value.to_string()
            );
        }
    }
}
