//! Every route, and what surrounds each answer: request id, CORS, body limit, compression, log line.

pub mod address;
pub mod body;
pub mod console;
pub mod error;
pub mod graphql;
pub mod listener;
pub mod management;
pub mod openapi;
pub mod request_id;
pub mod rest;
pub mod router;
pub mod spelling;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, SERVER, SET_COOKIE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use plan::Session;
use serde_json::Value;

use crate::auth::{Authenticated, is_admin};
use crate::gate;
use crate::observe::{HttpEvent, OperationLog, RequestLog};
use crate::request::{Context, Transport};
use crate::state::State;
use address::Address;
use error::{ApiError, Code, Visibility};
use router::Route;
use spelling::{Shown, Spelling};

/// Header with the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Header of the answers of GraphQL and REST endpoints with the hash of the generation that they are from.
const GENERATION: HeaderName = HeaderName::from_static("x-rowlock-generation");

/// Content type of JSON.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const METRICS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
/// `X-Content-Type-Options` of every answer: what a row holds is never taken for a page.
const AS_DECLARED: HeaderValue = HeaderValue::from_static("nosniff");
/// `Server`
pub const OWN_NAME: HeaderValue = HeaderValue::from_static("rowlock");

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v1/graphql`
    Graphql,
    /// `/v1alpha1/graphql`: the same with real status codes.
    GraphqlV1Alpha1,
    /// `/v1/graphql/explain`
    Explain,
    /// `/v1/metadata`
    Metadata,
    /// `/v1/query`
    QueryV1,
    /// `/v2/query`
    QueryV2,
    /// `/v1/version`
    Version,
    /// `/v1alpha1/config`
    Config,
    /// `/healthz`, `/hasura/healthz`
    Health,
    /// `/healthz/sources`
    SourceHealth,
    /// `/livez`
    Live,
    /// `/readyz`
    Ready,
    /// `/v1/metrics`
    Metrics,
    /// `/api/rest/…`
    Rest,
    /// `/api/swagger/json`
    OpenApi,
    /// `/`, `/console`, `/console/…`
    Console,
}

/// What an endpoint has to say.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Content type.
    pub content: HeaderValue,
    /// Body.
    pub body: Bytes,
    /// Who asked, as far as is known.
    pub session: Option<Session>,
    /// What was asked, for the log.
    pub asked: Asked,
    /// The error, for the log.
    pub error: Option<Value>,
    /// Operations, for log and metrics.
    pub operations: Vec<OperationLog>,
    /// Further headers, cookies of the authentication webhook among them.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Hash of the generation that answered.
    pub generation: Option<HeaderValue>,
}

/// What of a request's body is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The body, as one operation.
    Single,
    /// The body, as a batch.
    Batched,
    /// This.
    NonGraphql(Option<Vec<u8>>),
    /// Nothing: it could not be read.
    Unread,
    /// Not even that it was asked: probes come every few seconds.
    Probe,
}

impl Answer {
    /// JSON with status 200.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            content: JSON,
            body: body.into(),
            session: None,
            asked: Asked::NonGraphql(None),
            error: None,
            operations: Vec::new(),
            headers: Vec::new(),
            generation: None,
        }
    }

    /// Text.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content: TEXT,
            ..Self::json(body)
        }
    }

    /// An error of an endpoint other than GraphQL.
    pub fn plain_error(error: &ApiError, visibility: Visibility) -> Self {
        Self {
            status: error.status,
            error: Some(error.to_log()),
            ..Self::json(error.body(error::Body::Plain, visibility))
        }
    }

    fn by(mut self, authenticated: Authenticated) -> Self {
        self.session = Some(authenticated.session);
        self.headers.extend(cookies(authenticated.cookies));
        self
    }

    fn asking(mut self, asked: Asked) -> Self {
        self.asked = asked;
        self
    }
}

/// Cookies as headers of an answer.
pub fn cookies(cookies: Vec<HeaderValue>) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    cookies.into_iter().map(|cookie| (SET_COOKIE, cookie))
}

/// Whether this client sees `internal`.
pub fn visibility(state: &State, session: Option<&Session>) -> Visibility {
    let admin = session.is_some_and(is_admin) && state.settings.admin_internal_errors;
    if admin || state.settings.dev_mode {
        Visibility::Shown
    } else {
        Visibility::Hidden
    }
}

/// One request, whole. `route` is what its path leads to, if anything.
async fn handle(
    state: &Arc<State>,
    route: Option<Route>,
    peer: Option<IpAddr>,
    request: Request,
) -> Response {
    let (mut head, incoming) = request.into_parts();
    let settings = &state.settings.http;
    if head.method == Method::OPTIONS
        && let Some(headers) = settings.cors.preflight(&head.headers)
    {
        return respond(StatusCode::NO_CONTENT, headers, Bytes::new());
    }
    let random = request_id::random_for(&head.headers);
    // A webhook is told the id under which log and answer know the request.
    if let Some(id) = random.as_deref().and_then(|id| HeaderValue::from_str(id).ok())
        && state.has_hook()
    {
        head.headers.insert(REQUEST_ID, id);
    }
    let request_id = random.map_or_else(|| request_id::of(&head.headers), Cow::Owned);
    let path = head.uri.path();
    let from = Address::of(&head.headers, peer, settings.trusted_proxies);
    let started = Instant::now();
    let mut received = Bytes::new();
    let mut read_time = Duration::ZERO;
    let answer = match route {
        None => Answer::plain_error(&not_found(), Visibility::Hidden),
        Some(Route { endpoint, methods })
            if endpoint != Endpoint::Rest && !methods.contains(&head.method) =>
        {
            let mut response = wrong_method(&head.method, methods);
            settings.cors.decorate(&head.headers, response.headers_mut());
            return response;
        }
        Some(Route { endpoint, .. }) => {
            let read = body::read(&head.headers, incoming, settings.max_body, settings.timeout).await;
            read_time = started.elapsed();
            match read {
                Err(error) => unread(endpoint, &error),
                Ok(body) => {
                    received = body;
                    let call = Call {
                        method: &head.method,
                        path,
                        query: head.uri.query().unwrap_or_default(),
                        client: &from.told,
                        sure: &from.sure,
                        headers: &head.headers,
                        spelling: head.extensions.get(),
                        request_id: &request_id,
                        body: &received,
                    };
                    dispatch(state, endpoint, &call).await
                }
            }
        }
    };
    let execution_time = started.elapsed().saturating_sub(read_time);
    let uncompressed = answer.body.len();
    let (sent, encoding) = match answer.asked {
        Asked::Probe => (answer.body.clone(), None),
        _ => body::compress(&head.headers, answer.body.clone()).await,
    };
    if answer.asked != Asked::Probe || answer.error.is_some() {
        let event = HttpEvent {
            request_id: &request_id,
            session: answer.session.as_ref(),
            request: match &answer.asked {
                Asked::Single => RequestLog::Single(&received),
                Asked::Batched => RequestLog::Batched(&received),
                Asked::NonGraphql(shown) => RequestLog::NonGraphql(shown.as_deref()),
                Asked::Unread | Asked::Probe => RequestLog::Error,
            },
            error: answer.error,
            response_size: sent.len(),
            uncompressed_response_size: uncompressed,
            request_size: received.len(),
            read_time,
            execution_time,
            status: answer.status.as_u16(),
            method: head.method.as_str(),
            ip: &from.told,
            url: path,
            http_version: if head.version == Version::HTTP_10 {
                "HTTP/1.0"
            } else {
                "HTTP/1.1"
            },
            content_encoding: encoding,
            operations: &answer.operations,
        };
        state.observer.http(&event);
    }
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, answer.content);
    headers.insert(SERVER, OWN_NAME);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(generation) = answer.generation {
        headers.insert(GENERATION, generation);
    }
    if let Some(encoding) = encoding {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    for (name, value) in answer.headers {
        headers.append(name, value);
    }
    settings.cors.decorate(&head.headers, &mut headers);
    respond(answer.status, headers, sent)
}

/// What endpoints see of a request.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Method.
    pub method: &'a Method,
    /// Before the `?`.
    pub path: &'a str,
    /// Behind the `?`.
    pub query: &'a str,
    /// The client's address, as it may say itself.
    pub client: &'a str,
    /// The same, as somebody says who is trusted.
    pub sure: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// How they are spelled, where somebody may want to know.
    pub spelling: Option<&'a Spelling>,
    /// Its id.
    pub request_id: &'a str,
    /// Body.
    pub body: &'a Bytes,
}

impl<'a> Call<'a> {
    /// The headers as whoever authenticates wants them.
    fn shown(&self) -> Shown<'a> {
        Shown {
            headers: self.headers,
            spelling: self.spelling,
        }
    }
}

async fn dispatch(state: &Arc<State>, endpoint: Endpoint, call: &Call<'_>) -> Answer {
    match endpoint {
        Endpoint::Graphql => graphql::answer(state, graphql::Family::V1, call).await,
        Endpoint::GraphqlV1Alpha1 => graphql::answer(state, graphql::Family::V1Alpha1, call).await,
        Endpoint::Version => Answer::json(management::version()).asking(Asked::Probe),
        Endpoint::Health => management::health(state, call.query).await,
        Endpoint::Live => Answer::text(StatusCode::OK, "OK").asking(Asked::Probe),
        Endpoint::Ready => management::ready(state),
        Endpoint::Metrics => management::metrics(state, call.headers),
        Endpoint::Console => console::answer(call.path),
        Endpoint::Rest => match gate::authenticate(state, call.shown(), call.sure, || None).await {
            Ok(authenticated) => rest::answer(state, authenticated, call).await,
            Err(error) => Answer {
                generation: state.current().hash_header(),
                ..Answer::plain_error(&error, visibility(state, None))
            },
        },
        Endpoint::Config | Endpoint::SourceHealth | Endpoint::OpenApi => {
            let authenticated = match gate::administrator(state, call.shown(), call.sure).await {
                Ok(authenticated) => authenticated,
                Err(error) => return Answer::plain_error(&error, visibility(state, None)),
            };
            let session = &authenticated.session;
            let page = match endpoint {
                _ if !is_admin(session) => Err(admins_endpoint()),
                Endpoint::Config => Ok(management::config(state)),
                Endpoint::OpenApi => Ok(openapi::page(&state.current())),
                _ => Ok(crate::state::health::page(state)),
            };
            match page {
                Ok(page) => Answer::json(page.to_string()),
                Err(error) => Answer::plain_error(&error, visibility(state, Some(session))),
            }
            .by(authenticated)
        }
        Endpoint::Explain | Endpoint::Metadata | Endpoint::QueryV1 | Endpoint::QueryV2 => {
            administer(state, endpoint, call).await
        }
    }
}

/// Endpoints that take a JSON body and answer in the plain shape.
async fn administer(state: &Arc<State>, endpoint: Endpoint, call: &Call<'_>) -> Answer {
    let authenticated = match gate::administrator(state, call.shown(), call.sure).await {
        Ok(authenticated) => authenticated,
        Err(error) => return Answer::plain_error(&error, visibility(state, None)),
    };
    let session = &authenticated.session;
    let shown = management::logged_body(state, call.body);
    let outcome = match serde_json::from_slice::<Value>(call.body) {
        Err(error) => Err(ApiError::new(Code::InvalidJson, error.to_string())),
        Ok(body) => manage(state, session, endpoint, call, body).await,
    };
    match outcome {
        Ok(body) => Answer::json(body),
        Err(error) => Answer::plain_error(&error, visibility(state, Some(session))),
    }
    .by(authenticated)
    .asking(Asked::NonGraphql(shown))
}

/// A body that could not be read whole. The status is HTTP's, whatever the endpoint; the shape is the endpoint's.
fn unread(endpoint: Endpoint, error: &ApiError) -> Answer {
    let shape = match endpoint {
        Endpoint::Graphql | Endpoint::GraphqlV1Alpha1 => error::Body::GraphQl,
        _ => error::Body::Plain,
    };
    Answer {
        status: error.status,
        error: Some(error.to_log()),
        ..Answer::json(error.body(shape, Visibility::Hidden))
    }
    .asking(Asked::Unread)
}

/// Runs what such an endpoint was sent.
async fn manage(
    state: &Arc<State>,
    session: &Session,
    endpoint: Endpoint,
    call: &Call<'_>,
    body: Value,
) -> Result<Vec<u8>, ApiError> {
    let time = match endpoint {
        Endpoint::QueryV1 | Endpoint::QueryV2 => {
            let generation = state.current();
            let context = Context {
                state,
                generation: &generation,
                session,
                endpoint: "query",
                headers: None,
                request_id: call.request_id,
                client: call.client,
                visibility: visibility(state, Some(session)),
                trace: None,
                transport: Transport::Http,
            };
            gate::data::commands(&context, &body).await?
        }
        _ => None,
    };
    // In a task of its own, so that a change that has begun also ends if the client goes away.
    let state = Arc::clone(state);
    let session = session.clone();
    let task = tokio::spawn(gate::within(time, async move {
        match endpoint {
            Endpoint::Explain => crate::explain::explain(&state, &session, &body).await,
            _ => crate::metadata_api::serve(&state, &session, endpoint, &body).await,
        }
    }));
    match task.await {
        Ok(outcome) => outcome,
        Err(defect) => Err(ApiError::unexpected(&defect.to_string())),
    }
}

/// `You have to be an admin to access this endpoint`: what others than admins are told where a page is asked for, or an
/// explanation.
pub fn admins_endpoint() -> ApiError {
    let message = "You have to be an admin to access this endpoint";
    ApiError::new(Code::AccessDenied, message)
}

fn not_found() -> ApiError {
    ApiError::new(Code::NotFound, "resource does not exist").status(StatusCode::NOT_FOUND)
}

/// GET and POST where the other one is meant are unknown resources, as in Hasura; other methods are told which to use.
fn wrong_method(method: &Method, allowed: &[Method]) -> Response {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON), (SERVER, OWN_NAME)]);
    let error = if matches!(*method, Method::GET | Method::POST | Method::HEAD) {
        not_found()
    } else {
        let names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
        if let Ok(names) = HeaderValue::from_str(&names.join(", ")) {
            headers.insert(ALLOW, names);
        }
        ApiError::new(Code::MethodNotAllowed, format!("method {method} is not allowed"))
    };
    let body = error.body(error::Body::Plain, Visibility::Hidden);
    respond(error.status, headers, Bytes::from(body))
}

/// The answer to a request that made the engine panic.
fn defect() -> Response {
    let error = ApiError::unexpected("");
    let headers = HeaderMap::from_iter([(CONTENT_TYPE, JSON), (SERVER, OWN_NAME)]);
    let body = error.body(error::Body::Plain, Visibility::Hidden);
    respond(error.status, headers, Bytes::from(body))
}

/// A response of its parts.
pub fn respond(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Response {
    headers.insert(X_CONTENT_TYPE_OPTIONS, AS_DECLARED);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Query parameters of a URL that are of the form `name=value`.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
