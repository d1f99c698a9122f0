//! Counting in Redis, for all instances together: one script per request, over one connection that carries them all.
//!
//! A request never waits for a connection to be made. One task makes it, and makes it anew when it is lost; a request that
//! finds none, or whose answer does not come in time, is counted by its own process.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, Script, TlsCertificates};
use tokio::sync::{Notify, watch};

use crate::Key;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a request waits for Redis.
const PATIENCE: Duration = Duration::from_millis(250);
/// Pause between two connections at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Microseconds of the window that rates are given for.
const WINDOW: u64 = 60_000_000;

/// The time at which a key has used up what it was given, kept for as long as it lies ahead. Time is that of Redis: the
/// clocks of instances do not matter. Numbers are printed in full, as Lua would round them to 14 digits.
const SCRIPT: &str = "
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local used = tonumber(redis.call('GET', KEYS[1])) or now
if used < now then used = now end
used = used + interval
if used - now > window then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', used), 'PX', string.format('%.0f', (used - now) / 1000 + 1))
return 1
";

/// The URL of Redis cannot be used. Holds nothing of it: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of Redis (redis://[user:password@]host[:port][/database], rediss:// for TLS)")]
pub struct UrlError;

/// How Redis is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Requests are counted in it.
    Up,
    /// They are not, and why.
    Away(String),
}

/// A Redis.
pub struct Shared {
    client: Client,
    script: Script,
    connection: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Shared(<REDACTED>)")
    }
}

impl Shared {
    /// Behind this URL. `tls` asks for TLS whatever its scheme; `authorities` (PEM) are then trusted instead of the
    /// system's. Nothing is connected yet.
    ///
    /// # Errors
    /// The URL is none.
    pub fn new(url: &str, tls: bool, authorities: Option<Vec<u8>>) -> Result<Self, UrlError> {
        let mut info = url.into_connection_info().map_err(|_| UrlError)?;
        if tls && let ConnectionAddr::Tcp(host, port) = info.addr() {
            let address = ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: false,
                tls_params: None,
            };
            info = info.set_addr(address);
        }
        let is_tls = match info.addr() {
            ConnectionAddr::TcpTls { insecure: false, .. } => true,
            ConnectionAddr::Tcp(..) => false,
            _ => return Err(UrlError),
        };
        let client = if is_tls {
            // The library asks the process for its cryptography; if somebody was first, theirs does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
            Client::build_with_tls(
                info,
                TlsCertificates {
                    client_tls: None,
                    root_cert: authorities,
                },
            )
        } else {
            Client::open(info)
        };
        Ok(Self {
            client: client.map_err(|_| UrlError)?,
            script: Script::new(SCRIPT),
            connection: ArcSwapOption::empty(),
            lost: Notify::new(),
        })
    }

    /// Counts a request; `None` if Redis did not.
    pub(crate) async fn admits(&self, most: u64, key: &Key) -> Option<bool> {
        let present = self.connection.load_full();
        let connection = present.as_ref()?;
        match self.count(connection, most, &key.to_hex()).await {
            Ok(admitted) => Some(admitted),
            Err(_) => {
                // Only the first of the requests that it failed.
                let before = self.connection.compare_and_swap(&present, None);
                if before
                    .as_ref()
                    .is_some_and(|before| Arc::ptr_eq(before, connection))
                {
                    self.lost.notify_one();
                }
                None
            }
        }
    }

    async fn count(&self, connection: &MultiplexedConnection, most: u64, key: &str) -> Result<bool, String> {
        let mut connection = connection.clone();
        let mut call = self.script.key(format!("rowlock:rate:{most}:{key}"));
        call.arg(WINDOW / most.max(1)).arg(WINDOW);
        match tokio::time::timeout(PATIENCE, call.invoke_async::<u8>(&mut connection)).await {
            Ok(Ok(admitted)) => Ok(admitted == 1),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// Keeps a connection until `stop`, and tells whenever Redis comes or goes.
    pub async fn follow(self: Arc<Self>, report: impl Fn(&Standing), mut stop: watch::Receiver<bool>) {
        let mut told = None;
        let mut tell = |standing: Standing| {
            if told.as_ref() != Some(&standing) {
                report(&standing);
                told = Some(standing);
            }
        };
        loop {
            match self.connect().await {
                Ok(connection) => {
                    self.connection.store(Some(Arc::new(connection)));
                    tell(Standing::Up);
                    tokio::select! {
                        () = self.lost.notified() => {}
                        _ = stop.wait_for(|stop| *stop) => return,
                    }
                    tell(Standing::Away("the connection was lost".to_owned()));
                }
                Err(reason) => tell(Standing::Away(reason)),
            }
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// A connection that has counted once: one that may not run scripts is of no use.
    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(CONNECT));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await
            .map_err(|error| error.to_string())?;
        self.count(&connection, 60, "probe").await?;
        Ok(connection)
    }
}
