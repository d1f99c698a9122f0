//! JSON of tokens and hooks: an object that names a key twice is refused, as two readers could see two different values.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one JSON value. Nesting is bounded by the parser.
///
/// # Errors
/// Text that is no JSON, or repeats a key within an object; the message holds nothing of the text.
pub fn parse(bytes: &[u8]) -> Result<Value, &'static str> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Unique.deserialize(&mut reader).map_err(|error| {
        if error.to_string().starts_with(REPEATED) {
            REPEATED
        } else if error.is_eof() {
            "not enough input"
        } else {
            "Failed reading: not a valid json value"
        }
    })?;
    reader.end().map_err(|_| "trailing characters")?;
    Ok(value)
}

const REPEATED: &str = "a key is given twice";

struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

/// The key under which the JSON library hands over numbers with all their digits.
const NUMBER: &str = "$serde_json::private::Number";

impl<'de> Visitor<'de> for Unique {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Unique)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Unique)?;
            if object.is_empty()
                && key == NUMBER
                && let Value::String(digits) = &value
                && let Ok(number) = digits.parse::<serde_json::Number>()
            {
                return Ok(Value::Number(number));
            }
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(REPEATED));
            }
        }
        Ok(Value::Object(object))
    }
}

/// What kind of value it is, as messages name it.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_and_repeated_keys() {
        assert_eq!(
            parse(br#"{"a":[1,2.5,"x",null,true,{"b":{}}],"c":123456789012345678901234567890}"#).unwrap(),
            serde_json::from_str::<Value>(
                r#"{"a":[1,2.5,"x",null,true,{"b":{}}],"c":123456789012345678901234567890}"#
            )
            .unwrap()
        );
        assert_eq!(parse(b"7").unwrap(), json!(7));
        assert_eq!(parse(br#"{"a":1,"a":1}"#), Err(REPEATED));
        assert_eq!(parse(br#"{"x":[{"a":1,"\u0061":2}]}"#), Err(REPEATED));
        assert!(parse(b"{} x").is_err());
        assert!(parse(b"\xff").is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
