//! Watches: of custom resources and namespaces into the world, of children and pods into their tables. A watch that
//! fails begins again after a pause; what it missed is found by listing again.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;

use compile::ObjectKey;
use crd::Kind;
use futures_util::{Stream, StreamExt};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event as Watched};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::children::Children;
use crate::observe::{Event, Observer, chain};
use crate::pod::Pods;
use crate::report::Reporter;
use crate::resource::{Metadata, Native, Resource, api, custom};
use crate::retry::WatchPauses;
use crate::signal::{Reasons, Signals};
use crate::world::{Change, World};

/// Objects of a page of the first list.
const PAGE: u32 = 250;

/// Where watches put what they see.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Custom resources.
    pub world: Arc<World>,
    /// What was made for engines.
    pub children: Arc<Children>,
    /// Pods of engines.
    pub pods: Arc<Pods>,
    /// Signals of engines.
    pub signals: Arc<Signals>,
    /// Statuses.
    pub reporter: Arc<Reporter>,
    /// Events.
    pub observer: Observer,
}

/// How many watches have not read everything once.
#[derive(Debug)]
pub struct Unread {
    left: watch::Sender<usize>,
}

impl Unread {
    /// None yet.
    pub fn new() -> (Arc<Self>, watch::Receiver<usize>) {
        let (left, receiver) = watch::channel(0);
        (Arc::new(Self { left }), receiver)
    }

    fn begin(self: &Arc<Self>) -> Reading {
        self.left.send_modify(|left| *left += 1);
        Reading(Some(Arc::clone(self)))
    }
}

/// One watch that has not read everything yet.
#[derive(Debug)]
pub struct Reading(Option<Arc<Unread>>);

impl Reading {
    fn done(&mut self) {
        if let Some(unread) = self.0.take() {
            unread.left.send_modify(|left| *left = left.saturating_sub(1));
        }
    }
}

/// Starts all watches of a namespace, or of all.
pub fn start(client: &Client, tables: &Tables, namespace: Option<&str>, unread: &Arc<Unread>) {
    for &kind in Kind::ALL {
        let objects = api(client, namespace, &custom(kind));
        tokio::spawn(follow_kind(
            tables.clone(),
            kind,
            objects,
            namespace.map(str::to_owned),
            unread.begin(),
        ));
    }
    for kind in Native::CHILDREN {
        let config = Config::default().labels(crate::render::SELECTOR);
        let place = namespace.map(str::to_owned);
        // Of Deployments the status matters too.
        if kind == Native::Deployment {
            let stream = full(kind.api(client, namespace), config);
            tokio::spawn(follow_children(
                tables.clone(),
                kind,
                stream,
                place,
                unread.begin(),
            ));
        } else {
            let stream = full(kind.metadata(client, namespace), config).map(|event| event.map(as_resource));
            tokio::spawn(follow_children(
                tables.clone(),
                kind,
                stream,
                place,
                unread.begin(),
            ));
        }
    }
    let pods = Native::Pod.api(client, namespace);
    tokio::spawn(follow_pods(
        tables.clone(),
        pods,
        namespace.map(str::to_owned),
        unread.begin(),
    ));
    if namespace.is_none() {
        let namespaces = Native::Namespace.metadata(client, None);
        tokio::spawn(follow_namespaces(tables.clone(), namespaces, unread.begin()));
    }
}

/// The next event; failures are told and passed over.
async fn next<K>(
    stream: &mut (impl Stream<Item = watcher::Result<Watched<K>>> + Unpin),
    observer: &Observer,
    kind: &str,
    namespace: Option<&str>,
) -> Option<Watched<K>> {
    loop {
        match stream.next().await? {
            Ok(event) => return Some(event),
            Err(error) => {
                let message = chain(&error);
                observer.emit(&Event::WatchFailed {
                    kind,
                    namespace,
                    message,
                });
            }
        }
    }
}

