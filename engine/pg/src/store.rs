//! The metadata database: Hasura's `hdb_catalog` schema (catalog version 48), with the document, its resource version,
//! and notifications for the other servers.

use std::sync::Arc;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use uuid::Uuid;

use crate::connect::Target;
use crate::error::ConnectError;
use crate::source::PoolSettings;

/// The catalog version that is read and written.
pub const CATALOG_VERSION: &str = "48";

/// What can go wrong with the metadata database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection or a statement failed.
    #[error("metadata database error")]
    Database(#[from] sqlx::Error),
    /// The TLS settings do not make a connection.
    #[error("metadata database settings")]
    Settings(#[from] ConnectError),
    /// The catalog was written by a later version.
    #[error(
        "the metadata database has catalog version {found}, this server knows versions up to {known}; use a newer server"
    )]
    Newer {
        /// Version found.
        found: String,
        /// Version known.
        known: &'static str,
    },
    /// The catalog was written by an earlier version.
    #[error(
        "the metadata database has catalog version {found}, this server needs {known}; \
         upgrade it with Hasura first"
    )]
    Older {
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

/// The metadata database; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    extensions_schema: Arc<str>,
}

/// Taken by servers that start at the same time, so that one of them creates the catalog. Any number will do.
const CREATION_LOCK: i64 = 0x726f_776c_6f63_6b01;

impl Store {
    /// Makes a store; does not touch the network. `extensions_schema` is where `pgcrypto` goes if it is needed. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::Settings`]: the TLS settings are wrong.
    pub fn connect(target: &Target, pool: &PoolSettings, extensions_schema: &str) -> Result<Store, Error> {
        let mut options = PgPoolOptions::new()
            .max_connections(pool.max_connections.max(1))
            .idle_timeout(pool.idle_timeout)
            .max_lifetime(pool.connection_lifetime)
            .test_before_acquire(false);
        if let Some(timeout) = pool.pool_timeout {
            options = options.acquire_timeout(timeout);
        }
        Ok(Store {
            pool: options.connect_lazy_with(target.sqlx_options()?),
            extensions_schema: Arc::from(extensions_schema),
        })
    }

    /// Whether metadata is stored here already. Creates nothing.
    ///
    /// # Errors
    /// The database.
    pub async fn is_used(&self) -> Result<bool, Error> {
        let text = "select to_regclass('hdb_catalog.hdb_version') is not null";
        Ok(sqlx::query_scalar(text).fetch_one(&self.pool).await?)
    }

