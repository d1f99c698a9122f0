//! One engine: from what changed to a published generation, running pods and honest statuses.
//!
//! ```text
//! load (once) ▸ compile ▸ secrets ▸ check ▸ publish ▸ workloads ▸ report
//! ```

mod allowance;
mod candidate;
mod check;
mod held;
mod publish;
mod values;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use compile::{Object, ObjectKey};
use kube::Client;
use serde_json::Value;

use crate::apply::{self, Applier};
use crate::children::ChildKey;
use crate::deliver::{Ground, Rollout, conditions, waiting};
use crate::event::Events;
use crate::follow::Followers;
use crate::observe::Event;
use crate::pod::troubles;
use crate::probe::Probe;
use crate::render::{self, Surroundings};
use crate::resource::Native;
use crate::retry::{self, Pauses};
use crate::secrets::Secrets;
use crate::signal::{Reasons, Signal};
use crate::verdicts::Facts;
use crate::watch::Tables;

pub use allowance::Allowance;
use candidate::Made;
use check::Checks;
use publish::Shelf;
use values::{Keep, KeptSettings, SecretValues};

/// What all workers share.
pub struct Shared {
    /// The API server.
    pub client: Client,
    /// What is known of the cluster.
    pub tables: Tables,
    /// What people find with `kubectl describe`.
    pub events: Events,
    /// Secrets that objects refer to.
    pub secrets: Arc<Secrets>,
    /// Calls pods.
    pub probe: Probe,
    /// What a published set may take while it is read.
    pub allowance: Allowance,
    /// The image of engines that name none.
    pub image: String,
    /// Port of the admin API.
    pub admin_port: u16,
    /// The namespace of the operator.
    pub operator_namespace: String,
}

/// Why an engine is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something could not be written.
    #[error(transparent)]
    Apply(#[from] apply::Error),
    /// What was published could not be read.
    #[error("reading {what}: {message}")]
    Read {
        /// What.
        what: String,
        /// In the words of the API server.
        message: String,
        /// Whether it may succeed later.
        again: bool,
    },
    /// The document is larger than can be published.
    #[error(transparent)]
    TooLarge(#[from] delivery::TooLarge),
    /// There are too many objects in the cluster.
    #[error(
        "there are more custom resources than the operator takes: nothing is published until some are gone, or its memory limit (or --max-objects) is raised"
    )]
    TooManyObjects,
    /// The operator lacks rights in a namespace.
    #[error("{0}")]
    Denied(String),
    /// Compiling ended without a result.
    #[error("compiling was interrupted")]
    Interrupted,
}

impl Error {
    fn read(what: &str, error: &kube::Error) -> Self {
        Self::Read {
            what: what.to_owned(),
            message: retry::message(error),
            again: retry::may_succeed(error),
        }
    }

    fn read_secret(name: &str, error: &kube::Error, role: &str) -> Self {
        let mut made = Self::read(&format!("Secret {name}"), error);
        if let (403, Self::Read { message, .. }) = (retry::code(error), &mut made) {
            message.push_str(&format!(" (bind the ClusterRole {role} in this namespace)"));
        }
        made
    }

    /// Whether it may succeed later without a change.
    fn again(&self) -> bool {
        match self {
            Self::Apply(error) => error.again(),
            Self::Read { again, .. } => *again,
            // Whoever may read again, tells.
            Self::TooLarge(_) | Self::Denied(_) => false,
            Self::TooManyObjects | Self::Interrupted => true,
        }
    }
}

/// Works on one engine.
pub struct Worker {
    shared: Arc<Shared>,
    key: ObjectKey,
    uid: String,
    signal: Arc<Signal>,
    applier: Applier,
    followers: Followers,
    values: SecretValues,
    shelf: Shelf,
    checks: Checks,
    made: Option<Made>,
    /// The objects that were not accepted last, by uid.
    refused: BTreeSet<String>,
    /// The fingerprints of the databases when compiled last.
    catalog: String,
    obstacle: Option<String>,
    /// Something changed since what is made now was made. It holds until it was made again, however often that fails and
    /// whatever is called for meanwhile.
    stale: bool,
    /// Everything was written as it should be.
    settled: bool,
}

