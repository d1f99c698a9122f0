//! YAML texts as JSON values and back. Tags other than `!include` are refused.

use serde_json::{Map, Number, Value};
use serde_norway::Value as Yaml;

use super::DirectoryError;
use super::number::yaml_number;
use super::print::print;
use crate::json::JsonPath;

/// The mark of an include, as a tag or at the beginning of a text.
pub(super) const INCLUDE: &str = "!include";

/// Reads a YAML or JSON text. What is JSON is read as that, whatever `file` is called: as YAML its numbers would be rounded.
/// An include tag becomes the text form of the include.
///
/// # Errors
/// It is neither, or has tags that nobody knows.
pub fn read(file: &str, text: &str) -> Result<Value, DirectoryError> {
    let error = |message: String| DirectoryError::Yaml {
        file: file.to_owned(),
        message,
    };
    match serde_json::from_str(text) {
        Err(source) if file.ends_with(".json") => return Err(error(source.to_string())),
        // A scalar alone is the same in both, but for its notation.
        Ok(json @ (Value::Object(_) | Value::Array(_))) => return Ok(json),
        _ => {}
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
    let yaml = to_yaml(value, &mut JsonPath::root()).map_err(|(path, number)| DirectoryError::Number {
        file: file.to_owned(),
        path,
        number,
    })?;
    print(yaml).map_err(|source| DirectoryError::Yaml {
        file: file.to_owned(),
        message: source.to_string(),
    })
}

/// Documents nest at most [`crate::json::MAX_DEPTH`] levels. Else the number that YAML would change, and where it is.
fn to_yaml(value: &Value, path: &mut JsonPath) -> Result<Yaml, (JsonPath, String)> {
    Ok(match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(*value),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Number(number) => match yaml_number(number) {
            Some(number) => Yaml::Number(number),
            None => return Err((path.clone(), number.to_string())),
        },
        Value::Array(items) => {
            let mut sequence = Vec::new();
            for (index, item) in items.iter().enumerate() {
                path.push(index.into());
                sequence.push(to_yaml(item, path)?);
                path.pop();
            }
            Yaml::Sequence(sequence)
        }
        Value::Object(object) => {
            let mut mapping = serde_norway::Mapping::new();
            for (key, value) in object {
                path.push(key.as_str().into());
                mapping.insert(Yaml::String(key.clone()), to_yaml(value, path)?);
                path.pop();
            }
            Yaml::Mapping(mapping)
        }
    })
}
