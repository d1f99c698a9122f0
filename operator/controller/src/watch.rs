//! Watches: of custom resources and namespaces into the world, of children and pods into their tables. A watch that
//! fails begins again after a pause; what it missed is found by listing again. One that is not allowed, in a namespace of
//! several, does not keep the others waiting.

pub mod namespace;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compile::ObjectKey;
use crd::Kind;
use futures_util::{Stream, StreamExt};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event as Watched};
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::attempt::Attempts;
use crate::children::Children;
use crate::observe::{Event, Observer, chain};
use crate::pod::Pods;
use crate::report::Reporter;
use crate::resource::{Native, Resource, api, custom};
use crate::retry::{self, WatchPauses};
use crate::signal::{Reasons, Signals};
use crate::supervise::Tasks;
use crate::world::{Change, World};

/// Objects of a page of the first list.
const PAGE: u32 = 250;
/// The longest pause of a watch that is not allowed, or of a kind that is not there. Nothing works before everything was
/// read where all namespaces are watched at once: there it is short.
const MOST_OF_ALL: Duration = Duration::from_secs(5);

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
    fn is_left(&self) -> bool {
        self.0.is_some()
    }

    fn done(&mut self) {
        if let Some(unread) = self.0.take() {
            unread.left.send_modify(|left| *left = left.saturating_sub(1));
        }
    }
}

/// One watch: what it is about, and how it stands.
struct Watching {
    tables: Tables,
    kind: &'static str,
    namespace: Option<String>,
    reading: Reading,
    attempts: Attempts,
    denied: bool,
}

impl Watching {
    fn new(tables: &Tables, kind: &'static str, namespace: Option<&str>, unread: &Arc<Unread>) -> Self {
        Self {
            tables: tables.clone(),
            kind,
            namespace: namespace.map(str::to_owned),
            reading: unread.begin(),
            attempts: Attempts::default(),
            denied: false,
        }
    }

    fn name(&self) -> String {
        match &self.namespace {
            None => format!("watching {}", self.kind),
            Some(namespace) => format!("watching {} in {namespace}", self.kind),
        }
    }

    /// The next event; failures are told, once in a row, and passed over. Nothing: it was not allowed, and is to be begun
    /// anew; one that only goes on would not tell when it is again.
    async fn next<K>(
        &mut self,
        stream: &mut (impl Stream<Item = watcher::Result<Watched<K>>> + Unpin),
    ) -> Option<Watched<K>> {
        loop {
            match stream.next().await? {
                Ok(event) => {
                    // Every attempt begins with the others.
                    if matches!(event, Watched::Apply(_) | Watched::Delete(_)) {
                        self.attempts.goes_on();
                    }
                    return Some(event);
                }
                Err(error) => {
                    if self.failed(&error).await {
                        return None;
                    }
                }
            }
        }
    }

    /// Everything was read.
    fn is_read(&mut self) {
        self.reading.done();
        self.attempts.is_read(Instant::now());
        if let (true, Some(namespace)) = (std::mem::take(&mut self.denied), &self.namespace) {
            self.tables.readable(self.kind, namespace);
        }
    }

    /// Tells; gives whether it was not allowed, after a pause.
    async fn failed(&mut self, error: &watcher::Error) -> bool {
        self.tables.observer.emit(&Event::WatchFailed {
            kind: self.kind,
            namespace: self.namespace.as_deref(),
            message: chain(error),
            again: self.attempts.failed(Instant::now()),
        });
        if !matches!(retry::code_of_watch(error), 401 | 403 | 404) {
            return false;
        }
        let pause = self.attempts.pause();
        let Some(namespace) = &self.namespace else {
            tokio::time::sleep(pause.min(MOST_OF_ALL)).await;
            return true;
        };
        self.denied = true;
        let unread = self.reading.is_left();
        self.tables.denied(self.kind, namespace, error, unread);
        self.reading.done();
        // Rights are given seldom.
        tokio::time::sleep(pause).await;
        true
    }
}

