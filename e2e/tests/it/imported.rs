//! Hasura metadata becomes custom resources, and those go through a real API server: nothing of the document is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use e2e::cluster::{read_objects, repository};
use metadata::Document;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::samples::kubectl;
use crate::shop::Shop;

/// What a JSON decoder of another language rounds, sorts or drops: decimals, whole numbers above 64 bits, the order of
/// keys, nulls.
const DOCUMENT: &str = r#"{"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [
    {"table": {"schema": "public", "name": "author"}},
    {"table": {"schema": "public", "name": "book"},
     "object_relationships": [{"name": "author", "using": {"foreign_key_constraint_on": "author_id"}}],
     "insert_permissions": [{"role": "customer", "permission": {
        "check": {}, "columns": ["id", "author_id", "price"], "set": {"title": "T", "published": null}}}],
     "select_permissions": [{"role": "customer", "permission": {"columns": ["id", "title"], "filter": {"_and": [
        {"price": {"_gt": 1.10, "_lt": 12345678901234567890123, "_in": [10.50, 12.0, 1e2]}},
        {"title": {"_neq": "x"}, "id": {"_gt": 0}, "author": {"name": {"_is_null": false}, "id": {"_gt": -1}}}]}}}]}
], "configuration": {"connection_info": {"database_url": {"from_env": "SHOP_URL"}}}}]}"#;

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("a path").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the program that is in the image; what it said. Exit status 2 tells that something could not be carried.
async fn rowlock(arguments: &[&str], input: &str) -> (i32, String, String) {
    let programs = std::env::var("ROWLOCK_E2E_PROGRAMS").expect("e2e/run says where the programs are");
    let mut child = Command::new(Path::new(&programs).join("rowlock"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("its input");
    // One that does not read its input may have ended.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let done = child.wait_with_output().await.expect("its end");
    (
        done.status.code().unwrap_or(-1),
        String::from_utf8_lossy(&done.stdout).into_owned(),
        String::from_utf8_lossy(&done.stderr).into_owned(),
    )
}

fn canonical(text: &str) -> String {
    let value: Value = serde_json::from_str(text).expect("JSON");
    Document::parse(&value).expect("a document").0.to_text()
}

/// Everything of ours in the namespace as the API server gives it, made a document again.
async fn exported(shop: &Shop) -> String {
    let live = kubectl(shop, &["get", "rowlock", "-o", "yaml"]).await;
    let (code, document, said) = rowlock(&["export", "-"], &live).await;
    assert!(code == 0 || code == 2, "{said}");
    canonical(&document)
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn a_document_is_served_as_it_was() {
    let shop = Shop::plan("imported", 1).await;
    let folder = Folder::new(&shop.story.namespace);
    let (file, out) = (folder.path("metadata.json"), folder.path("resources"));
    fs::write(&file, DOCUMENT).expect("a file");
    let (code, _, said) = rowlock(
        &["import", "--metadata", &file, "--out", &out, "--engine", "shop"],
        "",
    )
    .await;
    assert_eq!(code, 0, "{said}");
    kubectl(&shop, &["apply", "--server-side", "-R", "-f", &out]).await;
    // What a document does not say: where the database is, and who may do everything.
    let key = |key: &str| json!({"secretKeyRef": {"name": "shop", "key": key}});
    let rest = json!({"spec": {
        "auth": {"adminSecretFrom": key("admin-secret")},
        "env": [{"name": "SHOP_URL", "valueFrom": key("uri")}],
    }});
    let merged = shop
        .story
        .cluster
        .merge(&shop.engine(), &rest, &shop.story.namespace)
        .await;
    merged.unwrap_or_else(|error| panic!("{error}"));
    kubectl(
        &shop,
        &[
            "wait",
            "--for=condition=Ready",
            "--timeout=120s",
            "-R",
            "-f",
            &out,
        ],
    )
    .await;

    let index = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shop-metadata"}});
    let index = shop
        .story
        .get(&index)
        .await
        .expect("an answer")
        .expect("the index");
    let published = index["data"]["metadata.json"].as_str().expect("the document");
    assert_eq!(published, canonical(DOCUMENT));
    assert_eq!(exported(&shop).await, published);
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    let address = shop.address().await;
    shop.answers(
        &address,
        &shop.customer(),
        "query { book(order_by: {id: asc}) { id } }",
        &books,
    )
    .await;
    shop.close().await;
}

/// A document with every key that metadata can have.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn every_key_survives_the_api_server() {
    let shop = Shop::plan("whole", 1).await;
    let folder = Folder::new(&shop.story.namespace);
    let (file, out) = (
        repository().join("engine/metadata/tests/it/full.json"),
        folder.path("resources"),
    );
    let file = file.to_str().expect("a path");
    let (code, _, said) = rowlock(&["import", "--metadata", file, "--out", &out], "").await;
    assert!(code == 0 || code == 2, "{said}");
    let (code, wanted, said) = rowlock(&["export", &out], "").await;
    assert!(code == 0 || code == 2, "{said}");
    // Nothing is to be run of it.
    let engine = Path::new(&out).join("engines/rowlock.yaml");
    let mut objects = read_objects(&engine).expect("an engine");
    objects[0]["spec"]["paused"] = true.into();
    objects[0]["spec"]["replicas"] = 0.into();
    fs::write(&engine, objects[0].to_string()).expect("a file");
    kubectl(&shop, &["apply", "--server-side", "-R", "-f", &out]).await;
    assert_eq!(exported(&shop).await, canonical(&wanted));
    shop.close().await;
}
