//! A stand-in for a cluster: an API server that keeps objects, lists, watches, applies and patches them, and counts what it
//! is asked; and the admin port of pods that serve what is published.

mod api;
mod pod;
mod rights;
mod serve;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Barrier, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use clap::Parser;
use compile::Published;
use delivery::{Index, Set, assemble};
use operator::settings::{Arguments, Command};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Collection, namespace and name.
pub type Key = (String, String, String);

/// What happens just before a status is written.
type Before = Box<dyn FnMut(&mut State, &Key) + Send>;

/// What the API server keeps.
#[derive(Default)]
pub struct State {
    pub version: u64,
    pub objects: BTreeMap<Key, Value>,
    /// Version, key, type and object of each event.
    pub log: Vec<(u64, Key, &'static str, Value)>,
    /// Requests that the operator may not make, or not so.
    pub faults: Vec<String>,
    /// The Kubernetes Events that were written.
    pub events: Vec<Value>,
    /// Method and path of each request.
    pub requests: Vec<(String, String)>,
    /// Operator and path of each write but those of leases and Events.
    pub writes: Vec<(String, String)>,
    /// How often each operator asked for a lease.
    pub looks: BTreeMap<String, usize>,
    /// The operator that cannot get at leases.
    pub hindered: Option<String>,
    /// Patches of paths that end like this wait until this is another, and fail then.
    pub held: Option<String>,
    /// Writes of paths that end like this are answered with this code.
    pub failing: Option<(String, u16)>,
    /// Writes of paths that end like this are done, but the answer is lost.
    pub unanswered: Option<String>,
    /// When either was done.
    pub tries: Vec<Instant>,
    /// Reads of these paths that fail: `GET` or `WATCH`, path, code, and how many times yet.
    pub failing_reads: Vec<(&'static str, &'static str, u16, usize)>,
    /// Namespaces in which nothing is allowed.
    pub denied: Vec<String>,
    /// Watches of an earlier number end.
    pub cuts: u64,
    /// Watches do not tell of objects of this plural.
    pub withheld: Option<String>,
    /// Lists of this plural break off in the middle, so many times, and watches of it are told that they come too late.
    pub torn_lists: (String, usize),
    pub before_status: Option<Before>,
    /// Names of objects, with the generation that pods have something against.
    pub refused: BTreeMap<String, i64>,
    /// The name of an object that pods have something against while the engine's Secret has this value.
    pub refused_while: Option<(String, String)>,
    /// The name of an object that pods serve, though they say that something in it does not fit.
    pub questioned: Option<String>,
    /// Names of Tables that cannot both be served: pods leave out the younger one, by the table of objects.
    pub clash: Vec<String>,
    /// Pods do not answer.
    pub mute: bool,
    /// How often a pod did not tell what it serves.
    pub silences: usize,
    /// So many times a pod does not give the table of the objects that it serves.
    pub tables_to_fail: usize,
    /// How often that was asked for.
    pub tables_asked: usize,
    /// A pod that goes on with a set, by its address, whatever is published.
    pub lagging: Option<(IpAddr, Index)>,
    /// Pods have accepted a set with this counter, whatever is published.
    pub ahead: Option<u64>,
    /// The address of a pod that knows no database.
    pub stranger: Option<IpAddr>,
    /// The pods that were asked to check something, in order.
    pub checked: Vec<IpAddr>,
    /// Every generation of every object that was published, in order.
    pub published: Vec<BTreeMap<String, i64>>,
}

/// The cluster.
pub struct Cluster {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
    server: SocketAddr,
    pods: SocketAddr,
    _runtime: Runtime,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let faults = std::mem::take(&mut lock(&self.state).faults);
        assert!(faults.is_empty() || std::thread::panicking(), "{faults:#?}");
    }
}

/// An operator; ended when this is dropped.
pub struct Operator {
    runtime: Option<Runtime>,
}

/// How many threads an operator has.
const THREADS: usize = 2;

