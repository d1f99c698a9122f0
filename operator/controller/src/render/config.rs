//! What the pods read: the set in ConfigMaps, the variables in a Secret.

use std::collections::BTreeMap;

use compile::Object;
use delivery::{Part, Publication, name};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::{Values, object};
use crate::resource::Native;

/// The ConfigMap with the index.
pub fn index(engine: &Object, publication: &Publication) -> Value {
    let rest = json!({"data": publication.data});
    object(engine, Native::ConfigMap, &name::index(&engine.key.name), rest)
}

/// A ConfigMap with a part.
pub fn part(engine: &Object, part: &Part) -> Value {
    let content = json!(ByteString(part.content.clone()));
    let rest = json!({"binaryData": {name::PART_KEY: content}});
    object(engine, Native::ConfigMap, &part.name, rest)
}

/// The engine's Secret.
pub fn secret(engine: &Object, values: &Values) -> Value {
    let data: BTreeMap<&String, ByteString> = values
        .iter()
        .map(|(variable, value)| (variable, ByteString(value.0.clone())))
        .collect();
    let rest = json!({"type": "Opaque", "data": data});
    object(engine, Native::Secret, &name::secrets(&engine.key.name), rest)
}
