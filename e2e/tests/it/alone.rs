//! Stories that take away what all the others need: told one after the other, when the others are over.

mod guide;
mod large;
mod limited;
mod restored;

use std::process::Stdio;
use std::time::{Duration, Instant};

use e2e::cluster::Cluster;
use e2e::figure::note;
use e2e::wait::until;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::samples::kubectl;
use crate::shop::{START, Shop, reading};

const BOOKS: &str = "query { book(order_by: {id: asc}) { id } }";
const SYSTEM: &str = "rowlock-system";
const OPERATOR: &str = "app.kubernetes.io/name=rowlock-operator";

/// Scales the operator and waits until it is so.
async fn operators(cluster: &Cluster, count: usize) {
    let deployments = cluster
        .objects("apps/v1", "Deployment", SYSTEM)
        .await
        .expect("deployments");
    let scale = Patch::Merge(json!({"spec": {"replicas": count}}));
    deployments
        .patch_scale("rowlock-operator", &PatchParams::default(), &scale)
        .await
        .expect("it scales");
    let what = format!("{count} operators");
    let there = until(START, &what, || async {
        let pods = cluster
            .list("v1", "Pod", SYSTEM, OPERATOR)
            .await
            .map_err(|error| error.to_string())?;
        let ready = pods.iter().filter(|pod| {
            let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            conditions
                .clone()
                .any(|one| one["type"] == "Ready" && one["status"] == "True")
        });
        let (ready, all) = (ready.count(), pods.len());
        if all == count && (ready == count || count == 0) {
            Ok(())
        } else {
            Err(format!("{ready} of {all}"))
        }
    });
    there.await.unwrap_or_else(|error| panic!("{error}"));
}

/// A bookshop, with one operator: a story before that failed may have left none.
async fn alone(name: &str, pods: usize) -> Shop {
    let cluster = Cluster::connect().await.expect("needs a cluster: e2e/run");
    operators(&cluster, 1).await;
    Shop::open(name, pods).await
}

/// Whether the node is the stories' own.
fn has_node() -> bool {
    std::env::var_os("ROWLOCK_E2E_NODE").is_some()
}

/// Runs `e2e/cluster/cluster …` on the cluster of the stories; false where it is somebody else's.
async fn on_the_node(arguments: &[&str]) -> bool {
    let Ok(command) = std::env::var("ROWLOCK_E2E_NODE") else {
        return false;
    };
    let mut words = command.split(' ');
    let done = Command::new(words.next().expect("a command"))
        .args(words)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .await
        .expect("it runs");
    assert!(done.success(), "{arguments:?}: {done}");
    true
}

