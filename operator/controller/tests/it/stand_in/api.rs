//! The API server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::rights::Rights;
use super::serve::Body;
use super::{Key, State, lock};

type Shared = Arc<Mutex<State>>;

pub async fn serve(state: Shared, changed: watch::Sender<u64>) -> SocketAddr {
    let rights = Arc::new(Rights::read());
    let answer = move |_, request: Request<Incoming>| {
        if let Some(fault) = fault(&rights, &request) {
            lock(&state).faults.push(fault);
        }
        answer(Arc::clone(&state), changed.clone(), request)
    };
    super::serve::serve(answer).await
}

/// Where a request leads: a collection, in a namespace or everywhere, and an object in it.
struct Place {
    collection: String,
    namespace: Option<String>,
    name: Option<String>,
    is_status: bool,
}

fn place(path: &str) -> Place {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (prefix, rest) = if parts[0] == "api" {
        parts.split_at(2)
    } else {
        parts.split_at(3)
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    Place {
        collection: format!("/{}/{}", prefix.join("/"), rest[0]),
        namespace,
        name: rest.get(1).map(|name| (*name).to_owned()),
        is_status: rest.get(2) == Some(&"status"),
    }
}

fn query(request: &Request<Incoming>, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    Some(value.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/"))
}

/// Which objects of a collection are wanted.
#[derive(Clone)]
struct Filter {
    collection: String,
    namespace: Option<String>,
    labels: Vec<String>,
    name: Option<String>,
    is_partial: bool,
}

impl Filter {
    fn takes(&self, key: &Key, object: &Value) -> bool {
        let label = |wanted: &String| match wanted.split_once('=') {
            Some((label, value)) => object["metadata"]["labels"][label] == value,
            None => object["metadata"]["labels"].get(wanted).is_some(),
        };
        key.0 == self.collection
            && self
                .namespace
                .as_ref()
                .is_none_or(|namespace| key.1 == *namespace)
            && self.name.as_ref().is_none_or(|name| key.2 == *name)
            && self.labels.iter().all(label)
    }

    fn is_torn(&self, state: &Shared) -> bool {
        self.collection.ends_with(&lock(state).torn_lists.0)
    }

    fn print(&self, object: &Value) -> Value {
        if self.is_partial {
            return json!({
                "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"],
            });
        }
        object.clone()
    }
}

fn text(code: u16, value: &Value) -> Response<Body> {
    let body = Full::new(Bytes::from(value.to_string())).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = code.try_into().expect("a code");
    response
}

fn failure(code: u16, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason,
        "code": code,
    });
    text(code, &status)
}

/// What is wrong with a request whatever is kept: no role permits it, it reads the content of Secrets that it was not told
/// the names of, or it writes in another name.
fn fault(rights: &Rights, request: &Request<Incoming>) -> Option<String> {
    let place = place(request.uri().path());
    let mut path = place.collection.split('/').skip(1);
    let group = if path.next() == Some("apis") {
        path.next()
    } else {
        Some("")
    };
    let resource = path.last().unwrap_or_default();
    let verb = match (request.method().as_str(), &place.name) {
        ("GET", Some(_)) => "get",
        ("GET", None) if query(request, "watch").is_some() => "watch",
        ("GET", None) => "list",
        ("POST", _) => "create",
        ("PATCH", _) => "patch",
        ("PUT", _) => "update",
        ("DELETE", Some(_)) => "delete",
        _ => "another",
    };
    let accept = request.headers().get("accept");
    let is_partial = accept.is_some_and(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains("as=PartialObjectMetadata"))
    });
    let named = if place.is_status {
        format!("{resource}/status")
    } else {
        resource.to_owned()
    };
    let wrong = if !rights.allow(verb, group.unwrap_or_default(), &named) {
        "no rule in config/rbac permits it"
    } else if resource == "secrets" && ["list", "watch"].contains(&verb) && !is_partial {
        "the content of Secrets is asked for"
    } else if verb == "patch"
        && resource != "events"
        && query(request, "fieldManager").as_deref() != Some("rowlock-operator")
    {
        "another field manager"
    } else {
        return None;
    };
    Some(format!("{verb} {}: {wrong}", request.uri()))
}

