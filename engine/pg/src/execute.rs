//! Runs statements on connections and writes what comes back.
//!
//! Parameters go in text form, rows come back in binary and are written to the response as they arrive.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Instant;

use futures_util::TryStreamExt;
use sql::shape::{Cardinality, Shape};
use sql::{Parameter, Statement};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, RowStream};

use crate::codec::{self, Fields, Record, Scratch};
use crate::error::Error;
use crate::execute::parameter::{Text, Values};
use crate::execute::row::{ColumnBytes, RowFields};
use crate::pool::{Exclusive, Known, Place, Pool, Session, Shared};

pub(crate) mod parameter;
mod row;

/// Where the rows of a read go.
pub(crate) trait Sink {
    /// Begins again: what was taken so far came from an attempt that failed.
    fn restart(&mut self);
    /// Takes one row.
    fn row(&mut self, fields: &impl Fields, scratch: &mut Scratch) -> Result<(), Error>;
    /// All rows were taken.
    fn finish(&mut self) -> Result<(), Error>;
}

/// Writes all rows as one JSON value, as the shape says.
pub(crate) struct Json<'a> {
    shape: &'a Shape,
    limit: Option<usize>,
    start: usize,
    rows: u64,
    out: &'a mut Vec<u8>,
}

impl<'a> Json<'a> {
    pub(crate) fn new(shape: &'a Shape, limit: Option<usize>, out: &'a mut Vec<u8>) -> Json<'a> {
        Json {
            shape,
            limit,
            start: out.len(),
            rows: 0,
            out,
        }
    }

    fn check(&self) -> Result<(), Error> {
        match self.limit {
            Some(limit) if self.out.len() - self.start > limit => Err(Error::TooLarge { limit }),
            _ => Ok(()),
        }
    }
}

impl Sink for Json<'_> {
    fn restart(&mut self) {
        self.out.truncate(self.start);
        self.rows = 0;
    }

    fn row(&mut self, fields: &impl Fields, scratch: &mut Scratch) -> Result<(), Error> {
        match (self.shape.cardinality, self.rows) {
            (Cardinality::List, 0) => self.out.push(b'['),
            (Cardinality::List, _) => self.out.push(b','),
            (Cardinality::OneOrNull, 0) => {}
            (Cardinality::OneOrNull, _) => return Ok(()),
        }
        self.rows += 1;
        codec::write_value(&self.shape.row, fields, scratch, 0, self.out)?;
        self.check()
    }

    fn finish(&mut self) -> Result<(), Error> {
        match (self.shape.cardinality, self.rows) {
            (Cardinality::List, 0) => self.out.extend_from_slice(b"[]"),
            (Cardinality::List, _) => self.out.push(b']'),
            (Cardinality::OneOrNull, 0) => self.out.extend_from_slice(b"null"),
            (Cardinality::OneOrNull, _) => {}
        }
        self.check()
    }
}

/// Writes each row as a JSON value of its own, under the key in its first column.
pub(crate) struct Keyed<'a> {
    shape: &'a Shape,
    limit: Option<usize>,
    pub(crate) rows: Vec<(String, Vec<u8>)>,
}

impl<'a> Keyed<'a> {
    pub(crate) fn new(shape: &'a Shape, limit: Option<usize>) -> Keyed<'a> {
        Keyed {
            shape,
            limit,
            rows: Vec::new(),
        }
    }
}

impl Sink for Keyed<'_> {
    fn restart(&mut self) {
        self.rows.clear();
    }

