//! A connection that one caller has to itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;
use crate::pool::{Pool, Purpose, Session};

/// A connection to oneself. Goes back to the pool when dropped; with something still running on it, that is cancelled first.
#[derive(Debug)]
pub(crate) struct Exclusive {
    pool: Arc<Pool>,
    session: Option<Session>,
    held: Option<Held>,
    purpose: Purpose,
    close: bool,
    state: State,
}

/// What others wait for while the connection is here. Given back last: whoever is told of it finds the connection.
#[derive(Debug)]
struct Held {
    _in_use: InUse,
    _permit: OwnedSemaphorePermit,
}

/// Counts a connection that is not idle. One that was idle is counted before anybody can miss it.
#[derive(Debug)]
pub(crate) struct InUse(Arc<Pool>);

impl InUse {
    pub(super) fn new(pool: &Arc<Pool>) -> InUse {
        pool.in_use.fetch_add(1, Ordering::AcqRel);
        InUse(pool.clone())
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.in_use.fetch_sub(1, Ordering::AcqRel);
        self.0.returned.notify_waiters();
    }
}

/// What has to be done before the next one can have the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing.
    Clean,
    /// A transaction is open.
    Transaction,
    /// A statement runs, in a transaction or not.
    Running,
}

impl Exclusive {
    pub(super) fn new(
        pool: Arc<Pool>,
        (session, in_use): (Session, InUse),
        permit: OwnedSemaphorePermit,
        purpose: Purpose,
    ) -> Exclusive {
        let held = Held {
            _in_use: in_use,
            _permit: permit,
        };
        Exclusive {
            pool,
            session: Some(session),
            held: Some(held),
            purpose,
            close: false,
            state: State::Clean,
        }
    }

    /// The session; always there while the value lives.
    pub(crate) fn session(&self) -> Result<&Session, Error> {
        self.session.as_ref().ok_or(Error::Lost(None))
    }

    /// Runs `COMMIT` or `ROLLBACK`; after that the connection is clean, also if Postgres refuses to commit.
    pub(crate) async fn end_transaction(&mut self, text: &str) -> Result<(), Error> {
        self.running();
        let result = self
            .session()?
            .client
            .batch_execute(text)
            .await
            .map_err(Error::from);
        if result.is_ok() || matches!(result, Err(Error::Database(_))) {
            self.clean();
        }
        result
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// It is not for others after this.
    pub(crate) fn close_after_use(&mut self) {
        self.close = true;
    }

    /// Takes a new connection in place of one that was lost.
    pub(crate) async fn reconnect(&mut self) -> Result<(), Error> {
        self.session = None;
        self.session = Some(self.pool.open_for(self.purpose).await?);
        self.state = State::Clean;
        Ok(())
    }

    /// Something is being run; if the value is dropped now, that is cancelled.
    pub(crate) fn running(&mut self) {
        self.state = State::Running;
    }

    /// It has ended, and a transaction is open.
    pub(crate) fn in_transaction(&mut self) {
        self.state = State::Transaction;
    }

    /// It has ended, and no transaction is open.
    pub(crate) fn clean(&mut self) {
        self.state = State::Clean;
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        let (Some(session), held) = (self.session.take(), self.held.take()) else {
            return;
        };
        if session.client.is_closed() {
            return;
        }
        if self.state == State::Clean {
            if !self.close {
                self.pool.push_idle(session);
            }
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (pool, state, close) = (self.pool.clone(), self.state, self.close);
        runtime.spawn(async move {
            if state == State::Running {
                pool.connector().cancel(&session.client.cancel_token()).await;
            }
            // Answers come in order, so after this nothing of the old work is left. A session where no transaction is open
            // gets a warning.
            let cleaned = session.client.batch_execute("ROLLBACK").await.is_ok();
            if cleaned && !close {
                pool.push_idle(session);
            }
            drop(held);
        });
    }
}
