//! Which path leads to which endpoint, and the methods it takes.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use axum::routing::any;
use http::Method;

use super::{Endpoint, defect, handle, rest};
use crate::observe::Event;
use crate::observe::defect::survived;
use crate::settings::Apis;
use crate::state::State;
use crate::websocket;

/// The other end of the connection that a request came on; the listener puts it into the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// An endpoint and the methods it takes.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// What is asked for.
    pub endpoint: Endpoint,
    /// Methods.
    pub methods: &'static [Method],
}

const POST: &[Method] = &[Method::POST];
const GET: &[Method] = &[Method::GET, Method::HEAD];
const EITHER: &[Method] = &[Method::POST, Method::GET];
/// Methods of REST endpoints are for each of them to say.
const REST: &[Method] = &[];

/// Every path with its endpoint, methods, and whether its API is on.
fn table(apis: Apis) -> [(&'static str, Endpoint, &'static [Method], bool); 22] {
    [
        ("/v1/graphql", Endpoint::Graphql, EITHER, apis.graphql),
        ("/v1alpha1/graphql", Endpoint::GraphqlV1Alpha1, POST, apis.graphql),
        ("/v1/graphql/explain", Endpoint::Explain, POST, apis.metadata),
        (
            "/v1alpha1/graphql/explain",
            Endpoint::Explain,
            POST,
            apis.metadata,
        ),
        ("/v1/metadata", Endpoint::Metadata, POST, apis.metadata),
        ("/v1/query", Endpoint::QueryV1, POST, apis.metadata),
        ("/v2/query", Endpoint::QueryV2, POST, apis.metadata),
        ("/v1/version", Endpoint::Version, GET, true),
        ("/v1alpha1/config", Endpoint::Config, GET, apis.config),
        ("/healthz", Endpoint::Health, GET, true),
        ("/hasura/healthz", Endpoint::Health, GET, true),
        ("/healthz/sources", Endpoint::SourceHealth, GET, true),
        ("/livez", Endpoint::Live, GET, true),
        ("/readyz", Endpoint::Ready, GET, true),
        ("/api/swagger/json", Endpoint::OpenApi, GET, true),
        ("/v1/metrics", Endpoint::Metrics, GET, apis.metrics),
        ("/", Endpoint::Console, GET, apis.console),
        ("/console", Endpoint::Console, GET, apis.console),
        ("/console/", Endpoint::Console, GET, apis.console),
        ("/console/{*page}", Endpoint::Console, GET, apis.console),
        // As in Hasura, saved queries are there whatever is on: without GraphQL they are all that clients can ask.
        (rest::PREFIX, Endpoint::Rest, REST, true),
        ("/api/rest/{*endpoint}", Endpoint::Rest, REST, true),
    ]
}

/// All endpoints whose API is on. A wrong method is the endpoint's to answer, as Hasura has its own words for it.
pub fn router(state: Arc<State>) -> Router {
    let apis = state.settings.http.apis;
    routes(state, apis)
}

fn routes(state: Arc<State>, apis: Apis) -> Router {
    let mut router = Router::new();
    for (path, endpoint, methods, enabled) in table(apis) {
        if enabled {
            let route = Route { endpoint, methods };
            let serve = move |Shared(state), request| answer(state, Some(route), request);
            router = router.route(path, any(serve));
        }
    }
    router
        .fallback(|Shared(state), request| answer(state, None, request))
        .with_state(state)
}

/// What the admin port serves besides its own, if anything.
pub fn behind_the_admin_port(state: &Arc<State>) -> Option<Router> {
    let apis = state.settings.http.admin_apis;
    (apis != Apis::default()).then(|| routes(Arc::clone(state), apis))
}

/// One request, with a panic turned into a 500: one bad request must not end the connection, let alone the process.
async fn answer(state: Arc<State>, route: Option<Route>, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    if websocket::is_wanted(&request) {
        return websocket::open(&state, route.map(|route| route.endpoint), peer, request);
    }
    let answered = survived(handle(&state, route, peer, request)).await;
    answered.unwrap_or_else(|panicked| {
        state.observer.emit(Event::Defect(panicked.to_string()));
        defect()
    })
}
