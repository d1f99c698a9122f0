//! Values without keys: texts, numbers, switches, and JSON as written.

use serde_json::{Number, Value};

use super::{Content, Json, ParseCode, ParseError, Reader};

/// The error for a value of the wrong type.
pub(crate) fn type_mismatch(name: &str, expected: &str, value: &Value, reader: &Reader) -> ParseError {
    let encountered = match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    };
    reader.error(format!(
        "parsing {name} failed, expected {expected}, but encountered {encountered}"
    ))
}

/// Reads a GraphQL name.
pub(crate) fn read_graphql_name(value: &Value, reader: &mut Reader) -> Result<String, ParseError> {
    let text = String::read(value, reader)?;
    let mut characters = text.chars();
    let valid = characters
        .next()
        .is_some_and(|c| c == '_' || c.is_ascii_alphabetic())
        && characters.all(|c| c == '_' || c.is_ascii_alphanumeric());
    if valid {
        Ok(text)
    } else {
        Err(reader.error(format!("{text} is not valid GraphQL name")))
    }
}

/// Passes on a list that must not be empty.
pub(crate) fn non_empty<T>(list: Vec<T>, reader: &Reader) -> Result<Vec<T>, ParseError> {
    if list.is_empty() {
        Err(reader.error("parsing NonEmpty failed, unexpected empty list"))
    } else {
        Ok(list)
    }
}

impl Json for String {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(text) => Ok(text.clone()),
            other => Err(type_mismatch("Text", "String", other, reader)),
        }
    }

    fn print(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Json for bool {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        value
            .as_bool()
            .ok_or_else(|| type_mismatch("Bool", "Boolean", value, reader))
    }

    fn print(&self) -> Value {
        Value::Bool(*self)
    }
}

/// A whole number that is not negative. `3.0` and `3e0` are whole.
impl Json for u64 {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let Value::Number(number) = value else {
            return Err(type_mismatch("Int", "Number", value, reader));
        };
        if let Some(whole) = number.as_u64() {
            return Ok(whole);
        }
        match number.as_f64() {
            Some(float) if float < 0.0 => Err(ParseError {
                code: ParseCode::NotSupported,
                ..reader.error("unexpected negative value")
            }),
            // Whole numbers up to 2^53 are exact as floating point.
            Some(float) if float.fract() == 0.0 && float <= 9_007_199_254_740_992.0 => format!("{float:.0}")
                .parse()
                .map_err(|_| reader.error("expected an integer")),
            _ => Err(reader.error(format!(
                "parsing Int failed, value is either floating or will cause over or underflow {number}"
            ))),
        }
    }

    fn print(&self) -> Value {
        Value::Number((*self).into())
    }
}

/// A number as written.
impl Json for Number {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::Number(number) => Ok(number.clone()),
            other => Err(type_mismatch("Number", "Number", other, reader)),
        }
    }

    fn print(&self) -> Value {
        Value::Number(self.clone())
    }
}

/// Any value, as written.
impl Json for Value {
    fn read(value: &Value, _: &mut Reader) -> Result<Self, ParseError> {
        Ok(value.clone())
    }

    fn print(&self) -> Value {
        self.clone()
    }
}

/// An object, as written.
impl Json for serde_json::Map<String, Value> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::Object(object) => Ok(object.clone()),
            other => Err(type_mismatch("Object", "Object", other, reader)),
        }
    }

    fn print(&self) -> Value {
        Value::Object(self.clone())
    }
}

impl<T: Json> Json for Option<T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::read(value, reader).map(Some)
        }
    }

    fn print(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::print)
    }

    fn content() -> Content {
        T::content()
    }
}
