//! `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::observe::Metrics;

/// Connections at a time.
const CONNECTIONS: usize = 64;
/// How long a client may take for the head of its request.
const HEAD: Duration = Duration::from_secs(5);

/// What `/readyz` and `/healthz` say.
#[derive(Debug, Default)]
pub struct Health {
    ready: AtomicBool,
    failed: Mutex<Option<String>>,
}

impl Health {
    /// Everything was read once.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// Something that nothing can do without has ended: the program is to be begun anew.
    pub fn fail(&self, what: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert_with(|| what.to_owned());
    }

    /// What has ended first.
    pub fn failed(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }
}

/// Answers for ever.
pub async fn serve(listener: TcpListener, health: Arc<Health>, metrics: Arc<Metrics>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (health, metrics) = (Arc::clone(&health), Arc::clone(&metrics));
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let response = answer(&request, &health, &metrics);
                std::future::ready(Ok::<_, Infallible>(response))
            });
            let mut server = http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A client that breaks off is its own affair.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
            drop(slot);
        });
    }
}

fn answer(request: &Request<Incoming>, health: &Health, metrics: &Metrics) -> Response<Full<Bytes>> {
    let (status, body) = match request.uri().path() {
        "/healthz" => match health.failed() {
            None => (StatusCode::OK, Bytes::from_static(b"ok")),
            Some(what) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("{what} has ended: the program is to be begun anew").into(),
            ),
        },
        "/readyz" if health.ready.load(Ordering::Acquire) => (StatusCode::OK, Bytes::from_static(b"ok")),
        "/readyz" => (
            StatusCode::SERVICE_UNAVAILABLE,
            Bytes::from_static(b"reading the cluster's objects"),
        ),
        "/metrics" => (StatusCode::OK, metrics.text().into()),
        _ => (StatusCode::NOT_FOUND, Bytes::from_static(b"not found")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    async fn status_of_readyz(address: std::net::SocketAddr) -> String {
        let mut stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let request = b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let status = answer.split(' ').nth(1);
        status.unwrap_or_default().to_owned()
    }

    #[tokio::test]
    async fn it_is_ready_when_everything_was_read() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let health = Arc::new(Health::default());
        let metrics = Arc::new(Metrics::new().expect("metrics"));
        tokio::spawn(serve(listener, Arc::clone(&health), metrics));
        assert_eq!(status_of_readyz(address).await, "503");
        health.set_ready();
        assert_eq!(status_of_readyz(address).await, "200");
    }
}