async fn answer(state: Shared, changed: watch::Sender<u64>, request: Request<Incoming>) -> Response<Body> {
    let method = request.method().as_str().to_owned();
    let path = request.uri().path().to_owned();
    let place = place(&path);
    let is_watch = query(&request, "watch").is_some();
    {
        let mut state = lock(&state);
        let told = if is_watch { "WATCH" } else { &method };
        state.requests.push((told.to_owned(), path.clone()));
        let operator = request.headers().get("x-operator");
        let operator = operator.and_then(|name| name.to_str().ok()).unwrap_or_default();
        if path.contains("/leases") {
            *state.looks.entry(operator.to_owned()).or_default() += 1;
            if state.hindered.as_deref() == Some(operator) {
                return failure(500, "InternalError", "hindered");
            }
        } else if method != "GET" && !path.ends_with("/events") {
            state.writes.push((operator.to_owned(), path.clone()));
        }
        if place
            .namespace
            .as_ref()
            .is_some_and(|namespace| state.denied.contains(namespace))
        {
            return failure(403, "Forbidden", &format!("{path} is forbidden"));
        }
        let mut reads = state.failing_reads.iter_mut();
        let fails = |(method, wanted, _, times): &&mut (&str, &str, u16, usize)| {
            *method == told && *wanted == path && *times > 0
        };
        if let Some((_, _, code, times)) = reads.find(fails) {
            *times -= 1;
            return failure(*code, "Failing", "this read fails");
        }
        let failing = state.failing.as_ref();
        let failing = failing.filter(|(end, _)| method != "GET" && path.ends_with(end));
        if let Some((_, code)) = failing.cloned() {
            state.tries.push(Instant::now());
            return failure(code, "Failing", "this write fails");
        }
    }
    let is_held = || method == "PATCH" && lock(&state).held.as_ref().is_some_and(|end| path.ends_with(end));
    if is_held() {
        let mut changes = changed.subscribe();
        while is_held() && changes.changed().await.is_ok() {}
        return failure(500, "InternalError", "too late");
    }
    let accept = request
        .headers()
        .get("accept")
        .and_then(|accept| accept.to_str().ok());
    let filter = Filter {
        collection: place.collection.clone(),
        namespace: place.namespace.clone(),
        labels: query(&request, "labelSelector")
            .map(|labels| labels.split(',').map(str::to_owned).collect())
            .unwrap_or_default(),
        name: query(&request, "fieldSelector")
            .and_then(|fields| fields.strip_prefix("metadata.name=").map(str::to_owned)),
        is_partial: accept.is_some_and(|accept| accept.contains("PartialObjectMetadata")),
    };
    let Some(name) = place.name else {
        return match method.as_str() {
            "GET" if is_watch => {
                let since = query(&request, "resourceVersion").and_then(|since| since.parse().ok());
                // All of a kind that is to be torn are listed anew.
                if lock(&state).torn_lists.1 > 0 && filter.is_torn(&state) {
                    let status = json!({
                        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": "too old resource version", "reason": "Expired", "code": 410,
                    });
                    return text(200, &json!({"type": "ERROR", "object": status}));
                }
                follow(state, &changed, filter, since.unwrap_or(0))
            }
            "GET" => list(&state, &filter, query(&request, "continue").is_some()),
            _ => {
                let object = body(request).await;
                create(&state, &changed, &place.collection, place.namespace, object)
            }
        };
    };
    let key = (place.collection, place.namespace.unwrap_or_default(), name);
    match method.as_str() {
        "GET" => match lock(&state).objects.get(&key) {
            Some(object) => text(200, &filter.print(object)),
            None => failure(404, "NotFound", "not found"),
        },
        "DELETE" => {
            lock(&state).remove(&key);
            changed.send_modify(|version| *version += 1);
            text(
                200,
                &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}),
            )
        }
        _ => {
            let content = request.headers().get("content-type");
            let is_json_patch = content.is_some_and(|content| content == "application/json-patch+json");
            let object = body(request).await;
            let mut locked = lock(&state);
            let response = if place.is_status {
                if let Some(mut before) = locked.before_status.take() {
                    before(&mut locked, &key);
                    locked.before_status = Some(before);
                }
                assert!(is_json_patch, "{object}");
                patch_status(&mut locked, &key, &object)
            } else {
                write(&mut locked, &key, object)
            };
            let is_lost = locked.unanswered.as_ref().is_some_and(|end| path.ends_with(end));
            if is_lost {
                locked.tries.push(Instant::now());
            }
            drop(locked);
            changed.send_modify(|version| *version += 1);
            if is_lost {
                return failure(500, "Lost", "the answer to this write is lost");
            }
            response
        }
    }
}

async fn body(request: Request<Incoming>) -> Value {
    let bytes = request.into_body().collect().await.expect("a body").to_bytes();
    serde_json::from_slice(&bytes).expect("JSON")
}

