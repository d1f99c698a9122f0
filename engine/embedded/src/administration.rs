//! Creates and drops databases, on any server a URL names: what a test needs before it has a driver of its own.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use postgresql_embedded::{PostgreSQL, Settings, VersionReq};
use url::Url;

use crate::Error;

/// Runs a future to its end on a runtime of its own thread, so that it may be called from inside another runtime.
pub(crate) fn on_runtime<T, F>(future: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let thread = thread::Builder::new()
        .name("embedded-postgres".to_owned())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Error::Thread)?;
            Ok(runtime.block_on(future))
        })
        .map_err(Error::Thread)?;
    thread.join().map_err(|_| Error::Lost)?
}

/// Creates a database on the server that `server` names.
///
/// # Errors
/// [`Error::Database`] with the server's answer, as when it exists already.
pub(crate) fn create_database(server: &Url, name: &str) -> Result<(), Error> {
    let (handle, owned) = (handle(server)?, name.to_owned());
    on_runtime(async move { handle.create_database(owned).await })?.map_err(failed("create", name))
}

/// Creates a database unless it exists.
///
/// # Errors
/// [`Error::Database`] with the server's answer.
pub(crate) fn ensure_database(server: &Url, name: &str) -> Result<(), Error> {
    let (handle, owned) = (handle(server)?, name.to_owned());
    let attempt = async move {
        if handle.database_exists(&owned).await? {
            return Ok(());
        }
        handle.create_database(&owned).await
    };
    on_runtime(attempt)?.map_err(failed("create", name))
}

/// Drops a database, if it exists and nobody is connected to it.
///
/// # Errors
/// [`Error::Database`] with the server's answer.
pub(crate) fn drop_database(server: &Url, name: &str) -> Result<(), Error> {
    let (handle, owned) = (handle(server)?, name.to_owned());
    on_runtime(async move { handle.drop_database(owned).await })?.map_err(failed("drop", name))
}

fn failed(action: &'static str, name: &str) -> impl FnOnce(postgresql_embedded::Error) -> Error {
    let name = name.to_owned();
    move |source| Error::Database {
        action,
        name,
        source: Box::new(source),
    }
}

/// A handle that only connects. Its directories do not exist, so that it takes nothing for its own server.
fn handle(server: &Url) -> Result<PostgreSQL, Error> {
    let host = server.host_str().unwrap_or_default();
    let socket = server
        .query_pairs()
        .find(|(key, _)| key == "host")
        .map(|(_, value)| value.into_owned());
    if host.is_empty() && socket.is_none() {
        return Err(Error::Url(None));
    }
    let nowhere = PathBuf::from("/nonexistent");
    Ok(PostgreSQL::new(Settings {
        releases_url: String::new(),
        version: VersionReq::STAR,
        installation_dir: nowhere.clone(),
        password_file: nowhere.clone(),
        data_dir: nowhere,
        host: if host.is_empty() {
            "localhost".to_owned()
        } else {
            host.to_owned()
        },
        port: server.port().unwrap_or(5432),
        // Kept percent-encoded: it makes a URL of these again.
        username: server.username().to_owned(),
        password: server.password().unwrap_or_default().to_owned(),
        temporary: false,
        timeout: Some(Duration::from_secs(30)),
        configuration: HashMap::new(),
        trust_installation_dir: true,
        socket_dir: socket.map(PathBuf::from),
    }))
}