/// Starts all watches of a namespace, or of all.
pub fn start(client: &Client, tables: &Tables, tasks: &Tasks, namespace: Option<&str>, unread: &Arc<Unread>) {
    for &kind in Kind::ALL {
        let watching = Watching::new(tables, kind.as_str(), namespace, unread);
        let objects = api(client, namespace, &custom(kind));
        tasks.spawn(watching.name(), follow_kind(watching, kind, objects));
    }
    let config = Config::default().labels(crate::render::SELECTOR);
    for kind in Native::CHILDREN {
        let config = config.clone();
        let take = move |tables: &Tables, namespace: Option<&str>, sight: Sight<'_>| {
            tables.child(kind, namespace, sight);
        };
        let watching = Watching::new(tables, kind.as_str(), namespace, unread);
        // Of Deployments the status matters too.
        if kind == Native::Deployment {
            let objects = kind.api(client, namespace);
            let begin = move || full(objects.clone(), config.clone());
            tasks.spawn(watching.name(), follow_by_uid(watching, begin, take));
        } else {
            let objects = kind.metadata(client, namespace);
            let begin = move || full(objects.clone(), config.clone()).map(|event| event.map(as_resource));
            tasks.spawn(watching.name(), follow_by_uid(watching, begin, take));
        }
    }
    let pods = Native::Pod.api(client, namespace);
    let watching = Watching::new(tables, Native::Pod.as_str(), namespace, unread);
    let begin = move || full(pods.clone(), config.clone());
    tasks.spawn(watching.name(), follow_by_uid(watching, begin, Tables::pod));
}

fn full<K>(objects: Api<K>, config: Config) -> impl Stream<Item = watcher::Result<Watched<K>>> + Send
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher::watcher(objects, config.page_size(PAGE)).backoff(WatchPauses::default())
}

