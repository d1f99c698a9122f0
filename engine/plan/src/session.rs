//! Who asks: role and session variables. Made by `server::auth`, trusted from there on.

use std::sync::Arc;

use serde_json::Value;

/// The session of one request.
#[derive(Debug, Clone)]
pub struct Session {
    /// The role; `admin` sees everything.
    pub role: Arc<str>,
    /// Session variables by lower-case name, `x-hasura-role` included, in name order.
    pub variables: Vec<(Arc<str>, Arc<str>)>,
    /// Backend-only permissions apply (`x-hasura-use-backend-only-permissions` from a trusted client).
    pub backend: bool,
}

impl Session {
    /// The value of a session variable; `name` is lower case.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// All variables as one JSON object: a function's session argument, and `hasura.user` of a transaction.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(64);
        for (name, value) in &self.variables {
            out.push(if out.is_empty() { '{' } else { ',' });
            quote(name, &mut out);
            out.push(':');
            quote(value, &mut out);
        }
        if out.is_empty() {
            out.push('{');
        }
        out.push('}');
        out
    }
}

/// A JSON string.
fn quote(text: &str, out: &mut String) {
    if text
        .bytes()
        .any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\'))
    {
        out.push_str(&Value::from(text).to_string());
        return;
    }
    out.push('"');
    out.push_str(text);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_one_json_object() {
        let session = |variables: &[(&str, &str)]| Session {
            role: "user".into(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            backend: false,
        };
        assert_eq!(session(&[]).to_json(), "{}");
        assert_eq!(
            session(&[("x-hasura-role", "user"), ("x-hasura-name", "a\"b\\c\n\u{7f}é")]).to_json(),
            "{\"x-hasura-role\":\"user\",\"x-hasura-name\":\"a\\\"b\\\\c\\n\u{7f}é\"}"
        );
    }
}
