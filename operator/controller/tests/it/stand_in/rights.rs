//! What the operator may do: the roles in `config/rbac`.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The rules of all its roles.
pub struct Rights {
    rules: Vec<Value>,
}

impl Rights {
    pub fn read() -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rbac");
        let mut rules = Vec::new();
        for name in ["operator", "cluster", "secrets", "lease"] {
            let text = std::fs::read_to_string(directory.join(format!("{name}.yaml"))).expect("a file");
            for document in serde_norway::Deserializer::from_str(&text) {
                let role = Value::deserialize(document).expect("YAML");
                rules.extend(role["rules"].as_array().into_iter().flatten().cloned());
            }
        }
        assert!(rules.len() > 10, "{rules:?}");
        Self { rules }
    }

    /// Whether a rule names the verb, the group and the resource (`tables/status`).
    pub fn allow(&self, verb: &str, group: &str, resource: &str) -> bool {
        let of_any = resource
            .split_once('/')
            .map_or("*".to_owned(), |(_, part)| format!("*/{part}"));
        let names = |rule: &Value, list: &str, wanted: &[&str]| {
            let list = rule[list].as_array().into_iter().flatten();
            list.filter_map(Value::as_str).any(|name| wanted.contains(&name))
        };
        self.rules.iter().any(|rule| {
            names(rule, "apiGroups", &[group])
                && names(rule, "resources", &[resource, of_any.as_str()])
                && names(rule, "verbs", &[verb])
        })
    }
}
