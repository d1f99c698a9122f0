//! The metadata database: Hasura's `hdb_catalog` schema (catalog version 48), with the document, its resource version,
//! and notifications for the other servers.

use uuid::Uuid;

use crate::connect::Target;
use crate::source::PoolSettings;

/// The catalog version that is read and written.
pub const CATALOG_VERSION: &str = "48";

/// What can go wrong with the metadata database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection or a statement failed.
    #[error("metadata database: {0}")]
    Database(String),
    /// The catalog was written by a later version.
    #[error("the metadata database has catalog version {found}, this server knows up to {known}")]
    Newer {
        /// Version found.
        found: String,
        /// Version known.
        known: &'static str,
    },
    /// Somebody else changed the metadata first (409, `conflict`).
    #[error("metadata resource version referenced ({referenced}) did not match current version")]
    Conflict {
        /// The version that the caller's change is based on.
        referenced: i64,
        /// The version in the database.
        current: i64,
    },
}

/// The stored document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMetadata {
    /// The document as JSON text; `None` if none was stored yet.
    pub metadata: Option<String>,
    /// Its resource version; 0 if none was stored yet.
    pub resource_version: i64,
}

/// A change that another server made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What to read again: `{metadata, remote_schemas, sources, data_connectors}` as JSON text.
    pub notification: String,
    /// The resource version it led to.
    pub resource_version: i64,
    /// Who made it.
    pub instance_id: Uuid,
}

/// Which of the two free-form states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatalogState {
    /// `cli`
    Cli,
    /// `console`
    Console,
}

/// The metadata database.
#[derive(Debug, Clone)]
pub struct Store {}

impl Store {
    /// Makes a store; does not touch the network. `extensions_schema` is where `pgcrypto` goes if it is needed.
    ///
    /// # Errors
    /// The TLS settings are wrong.
    pub fn connect(_target: &Target, _pool: &PoolSettings, _extensions_schema: &str) -> Result<Store, Error> {
        Ok(Store {})
    }

    /// Creates `hdb_catalog` if it is missing, and checks its version.
    ///
    /// # Errors
    /// [`Error::Newer`], or the database.
    pub async fn prepare(&self) -> Result<(), Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// `hdb_version.hasura_uuid`.
    ///
    /// # Errors
    /// The database.
    pub async fn database_id(&self) -> Result<Uuid, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// The stored document.
    ///
    /// # Errors
    /// The database.
    pub async fn metadata(&self) -> Result<StoredMetadata, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// The stored resource version alone; 0 if nothing was stored yet.
    ///
    /// # Errors
    /// The database.
    pub async fn resource_version(&self) -> Result<i64, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// Stores a document if `referenced` is still the current version, and tells the other servers, in one transaction.
    /// Gives the new version.
    ///
    /// # Errors
    /// [`Error::Conflict`], or the database.
    pub async fn replace(
        &self,
        _metadata: &str,
        _referenced: i64,
        _notification: &str,
        _instance_id: Uuid,
    ) -> Result<i64, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// Tells the other servers to read again without changing the document (`reload_metadata`).
    ///
    /// # Errors
    /// The database.
    pub async fn notify(&self, _notification: &str, _instance_id: Uuid) -> Result<i64, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// The last change that another server made after version `mine`.
    ///
    /// # Errors
    /// The database.
    pub async fn notification_after(
        &self,
        _mine: i64,
        _instance_id: Uuid,
    ) -> Result<Option<Notification>, Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// The states of CLI and console, as JSON text.
    ///
    /// # Errors
    /// The database.
    pub async fn catalog_state(&self) -> Result<(String, String), Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// Replaces one of the states with a JSON text.
    ///
    /// # Errors
    /// The database.
    pub async fn set_catalog_state(&self, _state: CatalogState, _json: &str) -> Result<(), Error> {
        Err(Error::Database("no connection".to_owned()))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The database.
    pub async fn check(&self) -> Result<(), Error> {
        Err(Error::Database("no connection".to_owned()))
    }
}
