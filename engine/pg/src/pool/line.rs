//! A connection that several short statements share: reads, or writes that are a transaction each.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use crate::pool::place::LONGEST_WAIT_FOR_OTHERS;
use crate::pool::{Pool, Session};

/// Statements in flight on one connection.
const DEEPEST: u32 = 32;

/// How many times its estimate the statement at the head may take before others go elsewhere.
const PATIENCE: u32 = 5;

/// The least of it where reads wait that were sent already. A machine that is short of CPU must not be given the same reads
/// twice, so this is longer than any pause of the scheduler.
const LEAST_PATIENCE: Duration = Duration::from_millis(100);

/// The least of it before new writes go elsewhere; what was sent stays where it is.
const LEAST_PATIENCE_OF_WRITES: Duration = Duration::from_millis(10);

/// How long nobody tries to connect after a failure; each further one is twice as long.
const BACKOFF: Duration = Duration::from_millis(50);
const LONGEST_BACKOFF: Duration = Duration::from_secs(2);

/// A connection for a line, and the place of an exclusive one that it takes, if it does.
pub(crate) type Connected = (Arc<Session>, Option<OwnedSemaphorePermit>);

/// One shared connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    session: RwLock<Option<Connected>>,
    connecting: AtomicBool,
    /// Failures to connect since the last success, and until when nobody tries again, in microseconds of the process.
    failures: AtomicU32,
    resting_until: AtomicU64,
    connected: AtomicBool,
    load: AtomicU32,
    /// Held while a statement is numbered and sent, so that numbers are in the order of the answers.
    order: Mutex<()>,
    /// Statements begun and ended; the one whose number is `ended` is at the head.
    begun: AtomicU64,
    ended: AtomicU64,
    /// When the statement at the head got there, in microseconds of the process.
    head_since: AtomicU64,
    /// The longest estimate of the statements in flight, in microseconds.
    longest: AtomicU32,
}

/// Microseconds since the process first asked.
fn micros(now: Instant) -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    u64::try_from(now.saturating_duration_since(start).as_micros()).unwrap_or(u64::MAX)
}

impl Line {
    /// Statements in flight, or `None` if it is not connected.
    pub(super) fn load(&self) -> Option<u32> {
        self.connected
            .load(Ordering::Acquire)
            .then(|| self.load.load(Ordering::Relaxed))
    }

    /// Writes in flight and whether commits wait for something ([`Session::flushes`]), or `None` if it is not connected for
    /// this user.
    pub(super) fn load_of(&self, user: &str) -> Option<(u32, bool)> {
        let load = self.load()?;
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        let (session, _) = session.as_ref()?;
        session.is_of_user(user).then(|| (load, session.flushes()))
    }

    /// The statement at the head takes much longer than expected.
    pub(super) fn is_held_up(&self) -> bool {
        self.is_held_up_for(self.patience_micros())
    }

    /// The same, of writes that were not sent yet.
    pub(super) fn is_closed_to_writes(&self) -> bool {
        self.is_held_up_for(self.patience_of(LEAST_PATIENCE_OF_WRITES))
    }

    fn is_held_up_for(&self, micros_at_head: u64) -> bool {
        // One that was sent on an earlier connection is numbered and never ends; with nobody there, nothing is held up.
        let in_flight = self.load.load(Ordering::Acquire) > 0
            && self.begun.load(Ordering::Acquire) != self.ended.load(Ordering::Acquire);
        let since = self.head_since.load(Ordering::Relaxed);
        in_flight && micros(Instant::now()).saturating_sub(since) > micros_at_head
    }

    fn patience_micros(&self) -> u64 {
        self.patience_of(LEAST_PATIENCE)
    }

    fn patience_of(&self, least: Duration) -> u64 {
        let longest = u64::from(self.longest.load(Ordering::Relaxed)) * u64::from(PATIENCE);
        longest.max(u64::try_from(least.as_micros()).unwrap_or(u64::MAX))
    }

    /// Nobody else is connecting it, nor is it connected, nor did that fail just now.
    pub(super) fn begin_connecting(&self) -> bool {
        !self.connected.load(Ordering::Acquire)
            && micros(Instant::now()) >= self.resting_until.load(Ordering::Relaxed)
            && !self.connecting.swap(true, Ordering::AcqRel)
    }

