//! The pods.

use std::time::Duration;

use compile::Object;
use crd::engine::EngineSpec;
use delivery::name;
use serde_json::{Value, json};

use super::{PORT, Surroundings, labels, object, selector, template};
use crate::environment::Environment;
use crate::resource::Native;

/// Where the Secret is mounted.
const SECRETS_DIR: &str = "/etc/rowlock/secrets";
/// Where the pod keeps what it accepted.
const STATE_DIR: &str = "/var/lib/rowlock";
/// The user and group of the process.
const USER: u32 = 65532;
/// Seconds between "do not send any more" and the end of the process: until everybody knows that the pod is gone.
const DRAIN: u32 = 5;
/// Seconds for requests in flight.
const FINISH: u32 = 25;
/// More than a day nobody waits.
const MOST_FINISH: u32 = 86_400;
/// The setting that says otherwise.
const FINISH_VARIABLE: &str = "HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT";

/// Seconds that a pod may take until it answers at all.
const STARTUP: u32 = 180;

/// One pod at a time may be taken away, so that a node can always be drained and others serve.
pub(super) fn disruption_budget(engine: &Object) -> Value {
    let rest = json!({"spec": {
        "maxUnavailable": 1,
        "selector": {"matchLabels": selector(engine)},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }});
    object(engine, Native::PodDisruptionBudget, &engine.key.name, rest)
}

pub(super) fn deployment(
    engine: &Object,
    spec: &EngineSpec,
    environment: &Environment,
    surroundings: &Surroundings<'_>,
) -> Value {
    let mut pod = pod_template(engine, spec, environment, surroundings);
    if let Some(over) = &spec.template {
        template::merge(&mut pod, &Value::Object(over.0.clone()));
        // Pods that the engine's selector does not find would be nobody's.
        template::merge(&mut pod, &json!({"metadata": {"labels": labels(engine)}}));
    }
    let rest = json!({"spec": {
        "replicas": spec.replicas.unwrap_or(1),
        "revisionHistoryLimit": 3,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": selector(engine)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": pod,
    }});
    object(engine, Native::Deployment, &engine.key.name, rest)
}

fn pod_template(
    engine: &Object,
    spec: &EngineSpec,
    environment: &Environment,
    surroundings: &Surroundings<'_>,
) -> Value {
    let name = &engine.key.name;
    let spread = |key: &str| {
        json!({
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector(engine)},
        })
    };
    let probe = |path: &str, period: u32, failures: u32| {
        json!({
            "httpGet": {"path": path, "port": "http"},
            "periodSeconds": period,
            "timeoutSeconds": 2,
            "failureThreshold": failures,
        })
    };
    json!({
        "metadata": {
            "labels": labels(engine),
            "annotations": {"rowlock.dev/start-settings": surroundings.start_hash},
        },
        "spec": {
            "serviceAccountName": name,
            "automountServiceAccountToken": true,
            "terminationGracePeriodSeconds": finish(environment).saturating_add(DRAIN + 5),
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": USER,
                "runAsGroup": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "topologySpreadConstraints": [spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone")],
            "containers": [{
                "name": super::CONTAINER,
                "image": spec.image.as_deref().unwrap_or(surroundings.image),
                "imagePullPolicy": "IfNotPresent",
                "args": ["serve"],
                "env": variables(name, environment, surroundings),
                "ports": [
                    {"name": "http", "containerPort": PORT, "protocol": "TCP"},
                    {"name": "admin", "containerPort": surroundings.admin_port, "protocol": "TCP"},
                ],
                // Nothing answers before large schemas are built: only then does the time of the others begin.
                "startupProbe": probe("/livez", 1, STARTUP),
                "readinessProbe": probe("/readyz", 2, 3),
                "livenessProbe": probe("/livez", 10, 3),
                "lifecycle": {"preStop": {"sleep": {"seconds": DRAIN}}},
                // A setting that the program refuses is told on the Engine.
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "secrets", "mountPath": SECRETS_DIR, "readOnly": true},
                    {"name": "state", "mountPath": STATE_DIR},
                ],
            }],
            "volumes": [
                // 288 is 0440.
                {"name": "secrets", "secret": {"secretName": name::secrets(name), "defaultMode": 288}},
                {"name": "state", "emptyDir": {"sizeLimit": "512Mi"}},
            ],
        },
    })
}

/// How many seconds requests get to finish: what the settings say, if they say it here and not in a Secret. Read as the
/// engine reads it, `90`, `90s` or `90.5`, and rounded up.
fn finish(environment: &Environment) -> u32 {
    let given = environment.variables.get(FINISH_VARIABLE);
    let seconds = given.and_then(|given| given.trim().trim_end_matches('s').parse::<f64>().ok());
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds.ceil()).ok())
        .map_or(FINISH, |given| {
            u32::try_from(given.as_secs())
                .unwrap_or(MOST_FINISH)
                .min(MOST_FINISH)
        })
}

/// The operator's own variables and then the engine's settings.
fn variables(engine: &str, environment: &Environment, surroundings: &Surroundings<'_>) -> Vec<Value> {
    let own = [
        ("ROWLOCK_ORIGIN", format!("configmap:{}", name::index(engine))),
        ("ROWLOCK_STATE_DIR", STATE_DIR.to_owned()),
        ("ROWLOCK_SECRETS_DIR", SECRETS_DIR.to_owned()),
        ("ROWLOCK_SECRETS_NAME", name::secrets(engine)),
        ("ROWLOCK_ADMIN_PORT", surroundings.admin_port.to_string()),
        ("HASURA_GRAPHQL_SERVER_PORT", PORT.to_string()),
    ];
    let own = own.map(|(name, value)| json!({"name": name, "value": value}));
    let given = environment
        .variables
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}));
    let finish = (!environment.variables.contains_key(FINISH_VARIABLE))
        .then(|| json!({"name": FINISH_VARIABLE, "value": FINISH.to_string()}));
    own.into_iter().chain(given).chain(finish).collect()
}
