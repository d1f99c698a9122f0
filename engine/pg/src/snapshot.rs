//! A read-only transaction of the engine's own, in which everything is seen as at one moment.

use std::sync::Arc;
use std::time::Instant;

use tokio_postgres::Client;

use crate::error::Error;
use crate::pool::{Exclusive, Pool, Purpose};
use crate::source::IsolationLevel;

/// An open transaction. Dropping it cancels what runs in it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    connection: Exclusive,
}

impl Snapshot {
    /// Begins; on a new connection if the one at hand turns out to be dead.
    pub(crate) async fn begin(pool: &Arc<Pool>) -> Result<Snapshot, Error> {
        match Snapshot::on(pool.exclusive(Purpose::Reading).await?).await {
            Err(Error::Lost(_)) => Snapshot::on(pool.exclusive_new().await?).await,
            other => other,
        }
    }

    /// The same for a look at the database itself, which does not wait for connections that others have.
    pub(crate) async fn look(pool: &Arc<Pool>) -> Result<Snapshot, Error> {
        match Snapshot::on(pool.looking().await?).await {
            Err(Error::Lost(_)) => Snapshot::on(pool.exclusive_new().await?).await,
            other => other,
        }
    }

    async fn on(mut connection: Exclusive) -> Result<Snapshot, Error> {
        connection.running();
        connection.session()?.touch(Instant::now());
        let begin = IsolationLevel::RepeatableRead.begin_read_only();
        connection.session()?.client.batch_execute(begin).await?;
        Ok(Snapshot { connection })
    }

    pub(crate) fn client(&self) -> Result<&Client, Error> {
        Ok(&self.connection.session()?.client)
    }

    /// Ends, whatever came of the work in it, and gives that.
    pub(crate) async fn end<T>(mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.is_ok() || matches!(result, Err(Error::Database(_))) {
            self.connection.end_transaction("ROLLBACK").await?;
        }
        result
    }
}
