//! An operator that works on some namespaces only: it serves those, and of all others it can read nothing.

use std::process::Stdio;

use e2e::story::{Story, condition_of};
use e2e::wait::until;
use serde_json::json;
use tokio::process::Command;

use super::{helm_in, operators};
use crate::shop::{SOON, Shop};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id } }";

/// Whether somebody may: the API server's own word, asked in their name.
async fn may(account: &str, namespace: &str, words: &[&str]) -> bool {
    let done = Command::new("kubectl")
        .args(["--as", account, "--namespace", namespace])
        .args(words)
        .stdout(Stdio::null())
        .output()
        .await
        .expect("kubectl");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success() || said.contains("Forbidden"),
        "{words:?}: {said}"
    );
    done.status.success()
}

#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn an_operator_of_some_namespaces() {
    let shop = Shop::plan("limited", 1).await;
    let cluster = shop.story.cluster.clone();
    // The other one would serve both.
    operators(&cluster, 0).await;
    let other = Shop::plan("unlisted", 1).await;
    let system = Story::beside(&cluster, "limited-system")
        .await
        .expect("a namespace");
    let image = std::env::var("ROWLOCK_E2E_IMAGE").expect("e2e/run says which image");
    let (repository, tag) = image.rsplit_once(':').expect("an image with a tag");
    let values = format!(
        "image.repository={repository},image.tag={tag},definitions.install=false,rbac.people=false,namespaces={{{}}}",
        shop.story.namespace
    );
    helm_in(
        &system.namespace,
        &["install", "limited", "charts/rowlock", "--set", &values],
    )
    .await;
    for object in other.objects() {
        other.apply(&object).await;
    }
    for object in shop.objects() {
        shop.apply(&object).await;
    }
    for object in shop.objects() {
        shop.ready(&object).await;
    }
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    let address = shop.address().await;
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;
    // A change of a Secret gets to the pods here too.
    shop.secret("second-admin-secret", &shop.database.url).await;
    let second = e2e::answer::Client::anonymous()
        .expect("a client")
        .as_role("second-admin-secret", "customer");
    shop.answers(&address, &second, BOOKS, &books).await;

    // Nobody looked at the other namespace, and nobody could.
    for object in other.objects() {
        let found = other.there(&object).await;
        let ready = condition_of(&found, "Ready");
        assert_eq!(
            ready["message"], "the operator has not looked at it yet",
            "{found}"
        );
    }
    let account = format!(
        "system:serviceaccount:{}:limited-rowlock-operator",
        system.namespace
    );
    for (namespace, words, expected) in [
        (&shop.story.namespace, ["get", "secret", "shop"].as_slice(), true),
        (&shop.story.namespace, &["get", "rowlock"], true),
        (&other.story.namespace, &["get", "secret", "shop"], false),
        (&other.story.namespace, &["get", "secrets"], false),
        (&other.story.namespace, &["get", "tables.rowlock.dev"], false),
        (&other.story.namespace, &["get", "configmaps"], false),
        (&system.namespace, &["get", "secrets"], false),
        (
            &shop.story.namespace,
            &["get", "secrets", "--all-namespaces"],
            false,
        ),
        (
            &shop.story.namespace,
            &["get", "namespace", &shop.story.namespace],
            true,
        ),
        (
            &other.story.namespace,
            &["get", "namespace", &other.story.namespace],
            false,
        ),
        (&shop.story.namespace, &["get", "namespaces"], false),
    ] {
        assert_eq!(
            may(&account, namespace, words).await,
            expected,
            "{words:?} in {namespace}"
        );
    }
    helm_in(&system.namespace, &["uninstall", "limited"]).await;
    operators(&cluster, 1).await;
    // Its owner is another one now: what nobody looked at is served.
    for object in other.objects() {
        other.ready(&object).await;
    }
    let gone = until(SOON, "the chart left nothing", || async {
        let roles = cluster
            .list(
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                "",
                "app.kubernetes.io/instance=limited",
            )
            .await
            .map_err(|error| error.to_string())?;
        if roles.is_empty() {
            Ok(())
        } else {
            Err(format!("{} roles", roles.len()))
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
    for namespace in [system, other.story.clone()] {
        namespace.end().await.expect("the end");
    }
    shop.close().await;
}
