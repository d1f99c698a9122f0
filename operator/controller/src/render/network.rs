//! How the pods are reached: by everybody on the API's port, by the operator alone on the admin port.

use compile::Object;
use crd::engine::{EngineSpec, ServiceType};
use serde_json::{Value, json};

use super::{Surroundings, object, selector};
use crate::resource::Native;

pub(super) fn service(engine: &Object, spec: &EngineSpec) -> Value {
    let settings = spec.service.as_ref();
    let kind = match settings.and_then(|service| service.kind) {
        None | Some(ServiceType::ClusterIP) => "ClusterIP",
        Some(ServiceType::NodePort) => "NodePort",
        Some(ServiceType::LoadBalancer) => "LoadBalancer",
    };
    let port = settings.and_then(|service| service.port).unwrap_or(80);
    let mut made = object(
        engine,
        Native::Service,
        &engine.key.name,
        json!({"spec": {
            "type": kind,
            "selector": selector(engine),
            "ports": [{"name": "http", "port": port, "targetPort": "http", "protocol": "TCP", "appProtocol": "http"}],
        }}),
    );
    let annotations = settings.and_then(|service| service.annotations.as_ref());
    if let (Some(annotations), Some(metadata)) = (
        annotations,
        made.pointer_mut("/metadata").and_then(Value::as_object_mut),
    ) {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    made
}

/// Every port but the admin port is open to everybody, as without a policy.
pub(super) fn network_policy(engine: &Object, surroundings: &Surroundings<'_>) -> Value {
    let admin = surroundings.admin_port;
    let mut open = Vec::new();
    if admin > 1 {
        open.push(json!({"protocol": "TCP", "port": 1, "endPort": admin - 1}));
    }
    if admin < u16::MAX {
        open.push(json!({"protocol": "TCP", "port": admin + 1, "endPort": u16::MAX}));
    }
    open.push(json!({"protocol": "UDP", "port": 1, "endPort": u16::MAX}));
    let operator = json!({
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": surroundings.operator_namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "rowlock-operator"}},
    });
    let rest = json!({"spec": {
        "podSelector": {"matchLabels": selector(engine)},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": open},
            {"ports": [{"protocol": "TCP", "port": admin}], "from": [operator]},
        ],
    }});
    object(
        engine,
        Native::NetworkPolicy,
        &format!("{}-admin", engine.key.name),
        rest,
    )
}
