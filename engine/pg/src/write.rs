//! A read-write transaction on a connection of its own.

pub(crate) mod alone;
mod pipeline;

use std::sync::atomic::Ordering;
use std::time::Instant;

use sql::Statement;

use crate::error::Error;
use crate::execute::parameter::Values;
use crate::execute::{self, Json, Sink};
use crate::pool::{Exclusive, Known};

pub use pipeline::{Failed, Work};

/// A transaction, begun with its first statement. Dropping it rolls back.
#[derive(Debug)]
pub struct Write {
    connection: Exclusive,
    /// What is still to be sent before the first statement.
    begin: Option<Begin>,
}

#[derive(Debug)]
struct Begin {
    /// A JSON object.
    session_variables: Option<String>,
    /// A JSON object.
    trace_context: Option<String>,
}

impl Write {
    /// With the session variables (a JSON object) as `hasura.user` for triggers and functions.
    pub(crate) fn new(connection: Exclusive, session_variables: Option<&str>) -> Write {
        let begin = Begin {
            session_variables: session_variables.map(str::to_owned),
            trace_context: None,
        };
        Write {
            connection,
            begin: Some(begin),
        }
    }

    /// With the request's trace (a JSON object) as `hasura.tracecontext`. To be called before the first statement.
    #[must_use]
    pub fn with_trace_context(mut self, trace_context: Option<&str>) -> Write {
        if let Some(begin) = &mut self.begin {
            begin.trace_context = trace_context.map(str::to_owned);
        }
        self
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
        pool.counters.statements.fetch_add(1, Ordering::Relaxed);
        let mut sink = Json::new(&statement.shape, limit, out);
        let begin = self.begin.take();
        let mut result = self
            .run(begin.as_ref(), Some(&known), statement, &values, &mut sink)
            .await;
        // Nothing of a transaction that only has begun is kept by the server, so it can be begun again.
        if let (Some(_), Err(error)) = (&begin, &result) {
            let stale = execute::prepared_is_stale(error);
            if stale {
                sink.restart();
                self.connection.end_transaction("ROLLBACK").await?;
            } else if matches!(error, Error::Lost(_)) {
                sink.restart();
                self.connection.reconnect().await?;
            }
            if stale || matches!(error, Error::Lost(_)) {
                result = self
                    .run(begin.as_ref(), Some(&known), statement, &values, &mut sink)
                    .await;
            }
        }
        if result.is_err() {
            sink.restart();
            pool.counters.statement_errors.fetch_add(1, Ordering::Relaxed);
        }
        result.map_err(|error| execute::describe(error, &known, pool.prepares()))
    }

    /// Runs statements for what they fail of: in order, one after the other, and none is prepared, kept or learnt from. What
    /// they answer is thrown away, and the transaction is only to be rolled back.
    ///
    /// # Errors
    /// The first statement that failed.
    pub async fn rehearse(
        &mut self,
        statements: &[&Statement],
        values: &[Option<String>],
        limit: usize,
    ) -> Result<(), Failed> {
        let mut out = Vec::new();
        for (position, statement) in statements.iter().enumerate() {
            let failed = |error| Failed { position, error };
            let values = execute::values(&statement.parameters, values).map_err(failed)?;
            out.clear();
            let mut sink = Json::new(&statement.shape, Some(limit), &mut out);
            let begin = self.begin.take();
            self.run(begin.as_ref(), None, statement, &values, &mut sink)
                .await
                .map_err(failed)?;
        }
        Ok(())
    }

    /// Runs a statement, after the transaction's beginning where that was not sent yet.
    ///
    /// With nothing known of it, it is not prepared.
    async fn run(
        &mut self,
        begin: Option<&Begin>,
        known: Option<&Known>,
        statement: &Statement,
        values: &Values<'_>,
        sink: &mut Json<'_>,
    ) -> Result<(), Error> {
        let pool = self.connection.pool().clone();
        let prepares = pool.prepares();
        self.connection.running();
        let session = self.connection.session()?;
        let now = Instant::now();
        session.touch(now);
        let work = async {
            if let (true, Some(known)) = (prepares, known) {
                execute::run_prepared(session, known, statement, values, sink, now)
                    .await
                    .map(|()| false)
            } else {
                execute::run_unnamed(&session.client, statement, values, sink).await
            }
        };
        let result = match begin {
            None => work.await,
            Some(begin) => {
                let text = pool.isolation().begin_read_write(prepares);
                // Polled in this order, so sent in this order, without waiting in between.
                let (before, begun, set, result) = futures_util::future::join4(
                    begin.set_before(session, prepares),
                    session.client.batch_execute(text),
                    begin.set_within(session, prepares),
                    work,
                )
                .await;
                before.and(begun.map_err(Error::from)).and(set).and(result)
            }
        };
        if let (Err(error), Some(known)) = (&result, known)
            && execute::prepared_is_stale(error)
        {
            session.forget(known);
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
        result.map(|_| ())
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred constraint or a serialization failure, or the connection is lost.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(&mut self, text: &str) -> Result<(), Error> {
        // Without a statement there is nothing to end.
        if self.begin.is_some() {
            return Ok(());
        }
        self.connection.end_transaction(text).await
    }
}
