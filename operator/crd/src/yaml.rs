//! JSON as YAML text. The numbers of a JSON value are kept as texts inside the program, so a YAML printer must be
//! given numbers of its own.

use serde_json::Value;
use serde_norway::{Mapping, Number, Value as Yaml};

/// Why a value could not be printed.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// A number that YAML readers would round.
    #[error("the number {0} cannot be written as YAML exactly")]
    Number(String),
    /// The printer failed.
    #[error("printing YAML")]
    Print(#[source] serde_norway::Error),
}

/// Prints a value that nests no deeper than a definition or an object does.
pub fn print(value: &Value) -> Result<String, YamlError> {
    serde_norway::to_string(&convert(value)?).map_err(YamlError::Print)
}

fn convert(value: &Value) -> Result<Yaml, YamlError> {
    Ok(match value {
        Value::Null => Yaml::Null,
        Value::Bool(flag) => Yaml::Bool(*flag),
        Value::Number(number) => Yaml::Number(convert_number(number)?),
        Value::String(text) => Yaml::String(text.clone()),
        Value::Array(items) => Yaml::Sequence(items.iter().map(convert).collect::<Result<_, _>>()?),
        Value::Object(object) => {
            let mut mapping = Mapping::new();
            for (key, value) in object {
                mapping.insert(Yaml::String(key.clone()), convert(value)?);
            }
            Yaml::Mapping(mapping)
        }
    })
}

fn convert_number(number: &serde_json::Number) -> Result<Number, YamlError> {
    if let Some(whole) = number.as_i64() {
        return Ok(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return Ok(whole.into());
    }
    match number.as_f64() {
        Some(float) if format!("{float:?}") == number.to_string() => Ok(float.into()),
        _ => Err(YamlError::Number(number.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        let print =
            |text: &str| print(&serde_json::from_str(text).expect("JSON")).map_err(|error| error.to_string());
        assert_eq!(
            print(r#"{"a":[1,-2,1.5]}"#).as_deref(),
            Ok("a:\n- 1\n- -2\n- 1.5\n")
        );
        assert_eq!(
            print("1.10").expect_err("a digit would be lost"),
            "the number 1.10 cannot be written as YAML exactly"
        );
    }
}