impl Worker {
    /// For an engine.
    pub fn new(shared: Arc<Shared>, engine: &Object, signal: Arc<Signal>) -> Self {
        let key = engine.key.clone();
        let observer = shared.tables.observer.clone();
        Self {
            applier: Applier::new(
                shared.client.clone(),
                observer.clone(),
                key.clone(),
                engine.uid.clone(),
            ),
            followers: Followers::new(shared.probe.clone(), key.clone(), observer, Arc::clone(&signal)),
            values: SecretValues::default(),
            shelf: Shelf::default(),
            checks: Checks::default(),
            made: None,
            refused: BTreeSet::new(),
            catalog: String::new(),
            obstacle: None,
            stale: true,
            settled: false,
            uid: engine.uid.clone(),
            key,
            signal,
            shared,
        }
    }

    /// Works until it is dropped, or the engine's namespace is being deleted: nothing can be made there any more, and
    /// what is there goes.
    pub async fn run(mut self) {
        let mut pauses = Pauses::default();
        let mut retry_at: Option<Instant> = None;
        self.signal.raise(Reasons::ALL);
        loop {
            let now = Instant::now();
            let retry = retry_at.map(|at| at.saturating_duration_since(now));
            let pause = retry.into_iter().chain(self.checks.again.left(now)).min();
            let again = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            let reasons = tokio::select! {
                reasons = self.signal.gathered() => reasons,
                () = again => Reasons::ALL,
            };
            self.checks.again.wake(Instant::now());
            let Some((engine, _)) = self.shared.tables.world.get(&self.key) else {
                continue;
            };
            if engine.uid != self.uid {
                // Another engine of this name: it gets a worker of its own.
                continue;
            }
            let outcome = self.pass(&engine, reasons).await;
            self.tell_restored(&engine);
            retry_at = match outcome {
                Ok(()) => {
                    pauses.reset();
                    None
                }
                Err(Error::Apply(apply::Error::Ending)) => return,
                Err(error) => {
                    // What was tried before its time, because something changed, does not make the next time later.
                    let left = retry_at.map(|at| at.saturating_duration_since(Instant::now()));
                    let left = left.filter(|left| !left.is_zero());
                    let pause = error.again().then(|| left.unwrap_or_else(|| pauses.pause()));
                    let message = crate::observe::chain(&error);
                    self.shared.tables.observer.emit(&Event::WorkFailed {
                        engine: &self.key,
                        message: message.clone(),
                        again: pause,
                    });
                    self.obstacle = Some(message);
                    pause.map(|pause| Instant::now() + pause)
                }
            };
            self.report(&engine);
        }
    }

    async fn pass(&mut self, engine: &Arc<Object>, reasons: Reasons) -> Result<(), Error> {
        let catalog = reasons.any(Reasons::CATALOG) && self.catalog != self.followers.fingerprints();
        self.stale |= catalog || reasons.any(Reasons::OBJECTS.and(Reasons::SECRETS));
        // What a pod reports changes nothing of what is written.
        self.settled &= !reasons.any(Reasons::ALL.without(Reasons::PODS));
        if self.shared.tables.world.overflows() {
            return Err(Error::TooManyObjects);
        }
        let world = Arc::clone(&self.shared.tables.world);
        if let Some(denied) = world.denials.of(&self.key.namespace) {
            return Err(Error::Denied(denied));
        }
        self.load().await?;
        // What another operator published of objects that cannot be read is not withdrawn.
        if let Some(denied) = world
            .denials
            .of_unread(self.shelf.found_namespaces(), &self.key.namespace)
        {
            return Err(Error::Denied(denied));
        }
        let pods = self.shared.tables.pods.of(&self.key);
        self.followers.follow(&pods, self.values.token());
        let open = self.checks.may_be_answered(&pods, &self.followers);
        self.stale |= open || self.checks.again.is_due();
        if self.stale {
            self.settled = false;
            self.make(engine).await?;
            self.stale = false;
        }
        if is_paused(engine) {
            let differs = self.made.as_ref().is_some_and(|made| !self.shelf.has(made));
            self.obstacle =
                differs.then(|| "the engine is paused (spec.paused): nothing is published".to_owned());
            return Ok(());
        }
        if render::name_problem(&self.key.name).is_some() {
            // Nothing can be named after it, which its verdict says.
            self.obstacle = None;
            return Ok(());
        }
        let tidies = self.values.lingers() && self.may_drop_moved(engine);
        if self.settled && !tidies && !self.shelf.is_behind(self.followers.counter()) {
            return Ok(());
        }
        self.settled = false;
        self.write(engine).await?;
        self.settled = true;
        self.obstacle = None;
        Ok(())
    }

    /// Says in events what somebody had changed or deleted that is the engine's.
    fn tell_restored(&mut self, engine: &Object) {
        for (kind, name) in self.applier.take_restored() {
            self.shared.events.of_restored(engine, kind, &name);
        }
    }

