//! Something is wrong with one object: it says what, alone, and all else goes on.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::answer::Client;
use e2e::story::condition_of;
use serde_json::{Value, json};

use crate::shop::{SECRET, SOON, Shop, object, reading, table};

const SHELF: &str = "query { __type(name: \"shelf\") { name } }";
const AUTHORS: &str = "query { author(order_by: {id: asc}) { id } }";
const BOOKS: &str = "query { book(order_by: {id: asc}) { id title } }";

/// What each object says of itself: kind and name, and the condition `Ready` since when.
type Said = BTreeMap<(String, String), Value>;

async fn said(shop: &Shop) -> Said {
    let mut said = Said::new();
    for object in shop.objects() {
        let found = shop.there(&object).await;
        let ready = condition_of(&found, "Ready");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = (text(&object["kind"]), text(&object["metadata"]["name"]));
        said.insert(key, json!([ready["status"], ready["lastTransitionTime"]]));
    }
    said
}

/// Every object but these (kind and name) is as ready as it was, and was so all the time. The engine is Ready too: one
/// object that is not is none of its faults.
async fn all_but(shop: &Shop, before: &Said, broken: &[(&str, &str)]) {
    let engine = shop.story.condition(&shop.engine(), "Ready", "True", SOON).await;
    engine.unwrap_or_else(|error| panic!("{error}"));
    for (key, now) in said(shop).await {
        let (kind, name) = (key.0.as_str(), key.1.as_str());
        if kind != "Engine" && !broken.contains(&(kind, name)) {
            assert_eq!(now[0], "True", "{kind}/{name}");
            assert_eq!(now, before[&key], "{kind}/{name} did not notice");
        }
    }
}

/// The message of a condition begins with this field of the object, and tells of this.
fn is_about(shop: &Shop, message: &str, field: &str, what: &str) {
    let engine = format!("{}/shop: ", shop.story.namespace);
    let fault = message.strip_prefix(&engine).unwrap_or(message);
    let told = fault.split_once(": ");
    assert!(
        told.is_some_and(|(path, rest)| path == field && rest.contains(what)),
        "{field}, {what}: {message}"
    );
}

