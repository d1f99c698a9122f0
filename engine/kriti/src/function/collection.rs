//! Functions on arrays and objects, and those which also take other types.

use serde_json::{Map, Number, Value};

use super::{FunctionError, Outcome, wrong};
use crate::order::is_zero;

pub(super) fn empty(argument: &Value) -> Outcome {
    let empty = match argument {
        Value::Null => true,
        Value::Bool(_) => return Err(FunctionError::EmptyBoolean),
        Value::Number(number) => is_zero(number),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    };
    Ok(Value::Bool(empty))
}

/// Elements, keys, characters; a number is its own size, true is 1, false and null are 0.
pub(super) fn size(argument: &Value) -> Value {
    match argument {
        Value::Null => Value::from(0),
        Value::Bool(value) => Value::from(u8::from(*value)),
        Value::Number(number) => Value::Number(number.clone()),
        Value::String(text) => Value::from(text.chars().count()),
        Value::Array(elements) => Value::from(elements.len()),
        Value::Object(fields) => Value::from(fields.len()),
    }
}

/// Arrays and strings backwards, numbers as 1/x, booleans negated; objects and null as they are.
pub(super) fn inverse(argument: &Value) -> Outcome {
    Ok(match argument {
        Value::Null | Value::Object(_) => argument.clone(),
        Value::Bool(value) => Value::Bool(!value),
        Value::Number(number) => Value::Number(inverse_number(number).ok_or(FunctionError::NoInverse)?),
        Value::String(text) => Value::String(text.chars().rev().collect()),
        Value::Array(elements) => Value::Array(elements.iter().rev().cloned().collect()),
    })
}

fn inverse_number(number: &Number) -> Option<Number> {
    let inverse = 1.0 / number.as_f64()?;
    // A whole result is written without a fraction.
    if inverse.fract() == 0.0 && inverse.abs() < 1e15 {
        return format!("{inverse:.0}").parse().ok();
    }
    Number::from_f64(inverse)
}

pub(super) fn head(argument: &Value) -> Outcome {
    match argument {
        Value::Array(elements) => elements.first().cloned().ok_or(FunctionError::EmptyArray),
        Value::String(text) => text
            .chars()
            .next()
            .map(|first| Value::String(first.to_string()))
            .ok_or(FunctionError::EmptyString),
        _ => Err(FunctionError::NotArrayOrString),
    }
}

pub(super) fn tail(argument: &Value) -> Outcome {
    match argument {
        Value::Array(elements) => elements
            .split_first()
            .map(|(_, tail)| Value::Array(tail.to_vec()))
            .ok_or(FunctionError::EmptyArray),
        Value::String(text) => {
            let mut characters = text.chars();
            characters.next().ok_or(FunctionError::EmptyString)?;
            Ok(Value::from(characters.as_str()))
        }
        _ => Err(FunctionError::NotArrayOrString),
    }
}

pub(super) fn remove_nulls(argument: &Value) -> Outcome {
    let elements = argument
        .as_array()
        .ok_or_else(|| wrong("Array", "Array", argument))?;
    Ok(Value::Array(
        elements
            .iter()
            .filter(|element| !element.is_null())
            .cloned()
            .collect(),
    ))
}

/// Joins arrays, strings, or objects, of which a later one's keys win. Nothing to join gives an empty array.
pub(super) fn concat(argument: &Value) -> Outcome {
    let elements = argument
        .as_array()
        .ok_or_else(|| wrong("Array", "Array", argument))?;
    if let Some(arrays) = elements.iter().map(Value::as_array).collect::<Option<Vec<_>>>() {
        return Ok(Value::Array(arrays.into_iter().flatten().cloned().collect()));
    }
    if let Some(texts) = elements.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
        return Ok(Value::String(texts.concat()));
    }
    let mut object = Map::new();
    for element in elements {
        let fields = element
            .as_object()
            .ok_or_else(|| wrong("Nested Object", "Object", element))?;
        object.extend(fields.clone());
    }
    Ok(Value::Object(object))
}

/// `[["a", 1]]` to `{"a": 1}`
pub(super) fn from_pairs(argument: &Value) -> Outcome {
    let pairs = argument
        .as_array()
        .ok_or_else(|| wrong("Nested Arrays", "Array", argument))?;
    let mut object = Map::new();
    for pair in pairs {
        let pair = pair
            .as_array()
            .ok_or_else(|| wrong("Array of Pair", "Array", pair))?;
        let [key, value] = pair.as_slice() else {
            return Err(FunctionError::NotPairs);
        };
        let key = key.as_str().ok_or_else(|| wrong("Key", "String", key))?;
        object.insert(key.to_owned(), value.clone());
    }
    Ok(Value::Object(object))
}

/// `{"a": 1}` to `[["a", 1]]`
pub(super) fn to_pairs(argument: &Value) -> Outcome {
    let fields = argument
        .as_object()
        .ok_or_else(|| wrong("Object", "Object", argument))?;
    Ok(Value::Array(
        fields
            .iter()
            .map(|(key, value)| Value::from(vec![Value::from(key.as_str()), value.clone()]))
            .collect(),
    ))
}