impl Operator {
    /// Stops it as it stands, until what this gives is dropped.
    pub fn pause(&self) -> mpsc::Sender<()> {
        let (resume, resumed) = mpsc::channel();
        let resumed = Arc::new(Mutex::new(resumed));
        let stopped = Arc::new(Barrier::new(THREADS + 1));
        for _ in 0..THREADS {
            let (resumed, stopped) = (Arc::clone(&resumed), Arc::clone(&stopped));
            let runtime = self.runtime.as_ref().expect("it runs");
            runtime.spawn(async move {
                stopped.wait();
                let resumed = resumed.lock().unwrap_or_else(PoisonError::into_inner);
                let _: Result<(), _> = resumed.recv();
            });
        }
        stopped.wait();
        resume
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

pub fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn plural(kind: &str) -> String {
    match crd::Kind::named(kind) {
        Some(kind) => format!("/apis/{}/{}", crd::API_VERSION, kind.plural()),
        None => format!("/api/v1/{}s", kind.to_lowercase()),
    }
}

pub fn key(kind: &str, namespace: &str, name: &str) -> Key {
    (plural(kind), namespace.to_owned(), name.to_owned())
}

impl State {
    /// Keeps an object as the API server would: with a uid, a version, and a generation that grows with its spec.
    pub fn put(&mut self, key: &Key, mut object: Value) -> Value {
        let before = self.objects.get(key).cloned();
        let old = |pointer: &str| {
            before
                .as_ref()
                .and_then(|before| before.pointer(pointer))
                .cloned()
        };
        let next = self.version + 1;
        let meta = json!({
            "name": key.2, "namespace": key.1,
            "uid": old("/metadata/uid").unwrap_or_else(|| format!("uid-{next}").into()),
            "creationTimestamp": old("/metadata/creationTimestamp")
                .or_else(|| object.pointer("/metadata/creationTimestamp").cloned())
                .unwrap_or_else(|| "2026-01-01T00:00:00Z".into()),
            "resourceVersion": old("/metadata/resourceVersion").unwrap_or(Value::Null),
        });
        let same_spec = before
            .as_ref()
            .is_some_and(|before| before.get("spec") == object.get("spec"));
        let generation = old("/metadata/generation")
            .and_then(|old| old.as_i64())
            .unwrap_or(0);
        let generation = generation + i64::from(!same_spec);
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        for (field, value) in meta.as_object().expect("an object") {
            object["metadata"][field] = value.clone();
        }
        if object.get("spec").is_some() {
            object["metadata"]["generation"] = generation.into();
        }
        if let (None, Some(status)) = (object.get("status"), old("/status")) {
            object["status"] = status;
        }
        if before.as_ref() == Some(&object) {
            return object;
        }
        self.version = next;
        object["metadata"]["resourceVersion"] = next.to_string().into();
        let event = if before.is_some() { "MODIFIED" } else { "ADDED" };
        self.objects.insert(key.clone(), object.clone());
        self.log.push((next, key.clone(), event, object.clone()));
        self.note_publication(key);
        object
    }

    pub fn remove(&mut self, key: &Key) -> Option<Value> {
        let mut object = self.objects.remove(key)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.log
            .push((self.version, key.clone(), "DELETED", object.clone()));
        Some(object)
    }

    /// What an engine has published.
    pub fn set(&self, namespace: &str, engine: &str) -> Option<(Index, Set)> {
        let index = self
            .objects
            .get(&key("ConfigMap", namespace, &format!("{engine}-metadata")))?;
        let data: BTreeMap<String, String> = serde_json::from_value(index["data"].clone()).ok()?;
        let index = Index::read(&data).ok()?;
        let set = assemble(&index, &data, &[]).ok()?;
        Some((index, set))
    }

    /// The generation of each object that an engine has published, by name.
    pub fn generations(&self, namespace: &str, engine: &str) -> BTreeMap<String, i64> {
        let Some((_, set)) = self.set(namespace, engine) else {
            return BTreeMap::new();
        };
        let entries: Vec<Value> = serde_json::from_str(&set.objects).expect("a table");
        let entries = entries.iter().filter_map(Published::from_json);
        entries
            .map(|entry| (entry.object.name, entry.observed_generation))
            .collect()
    }

    fn note_publication(&mut self, key: &Key) {
        if let Some(engine) = key.2.strip_suffix("-metadata") {
            let generations = self.generations(&key.1, engine);
            self.published.push(generations);
        }
    }
}

impl Cluster {
    /// Empty.
    pub fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let state = Arc::new(Mutex::new(State::default()));
        let (changed, _) = watch::channel(0);
        let server = runtime.block_on(api::serve(Arc::clone(&state), changed.clone()));
        let pods = runtime.block_on(pod::serve(Arc::clone(&state), changed.subscribe()));
        Self {
            state,
            changed,
            server,
            pods,
            _runtime: runtime,
        }
    }

    /// An operator with arguments of its own.
    pub fn operator(&self, arguments: &[&str]) -> Operator {
        self.operator_named("a", arguments)
    }

    /// The same, by the name that it has in the lease.
    pub fn operator_named(&self, name: &str, arguments: &[&str]) -> Operator {
        let port = self.pods.port().to_string();
        let mut all = vec![
            "rowlock-operator",
            "run",
            "--own-namespace",
            "system",
            "--listen",
            "127.0.0.1:0",
            "--log-level",
            "error",
            "--identity",
            name,
            "--lease-seconds",
            "3",
            "--engine-admin-port",
            &port,
        ];
        all.extend(arguments);
        let Command::Run(settings) = Arguments::try_parse_from(all).expect("a command line").command else {
            panic!("another command");
        };
        let address = format!("http://{}", self.server).parse().expect("an address");
        let mut config = operator::retry::heard(kube::Config::new(address));
        let name = name.parse().expect("a header");
        config
            .headers
            .push((http::HeaderName::from_static("x-operator"), name));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.spawn(operator::run::run_with(*settings, config));
        Operator {
            runtime: Some(runtime),
        }
    }

    /// Changes anything.
    pub fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let outcome = change(&mut lock(&self.state));
        self.changed.send_modify(|version| *version += 1);
        outcome
    }

