//! The admin port of all pods of engine `e` in the first namespace that has published something: they serve it at once.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use delivery::path;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{State, key, lock};

pub async fn serve(state: Arc<Mutex<State>>, changed: watch::Receiver<u64>) -> SocketAddr {
    super::serve::serve(move |address, request| {
        let (state, changed) = (Arc::clone(&state), changed.clone());
        async move {
            answer(&state, changed, address, request)
                .await
                .map(BodyExt::boxed)
        }
    })
    .await
}

async fn answer(
    state: &Mutex<State>,
    changed: watch::Receiver<u64>,
    address: IpAddr,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    if lock(state).mute {
        lock(state).silences += usize::from(request.uri().path() == path::GENERATION);
        let mut response = Response::new(Full::default());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        return response;
    }
    let body = match request.uri().path() {
        path::GENERATION => report(state, changed, address, request.uri().query().unwrap_or_default()).await,
        path::OBJECTS => return objects(&mut lock(state)),
        _ => {
            let bytes = request.into_body().collect().await.expect("a body").to_bytes();
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*bytes)
                .read_to_string(&mut text)
                .expect("a text");
            check(
                &mut lock(state),
                address,
                &serde_json::from_str(&text).expect("JSON"),
            )
        }
    };
    Response::new(Full::new(Bytes::from(body.to_string())))
}

/// Of what is published, as it is there: also from a pod that lags, and is about to take it.
fn objects(state: &mut State) -> Response<Full<Bytes>> {
    state.tables_asked += 1;
    if state.tables_to_fail > 0 {
        state.tables_to_fail -= 1;
        let mut response = Response::new(Full::default());
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    }
    let objects = state.set("shop", "e").map(|(_, set)| set.objects);
    Response::new(Full::from(objects.unwrap_or_else(|| "[]".to_owned())))
}

/// Held open until it is another than the one that is known.
async fn report(
    state: &Mutex<State>,
    mut changed: watch::Receiver<u64>,
    address: IpAddr,
    query: &str,
) -> Value {
    let before = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let long = tokio::time::sleep_until(tokio::time::Instant::now() + Duration::from_secs(30));
    tokio::pin!(long);
    loop {
        changed.borrow_and_update();
        let (revision, report) = {
            let state = lock(state);
            let lagging = state.lagging.clone().filter(|(pod, _)| *pod == address);
            let index = match lagging {
                Some((_, index)) => Some(index),
                None => state.set("shop", "e").map(|(index, _)| index),
            };
            match (index, state.ahead) {
                (None, _) => (
                    "none".to_owned(),
                    json!({"generation": "", "objects": "", "sources": []}),
                ),
                (Some(index), Some(ahead)) if ahead > index.counter => (
                    ahead.to_string(),
                    json!({"counter": ahead, "generation": "later", "objects": "", "sources": []}),
                ),
                (Some(index), _) => {
                    let objects = state.set("shop", "e").map(|(_, set)| set.objects);
                    let objects: Vec<Value> = objects
                        .and_then(|objects| serde_json::from_str(&objects).ok())
                        .unwrap_or_default();
                    let problems: Vec<Value> = questioned(&state, &objects).into_iter().collect();
                    (
                        index.counter.to_string(),
                        json!({
                            "counter": index.counter, "generation": index.generation, "objects": index.objects,
                            "sources": sources(&state, address), "problems": problems,
                        }),
                    )
                }
            }
        };
        let is_mute = lock(state).mute;
        if Some(revision.as_str()) != before || is_mute {
            let mut report = report;
            for (field, value) in [
                ("revision", json!(revision)),
                ("pod", json!("p")),
                ("version", json!("0")),
                ("ready", json!(true)),
            ] {
                report[field] = value;
            }
            if report["problems"].is_null() {
                report["problems"] = json!([]);
            }
            return report;
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = &mut long => return json!({}),
        }
    }
}

fn sources(state: &State, address: IpAddr) -> Value {
    let fingerprint = (state.stranger != Some(address)).then_some("f");
    let own = state.refused_while.as_ref().map(|(name, _)| name.as_str());
    let names = ["s"].into_iter().chain(own);
    names
        .map(|name| json!({"name": name, "state": "Up", "fingerprint": fingerprint}))
        .collect()
}

fn check(state: &mut State, address: IpAddr, request: &Value) -> Value {
    state.checked.push(address);
    let objects = request["objects"].as_array().cloned().unwrap_or_default();
    // Who does not know the databases has nothing against anything.
    let objects = if state.stranger == Some(address) {
        Vec::new()
    } else {
        objects
    };
    // All but the oldest, as the table of objects tells ages.
    let mut clashing: Vec<&Value> = objects
        .iter()
        .filter(|object| state.clash.iter().any(|name| object["name"] == **name))
        .collect();
    clashing.sort_by_key(|object| object["created"].as_str().expect("an age").to_owned());
    let loser = clashing.get(1).map(|object| object["uid"].clone());
    let is_refused = |object: &&Value| {
        let refused = state.refused.get(object["name"].as_str().unwrap_or_default());
        let values = state.objects.get(&key("Secret", "shop", "e-secrets"));
        let values = values.and_then(|secret| secret["data"].as_object());
        let has_value = |value: &String| values.is_some_and(|values| values.values().any(|one| one == value));
        let refused_while = state.refused_while.as_ref();
        let by_value = refused_while.is_some_and(|(name, value)| object["name"] == *name && has_value(value));
        let by_clash = loser.as_ref() == Some(&object["uid"]);
        by_clash || by_value || refused.is_some_and(|generation| object["generation"] == *generation)
    };
    let problems = objects
        .iter()
        .filter(is_refused)
        .map(|object| problem(object, false));
    let problems: Vec<Value> = problems.chain(questioned(state, &objects)).collect();
    json!({"generation": "g", "problems": problems, "sources": sources(state, address)})
}

/// What is told of an object that is served all the same.
fn questioned(state: &State, objects: &[Value]) -> Option<Value> {
    let name = state.questioned.as_ref()?;
    let object = objects.iter().find(|object| object["name"] == **name)?;
    Some(problem(object, true))
}

fn problem(object: &Value, served: bool) -> Value {
    json!({
        "uid": object["uid"], "kind": object["kind"], "namespace": object["namespace"], "name": object["name"],
        "path": "spec.select.columns", "message": "no such column", "served": served,
    })
}
