//! The sample environment of a test, and the texts which refer to it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::TestError;
use crate::transform::{DecodeError, Field};

/// `env`
#[derive(Default)]
pub(super) struct Environment(pub(super) BTreeMap<String, String>);

impl Environment {
    /// Puts variables in the place of each `{{NAME}}`. Braces which do not close are text. The empty text is an error,
    /// as in Hasura.
    pub(super) fn interpolate(&self, text: &str) -> Result<String, TestError> {
        if text.is_empty() {
            return Err(TestError::InvalidUrlTemplate);
        }
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            result.push_str(before);
            rest = after;
            if let Some((name, after)) = reference(after) {
                result.push_str(self.0.get(name).ok_or_else(|| TestError::MissingVariable {
                    name: name.to_owned(),
                })?);
                rest = after;
            } else {
                result.push('{');
            }
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// After a brace: `{NAME}}` and what follows.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let after = after.strip_prefix('}')?;
    (!name.is_empty()).then_some((name, after))
}

/// `webhook_url`
pub(super) enum WebhookUrl {
    /// A text with `{{NAME}}`s.
    Text(String),
    /// `{"from_env": name}`
    FromEnv(String),
}

impl WebhookUrl {
    pub(super) fn decode(field: Field<'_>) -> Result<Self, DecodeError> {
        match field.value {
            Value::String(text) => Ok(Self::Text(text.clone())),
            Value::Object(_) => Ok(Self::FromEnv(field.required("from_env")?.text("String")?)),
            _ => Err(field.error("expected a string or an object with the key \"from_env\"")),
        }
    }

    pub(super) fn resolve(&self, environment: &Environment) -> Result<String, TestError> {
        match self {
            Self::Text(text) => environment.interpolate(text),
            Self::FromEnv(name) => environment
                .0
                .get(name)
                .cloned()
                .ok_or(TestError::MissingWebhookVariable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_put_in() {
        let environment = Environment([("HOST".to_owned(), "h".to_owned())].into());
        for (text, expected) in [
            ("http://{{HOST}}/{{HOST}}", Ok("http://h/h")),
            ("{HOST}", Ok("{HOST}")),
            ("{{HOST}", Ok("{{HOST}")),
            ("{{}}", Ok("{{}}")),
            ("{{{HOST}}", Err("{HOST")),
            ("{{ HOST }}", Err(" HOST ")),
            ("a{", Ok("a{")),
        ] {
            let expected = match expected {
                Ok(text) => Ok(text.to_owned()),
                Err(name) => Err(TestError::MissingVariable {
                    name: name.to_owned(),
                }),
            };
            assert_eq!(environment.interpolate(text), expected, "{text}");
        }
        assert_eq!(environment.interpolate(""), Err(TestError::InvalidUrlTemplate));
    }
}
