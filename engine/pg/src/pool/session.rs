//! One connection and the statements prepared on it.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Statement};

use crate::pool::Known;

/// Prepared statements per connection. Postgres keeps some tens of kilobytes for each.
const MOST_STATEMENTS: usize = 512;

/// A connection to the database.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    prepared: Mutex<Prepared>,
    connected: Instant,
    /// What sets the session variables of a transaction, prepared.
    pub(crate) set_user: OnceLock<Statement>,
}

#[derive(Debug)]
struct Prepared {
    statements: HashMap<u64, (Statement, u64), rustc_hash::FxBuildHasher>,
    clock: u64,
    last_used: Instant,
}

impl Session {
    pub(crate) fn new(client: Client) -> Session {
        let now = Instant::now();
        let prepared = Prepared {
            statements: HashMap::default(),
            clock: 0,
            last_used: now,
        };
        Session {
            client,
            prepared: Mutex::new(prepared),
            connected: now,
            set_user: OnceLock::new(),
        }
    }

    /// It is connected and not too old.
    pub(crate) fn is_usable(&self, lifetime: Option<Duration>) -> bool {
        !self.client.is_closed() && lifetime.is_none_or(|lifetime| self.connected.elapsed() < lifetime)
    }

    /// Since when it was not used.
    pub(crate) fn idle_for(&self) -> Duration {
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_used
            .elapsed()
    }

    /// Remembers that it is in use.
    pub(crate) fn touch(&self, now: Instant) {
        self.prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_used = now;
    }

    /// A statement prepared here before.
    pub(crate) fn prepared(&self, known: &Known, now: Instant) -> Option<Statement> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        prepared.last_used = now;
        prepared.clock += 1;
        let clock = prepared.clock;
        let (statement, used) = prepared.statements.get_mut(&known.id)?;
        *used = clock;
        Some(statement.clone())
    }

    /// Keeps a statement, in place of the one unused for longest if there are too many.
    pub(crate) fn keep(&self, known: &Known, statement: Statement) {
        let mut dropped = None;
        {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            if prepared.statements.len() >= MOST_STATEMENTS {
                let oldest = prepared
                    .statements
                    .iter()
                    .min_by_key(|(_, (_, used))| *used)
                    .map(|(id, _)| *id);
                dropped = oldest.and_then(|id| prepared.statements.remove(&id));
            }
            prepared.clock += 1;
            let clock = prepared.clock;
            prepared.statements.insert(known.id, (statement, clock));
        }
        // Dropping it tells the server, which is not for under the lock.
        drop(dropped);
    }

    /// Forgets a statement that the server does not accept any more.
    pub(crate) fn forget(&self, known: &Known) {
        let dropped = self
            .prepared
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .statements
            .remove(&known.id);
        drop(dropped);
    }
}
