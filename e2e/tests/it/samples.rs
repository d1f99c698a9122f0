//! The examples of the reference, applied as they are.

use std::collections::BTreeSet;

use crd::Kind;
use crd::reference::example;
use e2e::cluster::parse_objects;
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};

use crate::shop::{SECRET, SOON, Shop};

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
            if reasons.contains(&reason) && (ready["status"] == "True" || !message.is_empty()) {
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