    /// Reads what is published and the engine's Secret, once.
    async fn load(&mut self) -> Result<(), Error> {
        self.values.load(&self.shared.secrets, &self.key).await?;
        self.shelf.load(&self.shared, &self.key, &self.uid).await
    }

    async fn apply(&mut self, kind: Native, object: &Value) -> Result<(), Error> {
        Ok(self
            .applier
            .apply(&self.shared.tables.children, kind, object)
            .await?)
    }

    /// Publishes and runs what was made, as far as it is not there.
    async fn write(&mut self, engine: &Arc<Object>) -> Result<(), Error> {
        let Some(made) = &self.made else {
            return Ok(());
        };
        let secrets = delivery::name::secrets(&self.key.name);
        let written = self.applier.version(Native::Secret, &secrets);
        let written = written.map(|(_, version)| version);
        let behind = self.values.is_behind(&self.shared.secrets, &self.key, written);
        if let Some(seen) = behind.await {
            self.applier.doubt(Native::Secret, &secrets, seen);
        }
        let secret = render::secret(engine, self.values.wanted());
        let publication = self.shelf.prepare(&self.key, made, self.followers.counter())?;
        let (parts, index) = render::publication(engine, &publication);
        let surroundings = Surroundings {
            image: &self.shared.image,
            admin_port: self.shared.admin_port,
            operator_namespace: &self.shared.operator_namespace,
            start_hash: &self.values.start_hash(),
        };
        let workloads = made
            .settings
            .as_ref()
            .map(|(spec, environment)| render::workloads(engine, spec, environment, &surroundings))
            .unwrap_or_default();
        let mut contested = match self.publish(&secret, &parts, &index).await {
            Err(error @ Error::Apply(apply::Error::Contested { .. })) => Some(error),
            other => {
                other?;
                self.published();
                None
            }
        };
        for (kind, object) in &workloads {
            match self.apply(*kind, object).await {
                // The others need not wait for the end of a quarrel.
                Err(error @ Error::Apply(apply::Error::Contested { .. })) => contested = Some(error),
                other => other?,
            }
        }
        if let Some(error) = contested {
            return Err(error);
        }
        let pods = self.shared.tables.pods.of(&self.key);
        let nobody = pods.iter().all(|pod| pod.ended);
        if let Some(made) = self.made.as_ref().filter(|_| nobody || self.shelf.is_served())
            && self.values.settled(&made.metadata)
        {
            // There is room for what did not fit.
            self.signal.raise(Reasons::SECRETS);
        }
        if self.shelf.is_served() {
            self.tidy(engine, &parts).await?;
        }
        Ok(())
    }

    /// Writes the set behind what it needs: an index never names what is not there.
    async fn publish(&mut self, secret: &Value, parts: &[Value], index: &Value) -> Result<(), Error> {
        self.apply(Native::Secret, secret).await?;
        for part in parts {
            self.apply(Native::ConfigMap, part).await?;
        }
        self.apply(Native::ConfigMap, index).await
    }

    /// Every pod serves what is published: what only earlier sets needed goes.
    async fn tidy(&mut self, engine: &Arc<Object>, parts: &[Value]) -> Result<(), Error> {
        if let Some(made) = &self.made {
            let settings = self.values.settings();
            let keep = match made.settings {
                // Where a setting has no value, what runs goes on with all that it has.
                None => Keep::ALL,
                Some(_) => Keep {
                    settings: if self.may_drop_moved(engine) {
                        KeptSettings::Gone
                    } else {
                        KeptSettings::Moved
                    },
                    references: false,
                },
            };
            self.values.gather(made, keep);
            let secret = render::secret(engine, self.values.wanted());
            self.apply(Native::Secret, &secret).await?;
            if self.values.settings() != settings {
                // What objects may name is another.
                self.signal.raise(Reasons::SECRETS);
            }
        }
        let index = delivery::name::index(&self.key.name);
        let names: Vec<&str> = parts
            .iter()
            .filter_map(|part| part.pointer("/metadata/name").and_then(Value::as_str))
            .collect();
        let keep = |key: &ChildKey| {
            key.kind != Native::ConfigMap || key.name == index || names.contains(&key.name.as_str())
        };
        Ok(self.applier.prune(&self.shared.tables.children, keep).await?)
    }

