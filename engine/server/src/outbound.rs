//! The one HTTP client for requests that the engine itself makes: webhooks and key sets.
//!
//! Connections are kept and reused. Redirects are not followed, proxies of the environment are not used, answers are read
//! up to a bound and within a time, and addresses are checked after names are resolved ([`policy`]).

pub mod policy;
mod tolerance;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use metadata::network::TlsAllow;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::settings;
use policy::Policy;
use tolerance::{Tolerant, tolerates};

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(60);

/// As outgoing requests name the engine.
const USER_AGENT: &str = concat!("hasura-graphql-engine/", env!("CARGO_PKG_VERSION"));

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file of further certificate authorities cannot be read.
    #[error("the certificate authorities in {path} cannot be read: {reason}")]
    Authorities {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("TLS for outgoing requests cannot be set up")]
    Tls(#[source] rustls::Error),
    /// Certificates cannot be verified.
    #[error("certificates of outgoing requests cannot be verified")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// The client cannot be made.
    #[error("the client for outgoing requests cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL is none, or of another scheme than HTTP.
    #[error("the URL cannot be used")]
    Url,
    /// The policy forbids the address.
    #[error("requests to this address are not allowed (ROWLOCK_OUTBOUND_ALLOWED_ADDRESSES)")]
    Forbidden,
    /// It took too long.
    #[error("no answer in time")]
    Timeout,
    /// The answer is too long.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Connecting, TLS or HTTP failed.
    #[error("{0}")]
    Transport(String),
}

/// A request.
#[derive(Debug)]
pub struct Outgoing<'a> {
    /// Its method.
    pub method: Method,
    /// Where to.
    pub url: &'a str,
    /// Its headers; `User-Agent` is added.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Option<Vec<u8>>,
    /// How long all of it may take.
    pub timeout: Duration,
    /// Bytes of the answer at most.
    pub longest: usize,
}

/// An answer.
#[derive(Debug)]
pub struct Incoming {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

/// The client.
#[derive(Debug, Clone)]
pub struct Client {
    client: reqwest::Client,
    /// For hosts of `tls_allowlist`. Its connections are its own: none outlives the entry that allowed it.
    tolerant: reqwest::Client,
    tls_allowlist: Arc<ArcSwap<Vec<TlsAllow>>>,
    policy: Arc<Policy>,
}

/// Finds the addresses of a name.
type Lookup = fn(&str) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>>;

impl Client {
    /// From settings.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(settings: &settings::Outbound) -> Result<Self, SetupError> {
        Self::with_lookup(settings, system_lookup)
    }

    fn with_lookup(settings: &settings::Outbound, lookup: Lookup) -> Result<Self, SetupError> {
        let policy = Arc::new(Policy::new(settings.allowed_addresses.clone()));
        let client = |verifier| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls(verifier)?)
                .dns_resolver(Arc::new(Resolver {
                    policy: Arc::clone(&policy),
                    lookup,
                }))
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .tcp_nodelay(true)
                .user_agent(USER_AGENT)
                .build()
                .map_err(SetupError::Client)
        };
        let strict = strict(settings)?;
        Ok(Self {
            client: client(Arc::clone(&strict) as Arc<dyn ServerCertVerifier>)?,
            tolerant: client(Arc::new(Tolerant(strict)))?,
            tls_allowlist: Arc::default(),
            policy,
        })
    }

    /// Takes the hosts whose certificates may be of their own making, for all requests from now on.
    pub fn allow_tls(&self, hosts: &[TlsAllow]) {
        self.tls_allowlist.store(Arc::new(hosts.to_vec()));
    }

    /// The client for a URL.
    fn of(&self, host: &str, port: Option<u16>) -> &reqwest::Client {
        let allowed = |entry: &TlsAllow| port.is_some_and(|port| tolerates(entry, host, port));
        if self.tls_allowlist.load().iter().any(allowed) {
            &self.tolerant
        } else {
            &self.client
        }
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn send(&self, outgoing: Outgoing<'_>) -> Result<Incoming, Error> {
        let timeout = outgoing.timeout;
        match tokio::time::timeout(timeout, self.exchange(outgoing)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout),
        }
    }

    async fn exchange(&self, outgoing: Outgoing<'_>) -> Result<Incoming, Error> {
        let url = reqwest::Url::parse(outgoing.url).map_err(|_| Error::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::Url);
        }
        // Hosts that are addresses are never resolved.
        let host = url.host_str().ok_or(Error::Url)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let literal = host.parse();
        if literal.is_ok_and(|address| self.policy.refuses(address)) {
            return Err(Error::Forbidden);
        }
        let client = self.of(host, url.port_or_known_default());
        let mut request = client.request(outgoing.method, url).headers(outgoing.headers);
        if let Some(body) = outgoing.body {
            request = request.body(body);
        }
        let mut response = request.send().await.map_err(|error| told(&error))?;
        if response
            .content_length()
            .is_some_and(|length| length > bound(outgoing.longest))
        {
            return Err(Error::TooLong(outgoing.longest));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > outgoing.longest {
                return Err(Error::TooLong(outgoing.longest));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Incoming {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: body.into(),
        })
    }
}

fn bound(longest: usize) -> u64 {
    u64::try_from(longest).unwrap_or(u64::MAX)
}

/// The error without its URL, which may hold secrets, but with all of its causes.
fn told(error: &reqwest::Error) -> Error {
    let mut cause = std::error::Error::source(error);
    let mut told = String::from("the request failed");
    while let Some(inner) = cause {
        if inner.downcast_ref::<policy::Refused>().is_some() {
            return Error::Forbidden;
        }
        told.push_str(": ");
        told.push_str(&inner.to_string());
        cause = inner.source();
    }
    if error.is_timeout() {
        Error::Timeout
    } else {
        Error::Transport(told)
    }
}

/// Trusts the system's certificate authorities, or Mozilla's where it has none, and those of the settings.
fn strict(settings: &settings::Outbound) -> Result<Arc<WebPkiServerVerifier>, SetupError> {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = &settings.authorities {
        let wrong = |reason: String| SetupError::Authorities {
            path: path.clone(),
            reason,
        };
        let found: Vec<_> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(error.to_string()))?;
        if found.is_empty() {
            return Err(wrong("it holds no PEM certificate".to_owned()));
        }
        for certificate in found {
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(SetupError::Verifier)
}

fn tls(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, SetupError> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// By the system.
fn system_lookup(name: &str) -> BoxFuture<'static, std::io::Result<Vec<SocketAddr>>> {
    let name = name.to_owned();
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Resolves names and leaves out addresses that the policy refuses. The connection is made to what is
/// left, so that a name cannot be resolved to one address for the check and to another for the connection.
struct Resolver {
    policy: Arc<Policy>,
    lookup: Lookup,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = Arc::clone(&self.policy);
        let looked_up = (self.lookup)(name.as_str());
        Box::pin(async move {
            let found = looked_up.await?;
            let some = !found.is_empty();
            let allowed: Vec<_> = found
                .into_iter()
                .filter(|address| !policy.refuses(address.ip()))
                .collect();
            if some && allowed.is_empty() {
                return Err(policy::Refused.into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests;
