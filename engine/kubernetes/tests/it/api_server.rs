//! A stand-in for an API server with ConfigMaps and Secrets: lists, gets and watches by name, and can be switched off.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use kubernetes::Connection;
use serde_json::{Value, json};
use tokio::sync::watch;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// Objects by path of their collection and name.
type Objects = BTreeMap<(String, String), Value>;

#[derive(Clone)]
pub struct ApiServer {
    objects: Arc<Mutex<Objects>>,
    /// Counts up with every change; 0 is off.
    version: watch::Sender<u64>,
    off: Arc<Mutex<bool>>,
    requests: Arc<Mutex<Vec<String>>>,
    /// Somebody asked for changes.
    watched: watch::Sender<bool>,
}

impl ApiServer {
    pub fn new() -> Self {
        Self {
            objects: Arc::default(),
            version: watch::Sender::new(1),
            off: Arc::default(),
            requests: Arc::default(),
            watched: watch::Sender::new(false),
        }
    }

    pub fn connection(&self) -> Connection {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(&request)) }
        });
        Connection::new(Client::new(service, "shop"))
    }

    /// Puts an object, with further keys such as `data`.
    pub fn put(&self, collection: &str, name: &str, content: Value) {
        let mut version = 0;
        self.version.send_modify(|known| {
            *known += 1;
            version = *known;
        });
        let mut object = content;
        object["metadata"] =
            json!({"name": name, "namespace": "shop", "resourceVersion": version.to_string()});
        let key = (collection.to_owned(), name.to_owned());
        self.objects.lock().unwrap().insert(key, object);
        self.version.send_modify(|_| {});
    }

    pub fn delete(&self, collection: &str, name: &str) {
        let key = (collection.to_owned(), name.to_owned());
        self.objects.lock().unwrap().remove(&key);
        self.version.send_modify(|version| *version += 1);
    }

    /// Off: open watches end, and every request is refused.
    pub fn switch(&self, on: bool) {
        *self.off.lock().unwrap() = !on;
        self.version.send_modify(|_| {});
    }

    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until somebody asks for changes: what was there before has been listed.
    pub async fn is_watched(&self) {
        let mut watched = self.watched.subscribe();
        let asked = watched.wait_for(|is_watched| *is_watched);
        tokio::time::timeout(Duration::from_secs(20), asked)
            .await
            .unwrap()
            .unwrap();
    }

    fn answer(&self, request: &Request<Body>) -> Answer {
        let uri = request.uri().to_string();
        if uri.contains("watch=") {
            self.watched.send_replace(true);
        }
        self.requests.lock().unwrap().push(uri.clone());
        if *self.off.lock().unwrap() {
            return status(StatusCode::SERVICE_UNAVAILABLE, "off");
        }
        let path = request
            .uri()
            .path()
            .trim_start_matches("/api/v1/namespaces/shop/");
        let query: BTreeMap<String, String> = url::Url::parse(&format!("http://server/{uri}"))
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect();
        if let Some((collection, name)) = path.split_once('/') {
            let found = self.object(collection, name);
            return found.map_or_else(
                || status(StatusCode::NOT_FOUND, "not found"),
                |object| whole(&object),
            );
        }
        let name = query["fieldSelector"]
            .trim_start_matches("metadata.name=")
            .to_owned();
        if query
            .get("watch")
            .is_some_and(|watch| watch == "true" || watch == "1")
        {
            return self.watch(path, &name, query["resourceVersion"].parse().unwrap());
        }
        whole(&json!({
            "kind": "List", "apiVersion": "v1",
            "metadata": {"resourceVersion": self.version.borrow().to_string()},
            "items": self.object(path, &name).into_iter().collect::<Vec<_>>(),
        }))
    }

    fn object(&self, collection: &str, name: &str) -> Option<Value> {
        let key = (collection.to_owned(), name.to_owned());
        let mut object = self.objects.lock().unwrap().get(&key).cloned()?;
        object["apiVersion"] = json!("v1");
        object["kind"] = json!(if collection == "secrets" {
            "Secret"
        } else {
            "ConfigMap"
        });
        Some(object)
    }

    /// One event per change since `seen`, for as long as the server is on.
    fn watch(&self, collection: &str, name: &str, seen: u64) -> Answer {
        struct Watching {
            server: ApiServer,
            collection: String,
            name: String,
            seen: u64,
            changes: watch::Receiver<u64>,
            last: Option<Value>,
        }
        let state = Watching {
            server: self.clone(),
            collection: collection.to_owned(),
            name: name.to_owned(),
            seen,
            changes: self.version.subscribe(),
            last: None,
        };
        let events = stream::unfold(state, |mut state| async move {
            loop {
                if *state.server.off.lock().unwrap() {
                    return None;
                }
                state.changes.borrow_and_update();
                let object = state.server.object(&state.collection, &state.name);
                let version = object.as_ref().map_or(0, |object| {
                    object["metadata"]["resourceVersion"]
                        .as_str()
                        .unwrap()
                        .parse()
                        .unwrap()
                });
                let event = match (&object, &state.last) {
                    (Some(object), _) if version > state.seen => Some(("MODIFIED", object.clone())),
                    (None, Some(last)) => Some(("DELETED", last.clone())),
                    _ => None,
                };
                state.seen = state.seen.max(version);
                state.last = object;
                if let Some((kind, object)) = event {
                    let line = format!("{}\n", json!({"type": kind, "object": object}));
                    return Some((Bytes::from(line), state));
                }
                if state.changes.changed().await.is_err() {
                    return None;
                }
            }
        });
        let frames = events.map(|line| Ok(Frame::data(line)));
        Response::new(StreamBody::new(frames).boxed_unsync())
    }
}

fn whole(value: &Value) -> Answer {
    Response::new(http_body_util::Full::from(value.to_string()).boxed_unsync())
}

fn status(code: StatusCode, message: &str) -> Answer {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message,
        "reason": message, "code": code.as_u16()});
    let mut response = whole(&body);
    *response.status_mut() = code;
    response
}