fn list(state: &Shared, filter: &Filter, goes_on: bool) -> Response<Body> {
    let mut state = lock(state);
    let is_torn = filter.collection.ends_with(&state.torn_lists.0) && state.torn_lists.1 > 0;
    let objects = state
        .objects
        .iter()
        .filter(|(key, object)| filter.takes(key, object));
    let mut items: Vec<Value> = objects.map(|(_, object)| filter.print(object)).collect();
    let mut metadata = json!({"resourceVersion": state.version.to_string()});
    if is_torn && goes_on {
        state.torn_lists.1 -= 1;
        return failure(500, "InternalError", "torn");
    }
    if is_torn {
        items.truncate(1);
        metadata["continue"] = "more".into();
    }
    let kind = if filter.is_partial {
        "PartialObjectMetadataList"
    } else {
        "List"
    };
    text(
        200,
        &json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": items}),
    )
}

fn follow(state: Shared, changed: &watch::Sender<u64>, filter: Filter, since: u64) -> Response<Body> {
    let cuts = lock(&state).cuts;
    let begin = (state, changed.subscribe(), since);
    let events = stream::unfold(begin, move |(state, mut changed, since)| {
        let filter = filter.clone();
        async move {
            loop {
                changed.borrow_and_update();
                {
                    let locked = lock(&state);
                    let is_denied = filter
                        .namespace
                        .as_ref()
                        .is_some_and(|namespace| locked.denied.contains(namespace));
                    if locked.cuts != cuts || is_denied {
                        return None;
                    }
                    let withheld = locked.withheld.as_ref();
                    let is_withheld = withheld.is_some_and(|plural| filter.collection.ends_with(plural));
                    let mut log = locked.log.iter().filter(|_| !is_withheld);
                    let next =
                        log.find(|(version, key, _, object)| *version > since && filter.takes(key, object));
                    if let Some((version, _, event, object)) = next {
                        let line = format!("{}\n", json!({"type": event, "object": filter.print(object)}));
                        let frame = Frame::data(Bytes::from(line));
                        let version = *version;
                        drop(locked);
                        return Some((Ok::<_, Infallible>(frame), (state, changed, version)));
                    }
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        }
    });
    Response::new(BodyExt::boxed(StreamBody::new(Box::pin(SyncStream(Mutex::new(
        Box::pin(events),
    ))))))
}

/// A stream that nobody looks at from two sides.
struct SyncStream<S>(Mutex<std::pin::Pin<Box<S>>>);

impl<S: futures_util::Stream> futures_util::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let mut inner = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        inner.as_mut().poll_next(context)
    }
}

fn create(
    state: &Shared,
    changed: &watch::Sender<u64>,
    collection: &str,
    namespace: Option<String>,
    object: Value,
) -> Response<Body> {
    if collection.ends_with("/events") {
        lock(state).events.push(object.clone());
        return text(201, &object);
    }
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let key = (collection.to_owned(), namespace.unwrap_or_default(), name);
    let mut state = lock(state);
    if state.objects.contains_key(&key) {
        return failure(409, "AlreadyExists", "already exists");
    }
    let made = state.put(&key, object);
    drop(state);
    changed.send_modify(|version| *version += 1);
    text(201, &made)
}

/// An apply, or a replacement; of the latter the version must be the present one.
fn write(state: &mut State, key: &Key, mut object: Value) -> Response<Body> {
    if key.0.ends_with("/events") {
        state.events.push(object.clone());
        return text(200, &object);
    }
    // Who applies says nothing of the annotations of others.
    if let Some(kept) = state
        .objects
        .get(key)
        .and_then(|known| known["metadata"].get("annotations"))
    {
        object["metadata"]["annotations"] = kept.clone();
    }
    let sent = object["metadata"]["resourceVersion"].as_str();
    let known = state
        .objects
        .get(key)
        .map(|known| &known["metadata"]["resourceVersion"]);
    if sent.is_some_and(|sent| known.is_some_and(|known| known != sent)) {
        return failure(409, "Conflict", "the object has been modified");
    }
    text(200, &state.put(key, object))
}

fn patch_status(state: &mut State, key: &Key, operations: &Value) -> Response<Body> {
    let Some(mut object) = state.objects.get(key).cloned() else {
        return failure(404, "NotFound", "not found");
    };
    for operation in operations.as_array().expect("operations") {
        let path = operation["path"].as_str().expect("a path");
        if operation["op"] == "test" {
            if object.pointer(path) != Some(&operation["value"]) {
                // It does not say which.
                let status = json!({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": "Invalid", "code": 422,
                    "message": "the server rejected our request due to an error in our request", "details": {},
                });
                return text(422, &status);
            }
        } else {
            assert_eq!((operation["op"].as_str(), path), (Some("add"), "/status"));
            object["status"] = operation["value"].clone();
        }
    }
    text(200, &state.put(key, object))
}
