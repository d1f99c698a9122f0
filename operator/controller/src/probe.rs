//! Calls of the pods' admin API. Answers are bounded, every call has a time limit.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use delivery::{CheckAnswer, CheckRequest, ObjectEntry, Report, path};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Bytes of an answer at most: a table of 100,000 objects has 30 MiB.
const MOST_ANSWER: usize = 64 << 20;
/// How long a pod may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a pod may take for an answer that does not wait.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a check may take: an introspection of a large database and a build.
const CHECK: Duration = Duration::from_secs(30);

/// Why a pod gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be made.
    #[error("the request cannot be made")]
    Request(#[source] http::Error),
    /// It cannot be written as JSON.
    #[error("the request cannot be written")]
    Write(#[source] std::io::Error),
    /// The pod cannot be reached.
    #[error("the admin port does not answer")]
    Connect(#[source] hyper_util::client::legacy::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    /// The answer broke off, or is too long.
    #[error("the answer cannot be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Not what was asked for.
    #[error("the answer is {status}: {text}")]
    Status {
        /// The status.
        status: StatusCode,
        /// The beginning of the body.
        text: String,
    },
    /// Of another form.
    #[error("the answer has another form")]
    Form(#[source] serde_json::Error),
}

impl Error {
    /// Whether the same pod will not answer the same another time either: it is too old for what is asked, or it is too much.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Status { status, .. } => matches!(
                *status,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::PAYLOAD_TOO_LARGE
            ),
            _ => false,
        }
    }
}

/// Calls pods.
#[derive(Clone, Debug)]
pub struct Probe {
    client: Client<HttpConnector, Full<Bytes>>,
    port: u16,
}

impl Probe {
    /// On a port.
    pub fn new(port: u16) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Self { client, port }
    }

    /// The report of a pod, as soon as it is not the one of revision `after`, or after `wait`.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn report(
        &self,
        address: IpAddr,
        token: &str,
        after: Option<&str>,
        wait: Duration,
    ) -> Result<Report, Error> {
        let query = after.map_or_else(String::new, |after| {
            format!("?after={after}&wait={}", wait.as_secs())
        });
        let path = format!("{}{query}", path::GENERATION);
        let request = self
            .request(Method::GET, address, &path, token)
            .body(Full::default());
        let body = self.call(request, wait + ANSWER).await?;
        serde_json::from_slice(&body).map_err(Error::Form)
    }

    /// The table of the objects that a pod serves, and the hash of its text, as in reports.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn objects(&self, address: IpAddr, token: &str) -> Result<(Vec<ObjectEntry>, String), Error> {
        let request = self
            .request(Method::GET, address, path::OBJECTS, token)
            .body(Full::default());
        let body = self.call(request, ANSWER).await?;
        let entries = serde_json::from_slice(&body).map_err(Error::Form)?;
        Ok((entries, delivery::hash(&body)))
    }

    /// What a pod would leave out of a document.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn check(
        &self,
        address: IpAddr,
        token: &str,
        request: &CheckRequest,
    ) -> Result<CheckAnswer, Error> {
        let text = serde_json::to_vec(request).map_err(Error::Form)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&text).map_err(Error::Write)?;
        let compressed = encoder.finish().map_err(Error::Write)?;
        let request = self
            .request(Method::POST, address, path::CHECK, token)
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .body(Full::from(compressed));
        let body = self.call(request, CHECK).await?;
        serde_json::from_slice(&body).map_err(Error::Form)
    }

    fn request(&self, method: Method, address: IpAddr, path: &str, token: &str) -> http::request::Builder {
        let address = SocketAddr::new(address, self.port);
        Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .header("authorization", format!("Bearer {token}"))
    }

    async fn call(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
        limit: Duration,
    ) -> Result<Bytes, Error> {
        let request = request.map_err(Error::Request)?;
        let answer = async {
            let response = self.client.request(request).await.map_err(Error::Connect)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
            let body = body.map_err(Error::Body)?.to_bytes();
            if status != StatusCode::OK {
                let text = String::from_utf8_lossy(body.get(..300).unwrap_or(&body)).into_owned();
                return Err(Error::Status { status, text });
            }
            Ok(body)
        };
        tokio::time::timeout(limit, answer)
            .await
            .map_err(|_| Error::Timeout(limit))?
    }
}