    fn row(&mut self, fields: &impl Fields, scratch: &mut Scratch) -> Result<(), Error> {
        let key = fields
            .field(0, scratch)?
            .and_then(|key| std::str::from_utf8(key).ok());
        let key = key.ok_or(codec::Error::Malformed("key"))?.to_owned();
        let mut out = Vec::new();
        codec::write_value(&self.shape.row, fields, scratch, 0, &mut out)?;
        if let Some(limit) = self.limit.filter(|limit| out.len() > *limit) {
            return Err(Error::TooLarge { limit });
        }
        self.rows.push((key, out));
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Runs a read on whichever connection is best, trying once more where that can help.
pub(crate) async fn read(
    pool: &Arc<Pool>,
    statement: &Statement,
    values: &[Option<String>],
    sink: &mut impl Sink,
) -> Result<(), Error> {
    let values = Values::new(&statement.parameters, values)?;
    let known = pool.estimates.of(statement);
    pool.counters.statements.fetch_add(1, Ordering::Relaxed);
    let result = attempt(pool, &known, statement, &values, sink).await;
    if result.is_err() {
        sink.restart();
        pool.counters.statement_errors.fetch_add(1, Ordering::Relaxed);
    }
    result
}

async fn attempt(
    pool: &Arc<Pool>,
    known: &Arc<Known>,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
) -> Result<(), Error> {
    if known.is_short()
        && let Some(shared) = pool.shared()
    {
        match on_reader(shared, known, statement, values, sink).await {
            Ok(Outcome::Done) => return Ok(()),
            Ok(Outcome::HeldUp) => {}
            Err(Error::Lost(_)) => {}
            Err(other) => return Err(other),
        }
        sink.restart();
    }
    let exclusive = match pool.any().await? {
        Place::Exclusive(exclusive) => *exclusive,
        Place::Shared(shared) => {
            return match on_reader(shared, known, statement, values, sink).await? {
                Outcome::Done => Ok(()),
                // It stayed as long as it could.
                Outcome::HeldUp => Err(Error::PoolTimeout),
            };
        }
    };
    match on_exclusive(exclusive, known, statement, values, sink).await {
        Err(Error::Lost(_)) => {
            sink.restart();
            let exclusive = pool.exclusive_new().await?;
            on_exclusive(exclusive, known, statement, values, sink).await
        }
        other => other,
    }
}

enum Outcome {
    Done,
    /// Another read blocks the connection; this one should go elsewhere.
    HeldUp,
}

async fn on_reader(
    shared: Shared,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
) -> Result<Outcome, Error> {
    let mut again = false;
    loop {
        let result = match send_shared(&shared, known, statement, values).await {
            Ok(Some(stream)) => take_rows(stream, sink).await,
            Ok(None) => return Ok(Outcome::HeldUp),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                known.took(shared.done());
                return Ok(Outcome::Done);
            }
            Err(error) if prepared_is_stale(&error) && !again => {
                again = true;
                shared.session().forget(known);
                sink.restart();
            }
            Err(error) => {
                if matches!(error, Error::Database(_)) {
                    shared.done();
                }
                return Err(describe(error, known, true));
            }
        }
    }
}

/// Sends a read on a reader; `None` if another one keeps the reader busy for much longer than expected. Reads behind a slow
/// one are repeated elsewhere, which they can, as they change nothing.
async fn send_shared(
    shared: &Shared,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
) -> Result<Option<RowStream>, Error> {
    let session = shared.session();
    let prepared = match session.prepared(known, Instant::now()) {
        Some(prepared) => prepared,
        None => match patiently(shared, pin!(prepare(session, known, statement, values))).await {
            Some(prepared) => prepared?,
            None => return Ok(None),
        },
    };
    let mut answer = pin!(session.client.query_raw(&prepared, values.iter()));
    match shared.send(known.estimate(), answer.as_mut()).await {
        Poll::Ready(stream) => Ok(Some(stream?)),
        Poll::Pending => Ok(patiently(shared, answer).await.transpose()?),
    }
}

/// What comes of `work`, or `None` if another read holds it up.
async fn patiently<T>(shared: &Shared, mut work: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    if shared.is_head() {
        return Some(work.await);
    }
    loop {
        match tokio::time::timeout(shared.patience(), work.as_mut()).await {
            Ok(done) => return Some(done),
            Err(_) if shared.is_held_up() => return None,
            Err(_) => {}
        }
    }
}

async fn on_exclusive(
    mut exclusive: Exclusive,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
) -> Result<(), Error> {
    let pool = exclusive.pool().clone();
    let began = Instant::now();
    exclusive.running();
    let session = exclusive.session()?;
    session.touch(began);
    let result = if pool.prepares() {
        match run_prepared(session, known, statement, values, sink, began).await {
            Err(error) if prepared_is_stale(&error) => {
                session.forget(known);
                sink.restart();
                run_prepared(session, known, statement, values, sink, began).await
            }
            other => other,
        }
    } else {
        let begin = pool.isolation().begin_read_only();
        run_unnamed_read(&session.client, begin, known, statement, values, sink).await
    };
    // After an error of Postgres, too, all answers were taken or are on their way; only broken off ones are cancelled.
    match &result {
        Ok(()) => {
            known.took(began.elapsed());
            exclusive.clean();
        }
        Err(Error::Database(_)) => exclusive.clean(),
        Err(_) => {}
    }
    result.map_err(|error| describe(error, known, pool.prepares()))
}

/// Runs a statement in the session's open transaction, if there is one.
pub(crate) async fn run_prepared(
    session: &Session,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
    now: Instant,
) -> Result<(), Error> {
    let stream = send_prepared(session, known, statement, values, now).await?;
    take_rows(stream, sink).await
}

/// Sends a statement, preparing it first where that was not done yet, and waits for the first answer.
async fn send_prepared(
    session: &Session,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    now: Instant,
) -> Result<RowStream, Error> {
    let prepared = prepared(session, known, statement, values, now).await?;
    Ok(session.client.query_raw(&prepared, values.iter()).await?)
}

/// The statement as prepared on the connection, now if it was not before.
pub(crate) async fn prepared(
    session: &Session,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    now: Instant,
) -> Result<tokio_postgres::Statement, Error> {
    match session.prepared(known, now) {
        Some(prepared) => Ok(prepared),
        None => prepare(session, known, statement, values).await,
    }
}

/// Prepares a statement on a connection and keeps it there.
async fn prepare(
    session: &Session,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
) -> Result<tokio_postgres::Statement, Error> {
    let prepared = session.client.prepare(known.text()).await?;
    if prepared.params().len() != values.len() {
        return Err(Error::ParameterCount {
            asked: prepared.params().len(),
            given: values.len(),
        });
    }
    row::check_columns(&statement.shape.row, prepared.columns())?;
    session.keep(known, prepared.clone());
    Ok(prepared)
}

/// Takes all rows.
pub(crate) async fn take_rows(stream: RowStream, sink: &mut impl Sink) -> Result<(), Error> {
    take_rows_of(pin!(stream), sink).await
}

/// Takes all rows of a stream that is looked at afterwards.
pub(crate) async fn take_rows_of(mut stream: Pin<&mut RowStream>, sink: &mut impl Sink) -> Result<(), Error> {
    let mut scratch = Scratch::default();
    while let Some(row) = stream.try_next().await? {
        sink.row(&RowFields(&row), &mut scratch)?;
    }
    sink.finish()
}

/// Runs a read as an unnamed statement in a transaction of its own, all sent at once.
///
/// The row arrives as one record, so that the driver need not ask the server about column types, for which it would
/// prepare statements that a pooler in transaction mode loses.
async fn run_unnamed_read(
    client: &Client,
    begin: &str,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
) -> Result<(), Error> {
    let rows = async {
        let stream = client
            .query_typed_raw(known.record_text(statement), values.typed())
            .await?;
        let mut stream = pin!(stream);
        let mut scratch = Scratch::default();
        while let Some(row) = stream.try_next().await? {
            let record = row.try_get::<_, ColumnBytes<'_>>(0)?;
            let mut taken = Ok(());
            Record::read(record.0, &mut scratch, |record, scratch| {
                taken = sink.row(record, scratch);
                Ok(())
            })?;
            taken?;
        }
        sink.finish()
    };
    // Polled in this order, so sent in this order.
    let (begun, read, committed) =
        futures_util::future::join3(client.batch_execute(begin), rows, client.batch_execute("COMMIT")).await;
    begun?;
    read?;
    Ok(committed?)
}

/// Runs a statement of an open transaction as an unnamed one. Says whether the driver asked the server about a type, for
/// which it prepared statements on this connection that a pooler in transaction mode will lose.
pub(crate) async fn run_unnamed(
    client: &Client,
    statement: &Statement,
    values: &Values<'_>,
    sink: &mut impl Sink,
) -> Result<bool, Error> {
    let stream = client.query_typed_raw(&statement.text, values.typed()).await?;
    let mut stream = pin!(stream);
    let mut scratch = Scratch::default();
    let (mut asked, mut checked) = (false, false);
    while let Some(row) = stream.try_next().await? {
        if !checked {
            row::check_columns(&statement.shape.row, row.columns())?;
            checked = true;
        }
        asked |= row
            .columns()
            .iter()
            .any(|column| Type::from_oid(column.type_().oid()).is_none());
        sink.row(&RowFields(&row), &mut scratch)?;
    }
    sink.finish()?;
    Ok(asked)
}

/// Runs a short text with text parameters, and gives all rows. Only for results of built-in types.
pub(crate) async fn query(
    client: &Client,
    text: &str,
    parameters: &[&str],
) -> Result<Vec<tokio_postgres::Row>, Error> {
    let parameters = parameters.iter().map(|value| (Text(Some(value)), Type::TEXT));
    Ok(client
        .query_typed_raw(text, parameters)
        .await?
        .try_collect()
        .await?)
}

/// Runs a text with a statement's parameters, and gives the first column of all rows (`EXPLAIN`).
pub(crate) async fn lines(client: &Client, text: &str, values: &Values<'_>) -> Result<Vec<String>, Error> {
    let rows: Vec<_> = client
        .query_typed_raw(text, values.typed())
        .await?
        .try_collect()
        .await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The server changed what a prepared statement depends on, or has lost it (`DISCARD ALL`).
pub(crate) fn prepared_is_stale(error: &Error) -> bool {
    matches!(error.sqlstate(), Some("0A000" | "26000"))
}

/// Adds the statement to an error of Postgres.
pub(crate) fn describe(error: Error, known: &Known, prepared: bool) -> Error {
    match error {
        Error::Database(mut database) => {
            database.statement = Some(known.text().to_owned());
            database.prepared = prepared;
            Error::Database(database)
        }
        other => other,
    }
}

/// The same for slots as for constants: what a statement's parameters are at this execution.
pub(crate) fn values<'a>(
    parameters: &'a [Parameter],
    values: &'a [Option<String>],
) -> Result<Values<'a>, Error> {
    Values::new(parameters, values)
}
