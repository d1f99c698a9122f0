//! The connections to one database.
//!
//! Three kinds, within one number of connections. *Readers* are shared: several short reads are in flight on each at a time,
//! which saves both sides a wake-up per request; *writers* are the same for short writes that are a transaction each, of one
//! user. *Exclusive* connections run one thing at a time: reads that are long or
//! of unknown length, transactions, introspection.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::connect::Connector;
use crate::error::Error;
use crate::health::{DurationCounters, PoolMetrics};
use crate::source::{IsolationLevel, Member, PoolSettings};

mod estimate;
mod exclusive;
mod line;
mod place;
mod refusal;
mod session;

pub(crate) use self::estimate::{Estimates, Known};
pub(crate) use self::exclusive::{Exclusive, InUse};
pub(crate) use self::line::{Connected, Line, Shared};
pub(crate) use self::place::Place;
use self::refusal::Refusals;
pub(crate) use self::session::{Purpose, Session};

/// At most this many connections are readers, and at most half of all.
const MOST_READERS: usize = 32;

/// Reads in flight on each of the first readers before there are more. Few connections with several reads each are faster
/// than many with one: both sides do more per wake-up. Measured with 32 reads at a time on two cores, single rows:
/// 4 readers 34,000/s, 8 readers 31,000/s, 16 readers 22,000/s.
const BEFORE_MORE: u32 = 8;

/// At most this many connections are writers that short writes share, and at most a quarter of what readers leave. None is
/// kept free for them: each takes the place of an exclusive one while it is connected, so that only who writes has any.
/// Measured with 32 single-row inserts at a time on two cores: on 4 such connections 12,300/s, each with a connection to
/// itself 7,600/s.
const MOST_WRITERS: usize = 4;

/// Writes in flight on one connection: one that waits for a lock has fewer than so many behind it.
const DEEPEST_WRITES: u32 = 8;

/// A write that would have to expect more than this until it is through gets a connection to itself: what takes longer is
/// better done side by side, on several processors or by commits that share a flush to the disk.
const LONGEST_WAIT_TO_WRITE: Duration = Duration::from_millis(3);

/// A shared connection for writes that was not used for so long may become another user's.
/// Short enough that users of an application follow each other; long enough that one who writes now and then keeps it.
const UNUSED: Duration = Duration::from_secs(1);

/// First wait before a failed connection attempt is tried again; each further one is twice as long.
const BACKOFF: Duration = Duration::from_millis(100);

/// At most so many statements wait for a connection; more are refused.
const MOST_WAITING: u64 = 10_000;

/// Connections beside those that may be, for looks at the database itself while all of those are in use: one that is busy
/// is to be told from one that is away. Each is closed after use.
const MOST_BESIDE: usize = 2;

/// How often idle and old connections are looked for.
const REAP_EVERY: Duration = Duration::from_secs(1);

/// All connections to one database.
#[derive(Debug)]
pub(crate) struct Pool {
    /// For sessions of the pool: read-only unless told otherwise, time zone UTC.
    connector: Connector,
    /// For sessions that are as the database's owner set them up (`run_sql`).
    plain_connector: Connector,
    settings: PoolSettings,
    isolation: IsolationLevel,
    prepares: bool,
    /// Connections that short statements share: `readers` ones for reads, behind them those for writes.
    lines: Box<[Line]>,
    readers: usize,
    /// How many of the readers are used before any other.
    first_readers: usize,
    next_line: AtomicUsize,
    permits: Arc<Semaphore>,
    /// For looks at the database itself while all connections are in use.
    beside: Arc<Semaphore>,
    idle: Mutex<Vec<Session>>,
    /// Exclusive connections that somebody has.
    in_use: AtomicUsize,
    /// One of them came back, or was lost.
    returned: Notify,
    pub(crate) estimates: Estimates,
    reaping: AtomicBool,
    refusals: Refusals,
    pub(crate) counters: Counters,
}

/// Figures for [`PoolMetrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    waiting: AtomicU64,
    /// Statements that were not let wait.
    turned_away: AtomicU64,
    wait: DurationCounters,
    connect: DurationCounters,
    connects: AtomicU64,
    connect_errors: AtomicU64,
    /// Statements run.
    pub(crate) statements: AtomicU64,
    /// Statements that failed.
    pub(crate) statement_errors: AtomicU64,
}