/// The operator is gone for the whole story: what runs goes on, starts again and scales; a namespace can be deleted.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn without_the_operator() {
    let shop = alone("orphan", 1).await;
    let cluster = shop.story.cluster.clone();
    operators(&cluster, 0).await;
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    let engine = shop.engine_now().await;
    let selector = engine["status"]["selector"]
        .as_str()
        .expect("a selector")
        .to_owned();
    let old = shop.has_pods(1).await;
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": old[0].name}});
    shop.story.delete(&pod).await.expect("it is deleted");
    let again = until(START, "a new pod", || async {
        let pods = shop.ready_pods().await;
        if pods.len() == 1 && pods[0].name != old[0].name {
            Ok(pods)
        } else {
            Err(format!("{pods:?}"))
        }
    });
    let (pods, _) = again.await.unwrap_or_else(|error| panic!("{error}"));
    shop.answers(&pods[0].address, &shop.customer(), BOOKS, &books)
        .await;

    let deployments = cluster
        .list("apps/v1", "Deployment", &shop.story.namespace, "")
        .await
        .expect("deployments");
    let name = deployments[0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    let api = cluster
        .objects("apps/v1", "Deployment", &shop.story.namespace)
        .await
        .expect("deployments");
    let scale = Patch::Merge(json!({"spec": {"replicas": 2}}));
    api.patch_scale(&name, &PatchParams::default(), &scale)
        .await
        .expect("it scales");
    for pod in shop.has_pods(2).await {
        shop.answers(&pod.address, &shop.customer(), BOOKS, &books).await;
    }
    assert!(!selector.is_empty());

    // Whoever removes the operator first can still remove the rest.
    let began = Instant::now();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": shop.story.namespace}});
    cluster.delete(&namespace, "").await.expect("it is deleted");
    let gone = until(Duration::from_secs(60), "the namespace is gone", || async {
        match cluster.get(&namespace, "").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
    note(
        "9 operator gone",
        "namespace with engine and objects deleted",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    operators(&cluster, 1).await;
}

/// Of two operators one works; when it is killed, the other takes over.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn the_other_operator_takes_over() {
    let shop = alone("leader", 1).await;
    let cluster = shop.story.cluster.clone();
    operators(&cluster, 2).await;
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "rowlock-operator"}});
    let holder = |lease: Option<Value>| lease.unwrap_or_default()["spec"]["holderIdentity"].clone();
    let leader = holder(cluster.get(&lease, SYSTEM).await.expect("an answer"));
    let leader = leader.as_str().expect("a leader").to_owned();
    let pods = cluster.objects("v1", "Pod", SYSTEM).await.expect("pods");
    let began = Instant::now();
    pods.delete(&leader, &kube::api::DeleteParams::default().grace_period(0))
        .await
        .expect("it is killed");
    // Its container goes on for a moment: what is changed now may still be its work.
    let other = until(START, "the other one holds the lease", || async {
        let found = cluster
            .get(&lease, SYSTEM)
            .await
            .map_err(|error| error.to_string())?;
        match holder(found).as_str() {
            Some(now) if !now.is_empty() && now != leader => Ok(()),
            now => Err(format!("{now:?}")),
        }
    });
    other.await.unwrap_or_else(|error| panic!("{error}"));
    let permission = reading("book", &["id"], json!({"id": {"_eq": 2}}));
    shop.apply(&permission).await;
    shop.ready(&permission).await;
    note(
        "9 leader killed",
        "to a change served by the other",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    operators(&cluster, 1).await;
    shop.close().await;
}

/// The API server is gone: pods serve, and their containers start again and serve from what they kept.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn without_the_api_server() {
    let shop = alone("silent", 2).await;
    let pods = shop.has_pods(2).await;
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    if !on_the_node(&["stop", "kube-apiserver"]).await {
        note(
            "9 API server gone",
            "left out",
            "the cluster is not of e2e/cluster",
        );
        return;
    }
    for pod in &pods {
        shop.answers(&pod.address, &shop.customer(), BOOKS, &books).await;
    }
    // All processes of that name on the node, which are those of this cluster alone.
    on_the_node(&["run", "pkill", "-KILL", "-x", "rowlock"]).await;
    let began = Instant::now();
    for pod in &pods {
        shop.answers(&pod.address, &shop.customer(), BOOKS, &books).await;
    }
    note(
        "9 API server gone",
        "containers killed to served by 2 of 2",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    on_the_node(&["start", "kube-apiserver"]).await;
    let permission = reading("book", &["id"], json!({"id": {"_eq": 2}}));
    let applied = until(START, "the API server takes changes again", || async {
        shop.story
            .apply(&permission)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    });
    applied.await.unwrap_or_else(|error| panic!("{error}"));
    let back = Instant::now();
    shop.ready(&permission).await;
    note(
        "9 API server gone",
        "a change it takes again to served by 2 of 2",
        &format!("{} ms", back.elapsed().as_millis()),
    );
    let book = json!({"data": {"book": [{"id": 2}]}});
    // What is Ready is served by every pod, whatever the API server knows of restarts.
    let ready = Instant::now();
    for pod in &pods {
        shop.answers(&pod.address, &shop.customer(), BOOKS, &book).await;
    }
    note(
        "9 API server gone",
        "a change after it is back: Ready to answered by 2 of 2",
        &format!("{} ms", ready.elapsed().as_millis()),
    );
    // The kubelet tells of restarts when it finds the API server again.
    let restarted = until(START, "the restarts of 2 pods are known", || async {
        let pods = shop.ready_pods().await;
        if pods.len() == 2 && pods.iter().all(|pod| pod.restarts >= 1) {
            Ok(pods)
        } else {
            Err(format!("{pods:?}"))
        }
    });
    restarted.await.unwrap_or_else(|error| panic!("{error}"));
    shop.close().await;
}

