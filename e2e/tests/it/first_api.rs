//! Someone applies an API for the first time, whole and in any order.

use std::time::Instant;

use e2e::figure::{Size, note, spread};
use e2e::story::condition_of;
use e2e::wait::until;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::samples::record_shop;
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
    let message = shop.refused_for(&trigger, "NotSupported").await;
    assert!(message.contains("does not serve this kind yet"), "{message}");
    let found = shop.there(&trigger).await;
    let (accepted, programmed) = (
        condition_of(&found, "Accepted"),
        condition_of(&found, "Programmed"),
    );
    assert_eq!(accepted["status"], "True", "{accepted}");
    assert_eq!(programmed["status"], "False", "{programmed}");
    assert_eq!(programmed["reason"], "NotSupported", "{programmed}");
    let answer = shop.ask(BOOKS).await;
    assert_eq!(answer.status, 200, "the rest goes on: {answer:?}");
    shop.close().await;
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or_default()
    }
}

/// Objects of the record shop come in any order, several at a time, with other forms and deletions between them, the engine
/// too: the end is always the same.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn any_order_ends_the_same() {
    let (shop, objects) = record_shop("orders").await;
    let engine = objects
        .iter()
        .find(|one| one["kind"] == "Engine")
        .expect("an engine")
        .clone();
    let shop = &shop;
    let hash = async || {
        let found = shop.story.get(&engine).await.map_err(|error| error.to_string())?;
        let found = found.ok_or("there is no engine")?;
        Ok::<_, String>(found["status"]["generationHash"].clone())
    };
    for object in &objects {
        shop.apply(object).await;
    }
    for object in &objects {
        shop.ready(object).await;
    }
    let wanted = until(SOON, "a hash", || async {
        match hash().await? {
            Value::String(hash) => Ok(Value::String(hash)),
            other => Err(other.to_string()),
        }
    });
    let (wanted, _) = wanted.await.unwrap_or_else(|error| panic!("{error}"));
    shop.serves(&engine, &wanted).await;
    let mut times = Vec::new();
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for turn in 0..Size::wanted().pick(5, 200) {
        // The whole world begins from nothing, or half of it without the engine.
        let all_go = turn % 4 == 3;
        let mut steps: Vec<Vec<Value>> = Vec::new();
        for one in &objects {
            let goes = one["kind"] != "Engine" && dice.below(2) == 0;
            if goes || all_go {
                shop.story.delete(one).await.expect("it is deleted");
            }
            let mut forms = vec![one.clone()];
            if one["spec"].get("select").is_some() && dice.below(2) == 0 {
                let mut early = one.clone();
                early["spec"]["select"]["limit"] = json!(7);
                forms.insert(0, early);
            }
            steps.push(forms);
        }
        for index in (1..steps.len()).rev() {
            let other = dice.below(index + 1);
            steps.swap(index, other);
        }
        // One after the other, or up to eight at a time.
        let at_once = 1 + dice.below(8);
        stream::iter(steps)
            .for_each_concurrent(at_once, |forms| async move {
                for form in forms {
                    shop.apply(&form).await;
                }
            })
            .await;
        let began = Instant::now();
        for one in &objects {
            shop.ready(one).await;
        }
        shop.serves(&engine, &wanted).await;
        if !all_go {
            times.push(began.elapsed());
        }
    }
    note(
        "6 any order",
        &format!(
            "{} objects, from the last apply to every one Ready",
            objects.len()
        ),
        &spread(&times),
    );
    shop.clone().close().await;
}
