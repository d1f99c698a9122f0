//! Places where a value is either given in the document or named as an environment variable. Resolving against
//! an environment is the business of [`crate::env`].

pub(crate) mod json;

/// A header sent to a webhook, action handler or remote schema: `{name, value}` or `{name, value_from_env}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The header's name as written.
    pub name: String,
    /// Where its value comes from.
    pub value: HeaderValue,
}

/// The value of a [`Header`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// `value`: a text that may hold `{{NAME}}` templates of environment variables.
    Value(String),
    /// `value_from_env`: the name of the environment variable that holds the value.
    FromEnv(String),
}

/// A URL that is either a template (`https://{{HOST}}/x`) or the content of one environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlSource {
    /// A URL in which `{{NAME}}` stands for environment variables.
    Template(String),
    /// The name of the environment variable holding the whole URL.
    FromEnv(String),
}
