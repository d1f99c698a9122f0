//! The definitions of the kinds, as an API server takes them: structural, with CEL rules and list types.
//!
//! The derived schemas are put right here: `null` is never allowed (it means "delete" to a merge patch), numbers
//! have formats that API servers know, and each list says how server-side apply merges it.

use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use crate::Kind;
use crate::engine::MOST_NAME;
use crate::yaml::YamlError;

/// The definition of a kind.
pub fn definition(kind: Kind) -> Value {
    let derived = match kind {
        Kind::Engine => crate::engine::Engine::crd(),
        Kind::Source => crate::source::Source::crd(),
        Kind::Table => crate::table::Table::crd(),
        Kind::Permission => crate::permission::Permission::crd(),
        Kind::Function => crate::function::Function::crd(),
        Kind::NativeQuery => crate::native_query::NativeQuery::crd(),
        Kind::LogicalModel => crate::native_query::LogicalModel::crd(),
        Kind::Action => crate::action::Action::crd(),
        Kind::ActionTypes => crate::custom_type::ActionTypes::crd(),
        Kind::RemoteSchema => crate::remote_schema::RemoteSchema::crd(),
        Kind::RemoteSchemaPermission => crate::remote_schema::RemoteSchemaPermission::crd(),
        Kind::EventTrigger => crate::event_trigger::EventTrigger::crd(),
        Kind::CronTrigger => crate::cron_trigger::CronTrigger::crd(),
        Kind::InheritedRole => crate::inherited_role::InheritedRole::crd(),
        Kind::QueryCollection => crate::query_collection::QueryCollection::crd(),
        Kind::RestEndpoint => crate::rest_endpoint::RestEndpoint::crd(),
        Kind::APILimits => crate::api_limits::APILimits::crd(),
        Kind::ReferenceGrant => crate::reference_grant::ReferenceGrant::crd(),
    };
    let mut definition = serde_json::to_value(derived).unwrap_or_default();
    if let Some(versions) = definition
        .pointer_mut("/spec/versions")
        .and_then(Value::as_array_mut)
    {
        for version in versions {
            if let Some(schema) = version.pointer_mut("/schema/openAPIV3Schema") {
                put_right(schema, "");
                describe(schema, kind);
                begin_waiting(schema);
                bound_name(schema, kind);
            }
        }
    }
    definition
}

/// The definition as YAML, with a line that says where it comes from.
pub fn yaml(kind: Kind) -> Result<String, YamlError> {
    let text = crate::yaml::print(&definition(kind))?;
    Ok(format!(
        "# Generated from operator/crd; to write it again: ROWLOCK_WRITE_CRDS=1 cargo test -p crd\n---\n{text}"
    ))
}

/// The schema of the spec of a kind.
pub fn spec_schema(kind: Kind) -> Value {
    definition(kind)
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .cloned()
        .unwrap_or_default()
}

fn describe(schema: &mut Value, kind: Kind) {
    let text = schema
        .pointer("/properties/spec/description")
        .cloned()
        .unwrap_or_else(|| kind.as_str().into());
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), text);
    }
}

/// An object without a status is not ready: tools that look before the operator did must not take it for healthy, as
/// they do with objects that have no conditions.
fn begin_waiting(schema: &mut Value) {
    if let Some(status) = schema
        .pointer_mut("/properties/status")
        .and_then(Value::as_object_mut)
    {
        let waiting = json!({
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "the operator has not looked at it yet",
            "observedGeneration": 0,
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        });
        status.insert("default".to_owned(), json!({"conditions": [waiting]}));
    }
}

/// The name of an Engine is a label of all that is made for it, and a part of its names. There is no field of the schema
/// at which that could stand.
fn bound_name(schema: &mut Value, kind: Kind) {
    if let (Kind::Engine, Some(schema)) = (kind, schema.as_object_mut()) {
        let rule = json!({
            "rule": format!("size(self.metadata.name) <= {MOST_NAME}"),
            "message": format!("an Engine's name has at most {MOST_NAME} characters"),
        });
        schema.insert("x-kubernetes-validations".to_owned(), json!([rule]));
    }
}

/// Rewrites a schema and everything in it. `field` is the name of the field it describes. Recurses as deep as the
/// types nest.
fn put_right(schema: &mut Value, field: &str) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    unwrap_optional(object);
    object.remove("nullable");
    if let Some(words) = object.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    if let Some("uint8" | "uint16" | "uint32" | "uint64") = object.get("format").and_then(Value::as_str) {
        object.insert("format".to_owned(), "int64".into());
        let minimum = object.get("minimum").cloned().map_or(json!(0), whole);
        object.insert("minimum".to_owned(), minimum);
    }
    if let Some(maximum) = object.remove("maximum") {
        object.insert("maximum".to_owned(), whole(maximum));
    }
    for (name, inner) in object
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        put_right(inner, name);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = object.get_mut(key) {
            put_right(inner, "");
        }
    }
    if object.get("type").and_then(Value::as_str) == Some("array") {
        let keys = list_keys(object, field);
        if keys.is_empty() {
            object.insert("x-kubernetes-list-type".to_owned(), "atomic".into());
        } else {
            object.insert("x-kubernetes-list-type".to_owned(), "map".into());
            object.insert("x-kubernetes-list-map-keys".to_owned(), keys.into());
        }
    }
}

/// `1.0` as `1`.
fn whole(number: Value) -> Value {
    match number.as_f64() {
        Some(float) if float.fract() == 0.0 => {
            format!("{float:.0}").parse::<i64>().map_or(number, Value::from)
        }
        _ => number,
    }
}

/// An optional struct is derived as "this or null": only this is meant.
fn unwrap_optional(object: &mut Map<String, Value>) {
    let Some(Value::Array(forms)) = object.get("anyOf") else {
        return;
    };
    let is_null =
        |form: &Value| form.get("enum") == Some(&json!([null])) || form.get("type") == Some(&json!("null"));
    let real: Vec<Value> = forms.iter().filter(|form| !is_null(form)).cloned().collect();
    if let [Value::Object(inner)] = real.as_slice() {
        object.remove("anyOf");
        for (key, value) in inner {
            object.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// Lists in which a name may stand twice, or whose order is part of their meaning as a whole.
const ATOMIC: &[&str] = &["headers", "resourceAttributes", "pairs", "tlsAllowList"];

/// The keys by which server-side apply merges a list of objects; none: it is replaced as a whole.
fn list_keys(list: &Map<String, Value>, field: &str) -> Vec<Value> {
    if ATOMIC.contains(&field) {
        return Vec::new();
    }
    let required = |key: &str| {
        list.get("items")
            .and_then(|items| items.get("required"))
            .and_then(Value::as_array)
            .is_some_and(|required| required.iter().any(|name| name == key))
    };
    if field == "conditions" {
        return vec!["type".into()];
    }
    if field == "engines" {
        return vec!["namespace".into(), "name".into()];
    }
    ["name", "role", "typeName", "value"]
        .into_iter()
        .find(|key| required(key))
        .map(Value::from)
        .into_iter()
        .collect()
}
