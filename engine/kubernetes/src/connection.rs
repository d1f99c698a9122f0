//! The way to the API server.

use std::time::Duration;

use kube::{Client, Config};

/// How long the API server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long a connection may be silent that something is awaited on. Watches are begun anew before that, so one that is
/// silent for longer has died unnoticed.
const SILENCE: Duration = Duration::from_secs(crate::watch::WATCH_SECONDS as u64 + 15);

/// Why there is no way to the API server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither in a pod nor with a kubeconfig.
    #[error("there is neither a pod's service account nor a kubeconfig to reach the Kubernetes API with")]
    Configuration(#[source] Box<kube::config::InferConfigError>),
    /// What is configured cannot be used.
    #[error("the Kubernetes API cannot be reached as configured")]
    Client(#[source] Box<kube::Error>),
}

/// A client and the namespace that names are meant in.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: Client,
    pub(crate) namespace: String,
}

impl Connection {
    /// As the pod's service account in the pod's namespace; elsewhere as `KUBECONFIG` (or the default kubeconfig)
    /// says, in its current namespace. Nothing is sent yet.
    ///
    /// # Errors
    /// There is no usable configuration.
    pub async fn infer() -> Result<Self, Error> {
        let config = Config::infer()
            .await
            .map_err(|error| Error::Configuration(Box::new(error)))?;
        Self::configured(config)
    }

    /// As configured, but for the patience: who follows pauses and tries again itself, and is told of every failure.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn configured(mut config: Config) -> Result<Self, Error> {
        config.connect_timeout = Some(CONNECT);
        config.read_timeout = Some(SILENCE);
        config.reset_reader_on_write = true;
        // The client's own pauses double without anybody hearing of it: a server that was starting for ten seconds
        // would be asked again after twenty more.
        config.default_retry = false;
        let client = Client::try_from(config).map_err(|error| Error::Client(Box::new(error)))?;
        Ok(Self::new(client))
    }

    /// Through this client, in its default namespace.
    pub fn new(client: Client) -> Self {
        Self {
            namespace: client.default_namespace().to_owned(),
            client,
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Connection({})", self.namespace)
    }
}