    pub(super) fn finish_connecting(&self, connected: Option<Connected>) {
        if connected.is_some() {
            self.failures.store(0, Ordering::Relaxed);
        } else {
            let failures = self.failures.fetch_add(1, Ordering::Relaxed).min(10);
            let rest = (BACKOFF * (1 << failures)).min(LONGEST_BACKOFF);
            self.resting_until
                .store(micros(Instant::now() + rest), Ordering::Relaxed);
        }
        if connected.is_some() {
            // Whoever joins does so under this lock: the figures are of this connection from the first on.
            let mut held = self.session.write().unwrap_or_else(PoisonError::into_inner);
            *held = connected;
            self.load.store(0, Ordering::Relaxed);
            self.ended
                .store(self.begun.load(Ordering::Relaxed), Ordering::Relaxed);
            self.connected.store(true, Ordering::Release);
            // Within the lock: whoever takes the connection away from here on may connect another.
            self.connecting.store(false, Ordering::Release);
            return;
        }
        self.connecting.store(false, Ordering::Release);
    }

    /// Takes the connection out of use if it is still this one.
    fn disconnect(&self, session: &Arc<Session>) {
        let mut held = self.session.write().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|(held, _)| Arc::ptr_eq(held, session)) {
            self.connected.store(false, Ordering::Release);
            *held = None;
        }
    }

    /// Its connection, if nobody used it for so long. Nobody else has it then.
    pub(super) fn take_unused(&self, unused: Duration) -> Option<Connected> {
        let mut held = self.session.write().unwrap_or_else(PoisonError::into_inner);
        let (session, _) = held.as_ref()?;
        // Whoever joins is counted under this lock.
        if self.load.load(Ordering::Acquire) > 0 || session.idle_for() < unused {
            return None;
        }
        self.connected.store(false, Ordering::Release);
        held.take()
    }

    /// Closes the connection if it is idle for too long, too old (then also while statements are in flight: they go on, new
    /// ones go elsewhere) or dead.
    pub(super) fn reap(&self, idle: Duration, lifetime: Option<Duration>) {
        let session = self
            .session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|(session, _)| session.clone());
        if let Some(session) = session {
            let unused = self.load.load(Ordering::Relaxed) == 0 && session.idle_for() >= idle;
            if unused || !session.is_usable(lifetime) {
                self.disconnect(&session);
            }
        }
    }
}

/// A place on a line. Dropping it before [`Shared::done`] keeps the place until the statement is through, as what is on a
/// shared connection is not cancelled.
#[derive(Debug)]
pub(crate) struct Shared {
    pool: Arc<Pool>,
    at: usize,
    session: Arc<Session>,
    /// Its number, once it was sent.
    number: AtomicU64,
    /// When it was sent, in microseconds of the process.
    sent: AtomicU64,
    /// It has nowhere else to go until then.
    stays_until: Option<Instant>,
    done: bool,
}

/// The number of a statement that was not sent yet.
const UNSENT: u64 = u64::MAX;

