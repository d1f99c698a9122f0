//! `config/samples` and the examples of the reference, applied as they are.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use crd::Kind;
use crd::reference::example;
use e2e::cluster::{parse_objects, read_objects, repository};
use e2e::figure::note;
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::shop::{SECRET, SOON, Shop, reachable};

const RECORD_SHOP: &str = "config/samples/record-shop";

/// The keys of Secrets that objects name.
fn secrets(value: &Value, found: &mut BTreeSet<(String, String)>) {
    if let Some(reference) = value.get("secretKeyRef") {
        let text = |key: &str| reference[key].as_str().unwrap_or_default().to_owned();
        found.insert((text("name"), text("key")));
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|field| secrets(field, found)),
        Value::Array(items) => items.iter().for_each(|item| secrets(item, found)),
        _ => {}
    }
}

/// Makes every Secret that objects name: addresses are of the story's database, all else is the admin secret.
async fn give_secrets(shop: &Shop, objects: &[Value]) {
    let mut found = BTreeSet::new();
    objects.iter().for_each(|object| secrets(object, &mut found));
    let names: BTreeSet<&String> = found.iter().map(|(name, _)| name).collect();
    for name in names {
        let data: serde_json::Map<String, Value> = found
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, key)| {
                (
                    key.clone(),
                    if key == "uri" {
                        shop.database.url.as_str()
                    } else {
                        SECRET
                    }
                    .into(),
                )
            })
            .collect();
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        shop.apply(&secret).await;
    }
}

/// Runs kubectl in the story's namespace; what it printed.
pub async fn kubectl(shop: &Shop, arguments: &[&str]) -> String {
    let done = Command::new("kubectl")
        .args(["--namespace", &shop.story.namespace])
        .args(arguments)
        .current_dir(repository())
        .output()
        .await
        .expect("kubectl");
    assert!(
        done.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Kinds that no engine serves yet. Who serves one more takes it out here.
const NOT_SERVED: [&str; 8] = [
    "Action",
    "ActionTypes",
    "CronTrigger",
    "EventTrigger",
    "LogicalModel",
    "NativeQuery",
    "RemoteSchema",
    "RemoteSchemaPermission",
];

/// Waits until an object is taken and waits for an engine that serves its kind.
async fn not_supported(shop: &Shop, object: &Value) {
    let message = shop.refused_for(object, "NotSupported").await;
    assert!(!message.is_empty(), "{}", object["kind"]);
    let accepted = condition_of(&shop.there(object).await, "Accepted");
    assert_eq!(accepted["status"], "True", "{} {accepted}", object["kind"]);
}

/// The record shop's database and Secrets, and its objects, of which nothing is applied yet.
pub async fn record_shop(name: &str) -> (Shop, Vec<Value>) {
    let shop = Shop::plan(name, 2).await;
    let folder = repository().join(RECORD_SHOP);
    for sql in ["schema.sql", "data.sql"] {
        let text = std::fs::read_to_string(folder.join(sql)).expect("SQL");
        shop.database.run(&text).await.expect("the sample's data");
    }
    let objects = read_objects(&folder.join("resources")).expect("objects");
    give_secrets(&shop, &objects).await;
    (shop, objects)
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn the_record_shop_is_served() {
    let (shop, objects) = record_shop("samples").await;
    let folder = Path::new(RECORD_SHOP);
    let resources = folder.join("resources");
    // Of the other folder not every kind is served yet.
    let more = folder.join("more");
    let others = read_objects(&repository().join(&more)).expect("objects");
    give_secrets(&shop, &[objects.as_slice(), &others].concat()).await;
    let began = Instant::now();
    let path = resources.to_str().expect("a path");
    let more = more.to_str().expect("a path");
    kubectl(&shop, &["apply", "-f", path, "-f", more]).await;
    kubectl(
        &shop,
        &["wait", "--for=condition=Ready", "--timeout=120s", "-f", path],
    )
    .await;
    note(
        "1 samples",
        &format!(
            "kubectl apply of {} objects to {} Ready",
            objects.len() + others.len(),
            objects.len()
        ),
        &format!("{} ms", began.elapsed().as_millis()),
    );
    let mut kinds: BTreeSet<&str> = objects.iter().filter_map(|one| one["kind"].as_str()).collect();
    for object in &others {
        let kind = object["kind"].as_str().expect("a kind");
        kinds.insert(kind);
        match kind {
            // A consent has no status.
            "ReferenceGrant" => {}
            kind if NOT_SERVED.contains(&kind) => not_supported(&shop, object).await,
            _ => {
                shop.ready(object).await;
            }
        }
    }
    let all: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, all, "the sample has every kind");
    let engine = objects
        .iter()
        .find(|one| one["kind"] == "Engine")
        .expect("an engine");
    let name = engine["metadata"]["name"].as_str().expect("a name");
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}});
    let service = shop
        .story
        .get(&service)
        .await
        .expect("an answer")
        .expect("a Service");
    let address = format!(
        "http://{}",
        service["spec"]["clusterIP"].as_str().expect("an address")
    );
    reachable(&address).await;
    let admin = e2e::answer::Client::anonymous()
        .expect("a client")
        .with("x-hasura-admin-secret", SECRET);
    let answer = admin
        .graphql(&address, "{ artist(limit: 1, order_by: {id: asc}) { id } }")
        .await
        .expect("an answer");
    assert_eq!(answer.body, json!({"data": {"artist": [{"id": 1}]}}));
    let customer = admin.with("x-hasura-role", "customer");
    let album = customer.get(&format!("{address}/api/rest/album/1")).await;
    let album = album.expect("an answer");
    assert_eq!(album.body["album_by_pk"]["id"], 1, "{album:?}");
    shop.close().await;
}

