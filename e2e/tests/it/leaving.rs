//! Objects come and go: what is not selected any more, or deleted, is not served; what comes back is served as before.

use std::time::Instant;

use e2e::figure::note;
use e2e::wait::until;
use serde_json::{Value, json};

use crate::shop::{SOON, START, Shop, object, table};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id title } }";

/// Waits until the engine publishes and every pod serves this generation, or another than this.
async fn generation(shop: &Shop, hash: &Value, same: bool) {
    if same {
        return shop.serves(&shop.engine(), hash).await;
    }
    let what = format!("the generation is not {hash}");
    let other = until(SOON, &what, || async {
        match shop.generation().await {
            now if now == *hash => Err(now.to_string()),
            _ => Ok(()),
        }
    });
    other.await.unwrap_or_else(|error| panic!("{error}"));
}

/// Waits until customers cannot ask for books.
async fn refuses(shop: &Shop) {
    let gone = until(SOON, "books are not served", || async {
        let answer = shop.ask(BOOKS).await;
        let message = answer.body["errors"][0]["message"].as_str().unwrap_or_default();
        if message.contains("'book' not found") {
            Ok(())
        } else {
            Err(answer.body.to_string())
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn what_leaves_is_not_served() {
    let shop = Shop::open("leaving", 1).await;
    let whole = shop.generation().await;
    let books = shop.ask(BOOKS).await.body;
    assert!(books["data"]["book"].is_array(), "{books}");
    let story = "6 come and go";

    // A label that the engine does not select.
    let permission = shop.objects().pop().expect("the last");
    let mut elsewhere = permission.clone();
    elsewhere["metadata"]["labels"]["app"] = "elsewhere".into();
    let began = Instant::now();
    shop.apply(&elsewhere).await;
    refuses(&shop).await;
    note(
        story,
        "label changed to not served",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    shop.refused_for(&elsewhere, "NotSelected").await;
    generation(&shop, &whole, false).await;
    shop.apply(&permission).await;
    shop.ready(&permission).await;
    generation(&shop, &whole, true).await;
    assert_eq!(shop.ask(BOOKS).await.body, books);

    // Deleted: what depends on it says so, and nothing else; made again, it is as before.
    let book = table("book");
    let began = Instant::now();
    shop.story.delete(&book).await.expect("it is deleted");
    refuses(&shop).await;
    note(
        story,
        "deleted to not served",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    let message = shop.refused_for(&permission, "RefNotResolved").await;
    assert!(message.contains("spec.tableRef"), "{message}");
    // A table with a relationship to it is not accepted as it is now; its last form goes on.
    shop.refused_for(&table("author"), "Refused").await;
    let authors = shop.ask("query { author(order_by: {id: asc}) { id } }").await;
    assert_eq!(authors.body, json!({"data": {"author": [{"id": 1}, {"id": 2}]}}));
    for object in shop.objects() {
        shop.apply(&object).await;
    }
    for object in shop.objects() {
        shop.ready(&object).await;
    }
    generation(&shop, &whole, true).await;
    assert_eq!(shop.ask(BOOKS).await.body, books);

    // An engine of the same name made again serves the same; what belonged to the first goes with it.
    let engine = shop.engine();
    let first = shop.engine_now().await["metadata"]["uid"].clone();
    let began = Instant::now();
    shop.story.delete(&engine).await.expect("it is deleted");
    shop.apply(&engine).await;
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}});
    let made = until(START, "the deployment is of the new engine", || async {
        let found = shop
            .story
            .get(&deployment)
            .await
            .map_err(|error| error.to_string())?;
        let found = found.ok_or("there is none")?;
        let owner = &found["metadata"]["ownerReferences"][0]["uid"];
        if *owner != first && found["metadata"].get("deletionTimestamp").is_none() {
            Ok(())
        } else {
            Err(owner.to_string())
        }
    });
    made.await.unwrap_or_else(|error| panic!("{error}"));
    for object in shop.objects() {
        shop.ready(&object).await;
    }
    note(
        story,
        "engine deleted and made again, to all Ready",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    generation(&shop, &whole, true).await;
    let address = shop.address().await;
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;

    // A second engine may select what the first does not: each serves its own.
    let mut second = engine.clone();
    second["metadata"] = json!({"name": "second"});
    second["spec"]["objectSelector"] = json!({"matchLabels": {"app": "second"}});
    shop.apply(&second).await;
    let mut source = object("Source", "second", shop.source()["spec"].clone());
    source["metadata"]["labels"]["app"] = "second".into();
    shop.apply(&source).await;
    shop.ready(&second).await;
    shop.ready(&source).await;
    generation(&shop, &whole, true).await;
    shop.close().await;
}
