//! `run_sql`: text of any number of statements on a connection of its own, which is closed afterwards, so that whatever
//! the text does to its session ends with it.

mod statement;

use std::pin::pin;

use futures_util::TryStreamExt;
use schema::catalog::Catalog;
use tokio_postgres::SimpleQueryMessage;

use crate::error::Error;
use crate::introspect;
use crate::pool::Exclusive;
use crate::source::Access;

/// In what transaction the text runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunSqlMode {
    /// A read-write transaction.
    Transaction,
    /// A read-only transaction (`read_only`).
    ReadOnly,
    /// None (`no_transaction`): the statements run one by one, and those before one that fails stay.
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

/// An open `run_sql`. Dropping it rolls back and cancels what runs.
#[derive(Debug)]
pub struct RunSql {
    connection: Exclusive,
    mode: RunSqlMode,
}

impl RunSql {
    pub(crate) async fn begin(mut connection: Exclusive, mode: RunSqlMode) -> Result<RunSql, Error> {
        let isolation = connection.pool().isolation();
        let begin = match mode {
            RunSqlMode::Transaction => Some(isolation.begin_plain(Access::ReadWrite)),
            RunSqlMode::ReadOnly => Some(isolation.begin_plain(Access::ReadOnly)),
            RunSqlMode::NoTransaction => None,
        };
        connection.running();
        if let Some(begin) = begin {
            let session = connection.session()?;
            session.client.batch_execute(&begin).await?;
        }
        connection.in_transaction();
        Ok(RunSql { connection, mode })
    }

    /// Runs the text and gives the result of its last statement.
    ///
    /// # Errors
    /// [`Error::Database`] with the text as its statement; tell it as `query execution failed` (400, `postgres-error`).
    pub async fn execute(&mut self, sql: &str) -> Result<SqlResult, Error> {
        self.connection.running();
        let session = self.connection.session()?;
        let result = match self.mode {
            RunSqlMode::NoTransaction => one_by_one(&session.client, sql).await,
            RunSqlMode::Transaction | RunSqlMode::ReadOnly => last_result(&session.client, sql).await,
        };
        self.connection.in_transaction();
        result.map_err(|error| match error {
            Error::Database(mut database) => {
                database.statement = Some(sql.to_owned());
                Error::Database(database)
            }
            other => other,
        })
    }

    /// The catalog as this transaction sees it.
    ///
    /// # Errors
    /// The connection is lost, or an earlier statement failed.
    pub async fn introspect(&mut self) -> Result<Catalog, Error> {
        let session = self.connection.session()?;
        introspect::catalog(&session.client).await
    }

    /// Commits.
    ///
    /// # Errors
    /// A deferred constraint, or the connection is lost.
    pub async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Rolls back.
    ///
    /// # Errors
    /// The connection is lost.
    pub async fn rollback(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, text: &str) -> Result<(), Error> {
        if self.mode == RunSqlMode::NoTransaction {
            self.connection.clean();
            return Ok(());
        }
        self.connection.end_transaction(text).await
    }
}

/// Each statement as a text of its own: several sent as one are one transaction.
async fn one_by_one(client: &tokio_postgres::Client, sql: &str) -> Result<SqlResult, Error> {
    let mut last = SqlResult::CommandOk;
    let mut rest = sql;
    loop {
        // A statement may change the setting for those after it; without backslashes it does not matter.
        let standard_strings = !rest.contains('\\') || standard_strings(client).await?;
        let Some((statement, after)) = statement::first(rest, standard_strings) else {
            return Ok(last);
        };
        last = last_result(client, statement).await?;
        rest = after;
    }
}

async fn standard_strings(client: &tokio_postgres::Client) -> Result<bool, Error> {
    let setting = last_result(client, "show standard_conforming_strings").await?;
    let value = match &setting {
        SqlResult::TuplesOk(rows) => rows.get(1).and_then(|row| row.first()),
        SqlResult::CommandOk => None,
    };
    Ok(value.is_none_or(|value| value != "off"))
}

/// Keeps only what the last statement gives.
async fn last_result(client: &tokio_postgres::Client, sql: &str) -> Result<SqlResult, Error> {
    let mut messages = pin!(client.simple_query_raw(sql).await?);
    let mut last = SqlResult::CommandOk;
    // Rows of the statement being read; `None` if it has no columns.
    let mut rows: Option<Vec<Vec<String>>> = None;
    while let Some(message) = messages.try_next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                rows = Some(vec![
                    columns.iter().map(|column| column.name().to_owned()).collect(),
                ]);
            }
            SimpleQueryMessage::Row(row) => {
                let mut values = Vec::with_capacity(row.len());
                for column in 0..row.len() {
                    values.push(row.try_get(column)?.unwrap_or("NULL").to_owned());
                }
                if let Some(rows) = &mut rows {
                    rows.push(values);
                }
            }
            SimpleQueryMessage::CommandComplete(_) => {
                last = rows.take().map_or(SqlResult::CommandOk, SqlResult::TuplesOk);
            }
            _ => {}
        }
    }
    Ok(last)
}
