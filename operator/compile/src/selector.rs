//! Which objects an engine selects, by their labels and by the labels of their namespaces; of other namespaces only with
//! their owners' consent. An engine hands on what an object's Secrets hold, and what it makes of an object stands in its
//! status: labels alone must not let one namespace do that to another.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crd::Kind;
use serde_json::Value;

use crate::grant::Grants;
use crate::object::{Object, ObjectKey};

type Labels = BTreeMap<String, String>;

/// What an engine selects.
#[derive(Clone, Debug)]
pub struct Selection<'e> {
    engine: &'e ObjectKey,
    objects: Option<Cow<'e, Value>>,
    namespaces: Option<Cow<'e, Value>>,
}

impl<'e> Selection<'e> {
    /// The selection of an engine.
    pub fn of(engine: &'e Object) -> Self {
        Self {
            engine: &engine.key,
            objects: engine.spec.get("objectSelector"),
            namespaces: engine.spec.get("namespaceSelector"),
        }
    }

    /// Whether what the engine is made of depends on labels of namespaces.
    pub fn looks_at_namespaces(&self) -> bool {
        self.namespaces.is_some()
    }

    /// Whether the engine is made of this object, whose namespace has these labels: itself, what it selects and may
    /// serve, and every `ReferenceGrant`.
    pub fn takes(&self, object: &Object, namespace_labels: &Labels, grants: &Grants) -> bool {
        match object.key.kind {
            Kind::Engine => object.key == *self.engine,
            Kind::ReferenceGrant => true,
            _ => {
                self.selects(&object.key.namespace, namespace_labels, &object.labels)
                    && grants.permit(self.engine, &object.key)
            }
        }
    }

    /// Without a selector of namespaces only the engine's own counts.
    fn selects(&self, namespace: &str, namespace_labels: &Labels, labels: &Labels) -> bool {
        let in_namespace = match &self.namespaces {
            None => namespace == self.engine.namespace,
            Some(selector) => selects(selector, namespace_labels),
        };
        in_namespace
            && self
                .objects
                .as_ref()
                .is_none_or(|selector| selects(selector, labels))
    }
}

/// Whether a label selector holds. One of a wrong form selects nothing.
fn selects(selector: &Value, labels: &Labels) -> bool {
    let exact = match selector.get("matchLabels") {
        None => true,
        Some(Value::Object(wanted)) => wanted
            .iter()
            .all(|(label, value)| value.as_str() == labels.get(label).map(String::as_str)),
        Some(_) => false,
    };
    let expressions = match selector.get("matchExpressions") {
        None => true,
        Some(Value::Array(all)) => all.iter().all(|expression| holds(expression, labels)),
        Some(_) => false,
    };
    selector.is_object() && exact && expressions
}

fn holds(expression: &Value, labels: &Labels) -> bool {
    let text = |key: &str| expression.get(key).and_then(Value::as_str);
    let (Some(label), Some(operator)) = (text("key"), text("operator")) else {
        return false;
    };
    let found = labels.get(label).map(String::as_str);
    let values = expression.get("values").and_then(Value::as_array);
    let among = |found: &str| values.is_some_and(|values| values.iter().any(|value| value == found));
    match operator {
        "In" => found.is_some_and(among),
        "NotIn" => !found.is_some_and(among),
        "Exists" => found.is_some(),
        "DoesNotExist" => found.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn labels(list: &[(&str, &str)]) -> Labels {
        list.iter()
            .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn everything_given_must_hold() {
        let shop = labels(&[("app", "shop"), ("tier", "a")]);
        let expression = |operator: &str, values: &[&str]| json!({"matchExpressions": [{"key": "tier", "operator": operator, "values": values}]});
        for (selector, holds) in [
            (json!({}), true),
            (json!({"matchLabels": {"app": "shop"}}), true),
            (json!({"matchLabels": {"app": "shop", "x": "y"}}), false),
            (expression("In", &["a", "b"]), true),
            (expression("In", &["b"]), false),
            (expression("NotIn", &["b"]), true),
            (expression("NotIn", &["a"]), false),
            (expression("Exists", &[]), true),
            (expression("DoesNotExist", &[]), false),
            (expression("Like", &["a"]), false),
            (json!("x"), false),
        ] {
            assert_eq!(selects(&selector, &shop), holds, "{selector}");
        }
    }

    #[test]
    fn the_own_namespace_by_default() {
        let engine = |spec: Value| {
            let value = json!({"apiVersion": crd::API_VERSION, "kind": "Engine", "metadata": {"name": "e"}, "spec": spec});
            Object::from_json(&value, "own")
        };
        let takes = |spec: Value, namespace: &str, namespace_labels: &[(&str, &str)]| {
            engine(spec).is_ok_and(|engine| {
                Selection::of(&engine).selects(namespace, &labels(namespace_labels), &Labels::new())
            })
        };
        assert!(takes(json!({}), "own", &[]));
        assert!(!takes(json!({}), "other", &[]));
        assert!(takes(json!({"namespaceSelector": {}}), "other", &[]));
        let selector = json!({"namespaceSelector": {"matchLabels": {"team": "x"}}});
        assert!(takes(selector.clone(), "other", &[("team", "x")]));
        assert!(!takes(selector, "own", &[]));
    }

    #[test]
    fn other_namespaces_consent() {
        let object = |kind: &str, namespace: &str, spec: Value| {
            let value = json!({"apiVersion": crd::API_VERSION, "kind": kind, "metadata": {"name": "o"}, "spec": spec});
            Object::from_json(&value, namespace).expect("an object")
        };
        let engine = object("Engine", "own", json!({"namespaceSelector": {}}));
        let table = |namespace: &str| object("Table", namespace, json!({}));
        let takes = |namespace: &str, grants: &[Object]| {
            Selection::of(&engine).takes(&table(namespace), &Labels::new(), &Grants::of(grants))
        };
        let grant = |from: Value, to: Value| {
            vec![object(
                "ReferenceGrant",
                "other",
                json!({"from": [from], "to": [to]}),
            )]
        };
        let ours = json!({"kind": "Engine", "namespace": "own"});
        assert!(takes("own", &[]));
        assert!(!takes("other", &[]));
        assert!(takes("other", &grant(ours.clone(), json!({"kind": "Table"}))));
        assert!(takes(
            "other",
            &grant(ours.clone(), json!({"kind": "Table", "name": "o"}))
        ));
        for (from, to) in [
            (ours.clone(), json!({"kind": "Source"})),
            (ours, json!({"kind": "Table", "name": "another"})),
            (
                json!({"kind": "Engine", "namespace": "third"}),
                json!({"kind": "Table"}),
            ),
            (
                json!({"kind": "Table", "namespace": "own"}),
                json!({"kind": "Table"}),
            ),
        ] {
            assert!(!takes("other", &grant(from.clone(), to.clone())), "{from} {to}");
        }
        let elsewhere = grant(
            json!({"kind": "Engine", "namespace": "own"}),
            json!({"kind": "Table"}),
        );
        assert!(
            !takes("third", &elsewhere),
            "a grant speaks for its own namespace"
        );
    }
}
