//! Values that come from environment variables: `from_env`, and `{{NAME}}` templates in URLs and headers.
//!
//! The environment is never read here: every function takes the lookup, so that a Kubernetes Secret, a test or
//! the process environment can answer.

use crate::source::{ConnectionParameters, DatabaseUrl};
use crate::value_source::{Header, HeaderValue, UrlSource};

/// Answers the value of an environment variable, or nothing if it is not set.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A value that could not be found. `Display` is Hasura's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvError {
    /// A variable that is named by itself.
    #[error("environment variable '{0}' not set")]
    NotSet(String),
    /// The variables of a URL template, in order of appearance.
    #[error("Value for environment variables not found: {}", .0.join(", "))]
    TemplateVariables(Vec<String>),
    /// The variables of a header's template, in order of appearance.
    #[error("template cannot be resolved: Value for environment variables not found: {}", .0.join(", "))]
    HeaderTemplate(Vec<String>),
}

/// How to reach a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResolvedDatabaseUrl {
    /// The connection string.
    Url(String),
    /// The path of a file that holds the connection string, to be read again at every connection attempt.
    File(String),
}

/// The value of one variable.
pub fn variable(name: &str, lookup: Lookup<'_>) -> Result<String, EnvError> {
    lookup(name).ok_or_else(|| EnvError::NotSet(name.to_owned()))
}

/// A text with `{{NAME}}` replaced. Braces that are not closed stand for themselves.
pub fn template(text: &str, lookup: Lookup<'_>) -> Result<String, EnvError> {
    let mut resolved = String::with_capacity(text.len());
    let mut missing: Vec<String> = Vec::new();
    for part in parts(text) {
        match part {
            Part::Text(text) => resolved.push_str(text),
            Part::Variable(name) => match lookup(name) {
                Some(value) => resolved.push_str(&value),
                None if missing.iter().any(|known| known == name) => {}
                None => missing.push(name.to_owned()),
            },
        }
    }
    if missing.is_empty() {
        Ok(resolved)
    } else {
        Err(EnvError::TemplateVariables(missing))
    }
}

enum Part<'t> {
    Text(&'t str),
    Variable(&'t str),
}

fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            break;
        };
        parts.push(Part::Text(before));
        parts.push(Part::Variable(name.trim()));
        rest = behind;
    }
    parts.push(Part::Text(rest));
    parts
}

impl UrlSource {
    /// The URL.
    pub fn resolve(&self, lookup: Lookup<'_>) -> Result<String, EnvError> {
        match self {
            Self::Template(text) => template(text, lookup),
            Self::FromEnv(name) => variable(name, lookup),
        }
    }
}

impl Header {
    /// The header's value.
    pub fn resolve(&self, lookup: Lookup<'_>) -> Result<String, EnvError> {
        match &self.value {
            HeaderValue::FromEnv(name) => variable(name, lookup),
            HeaderValue::Value(text) => template(text, lookup).map_err(|error| match error {
                EnvError::TemplateVariables(names) => EnvError::HeaderTemplate(names),
                other => other,
            }),
        }
    }
}

impl DatabaseUrl {
    /// The connection string, or the file that holds it. Connection parameters become a URL.
    pub fn resolve(&self, lookup: Lookup<'_>) -> Result<ResolvedDatabaseUrl, EnvError> {
        match self {
            Self::Url(text) => template(text, lookup).map(ResolvedDatabaseUrl::Url),
            Self::FromEnv(name) => variable(name, lookup).map(ResolvedDatabaseUrl::Url),
            Self::Parameters(parameters) => Ok(ResolvedDatabaseUrl::Url(parameters.to_url())),
            Self::DynamicFromFile(path) => template(path, lookup).map(ResolvedDatabaseUrl::File),
        }
    }
}

impl ConnectionParameters {
    /// The connection string with these parameters, percent-encoded.
    pub fn to_url(&self) -> String {
        let password = match &self.password {
            Some(password) => format!(":{}", percent_encode(password)),
            None => String::new(),
        };
        format!(
            "postgresql://{}{password}@{}:{}/{}",
            percent_encode(&self.username),
            host(&self.host),
            self.port,
            percent_encode(&self.database),
        )
    }
}

/// An IPv6 address stands in brackets, a socket directory is encoded.
fn host(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        percent_encode(host)
    }
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        (name == "HOST").then(|| "example.org".to_owned())
    }

    fn message(result: Result<String, EnvError>) -> String {
        result.unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn templates_are_filled_in() {
        assert_eq!(
            message(template("http://{{HOST}}/{{ HOST }}", &lookup)),
            "http://example.org/example.org"
        );
        assert_eq!(message(template("no {{ end", &lookup)), "no {{ end");
        assert_eq!(
            message(template("{{A}}{{B}}{{A}}", &lookup)),
            "Value for environment variables not found: A, B"
        );
    }

    #[test]
    fn variables_and_headers_that_are_missing() {
        let header = |value| Header {
            name: "x".to_owned(),
            value,
        };
        assert_eq!(
            message(header(HeaderValue::FromEnv("A".to_owned())).resolve(&lookup)),
            "environment variable 'A' not set"
        );
        assert_eq!(
            message(header(HeaderValue::Value("a {{A}}".to_owned())).resolve(&lookup)),
            "template cannot be resolved: Value for environment variables not found: A"
        );
        assert_eq!(
            message(UrlSource::FromEnv("HOST".to_owned()).resolve(&lookup)),
            "example.org"
        );
    }

    #[test]
    fn connection_parameters_are_encoded() {
        let parameters = ConnectionParameters {
            host: "db".to_owned(),
            username: "a b".to_owned(),
            password: Some("p@ss:w/rd".to_owned()),
            port: 5433,
            database: "d?".to_owned(),
            extra: crate::Extra::new(),
        };
        assert_eq!(
            parameters.to_url(),
            "postgresql://a%20b:p%40ss%3Aw%2Frd@db:5433/d%3F"
        );
    }
}