async fn follow_kind(mut watching: Watching, kind: Kind, objects: Api<Resource>) {
    let tables = watching.tables.clone();
    let namespace = watching.namespace.clone();
    let mut room = tables.world.room();
    loop {
        let mut stream = pin!(full(objects.clone(), Config::default()));
        let mut seen = BTreeSet::new();
        loop {
            let event = tokio::select! {
                event = watching.next(&mut stream) => event,
                changed = room.changed() => {
                    // What was left out is only seen by listing again.
                    if changed.is_ok() && tables.world.left_out(kind, namespace.as_deref()) {
                        break;
                    }
                    // That ended the pause of one that is to be begun anew.
                    if watching.denied {
                        break;
                    }
                    continue;
                }
            };
            let Some(event) = event else {
                break;
            };
            if tables.take(kind, namespace.as_deref(), event, &mut seen) {
                watching.is_read();
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
                if change.after.is_none() {
                    self.children.forget(key);
                }
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

/// What a watch tells of things that are told apart by uid.
#[derive(Clone, Copy)]
enum Sight<'s> {
    /// This one is there, in this form.
    There(&'s Resource),
    /// This one is gone.
    Gone(&'s Resource),
    /// These are all there are.
    All(&'s BTreeSet<String>),
}

/// `begin`: a watch from the start; `take`: what becomes of what it sees.
async fn follow_by_uid<S>(
    mut watching: Watching,
    begin: impl Fn() -> S + Send,
    take: impl Fn(&Tables, Option<&str>, Sight<'_>) + Send,
) where
    S: Stream<Item = watcher::Result<Watched<Resource>>> + Send,
{
    let tables = watching.tables.clone();
    let namespace = watching.namespace.clone();
    let take = |sight: Sight<'_>| take(&tables, namespace.as_deref(), sight);
    loop {
        let mut stream = pin!(begin());
        let mut seen = BTreeSet::new();
        while let Some(event) = watching.next(&mut stream).await {
            match event {
                Watched::Init => seen.clear(),
                Watched::InitApply(resource) => {
                    seen.extend(resource.metadata.uid.clone());
                    take(Sight::There(&resource));
                }
                Watched::Apply(resource) => take(Sight::There(&resource)),
                Watched::Delete(resource) => take(Sight::Gone(&resource)),
                Watched::InitDone => {
                    take(Sight::All(&seen));
                    seen.clear();
                    watching.is_read();
                }
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
    fn child(&self, kind: Native, namespace: Option<&str>, sight: Sight<'_>) {
        let is_there = |engine: &ObjectKey| self.world.get(engine).is_some();
        let engines = match sight {
            Sight::There(child) => Vec::from_iter(self.children.seen(kind, child)),
            Sight::Gone(child) => Vec::from_iter(self.children.gone(kind, child, is_there)),
            Sight::All(uids) => self.children.keep(kind, namespace, uids, is_there),
        };
        self.raise(&engines, Reasons::CHILDREN);
    }

    fn pod(&self, namespace: Option<&str>, sight: Sight<'_>) {
        let engines = match sight {
            Sight::There(pod) => Vec::from_iter(self.pods.seen(pod)),
            Sight::Gone(pod) => Vec::from_iter(self.pods.gone(pod)),
            Sight::All(uids) => Vec::from_iter(self.pods.keep(namespace, uids)),
        };
        self.raise(&engines, Reasons::PODS);
    }

    fn raise(&self, engines: &[ObjectKey], reasons: Reasons) {
        for engine in engines {
            self.signals.raise(engine, reasons);
        }
    }
}

impl Tables {
    /// A kind may not be read in a namespace: engines there say so.
    fn denied(&self, kind: &str, namespace: &str, error: &watcher::Error, unread: bool) {
        let (code, message) = (retry::code_of_watch(error), retry::message_of_watch(error));
        if self.world.denials.add(namespace, kind, code, &message, unread) {
            self.denials_changed(namespace);
        }
    }

    /// It may be read, and was.
    fn readable(&self, kind: &str, namespace: &str) {
        if !self.world.denials.remove(namespace, kind) {
            return;
        }
        self.denials_changed(namespace);
        if self.world.denials.of(namespace).is_none() {
            self.observer.emit(&Event::Readable { namespace });
            self.reporter.look_at(self.world.keys());
        }
    }

    fn denials_changed(&self, namespace: &str) {
        self.observer.metrics.set_denied(self.world.denials.len());
        for engine in self.world.engines() {
            // Others may be made of objects there.
            let own = engine.key.namespace == namespace;
            if own || compile::Selection::of(&engine).looks_at_namespaces() {
                self.signals.raise(&engine.key, Reasons::ALL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::children::ChildKey;
    use crate::observe::{Level, Metrics};
    use serde_json::json;

    fn resource(value: &serde_json::Value) -> Resource {
        serde_json::from_value(value.clone()).expect("a resource")
    }

    /// Nobody works for an engine where another instance leads.
    #[test]
    fn an_instance_that_waits_forgets_what_engines_left() {
        let tables = Tables {
            world: Arc::new(World::new(10)),
            children: Arc::default(),
            pods: Arc::default(),
            signals: Arc::default(),
            reporter: Arc::default(),
            observer: Observer::new(Level::Error, Metrics::new().expect("names differ")),
        };
        let engine = resource(&json!({"metadata": {"name": "e", "namespace": "n", "uid": "u"}, "spec": {}}));
        let child = |name: &str| {
            resource(&json!({"metadata": {
                "name": name, "namespace": "n", "uid": name, "labels": {crate::render::ENGINE_LABEL: "e"},
            }}))
        };
        let kind = Native::ConfigMap;
        let known = |name: &str| {
            tables.children.get(&ChildKey {
                kind,
                namespace: "n".to_owned(),
                name: name.to_owned(),
            })
        };
        let mut seen = BTreeSet::new();
        tables.take(Kind::Engine, None, Watched::Apply(engine.clone()), &mut seen);
        tables.child(kind, None, Sight::There(&child("before")));
        tables.child(kind, None, Sight::There(&child("after")));
        tables.child(kind, None, Sight::Gone(&child("before")));
        assert!(known("before").is_some_and(|child| child.gone));
        tables.take(Kind::Engine, None, Watched::Delete(engine), &mut seen);
        assert_eq!(known("before"), None);
        tables.child(kind, None, Sight::Gone(&child("after")));
        assert_eq!(known("after"), None);
    }
}
