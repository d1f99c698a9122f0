//! The way to the API server.

use kube::{Client, Config};

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
