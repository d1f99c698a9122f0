//! The admin port: what this pod serves, for the operator. HTTP with JSON bodies behind a bearer token
//! (`docs/delivery.md`); nothing here changes what is served, but for holding it back.

mod check;
mod clash;
mod place;
pub mod report;

use std::convert::Infallible;
use std::io::Read;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use delivery::{MOST_WAIT, path};
use flate2::read::GzDecoder;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::ServiceExt;

use crate::generation::aside::{Urgency, aside};
use crate::http::body;
use crate::http::router::{self, Peer};
use crate::state::State;
use check::Asked;

/// Connections at a time: the operator needs two.
const MOST_CONNECTIONS: usize = 32;

/// Bytes of a body, compressed and not.
const MOST_BODY: usize = 512 << 20;

/// A client may take so long to send a head, and pause so long within a body.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long to wait before accepting again when the process is out of file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(50);

type Answer = Response<Full<Bytes>>;

/// What somebody asks for who is at none of the paths of the operator.
async fn other(router: &Router, peer: IpAddr, mut request: Request<Incoming>) -> Response<Body> {
    request.extensions_mut().insert(Peer(peer));
    match router.clone().oneshot(request.map(Body::new)).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

fn is_for_the_operator(path: &str) -> bool {
    [path::GENERATION, path::OBJECTS, path::CHECK, path::HOLD].contains(&path)
}

/// Serves until `stop` turns true.
pub async fn serve(state: Arc<State>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let router = router::behind_the_admin_port(&state);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(EXHAUSTED).await;
            continue;
        };
        // Whoever comes when all places are taken is sent away.
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let (state, stop, router) = (Arc::clone(&state), stop.clone(), router.clone());
            tokio::spawn(async move {
                connection(state, router, stream, peer.ip(), stop).await;
                drop(place);
            });
        }
    }
}

async fn connection(
    state: Arc<State>,
    router: Option<Router>,
    stream: TcpStream,
    peer: IpAddr,
    mut stop: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let until = stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let (state, stop, router) = (Arc::clone(&state), until.clone(), router.clone());
        async move {
            let answer = match &router {
                Some(router) if !is_for_the_operator(request.uri().path()) => {
                    other(router, peer, request).await
                }
                _ => answer(&state, request, stop).await.map(Body::new),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let mut served = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopped = tokio::select! {
        _ = served.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if stopped {
        served.as_mut().graceful_shutdown();
        let _ = served.await;
    }
}

async fn answer(state: &Arc<State>, request: Request<Incoming>, stop: watch::Receiver<bool>) -> Answer {
    let (head, incoming) = request.into_parts();
    let token = head
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let known = match (state.admin_token(), token) {
        (Some(expected), Some(token)) => expected.matches(token),
        _ => false,
    };
    if !known {
        return refusal(StatusCode::UNAUTHORIZED, "the admin API needs its bearer token");
    }
    let method = match head.uri.path() {
        path::GENERATION | path::OBJECTS => Method::GET,
        path::CHECK => Method::POST,
        path::HOLD => Method::PUT,
        _ => return refusal(StatusCode::NOT_FOUND, "there is nothing here"),
    };
    if head.method != method {
        let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED, "another method is meant");
        if let Ok(method) = HeaderValue::from_str(method.as_str()) {
            answer.headers_mut().insert(ALLOW, method);
        }
        return answer;
    }
    let sent = match body::read(&head.headers, incoming, MOST_BODY, PATIENCE).await {
        Ok(body) => body,
        Err(error) => return refusal(error.status, &error.message),
    };
    let compressed = head
        .headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value.as_bytes() == b"gzip");
    match head.uri.path() {
        path::GENERATION => generation(state, head.uri.query().unwrap_or_default(), stop).await,
        path::OBJECTS => objects(state),
        path::HOLD => hold(state, &sent),
        _ => checked(state, sent, compressed).await,
    }
}

/// `GET /v1/generation`
async fn generation(state: &Arc<State>, query: &str, mut stop: watch::Receiver<bool>) -> Answer {
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let after = parameter("after").unwrap_or_default();
    let wait = match parameter("wait").map(str::parse::<u64>) {
        None => 0,
        Some(Ok(seconds)) if seconds <= MOST_WAIT => seconds,
        Some(_) => {
            let message = format!("wait is to be a number of seconds, {MOST_WAIT} at most");
            return refusal(StatusCode::BAD_REQUEST, &message);
        }
    };
    let end = tokio::time::Instant::now() + Duration::from_secs(wait);
    let mut changes = state.changes();
    // Keys are part of being ready.
    let mut keys = state.authenticator().arrivals_of_keys();
    loop {
        changes.borrow_and_update();
        keys.borrow_and_update();
        let report = report::report(state);
        if report.revision != after || *stop.borrow() || tokio::time::Instant::now() >= end {
            return whole(&report);
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = keys.changed() => {}
            _ = stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep_until(end) => {}
        }
    }
}

/// `GET /v1/generation/objects`
fn objects(state: &State) -> Answer {
    let generation = state.current();
    let objects = &generation.provenance.objects;
    if objects.is_empty() {
        return refusal(StatusCode::NOT_FOUND, "what is served was made of no objects");
    }
    respond(StatusCode::OK, objects.clone().into())
}

/// `PUT /v1/hold`
fn hold(state: &State, body: &[u8]) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Hold {
        held: bool,
    }
    match serde_json::from_slice::<Hold>(body) {
        Ok(Hold { held }) => {
            state.hold(held);
            whole(&json!({ "held": held }))
        }
        Err(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// `POST /v1/check`
async fn checked(state: &Arc<State>, body: Bytes, compressed: bool) -> Answer {
    // In a task of its own, so that a defect in it ends this request and nothing else.
    let state = Arc::clone(state);
    let check = async move {
        // How much there is behind compressed bytes they do not say.
        let urgency = if compressed {
            Urgency::Gentle
        } else {
            Urgency::of_text(body.len())
        };
        let request = aside(urgency, || read_check(&body, compressed))?;
        drop(body);
        check::check(&state, &request).await
    };
    match tokio::spawn(check).await {
        Ok(Ok(answer)) => whole(&answer),
        Ok(Err(message)) => refusal(StatusCode::BAD_REQUEST, &message),
        Err(defect) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &defect.to_string()),
    }
}

fn read_check(body: &[u8], compressed: bool) -> Result<Asked, String> {
    let mut text = Vec::new();
    let text = if compressed {
        let most = u64::try_from(MOST_BODY).unwrap_or(u64::MAX);
        GzDecoder::new(body)
            .take(most)
            .read_to_end(&mut text)
            .map_err(|error| format!("the body cannot be decompressed: {error}"))?;
        &text
    } else {
        body
    };
    serde_json::from_slice(text).map_err(|error| format!("the body is no check: {error}"))
}

fn whole(value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => respond(StatusCode::OK, body.into()),
        Err(error) => refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn refusal(status: StatusCode, message: &str) -> Answer {
    respond(status, json!({ "error": message }).to_string().into())
}

fn respond(status: StatusCode, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
