//! Labels of namespaces: watched, or, with rights on single namespaces alone, read one by one. Either way everything is
//! read only when they are known: engines that select by them would lose the objects of the other namespaces.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use kube::api::ListParams;
use kube::runtime::watcher::{Config, Event as Watched};

use super::{MOST_OF_ALL, Tables, Unread, Watching, full};
use crate::observe::{Event, chain};
use crate::resource::{Metadata, Native};
use crate::retry;
use crate::signal::Reasons;
use crate::supervise::Tasks;

/// How often labels are read that cannot be watched.
const AGAIN: Duration = Duration::from_secs(30);

/// Starts to follow labels of namespaces; `named`: of these alone.
pub fn start(client: &Client, tables: &Tables, tasks: &Tasks, named: Vec<String>, unread: &Arc<Unread>) {
    let watching = Watching::new(tables, Native::Namespace.as_str(), None, unread);
    let namespaces = Native::Namespace.metadata(client, None);
    tasks.spawn(watching.name(), follow(watching, namespaces, named));
}

/// `named`: the namespaces that matter; none: all.
async fn follow(mut watching: Watching, namespaces: Metadata, named: Vec<String>) {
    if named.is_empty() || watching.may_list(&namespaces).await {
        watch(watching, namespaces, named.into_iter().collect()).await;
        return;
    }
    let mut left = watching.read(&namespaces, &named).await;
    while !left.is_empty() {
        watching.rest().await;
        left = watching.read(&namespaces, &left).await;
    }
    watching.is_read();
    loop {
        tokio::time::sleep(AGAIN).await;
        // What is known of those that are left stays.
        if watching.read(&namespaces, &named).await.is_empty() {
            watching.is_read();
        }
    }
}

async fn watch(mut watching: Watching, namespaces: Metadata, named: BTreeSet<String>) {
    let tables = watching.tables.clone();
    loop {
        let mut stream = pin!(full(namespaces.clone(), Config::default()));
        let mut seen = BTreeSet::new();
        while let Some(event) = watching.next(&mut stream).await {
            match event {
                Watched::Init => seen.clear(),
                Watched::InitApply(namespace) | Watched::Apply(namespace) => {
                    let name = namespace.metadata.name.unwrap_or_default();
                    if named.is_empty() || named.contains(&name) {
                        tables.namespace(&name, Some(namespace.metadata.labels.unwrap_or_default()));
                    }
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
                    watching.is_read();
                }
            }
        }
    }
}

impl Watching {
    /// Whether labels can be watched, although only some matter: that takes a right on all namespaces. An API server
    /// that is away says nothing of rights.
    async fn may_list(&mut self, namespaces: &Metadata) -> bool {
        let one = ListParams::default().limit(1);
        loop {
            match namespaces.list_metadata(&one).await {
                Ok(_) => return true,
                Err(error) if retry::code(&error) == 403 => return false,
                Err(error) => self.unanswered(None, &error),
            }
            self.rest().await;
        }
    }

    /// Reads labels one by one; where that is not allowed, only the name is known. Gives the names of which the API
    /// server told neither.
    async fn read(&mut self, namespaces: &Metadata, names: &[String]) -> Vec<String> {
        let mut left = Vec::new();
        for name in names {
            let labels = match namespaces.get_metadata_opt(name).await {
                Ok(Some(namespace)) => namespace.metadata.labels.unwrap_or_default(),
                Ok(None) => BTreeMap::new(),
                Err(error) if retry::code(&error) == 403 => {
                    BTreeMap::from([("kubernetes.io/metadata.name".to_owned(), name.clone())])
                }
                Err(error) => {
                    self.unanswered(Some(name), &error);
                    left.push(name.clone());
                    continue;
                }
            };
            self.tables.namespace(name, Some(labels));
        }
        left
    }

    fn unanswered(&mut self, namespace: Option<&str>, error: &kube::Error) {
        self.tables.observer.emit(&Event::WatchFailed {
            kind: self.kind,
            namespace,
            message: chain(error),
            again: self.attempts.failed(Instant::now()),
        });
    }

    /// Nothing works before everything was read.
    async fn rest(&mut self) {
        tokio::time::sleep(self.attempts.pause().min(MOST_OF_ALL)).await;
    }
}

impl Tables {
    /// The labels of a namespace are known anew; nothing: it is gone.
    fn namespace(&self, name: &str, labels: Option<BTreeMap<String, String>>) {
        let engines = self.world.set_namespace(name, labels);
        if engines.is_empty() {
            return;
        }
        self.raise(&engines, Reasons::OBJECTS);
        self.reporter.look_at(self.world.keys());
    }
}