impl Pool {
    pub(crate) fn new(member: &Member) -> Arc<Pool> {
        let most = usize::try_from(member.pool.max_connections.max(1)).unwrap_or(1);
        // Without session state nothing can be told apart on a shared connection, so nothing is shared.
        let readers = if member.use_prepared_statements {
            (most / 2).min(MOST_READERS)
        } else {
            0
        };
        let isolation = member.isolation_level.as_setting();
        let writers = if member.use_prepared_statements {
            ((most - readers) / 4).min(MOST_WRITERS)
        } else {
            0
        };
        let session: &[_] = if member.use_prepared_statements {
            &[
                ("default_transaction_read_only", "on"),
                ("default_transaction_isolation", isolation),
                ("TimeZone", "UTC"),
            ]
        } else {
            &[]
        };
        Arc::new(Pool {
            connector: Connector::new(&member.target, session),
            plain_connector: Connector::new(&member.target, &[]),
            settings: member.pool.clone(),
            isolation: member.isolation_level,
            prepares: member.use_prepared_statements,
            lines: (0..readers + writers).map(|_| Line::default()).collect(),
            readers,
            // Two for each core here, as the server is seldom smaller.
            first_readers: std::thread::available_parallelism().map_or(4, |cores| (cores.get() * 2).max(4)),
            next_line: AtomicUsize::new(0),
            permits: Arc::new(Semaphore::new(most - readers)),
            beside: Arc::new(Semaphore::new(MOST_BESIDE)),
            idle: Mutex::new(Vec::new()),
            in_use: AtomicUsize::new(0),
            returned: Notify::new(),
            estimates: Estimates::default(),
            reaping: AtomicBool::new(false),
            refusals: Refusals::default(),
            counters: Counters::default(),
        })
    }

    /// Statements are prepared and sessions set up; else neither.
    pub(crate) fn prepares(&self) -> bool {
        self.prepares
    }

    pub(crate) fn isolation(&self) -> IsolationLevel {
        self.isolation
    }

    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// A new connection of the pool's settings.
    async fn open_for(self: &Arc<Pool>, purpose: Purpose) -> Result<Session, Error> {
        let session = self.open(&self.connector).await?;
        self.set_up(&session, purpose).await?;
        Ok(session)
    }

    /// Without session state every transaction says itself what it is.
    async fn set_up(&self, session: &Session, purpose: Purpose) -> Result<(), Error> {
        if self.prepares {
            session.serve(purpose).await?;
        }
        Ok(())
    }

    /// The same, never one that was there before: after a connection was lost the others may be dead too.
    pub(crate) async fn exclusive_new(self: &Arc<Pool>) -> Result<Exclusive, Error> {
        let permit = self.permit().await?;
        self.make_room();
        let session = self.open(&self.connector).await?;
        let session = (session, InUse::new(self));
        Ok(Exclusive::new(self.clone(), session, permit, Purpose::Reading))
    }

    /// A new connection without session settings of ours, that is closed after use.
    pub(crate) async fn exclusive_plain(self: &Arc<Pool>) -> Result<Exclusive, Error> {
        let permit = self.permit().await?;
        self.make_room();
        let session = self.open(&self.plain_connector).await?;
        let session = (session, InUse::new(self));
        let mut exclusive = Exclusive::new(self.clone(), session, permit, Purpose::Reading);
        exclusive.close_after_use();
        Ok(exclusive)
    }

    /// A place on a reader, or `None` if none is connected or all are full or held up; then an exclusive connection
    /// is the way. Never waits.
    pub(crate) fn shared(self: &Arc<Pool>) -> Option<Shared> {
        let count = self.readers;
        if count == 0 {
            return None;
        }
        let first = self.first_readers.min(count);
        let start = self.next_line.fetch_add(1, Ordering::Relaxed);
        let mut best: Option<(usize, u32)> = None;
        let mut missing = None;
        // The first readers in turn, the others in order and only when all before are well used.
        let first = (0..first).map(|offset| (start.wrapping_add(offset) % first, 1));
        let others = (self.first_readers.min(count)..count).map(|at| (at, BEFORE_MORE));
        for (at, enough) in first.chain(others) {
            if best.is_some_and(|(_, load)| load < enough) {
                break;
            }
            let Some(reader) = self.lines.get(at) else {
                continue;
            };
            match reader.load() {
                None => missing = missing.or(Some((at, enough))),
                Some(load) if best.is_none_or(|(_, least)| load < least) && !reader.is_held_up() => {
                    best = Some((at, load));
                }
                Some(_) => {}
            }
        }
        // All that are connected have enough to do: one more, for later.
        if let Some((at, enough)) = missing
            && best.is_none_or(|(_, load)| load >= enough)
        {
            self.connect_reader(at);
        }
        let (at, _) = best?;
        let shared = Shared::join(self, at, None);
        if shared.is_some() {
            self.counters.wait.observe_nothing();
        }
        shared
    }

