//! A connection that several short reads share.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::pool::{Pool, Session};

/// Reads in flight on one connection.
const DEEPEST: u32 = 32;

/// How many times its estimate the read at the head may take before others go elsewhere.
const PATIENCE: u32 = 5;

/// The least of it, so that a pause of the scheduler does not count.
const LEAST_PATIENCE: Duration = Duration::from_millis(25);

/// One shared connection.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    session: RwLock<Option<Arc<Session>>>,
    connecting: AtomicBool,
    connected: AtomicBool,
    load: AtomicU32,
    /// Reads begun and ended; the one whose number is `ended` is at the head.
    begun: AtomicU64,
    ended: AtomicU64,
    /// When the read at the head got there, in microseconds of the process.
    head_since: AtomicU64,
    /// The longest estimate of the reads in flight, in microseconds.
    longest: AtomicU32,
}

/// Microseconds since the process first asked.
fn micros(now: Instant) -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    u64::try_from(now.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

impl Reader {
    /// Reads in flight, or `None` if it is not connected.
    pub(super) fn load(&self) -> Option<u32> {
        self.connected
            .load(Ordering::Acquire)
            .then(|| self.load.load(Ordering::Relaxed))
    }

    /// The read at the head takes much longer than expected.
    pub(super) fn is_held_up(&self) -> bool {
        let load = self.load.load(Ordering::Relaxed);
        let since = self.head_since.load(Ordering::Relaxed);
        load > 0 && micros(Instant::now()).saturating_sub(since) > self.patience_micros()
    }

    fn patience_micros(&self) -> u64 {
        let longest = u64::from(self.longest.load(Ordering::Relaxed)) * u64::from(PATIENCE);
        longest.max(u64::try_from(LEAST_PATIENCE.as_micros()).unwrap_or(u64::MAX))
    }

    /// Nobody else is connecting it, nor is it connected.
    pub(super) fn begin_connecting(&self) -> bool {
        !self.connected.load(Ordering::Acquire) && !self.connecting.swap(true, Ordering::AcqRel)
    }

    pub(super) fn finish_connecting(&self, session: Option<Session>) {
        if let Some(session) = session {
            *self.session.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(session));
            self.load.store(0, Ordering::Relaxed);
            self.ended
                .store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
            self.connected.store(true, Ordering::Release);
        }
        self.connecting.store(false, Ordering::Release);
    }

    /// Takes the connection out of use if it is still this one.
    fn disconnect(&self, session: &Arc<Session>) {
        let mut held = self.session.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
            self.connected.store(false, Ordering::Release);
            *held = None;
        }
    }

    /// Closes the connection if it is idle for too long, too old (then also while reads are in flight: they go on, new ones
    /// go elsewhere) or dead.
    pub(super) fn reap(&self, idle: Duration, lifetime: Option<Duration>) {
        let session = self
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(session) = session {
            let unused = self.load.load(Ordering::Relaxed) == 0 && session.idle_for() >= idle;
            if unused || !session.is_usable(lifetime) {
                self.disconnect(&session);
            }
        }
    }
}

/// A place on a reader. Dropping it before [`Shared::done`] keeps the place until the read is through, as reads on a
/// shared connection are not cancelled.
#[derive(Debug)]
pub(crate) struct Shared {
    pool: Arc<Pool>,
    at: usize,
    session: Arc<Session>,
    number: u64,
    /// There were others before it.
    pub(crate) queued: bool,
    began: Instant,
    done: bool,
}

impl Shared {
    pub(super) fn join(pool: &Arc<Pool>, at: usize) -> Option<Shared> {
        let reader = pool.reader(at)?;
        let session = reader
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()?;
        if session.client.is_closed() {
            reader.disconnect(&session);
            return None;
        }
        let before = reader.load.fetch_add(1, Ordering::AcqRel);
        if before >= DEEPEST {
            reader.load.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        let began = Instant::now();
        if before == 0 {
            reader.head_since.store(micros(began), Ordering::Relaxed);
            reader.longest.store(0, Ordering::Relaxed);
        }
        let number = reader.begun.fetch_add(1, Ordering::AcqRel);
        Some(Shared {
            pool: pool.clone(),
            at,
            session,
            number,
            queued: before > 0,
            began,
            done: false,
        })
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// When it took its place.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// Says how long this read is expected to take.
    pub(crate) fn expect(&self, estimate: Duration) {
        if let Some(reader) = self.pool.reader(self.at) {
            let estimate = u32::try_from(estimate.as_micros()).unwrap_or(u32::MAX);
            reader.longest.fetch_max(estimate, Ordering::Relaxed);
        }
    }

    /// How long to wait before asking [`Shared::is_held_up`].
    pub(crate) fn patience(&self) -> Duration {
        self.pool.reader(self.at).map_or(LEAST_PATIENCE, |reader| {
            Duration::from_micros(reader.patience_micros())
        })
    }

    /// Another read, not this one, keeps the connection busy for much longer than expected.
    pub(crate) fn is_held_up(&self) -> bool {
        self.pool
            .reader(self.at)
            .is_some_and(|reader| reader.ended.load(Ordering::Acquire) != self.number && reader.is_held_up())
    }

    /// The read is through. Gives how long the server had it at the head.
    pub(crate) fn done(mut self) -> Duration {
        self.done = true;
        let Some(reader) = self.pool.reader(self.at) else {
            return Duration::ZERO;
        };
        let now = micros(Instant::now());
        let since = reader.head_since.load(Ordering::Relaxed).max(micros(self.began));
        Duration::from_micros(now.saturating_sub(since))
    }
}

/// Gives a place back.
fn leave(pool: &Pool, at: usize, session: &Arc<Session>) {
    let Some(reader) = pool.reader(at) else { return };
    if session.client.is_closed() {
        reader.disconnect(session);
        return;
    }
    let held = reader.session.read().unwrap_or_else(PoisonError::into_inner);
    // After a reconnection the figures are of another connection.
    if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, session)) {
        reader.head_since.store(micros(Instant::now()), Ordering::Relaxed);
        reader.ended.fetch_add(1, Ordering::AcqRel);
        reader.load.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if self.done {
            leave(&self.pool, self.at, &self.session);
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (pool, at, session) = (self.pool.clone(), self.at, self.session.clone());
        runtime.spawn(async move {
            // Answers come in order: when this one is here, so is that of the read.
            let _ = session.client.check_connection().await;
            leave(&pool, at, &session);
        });
    }
}
