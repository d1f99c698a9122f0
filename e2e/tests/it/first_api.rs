//! Someone applies an API for the first time, whole and in any order.

use std::collections::BTreeSet;
use std::time::Instant;

use e2e::figure::{Size, note, spread};
use e2e::story::condition_of;
use e2e::wait::until;
use serde_json::{Value, json};

use crate::shop::{SOON, Shop, reading};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id title } }";

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn an_api_is_applied_and_served() {
    let began = Instant::now();
    let shop = Shop::open("first", 2).await;
    note(
        "1 first API",
        "from nothing to every object Ready, with pods",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    let answer = shop.ask(BOOKS).await;
    let books = json!({"data": {"book": [{"id": 1, "title": "Alpha"}, {"id": 2, "title": "Beta"}]}});
    assert_eq!((answer.status, answer.body), (200, books));
    assert!(!answer.generation.is_empty(), "the generation is named");
    let before = shop.generation().await;
    assert_eq!(before, answer.generation.as_str());
    let ready = until(SOON, "the engine counts its pods", || async {
        let engine = shop.engine_now().await;
        match &engine["status"]["readyReplicas"] {
            count if *count == 2 => Ok(()),
            other => Err(other.to_string()),
        }
    });
    ready.await.unwrap_or_else(|error| panic!("{error}"));
    let hidden = shop.ask("query { book { price } }").await;
    assert!(
        hidden.body["errors"][0]["message"]
            .as_str()
            .is_some_and(|text| text.contains("price")),
        "{hidden:?}"
    );

    // Applying the same again changes nothing, neither in the objects nor in what is published.
    for object in shop.objects() {
        let kept = shop.apply(&object).await;
        assert_eq!(
            kept["metadata"]["generation"], 1,
            "{}",
            object["metadata"]["name"]
        );
    }
    assert_eq!(shop.generation().await, before);

    // What is not selected is not served.
    let mut other = reading("author", &["id"], json!({}));
    other["metadata"] = json!({"name": "other", "labels": {"app": "elsewhere"}});
    other["spec"]["role"] = "other".into();
    shop.apply(&other).await;
    shop.refused_for(&other, "NotSelected").await;
    shop.close().await;
}

/// What the engine does not serve yet is accepted and says so.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn parts_that_are_not_served_yet_say_so() {
    let shop = Shop::open("later", 1).await;
    let trigger = crate::shop::object(
        "CronTrigger",
        "nightly",
        json!({"name": "nightly", "schedule": "0 3 * * *", "webhook": "https://reports.example.org/"}),
    );
    shop.apply(&trigger).await;
    let found = until(SOON, "a verdict", || async {
        let found = shop
            .story
            .get(&trigger)
            .await
            .map_err(|error| error.to_string())?
            .unwrap_or_default();
        let accepted = condition_of(&found, "Accepted");
        let programmed = condition_of(&found, "Programmed");
        if accepted["status"] == "True" && programmed["status"] != Value::Null {
            Ok((found, programmed))
        } else {
            Err(found["status"].to_string())
        }
    });
    let (_, programmed) = found.await.unwrap_or_else(|error| panic!("{error}")).0;
    if programmed["status"] == "False" {
        assert_eq!(programmed["reason"], "NotSupported", "{programmed}");
    }
    let answer = shop.ask(BOOKS).await;
    assert_eq!(answer.status, 200, "the rest goes on: {answer:?}");
    shop.close().await;
}

/// Objects come in any order, one by one, with changes and deletions between them: the end is always the same.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn any_order_ends_the_same() {
    let shop = Shop::open("orders", 1).await;
    let wanted = shop.generation().await;
    let mut hashes = BTreeSet::new();
    let mut times = Vec::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..Size::wanted().pick(5, 200) {
        let mut objects: Vec<Value> = shop
            .objects()
            .into_iter()
            .filter(|one| one["kind"] != "Engine")
            .collect();
        for one in &objects {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if random.is_multiple_of(2) {
                shop.story.delete(one).await.expect("it is deleted");
            }
        }
        for index in (1..objects.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let other = usize::try_from(random % (index as u64 + 1)).unwrap_or_default();
            objects.swap(index, other);
        }
        for one in &objects {
            if one["kind"] == "Permission" {
                let mut early = one.clone();
                early["spec"]["select"]["columns"] = json!(["id"]);
                shop.apply(&early).await;
            }
            shop.apply(one).await;
        }
        let began = Instant::now();
        for one in &objects {
            shop.ready(one).await;
        }
        let engine = shop.engine();
        let (hash, _) = until(SOON, "the hash of before", || async {
            let found = shop
                .story
                .get(&engine)
                .await
                .map_err(|error| error.to_string())?
                .unwrap_or_default();
            let hash = found["status"]["generationHash"].clone();
            if hash == wanted {
                Ok(hash)
            } else {
                Err(hash.to_string())
            }
        })
        .await
        .unwrap_or_else(|error| panic!("{error}"));
        times.push(began.elapsed());
        hashes.insert(hash.to_string());
    }
    assert_eq!(hashes.len(), 1);
    note(
        "6 any order",
        "from the last apply to every object Ready",
        &spread(&times),
    );
    shop.close().await;
}