    /// The index was written, if it was not there already.
    fn published(&mut self) {
        let Some(made) = &self.made else {
            return;
        };
        self.values.published(&made.metadata);
        let Some(set) = self.shelf.published() else {
            return;
        };
        self.shared.tables.observer.emit(&Event::Published {
            engine: &self.key,
            counter: set.counter,
            generation: &set.generation,
            bytes: made.metadata.len(),
            parts: set.parts,
        });
        let table = made
            .compiled
            .published
            .iter()
            .map(|entry| (entry.uid.clone(), entry.hash.clone()));
        self.followers.remember(&set.objects, table.collect());
    }

    /// How far the Deployment is.
    fn rollout(&self, engine: &Object) -> Option<Rollout> {
        let key = ChildKey {
            kind: Native::Deployment,
            namespace: self.key.namespace.clone(),
            name: self.key.name.clone(),
        };
        let child = self.shared.tables.children.get(&key)?;
        if child.gone {
            return None;
        }
        // What was written a moment ago may not have come by the watch yet.
        let written = self.applier.version(Native::Deployment, &self.key.name);
        let written = written.filter(|(uid, _)| *uid == child.uid);
        let version = written.map_or(child.version, |(_, version)| child.version.max(version));
        Some(rollout(engine, &child.status, version))
    }

    /// Whether settings go that the pod template gives now: no pod of an earlier one is there, or pods do not take what they
    /// have in their place. New ones would end at their start with that, and the earlier ones stay for ever.
    fn may_drop_moved(&self, engine: &Object) -> bool {
        let pods = self.shared.tables.pods.of(&self.key);
        let served = self.followers.served(&pods);
        let mut reports = served.iter().filter_map(|pod| pod.report.as_ref());
        if reports.any(|report| !report.refused_settings.is_empty()) {
            return true;
        }
        let replaced = self.rollout(engine).is_some_and(|rollout| rollout.replaced());
        replaced && pods.iter().all(|pod| !pod.ending || pod.ended)
    }

    /// Tells what became of every object.
    fn report(&mut self, engine: &Arc<Object>) {
        let pods = self.shared.tables.pods.of(&self.key);
        let rollout = self.rollout(engine);
        let ground = Ground {
            pods: self.followers.served(&pods),
            trouble: troubles(&pods),
            rollout,
            obstacle: self.obstacle.clone(),
        };
        let (verdicts, published) = match &self.made {
            Some(made) => (
                made.compiled.verdicts.as_slice(),
                made.compiled.published.as_slice(),
            ),
            None => (&[][..], &[][..]),
        };
        let made = if verdicts.is_empty() {
            // Before anything could be compiled nothing is known, of the engine neither.
            let obstacle = self.obstacle.as_deref().unwrap_or("it was not compiled yet");
            let taken = self.shared.tables.world.taken_by(engine);
            let all = std::iter::once(engine).chain(&taken);
            all.map(|object| (object.key.clone(), waiting(object, obstacle)))
                .collect()
        } else {
            conditions(verdicts, published, &ground)
        };
        let facts = Facts {
            replicas: rollout.map(|rollout| rollout.replicas).unwrap_or_default(),
            ready_replicas: rollout.map(|rollout| rollout.ready).unwrap_or_default(),
            selector: render::pod_selector(&self.key),
            generation_hash: self.shelf.generation(),
            objects: verdicts.len(),
        };
        self.shared.tables.reporter.set(&self.key, made, facts);
        if let Some((counter, took)) = self.shelf.served_by(&ground.pods) {
            self.shared.tables.observer.emit(&Event::Served {
                engine: &self.key,
                counter,
                pods: ground.pods.len(),
                took,
            });
            // What earlier sets needed can go.
            self.signal.raise(Reasons::CHILDREN);
        }
    }
}

fn is_paused(engine: &Object) -> bool {
    engine
        .spec
        .get("paused")
        .and_then(|paused| paused.as_bool())
        .unwrap_or_default()
}

fn rollout(engine: &Object, status: &Value, generation: u64) -> Rollout {
    let number = |key: &str| {
        let found = status.get(key).and_then(Value::as_i64);
        found
            .and_then(|found| i32::try_from(found).ok())
            .unwrap_or_default()
    };
    let wanted = engine.spec.get("replicas").and_then(|wanted| wanted.as_i64());
    let wanted = wanted.unwrap_or(1);
    let observed = status.get("observedGeneration").and_then(Value::as_u64);
    Rollout {
        wanted: i32::try_from(wanted).unwrap_or(i32::MAX),
        replicas: number("replicas"),
        updated: number("updatedReplicas"),
        ready: number("readyReplicas"),
        observed: observed.is_some_and(|observed| observed >= generation),
    }
}
