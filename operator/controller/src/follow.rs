//! Follows what each ready pod of an engine serves: one long poll per pod.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::ObjectKey;
use delivery::Report;
use tokio::task::JoinHandle;

use crate::deliver::{Served, Table, table};
use crate::observe::{Event, Observer, chain};
use crate::pod::Pod;
use crate::probe::Probe;
use crate::retry::Pauses;
use crate::signal::{Reasons, Signal};

/// How long a pod holds a poll open.
const WAIT: Duration = Duration::from_secs(30);
/// The longest pause after a failed poll.
const MOST_PAUSE: Duration = Duration::from_secs(3);
/// Tables that are remembered: of the sets that pods serve during a switch, and the one after.
const TABLES: usize = 4;

#[derive(Debug, Default)]
struct Known {
    pods: HashMap<String, (Arc<Report>, Option<Arc<Table>>)>,
    /// By hash, the latest last.
    tables: Vec<(String, Arc<Table>)>,
}

/// What the pods of one engine say.
#[derive(Debug)]
pub struct Followers {
    probe: Probe,
    engine: ObjectKey,
    observer: Observer,
    signal: Arc<Signal>,
    known: Arc<Mutex<Known>>,
    tasks: HashMap<String, JoinHandle<()>>,
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Followers {
    /// None yet.
    pub fn new(probe: Probe, engine: ObjectKey, observer: Observer, signal: Arc<Signal>) -> Self {
        Self {
            probe,
            engine,
            observer,
            signal,
            known: Arc::default(),
            tasks: HashMap::new(),
        }
    }

    /// Follows exactly these pods from now on.
    pub fn follow(&mut self, pods: &[Pod], token: &str) {
        let wanted: BTreeMap<&str, (&Pod, IpAddr)> = pods
            .iter()
            .filter_map(|pod| Some((pod.uid.as_str(), (pod, pod.address.filter(|_| pod.ready)?))))
            .collect();
        let known = &self.known;
        self.tasks.retain(|uid, task| {
            let stays = wanted.contains_key(uid.as_str());
            if !stays {
                task.abort();
                lock(known).pods.remove(uid);
            }
            stays
        });
        for (uid, (pod, address)) in wanted {
            if self.tasks.contains_key(uid) {
                continue;
            }
            let follow = Follow {
                probe: self.probe.clone(),
                engine: self.engine.clone(),
                observer: self.observer.clone(),
                signal: Arc::clone(&self.signal),
                known: Arc::clone(&self.known),
                uid: uid.to_owned(),
                pod: pod.name.clone(),
                address,
                token: token.to_owned(),
            };
            self.tasks.insert(uid.to_owned(), tokio::spawn(follow.run()));
        }
    }

    /// What ready pods say.
    pub fn served(&self, pods: &[Pod]) -> Vec<Served> {
        let known = lock(&self.known);
        let ready = pods.iter().filter(|pod| pod.ready);
        ready
            .map(|pod| {
                let found = known.pods.get(&pod.uid);
                Served {
                    pod: pod.name.clone(),
                    report: found.map(|(report, _)| Arc::clone(report)),
                    table: found.and_then(|(_, table)| table.clone()),
                }
            })
            .collect()
    }

    /// A table that need not be asked for.
    pub fn remember(&self, hash: &str, table: Table) {
        lock(&self.known).remember(hash, Arc::new(table));
    }

    /// The highest counter that a pod has accepted; 0: none has.
    pub fn counter(&self) -> u64 {
        let known = lock(&self.known);
        let counters = known.pods.values().filter_map(|(report, _)| report.counter);
        counters.max().unwrap_or_default()
    }

    /// The fingerprints of the databases, as pods report them.
    pub fn fingerprints(&self) -> String {
        let known = lock(&self.known);
        let mut all: Vec<String> = known
            .pods
            .values()
            .flat_map(|(report, _)| fingerprints(report))
            .collect();
        all.sort();
        all.dedup();
        all.join(" ")
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.abort();
        }
    }
}

fn fingerprints(report: &Report) -> Vec<String> {
    let sources = report.sources.iter();
    sources
        .map(|source| {
            format!(
                "{}={}",
                source.name,
                source.fingerprint.as_deref().unwrap_or_default()
            )
        })
        .collect()
}

impl Known {
    fn remember(&mut self, hash: &str, table: Arc<Table>) {
        self.tables.retain(|(known, _)| known != hash);
        self.tables.push((hash.to_owned(), table));
        if self.tables.len() > TABLES {
            self.tables.remove(0);
        }
    }

    fn table(&self, hash: &str) -> Option<Arc<Table>> {
        let found = self.tables.iter().find(|(known, _)| known == hash);
        found.map(|(_, table)| Arc::clone(table))
    }
}

struct Follow {
    probe: Probe,
    engine: ObjectKey,
    observer: Observer,
    signal: Arc<Signal>,
    known: Arc<Mutex<Known>>,
    uid: String,
    pod: String,
    address: IpAddr,
    token: String,
}

impl Follow {
    async fn run(self) {
        let mut pauses = Pauses::default();
        let mut before: Option<Arc<Report>> = None;
        let mut told = false;
        loop {
            let asked = Instant::now();
            let after = before.as_ref().map(|report| report.revision.clone());
            match self
                .probe
                .report(self.address, &self.token, after.as_deref(), WAIT)
                .await
            {
                Ok(report) => {
                    told = false;
                    pauses.reset();
                    if after.as_ref() == Some(&report.revision) {
                        // A pod that does not hold the poll open is not asked all the time.
                        if asked.elapsed() < Duration::from_secs(1) {
                            tokio::time::sleep(Duration::from_secs(1)).await;
                        }
                        continue;
                    }
                    let report = Arc::new(report);
                    self.take(&report, before.as_deref()).await;
                    before = Some(report);
                }
                Err(error) => {
                    before = None;
                    let known = lock(&self.known).pods.remove(&self.uid).is_some();
                    if known {
                        self.signal.raise(Reasons::PODS);
                    }
                    if !told {
                        told = true;
                        self.failed(&error);
                    }
                    tokio::time::sleep(pauses.pause().min(MOST_PAUSE)).await;
                }
            }
        }
    }

    async fn take(&self, report: &Arc<Report>, before: Option<&Report>) {
        let found = lock(&self.known).table(&report.objects);
        let table = match found {
            Some(table) => Some(table),
            None if report.objects.is_empty() => Some(Arc::default()),
            None => match self.probe.objects(self.address, &self.token).await {
                Ok(entries) => {
                    // It may be of a later set than the report's; then another report follows at once.
                    let made = Arc::new(table(entries));
                    lock(&self.known).remember(&report.objects, Arc::clone(&made));
                    Some(made)
                }
                Err(error) => {
                    self.failed(&error);
                    None
                }
            },
        };
        lock(&self.known)
            .pods
            .insert(self.uid.clone(), (Arc::clone(report), table));
        let catalog = before.is_none_or(|before| fingerprints(before) != fingerprints(report));
        self.signal.raise(if catalog {
            Reasons::PODS.and(Reasons::CATALOG)
        } else {
            Reasons::PODS
        });
    }

    fn failed(&self, error: &crate::probe::Error) {
        self.observer.emit(&Event::PodFailed {
            engine: &self.engine,
            pod: &self.pod,
            message: chain(error),
        });
    }
}
