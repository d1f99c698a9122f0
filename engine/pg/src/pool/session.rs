//! One connection and the statements prepared on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio_postgres::{Client, Statement};

use crate::error::Error;
use crate::execute;
use crate::pool::Known;

/// Prepared statements per connection. Postgres keeps some tens of kilobytes for each.
const MOST_STATEMENTS: usize = 512;

/// What a session of our settings is set up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Its transactions are read-only unless they say otherwise. As it is connected.
    Reading,
    /// Its transactions write, also those that nobody begins, and `hasura.user` may be set for more than one of them.
    Writing,
}

/// A connection to the database.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) client: Client,
    prepared: Mutex<Prepared>,
    connected: Instant,
    /// It is set up for writing.
    writes: AtomicBool,
    /// What `hasura.user` is for the session, if that is known.
    user: Mutex<Option<Box<str>>>,
    /// Its commits wait for a disk or a standby.
    flushes: AtomicBool,
    /// What sets `hasura.user` for the session, prepared.
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
            writes: AtomicBool::new(false),
            user: Mutex::new(None),
            flushes: AtomicBool::new(true),
            set_user: OnceLock::new(),
        }
    }

    /// It is connected and not too old.
    pub(crate) fn is_usable(&self, lifetime: Option<Duration>) -> bool {
        !self.client.is_closed() && lifetime.is_none_or(|lifetime| self.connected.elapsed() < lifetime)
    }

    /// What it is set up for.
    pub(crate) fn purpose(&self) -> Purpose {
        if self.writes.load(Ordering::Relaxed) {
            Purpose::Writing
        } else {
            Purpose::Reading
        }
    }

    /// Sets it up for something else than it was, which nothing may be running on it for.
    pub(crate) async fn serve(&self, purpose: Purpose) -> Result<(), Error> {
        if self.purpose() == purpose {
            return Ok(());
        }
        let text = match purpose {
            Purpose::Reading => "SET default_transaction_read_only TO on; RESET hasura.user",
            Purpose::Writing => "SET default_transaction_read_only TO off",
        };
        self.set_user_known(None);
        self.client.batch_execute(text).await?;
        self.writes.store(purpose == Purpose::Writing, Ordering::Relaxed);
        Ok(())
    }

    /// `hasura.user` of the session is this already.
    pub(crate) fn is_of_user(&self, user: &str) -> bool {
        let known = self.user.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_deref() == Some(user)
    }

    /// Remembers what `hasura.user` of the session is; `None` before it changes.
    pub(crate) fn set_user_known(&self, user: Option<&str>) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user.map(Box::from);
    }

    /// Its commits wait for a disk or a standby; true while that is not known.
    pub(crate) fn flushes(&self) -> bool {
        self.flushes.load(Ordering::Relaxed)
    }

    /// Sets `hasura.user` of the session, which stays so, lets no statement wait long for a lock, and learns what a commit
    /// waits for.
    pub(crate) async fn set_user(&self, user: &str) -> Result<(), Error> {
        self.set_user_known(None);
        let text = "select pg_catalog.set_config('hasura.user', $1::text, false), \
                    coalesce(pg_catalog.current_setting('synchronous_commit', true) = 'off', false) \
                    or coalesce(pg_catalog.current_setting('fsync', true) = 'off', false), \
                    pg_catalog.set_config('lock_timeout', '50ms', false)";
        let rows = execute::query(&self.client, text, &[user]).await?;
        let waits_for_nothing = rows.first().map(|row| row.try_get(1)).transpose()?;
        self.flushes
            .store(waits_for_nothing != Some(true), Ordering::Relaxed);
        self.set_user_known(Some(user));
        // It was made for somebody who is about to use it.
        self.touch(Instant::now());
        Ok(())
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
