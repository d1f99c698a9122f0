//! A read-write transaction on a connection of its own.

use std::sync::atomic::Ordering;
use std::time::Instant;

use sql::Statement;
use tokio_postgres::types::Type;

use crate::error::Error;
use crate::execute::parameter::Text;
use crate::execute::{self, Json, Sink};
use crate::pool::Exclusive;

/// An open transaction. Dropping it rolls back.
#[derive(Debug)]
pub struct Write {
    connection: Exclusive,
}

impl Write {
    /// Begins, with the session variables (a JSON object) as `hasura.user` for triggers and functions.
    pub(crate) async fn begin(
        mut connection: Exclusive,
        session_variables: Option<&str>,
    ) -> Result<Write, Error> {
        let begin = connection.pool().isolation().begin_read_write();
        connection.running();
        let session = connection.session()?;
        session.touch(Instant::now());
        let client = &session.client;
        let set = async {
            let Some(variables) = session_variables else {
                return Ok(0);
            };
            let parameters = [(Text(Some(variables)), Type::TEXT)];
            let text = "select set_config('hasura.user', $1, true)";
            let rows = client.query_typed_raw(text, parameters).await?;
            futures_util::TryStreamExt::try_fold(rows, 0, |count, _| async move { Ok(count + 1) }).await
        };
        // Polled in this order, so sent in this order, without waiting in between.
        let (begun, set) = futures_util::future::join(client.batch_execute(begin), set).await;
        begun?;
        set?;
        connection.in_transaction();
        Ok(Write { connection })
    }

    /// Runs a statement and appends its JSON to `out`.
    ///
    /// # Errors
    /// `out` is as it was before; the transaction can only be rolled back.
    pub async fn execute(
        &mut self,
        statement: &Statement,
        values: &[Option<String>],
        limit: Option<usize>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let values = execute::values(&statement.parameters, values)?;
        let pool = self.connection.pool().clone();
        let known = pool.estimates.of(statement);
        let prepares = pool.prepares();
        pool.counters.statements.fetch_add(1, Ordering::Relaxed);
        let mut sink = Json::new(&statement.shape, limit, out);
        self.connection.running();
        let session = self.connection.session()?;
        let result = if prepares {
            execute::run_prepared(session, &known, statement, &values, &mut sink, Instant::now())
                .await
                .map(|()| false)
        } else {
            execute::run_unnamed(&session.client, statement, &values, &mut sink).await
        };
        if let Err(error) = &result {
            sink.restart();
            pool.counters.statement_errors.fetch_add(1, Ordering::Relaxed);
            if execute::prepared_is_stale(error) {
                // The transaction is lost, but the next one prepares it anew.
                session.forget(&known);
            }
        }
        if !prepares
            && result
                .as_ref()
                .map_or_else(execute::prepared_is_stale, |asked| *asked)
        {
            self.connection.close_after_use();
        }
        if result.is_ok() || matches!(result, Err(Error::Database(_))) {
            self.connection.in_transaction();
        }
        result
            .map(|_| ())
            .map_err(|error| execute::describe(error, &known, prepares))
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred constraint or a serialization failure, or the connection is lost.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.connection.end_transaction("COMMIT").await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.connection.end_transaction("ROLLBACK").await
    }
}
