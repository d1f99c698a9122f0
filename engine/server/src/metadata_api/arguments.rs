//! Arguments of a metadata command, read with the same readers as the document itself.

use metadata::json::{Entry, Json, JsonPath, ParseError, Reader, Segment};
use serde_json::{Map, Value};

use super::error::ApiError;

/// The `args` of one command and where they stand in the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments<'a> {
    object: &'a Map<String, Value>,
    value: &'a Value,
}

impl<'a> Arguments<'a> {
    /// The arguments of a command, which must be an object.
    pub(crate) fn new(value: &'a Value) -> Result<Self, ApiError> {
        match value {
            Value::Object(object) => Ok(Self { object, value }),
            other => Err(ApiError::parse_failed(
                "$",
                format!(
                    "parsing Object failed, expected Object, but encountered {}",
                    kind(other)
                ),
            )),
        }
    }

    /// The whole object.
    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The raw value of a key; null counts as absent.
    pub(crate) fn raw(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    /// A key that must be there.
    pub(crate) fn required<T: Json>(&self, key: &str) -> Result<T, ApiError> {
        let Some(value) = self.object.get(key) else {
            return Err(ApiError::parse_failed("$", format!("key \"{key}\" not found")));
        };
        read(value, key)
    }

    /// A name: text that may not be empty.
    pub(crate) fn name(&self, key: &str) -> Result<String, ApiError> {
        let name: String = self.required(key)?;
        if name.is_empty() {
            return Err(ApiError::parse_failed(
                format!("$.{key}"),
                "empty string not allowed",
            ));
        }
        Ok(name)
    }

    /// A key that may be absent or null.
    pub(crate) fn optional<T: Json>(&self, key: &str) -> Result<Option<T>, ApiError> {
        self.raw(key).map(|value| read(value, key)).transpose()
    }

    /// A boolean that is false when absent.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, ApiError> {
        Ok(self.optional(key)?.unwrap_or(false))
    }

    /// The source that a command is about.
    pub(crate) fn source(&self) -> Result<String, ApiError> {
        Ok(self.optional("source")?.unwrap_or_else(|| "default".to_owned()))
    }

    /// An entry of the document whose keys stand among the command's own.
    pub(crate) fn entry<T: Entry>(&self) -> Result<(T::Name, T), ApiError> {
        Reader::arguments(JsonPath::default())
            .read_entry(self.value)
            .map_err(ApiError::from)
    }

    /// A list of argument objects under a key.
    pub(crate) fn list(&self, key: &str) -> Result<Vec<Arguments<'a>>, ApiError> {
        match self.object.get(key) {
            Some(Value::Array(items)) => items.iter().map(Arguments::new).collect(),
            Some(other) => Err(ApiError::parse_failed(
                format!("$.{key}"),
                format!(
                    "parsing [] failed, expected Array, but encountered {}",
                    kind(other)
                ),
            )),
            None => Err(ApiError::parse_failed("$", format!("key \"{key}\" not found"))),
        }
    }
}

fn read<T: Json>(value: &Value, key: &str) -> Result<T, ApiError> {
    Reader::at(JsonPath::default().join(Segment::from(key)))
        .read(value)
        .map_err(ApiError::from)
}

/// The kind of a JSON value in the words of parse errors.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

impl From<ParseError> for ApiError {
    fn from(error: ParseError) -> Self {
        Self {
            code: error.code.as_str(),
            ..Self::parse_failed(error.path.to_string(), error.message)
        }
    }
}

/// Reads a whole value as a part of the document.
pub(crate) fn read_value<T: Json>(value: &Value) -> Result<T, ApiError> {
    Reader::at(JsonPath::default())
        .read(value)
        .map_err(ApiError::from)
}

/// Reads a part of the document whose keys stand among the command's own.
pub(crate) fn read_command<T: Json>(arguments: Arguments<'_>) -> Result<T, ApiError> {
    Reader::arguments(JsonPath::default())
        .read(arguments.value())
        .map_err(ApiError::from)
}