    /// Creates `hdb_catalog` if it is missing, and checks its version.
    ///
    /// # Errors
    /// [`Error::Newer`], [`Error::Older`], or the database.
    pub async fn prepare(&self) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("select pg_advisory_xact_lock($1)")
            .bind(CREATION_LOCK)
            .execute(&mut *transaction)
            .await?;
        let exists: bool = sqlx::query_scalar("select to_regclass('hdb_catalog.hdb_version') is not null")
            .fetch_one(&mut *transaction)
            .await?;
        let version: Option<String> = if exists {
            sqlx::query_scalar("select version from hdb_catalog.hdb_version")
                .fetch_optional(&mut *transaction)
                .await?
        } else {
            None
        };
        match version {
            Some(found) => check_version(found)?,
            None if exists => {
                sqlx::query("insert into hdb_catalog.hdb_version (version, upgraded_on) values ($1, now())")
                    .bind(CATALOG_VERSION)
                    .execute(&mut *transaction)
                    .await?;
            }
            None => self.create(&mut transaction).await?,
        }
        Ok(transaction.commit().await?)
    }

    async fn create(&self, transaction: &mut Transaction<'_, Postgres>) -> Result<(), Error> {
        // Built in since Postgres 13.
        let has_uuids: bool = sqlx::query_scalar("select to_regproc('gen_random_uuid') is not null")
            .fetch_one(&mut **transaction)
            .await?;
        if !has_uuids {
            let mut text = "create extension if not exists pgcrypto schema ".to_owned();
            sql::name::Identifier::from(&*self.extensions_schema).write(&mut text);
            sqlx::raw_sql(AssertSqlSafe(text))
                .execute(&mut **transaction)
                .await?;
        }
        sqlx::raw_sql(include_str!("store/prepare.sql"))
            .execute(&mut **transaction)
            .await?;
        sqlx::raw_sql(include_str!("store/create.sql"))
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// `hdb_version.hasura_uuid`.
    ///
    /// # Errors
    /// The database.
    pub async fn database_id(&self) -> Result<Uuid, Error> {
        Ok(
            sqlx::query_scalar("select hasura_uuid from hdb_catalog.hdb_version")
                .fetch_one(&self.pool)
                .await?,
        )
    }

    /// The stored document.
    ///
    /// # Errors
    /// The database.
    pub async fn metadata(&self) -> Result<StoredMetadata, Error> {
        let row: Option<(String, i32)> = sqlx::query_as(
            "select metadata::text, resource_version from hdb_catalog.hdb_metadata where id = 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            Some((metadata, version)) => StoredMetadata {
                metadata: Some(metadata),
                resource_version: i64::from(version),
            },
            None => StoredMetadata {
                metadata: None,
                resource_version: 0,
            },
        })
    }

    /// The stored resource version alone; 0 if nothing was stored yet.
    ///
    /// # Errors
    /// The database.
    pub async fn resource_version(&self) -> Result<i64, Error> {
        version(self.pool.acquire().await?.as_mut()).await
    }

    /// Stores a document if `referenced` is still the current version, and tells the other servers, in one transaction.
    /// Gives the new version.
    ///
    /// # Errors
    /// [`Error::Conflict`], or the database.
    pub async fn replace(
        &self,
        metadata: &str,
        referenced: i64,
        notification: &str,
        instance_id: Uuid,
    ) -> Result<i64, Error> {
        let mut transaction = self.pool.begin().await?;
        let new: Option<i32> = if referenced == 0 {
            let text = "insert into hdb_catalog.hdb_metadata (id, metadata) values (1, $1::json) \
                        on conflict (id) do nothing returning resource_version";
            sqlx::query_scalar(text)
                .bind(metadata)
                .fetch_optional(&mut *transaction)
                .await?
        } else {
            sqlx::query_scalar(include_str!("store/replace.sql"))
                .bind(metadata)
                // A version that no integer holds is not the current one.
                .bind(i32::try_from(referenced).unwrap_or(-1))
                .fetch_optional(&mut *transaction)
                .await?
        };
        let Some(new) = new else {
            let current = version(&mut transaction).await?;
            return Err(Error::Conflict { referenced, current });
        };
        write_notification(&mut transaction, notification, new, instance_id).await?;
        transaction.commit().await?;
        Ok(i64::from(new))
    }

    /// Tells the other servers to read again (`reload_metadata`) if `referenced` is still the current version: the
    /// version grows, and the document stays where it is. Gives the new version.
    ///
    /// # Errors
    /// [`Error::Conflict`], or the database.
    pub async fn touch(&self, referenced: i64, notification: &str, instance_id: Uuid) -> Result<i64, Error> {
        let mut transaction = self.pool.begin().await?;
        let text = "update hdb_catalog.hdb_metadata set resource_version = resource_version + 1 \
                    where id = 1 and resource_version = $1 returning resource_version";
        let new: Option<i32> = sqlx::query_scalar(text)
            // A version that no integer holds is not the current one.
            .bind(i32::try_from(referenced).unwrap_or(-1))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(new) = new else {
            let current = version(&mut transaction).await?;
            return Err(Error::Conflict { referenced, current });
        };
        write_notification(&mut transaction, notification, new, instance_id).await?;
        transaction.commit().await?;
        Ok(i64::from(new))
    }

    /// The last change that another server made after version `mine`.
    ///
    /// # Errors
    /// The database.
    pub async fn notification_after(
        &self,
        mine: i64,
        instance_id: Uuid,
    ) -> Result<Option<Notification>, Error> {
        let text = "select notification::text, resource_version, instance_id from hdb_catalog.hdb_schema_notifications \
                    where resource_version > $1 and instance_id <> $2";
        let row: Option<(String, i32, Uuid)> = sqlx::query_as(text)
            .bind(mine)
            .bind(instance_id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|(notification, version, instance_id)| Notification {
            notification,
            resource_version: i64::from(version),
            instance_id,
        }))
    }

    /// The states of CLI and console, as JSON text.
    ///
    /// # Errors
    /// The database.
    pub async fn catalog_state(&self) -> Result<(String, String), Error> {
        let text = "select cli_state::text, console_state::text from hdb_catalog.hdb_version";
        Ok(sqlx::query_as(text).fetch_one(&self.pool).await?)
    }

    /// Replaces one of the states with a JSON text.
    ///
    /// # Errors
    /// The database.
    pub async fn set_catalog_state(&self, state: CatalogState, json: &str) -> Result<(), Error> {
        let text = match state {
            CatalogState::Cli => "update hdb_catalog.hdb_version set cli_state = $1::jsonb",
            CatalogState::Console => "update hdb_catalog.hdb_version set console_state = $1::jsonb",
        };
        sqlx::query(text).bind(json).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// The database.
    pub async fn check(&self) -> Result<(), Error> {
        sqlx::query("select 1").execute(&self.pool).await?;
        Ok(())
    }

    /// Closes all connections, after what runs on them.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Versions are numbers, in early catalogs with a fraction.
fn check_version(found: String) -> Result<(), Error> {
    let known = CATALOG_VERSION;
    match (found.parse::<f64>(), known.parse::<f64>()) {
        (Ok(version), Ok(ours)) if version == ours => Ok(()),
        (Ok(version), Ok(ours)) if version < ours => Err(Error::Older { found, known }),
        _ => Err(Error::Newer { found, known }),
    }
}

async fn version(connection: &mut PgConnection) -> Result<i64, Error> {
    let version: Option<i32> =
        sqlx::query_scalar("select resource_version from hdb_catalog.hdb_metadata where id = 1")
            .fetch_optional(connection)
            .await?;
    Ok(version.map_or(0, i64::from))
}

async fn write_notification(
    connection: &mut PgConnection,
    notification: &str,
    version: i32,
    instance_id: Uuid,
) -> Result<(), Error> {
    sqlx::query(include_str!("store/notify.sql"))
        .bind(notification)
        .bind(version)
        .bind(instance_id)
        .execute(connection)
        .await?;
    Ok(())
}
