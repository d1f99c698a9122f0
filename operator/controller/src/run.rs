//! Starts the parts in order and stops them in reverse.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compile::ObjectKey;
use kube::Config;
use kube::client::ClientBuilder;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::admin::{self, Health};
use crate::event::Events;
use crate::lead::Lead;
use crate::lease::Candidate;
use crate::observe::{Event, Metrics, Observer};
use crate::probe::Probe;
use crate::report::Reporter;
use crate::retry;
use crate::secrets::Secrets;
use crate::settings::{self, Settings};
use crate::signal::Signals;
use crate::supervise::{Tasks, survived};
use crate::watch::{Tables, Unread};
use crate::worker::{Allowance, Shared, Worker};
use crate::world::World;

/// Why the program cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// The runtime.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
    /// Metrics.
    #[error("cannot make metrics")]
    Metrics(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The port.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No way to the API server.
    #[error("no credentials for an API server")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Signals of the operating system.
    #[error("cannot listen for signals")]
    Signals(#[source] std::io::Error),
}

/// Runs until a signal says to end.
///
/// # Errors
/// It cannot begin.
pub fn run(settings: Settings) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // A thread that compiled gives its memory back when it ends.
        .thread_keep_alive(Duration::from_millis(500))
        .enable_all()
        .build()
        .map_err(Error::Threads)?;
    let outcome = runtime.block_on(run_in(settings));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn run_in(settings: Settings) -> Result<(), Error> {
    // Another program's choice of algorithms is kept, if there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = Config::infer()
        .await
        .map_err(|error| Error::Credentials(error.into()))?;
    run_with(settings, config).await
}

/// Runs against an API server until a signal says to end.
///
/// # Errors
/// It cannot begin.
pub async fn run_with(settings: Settings, config: Config) -> Result<(), Error> {
    let scopes = settings.scopes()?;
    let most_objects = settings.most_objects()?;
    let metrics = Metrics::new().map_err(|error| Error::Metrics(error.into()))?;
    let observer = Observer::new(settings.log_level, metrics);
    let own_namespace = match settings.own_namespace.as_str() {
        "" => config.default_namespace.clone(),
        named => named.to_owned(),
    };
    let lead_of = Lead::default();
    let client = ClientBuilder::try_from(retry::heard(config))
        .map_err(|error| Error::Credentials(error.into()))?
        .with_layer(&lead_of)
        .build();
    let address = settings.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })?;
    observer.emit(&Event::Started { namespaces: &scopes });

    let health = Arc::new(Health::default());
    let tasks = Tasks::new(Arc::clone(&health), observer.clone());
    tokio::spawn(admin::serve(
        listener,
        Arc::clone(&health),
        Arc::clone(&observer.metrics),
    ));
    let tables = Tables {
        world: Arc::new(World::new(most_objects)),
        children: Arc::default(),
        pods: Arc::default(),
        signals: Arc::new(Signals::default()),
        reporter: Arc::new(Reporter::default()),
        observer: observer.clone(),
    };
    let (unread, mut left) = Unread::new();
    for scope in &scopes {
        crate::watch::start(&client, &tables, &tasks, scope.as_deref(), &unread);
    }
    let named: Vec<String> = scopes.into_iter().flatten().collect();
    crate::watch::namespace::start(&client, &tables, &tasks, named, &unread);
    let identity = match settings.identity.as_str() {
        "" => format!("rowlock-operator-{}", Uuid::new_v4().simple()),
        named => named.to_owned(),
    };
    let (events, writing) = Events::new(client.clone(), &identity, observer.clone());
    tasks.spawn_for_a_time("writing events".to_owned(), writing);
    let shared = Arc::new(Shared {
        events,
        secrets: Arc::new(Secrets::new(
            client.clone(),
            Arc::clone(&tables.signals),
            observer.clone(),
            tasks.clone(),
            &settings.secrets_role,
        )),
        probe: Probe::new(settings.engine_admin_port),
        allowance: Allowance::new(settings.memory_of_objects(), most_objects),
        image: settings.engine_image.clone(),
        admin_port: settings.engine_admin_port,
        operator_namespace: own_namespace.clone(),
        tables: tables.clone(),
        client: client.clone(),
    });
    let duration = Duration::from_secs(settings.lease_seconds);
    let (candidate, leads) = Candidate::new(
        client.clone(),
        &own_namespace,
        &settings.lease,
        &identity,
        duration,
        lead_of,
        observer.clone(),
    );
    let (stop, stopped) = watch::channel(false);

    let ready = async {
        let _ = left.wait_for(|left| *left == 0).await;
        observer.emit(&Event::Synced {
            objects: tables.world.len(),
        });
        health.set_ready();
    };
    let mut competing: Option<JoinHandle<()>> = None;
    let work = async {
        ready.await;
        // Who has not read everything would publish half a world.
        competing =
            Some(tasks.spawn_for_a_time("competing for the lease".to_owned(), candidate.run(stopped)));
        lead(shared, leads).await;
    };
    tokio::select! {
        () = work => {}
        ended = asked_to_end() => ended.map_err(Error::Signals)?,
    }
    // The work has stopped; now another instance may take over.
    let _ = stop.send(true);
    if let Some(competing) = competing {
        let _ = tokio::time::timeout(Duration::from_secs(3), competing).await;
    }
    observer.emit(&Event::Stopped);
    Ok(())
}

