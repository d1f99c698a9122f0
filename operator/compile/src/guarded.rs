//! Variables that no object may name by itself. All variables of an engine are looked up in one place, its own Secret
//! among them: whoever may write a webhook's address would otherwise have any value sent there. A key of a Secret is
//! referred to by `secretKeyRef`, which its namespace answers for; what `spec.env` of the Engine gives is open to all.

use serde_json::Value;

/// Begins the variables of the operator and of the engine's own settings; also those that stand for keys of Secrets.
const OWN: &str = "ROWLOCK_";

/// Hasura's settings that hold secrets.
const SETTINGS: &[&str] = &[
    "HASURA_GRAPHQL_ACCESS_KEY",
    "HASURA_GRAPHQL_ADMIN_SECRET",
    "HASURA_GRAPHQL_ADMIN_SECRETS",
    "HASURA_GRAPHQL_AUTH_HOOK",
    "HASURA_GRAPHQL_JWT_SECRET",
    "HASURA_GRAPHQL_JWT_SECRETS",
    "HASURA_GRAPHQL_METADATA_DATABASE_URL",
    "HASURA_GRAPHQL_METRICS_SECRET",
    "HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL",
];

/// Whether objects may not name this variable.
pub fn is_guarded(variable: &str) -> bool {
    variable.starts_with(OWN) || SETTINGS.contains(&variable)
}

/// The first field, as a path, in which a guarded variable is named: as a whole, as in `env: NAME`, or in a template, as in
/// `https://{{NAME}}/`. Recurses as deep as a spec may nest.
pub(crate) fn find(value: &Value, path: &str) -> Option<(String, String)> {
    match value {
        Value::String(text) => named(text).map(|variable| (path.to_owned(), variable.to_owned())),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| find(item, &format!("{path}[{at}]")))
        }
        Value::Object(fields) => {
            let mut fields = fields.iter();
            fields.find_map(|(name, inner)| find(inner, &format!("{path}.{name}")))
        }
        _ => None,
    }
}

fn named(text: &str) -> Option<&str> {
    if is_guarded(text) && text.bytes().all(is_of_a_name) {
        return Some(text);
    }
    let mut opened = text.split("{{");
    opened.next();
    let templates = opened.map(|rest| rest.split("}}").next().unwrap_or_default());
    let mut words =
        templates.flat_map(|inner| inner.split(|c: char| !u8::try_from(c).is_ok_and(is_of_a_name)));
    words.find(|word| is_guarded(word))
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_and_whole_names_are_found_with_their_path() {
        for text in [
            "ROWLOCK_ADMIN_TOKEN",
            "https://x/?s={{HASURA_GRAPHQL_ADMIN_SECRET}}",
            "{{ A }}{{ ROWLOCK_SECRET_0123456789ABCDEF }}",
            "{{ROWLOCK_ADMIN_TOKEN",
        ] {
            let spec = json!({"a": [{"b": 1}, {"c": text}]});
            let found = find(&spec, "spec").map(|(path, _)| path);
            assert_eq!(found.as_deref(), Some("spec.a[1].c"), "{text}");
        }
        for text in [
            "{{HASURA_GRAPHQL_DATABASE_URL}}",
            "HASURA_GRAPHQL_DATABASE_URL",
            "what ROWLOCK_ADMIN_TOKEN is for",
            "MY_ROWLOCK_TOKEN",
            "{{$body.input}} {{MY_ROWLOCK_X}}",
            "ROWLOCK_ é",
        ] {
            assert_eq!(find(&json!({ "a": text }), "spec"), None, "{text}");
        }
    }
}
