//! How a source is doing: health checks and figures of its connections.

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
    /// Statements that had to wait.
    pub waits: u64,
    /// How long they waited, in microseconds altogether.
    pub wait_micros: u64,
    /// Connections made.
    pub connects: u64,
    /// Connection attempts that failed.
    pub connect_errors: u64,
    /// Statements run.
    pub statements: u64,
    /// Statements that Postgres refused or that lost their connection.
    pub statement_errors: u64,
}
