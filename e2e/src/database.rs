//! A database for one story, in the Postgres that `ROWLOCK_E2E_DATABASE_URL` names (an account that may create databases
//! and roles; reachable under the same address from here and from pods). SQL goes through `psql`.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Why a database does not do what a story asks.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No Postgres is named.
    #[error("ROWLOCK_E2E_DATABASE_URL is not set: e2e/run starts a Postgres and sets it")]
    None,
    /// `psql` cannot be run.
    #[error("psql: {0}")]
    Psql(#[source] std::io::Error),
    /// The SQL failed; Postgres's words.
    #[error("{0}")]
    Sql(String),
}

/// A database.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// The connection string of its owner.
    pub url: String,
}

impl Database {
    /// Creates an empty database of this name; one that is there is dropped first.
    ///
    /// # Errors
    /// When there is no Postgres, or it refuses.
    pub async fn create(name: &str) -> Result<Self, DatabaseError> {
        let server = std::env::var("ROWLOCK_E2E_DATABASE_URL").map_err(|_| DatabaseError::None)?;
        let sql = "drop database if exists :\"name\" with (force);\ncreate database :\"name\";\n";
        run(&server, sql, &[("name", name)]).await?;
        Ok(Self {
            name: name.to_owned(),
            url: with_database(&server, name),
        })
    }

    /// Runs SQL; what it prints, without decoration.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn run(&self, sql: &str) -> Result<String, DatabaseError> {
        run(&self.url, sql, &[]).await
    }

    /// Runs SQL in which `:'name'` stands for a value as a text and `:"name"` for it as an identifier.
    ///
    /// # Errors
    /// When a statement fails.
    pub async fn run_with(&self, sql: &str, values: &[(&str, &str)]) -> Result<String, DatabaseError> {
        run(&self.url, sql, values).await
    }

    /// The connection string of another account of the same database.
    #[must_use]
    pub fn url_of(&self, account: &str, password: &str) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("postgresql", &self.url));
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        format!("{scheme}://{account}:{password}@{place}")
    }
}

/// `…/postgres?x` with another database: `…/name?x`.
fn with_database(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgresql", url));
    let (rest, options) = rest
        .split_once('?')
        .map_or((rest, ""), |(rest, options)| (rest, options));
    let place = rest.split('/').next().unwrap_or_default();
    let options = if options.is_empty() {
        String::new()
    } else {
        format!("?{options}")
    };
    format!("{scheme}://{place}/{name}{options}")
}

async fn run(url: &str, sql: &str, values: &[(&str, &str)]) -> Result<String, DatabaseError> {
    let values = values
        .iter()
        .flat_map(|(name, value)| ["-v".to_owned(), format!("{name}={value}")]);
    let mut psql = Command::new("psql")
        .args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-", "-d", url])
        .args(values)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(DatabaseError::Psql)?;
    if let Some(mut input) = psql.stdin.take() {
        input
            .write_all(sql.as_bytes())
            .await
            .map_err(DatabaseError::Psql)?;
    }
    let done = psql.wait_with_output().await.map_err(DatabaseError::Psql)?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    } else {
        Err(DatabaseError::Sql(
            String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let url = with_database("postgresql://a:b@10.0.0.1:5432/postgres?sslmode=disable", "shop");
        assert_eq!(url, "postgresql://a:b@10.0.0.1:5432/shop?sslmode=disable");
        let database = Database {
            name: "shop".to_owned(),
            url,
        };
        assert_eq!(
            database.url_of("engine", "secret"),
            "postgresql://engine:secret@10.0.0.1:5432/shop?sslmode=disable"
        );
    }
}