impl Shared {
    /// A place on a line; for a write, only while the line is this user's.
    pub(super) fn join(pool: &Arc<Pool>, at: usize, user: Option<&str>) -> Option<Shared> {
        let line = pool.line(at)?;
        // Held until it is counted: the line may become another connection, of another user, right before or after.
        let held = line.session.read().unwrap_or_else(PoisonError::into_inner);
        let session = Arc::clone(&held.as_ref()?.0);
        if session.client.is_closed() {
            drop(held);
            line.disconnect(&session);
            return None;
        }
        if user.is_some_and(|user| !session.is_of_user(user)) {
            return None;
        }
        let before = line.load.fetch_add(1, Ordering::AcqRel);
        if before >= DEEPEST {
            line.load.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        drop(held);
        let (number, sent) = (AtomicU64::new(UNSENT), AtomicU64::new(0));
        Some(Shared {
            pool: pool.clone(),
            at,
            session,
            number,
            sent,
            stays_until: None,
            done: false,
        })
    }

    /// It waits for whatever is before it, for a while.
    pub(super) fn staying(mut self) -> Shared {
        self.stays_until = Some(Instant::now() + LONGEST_WAIT_FOR_OTHERS);
        self
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Sends the statement, which is expected to take that long: its first poll does.
    pub(crate) async fn send<T>(
        &self,
        estimate: Duration,
        mut answer: Pin<&mut impl Future<Output = T>>,
    ) -> Poll<T> {
        poll_fn(|context| Poll::Ready(self.enter(estimate, || answer.as_mut().poll(context)))).await
    }

    fn enter<T>(&self, estimate: Duration, send: impl FnOnce() -> T) -> T {
        let Some(line) = self.pool.line(self.at) else {
            return send();
        };
        let estimate = u32::try_from(estimate.as_micros()).unwrap_or(u32::MAX);
        let now = micros(Instant::now());
        self.sent.store(now, Ordering::Relaxed);
        let _order = line.order.lock().unwrap_or_else(PoisonError::into_inner);
        let number = line.begun.fetch_add(1, Ordering::AcqRel);
        if self.number.swap(number, Ordering::Relaxed) != UNSENT {
            // Sent once before and refused, so that is through.
            line.ended.fetch_add(1, Ordering::AcqRel);
        }
        if line.ended.load(Ordering::Acquire) == number {
            line.head_since.store(now, Ordering::Relaxed);
            line.longest.store(estimate, Ordering::Relaxed);
        } else {
            line.longest.fetch_max(estimate, Ordering::Relaxed);
        }
        send()
    }

    /// It was sent, and no other is before it.
    pub(crate) fn is_head(&self) -> bool {
        let number = self.number.load(Ordering::Relaxed);
        self.pool
            .line(self.at)
            .is_none_or(|line| line.ended.load(Ordering::Acquire) == number)
    }

    /// How long to wait before asking [`Shared::is_held_up`].
    pub(crate) fn patience(&self) -> Duration {
        self.pool.line(self.at).map_or(LEAST_PATIENCE, |line| {
            Duration::from_micros(line.patience_micros())
        })
    }

    /// Another statement, not this one, keeps the connection busy for much longer than expected, and there is elsewhere to go.
    pub(crate) fn is_held_up(&self) -> bool {
        self.stays_until.is_none_or(|until| until <= Instant::now())
            && !self.is_head()
            && self.pool.line(self.at).is_some_and(Line::is_held_up)
    }

    /// The statement is through. Gives how long the server had it at the head.
    pub(crate) fn done(mut self) -> Duration {
        self.done = true;
        let Some(line) = self.pool.line(self.at) else {
            return Duration::ZERO;
        };
        let now = micros(Instant::now());
        let since = line
            .head_since
            .load(Ordering::Relaxed)
            .max(self.sent.load(Ordering::Relaxed));
        Duration::from_micros(now.saturating_sub(since))
    }
}

/// Gives a place back.
fn leave(pool: &Pool, at: usize, session: &Arc<Session>, number: u64) {
    let Some(line) = pool.line(at) else { return };
    if session.client.is_closed() {
        line.disconnect(session);
        return;
    }
    let held = line.session.read().unwrap_or_else(PoisonError::into_inner);
    // After a reconnection the figures are of another connection.
    if held.as_ref().is_some_and(|(held, _)| Arc::ptr_eq(held, session)) {
        if number != UNSENT {
            line.head_since.store(micros(Instant::now()), Ordering::Relaxed);
            line.ended.fetch_add(1, Ordering::AcqRel);
        }
        if line.load.fetch_sub(1, Ordering::AcqRel) == 1 {
            // With nobody there the numbers agree; one that was sent while the connection was replaced counts once only.
            let _order = line.order.lock().unwrap_or_else(PoisonError::into_inner);
            if line.load.load(Ordering::Acquire) == 0 {
                line.ended
                    .store(line.begun.load(Ordering::Acquire), Ordering::Release);
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let number = self.number.load(Ordering::Relaxed);
        if self.done {
            leave(&self.pool, self.at, &self.session, number);
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (pool, at, session) = (self.pool.clone(), self.at, self.session.clone());
        runtime.spawn(async move {
            // Answers come in order: when this one is here, so is that of the statement.
            let _ = session.client.check_connection().await;
            leave(&pool, at, &session, number);
        });
    }
}
