//! Reading transforms from JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{BodyTransform, HeaderTransform, QueryParams, RequestTransform, ResponseTransform};
use crate::render::type_name;

/// The JSON is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    /// Where, from the value given: `$.request_transform.version`.
    pub path: String,
    /// What is wrong, in Hasura's words.
    pub message: String,
}

/// A value and the path to it.
#[derive(Clone, Copy)]
pub(crate) struct Field<'v> {
    pub(crate) value: &'v Value,
    parent: Option<(&'v Field<'v>, &'v str)>,
}

impl<'v> Field<'v> {
    pub(crate) fn root(value: &'v Value) -> Self {
        Self { value, parent: None }
    }

    fn path(&self) -> String {
        let Some((parent, key)) = self.parent else {
            return "$".to_owned();
        };
        let plain = !key.is_empty()
            && key
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if plain {
            format!("{}.{key}", parent.path())
        } else {
            format!("{}['{key}']", parent.path())
        }
    }

    /// An error here.
    pub(crate) fn error(&self, message: impl Into<String>) -> DecodeError {
        DecodeError {
            path: self.path(),
            message: message.into(),
        }
    }

    fn wrong(&self, what: &str, expected: &str) -> DecodeError {
        let actual = type_name(self.value);
        self.error(format!(
            "parsing {what} failed, expected {expected}, but encountered {actual}"
        ))
    }

    pub(crate) fn object(&self, what: &str) -> Result<&'v Map<String, Value>, DecodeError> {
        self.value.as_object().ok_or_else(|| self.wrong(what, "Object"))
    }

    pub(crate) fn array(&self, what: &str) -> Result<&'v Vec<Value>, DecodeError> {
        self.value.as_array().ok_or_else(|| self.wrong(what, "Array"))
    }

    pub(crate) fn text(&self, what: &str) -> Result<String, DecodeError> {
        self.value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.wrong(what, "String"))
    }

    /// The value of `key`; null counts as absent.
    pub(crate) fn optional(&'v self, key: &'v str) -> Option<Field<'v>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self {
            value,
            parent: Some((self, key)),
        })
    }

    /// The value of `key`, which may be null.
    pub(crate) fn required(&'v self, key: &'v str) -> Result<Field<'v>, DecodeError> {
        let value = self
            .value
            .get(key)
            .ok_or_else(|| self.error(format!("key \"{key}\" not found")))?;
        Ok(Self {
            value,
            parent: Some((self, key)),
        })
    }

    fn entry(&'v self, key: &'v str, value: &'v Value) -> Field<'v> {
        Self {
            value,
            parent: Some((self, key)),
        }
    }
}

/// An object of texts.
pub(crate) fn text_entries(field: Field<'_>, what: &str) -> Result<BTreeMap<String, String>, DecodeError> {
    let fields = field.object("Map")?;
    let entries = fields
        .iter()
        .map(|(key, value)| Ok((key.clone(), field.entry(key, value).text(what)?)));
    entries.collect()
}

/// `version`: whether it is 2. Absent is 1.
fn is_version_2(field: &Field<'_>) -> Result<bool, DecodeError> {
    let Some(version) = field.optional("version") else {
        return Ok(false);
    };
    let Value::Number(number) = version.value else {
        return Err(version.wrong("Int", "Number"));
    };
    match number.as_i64() {
        Some(1) => Ok(false),
        Some(2) => Ok(true),
        _ => Err(version.error(format!("expected 1 or 2, encountered {number}"))),
    }
}

/// `template_engine`: there is one.
fn check_engine(field: &Field<'_>) -> Result<(), DecodeError> {
    let Some(engine) = field.optional("template_engine") else {
        return Ok(());
    };
    match engine.text("TemplatingEngine")?.as_str() {
        "Kriti" => Ok(()),
        other => Err(engine.error(format!("expected \"Kriti\", encountered \"{other}\""))),
    }
}

/// `body`: a template in version 1, an action in version 2.
fn body(field: &Field<'_>, version_2: bool) -> Result<Option<BodyTransform>, DecodeError> {
    let Some(body) = field.optional("body") else {
        return Ok(None);
    };
    if !version_2 {
        return Ok(Some(BodyTransform::Transform(body.text("Template")?)));
    }
    body.object("BodyTransformFn")?;
    let transform = match body.required("action")?.text("Text")?.as_str() {
        "remove" => BodyTransform::Remove,
        "transform" => BodyTransform::Transform(body.required("template")?.text("Template")?),
        "x_www_form_urlencoded" => {
            BodyTransform::FormUrlEncoded(text_entries(body.required("form_template")?, "Template")?)
        }
        _ => return Err(body.error("invalid transform action")),
    };
    Ok(Some(transform))
}

fn query_params(field: &Field<'_>) -> Result<QueryParams, DecodeError> {
    match field.value {
        Value::String(template) => Ok(QueryParams::Template(template.clone())),
        Value::Object(fields) => {
            let entries = fields.iter().map(|(key, value)| match value {
                Value::Null => Ok((key.clone(), None)),
                _ => Ok((key.clone(), Some(field.entry(key, value).text("Template")?))),
            });
            Ok(QueryParams::Pairs(entries.collect::<Result<_, _>>()?))
        }
        _ => Err(field.error("Invalid query parameter")),
    }
}

fn headers(field: &Field<'_>) -> Result<HeaderTransform, DecodeError> {
    field.object("AddReplaceRemoveFields")?;
    let add_headers = match field.optional("add_headers") {
        Some(headers) => text_entries(headers, "Template")?,
        None => BTreeMap::new(),
    };
    let mut remove_headers = vec![];
    if let Some(names) = field.optional("remove_headers") {
        for name in names.array("[]")? {
            remove_headers.push(
                names
                    .entry("", name)
                    .text("HeaderKey")
                    .map_err(|error| names.error(error.message))?,
            );
        }
    }
    Ok(HeaderTransform {
        add_headers,
        remove_headers,
    })
}

impl RequestTransform {
    /// Reads `request_transform`.
    ///
    /// # Errors
    /// [`DecodeError`], its path starting at this value.
    pub fn from_json(value: &Value) -> Result<Self, DecodeError> {
        Self::decode(Field::root(value))
    }

    pub(crate) fn decode(field: Field<'_>) -> Result<Self, DecodeError> {
        field.object("RequestTransform")?;
        let version_2 = is_version_2(&field)?;
        let transform = Self {
            method: field
                .optional("method")
                .map(|method| method.text("Method"))
                .transpose()?,
            url: field
                .optional("url")
                .map(|url| url.text("Template"))
                .transpose()?,
            body: body(&field, version_2)?,
            query_params: field
                .optional("query_params")
                .map(|params| query_params(&params))
                .transpose()?,
            request_headers: field
                .optional("request_headers")
                .map(|names| headers(&names))
                .transpose()?,
        };
        check_engine(&field)?;
        Ok(transform)
    }
}

impl ResponseTransform {
    /// Reads `response_transform`.
    ///
    /// # Errors
    /// [`DecodeError`], its path starting at this value.
    pub fn from_json(value: &Value) -> Result<Self, DecodeError> {
        Self::decode(Field::root(value))
    }

    pub(crate) fn decode(field: Field<'_>) -> Result<Self, DecodeError> {
        field.object("MetadataResponseTransform")?;
        let version_2 = is_version_2(&field)?;
        let transform = Self {
            body: body(&field, version_2)?,
        };
        check_engine(&field)?;
        Ok(transform)
    }
}