/// Waits until the role sees no books any more.
async fn has_no_books(shop: &Shop) {
    let gone = e2e::wait::until(SOON, "the role lost the table", || async {
        let answer = shop.ask(BOOKS).await;
        if answer.body["errors"].is_array() {
            Ok(())
        } else {
            Err(answer.body.to_string())
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn one_broken_object_is_named_and_heals() {
    let shop = Shop::open("broken", 2).await;
    let before = shop.ask(BOOKS).await.body;
    let sound = said(&shop).await;

    // A column that the database does not have: the last good form goes on serving.
    let bad = reading("book", &["id", "titel"], json!({}));
    shop.apply(&bad).await;
    let message = shop.refused_for(&bad, "Refused").await;
    is_about(&shop, &message, "spec.select.columns[1]", "\"titel\"");
    assert_eq!(shop.ask(BOOKS).await.body, before, "the last good form is served");
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;

    // With `Remove`, nothing of it is served.
    let mut removed = bad.clone();
    removed["spec"]["onInvalid"] = json!("Remove");
    shop.apply(&removed).await;
    has_no_books(&shop).await;
    let authors = shop.ask("query { author { id } }").await;
    assert!(authors.body["data"].is_object(), "the rest goes on: {authors:?}");
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;

    let good = reading("book", &["id", "title"], json!({"published": {"_eq": true}}));
    shop.apply(&good).await;
    shop.ready(&good).await;
    assert_eq!(shop.ask(BOOKS).await.body, before);
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;

    // The Engine decides for objects that do not say.
    let mut strict = shop.engine();
    strict["spec"]["onInvalid"] = json!("Remove");
    shop.apply(&strict).await;
    let mut kept = bad.clone();
    kept["spec"]["onInvalid"] = json!("KeepLast");
    shop.apply(&kept).await;
    shop.refused_for(&kept, "Refused").await;
    assert_eq!(shop.ask(BOOKS).await.body, before, "it says so itself");
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;
    shop.apply(&good).await;
    shop.ready(&good).await;
    shop.apply(&bad).await;
    shop.refused_for(&bad, "Refused").await;
    has_no_books(&shop).await;
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;
    let mut lenient = shop.engine();
    lenient["spec"]["onInvalid"] = json!("KeepLast");
    shop.apply(&lenient).await;
    shop.apply(&good).await;
    shop.ready(&good).await;
    assert_eq!(shop.ask(BOOKS).await.body, before);
    all_but(&shop, &sound, &[("Permission", "book-customer")]).await;
    let sound = said(&shop).await;

    // A reference that leads nowhere, healed by what it names.
    let lost = reading("review", &["id"], json!({}));
    shop.apply(&lost).await;
    let message = shop.refused_for(&lost, "RefNotResolved").await;
    is_about(&shop, &message, "spec.tableRef", "review");
    all_but(&shop, &sound, &[]).await;
    shop.database
        .run("create table review (id int primary key)")
        .await
        .expect("a table");
    let review = table("review");
    shop.apply(&review).await;
    shop.ready(&review).await;
    shop.ready(&lost).await;
    all_but(&shop, &sound, &[]).await;

    // The same table twice: the older one stays.
    let twin = object("Table", "book-again", table("book")["spec"].clone());
    shop.apply(&twin).await;
    let message = shop.refused_for(&twin, "Duplicate").await;
    is_about(
        &shop,
        &message,
        "spec.table",
        &format!("Table {}/book", shop.story.namespace),
    );
    all_but(&shop, &sound, &[]).await;
    shop.story.delete(&twin).await.expect("it is deleted");
    shop.gone(&twin).await;
    all_but(&shop, &sound, &[]).await;
    // When it goes, the younger one takes over.
    let heir = object("Table", "review-again", review["spec"].clone());
    shop.apply(&heir).await;
    shop.refused_for(&heir, "Duplicate").await;
    shop.story.delete(&lost).await.expect("it is deleted");
    shop.story.delete(&review).await.expect("it is deleted");
    shop.ready(&heir).await;
    all_but(&shop, &sound, &[]).await;

    // Its table dropped beneath it: it says so, and whose fault it is says what hangs on it.
    let mut of_heir = reading("review", &["id"], json!({}));
    of_heir["spec"]["tableRef"]["name"] = "review-again".into();
    shop.apply(&of_heir).await;
    shop.ready(&of_heir).await;
    shop.database.run("drop table review").await.expect("a change");
    let message = shop.refused_for(&heir, "Refused").await;
    is_about(&shop, &message, "spec.table", "review");
    let message = shop.refused_for(&of_heir, "Refused").await;
    let namespace = &shop.story.namespace;
    let whose =
        format!("{namespace}/shop: Table {namespace}/review-again does not fit the database: see its status");
    assert_eq!(message, whose);
    all_but(&shop, &sound, &[]).await;
    // Made again, both are served as before.
    shop.database
        .run("create table review (id int primary key)")
        .await
        .expect("a table");
    shop.ready(&heir).await;
    shop.ready(&of_heir).await;
    all_but(&shop, &sound, &[]).await;
    shop.story.delete(&of_heir).await.expect("it is deleted");
    shop.story.delete(&heir).await.expect("it is deleted");

    // A column dropped beneath a permission: exactly that permission.
    let answered = shop.ask(AUTHORS).await.body;
    assert!(answered["data"]["author"].is_array(), "{answered}");
    shop.database
        .run("alter table author drop column name")
        .await
        .expect("a change");
    let authors = reading("author", &["id", "name"], json!({}));
    let message = shop.refused_for(&authors, "Refused").await;
    is_about(&shop, &message, "spec.select.columns[1]", "\"name\"");
    assert_eq!(shop.ask(BOOKS).await.body, before, "the rest goes on");
    // Its last form names the column as well: nothing is left of it.
    let refused = shop.ask(AUTHORS).await.body;
    let path = json!({"path": "$.selectionSet.author", "code": "validation-failed"});
    let message = "field 'author' not found in type: 'query_root'";
    assert_eq!(
        refused,
        json!({"errors": [{"message": message, "extensions": path}]})
    );
    all_but(&shop, &sound, &[("Permission", "author-customer")]).await;
    shop.database
        .run("alter table author add column name text; update author set name = 'Ada'")
        .await
        .expect("a change");
    shop.ready(&authors).await;
    assert_eq!(shop.ask(AUTHORS).await.body, answered);
    all_but(&shop, &sound, &[("Permission", "author-customer")]).await;
    shop.close().await;
}

/// Two tables want one name in the API: the older keeps it, and the younger, and what hangs on it, say why they wait.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn of_two_that_clash_the_older_stays() {
    let shop = Shop::open("clash", 2).await;
    let sound = said(&shop).await;
    let before = shop.ask(AUTHORS).await.body;
    shop.database
        .run("create table magazine (id int primary key); insert into magazine values (7)")
        .await
        .expect("a table");
    // By its name it would come first.
    let mut younger = object("Table", "a-magazine", table("magazine")["spec"].clone());
    younger["spec"]["customName"] = "author".into();
    let mut of_younger = reading("magazine", &["id"], json!({}));
    of_younger["spec"]["tableRef"]["name"] = "a-magazine".into();
    for on_invalid in ["KeepLast", "Remove"] {
        younger["spec"]["onInvalid"] = on_invalid.into();
        shop.apply(&younger).await;
        shop.apply(&of_younger).await;
        let message = shop.refused_for(&younger, "Refused").await;
        assert!(
            message.contains("spec.customName")
                && message.contains(&format!("Table {}/author", shop.story.namespace)),
            "{message}"
        );
        let message = shop.refused_for(&of_younger, "DependencyFailed").await;
        assert!(message.contains("a-magazine"), "{message}");
        all_but(&shop, &sound, &[]).await;
        assert_eq!(shop.ask(AUTHORS).await.body, before);
    }

    // The older one takes another name: the younger has it.
    let mut older = table("author");
    older["spec"]["customName"] = "writer".into();
    shop.apply(&older).await;
    shop.ready(&younger).await;
    shop.ready(&of_younger).await;
    let magazines = json!({"data": {"author": [{"id": 7}]}});
    let pods = shop.has_pods(2).await;
    shop.everywhere(&pods, AUTHORS, &magazines, std::time::Instant::now())
        .await;
    let writers = shop.ask("query { writer(order_by: {id: asc}) { id } }").await;
    assert_eq!(writers.body["data"]["writer"], before["data"]["author"]);
    shop.close().await;
}

/// An engine serves objects of another namespace, and hands on what their Secrets hold, only with the consent of their
/// owner; so does a reference into another namespace need one, and without it nobody learns whether the target exists.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn other_namespaces_consent_first() {
    let shop = Shop::open("consent", 1).await;
    let other = e2e::story::Story::beside(&shop.story.cluster, "neighbour")
        .await
        .expect("a namespace");
    let mut engine = shop.engine();
    let labels = json!({"matchExpressions": [{
        "key": "kubernetes.io/metadata.name", "operator": "In", "values": [shop.story.namespace, other.namespace],
    }]});
    engine["spec"]["namespaceSelector"] = labels;
    shop.apply(&engine).await;
    shop.database
        .run("create table shelf (id int primary key)")
        .await
        .expect("a table");
    let foreign = |name: &str, source: &str| {
        let mut table = table(name);
        table["metadata"]["namespace"] = other.namespace.clone().into();
        table["spec"]["sourceRef"] = json!({"namespace": shop.story.namespace, "name": source});
        table
    };
    let shelf = foreign("shelf", "shop");
    let missing = foreign("nothing", "missing");
    shop.apply(&shelf).await;
    shop.apply(&missing).await;
    let mut theirs = shop.source();
    theirs["metadata"]["name"] = "theirs".into();
    theirs["metadata"]["namespace"] = other.namespace.clone().into();
    theirs["spec"]["name"] = "theirs".into();
    theirs["spec"]["connection"] = json!({"urlFrom": {"secretKeyRef": {"name": "theirs", "key": "uri"}}});
    let canary = "consent-is-asked-first";
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": other.namespace},
        "stringData": {"uri": format!("{}?application_name={canary}", shop.database.url)},
    });
    shop.apply(&secret).await;
    shop.apply(&theirs).await;
    for object in [&shelf, &missing, &theirs] {
        let said = shop.refused_for(object, "NotSelected").await;
        assert!(said.contains("ReferenceGrant"), "{said}");
    }
    // What was applied before is settled when a later change is served.
    let permission = reading("book", &["id"], json!({"id": {"_eq": 2}}));
    shop.apply(&permission).await;
    shop.ready(&permission).await;
    let own = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-secrets"}});
    let own = shop
        .story
        .get(&own)
        .await
        .expect("an answer")
        .expect("the Secret");
    let values = own["data"].as_object().expect("values").values();
    for value in values {
        let value = STANDARD
            .decode(value.as_str().unwrap_or_default())
            .expect("base64");
        assert!(
            !String::from_utf8_lossy(&value).contains(canary),
            "what no one granted"
        );
    }
    let mut serving = object(
        "ReferenceGrant",
        "engines",
        json!({"from": [{"kind": "Engine", "namespace": shop.story.namespace}], "to": [{"kind": "Table"}]}),
    );
    serving["metadata"]["namespace"] = other.namespace.clone().into();
    shop.apply(&serving).await;
    shop.refused_for(&theirs, "NotSelected").await;
    let without = |text: String, name: &str| text.replace(name, "…");
    let said = without(shop.refused_for(&shelf, "RefNotResolved").await, "shop/shop");
    let of_missing = shop.refused_for(&missing, "RefNotResolved").await;
    assert_eq!(
        said.matches("ReferenceGrant").count(),
        of_missing.matches("ReferenceGrant").count()
    );
    let grant = object(
        "ReferenceGrant",
        "neighbours",
        json!({"from": [{"kind": "Table", "namespace": other.namespace}], "to": [{"kind": "Source", "name": "shop"}]}),
    );
    shop.apply(&grant).await;
    shop.ready(&shelf).await;
    let admin = Client::anonymous().expect("a client").as_role(SECRET, "admin");
    let served = json!({"data": {"__type": {"name": "shelf"}}});
    let address = shop.address().await;
    shop.answers(&address, &admin, SHELF, &served).await;
    shop.story.delete(&grant).await.expect("it is deleted");
    let again = shop.refused_for(&shelf, "RefNotResolved").await;
    assert!(!again.is_empty());
    // What is withdrawn is not served on, by any pod.
    let nothing = json!({"data": {"__type": null}});
    shop.answers(&address, &admin, SHELF, &nothing).await;
    other.end().await.expect("the end");
    shop.close().await;
}

