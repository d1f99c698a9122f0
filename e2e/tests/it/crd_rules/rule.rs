//! The CEL rules of a schema, and specs that break each of them alone.

use serde_json::{Value, json};

use super::instance::{least, plant};

/// A rule.
pub struct Rule {
    /// Where it stands, below `spec`: `connection.tls`, `headers[0]`; empty for the spec itself.
    pub path: String,
    /// What is said to who breaks it.
    pub message: String,
}

/// What breaks a rule.
pub enum Break {
    /// This spec.
    Spec(Value),
    /// The change of the first spec to the second.
    Change(Value, Value),
}

/// Every rule of a schema, in every place.
pub fn rules(schema: &Value) -> Vec<Rule> {
    let mut found = Vec::new();
    walk(schema, "", &mut found);
    found
}

fn walk(schema: &Value, path: &str, found: &mut Vec<Rule>) {
    for rule in schema["x-kubernetes-validations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        found.push(Rule {
            path: path.to_owned(),
            message: rule["message"].as_str().expect("a message").to_owned(),
        });
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let inner = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        if field["items"].is_object() {
            walk(&field["items"], &format!("{inner}[0]"), found);
        }
        walk(field, &inner, found);
    }
}

/// `a`, `b` and `c` of `exactly one of a, b and c`.
pub fn choices(message: &str) -> Vec<&str> {
    let names = message.split_once(" one of ").map_or("", |(_, names)| names);
    names.split(" and ").flat_map(|part| part.split(", ")).collect()
}

/// What a rule asks for besides the required fields.
pub fn fixes(message: &str) -> Vec<(&'static str, Value)> {
    match message {
        "domains are given exactly with mode Domains" => vec![("mode", json!("Disabled"))],
        "roles are given exactly with scope Roles" => vec![("scope", json!("Global"))],
        "kind is for mutations" => vec![("type", json!("Query"))],
        // Remove goes without both.
        "template is given exactly with action Transform" => vec![("action", json!("Remove"))],
        _ => Vec::new(),
    }
}

/// Specs that break the rule and no other.
pub fn breaks(schema: &Value, rule: &Rule) -> Vec<Break> {
    let message = rule.message.as_str();
    let with = |changes: &[(&str, Value)]| {
        let mut spec = least(schema);
        let (_, place) = plant(schema, &mut spec, &rule.path);
        for (name, value) in changes {
            place[*name] = value.clone();
        }
        spec
    };
    let mut here = least(schema);
    let (own, _) = plant(schema, &mut here, &rule.path);
    let field = |name: &str| least(&own["properties"][name]);
    if message.starts_with("at least one of ") {
        let names = choices(message);
        let mut none = with(&[]);
        let (_, place) = plant(schema, &mut none, &rule.path);
        let place = place.as_object_mut().expect("an object");
        place.retain(|name, _| !names.contains(&name.as_str()));
        return vec![Break::Spec(none)];
    }
    if message.starts_with("exactly one of ") || message.starts_with("at most one of ") {
        let names = choices(message);
        let two: Vec<_> = names.iter().take(2).map(|name| (*name, field(name))).collect();
        let mut found = vec![Break::Spec(with(&two))];
        if message.starts_with("exactly") {
            let mut none = with(&[]);
            let (_, place) = plant(schema, &mut none, &rule.path);
            let place = place.as_object_mut().expect("an object");
            place.retain(|name, _| !names.contains(&name.as_str()));
            found.push(Break::Spec(none));
        }
        return found;
    }
    match message {
        "\"*\" stands alone" => {
            let mut spec = with(&[]);
            *plant(schema, &mut spec, &rule.path).1 = json!(["*", "id"]);
            vec![Break::Spec(spec)]
        }
        "cannot be changed; delete the object and create another" => {
            let mut after = here.clone();
            let (_, place) = plant(schema, &mut after, &rule.path);
            match place {
                Value::Object(parts) => drop(parts.insert("name".to_owned(), json!("another"))),
                other => *other = json!("another"),
            }
            vec![Break::Change(here, after)]
        }
        "domains are given exactly with mode Domains" => vec![
            Break::Spec(with(&[("mode", json!("Domains"))])),
            Break::Spec(with(&[("domains", json!(["https://a.example"]))])),
        ],
        "roles are given exactly with scope Roles" => vec![
            Break::Spec(with(&[("scope", json!("Roles"))])),
            Break::Spec(with(&[("roles", json!(["a"]))])),
        ],
        "template is given exactly with action Transform" => vec![
            Break::Spec(with(&[("action", json!("Transform"))])),
            Break::Spec(with(&[("template", json!("a"))])),
        ],
        "formTemplate is given exactly with action FormUrlEncoded" => vec![
            Break::Spec(with(&[("action", json!("FormUrlEncoded"))])),
            Break::Spec(with(&[("formTemplate", json!({"a": "b"}))])),
        ],
        "kind is for mutations" => vec![Break::Spec(with(&[("kind", json!("Synchronous"))]))],
        "with a webhook, roles come from it: unauthorizedRole is not allowed" => {
            let hook = json!({"url": "https://a.example"});
            vec![Break::Spec(with(&[
                ("webhook", hook),
                ("unauthorizedRole", json!("a")),
            ]))]
        }
        other => panic!("say here what breaks the rule {other:?}"),
    }
}
