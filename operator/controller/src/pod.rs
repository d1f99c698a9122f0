//! The pods of engines, as far as the operator looks at them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use compile::ObjectKey;
use crd::Kind;
use serde_json::Value;

use crate::render::{CONTAINER, ENGINE_LABEL};
use crate::resource::Resource;

/// A pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// `metadata.uid`
    pub uid: String,
    /// Its address, once it has one.
    pub address: Option<IpAddr>,
    /// Whether it is ready and not about to end.
    pub ready: bool,
    /// Whether it is about to end, or has ended.
    pub ending: bool,
    /// Whether it has ended: nothing of it runs, and its address may be somebody else's by now.
    pub ended: bool,
    /// Why it does not run, in the words of Kubernetes.
    pub trouble: Option<String>,
}

/// The pods of all engines, by engine and uid.
#[derive(Debug, Default)]
pub struct Pods {
    all: Mutex<BTreeMap<ObjectKey, BTreeMap<String, Pod>>>,
}

impl Pods {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, BTreeMap<String, Pod>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a pod as it is; gives its engine if something changed.
    pub fn seen(&self, resource: &Resource) -> Option<ObjectKey> {
        let engine = engine(resource)?;
        let pod = read(resource)?;
        let mut all = self.lock();
        let pods = all.entry(engine.clone()).or_default();
        let before = pods.insert(pod.uid.clone(), pod.clone());
        (before != Some(pod)).then_some(engine)
    }

    /// The pod is gone; gives its engine.
    pub fn gone(&self, resource: &Resource) -> Option<ObjectKey> {
        let engine = engine(resource)?;
        let uid = resource.metadata.uid.as_ref()?;
        let mut all = self.lock();
        let pods = all.get_mut(&engine)?;
        pods.remove(uid);
        if pods.is_empty() {
            all.remove(&engine);
        }
        Some(engine)
    }

    /// Pods, in a namespace or in all, that are not among the uids `seen` are gone; gives their engines.
    pub fn keep(&self, namespace: Option<&str>, seen: &BTreeSet<String>) -> Vec<ObjectKey> {
        let mut engines = Vec::new();
        let mut all = self.lock();
        for (engine, pods) in all.iter_mut() {
            let before = pods.len();
            if namespace.is_none_or(|namespace| engine.namespace == namespace) {
                pods.retain(|uid, _| seen.contains(uid));
            }
            if pods.len() != before {
                engines.push(engine.clone());
            }
        }
        all.retain(|_, pods| !pods.is_empty());
        engines
    }

    /// The pods of an engine, by name.
    pub fn of(&self, engine: &ObjectKey) -> Vec<Pod> {
        let mut pods: Vec<Pod> = self
            .lock()
            .get(engine)
            .map(|pods| pods.values().cloned().collect())
            .unwrap_or_default();
        pods.sort_by(|one, two| one.name.cmp(&two.name));
        pods
    }
}

/// Why pods are not ready, by name. What has ended, and may stay there for long, counts where nothing else is known.
pub fn troubles(pods: &[Pod]) -> BTreeMap<String, String> {
    let of = |wanted: fn(&Pod) -> bool| -> BTreeMap<String, String> {
        let pods = pods.iter().filter(|pod| wanted(pod));
        pods.filter_map(|pod| Some((pod.name.clone(), pod.trouble.clone()?)))
            .collect()
    };
    let living = of(|pod| !pod.ending && !pod.ready);
    if living.is_empty() {
        return of(|pod| pod.ended);
    }
    living
}

fn engine(resource: &Resource) -> Option<ObjectKey> {
    Some(ObjectKey {
        kind: Kind::Engine,
        namespace: resource.metadata.namespace.clone()?,
        name: resource.metadata.labels.as_ref()?.get(ENGINE_LABEL)?.clone(),
    })
}