/// The examples of all kinds together: each is judged, what is not served says why, and what is served goes on.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn every_kind_is_judged() {
    let shop = Shop::open("kinds", 1).await;
    let mut objects = Vec::new();
    for &kind in Kind::ALL
        .iter()
        .filter(|kind| **kind != Kind::Engine && **kind != Kind::Source)
    {
        for mut object in parse_objects(example(kind)).expect("YAML") {
            let name = object["metadata"]["name"].clone();
            object["metadata"] = json!({"name": name, "labels": {"app": "shop"}});
            objects.push(object);
        }
    }
    give_secrets(&shop, &objects).await;
    shop.secret(SECRET, &shop.database.url).await;
    for object in &objects {
        shop.apply(object).await;
    }
    let reasons = [
        "Ready",
        "NotSupported",
        "Refused",
        "RefNotResolved",
        "DependencyFailed",
        "Duplicate",
        "Invalid",
        "NotAccepted",
    ];
    for object in objects.iter().filter(|one| one["kind"] != "ReferenceGrant") {
        let what = format!("{} is judged", object["kind"]);
        let judged = until(SOON, &what, || async {
            let found = shop
                .story
                .get(object)
                .await
                .map_err(|error| error.to_string())?
                .unwrap_or_default();
            let ready = condition_of(&found, "Ready");
            let reason = ready["reason"].as_str().unwrap_or_default();
            let message = ready["message"].as_str().unwrap_or_default();
            let served = ready["status"] == "True";
            let kind = object["kind"].as_str().unwrap_or_default();
            assert!(
                !(served && NOT_SERVED.contains(&kind)),
                "{kind} is Ready and not served"
            );
            if reasons.contains(&reason) && (served || !message.is_empty()) {
                Ok(())
            } else {
                Err(found["status"].to_string())
            }
        });
        judged.await.unwrap_or_else(|error| panic!("{error}"));
    }
    let answer = shop.ask("query { author { id } }").await;
    assert!(answer.body["data"].is_object(), "the rest goes on: {answer:?}");
    shop.close().await;
}