    /// Writes an object of ours, as `kubectl apply` does.
    pub fn apply(&self, kind: &str, namespace: &str, name: &str, spec: &Value) {
        let object = json!({"apiVersion": crd::API_VERSION, "kind": kind, "metadata": {}, "spec": spec});
        self.with(|state| state.put(&key(kind, namespace, name), object));
    }

    /// One engine with an admin secret, a source, and a table of it.
    pub fn engine(&self, namespace: &str) {
        let secret = json!({"data": {"admin": "c2VjcmV0"}});
        self.with(|state| state.put(&key("Secret", namespace, "keys"), secret));
        let auth = json!({"adminSecretFrom": {"secretKeyRef": {"name": "keys", "key": "admin"}}});
        self.apply("Engine", namespace, "e", &json!({"auth": auth, "replicas": 1}));
        self.apply(
            "Source",
            namespace,
            "s",
            &json!({"name": "s", "connection": {"url": "postgres://x/y"}}),
        );
        self.table(namespace, "t");
    }

    pub fn table(&self, namespace: &str, name: &str) {
        let spec = json!({"sourceRef": {"name": "s"}, "table": {"name": name}});
        self.apply("Table", namespace, name, &spec);
    }

    /// A permission on table `t`.
    pub fn permission(&self, namespace: &str, name: &str, columns: &[&str]) {
        let spec =
            json!({"tableRef": {"name": "t"}, "role": name, "select": {"columns": columns, "filter": {}}});
        self.apply("Permission", namespace, name, &spec);
    }

    /// A pod of engine `e`; ready or not.
    pub fn pod(&self, namespace: &str, name: &str, ready: bool) {
        self.pod_at(namespace, name, ready, self.pods.ip());
    }

    /// The same, at another address of this machine.
    pub fn pod_at(&self, namespace: &str, name: &str, ready: bool, address: IpAddr) {
        let status = if ready { "True" } else { "False" };
        let pod = json!({
            "metadata": {"labels": {"rowlock.dev/engine": "e", "app.kubernetes.io/managed-by": "rowlock-operator"}},
            "spec": {},
            "status": {
                "podIP": address.to_string(),
                "conditions": [{"type": "Ready", "status": status}, {"type": "PodScheduled", "status": "True"}],
            },
        });
        self.with(|state| state.put(&key("Pod", namespace, name), pod));
    }

    /// Waits until something is so.
    pub fn until(&self, what: &str, mut holds: impl FnMut(&mut State) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !self.with(&mut holds) {
            assert!(
                Instant::now() < end,
                "not within {PATIENCE:?}: {what}\n{}",
                self.story()
            );
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Waits for a while in which an operator that is at rest does nothing but renew its lease.
    pub fn rest(&self) {
        let looks = self.with(|state| state.looks["a"]);
        // Every 750 ms by two requests.
        self.until("the lease was renewed a few times", |state| {
            state.looks["a"] >= looks + 8
        });
    }

    /// The condition of an object for engine `e`, as `True Reason: message`.
    pub fn condition(&self, kind: &str, namespace: &str, name: &str, condition: &str) -> String {
        self.with(|state| condition_of(state, &key(kind, namespace, name), condition))
    }

    /// For whoever reads a failure.
    fn story(&self) -> String {
        let state = lock(&self.state);
        let custom = state
            .objects
            .iter()
            .filter(|(key, _)| key.0.contains("rowlock.dev"));
        let statuses = custom.map(|(key, object)| {
            format!(
                "{} {}/{}: {}",
                key.0, key.1, key.2, object["status"]["conditions"]
            )
        });
        let mut lines: Vec<String> = statuses.collect();
        lines.push(format!("published: {:?}", state.published.last()));
        lines.push(format!(
            "last requests: {:?}",
            state.requests.iter().rev().take(10).collect::<Vec<_>>()
        ));
        lines.join("\n")
    }
}

/// The same, of a state that is at hand.
pub fn condition_of(state: &State, key: &Key, condition: &str) -> String {
    let nothing = Value::Null;
    let status = state
        .objects
        .get(key)
        .map_or(&nothing, |object| &object["status"]);
    let all = [&status["conditions"], &status["engines"][0]["conditions"]];
    let mut all = all.into_iter().filter_map(Value::as_array).flatten();
    let found = all.find(|one| one["type"] == condition);
    let text = |found: &Value, field: &str| found[field].as_str().unwrap_or_default().to_owned();
    found
        .map(|found| {
            format!(
                "{} {}: {}",
                text(found, "status"),
                text(found, "reason"),
                text(found, "message")
            )
        })
        .unwrap_or_default()
}