/// The chart as `e2e/run` installed it.
async fn install_chart() {
    let values = std::env::var("ROWLOCK_E2E_CHART_VALUES").expect("e2e/run");
    let install = [
        "upgrade",
        "--install",
        "rowlock",
        "charts/rowlock",
        "--create-namespace",
    ];
    helm(&[install.as_slice(), &["--set", &values]].concat()).await;
}

/// The chart is upgraded over live objects, uninstalled, and installed again: nothing is stuck, kinds and objects stay, and
/// what comes back takes over what it finds.
#[tokio::test]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn the_chart_goes_and_comes_back() {
    let shop = alone("chart", 1).await;
    let cluster = shop.story.cluster.clone();
    let books = json!({"data": {"book": [{"id": 1}, {"id": 2}]}});
    let address = shop.address().await;
    let whole = shop.generation().await;
    helm(&[
        "upgrade",
        "rowlock",
        "charts/rowlock",
        "--reuse-values",
        "--set",
        "podLabels.again=yes",
    ])
    .await;
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;
    let pods = shop.has_pods(1).await;
    let began = Instant::now();
    helm(&["uninstall", "rowlock"]).await;
    note(
        "1 chart",
        "uninstalled with live objects",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;
    let kept = shop.story.get(&shop.engine()).await.expect("the kinds stay");
    assert!(
        kept.is_some_and(|engine| engine["metadata"].get("deletionTimestamp").is_none()),
        "objects stay"
    );
    // Helm waits for what it made itself; pods are deleted by others.
    let gone = until(START, "the operator is gone", || async {
        let pods = cluster
            .list("v1", "Pod", SYSTEM, OPERATOR)
            .await
            .map_err(|error| error.to_string())?;
        let goes = |pod: &Value| pod["metadata"].get("deletionTimestamp").is_some();
        if pods.iter().all(goes) {
            Ok(())
        } else {
            Err(format!("{} pods", pods.len()))
        }
    });
    gone.await.unwrap_or_else(|error| panic!("{error}"));
    // An object can be deleted without an operator.
    let permission = shop.objects().pop().expect("the last");
    shop.story.delete(&permission).await.expect("it is deleted");
    shop.gone(&permission).await;
    shop.answers(&address, &shop.customer(), BOOKS, &books).await;

    // Definitions of an earlier version, which did not have a field yet.
    let patch = r#"[{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/comment"}]"#;
    kubectl(
        &shop,
        &["patch", "crd", "tables.rowlock.dev", "--type=json", "-p", patch],
    )
    .await;
    let author = shop
        .objects()
        .into_iter()
        .find(|one| one["kind"] == "Table")
        .expect("a table");
    let mut with_comment = author.clone();
    with_comment["spec"]["comment"] = "who wrote it".into();
    let unknown = shop
        .story
        .apply(&with_comment)
        .await
        .expect_err("a field that is not there yet");
    assert!(unknown.to_string().contains("comment"), "{unknown}");

    let began = Instant::now();
    install_chart().await;
    // The chart brings the new ones, over objects that were made under the old.
    shop.apply(&with_comment).await;
    shop.ready(&with_comment).await;
    shop.apply(&author).await;
    let refused = until(START, "what was deleted meanwhile is not served", || async {
        let answer = shop.ask(BOOKS).await;
        if answer.body["errors"].is_array() {
            Ok(())
        } else {
            Err(answer.body.to_string())
        }
    });
    refused.await.unwrap_or_else(|error| panic!("{error}"));
    shop.apply(&permission).await;
    shop.ready(&permission).await;
    note(
        "1 chart",
        "installed again over live objects, to a change served",
        &format!("{} ms", began.elapsed().as_millis()),
    );
    assert_eq!(shop.generation().await, whole);
    assert_eq!(shop.has_pods(1).await, pods, "no pod was replaced");
    shop.close().await;
}

async fn helm(arguments: &[&str]) {
    helm_in(SYSTEM, arguments).await;
}

async fn helm_in(namespace: &str, arguments: &[&str]) {
    let done = Command::new("helm")
        .args(arguments)
        .args(["--namespace", namespace, "--wait", "--timeout", "120s"])
        .current_dir(e2e::cluster::repository())
        .output()
        .await
        .expect("helm");
    assert!(
        done.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
}
