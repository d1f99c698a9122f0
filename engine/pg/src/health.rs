//! How a source is doing: health checks and figures of its connections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a health check found (`GET /healthz/sources`).
#[derive(Debug)]
pub enum Health {
    /// `OK`
    Ok,
    /// `FAILED`: the check's SQL failed.
    Failed(crate::Error),
    /// `TIMEOUT`
    Timeout,
    /// `ERROR`: no connection.
    Error(crate::Error),
}

/// Figures of a source's connections. Counters only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PoolMetrics {
    /// Open connections.
    pub connections: u64,
    /// Of those, with nothing to do.
    pub idle: u64,
    /// Most connections allowed.
    pub max_connections: u64,
    /// Statements that wait for a connection now.
    pub waiting: u64,
    /// Statements that were refused because too many waited.
    pub turned_away: u64,
    /// How long statements waited for a connection.
    pub wait: Durations,
    /// How long it took to make connections, failed attempts included.
    pub connect: Durations,
    /// Connections made.
    pub connects: u64,
    /// Connection attempts that failed.
    pub connect_errors: u64,
    /// Statements run.
    pub statements: u64,
    /// Statements that Postgres refused or that lost their connection.
    pub statement_errors: u64,
}

/// The figures of one database of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberMetrics {
    /// What the database is called: [`Member::label`](crate::Member).
    pub label: String,
    /// What it is to the source.
    pub role: MemberRole,
    /// Its connections.
    pub pool: PoolMetrics,
}

impl MemberMetrics {
    pub(crate) fn new(role: MemberRole, label: &str) -> MemberMetrics {
        MemberMetrics {
            label: label.to_owned(),
            role,
            pool: PoolMetrics::default(),
        }
    }
}

/// What a database is to its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberRole {
    /// The primary, or a member of the connection set.
    Primary,
    /// A read replica.
    Replica,
}

impl MemberRole {
    /// As metrics have it.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberRole::Primary => "primary",
            MemberRole::Replica => "replica",
        }
    }
}

/// How long things took: how many lie within each bound, and altogether.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many took at most [`Durations::BOUNDS`], but longer than the bound before; the last one has no bound.
    pub counts: [u64; Durations::BOUNDS.len() + 1],
    /// Microseconds altogether.
    pub micros: u64,
}

impl Durations {
    /// Bounds in seconds, Hasura's for waiting times.
    pub const BOUNDS: [f64; 10] = [1e-6, 1e-4, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn bucket(took: Duration) -> usize {
        let seconds = took.as_secs_f64();
        let within = Self::BOUNDS.iter().position(|bound| seconds <= *bound);
        within.unwrap_or(Self::BOUNDS.len())
    }
}

/// [`Durations`] while they are being counted.
#[derive(Debug, Default)]
pub(crate) struct DurationCounters {
    counts: [AtomicU64; Durations::BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl DurationCounters {
    pub(crate) fn observe(&self, took: Duration) {
        if let Some(count) = self.counts.get(Durations::bucket(took)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Something that took no time, at the least cost.
    pub(crate) fn observe_nothing(&self) {
        let [first, ..] = &self.counts;
        first.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_to(&self, durations: &mut Durations) {
        for (count, counted) in durations.counts.iter_mut().zip(&self.counts) {
            *count += counted.load(Ordering::Relaxed);
        }
        durations.micros += self.micros.load(Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_into_their_buckets() {
        let counters = DurationCounters::default();
        counters.observe_nothing();
        counters.observe(Duration::from_micros(1));
        counters.observe(Duration::from_millis(50));
        counters.observe(Duration::from_secs(1000));
        let mut durations = Durations::default();
        counters.add_to(&mut durations);
        assert_eq!(durations.counts, [2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((durations.count(), durations.micros), (4, 1_000_050_001));
    }
}