    /// A place to stay on the reader that has least to do, also on one that is held up.
    fn shared_with_any(self: &Arc<Pool>) -> Option<Shared> {
        let readers = self.lines.iter().take(self.readers).enumerate();
        let mut readers: Vec<(u32, usize)> = readers
            .filter_map(|(at, reader)| Some((reader.load()?, at)))
            .collect();
        readers.sort_unstable();
        let joined = readers
            .into_iter()
            .find_map(|(_, at)| Shared::join(self, at, None));
        joined.map(Shared::staying)
    }

    fn connect_reader(self: &Arc<Pool>, at: usize) {
        self.connect_line(at, |pool| async move {
            let session = pool.open(&pool.connector).await?;
            Ok((Arc::new(session), None))
        });
    }

    /// Connects a line, unless it is connected or somebody does so already.
    fn connect_line<F>(self: &Arc<Pool>, at: usize, open: impl FnOnce(Arc<Pool>) -> F)
    where
        F: Future<Output = Result<Connected, Error>> + Send + 'static,
    {
        if !self.lines.get(at).is_some_and(Line::begin_connecting) {
            return;
        }
        let (pool, opening) = (Arc::clone(self), open(Arc::clone(self)));
        tokio::spawn(async move {
            let session = opening.await;
            if let Some(line) = pool.lines.get(at) {
                // A failure shows to the next exclusive connection, which has somebody to tell.
                line.finish_connecting(session.ok());
            }
        });
    }

    /// A place for a write of this user (`hasura.user`) on a shared connection, or `None` if there is none where its turn is
    /// near; then an exclusive connection is the way. Never waits.
    pub(crate) fn shared_write(self: &Arc<Pool>, user: &str, known: &Known) -> Option<Shared> {
        let writers = self.lines.len() - self.readers;
        let start = self.next_line.fetch_add(1, Ordering::Relaxed);
        let mut best: Option<(usize, u32, bool)> = None;
        let mut others = None;
        for offset in 0..writers {
            let at = self.readers + start.wrapping_add(offset) % writers;
            let line = self.lines.get(at)?;
            match line.load_of(user) {
                Some((load, flushes))
                    if best.is_none_or(|(_, least, _)| load < least) && !line.is_closed_to_writes() =>
                {
                    best = Some((at, load, flushes));
                }
                Some(_) => {}
                None => others = others.or(Some(at)),
            }
        }
        if let Some(at) = others
            && best.is_none_or(|(_, load, _)| load > 0)
        {
            self.connect_writer(at, user);
        }
        let (at, load, flushes) = best?;
        let each = if flushes { known.estimate() } else { known.quick() };
        if load > 0 && (load >= DEEPEST_WRITES || each * (load + 1) > LONGEST_WAIT_TO_WRITE) {
            return None;
        }
        let shared = Shared::join(self, at, Some(user));
        if shared.is_some() {
            self.counters.wait.observe_nothing();
        }
        shared
    }

    /// Connects a writer for a user, or gives the user one that nobody used for a while.
    fn connect_writer(self: &Arc<Pool>, at: usize, user: &str) {
        let Some(line) = self.lines.get(at) else {
            return;
        };
        let unused = line.take_unused(UNUSED);
        let user = user.to_owned();
        self.connect_line(at, |pool| async move { pool.writer_of(&user, unused).await });
    }

    async fn writer_of(self: &Arc<Pool>, user: &str, unused: Option<Connected>) -> Result<Connected, Error> {
        let unused = unused.filter(|(session, _)| session.is_usable(self.settings.connection_lifetime));
        let (session, permit) = match unused {
            Some(unused) => unused,
            None => {
                let permit = self.permit().await?;
                // The last one that is idle stays for those who come when no other can be opened.
                let several = self.idle.lock().unwrap_or_else(PoisonError::into_inner).len() > 1;
                let session = if several {
                    self.idle_or_new(Purpose::Writing).await?.0
                } else {
                    let session = self.open_for(Purpose::Writing).await?;
                    self.make_room();
                    session
                };
                (Arc::new(session), Some(permit))
            }
        };
        session.set_user(user).await?;
        Ok((session, permit))
    }

    fn line(&self, at: usize) -> Option<&Line> {
        self.lines.get(at)
    }