async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Works while this instance leads; for ever.
async fn lead(shared: Arc<Shared>, mut leads: watch::Receiver<bool>) {
    loop {
        if leads.wait_for(|leads| *leads).await.is_err() {
            return;
        }
        let mut lost = leads.clone();
        tokio::select! {
            () = work(&shared) => {}
            // Who does not compete any more does not lead either.
            lost = lost.wait_for(|leads| !*leads) => if lost.is_err() {
                return;
            },
        }
    }
}

/// How long after a panic a worker is begun anew.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// One worker.
struct Working {
    uid: String,
    task: JoinHandle<()>,
    /// It panicked.
    failed: Arc<AtomicBool>,
}

/// The workers of all engines; ended when this is dropped.
struct Workers {
    shared: Arc<Shared>,
    all: HashMap<ObjectKey, Working>,
}

async fn work(shared: &Arc<Shared>) {
    let Shared {
        client,
        tables,
        events,
        ..
    } = shared.as_ref();
    let mut workers = Workers {
        shared: Arc::clone(shared),
        all: HashMap::new(),
    };
    tables.reporter.look_at(tables.world.keys());
    let roster = async {
        loop {
            workers.adjust();
            tables.signals.roster.notified().await;
        }
    };
    tokio::join!(
        roster,
        tables
            .reporter
            .run(client, &tables.world, events, &tables.observer)
    );
}

impl Workers {
    /// One worker for each engine that is there.
    fn adjust(&mut self) {
        let tables = &self.shared.tables;
        let engines: BTreeMap<_, _> = tables
            .world
            .engines()
            .into_iter()
            .map(|engine| (engine.key.clone(), engine))
            .collect();
        let gone: Vec<ObjectKey> = self
            .all
            .iter()
            .filter(|(key, working)| {
                let failed = working.failed.load(Ordering::Acquire);
                failed || engines.get(*key).is_none_or(|engine| engine.uid != working.uid)
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in gone {
            self.end(&key);
        }
        for (key, engine) in engines {
            if self.all.contains_key(&key) {
                continue;
            }
            let signal = self.shared.tables.signals.register(&key);
            let worker = Worker::new(Arc::clone(&self.shared), &engine, signal);
            let failed = Arc::new(AtomicBool::default());
            let task = tokio::spawn(run_worker(
                Arc::clone(&self.shared.tables.signals),
                self.shared.tables.observer.clone(),
                key.to_string(),
                worker.run(),
                AFTER_PANIC,
                Arc::clone(&failed),
            ));
            let uid = engine.uid.clone();
            self.all.insert(key, Working { uid, task, failed });
        }
    }

    fn end(&mut self, key: &ObjectKey) {
        let Some(working) = self.all.remove(key) else {
            return;
        };
        working.task.abort();
        let tables = &self.shared.tables;
        tables.signals.forget(key);
        tables.reporter.forget(key);
        tables.observer.metrics.forget(key);
        self.shared.secrets.want(key, &std::collections::BTreeSet::new());
    }
}

/// One engine that makes its worker panic must not be without one until somebody looks.
async fn run_worker(
    signals: Arc<Signals>,
    observer: Observer,
    name: String,
    work: impl Future<Output = ()> + Send,
    pause: Duration,
    failed: Arc<AtomicBool>,
) {
    if !survived(&observer, &format!("working on {name}"), work).await {
        tokio::time::sleep(pause).await;
        failed.store(true, Ordering::Release);
        signals.roster.notify_one();
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let keys: Vec<ObjectKey> = self.all.keys().cloned().collect();
        for key in keys {
            self.end(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Level;

    #[tokio::test]
    async fn a_worker_that_panics_is_looked_for() {
        let observer = Observer::new(Level::Error, Metrics::new().expect("names differ"));
        let signals = Arc::new(Signals::default());
        let run = async |work: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
            let failed = Arc::new(AtomicBool::default());
            let (signals, observer) = (Arc::clone(&signals), observer.clone());
            run_worker(
                signals,
                observer,
                "e".to_owned(),
                work,
                Duration::ZERO,
                Arc::clone(&failed),
            )
            .await;
            failed.load(Ordering::Acquire)
        };
        assert!(!run(Box::pin(async {})).await, "its namespace is being deleted");
        assert!(run(Box::pin(async { std::panic::panic_any("made to fail") })).await);
        let told = tokio::time::timeout(Duration::from_secs(60), signals.roster.notified());
        assert!(told.await.is_ok(), "workers are looked at");
    }
}
