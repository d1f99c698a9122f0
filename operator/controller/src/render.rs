//! From an engine to everything that is made for it in the cluster. Pure: the same input gives the same objects.

mod access;
mod config;
mod network;
mod template;
mod workload;

use std::collections::BTreeMap;

use compile::{Object, ObjectKey};
use crd::engine::{EngineSpec, MOST_NAME};
use delivery::Publication;
use serde_json::{Map, Value, json};

use crate::environment::Environment;
use crate::resource::Native;
use crate::secrets::Hidden;

pub use config::{index, part, secret};
pub use template::merge;

/// The label that names the engine, on everything that is made for it.
pub const ENGINE_LABEL: &str = "rowlock.dev/engine";
/// Selects what is made for engines.
pub const SELECTOR: &str = "rowlock.dev/engine,app.kubernetes.io/managed-by=rowlock-operator";
/// The engine's container in its pods.
pub const CONTAINER: &str = "engine";
/// The port of the engine's API.
const PORT: u16 = 8080;

/// What rendering needs besides the engine's own spec.
#[derive(Clone, Debug)]
pub struct Surroundings<'s> {
    /// The image where the engine names none.
    pub image: &'s str,
    /// Port of the admin API.
    pub admin_port: u16,
    /// The namespace of the operator.
    pub operator_namespace: &'s str,
    /// Of the values that are read at the start only; pods are replaced when it changes.
    pub start_hash: &'s str,
}

/// Everything but the Secret and the ConfigMaps, in the order in which it is applied.
pub fn workloads(
    engine: &Object,
    spec: &EngineSpec,
    environment: &Environment,
    surroundings: &Surroundings<'_>,
) -> Vec<(Native, Value)> {
    vec![
        (Native::ServiceAccount, access::service_account(engine)),
        (Native::Role, access::role(engine)),
        (Native::RoleBinding, access::role_binding(engine)),
        (
            Native::NetworkPolicy,
            network::network_policy(engine, surroundings),
        ),
        (Native::Service, network::service(engine, spec)),
        (Native::PodDisruptionBudget, workload::disruption_budget(engine)),
        (
            Native::Deployment,
            workload::deployment(engine, spec, environment, surroundings),
        ),
    ]
}

/// The label selector of the pods, as a text.
pub fn pod_selector(engine: &ObjectKey) -> String {
    format!("{ENGINE_LABEL}={}", engine.name)
}

/// Why no Deployment, Service or label can have the engine's name.
pub fn name_problem(name: &str) -> Option<String> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well = name.len() <= MOST_NAME
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(inner)
        && !name.ends_with('-');
    (!well).then(|| {
        format!("{name:?} cannot be the name of a Service: it is to have {MOST_NAME} lower case letters, digits and - at most, and to begin with a letter")
    })
}

fn labels(engine: &Object) -> Map<String, Value> {
    let mut labels = selector(engine);
    labels.insert("app.kubernetes.io/name".to_owned(), "rowlock".into());
    labels.insert(
        "app.kubernetes.io/instance".to_owned(),
        engine.key.name.clone().into(),
    );
    labels.insert(
        "app.kubernetes.io/managed-by".to_owned(),
        "rowlock-operator".into(),
    );
    labels
}

fn selector(engine: &Object) -> Map<String, Value> {
    Map::from_iter([(ENGINE_LABEL.to_owned(), engine.key.name.clone().into())])
}

/// An object of the engine's: with its owner, so that it goes when the engine goes.
fn object(engine: &Object, kind: Native, name: &str, rest: Value) -> Value {
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), kind.api_version().into());
    object.insert("kind".to_owned(), kind.as_str().into());
    object.insert(
        "metadata".to_owned(),
        json!({
            "name": name,
            "namespace": engine.key.namespace,
            "labels": labels(engine),
            "ownerReferences": [{
                "apiVersion": crd::API_VERSION,
                "kind": "Engine",
                "name": engine.key.name,
                "uid": engine.uid,
                "controller": true,
                "blockOwnerDeletion": false,
            }],
        }),
    );
    if let Value::Object(rest) = rest {
        object.extend(rest);
    }
    Value::Object(object)
}

/// The values of the engine's Secret, by variable.
pub type Values = BTreeMap<String, Hidden>;

/// The ConfigMaps of a publication: the parts, and then the index.
pub fn publication(engine: &Object, publication: &Publication) -> (Vec<Value>, Value) {
    let parts = publication
        .parts
        .iter()
        .map(|carried| part(engine, carried))
        .collect();
    (parts, index(engine, publication))
}
