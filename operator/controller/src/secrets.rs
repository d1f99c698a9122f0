//! Secrets that objects refer to: each is watched by its name, metadata only, and read when it changed; of what is
//! read only the keys that are referred to are kept. So rights on single Secrets are enough.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use compile::ObjectKey;
use crd::value::is_secret_name;
use futures_util::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event as Watched};
use kube::{Api, Client};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::attempt::Attempts;
use crate::observe::{Event, Observer, chain};
use crate::resource::Native;
use crate::retry::{self, WatchPauses};
use crate::signal::{Reasons, Signals};
use crate::supervise::Tasks;

/// Secrets that are watched at most.
const MOST: usize = 2_000;
/// How long to wait for the first word on a Secret.
const FIRST: Duration = Duration::from_secs(5);
/// How long a watch that follows a denial must last before what it listed counts: who may list and not watch is refused
/// at once, and would be told one thing and the other by turns.
const PROOF: Duration = Duration::from_secs(2);

/// Namespace and name of a Secret.
pub type SecretName = (String, String);

/// A value that nothing prints.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hidden(pub Vec<u8>);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// A Secret as its watch sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was heard yet.
    Unknown,
    /// It is not there.
    Absent,
    /// It is there, in this version.
    Present(String),
    /// It cannot be watched, for this reason.
    Denied(String),
}

#[derive(Debug)]
struct Watch {
    standing: watch::Receiver<Standing>,
    task: JoinHandle<()>,
    engines: Arc<Mutex<BTreeSet<ObjectKey>>>,
}

/// All Secrets that are watched.
pub struct Secrets {
    client: Client,
    signals: Arc<Signals>,
    observer: Observer,
    tasks: Tasks,
    role: Arc<str>,
    watches: Mutex<HashMap<SecretName, Watch>>,
    /// Engines that need more than could be watched: they look again when others need less. Locked behind `watches`.
    passed_over: Mutex<BTreeSet<ObjectKey>>,
    most: usize,
    /// How long the first word is waited for.
    first: Duration,
}

