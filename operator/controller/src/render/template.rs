//! Overrides of the pod template: a partial one laid over ours. Objects are merged, lists of named things by name,
//! other lists replaced.

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
                    Some(existing) => merge_at(existing, item, "", rest),
                    None => base.push(item.clone()),
                }
            }
        }
        (base, over, _) => *base = over.clone(),
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
