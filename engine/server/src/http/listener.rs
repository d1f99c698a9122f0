//! Connections: accepting them, serving HTTP/1.1 on each, and letting them finish when the program stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::TryFutureExt;
use http::header::CONNECTION;
use http::{HeaderValue, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_util::io::InspectReader;
use tower::ServiceExt;

use crate::http::router::{self, Peer};
use crate::http::spelling::Recent;
use crate::observe::Event;
use crate::observe::log::Level;
use crate::state::State;
use crate::websocket;

const CLOSE: HeaderValue = HeaderValue::from_static("close");

/// How long to wait before accepting again when the process is out of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// How long a connection stays open that nothing is asked on when the program stops: a request may be on its way, and most
/// clients do not send one again that changes something.
const LINGER: Duration = Duration::from_secs(1);

/// Why the server does not listen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be resolved or bound.
    #[error("cannot listen on {address}: {reason}")]
    Bind {
        /// Which.
        address: String,
        /// Why.
        reason: String,
    },
}

/// Listens on a host (`*` is all addresses) and port.
pub async fn bind(host: &str, port: u16) -> Result<TcpListener, Error> {
    let wanted: Vec<(&str, u16)> = match host {
        // Machines without IPv6 have only the second.
        "*" => vec![("::", port), ("0.0.0.0", port)],
        host => vec![(host, port)],
    };
    let mut reason = None;
    for address in &wanted {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                reason = Some("the port is in use by another program".to_owned());
                break;
            }
            Err(error) => reason = Some(error.to_string()),
        }
    }
    Err(Error::Bind {
        address: format!("{host}:{port}"),
        reason: reason.unwrap_or_default(),
    })
}

/// Serves until `stop` turns true, then lets requests in flight finish, for as long as the settings allow. That is those on
/// their way as well: each connection ends with its next answer, which says so, or when no request has come for a while.
pub async fn serve(state: Arc<State>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let router = router::router(Arc::clone(&state));
    let (alive, mut all_done) = mpsc::channel::<Infallible>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(connection(
                    Arc::clone(&state),
                    router.clone(),
                    stream,
                    peer,
                    stop.clone(),
                    alive.clone(),
                ));
            }
            Err(error) => {
                state.observer.emit(Event::Unstructured {
                    level: Level::Error,
                    message: format!("cannot accept a connection: {error}"),
                });
                tokio::time::sleep(EXHAUSTED).await;
            }
        }
    }
    // Before nobody listens any more, so that every answer from then on ends its connection.
    state.drain();
    drop(listener);
    drop(alive);
    let finished = async {
        all_done.recv().await;
        state.websockets.all_closed().await;
    };
    let _ = tokio::time::timeout(state.settings.http.graceful_shutdown, finished).await;
}

async fn connection(
    state: Arc<State>,
    router: Router,
    stream: TcpStream,
    peer: SocketAddr,
    mut stop: watch::Receiver<bool>,
    _alive: mpsc::Sender<Infallible>,
) {
    // Answers are written in one piece; waiting for more to send would only add delay.
    let _ = stream.set_nodelay(true);
    let connections = state.observer.metrics.connections().clone();
    connections.inc();
    let settings = &state.settings.http;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(settings.timeout)
        .max_buf_size(settings.max_head);
    let recent = Recent::default();
    let (heard, hearing) = (recent.clone(), Arc::clone(&state));
    // Asked each time: the webhook may become another while the connection lasts.
    let stream = InspectReader::new(stream, move |read| {
        if hearing.wants_spelling() {
            heard.add(read);
        } else {
            heard.forget();
        }
    });
    let taking = &*state;
    let service = service_fn(move |mut request: http::Request<_>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        if taking.wants_spelling() {
            request.extensions_mut().insert(recent.take());
        }
        if websocket::is_wanted(&request) {
            recent.end();
        }
        let answered = router.clone().oneshot(request);
        answered.map_ok(|mut answer| {
            if taking.is_draining() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                answer.headers_mut().insert(CONNECTION, CLOSE);
            }
            answer
        })
    });
    let mut served = std::pin::pin!(
        builder
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
    );
    // A client that breaks off is not an event worth a line.
    let stopped = tokio::select! {
        _ = served.as_mut() => false,
        () = stopped(&mut stop) => true,
    };
    if stopped {
        let linger = LINGER.min(settings.graceful_shutdown / 2);
        if tokio::time::timeout(linger, served.as_mut()).await.is_err() {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
    connections.dec();
}

/// Waits until `stop` is true, or nobody is left who could say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
