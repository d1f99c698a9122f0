//! A read-write transaction on a connection of its own.

use sql::Statement;

use crate::error::Error;

/// An open transaction. Dropping it rolls back.
#[derive(Debug)]
pub struct Write {}

impl Write {
    /// Runs a statement and appends its JSON to `out`.
    ///
    /// # Errors
    /// `out` is as it was before; the transaction can only be rolled back.
    pub async fn execute(
        &mut self,
        _statement: &Statement,
        _values: &[Option<String>],
        _limit: Option<usize>,
        _out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        Err(Error::Lost(None))
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred constraint or a serialization failure, or the connection is lost.
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
