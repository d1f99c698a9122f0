//! What people may do who may edit or view a namespace: `config/rbac/people.yaml`.

use std::collections::BTreeSet;
use std::path::Path;

use crd::Kind;
use serde::Deserialize;
use serde_json::Value;

/// The resources that a role may write.
fn written(role: &Value) -> BTreeSet<&str> {
    let rules = role["rules"].as_array().expect("rules").iter();
    let writes = |rule: &&Value| {
        let verbs = rule["verbs"].as_array().expect("verbs");
        verbs.iter().any(|verb| *verb == "patch" || *verb == "update")
    };
    let resources = rules.filter(writes).flat_map(|rule| rule["resources"].as_array());
    resources.flatten().filter_map(Value::as_str).collect()
}

/// Every kind, and of none what became of it.
#[test]
fn who_edits_a_namespace_declares_an_api_and_does_not_say_what_became_of_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rbac/people.yaml");
    let text = std::fs::read_to_string(file).expect("a file");
    let roles: Vec<Value> = serde_norway::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).expect("YAML"))
        .collect();
    let [edit, view] = roles.as_slice() else {
        panic!("{roles:?}")
    };
    let kinds = Kind::ALL.iter().map(|kind| kind.plural());
    assert_eq!(written(edit), kinds.chain(["engines/scale"]).collect());
    assert_eq!(written(view), BTreeSet::new());
}
