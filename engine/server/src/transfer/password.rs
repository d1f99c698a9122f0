//! Passwords of databases that stand in an object as they are, for all who may read it. What is a secret in a header or a URL of
//! another kind, nobody can tell.

use std::fmt;

use serde_json::Value;

/// Keys of a connection string, in either of its forms, that hold one.
const KEYS: &[&str] = &["password", "sslpassword"];

/// Where one stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InClear {
    source: String,
    path: String,
    /// The field that takes it from a Secret.
    instead: &'static str,
}

impl fmt::Display for InClear {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            path,
            instead,
        } = self;
        write!(
            out,
            "in clear: Source {source}: {path}: a password stands here in clear: put it into a Secret, and name that with \
             {instead}.secretKeyRef"
        )
    }
}

/// All in these objects.
pub(super) fn in_clear(objects: &[Value]) -> Vec<InClear> {
    let mut found = Vec::new();
    for object in objects.iter().filter(|object| object["kind"] == "Source") {
        let source = object["metadata"]["name"].as_str().unwrap_or_default();
        for (path, connection) in connections(&object["spec"]) {
            for (field, instead) in of_connection(connection) {
                found.push(InClear {
                    source: source.to_owned(),
                    path: format!("spec.{path}.{field}"),
                    instead,
                });
            }
        }
    }
    found
}

/// The connections of a source, with their paths.
fn connections(spec: &Value) -> Vec<(String, &Value)> {
    let mut all = vec![("connection".to_owned(), &spec["connection"])];
    let list = |field: &str| spec[field].as_array().into_iter().flatten().enumerate();
    for (index, replica) in list("readReplicas") {
        all.push((format!("readReplicas[{index}]"), replica));
    }
    for (index, member) in list("connectionSet") {
        all.push((
            format!("connectionSet[{index}].connection"),
            &member["connection"],
        ));
    }
    all
}

/// The fields of a connection, and what is to be used instead of each.
fn of_connection(connection: &Value) -> Vec<(&'static str, &'static str)> {
    let text = |pointer: &str| connection.pointer(pointer).and_then(Value::as_str);
    let fields = [
        ("url", "urlFrom", text("/url").is_some_and(is_in_string)),
        (
            "parameters.password",
            "urlFrom",
            text("/parameters/password").is_some_and(is_literal),
        ),
        (
            "tls.password",
            "passwordFrom",
            text("/tls/password").is_some_and(is_literal),
        ),
    ];
    let found = fields.into_iter().filter(|(_, _, is_there)| *is_there);
    found.map(|(field, instead, _)| (field, instead)).collect()
}

/// Whether a connection string has one, as a URL or as `key=value` words.
fn is_in_string(text: &str) -> bool {
    let is_of_key = |pair: &str| {
        let pair = pair.split_once('=');
        pair.is_some_and(|(key, value)| KEYS.contains(&key.trim()) && is_literal(value))
    };
    let Some((_, rest)) = text.split_once("://") else {
        let words = text.replace(" =", "=").replace("= ", "=");
        return words.split_whitespace().any(is_of_key);
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let password = user.and_then(|user| user.split_once(':'));
    password.is_some_and(|(_, password)| is_literal(password)) || query.split('&').any(is_of_key)
}

/// Not empty, and no template that an environment variable fills.
fn is_literal(value: &str) -> bool {
    !value.trim_matches('\'').is_empty() && !value.contains("{{")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn connection_strings_with_a_password() {
        for text in [
            "postgres://u:p@h/d",
            "postgresql://u:p%40@h:5432/d?sslmode=require",
            "postgresql://h/d?user=u&password=p",
            "postgresql://u@h/d?sslkey=k&sslpassword=p",
            "host=h user=u password=p",
            "host=h password = 'p'",
        ] {
            assert!(is_in_string(text), "{text}");
        }
        for text in [
            "",
            "{{URL}}",
            "postgres://u@h/d",
            "postgres://u:@h/d",
            "postgres://h:5432/d@x",
            "postgres://u:{{PASSWORD}}@h/d",
            "postgres://u@h/d?application_name=password",
            "host=h user=u passfile=/run/p",
        ] {
            assert!(!is_in_string(text), "{text}");
        }
    }

    #[test]
    fn every_connection_of_a_source_is_looked_at() {
        let url = json!({"url": "postgres://u:canary@h/d"});
        let source = json!({"kind": "Source", "metadata": {"name": "s"}, "spec": {
            "connection": {"parameters": {"password": "canary"}, "tls": {"password": "canary"}},
            "readReplicas": [{"urlFrom": {"env": "URL"}}, url],
            "connectionSet": [{"name": "eu", "connection": url}],
        }});
        let other = json!({"kind": "RemoteSchema", "metadata": {"name": "r"}, "spec": {"connection": url}});
        let found = in_clear(&[other, source]);
        let paths: Vec<&str> = found.iter().map(|found| &*found.path).collect();
        assert_eq!(
            paths,
            [
                "spec.connection.parameters.password",
                "spec.connection.tls.password",
                "spec.readReplicas[1].url",
                "spec.connectionSet[0].connection.url",
            ]
        );
        let said = found.iter().map(ToString::to_string).collect::<String>();
        assert!(!said.contains("canary"), "{said}");
    }
}