fn full<K>(objects: Api<K>, config: Config) -> impl Stream<Item = watcher::Result<Watched<K>>> + Send
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher::watcher(objects, config.page_size(PAGE)).backoff(WatchPauses::default())
}

async fn follow_kind(
    tables: Tables,
    kind: Kind,
    objects: Api<Resource>,
    namespace: Option<String>,
    mut reading: Reading,
) {
    let mut room = tables.world.room();
    loop {
        let mut stream = pin!(full(objects.clone(), Config::default()));
        let mut seen = BTreeSet::new();
        loop {
            let event = tokio::select! {
                event = next(&mut stream, &tables.observer, kind.as_str(), namespace.as_deref()) => event,
                changed = room.changed() => {
                    // What was left out is only seen by listing again.
                    if changed.is_ok() && tables.world.left_out(kind, namespace.as_deref()) {
                        break;
                    }
                    continue;
                }
            };
            let Some(event) = event else {
                return;
            };
            if tables.take(kind, namespace.as_deref(), event, &mut seen) {
                reading.done();
            }
        }
    }
}

fn key(kind: Kind, resource: &Resource) -> Option<ObjectKey> {
    Some(ObjectKey {
        kind,
        namespace: resource.metadata.namespace.clone()?,
        name: resource.metadata.name.clone()?,
    })
}

impl Tables {
    /// Takes an event; gives whether everything was read now.
    fn take(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        event: Watched<Resource>,
        seen: &mut BTreeSet<ObjectKey>,
    ) -> bool {
        match event {
            Watched::Init => seen.clear(),
            Watched::InitApply(resource) => {
                seen.extend(key(kind, &resource));
                self.applied(kind, resource);
            }
            Watched::Apply(resource) => self.applied(kind, resource),
            Watched::Delete(resource) => {
                if let Some(key) = key(kind, &resource) {
                    self.alter(&key, |world| world.remove(&key));
                }
            }
            Watched::InitDone => {
                for key in self.world.others(kind, namespace, seen) {
                    self.alter(&key, |world| world.remove(&key));
                }
                seen.clear();
                return true;
            }
        }
        false
    }

    fn applied(&self, kind: Kind, resource: Resource) {
        if let Some(key) = key(kind, &resource) {
            self.alter(&key, |world| world.apply(kind, resource));
        }
    }

    fn alter(&self, key: &ObjectKey, alter: impl FnOnce(&World) -> Change) {
        let overflowed = self.world.overflows();
        let change = alter(&self.world);
        match (overflowed, self.world.overflows()) {
            (false, true) => self.observer.emit(&Event::TooManyObjects {
                most: self.world.len(),
            }),
            (true, false) => {
                for engine in self.world.engines() {
                    self.signals.raise(&engine.key, Reasons::ALL);
                }
            }
            _ => {}
        }
        self.changed(key, &change);
    }

    /// Tells engines and statuses of a change.
    fn changed(&self, key: &ObjectKey, change: &Change) {
        self.observer.metrics.set_objects(self.world.len());
        if change.object {
            let forms: Vec<_> = change.before.iter().chain(&change.after).collect();
            for engine in self.world.engines_of(&forms) {
                self.signals.raise(&engine, Reasons::OBJECTS);
            }
            if key.kind == Kind::Engine {
                self.signals.roster.notify_one();
                self.signals.raise(key, Reasons::OBJECTS);
            }
            // What is selected, or may be served, can be another.
            if matches!(key.kind, Kind::Engine | Kind::ReferenceGrant) {
                self.reporter.look_at(self.world.keys());
            }
        }
        if change.object || change.status {
            self.reporter.look_at([key.clone()]);
        }
    }
}