fn read(resource: &Resource) -> Option<Pod> {
    let status = &resource.status;
    let condition = |kind: &str| {
        let conditions = status
            .get("conditions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        conditions
            .into_iter()
            .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
    };
    let holds = |kind: &str| {
        condition(kind)
            .and_then(|found| found.get("status"))
            .and_then(Value::as_str)
            == Some("True")
    };
    let text = |key: &str| status.get(key).and_then(Value::as_str);
    let ended = matches!(text("phase"), Some("Failed" | "Succeeded"));
    let ending = ended || resource.metadata.deletion_timestamp.is_some();
    let end = text("reason")
        .filter(|_| ended)
        .map(|reason| match text("message") {
            Some(message) => format!("{reason}: {message}"),
            None => reason.to_owned(),
        });
    let address = status.get("podIP").and_then(Value::as_str);
    let unscheduled = condition("PodScheduled").filter(|_| !holds("PodScheduled"));
    let unscheduled = unscheduled
        .and_then(|found| found.get("message"))
        .and_then(Value::as_str);
    Some(Pod {
        name: resource.metadata.name.clone()?,
        uid: resource.metadata.uid.clone()?,
        address: address.and_then(|address| address.parse().ok()),
        ready: !ending && holds("Ready"),
        ending,
        ended,
        trouble: end
            .or_else(|| waiting(status))
            .or_else(|| unscheduled.map(str::to_owned)),
    })
}

/// What the engine says before it ends because it cannot start.
const FATAL: &str = "Fatal Error:- ";

/// Characters of it that a status shows.
const MOST_OF_FATAL: usize = 400;

/// Why a container waits.
fn waiting(status: &Value) -> Option<String> {
    let containers = ["initContainerStatuses", "containerStatuses"];
    let containers = containers
        .iter()
        .filter_map(|key| status.get(key)?.as_array())
        .flatten();
    let mut reasons = containers.filter_map(|container| {
        let waiting = container.pointer("/state/waiting")?;
        let reason = waiting.get("reason")?.as_str()?;
        // These pass by themselves.
        if matches!(reason, "ContainerCreating" | "PodInitializing") {
            return None;
        }
        let message = waiting.get("message").and_then(Value::as_str).unwrap_or_default();
        let is_own = container.get("name").is_some_and(|name| name == CONTAINER);
        let ended = container.pointer("/lastState/terminated");
        let ended = ended.and_then(|terminated| ended_with(terminated, is_own));
        Some(match ended {
            Some(ended) => format!("{reason}: {message} ({ended})"),
            None => format!("{reason}: {message}"),
        })
    });
    reasons.next()
}

/// How a container ended: the engine's own last word where it could not start, which names a setting and never its value
/// if that comes from a Secret. What others say of themselves is for their logs.
fn ended_with(terminated: &Value, is_own: bool) -> Option<String> {
    let log = terminated
        .get("message")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut lines = log.lines().rev().filter(|_| is_own);
    let fatal = lines.find_map(|line| line.split_once(FATAL));
    if let Some((_, fatal)) = fatal {
        let end = fatal
            .char_indices()
            .nth(MOST_OF_FATAL)
            .map_or(fatal.len(), |(end, _)| end);
        return Some(fatal.get(..end)?.trim().to_owned());
    }
    let reason = terminated.get("reason").and_then(Value::as_str)?;
    let status = terminated.get("exitCode").and_then(Value::as_i64)?;
    Some(format!("it ended with {reason}, exit status {status}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(uid: &str, status: &Value) -> Resource {
        let value = json!({
            "metadata": {"name": uid, "namespace": "n", "uid": uid, "labels": {ENGINE_LABEL: "e"}},
            "status": status,
        });
        serde_json::from_value(value).expect("a resource")
    }

    #[test]
    fn readiness_and_trouble_are_read() {
        let pods = Pods::default();
        let ready = json!({"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]});
        let engine = pods.seen(&pod("a", &ready)).expect("an engine");
        assert!(pods.seen(&pod("a", &ready)).is_none());
        let stuck = json!({"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}]});
        pods.seen(&pod("b", &stuck));
        let looping = |name: &str, last: Value| {
            let waiting = json!({"reason": "CrashLoopBackOff", "message": "back-off"});
            let status = json!({"containerStatuses": [{"name": name, "state": {"waiting": waiting}, "lastState": {"terminated": last}}]});
            read(&pod("d", &status)).and_then(|pod| pod.trouble)
        };
        let log = "{\"type\":\"startup\"}\nFatal Error:- Environment variable HASURA_GRAPHQL_PG_CONNECTIONS: not a number\n";
        assert_eq!(
            looping(
                "engine",
                json!({"reason": "Error", "exitCode": 1, "message": log})
            )
            .as_deref(),
            Some(
                "CrashLoopBackOff: back-off (Environment variable HASURA_GRAPHQL_PG_CONNECTIONS: not a number)"
            )
        );
        assert_eq!(
            looping("engine", json!({"reason": "OOMKilled", "exitCode": 137})).as_deref(),
            Some("CrashLoopBackOff: back-off (it ended with OOMKilled, exit status 137)")
        );
        assert_eq!(
            looping("side", json!({"reason": "Error", "exitCode": 1, "message": log})).as_deref(),
            Some("CrashLoopBackOff: back-off (it ended with Error, exit status 1)")
        );
        let unscheduled =
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]});
        pods.seen(&pod("c", &unscheduled));
        let all = pods.of(&engine);
        assert!(all[0].ready && all[0].address.is_some() && all[0].trouble.is_none());
        assert_eq!(all[1].trouble.as_deref(), Some("ImagePullBackOff: no such image"));
        assert_eq!(all[2].trouble.as_deref(), Some("no node"));
        assert_eq!(
            pods.keep(None, &BTreeSet::from(["a".to_owned(), "b".to_owned()])),
            std::slice::from_ref(&engine)
        );
        pods.gone(&pod("a", &ready));
        pods.gone(&pod("b", &stuck));
        assert!(pods.of(&engine).is_empty());
    }

    /// One that a node has thrown out stays there, with an address that the next pod may have.
    #[test]
    fn what_has_ended_is_no_pod_to_wait_for() {
        let of = |phase: &str, more: Value| {
            let mut status = json!({
                "phase": phase, "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}],
            });
            status.as_object_mut().into_iter().for_each(|status| {
                status.extend(more.as_object().cloned().unwrap_or_default());
            });
            read(&pod(phase, &status)).expect("a pod")
        };
        let runs = of("Running", json!({}));
        assert!(runs.ready && !runs.ending && !runs.ended);
        for phase in ["Failed", "Succeeded"] {
            let ended = of(phase, json!({}));
            assert!(!ended.ready && ended.ending && ended.ended, "{phase}");
        }
        let evicted = of(
            "Failed",
            json!({"reason": "Evicted", "message": "the node was low on memory"}),
        );
        let told = |pods: &[Pod]| troubles(pods).into_values().collect::<Vec<_>>();
        assert_eq!(
            told(&[evicted.clone(), runs]),
            ["Evicted: the node was low on memory"]
        );
        let stuck =
            json!({"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}]});
        let stuck = read(&pod("z", &stuck)).expect("a pod");
        assert_eq!(told(&[evicted, stuck]), ["no node"]);
    }
}
