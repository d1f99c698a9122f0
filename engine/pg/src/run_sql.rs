//! `run_sql`: text of any number of statements on a connection of its own, which is closed afterwards, so that whatever
//! the text does to its session ends with it.

use schema::catalog::Catalog;

use crate::error::Error;

/// In what transaction the text runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunSqlMode {
    /// A read-write transaction.
    Transaction,
    /// A read-only transaction (`read_only`).
    ReadOnly,
    /// None (`no_transaction`).
    NoTransaction,
}

/// What the last statement gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlResult {
    /// Rows as text: the column names first, then the values, NULL as `NULL`.
    TuplesOk(Vec<Vec<String>>),
    /// Nothing.
    CommandOk,
}

/// An open `run_sql`. Dropping it rolls back.
#[derive(Debug)]
pub struct RunSql {}

impl RunSql {
    /// Runs the text and gives the result of its last statement.
    ///
    /// # Errors
    /// [`Error::Database`] with the text as its statement; tell it as `query execution failed` (400, `postgres-error`).
    pub async fn execute(&mut self, _sql: &str) -> Result<SqlResult, Error> {
        Err(Error::Lost(None))
    }

    /// The catalog as this transaction sees it.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn introspect(&mut self) -> Result<Catalog, Error> {
        Err(Error::Lost(None))
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred constraint, or the connection is lost.
    pub async fn commit(self) -> Result<(), Error> {
        Err(Error::Lost(None))
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn rollback(self) -> Result<(), Error> {
        Err(Error::Lost(None))
    }
}