    /// The one used last of those that are set up for it; if there is none, the one used last.
    fn pop_idle(self: &Arc<Pool>, purpose: Purpose) -> Option<(Session, InUse)> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let session = match idle.iter().rposition(|session| session.purpose() == purpose) {
            Some(at) => idle.remove(at),
            None => idle.pop()?,
        };
        Some((session, InUse::new(self)))
    }

    /// Nobody has a connection that could come back, and none is idle.
    fn none_will_return(&self) -> bool {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.is_empty() && self.in_use.load(Ordering::Acquire) == 0
    }

    /// Closes an idle connection if there are as many as may be, as it counts too.
    fn make_room(&self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() > self.permits.available_permits() {
            // The one unused for longest.
            drop(idle.remove(0));
        }
    }

    fn push_idle(&self, session: Session) {
        if session.is_usable(self.settings.connection_lifetime) {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            self.counters.wait.observe_nothing();
            return Ok(permit);
        }
        let waiting = Waiting::among_few(&self.counters)?;
        let acquire = self.permits.clone().acquire_owned();
        let permit = match self.settings.pool_timeout {
            Some(timeout) => tokio::time::timeout(timeout, acquire)
                .await
                .map_err(|_| Error::PoolTimeout)?,
            None => acquire.await,
        };
        drop(waiting);
        permit.map_err(|_| Error::PoolTimeout)
    }

    /// Connects, trying again as often as configured; not where the login is refused, nor for a while after that.
    async fn open(self: &Arc<Pool>, connector: &Connector) -> Result<Session, Error> {
        self.begin_reaping();
        let mut backoff = BACKOFF;
        let mut attempts = 0;
        loop {
            let began = Instant::now();
            self.refusals.may_try(began)?;
            let connected = connector.connect().await;
            self.refusals.learn(began, Instant::now(), &connected);
            self.counters.connect.observe(began.elapsed());
            match connected {
                Ok(client) => {
                    self.counters.connects.fetch_add(1, Ordering::Relaxed);
                    return Ok(Session::new(client));
                }
                Err(error) => {
                    self.counters.connect_errors.fetch_add(1, Ordering::Relaxed);
                    let is_refused = matches!(&error, Error::Connect(error) if error.is_of_login());
                    if is_refused || attempts >= self.settings.retries {
                        return Err(error);
                    }
                    attempts += 1;
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(Duration::from_secs(5));
                }
            }
        }
    }

    /// Starts the task that closes idle and old connections; it ends with the pool.
    fn begin_reaping(self: &Arc<Pool>) {
        if self.reaping.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REAP_EVERY).await;
                let Some(pool) = pool.upgrade() else { return };
                pool.reap();
            }
        });
    }

    fn reap(&self) {
        let (idle, lifetime) = (self.settings.idle_timeout, self.settings.connection_lifetime);
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|session| session.is_usable(lifetime) && session.idle_for() < idle);
        for reader in &self.lines {
            reader.reap(idle, lifetime);
        }
    }

    /// Adds this pool's figures.
    pub(crate) fn add_metrics(&self, metrics: &mut PoolMetrics) {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let idle = count(self.idle.lock().unwrap_or_else(PoisonError::into_inner).len());
        let allowed = u64::from(self.settings.max_connections.max(1)) - count(self.readers);
        let writers = count(
            self.lines
                .iter()
                .skip(self.readers)
                .filter_map(Line::load)
                .count(),
        );
        let busy = allowed.saturating_sub(count(self.permits.available_permits()) + writers);
        let loads: Vec<u32> = self.lines.iter().filter_map(Line::load).collect();
        metrics.connections += idle + busy + count(loads.len());
        metrics.idle += idle + count(loads.iter().filter(|load| **load == 0).count());
        metrics.max_connections += u64::from(self.settings.max_connections.max(1));
        metrics.waiting += get(&self.counters.waiting);
        metrics.turned_away += get(&self.counters.turned_away);
        self.counters.wait.add_to(&mut metrics.wait);
        self.counters.connect.add_to(&mut metrics.connect);
        metrics.connects += get(&self.counters.connects);
        metrics.connect_errors += get(&self.counters.connect_errors);
        metrics.statements += get(&self.counters.statements);
        metrics.statement_errors += get(&self.counters.statement_errors);
    }
}

/// Counts one that waits, also if it gives up.
struct Waiting<'a> {
    counters: &'a Counters,
    since: Instant,
}

impl<'a> Waiting<'a> {
    fn begin(counters: &'a Counters) -> Waiting<'a> {
        counters.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            counters,
            since: Instant::now(),
        }
    }

    /// The same, unless too many wait already. One that is turned away has not waited.
    fn among_few(counters: &'a Counters) -> Result<Waiting<'a>, Error> {
        let one_more = |waiting: u64| (waiting < MOST_WAITING).then_some(waiting + 1);
        let counted = counters
            .waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        if counted.is_err() {
            counters.turned_away.fetch_add(1, Ordering::Relaxed);
            return Err(Error::TooManyWaiting);
        }
        Ok(Waiting {
            counters,
            since: Instant::now(),
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.counters.wait.observe(self.since.elapsed());
        self.counters.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
