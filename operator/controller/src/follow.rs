//! Follows what each pod of an engine serves: one long poll per pod.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::ObjectKey;
use delivery::{Report, is_plausible};
use tokio::task::JoinHandle;

use crate::deliver::{Served, Table, table};
use crate::observe::{Event, Observer, chain, unix_seconds};
use crate::pod::Pod;
use crate::probe::Probe;
use crate::retry::Pauses;
use crate::signal::{Reasons, Signal};
use crate::supervise::survived;

/// How long a pod holds a poll open.
const WAIT: Duration = Duration::from_secs(30);
/// The longest pause after a failed poll.
const MOST_PAUSE: Duration = Duration::from_secs(3);
/// How long what a pod said last counts while it does not answer, if the API server still calls it ready. A pod never takes
/// back what it accepted, so that one poll that fails says nothing of what is served.
const SILENCE: Duration = Duration::from_secs(10);
/// Tables that are remembered: of the sets that pods serve during a switch, and the one after.
const TABLES: usize = 4;

/// What a pod says.
#[derive(Debug)]
struct Said {
    report: Arc<Report>,
    table: Option<Arc<Table>>,
    /// Since when it does not answer any more.
    silent: Option<Instant>,
}

impl Said {
    fn now(report: Arc<Report>, table: Option<Arc<Table>>) -> Self {
        Self {
            report,
            table,
            silent: None,
        }
    }
}

/// What pods say, by uid.
type Reports = HashMap<String, Said>;

#[derive(Debug, Default)]
struct Known {
    pods: Reports,
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
    /// By uid.
    tasks: HashMap<String, Task>,
}

#[derive(Debug)]
struct Task {
    /// Where the pod is asked.
    address: IpAddr,
    /// Whether the pod was ready when it was begun.
    was_ready: bool,
    /// It panicked.
    failed: Arc<AtomicBool>,
    handle: JoinHandle<()>,
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

    /// Follows exactly these pods from now on; those that are not ready too: they may answer people nevertheless.
    pub fn follow(&mut self, pods: &[Pod], token: &str) {
        let wanted: BTreeMap<&str, (&Pod, IpAddr)> = pods
            .iter()
            .filter_map(|pod| Some((pod.uid.as_str(), (pod, pod.address.filter(|_| !pod.ending)?))))
            .collect();
        let known = &self.known;
        self.tasks.retain(|uid, task| {
            let now = wanted.get(uid.as_str());
            // A pod whose sandbox was made anew has another address, and somebody else may have the one before.
            let is_there = now.is_some_and(|(_, address)| *address == task.address);
            if !is_there || task.failed.load(Ordering::Acquire) {
                task.handle.abort();
                lock(known).pods.remove(uid);
                return false;
            }
            // One that has just become ready is not waited for until the next attempt.
            let is_mute = || {
                let known = lock(known);
                known.pods.get(uid).is_none_or(|said| said.silent.is_some())
            };
            let late = now.is_some_and(|(pod, _)| pod.ready && !task.was_ready && is_mute());
            if late {
                task.handle.abort();
            }
            !late
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
                ready: pod.ready,
                address,
                token: token.to_owned(),
            };
            let failed = Arc::new(AtomicBool::default());
            let task = Task {
                address,
                was_ready: pod.ready,
                failed: Arc::clone(&failed),
                handle: tokio::spawn(follow.run_for_ever(failed)),
            };
            self.tasks.insert(uid.to_owned(), task);
        }
        // One that was ended in the middle of a step may have said something nevertheless.
        lock(&self.known)
            .pods
            .retain(|uid, _| self.tasks.contains_key(uid));
    }

    /// What ready pods say.
    pub fn served(&self, pods: &[Pod]) -> Vec<Served> {
        served(pods, &lock(&self.known).pods)
    }

    /// Whether a pod answers, ready or not.
    pub fn talks(&self, pod: &Pod) -> bool {
        let known = lock(&self.known);
        known.pods.get(&pod.uid).is_some_and(|said| said.silent.is_none())
    }

