//! Somebody changes or deletes what the operator made: it is back soon, and told where a person looks.

use std::time::{Duration, Instant};

use e2e::figure::note;
use e2e::wait::until;
use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::shop::{SOON, Shop};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id } }";

/// What is promised.
const PROMISE: Duration = Duration::from_secs(10);

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn what_the_operator_made_is_restored() {
    let shop = Shop::open("restored", 1).await;
    let made = |api_version: &str, kind: &str, name: &str| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    let children = [
        made("v1", "ConfigMap", "shop-metadata"),
        made("v1", "Secret", "shop-secrets"),
        made("v1", "Service", "shop"),
        made("rbac.authorization.k8s.io/v1", "Role", "shop"),
    ];
    let mut longest = Duration::ZERO;
    for child in &children {
        let before = uid(&shop, child).await.expect("it is there");
        let began = Instant::now();
        shop.story.delete(child).await.expect("it is deleted");
        let what = format!("{}/{} is back", child["kind"], child["metadata"]["name"]);
        let back = until(SOON, &what, || async {
            let now = uid(&shop, child).await;
            now.filter(|now| *now != before)
                .ok_or_else(|| "it is not there".to_owned())
        });
        back.await.unwrap_or_else(|error| panic!("{error}"));
        longest = longest.max(began.elapsed());
        told(&shop, child).await;
    }
    // One that is changed instead.
    let service = &children[2];
    let objects = shop.story.cluster.objects("v1", "Service", &shop.story.namespace);
    let objects = objects.await.expect("Services");
    let other = json!({"spec": {"selector": {"rowlock.dev/engine": "another"}}});
    let began = Instant::now();
    objects
        .patch("shop", &PatchParams::default(), &Patch::Merge(&other))
        .await
        .expect("it is changed");
    let back = until(SOON, "the Service chooses the engine's pods again", || async {
        let found = shop.story.get(service).await.map_err(|error| error.to_string())?;
        let selector = found.unwrap_or_default()["spec"]["selector"].clone();
        if selector == json!({"rowlock.dev/engine": "shop"}) {
            Ok(())
        } else {
            Err(selector.to_string())
        }
    });
    back.await.unwrap_or_else(|error| panic!("{error}"));
    longest = longest.max(began.elapsed());
    note(
        "restored",
        "changed or deleted by somebody else to as it was, at most",
        &format!("{} ms", longest.as_millis()),
    );
    assert!(longest < PROMISE, "{longest:?}");
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    let address = shop.address().await;
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;
    shop.close().await;
}

async fn uid(shop: &Shop, object: &Value) -> Option<String> {
    let found = shop.story.get(object).await.ok()??;
    found["metadata"]["uid"].as_str().map(str::to_owned)
}

/// An event about the engine names the object.
async fn told(shop: &Shop, object: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]));
    let what = format!("an event tells of {named}");
    let events = shop
        .story
        .cluster
        .objects("events.k8s.io/v1", "Event", &shop.story.namespace);
    let events = events.await.expect("Events");
    let found = until(SOON, &what, || async {
        let all = events
            .list(&ListParams::default())
            .await
            .map_err(|error| error.to_string())?;
        let about = all.items.iter().any(|event| {
            let data = &event.data;
            data["reason"] == "Restored"
                && data["regarding"]["kind"] == "Engine"
                && text(&data["note"]).contains(&named)
        });
        if about {
            Ok(())
        } else {
            Err(format!("{} others", all.items.len()))
        }
    });
    found.await.unwrap_or_else(|error| panic!("{error}"));
}
