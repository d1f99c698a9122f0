//! The start: the metadata storage, the first document, the first generation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use compile::LastAccepted;
use metadata::document::{Known, TextError};
use metadata::source::{DatabaseUrl, PoolSettings};
use metadata::{Document, Source};
use rate::{Rates, Shared};
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use super::away::Away;
use super::standing::Standing;
use super::{FIRST_PATIENCE, State, build, delivered, has_outdated, introspect_within, open_sources};
use crate::auth::Authenticator;
use crate::directory;
use crate::generation::Provenance;
use crate::generation::aside::{Urgency, aside};
use crate::generation::source_state::describe;
use crate::observe::log::Level;
use crate::observe::{Event, Observer};
use crate::outbound::{Client, SetupError};
use crate::settings::{Address, DefaultSource, Origin, Settings};
use crate::websocket::Registry;

/// Connections to the metadata database: a poll, a command and a health check at a time, and two to spare.
const STORE_CONNECTIONS: u32 = 5;

/// How long the metadata database may take to give a connection.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// Pause between two attempts to reach the metadata database.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// The notification that makes other instances read everything again.
pub const EVERYTHING: &str = r#"{"metadata":true,"remote_schemas":[],"sources":[],"data_connectors":[]}"#;

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The URL of the metadata database cannot be read.
    #[error("the URL of the metadata database cannot be read")]
    Url(#[source] pg::connect::ParseError),
    /// Neither a metadata database nor another origin was given.
    #[error("neither a database nor a metadata database was given")]
    NoDatabase,
    /// The metadata database does not answer.
    #[error("the metadata database cannot be reached")]
    Unreachable(#[source] pg::Error),
    /// The metadata database does not do what it should or is of a newer version.
    #[error(transparent)]
    Store(#[from] pg::store::Error),
    /// The stored document cannot be read.
    #[error("the stored metadata cannot be read at {path}: {message}")]
    Document {
        /// Where in the document.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Requests cannot be sent.
    #[error(transparent)]
    Outbound(#[from] SetupError),
    /// The Redis that counts requests cannot be used.
    #[error("HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL")]
    Redis(#[source] rate::UrlError),
    /// The metadata directory cannot be read.
    #[error("the directory cannot be read: {0}")]
    Directory(String),
    /// There is no way to the Kubernetes API.
    #[error(transparent)]
    Kubernetes(#[from] kubernetes::Error),
}

impl State {
    /// Opens the metadata storage, reads or creates the document and builds the first generation. Sources that do not
    /// answer and objects that are wrong do not keep it from starting.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn start(settings: Arc<Settings>, observer: Observer) -> Result<Arc<Self>, StartError> {
        let instance_id = Uuid::new_v4();
        let client = Client::new(&settings.outbound)?;
        let counters = counters(&settings)?;
        let store = match &settings.metadata_database_url {
            Some(url) => {
                let target = pg::Target::parse(url.reveal()).map_err(StartError::Url)?;
                let pool = pg::PoolSettings {
                    max_connections: STORE_CONNECTIONS,
                    pool_timeout: Some(STORE_PATIENCE),
                    ..pg::PoolSettings::default()
                };
                let store = pg::Store::connect(&target, &pool, &settings.metadata_extensions_schema)?;
                prepare(&store, target, settings.retries, &observer).await?;
                Some(store)
            }
            None => None,
        };
        let mut provenance = Provenance::default();
        let mut environment = settings.for_documents(settings.environment.clone());
        let mut found = None;
        let known = Mutex::default();
        let (document, resource_version) = match (&settings.origin, &store) {
            (Origin::Directory(folder), _) => {
                let read = || {
                    let loaded = directory::load(folder, &settings.directory, &directory::Readable::new())?;
                    let contents = loaded.contents(&LastAccepted::nothing(), &directory::Held::default());
                    Ok((loaded, contents))
                };
                let (loaded, mut contents) = aside(Urgency::Now, read).map_err(StartError::Directory)?;
                let variables = std::mem::take(&mut contents.variables);
                environment = settings.for_documents(settings.environment.with(variables));
                provenance = std::mem::take(&mut contents.provenance);
                let document = std::mem::take(&mut contents.document);
                found = Some((folder.clone(), loaded, contents));
                (document, 0)
            }
            (Origin::ConfigMap(_), _) => {
                let (kept, trouble) = delivered::kept(settings.state_dir.as_deref(), &known);
                if let Some(message) = trouble {
                    let level = Level::Error;
                    observer.emit(Event::Unstructured { level, message });
                }
                let (document, of) = kept.unwrap_or_default();
                provenance = of;
                (document, 0)
            }
            (_, Some(store)) => first_document(store, &settings, instance_id, &known).await?,
            (_, None) => return Err(StartError::NoDatabase),
        };
        observer.emit(Event::Startup {
            kind: "metadata",
            info: json!({"origin": settings.origin.to_string(), "resource_version": resource_version}),
        });
        let document = Arc::new(document);
        let mut sources = open_sources(&document, &settings, &environment, None);
        introspect_within(&document, &mut sources, |_, _| true, FIRST_PATIENCE).await;
        let generation = build(document, sources, &settings, None, resource_version)
            .await
            .made_of(Arc::new(provenance));
        observer.emit(Event::Startup {
            kind: "schema_cache",
            info: json!({
                "sources": generation.sources.len(),
                "inconsistent_objects": generation.problems.len(),
                "seconds": generation.build_time.as_secs_f64(),
            }),
        });
        aside(Urgency::Now, || {
            generation.hash();
        });
        let plans = Arc::new(plan::PlanCache::new(settings.plan_cache_bytes));
        let state = Self {
            plans,
            authenticator: ArcSwap::from_pointee(Authenticator::new(
                settings.authentication.clone(),
                client.clone(),
                observer.clone(),
            )),
            client,
            environment: ArcSwap::from_pointee(environment),
            authenticated_by: Mutex::new(settings.environment.clone()),
            admin_token: ArcSwapOption::from_pointee(
                settings
                    .changeable
                    .admin_token(&settings.environment)
                    .unwrap_or_default(),
            ),
            standing: Standing::default(),
            websockets: Registry::new(settings.websockets.max_connections),
            settings,
            rates: Rates::new(counters.clone()),
            counters,
            instance_id,
            observer,
            generation: ArcSwap::from_pointee(generation.clone()),
            known,
            store,
            writer: tokio::sync::Mutex::new(()),
            told: Mutex::default(),
            check: tokio::sync::Mutex::new(()),
            health: Mutex::new(BTreeMap::new()),
            draining: false.into(),
            reached: false.into(),
            away: Away::default(),
            look: Notify::new(),
        };
        for source in generation.sources.values() {
            if let Some(trouble) = source.trouble.clone() {
                state.away.missed(source, trouble);
            }
        }
        if !generation.is_consistent() {
            let objects = generation.inconsistent_objects().into();
            state.observer.emit(Event::InconsistentMetadata(objects));
        }
        state.swap(generation);
        if let Some((folder, loaded, mut contents)) = found {
            if has_outdated(&state.current()) {
                contents = state.take_folder(&loaded).await;
            }
            state.tell_findings(&folder, &contents);
        }
        Ok(Arc::new(state))
    }
}

/// The Redis that counts requests, if there is one.
fn counters(settings: &Settings) -> Result<Option<Arc<Shared>>, StartError> {
    let Some(redis) = &settings.rate_limit_redis else {
        return Ok(None);
    };
    let authorities = match &settings.outbound.authorities {
        Some(path) => Some(std::fs::read(path).map_err(|error| SetupError::Authorities {
            path: path.clone(),
            reason: error.to_string(),
        })?),
        None => None,
    };
    Shared::new(redis.url.reveal(), redis.tls, authorities)
        .map(|shared| Some(Arc::new(shared)))
        .map_err(StartError::Redis)
}

/// Waits for the metadata database, as often as the settings say, then creates or checks `hdb_catalog`.
async fn prepare(
    store: &pg::Store,
    target: pg::Target,
    retries: u64,
    observer: &Observer,
) -> Result<(), StartError> {
    // The store's pool would only say that it ran out of time; one plain connection says why.
    let probe = pg::Source::connect(pg::SourceConfig {
        name: "metadata".to_owned(),
        primary: pg::Member {
            label: "metadata".to_owned(),
            target,
            pool: pg::PoolSettings {
                max_connections: 1,
                retries: 0,
                ..pg::PoolSettings::default()
            },
            isolation_level: pg::IsolationLevel::default(),
            use_prepared_statements: false,
        },
        replicas: Vec::new(),
        connection_set: Vec::new(),
    });
    let mut left = retries;
    while let Some(error) = match probe.check("select 1", STORE_PATIENCE).await {
        pg::Health::Ok => None,
        pg::Health::Timeout => Some(pg::Error::PoolTimeout),
        pg::Health::Failed(error) | pg::Health::Error(error) => Some(error),
    } {
        if left == 0 {
            return Err(StartError::Unreachable(error));
        }
        left -= 1;
        observer.emit(Event::Unstructured {
            level: Level::Warn,
            message: format!(
                "the metadata database cannot be reached: {}; trying again",
                describe(&error)
            ),
        });
        tokio::time::sleep(RETRY_PAUSE).await;
    }
    Ok(store.prepare().await?)
}

async fn first_document(
    store: &pg::Store,
    settings: &Settings,
    instance_id: Uuid,
    known: &Mutex<Known>,
) -> Result<(Document, i64), StartError> {
    loop {
        let stored = store.metadata().await?;
        if let Some(text) = &stored.metadata {
            let document = aside(Urgency::Now, || parse(text, known))?;
            return Ok((document, stored.resource_version));
        }
        let mut document = Document::default();
        if let Some(default) = &settings.default_source {
            document
                .sources
                .insert("default".to_owned(), default_source(default, settings));
        }
        match store
            .replace(
                &document.to_text(),
                stored.resource_version,
                EVERYTHING,
                instance_id,
            )
            .await
        {
            Ok(version) => return Ok((document, version)),
            // Another instance was first: its document is the one.
            Err(pg::store::Error::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The source `default`, with the pool settings written out as Hasura does.
fn default_source(default: &DefaultSource, settings: &Settings) -> Source {
    let database_url = match &default.address {
        Address::FromVariable => DatabaseUrl::FromEnv("HASURA_GRAPHQL_DATABASE_URL".to_owned()),
        Address::Url(url) => DatabaseUrl::Url(url.reveal().to_owned()),
    };
    let mut configuration = metadata::source::SourceConfiguration::new(database_url);
    let info = &mut configuration.connection_info;
    info.use_prepared_statements = default.use_prepared_statements;
    info.isolation_level = default.isolation;
    info.pool_settings = Some(PoolSettings {
        max_connections: Some(settings.pool.max_connections),
        idle_timeout: Some(settings.pool.idle_timeout.as_secs()),
        retries: Some(settings.retries),
        connection_lifetime: Some(
            settings
                .pool
                .connection_lifetime
                .map_or(0, |lifetime| lifetime.as_secs())
                .into(),
        ),
        ..PoolSettings::default()
    });
    Source {
        configuration,
        ..Source::default()
    }
}

/// Reads a stored document. What it has in common with `known` ones is shared with them.
///
/// # Errors
/// Where and why it cannot be read.
pub fn parse(text: &str, known: &Mutex<Known>) -> Result<Document, StartError> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    Document::from_text_knowing(text, &mut known).map_err(|error| match error {
        TextError::Json(error) => StartError::Document {
            path: "$".to_owned(),
            message: error.to_string(),
        },
        TextError::Document(error) => StartError::Document {
            path: error.path.to_string(),
            message: error.message,
        },
    })
}
