//! Who the pods are, and what they may read: their own ConfigMaps and Secret, by name.

use compile::Object;
use delivery::name;
use serde_json::{Value, json};

use super::object;
use crate::resource::Native;

pub(super) fn service_account(engine: &Object) -> Value {
    // The pod template asks for the token itself.
    let rest = json!({"automountServiceAccountToken": false});
    object(engine, Native::ServiceAccount, &engine.key.name, rest)
}

pub(super) fn role(engine: &Object) -> Value {
    let index = name::index(&engine.key.name);
    let every = name::every(&index);
    let parts = every.get(1..).unwrap_or_default();
    let rules = json!({"rules": [
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": [index], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": parts, "verbs": ["get"]},
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [name::secrets(&engine.key.name)],
            "verbs": ["get", "list", "watch"],
        },
    ]});
    object(engine, Native::Role, &engine.key.name, rules)
}

pub(super) fn role_binding(engine: &Object) -> Value {
    let name = &engine.key.name;
    let rest = json!({
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": engine.key.namespace}],
    });
    object(engine, Native::RoleBinding, name, rest)
}
