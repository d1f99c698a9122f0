//! Header entries and URL sources as JSON.

use serde_json::Value;

use super::{Header, HeaderValue, UrlSource};
use crate::json::{Content, Json, ObjectPrinter, ObjectReader, ParseError, Reader, Shape, type_mismatch};

const HEADER_KEYS: &[&str] = &["name", "value", "value_from_env"];

impl Json for Header {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let mut object = ObjectReader::open(value, "HeaderConf", HEADER_KEYS, reader)?;
        let name = object.required("name")?;
        let given: Option<String> = object.optional("value")?;
        let from_env: Option<String> = object.optional("value_from_env")?;
        let value = match (given, from_env) {
            (Some(value), None) => HeaderValue::Value(value),
            (None, Some(name)) => HeaderValue::FromEnv(name),
            (None, None) => return Err(object.reader().error("expecting value or value_from_env keys")),
            (Some(_), Some(_)) => {
                return Err(object
                    .reader()
                    .error("expecting only one of value or value_from_env keys"));
            }
        };
        object.finish_strictly("HeaderConf")?;
        Ok(Self { name, value })
    }

    fn print(&self) -> Value {
        let mut printer = ObjectPrinter::default();
        printer.put("name", &self.name);
        match &self.value {
            HeaderValue::Value(value) => printer.put("value", value),
            HeaderValue::FromEnv(name) => printer.put("value_from_env", name),
        }
        printer.finish(&crate::Extra::new())
    }

    fn content() -> Content {
        Content::Object(Shape::of_leaves("HeaderConf", HEADER_KEYS))
    }
}

const FROM_ENV_KEYS: &[&str] = &["from_env"];

/// A template as a text, a variable as `{from_env}`.
impl Json for UrlSource {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        match value {
            Value::String(template) => Ok(Self::Template(template.clone())),
            Value::Object(_) => read_from_env(value, reader).map(Self::FromEnv),
            other => Err(type_mismatch("Webhook", "String or Object", other, reader)),
        }
    }

    fn print(&self) -> Value {
        match self {
            Self::Template(template) => Value::String(template.clone()),
            Self::FromEnv(name) => print_from_env(name),
        }
    }
}

/// Reads `{from_env: NAME}`.
pub(crate) fn read_from_env(value: &Value, reader: &mut Reader) -> Result<String, ParseError> {
    let mut object = ObjectReader::open(value, "from_env", FROM_ENV_KEYS, reader)?;
    let name = object.entry_name("from_env")?;
    object.finish_strictly("from_env")?;
    Ok(name)
}

/// Prints `{from_env: NAME}`.
pub(crate) fn print_from_env(name: &str) -> Value {
    let mut printer = ObjectPrinter::default();
    printer.put_value("from_env", Value::String(name.to_owned()));
    printer.finish(&crate::Extra::new())
}

/// Reads the pair of keys of which exactly one holds a URL: a template, or the name of a variable.
pub(crate) fn read_url_pair(
    object: &mut ObjectReader<'_, '_>,
    template_key: &'static str,
    variable_key: &'static str,
    missing: &str,
    both: &str,
) -> Result<UrlSource, ParseError> {
    match (object.optional(template_key)?, object.optional(variable_key)?) {
        (Some(template), None) => Ok(UrlSource::Template(template)),
        (None, Some(name)) => Ok(UrlSource::FromEnv(name)),
        (None, None) => Err(object.reader().error(missing)),
        (Some(_), Some(_)) => Err(object.reader().error(both)),
    }
}

/// Prints the pair of keys of which exactly one holds a URL.
pub(crate) fn print_url_pair(
    printer: &mut ObjectPrinter,
    template_key: &str,
    variable_key: &str,
    url: &UrlSource,
) {
    match url {
        UrlSource::Template(template) => printer.put(template_key, template),
        UrlSource::FromEnv(name) => printer.put(variable_key, name),
    }
}