impl Secrets {
    /// None yet. Who lacks a right is told to have the ClusterRole `role` bound.
    pub fn new(client: Client, signals: Arc<Signals>, observer: Observer, tasks: Tasks, role: &str) -> Self {
        Self {
            client,
            signals,
            observer,
            tasks,
            role: role.into(),
            watches: Mutex::default(),
            passed_over: Mutex::default(),
            most: MOST,
            first: FIRST,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretName, Watch>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ClusterRole that allows to read Secrets where it is bound.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// An engine needs exactly these from now on.
    pub fn want(&self, engine: &ObjectKey, names: &BTreeSet<SecretName>) {
        let mut watches = self.lock();
        let before = watches.len();
        watches.retain(|name, watch| {
            let mut engines = watch.engines.lock().unwrap_or_else(PoisonError::into_inner);
            if names.contains(name) {
                engines.insert(engine.clone());
            } else {
                engines.remove(engine);
            }
            let needed = !engines.is_empty();
            drop(engines);
            if !needed {
                watch.task.abort();
            }
            needed
        });
        let is_less = watches.len() < before;
        let mut is_passed_over = false;
        for name in names {
            // What nobody can be called is never asked for.
            if watches.contains_key(name) || !is_secret_name(&name.1) {
                continue;
            }
            if watches.len() >= self.most {
                is_passed_over = true;
                continue;
            }
            let engines = Arc::new(Mutex::new(BTreeSet::from([engine.clone()])));
            let (sender, standing) = watch::channel(Standing::Unknown);
            let follow = Follow {
                name: name.clone(),
                engines: Arc::clone(&engines),
                signals: Arc::clone(&self.signals),
                observer: self.observer.clone(),
                role: Arc::clone(&self.role),
                sender,
            };
            let task = format!("watching Secret {}/{}", name.0, name.1);
            let task = self.tasks.spawn_for_a_time(task, follow.run(self.client.clone()));
            watches.insert(
                name.clone(),
                Watch {
                    standing,
                    task,
                    engines,
                },
            );
        }
        // Whoever makes room next sees who was passed over: nobody gets at the watches before that is noted.
        let mut passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
        drop(watches);
        passed_over.remove(engine);
        if is_less {
            for other in &*passed_over {
                self.signals.raise(other, Reasons::SECRETS);
            }
        }
        if is_passed_over {
            passed_over.insert(engine.clone());
        }
    }

    /// How a wanted Secret stands; waits a little for the first word. Where none comes, nothing is known of it.
    pub async fn standing(&self, name: &SecretName) -> Standing {
        let receiver = self.lock().get(name).map(|watch| watch.standing.clone());
        let Some(mut receiver) = receiver else {
            if !is_secret_name(&name.1) {
                return Standing::Denied("no Secret can have this name: correct it".to_owned());
            }
            return Standing::Denied(format!("more than {} Secrets are referred to", self.most));
        };
        let first = receiver.wait_for(|standing| *standing != Standing::Unknown);
        match tokio::time::timeout(self.first, first).await {
            Ok(Ok(standing)) => standing.clone(),
            _ => Standing::Unknown,
        }
    }

    /// Reads a Secret; nothing: it is not there.
    ///
    /// # Errors
    /// The API server refuses or does not answer.
    pub async fn read(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<BTreeMap<String, Hidden>>, kube::Error> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let found = secrets.get_opt(name).await?;
        Ok(found.map(|secret| {
            let data = secret.data.unwrap_or_default();
            data.into_iter()
                .map(|(key, value)| (key, Hidden(value.0)))
                .collect()
        }))
    }
}

struct Follow {
    name: SecretName,
    engines: Arc<Mutex<BTreeSet<ObjectKey>>>,
    signals: Arc<Signals>,
    observer: Observer,
    role: Arc<str>,
    sender: watch::Sender<Standing>,
}

impl Follow {
    async fn run(self, client: Client) {
        let (namespace, name) = &self.name;
        let secrets = Native::Secret.metadata(&client, Some(namespace));
        let config = Config::default().fields(&format!("metadata.name={name}"));
        let mut attempts = Attempts::default();
        loop {
            // One that only goes on after it was not allowed would not tell when it is again.
            let stream = watcher::watcher(secrets.clone(), config.clone()).backoff(WatchPauses::default());
            self.listen(pin!(stream), &mut attempts).await;
            // Rights are given seldom.
            tokio::time::sleep(attempts.pause()).await;
        }
    }

    /// Takes what a watch tells, until it is not allowed.
    async fn listen<K: kube::ResourceExt>(
        &self,
        mut stream: impl Stream<Item = watcher::Result<Watched<K>>> + Unpin,
        attempts: &mut Attempts,
    ) {
        let version = |secret: &K| secret.resource_version().unwrap_or_default();
        let mut found = None;
        let mut unproven = None;
        while let Some(event) = self.next(&mut stream, &mut unproven).await {
            match event {
                // Every attempt begins with this.
                Ok(Watched::Init) => {
                    found = None;
                    unproven = None;
                }
                Ok(Watched::InitApply(secret)) => found = Some(version(&secret)),
                Ok(Watched::InitDone) => {
                    attempts.is_read(Instant::now());
                    let standing = found.take().map_or(Standing::Absent, Standing::Present);
                    if matches!(*self.sender.borrow(), Standing::Denied(_)) {
                        unproven = Some(standing);
                    } else {
                        self.set(standing);
                    }
                }
                Ok(Watched::Apply(secret)) => {
                    attempts.goes_on();
                    unproven = None;
                    self.set(Standing::Present(version(&secret)));
                }
                Ok(Watched::Delete(_)) => {
                    attempts.goes_on();
                    unproven = None;
                    self.set(Standing::Absent);
                }
                Err(error) => {
                    self.observer.emit(&Event::WatchFailed {
                        kind: "Secret",
                        namespace: Some(&self.name.0),
                        message: chain(&error),
                        again: attempts.failed(Instant::now()),
                    });
                    if let Some(message) = denial(&error, &self.role) {
                        self.set(Standing::Denied(message));
                        return;
                    }
                }
            }
        }
    }

    /// The next event. Before it comes, what was listed after a denial counts as soon as its watch lasts.
    async fn next<E>(
        &self,
        stream: &mut (impl Stream<Item = E> + Unpin),
        unproven: &mut Option<Standing>,
    ) -> Option<E> {
        if unproven.is_some() {
            if let Ok(event) = tokio::time::timeout(PROOF, stream.next()).await {
                return event;
            }
            if let Some(standing) = unproven.take() {
                self.set(standing);
            }
        }
        stream.next().await
    }

    fn set(&self, standing: Standing) {
        let changed = self.sender.send_if_modified(|now| {
            let changed = *now != standing;
            *now = standing;
            changed
        });
        if changed {
            let engines = self
                .engines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            for engine in engines {
                // The engine's own is one of its children.
                let own =
                    self.name.0 == engine.namespace && self.name.1 == delivery::name::secrets(&engine.name);
                let reasons = if own { Reasons::CHILDREN } else { Reasons::SECRETS };
                self.signals.raise(&engine, reasons);
            }
        }
    }
}

/// The operator lacks the right, or is told that there is nothing to ask for; other failures pass, and what was known of
/// the Secret still holds.
fn denial(error: &watcher::Error, role: &str) -> Option<String> {
    match retry::code_of_watch(error) {
        400 => {
            let message = retry::message_of_watch(error);
            Some(format!(
                "the API server does not take what is asked of it: {message}"
            ))
        }
        401 | 403 => Some(format!(
            "the operator has no right to read it: bind the ClusterRole {role} in its namespace"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::Health;
    use crate::observe::{Level, Metrics};
    use compile::ObjectKey;
    use crd::Kind;

    fn engine(name: &str) -> ObjectKey {
        ObjectKey {
            kind: Kind::Engine,
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    /// Room for one Secret.
    fn of_one() -> (Secrets, Arc<Signals>) {
        // Nobody listens there: nothing is ever heard of a Secret.
        let config = kube::Config::new("http://127.0.0.1:1".parse().expect("an address"));
        let client = Client::try_from(config).expect("a client");
        let signals = Arc::new(Signals::default());
        let observer = Observer::new(Level::Error, Metrics::new().expect("metrics"));
        let tasks = Tasks::new(Arc::new(Health::default()), observer.clone());
        let mut secrets = Secrets::new(client, Arc::clone(&signals), observer, tasks, "role");
        secrets.most = 1;
        (secrets, signals)
    }

    fn name(name: &str) -> SecretName {
        ("n".to_owned(), name.to_owned())
    }

    fn only(wanted: &str) -> BTreeSet<SecretName> {
        BTreeSet::from([name(wanted)])
    }

    /// What an engine lets go another one may take, without anything else that happens.
    #[tokio::test]
    async fn who_was_passed_over_is_told_when_there_is_room() {
        let (secrets, signals) = of_one();
        let (one, other) = (engine("one"), engine("other"));
        let signal = signals.register(&other);
        secrets.want(&one, &only("a"));
        secrets.want(&other, &only("b"));
        assert!(!secrets.lock().contains_key(&name("b")));
        let told = tokio::spawn(async move { signal.gathered().await });
        secrets.want(&one, &BTreeSet::new());
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert_eq!(told.expect("it is told").expect("no panic"), Reasons::SECRETS);
        secrets.want(&other, &only("b"));
        assert!(secrets.lock().contains_key(&name("b")));
    }

    /// Of an API server that is slow nothing is concluded; of what there cannot be it is not asked.
    #[tokio::test]
    async fn what_nothing_was_heard_of_is_not_known() {
        let (mut secrets, _) = of_one();
        secrets.most = 3;
        secrets.first = Duration::from_secs(1);
        let names = BTreeSet::from([name("a"), name("b"), name("db,main")]);
        secrets.want(&engine("one"), &names);
        assert_eq!(secrets.lock().len(), 2);
        let began = Instant::now();
        let all = names.iter().map(|name| secrets.standing(name));
        let all = futures_util::future::join_all(all).await;
        assert!(
            began.elapsed() < secrets.first * 2,
            "they are waited for together"
        );
        assert_eq!(all[..2], [Standing::Unknown, Standing::Unknown]);
        assert!(matches!(&all[2], Standing::Denied(why) if why.contains("no Secret can have this name")));
    }

    /// It is told at once, not when the first word is waited for no more.
    #[test]
    fn what_the_api_server_does_not_take_is_denied() {
        let refused = |code, message: &str| {
            let refusal = kube::core::Status {
                code,
                message: message.to_owned(),
                ..kube::core::Status::default()
            };
            let error = kube::Error::Api(Box::new(refusal));
            denial(&watcher::Error::InitialListFailed(error), "role")
        };
        let message = refused(400, "invalid field selector").expect("a denial");
        assert!(message.contains("invalid field selector"), "{message}");
        assert!(refused(403, "forbidden").is_some() && refused(500, "later").is_none());
    }

    /// Who may list and not watch is told that it may not, and not by turns that it may.
    #[tokio::test]
    async fn what_is_listed_after_a_denial_counts_when_its_watch_lasts() {
        let (secrets, signals) = of_one();
        let refusal = kube::core::Status {
            code: 403,
            ..kube::core::Status::default()
        };
        let refused = watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(refusal)));
        let message = denial(&refused, "role").expect("a denial");
        let (sender, mut standing) = watch::channel(Standing::Denied(message));
        let follow = Follow {
            name: name("a"),
            engines: Arc::default(),
            signals,
            observer: secrets.observer.clone(),
            role: "role".into(),
            sender,
        };
        let secret = Secret {
            metadata: kube::api::ObjectMeta {
                resource_version: Some("7".to_owned()),
                ..kube::api::ObjectMeta::default()
            },
            ..Secret::default()
        };
        let listed = || {
            let events = [
                Watched::Init,
                Watched::InitApply(secret.clone()),
                Watched::InitDone,
            ];
            futures_util::stream::iter(events.map(Ok))
        };
        let refused = futures_util::stream::iter([Err(refused)]);
        let mut attempts = Attempts::default();
        follow.listen(listed().chain(refused), &mut attempts).await;
        assert!(!standing.has_changed().expect("a sender"));

        let lasting = listed().chain(futures_util::stream::pending());
        let told = async {
            tokio::select! {
                () = follow.listen(lasting, &mut attempts) => None,
                told = standing.changed() => told.ok(),
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert_eq!(told, Ok(Some(())));
        assert_eq!(*standing.borrow(), Standing::Present("7".to_owned()));
    }

    /// Room that is made while somebody is being passed over is told too.
    #[tokio::test]
    async fn nobody_makes_room_unseen() {
        let (secrets, signals) = of_one();
        let (one, other) = (engine("one"), engine("other"));
        let signal = signals.register(&other);
        secrets.want(&one, &only("a"));
        let runtime = tokio::runtime::Handle::current();
        std::thread::scope(|scope| {
            let noting = secrets.passed_over.lock().expect("nobody panicked");
            scope.spawn(|| {
                let _in_runtime = runtime.enter();
                secrets.want(&other, &only("b"));
            });
            // It cannot be noted yet: until then the watches are held.
            let end = Instant::now() + Duration::from_secs(60);
            let mut held = 0;
            while held < 100 {
                held = if secrets.watches.try_lock().is_err() {
                    held + 1
                } else {
                    0
                };
                assert!(Instant::now() < end, "the watches are free before it is noted");
                std::thread::park_timeout(Duration::from_millis(1));
            }
            scope.spawn(|| secrets.want(&one, &BTreeSet::new()));
            drop(noting);
        });
        let told = tokio::time::timeout(Duration::from_secs(60), signal.gathered());
        assert_eq!(told.await.expect("it is told"), Reasons::SECRETS);
    }
}
