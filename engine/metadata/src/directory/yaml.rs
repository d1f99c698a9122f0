//! YAML texts as JSON values and back. Tags other than `!include` are refused.

use serde_json::{Map, Number, Value};
use serde_norway::Value as Yaml;

use super::DirectoryError;
use super::print::print;

/// The mark of an include, as a tag or at the beginning of a text.
pub(super) const INCLUDE: &str = "!include";

/// Reads a YAML (or JSON, by the ending of `file`) text. An include tag becomes the text form of the include.
///
/// # Errors
/// It is neither, or has tags that nobody knows.
pub fn read(file: &str, text: &str) -> Result<Value, DirectoryError> {
    let error = |message: String| DirectoryError::Yaml {
        file: file.to_owned(),
        message,
    };
    if file.ends_with(".json") {
        return serde_json::from_str(text).map_err(|source| error(source.to_string()));
    }
    let mut yaml: Yaml = serde_norway::from_str(text).map_err(|source| error(source.to_string()))?;
    yaml.apply_merge().map_err(|source| error(source.to_string()))?;
    to_json(yaml).map_err(error)
}

/// The parser bounds how deeply a value nests.
fn to_json(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::String(text) => Value::String(text),
        Yaml::Number(number) => Value::Number(json_number(&number)?),
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(to_json).collect::<Result<_, _>>()?),
        Yaml::Mapping(mapping) => {
            let mut object = Map::new();
            for (key, value) in mapping {
                object.insert(key_text(key)?, to_json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => match (tagged.tag.to_string().as_str(), tagged.value) {
            (INCLUDE, Yaml::String(path)) => Value::String(format!("{INCLUDE} {path}")),
            (tag, _) => return Err(format!("the tag {tag} is not known here")),
        },
    })
}

fn json_number(number: &serde_norway::Number) -> Result<Number, String> {
    if let Some(whole) = number.as_i64() {
        return Ok(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Ok(whole.into());
    }
    number
        .as_f64()
        .and_then(Number::from_f64)
        .ok_or_else(|| format!("the number {number} has no JSON form"))
}

fn key_text(key: Yaml) -> Result<String, String> {
    match key {
        Yaml::String(text) => Ok(text),
        Yaml::Bool(value) => Ok(value.to_string()),
        Yaml::Number(number) => Ok(number.to_string()),
        Yaml::Null => Ok("null".to_owned()),
        Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => Err("a key must be a text".to_owned()),
    }
}

/// Writes a value as YAML that readers of YAML 1.1 and 1.2 take for the same.
///
/// # Errors
/// It has a number that YAML cannot hold.
pub fn write(file: &str, value: &Value) -> Result<String, DirectoryError> {
    let yaml = to_yaml(value)?;
    print(yaml).map_err(|source| DirectoryError::Yaml {
        file: file.to_owned(),
        message: source.to_string(),
    })
}

/// Documents nest at most [`crate::json::MAX_DEPTH`] levels.
fn to_yaml(value: &Value) -> Result<Yaml, DirectoryError> {
    Ok(match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(*value),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Number(number) => Yaml::Number(yaml_number(number)?),
        Value::Array(items) => Yaml::Sequence(items.iter().map(to_yaml).collect::<Result<_, _>>()?),
        Value::Object(object) => {
            let mut mapping = serde_norway::Mapping::new();
            for (key, value) in object {
                mapping.insert(Yaml::String(key.clone()), to_yaml(value)?);
            }
            Yaml::Mapping(mapping)
        }
    })
}

/// Whole numbers must fit 64 bits; others are written as floating point.
fn yaml_number(number: &Number) -> Result<serde_norway::Number, DirectoryError> {
    if let Some(whole) = number.as_i64() {
        return Ok(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Ok(whole.into());
    }
    let text = number.to_string();
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match number.as_f64() {
        Some(float) if float.is_finite() && !is_whole => Ok(float.into()),
        _ => Err(DirectoryError::Number(text)),
    }
}