    /// Whether a pod knows one of these databases, as far as it has said so: one that has said nothing yet may.
    pub fn may_know(&self, pod: &Pod, sources: &BTreeSet<&str>) -> bool {
        let known = lock(&self.known);
        known.pods.get(&pod.uid).is_none_or(|said| {
            let mut all = said.report.sources.iter();
            all.any(|source| source.fingerprint.is_some() && sources.contains(source.name.as_str()))
        })
    }

    /// A table that need not be asked for.
    pub fn remember(&self, hash: &str, table: Table) {
        lock(&self.known).remember(hash, Arc::new(table));
    }

    /// The highest counter that a pod has accepted, of those that a set may have; 0: none has.
    pub fn counter(&self) -> u64 {
        let known = lock(&self.known);
        let now = unix_seconds();
        let counters = known.pods.values().filter_map(|said| said.report.counter);
        let plausible = counters.filter(|counter| is_plausible(*counter, now));
        plausible.max().unwrap_or_default()
    }

    /// The fingerprints of the databases, as pods report them.
    pub fn fingerprints(&self) -> String {
        let known = lock(&self.known);
        let mut all: Vec<String> = known
            .pods
            .values()
            .flat_map(|said| fingerprints(&said.report))
            .collect();
        all.sort();
        all.dedup();
        all.join(" ")
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        for task in self.tasks.values() {
            task.handle.abort();
        }
    }
}

