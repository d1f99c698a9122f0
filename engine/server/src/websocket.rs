//! GraphQL over websockets: the handshake, who may open one, and how many. What is then said on it is in [`connection`].
//!
//! Two protocols share one state machine: `graphql-ws`, which Apollo's old client speaks, and `graphql-transport-ws`.
//! Operations take the very path of those over HTTP ([`crate::request`]); what differs is how answers are framed.

mod close;
mod connection;
mod counted;
mod frames;
mod identification;
mod limited;
mod message;
mod operation;
mod operations;
mod outbox;
mod protocol;
mod registry;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_TYPE, COOKIE, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, SERVER, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use uuid::Uuid;

pub use registry::Registry;

use crate::auth::cors::Cors;
use crate::http::address::Address;
use crate::http::error::{ApiError, Code, Visibility};
use crate::http::graphql::Family;
use crate::http::{Endpoint, JSON, OWN_NAME, respond};
use crate::observe::websocket::{WebsocketEvent, What};
use crate::settings::Settings;
use crate::state::State;
use connection::Handshake;
use protocol::Protocol;

const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADES: HeaderValue = HeaderValue::from_static("Upgrade");
/// The only version there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// Headers of a handshake that are about the connection alone.
const OF_THE_CONNECTION: [HeaderName; 4] = [SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, CONNECTION];

/// Why cookies of a handshake were not read.
const COOKIE_NOTE: &str = "Cookie is not read when CORS is disabled, because it is a potential security issue. If you're \
    already handling CORS before this server and enforcing CORS on websocket connections, then you can use the flag \
    --ws-read-cookie or HASURA_GRAPHQL_WS_READ_COOKIE to force read cookie when CORS is disabled.";

/// Whether a request asks for a websocket.
pub fn is_wanted<B>(request: &http::Request<B>) -> bool {
    *request.method() == Method::GET
        && lists(request.headers(), &UPGRADE, "websocket")
        && lists(request.headers(), &CONNECTION, "upgrade")
}

/// Whether a header, a comma list, has this word.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// Opens a websocket, or says why not. `endpoint` is what the path leads to, if anything.
pub fn open(
    state: &Arc<State>,
    endpoint: Option<Endpoint>,
    peer: Option<IpAddr>,
    mut request: Request,
) -> Response {
    let id = Uuid::new_v4();
    let event = |message, what| {
        state.observer.websocket(&WebsocketEvent {
            id,
            expires: None,
            session: None,
            message,
            what,
        });
    };
    let Acceptance {
        family,
        protocol,
        key,
        named,
    } = match accept(&state.settings, endpoint, &request) {
        Ok(acceptance) => acceptance,
        Err(error) => {
            event(None, What::Rejected(&error));
            return refuse(&error);
        }
    };
    let Some((place, signals)) = state.websockets.enter() else {
        let error = if state.is_draining() {
            unavailable("server is shutting down")
        } else {
            unavailable("too many websockets are open")
        };
        event(None, What::Rejected(&error));
        return refuse(&error);
    };
    let (headers, note) = kept_headers(&state.settings, request.headers());
    event(note, What::Accepted);
    let handshake = Handshake {
        id,
        family,
        protocol,
        from: Address::of(request.headers(), peer, state.settings.http.trusted_proxies),
        headers,
        spelling: request.extensions().get().cloned().unwrap_or_default(),
    };
    let upgrading = hyper::upgrade::on(&mut request);
    let state = Arc::clone(state);
    tokio::spawn(async move {
        // The client may be gone before it reads the answer.
        if let Ok(stream) = upgrading.await {
            let _open = state.observer.metrics.websockets().open();
            connection::serve(&state, handshake, TokioIo::new(stream), signals).await;
        }
        drop(place);
    });
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(UPGRADE, WEBSOCKET);
    headers.insert(CONNECTION, UPGRADES);
    headers.insert(SERVER, OWN_NAME);
    headers.insert(SEC_WEBSOCKET_ACCEPT, key);
    if named {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol.name()));
    }
    respond(StatusCode::SWITCHING_PROTOCOLS, headers, Bytes::new())
}

/// What a handshake is answered with.
struct Acceptance {
    family: Family,
    protocol: Protocol,
    /// `Sec-WebSocket-Accept`
    key: HeaderValue,
    /// The protocol is named in the answer. A client that offered none must be named none (RFC 6455, 4.1).
    named: bool,
}

fn accept(
    settings: &Settings,
    endpoint: Option<Endpoint>,
    request: &Request,
) -> Result<Acceptance, ApiError> {
    let family = match endpoint {
        Some(Endpoint::Graphql) => Family::V1,
        Some(Endpoint::GraphqlV1Alpha1) => Family::V1Alpha1,
        _ => {
            return Err(ApiError::new(
                Code::NotFound,
                "only '/v1/graphql', '/v1alpha1/graphql' and '/v1beta1/relay' are supported on websockets",
            )
            .status(StatusCode::NOT_FOUND));
        }
    };
    let headers = request.headers();
    if request.version() != Version::HTTP_11 || headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return Err(ApiError::new(
            Code::BadRequest,
            "the websocket's version must be 13 over HTTP/1.1",
        )
        .status(StatusCode::UPGRADE_REQUIRED));
    }
    // 16 bytes in base64.
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .filter(|key| key.len() == 24)
        .and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())
        .ok_or_else(|| ApiError::new(Code::BadRequest, "Sec-WebSocket-Key is missing or malformed"))?;
    if !settings.http.cors.admits(headers) {
        return Err(ApiError::new(
            Code::AccessDenied,
            "received origin header does not match configured CORS domains",
        ));
    }
    Ok(Acceptance {
        family,
        protocol: if lists(headers, &SEC_WEBSOCKET_PROTOCOL, Protocol::Transport.name()) {
            Protocol::Transport
        } else {
            Protocol::Apollo
        },
        key,
        named: headers.contains_key(SEC_WEBSOCKET_PROTOCOL),
    })
}

/// Headers of a handshake that say who asks, and what is to be said of those that do not count.
fn kept_headers(settings: &Settings, headers: &HeaderMap) -> (HeaderMap, Option<&'static str>) {
    let mut kept = headers.clone();
    for name in &OF_THE_CONNECTION {
        kept.remove(name);
    }
    let is_a_page = headers.contains_key(ORIGIN);
    let mut note = None;
    if settings.http.cors == Cors::Disabled && !settings.websockets.read_cookie && is_a_page {
        note = kept.remove(COOKIE).map(|_| COOKIE_NOTE);
    }
    (kept, note)
}

fn unavailable(message: &str) -> ApiError {
    ApiError::new(Code::Unexpected, message).status(StatusCode::SERVICE_UNAVAILABLE)
}

/// The answer to a handshake that fails, in the shape of one GraphQL error.
fn refuse(error: &ApiError) -> Response {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON), (SERVER, OWN_NAME)]);
    if error.status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
    }
    let mut body = Vec::new();
    error.write_graphql(&mut body, Visibility::Hidden);
    respond(error.status, headers, Bytes::from(body))
}