/// Secrets that are missing are waited for: nothing is tried or written meanwhile.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn missing_secrets_are_waited_for() {
    let shop = Shop::open("missing", 1).await;
    let header = |secret: String| {
        let from = |name: &str, key: &str| json!({"secretKeyRef": {"name": name, "key": key}});
        json!([
            {"name": "a", "valueFrom": from(&secret, "token")},
            {"name": "b", "valueFrom": from("shop", "admin-secret")},
        ])
    };
    let mut waiting = Vec::new();
    for number in 0..4 {
        let name = format!("missing-{number}");
        let connection = json!({"urlFrom": {"secretKeyRef": {"name": name, "key": "uri"}}});
        waiting.push(object(
            "Source",
            &name,
            json!({"name": name, "connection": connection}),
        ));
        let url = "https://example.org/graphql";
        let schema = json!({"name": format!("remote_{number}"), "url": url, "headers": header(format!("gone-{number}"))});
        waiting.push(object("RemoteSchema", &name, schema));
    }
    for object in &waiting {
        shop.apply(object).await;
    }
    for object in &waiting {
        shop.refused_for(object, "RefNotResolved").await;
    }
    let own = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop-secrets"}});
    let version = async || {
        let found = shop
            .story
            .get(&own)
            .await
            .expect("an answer")
            .expect("the Secret");
        found["metadata"]["resourceVersion"].clone()
    };
    let before = version().await;
    // What would be tried in a loop would be tried while this change is served.
    let permission = reading("book", &["id"], json!({"id": {"_eq": 2}}));
    shop.apply(&permission).await;
    shop.ready(&permission).await;
    let books = json!({"data": {"book": [{"id": 2}]}});
    let address = shop.address().await;
    shop.answers(&address, &shop.customer(), "query { book { id } }", &books)
        .await;
    assert_eq!(version().await, before, "the Secret is not written again");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "missing-0"}, "stringData": {"uri": shop.database.url},
    });
    shop.apply(&secret).await;
    shop.ready(&waiting[0]).await;
    shop.close().await;
}