/// What ready pods say. The API server learns late of what happens on a node: a pod that says itself that it is ready
/// is about to take requests, and what it does not serve yet is not served by all. Where the API server knows of no
/// ready pod, none takes any.
fn served(pods: &[Pod], reports: &Reports) -> Vec<Served> {
    if !pods.iter().any(|pod| pod.ready) {
        return Vec::new();
    }
    let says_so = |pod: &Pod| {
        let said = reports.get(&pod.uid);
        said.is_some_and(|said| said.report.ready && said.silent.is_none())
    };
    let ready = pods
        .iter()
        .filter(|pod| !pod.ending && (pod.ready || says_so(pod)));
    ready
        .map(|pod| {
            let found = reports.get(&pod.uid);
            Served {
                pod: pod.name.clone(),
                report: found.map(|said| Arc::clone(&said.report)),
                table: found.and_then(|said| said.table.clone()),
            }
        })
        .collect()
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

    /// A pod does not answer. Gives whether that changes what counts.
    fn is_silent(&mut self, uid: &str, now: Instant) -> bool {
        let Some(said) = self.pods.get_mut(uid) else {
            return false;
        };
        match said.silent {
            None => {
                said.silent = Some(now);
                true
            }
            Some(since) if now.duration_since(since) >= SILENCE => self.pods.remove(uid).is_some(),
            Some(_) => false,
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
    /// The API server says so.
    ready: bool,
    address: IpAddr,
    token: String,
}

impl Follow {
    /// One that panicked is begun anew by the worker.
    async fn run_for_ever(self, failed: Arc<AtomicBool>) {
        let (observer, signal) = (self.observer.clone(), Arc::clone(&self.signal));
        let name = format!("following pod {}", self.pod);
        survived(&observer, &name, self.run()).await;
        tokio::time::sleep(MOST_PAUSE).await;
        failed.store(true, Ordering::Release);
        signal.raise(Reasons::PODS);
    }

    async fn run(self) {
        let mut pauses = Pauses::default();
        let mut before: Option<Arc<Report>> = None;
        // Who is starting does not answer yet.
        let mut told = !self.ready;
        loop {
            let asked = Instant::now();
            let after = before.as_ref().map(|report| report.revision.clone());
            match self
                .probe
                .report(self.address, &self.token, after.as_deref(), WAIT)
                .await
            {
                Ok(report) if after.as_ref() == Some(&report.revision) => {
                    told = false;
                    pauses.reset();
                    // A pod that does not hold the poll open is not asked all the time.
                    if asked.elapsed() < Duration::from_secs(1) {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    continue;
                }
                Ok(report) => {
                    let report = Arc::new(report);
                    match self.take(&report, before.as_deref()).await {
                        Ok(true) => {
                            told = false;
                            pauses.reset();
                            before = Some(report);
                            continue;
                        }
                        // The same report again, or a later one, and its table.
                        Ok(false) => {}
                        Err(error) => self.failed(&error, &mut told),
                    }
                }
                Err(error) => {
                    before = None;
                    if lock(&self.known).is_silent(&self.uid, Instant::now()) {
                        self.signal.raise(Reasons::PODS);
                    }
                    self.failed(&error, &mut told);
                }
            }
            tokio::time::sleep(pauses.pause().min(MOST_PAUSE)).await;
        }
    }

    /// Gives whether what is reported is known whole: which objects it is made of.
    async fn take(&self, report: &Arc<Report>, before: Option<&Report>) -> Result<bool, crate::probe::Error> {
        let found = lock(&self.known).table(&report.objects);
        let table = match found {
            Some(table) => Ok(Some(table)),
            None if report.objects.is_empty() => Ok(Some(Arc::default())),
            None => self.ask_table(report).await,
        };
        let known = table.as_ref().ok().cloned().flatten();
        let counter = report
            .counter
            .filter(|_| before.map(|before| before.counter) != Some(report.counter));
        if let Some(counter) = counter.filter(|counter| !is_plausible(*counter, unix_seconds())) {
            let pod = &self.pod;
            self.observer.emit(&Event::Doubted {
                engine: &self.engine,
                message: format!(
                    "pod {pod} has accepted a set with counter {counter}, far ahead of the time: it takes no other one before it is replaced"
                ),
            });
        }
        lock(&self.known)
            .pods
            .insert(self.uid.clone(), Said::now(Arc::clone(report), known));
        let catalog = before.is_none_or(|before| fingerprints(before) != fingerprints(report));
        self.signal.raise(if catalog {
            Reasons::PODS.and(Reasons::CATALOG)
        } else {
            Reasons::PODS
        });
        Ok(table?.is_some())
    }

    /// The table of what a pod serves now, if that is still what it reported.
    async fn ask_table(&self, report: &Report) -> Result<Option<Arc<Table>>, crate::probe::Error> {
        let (entries, hash) = self.probe.objects(self.address, &self.token).await?;
        let made = Arc::new(table(entries));
        lock(&self.known).remember(&hash, Arc::clone(&made));
        Ok(Some(made).filter(|_| hash == report.objects))
    }

    /// Tells of it once.
    fn failed(&self, error: &crate::probe::Error, told: &mut bool) {
        if std::mem::replace(told, true) {
            return;
        }
        self.observer.emit(&Event::PodFailed {
            engine: &self.engine,
            pod: &self.pod,
            message: chain(error),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{Level, Metrics};

    fn pod(name: &str, ready: bool) -> Pod {
        Pod {
            name: name.to_owned(),
            uid: name.to_owned(),
            address: None,
            ready,
            ending: false,
            ended: false,
            trouble: None,
        }
    }

    fn says(ready: bool) -> Said {
        let report = serde_json::json!({
            "revision": "1", "pod": "p", "version": "0", "generation": "g", "objects": "", "ready": ready,
            "problems": [], "sources": [],
        });
        Said::now(Arc::new(serde_json::from_value(report).expect("a report")), None)
    }

    /// Of pods that nobody reaches.
    fn followers() -> Followers {
        let engine = ObjectKey {
            kind: crd::Kind::Engine,
            namespace: "n".to_owned(),
            name: "e".to_owned(),
        };
        let observer = Observer::new(Level::Error, Metrics::new().expect("names differ"));
        Followers::new(Probe::new(1), engine, observer, Arc::new(Signal::default()))
    }

    /// A follower that panicked is begun again, and the worker looks for it.
    #[tokio::test]
    async fn a_follower_that_ended_is_begun_again() {
        let mut followers = followers();
        let pods = [Pod {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            ..pod("p", true)
        }];
        followers.follow(&pods, "token");
        let first = followers.tasks["p"].handle.id();
        followers.follow(&pods, "token");
        assert_eq!(followers.tasks["p"].handle.id(), first);
        followers.tasks["p"].failed.store(true, Ordering::Release);
        followers.follow(&pods, "token");
        assert_ne!(followers.tasks["p"].handle.id(), first);
        assert!(!followers.tasks["p"].failed.load(Ordering::Acquire));
    }

    /// What was said at the address before is of nobody any more, and nobody is asked there.
    #[tokio::test]
    async fn a_pod_with_another_address_is_asked_there() {
        let mut followers = followers();
        let mut pods = [Pod {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            ..pod("p", true)
        }];
        followers.follow(&pods, "token");
        let first = followers.tasks["p"].handle.id();
        lock(&followers.known).pods.insert("p".to_owned(), says(true));
        followers.follow(&pods, "token");
        assert!(followers.talks(&pods[0]));
        pods[0].address = Some(IpAddr::from([127, 0, 0, 2]));
        followers.follow(&pods, "token");
        assert_ne!(followers.tasks["p"].handle.id(), first);
        assert!(!followers.talks(&pods[0]));
    }

    /// Its address may be somebody else's, to whom no token is shown and who is not heard.
    #[tokio::test]
    async fn a_pod_that_has_ended_is_asked_no_more() {
        let mut followers = followers();
        let mut pods = [Pod {
            address: Some(IpAddr::from([127, 0, 0, 1])),
            ..pod("p", true)
        }];
        followers.follow(&pods, "token");
        lock(&followers.known).pods.insert("p".to_owned(), says(true));
        pods[0] = Pod {
            ready: false,
            ending: true,
            ended: true,
            ..pods[0].clone()
        };
        followers.follow(&pods, "token");
        assert!(followers.tasks.is_empty() && !followers.talks(&pods[0]));
    }

    /// After an outage of the API server a pod goes on answering people from an old set while its status still says
    /// that it is not ready.
    #[test]
    fn a_pod_that_says_that_it_is_ready_counts_before_the_api_server_knows() {
        let reports = Reports::from([
            ("late".to_owned(), says(true)),
            ("begins".to_owned(), says(false)),
        ]);
        let names = |pods: &[Pod]| -> Vec<String> {
            served(pods, &reports)
                .into_iter()
                .map(|served| served.pod)
                .collect()
        };
        let mut pods = vec![
            pod("known", true),
            pod("late", false),
            pod("begins", false),
            pod("mute", false),
        ];
        assert_eq!(names(&pods), ["known", "late"]);
        pods[1].ending = true;
        assert_eq!(names(&pods), ["known"]);
        assert!(names(&[pod("late", false)]).is_empty(), "nobody asks it");
    }

    /// A poll that fails changes nothing for a pod that is ready; one that stays silent serves nothing that is known.
    #[test]
    fn what_a_pod_said_counts_for_a_while() {
        let mut known = Known::default();
        known.pods.insert("a".to_owned(), says(true));
        let pods = [pod("a", true), pod("other", true)];
        let reported = |known: &Known, pods: &[Pod]| -> Vec<bool> {
            served(pods, &known.pods)
                .into_iter()
                .map(|served| served.report.is_some())
                .collect()
        };
        let began = Instant::now();
        assert!(known.is_silent("a", began));
        assert_eq!(reported(&known, &pods), [true, false]);
        // Its own word that it is ready does not count any more.
        assert_eq!(reported(&known, &[pod("a", false), pod("other", true)]), [false]);
        assert!(!known.is_silent("a", began + SILENCE / 2));
        assert!(known.is_silent("a", began + SILENCE));
        assert_eq!(reported(&known, &pods), [false, false]);
        assert!(!known.is_silent("a", began + SILENCE));
    }
}
