//! A write that is a transaction by itself, on a connection that it shares with others.
//!
//! Several are in flight there, each with an end of its own, so that one that fails leaves the others alone. All are of one
//! user (`hasura.user`, set before any of them), and nothing else is ever set. None is cancelled.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Instant;

use sql::Statement;
use tokio_postgres::RowStream;

use super::Failed;
use crate::error::Error;
use crate::execute::parameter::Values;
use crate::execute::{self, Json};
use crate::pool::{Known, Pool, Shared};

/// Runs a statement that has shown to be short. `None`: nothing was done, it needs a connection to itself.
pub(crate) async fn run(
    pool: &Arc<Pool>,
    statement: &Statement,
    values: &[Option<String>],
    user: &str,
    out: &mut Vec<u8>,
) -> Option<Result<(), Failed>> {
    let known = pool.estimates.of(statement);
    if !known.is_short() {
        return None;
    }
    // First, as a place once taken is only given back after a round trip.
    let values = match execute::values(&statement.parameters, values) {
        Ok(values) => values,
        Err(error) => return Some(Err(Failed { position: 0, error })),
    };
    let shared = pool.shared_write(user, &known)?;
    let start = out.len();
    let result = on_shared(pool, shared, &known, statement, &values, out).await;
    if !matches!(result, Ok(true)) {
        out.truncate(start);
    }
    let counters = &pool.counters;
    match result {
        Ok(false) => return None,
        Ok(true) => {}
        Err(_) => {
            counters.statement_errors.fetch_add(1, Ordering::Relaxed);
        }
    }
    Some(result.map(|_| ()).map_err(|failed| Failed {
        error: execute::describe(failed.error, &known, true),
        ..failed
    }))
}

/// Postgres gave it up after `lock_timeout` of the session (or a `NOWAIT` of its own, which will say so again).
fn waited_for_a_lock(error: &Error) -> bool {
    const LOCK_NOT_AVAILABLE: &str = "55P03";
    error.sqlstate() == Some(LOCK_NOT_AVAILABLE)
}

/// Says whether it was done.
async fn on_shared(
    pool: &Pool,
    shared: Shared,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, Failed> {
    let start = out.len();
    let mut again = false;
    loop {
        let taken = match send(pool, &shared, known, statement, values).await {
            Ok(None) => return Ok(false),
            Ok(Some(stream)) => {
                let mut sink = Json::new(&statement.shape, None, out);
                let mut stream = pin!(stream);
                let taken = execute::take_rows_of(stream.as_mut(), &mut sink).await;
                // The statement may have been done; what failed then is the commit.
                let position = usize::from(stream.rows_affected().is_some());
                taken.map_err(|error| Failed { position, error })
            }
            Err(error) => Err(Failed { position: 0, error }),
        };
        match taken {
            Ok(()) => {
                known.took(shared.done());
                return Ok(true);
            }
            Err(failed) if execute::prepared_is_stale(&failed.error) && !again => {
                again = true;
                shared.session().forget(known);
                out.truncate(start);
            }
            // What others sent here waits behind it, and what it waits for may wait for one of them. It was rolled back.
            Err(failed) if waited_for_a_lock(&failed.error) => {
                known.took(shared.done());
                return Ok(false);
            }
            Err(failed) => {
                if matches!(failed.error, Error::Database(_)) {
                    shared.done();
                }
                return Err(failed);
            }
        }
    }
}

/// `None`: it was not sent. Whatever fails later may have been done.
async fn send(
    pool: &Pool,
    shared: &Shared,
    known: &Known,
    statement: &Statement,
    values: &Values<'_>,
) -> Result<Option<RowStream>, Error> {
    let session = shared.session();
    let prepared = match execute::prepared(session, known, statement, values, Instant::now()).await {
        Ok(prepared) => prepared,
        Err(Error::Lost(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if session.client.is_closed() {
        return Ok(None);
    }
    // Counted as it is sent: it may not be here any more when the answer is.
    pool.counters.statements.fetch_add(1, Ordering::Relaxed);
    let mut answer = pin!(session.client.query_raw(&prepared, values.iter()));
    match shared.send(known.estimate(), answer.as_mut()).await {
        Poll::Ready(stream) => Ok(Some(stream?)),
        Poll::Pending => Ok(Some(answer.await?)),
    }
}
