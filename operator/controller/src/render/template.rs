//! Overrides of the pod template: a partial one laid over ours. Objects are merged, lists of named things by name,
//! other lists replaced. Where an object can have only one of several fields, the override's takes the place of ours.

use serde_json::Value;

/// Lists that are merged, and the key by which their items are told apart.
const KEYED: &[(&str, &str)] = &[
    ("containers", "name"),
    ("initContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("volumeMounts", "mountPath"),
    ("ports", "containerPort"),
    ("imagePullSecrets", "name"),
];

/// Levels of a template that are looked into; what lies deeper replaces what was there.
const MOST_DEPTH: usize = 32;

/// Lays `over` over `base`.
pub fn merge(base: &mut Value, over: &Value) {
    merge_at(base, over, "", MOST_DEPTH);
}

fn merge_at(base: &mut Value, over: &Value, field: &str, levels: usize) {
    let key = KEYED.iter().find(|(list, _)| *list == field).map(|(_, key)| *key);
    match (base, over, levels.checked_sub(1)) {
        (Value::Object(base), Value::Object(over), Some(rest)) => {
            if over.keys().any(|name| is_alternative(field, name)) {
                base.retain(|name, _| over.contains_key(name) || !is_alternative(field, name));
            }
            for (name, value) in over {
                match base.get_mut(name) {
                    Some(existing) => merge_at(existing, value, name, rest),
                    None => {
                        base.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(base), Value::Array(over), Some(rest)) if key.is_some() => {
            for item in over {
                let name = key.and_then(|key| item.get(key));
                let same = base
                    .iter_mut()
                    .find(|existing| name.is_some() && key.and_then(|key| existing.get(key)) == name);
                match same {
                    Some(existing) => merge_at(existing, item, field, rest),
                    None => base.push(item.clone()),
                }
            }
        }
        (base, over, _) => *base = over.clone(),
    }
}

/// Whether this is one of the fields of which an object has one at most. The object is told by the field that it is in, or
/// the list.
fn is_alternative(field: &str, name: &str) -> bool {
    match field {
        "volumes" => name != "name",
        "env" => ["value", "valueFrom"].contains(&name),
        "startupProbe" | "readinessProbe" | "livenessProbe" | "preStop" | "postStart" => {
            ["exec", "grpc", "httpGet", "sleep", "tcpSocket"].contains(&name)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn named_things_are_merged_and_other_lists_replaced() {
        let engine = |env: Value, resources: Value| json!({"name": "engine", "args": ["serve"], "env": env, "resources": resources});
        let mut base = json!({"spec": {
            "tolerations": [{"key": "a"}],
            "containers": [engine(json!([{"name": "A", "value": "1"}]), json!({"limits": {"memory": "1Gi"}}))],
        }});
        let over = json!({"spec": {
            "tolerations": [{"key": "b"}],
            "containers": [
                {"name": "engine", "env": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}], "resources": {"limits": {"cpu": "2"}}},
                {"name": "side", "image": "x"},
            ],
        }});
        merge(&mut base, &over);
        let env = json!([{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]);
        assert_eq!(
            base,
            json!({"spec": {
                "tolerations": [{"key": "b"}],
                "containers": [
                    engine(env, json!({"limits": {"memory": "1Gi", "cpu": "2"}})),
                    {"name": "side", "image": "x"},
                ],
            }})
        );
    }

    /// The API server refuses an object with two of them.
    #[test]
    fn of_alternatives_one_stays() {
        let merged = |mut base: Value, over: Value| {
            merge(&mut base, &over);
            base
        };
        let volumes = |source: Value| json!({"volumes": [source]});
        assert_eq!(
            merged(
                volumes(json!({"name": "state", "emptyDir": {"sizeLimit": "1Gi"}})),
                volumes(json!({"name": "state", "ephemeral": {"volumeClaimTemplate": {}}})),
            ),
            volumes(json!({"name": "state", "ephemeral": {"volumeClaimTemplate": {}}}))
        );
        assert_eq!(
            merged(
                volumes(json!({"name": "state", "emptyDir": {"sizeLimit": "1Gi"}})),
                volumes(json!({"name": "state", "emptyDir": {"medium": "Memory"}})),
            ),
            volumes(json!({"name": "state", "emptyDir": {"sizeLimit": "1Gi", "medium": "Memory"}}))
        );
        let reference = json!({"configMapKeyRef": {"name": "c", "key": "k"}});
        assert_eq!(
            merged(
                json!({"env": [{"name": "A", "value": "1"}]}),
                json!({"env": [{"name": "A", "valueFrom": reference}]}),
            ),
            json!({"env": [{"name": "A", "valueFrom": reference}]})
        );
        assert_eq!(
            merged(
                json!({"livenessProbe": {"httpGet": {"path": "/livez"}, "periodSeconds": 10}}),
                json!({"livenessProbe": {"tcpSocket": {"port": 1}}}),
            ),
            json!({"livenessProbe": {"periodSeconds": 10, "tcpSocket": {"port": 1}}})
        );
        assert_eq!(
            merged(
                json!({"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}),
                json!({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "9"]}}}}),
            ),
            json!({"lifecycle": {"preStop": {"exec": {"command": ["sleep", "9"]}}}})
        );
    }

    #[test]
    fn depth_is_bounded() {
        let deep =
            |levels: usize, leaf: Value| (0..levels).fold(leaf, |inner, _| json!({"a": inner, "b": 1}));
        let mut base = deep(200, json!(1));
        let over = deep(200, json!(2));
        merge(&mut base, &over);
        assert_eq!(base, over);
    }
}