async fn follow_children(
    tables: Tables,
    kind: Native,
    stream: impl Stream<Item = watcher::Result<Watched<Resource>>> + Send,
    namespace: Option<String>,
    mut reading: Reading,
) {
    let mut stream = pin!(stream);
    let mut seen = BTreeSet::new();
    while let Some(event) = next(&mut stream, &tables.observer, kind.as_str(), namespace.as_deref()).await {
        match event {
            Watched::Init => seen.clear(),
            Watched::InitApply(resource) => {
                seen.extend(resource.metadata.uid.clone());
                tables.child(tables.children.seen(kind, &resource));
            }
            Watched::Apply(resource) => tables.child(tables.children.seen(kind, &resource)),
            Watched::Delete(resource) => tables.child(tables.children.gone(kind, &resource)),
            Watched::InitDone => {
                for engine in tables.children.keep(kind, namespace.as_deref(), &seen) {
                    tables.child(Some(engine));
                }
                seen.clear();
                reading.done();
            }
        }
    }
}

/// An event of metadata, as if it were one of whole objects.
fn as_resource(event: Watched<PartialObjectMeta<Resource>>) -> Watched<Resource> {
    let convert = |partial: PartialObjectMeta<Resource>| Resource {
        metadata: partial.metadata,
        ..Resource::default()
    };
    match event {
        Watched::Apply(partial) => Watched::Apply(convert(partial)),
        Watched::Delete(partial) => Watched::Delete(convert(partial)),
        Watched::InitApply(partial) => Watched::InitApply(convert(partial)),
        Watched::Init => Watched::Init,
        Watched::InitDone => Watched::InitDone,
    }
}

impl Tables {
    fn child(&self, engine: Option<ObjectKey>) {
        if let Some(engine) = engine {
            self.signals.raise(&engine, Reasons::CHILDREN);
        }
    }

    fn pod(&self, engine: Option<ObjectKey>) {
        if let Some(engine) = engine {
            self.signals.raise(&engine, Reasons::PODS);
        }
    }
}

async fn follow_pods(
    tables: Tables,
    objects: Api<Resource>,
    namespace: Option<String>,
    mut reading: Reading,
) {
    let config = Config::default().labels(crate::render::SELECTOR);
    let mut stream = pin!(full(objects, config));
    let mut seen = BTreeSet::new();
    while let Some(event) = next(&mut stream, &tables.observer, "Pod", namespace.as_deref()).await {
        match event {
            Watched::Init => seen.clear(),
            Watched::InitApply(pod) => {
                seen.extend(pod.metadata.uid.clone());
                tables.pod(tables.pods.seen(&pod));
            }
            Watched::Apply(pod) => tables.pod(tables.pods.seen(&pod)),
            Watched::Delete(pod) => tables.pod(tables.pods.gone(&pod)),
            Watched::InitDone => {
                for engine in tables.pods.keep(namespace.as_deref(), &seen) {
                    tables.pod(Some(engine));
                }
                seen.clear();
                reading.done();
            }
        }
    }
}

async fn follow_namespaces(tables: Tables, objects: Metadata, mut reading: Reading) {
    let mut stream = pin!(full(objects, Config::default()));
    let mut seen = BTreeSet::new();
    while let Some(event) = next(&mut stream, &tables.observer, "Namespace", None).await {
        match event {
            Watched::Init => seen.clear(),
            Watched::InitApply(namespace) | Watched::Apply(namespace) => {
                let name = namespace.metadata.name.unwrap_or_default();
                tables.namespace(&name, Some(namespace.metadata.labels.unwrap_or_default()));
                seen.insert(name);
            }
            Watched::Delete(namespace) => {
                tables.namespace(&namespace.metadata.name.unwrap_or_default(), None);
            }
            Watched::InitDone => {
                for name in tables.world.other_namespaces(&seen) {
                    tables.namespace(&name, None);
                }
                seen.clear();
                reading.done();
            }
        }
    }
}

impl Tables {
    /// The labels of a namespace are known anew.
    pub fn namespace(&self, name: &str, labels: Option<std::collections::BTreeMap<String, String>>) {
        let engines = self.world.set_namespace(name, labels);
        if engines.is_empty() {
            return;
        }
        for engine in engines {
            self.signals.raise(&engine, Reasons::OBJECTS);
        }
        self.reporter.look_at(self.world.keys());
    }
}
