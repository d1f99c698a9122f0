//! Pods come and go while people ask.

use std::time::Duration;

use e2e::figure::note;
use serde_json::{Value, json};

use crate::load::Load;
use crate::shop::{START, Shop};

const AUTHORS: &str = "query { author(order_by: {id: asc}) { id } }";
/// People with a connection of their own: that all are led to one pod of two happens once in more than a hundred times.
const PEOPLE: usize = 8;
/// How often each of them asks.
const EVERY: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a cluster with a node: e2e/run"]
async fn new_pods_take_over_without_a_failed_request() {
    let shop = Shop::open("rollout", 2).await;
    let before = shop.has_pods(2).await;
    let body = json!({"data": {"author": [{"id": 1}, {"id": 2}]}});
    let address = shop.address().await;
    let bodies = [body];
    let load = Load::start(3, &shop.customer(), &address, AUTHORS, &bodies);
    // Each of these keeps a connection of its own, so that some lead to either pod: a connection stays with a pod that the
    // Service does not lead to any more, until the pod ends it.
    let kept = vec![address.clone(); PEOPLE];
    let kept = Load::paced(&kept, EVERY, &shop.customer(), AUTHORS, &bodies);
    let mut engine = shop.engine();
    // Another image; where the node does not have one, a setting that pods take at their start rolls them likewise.
    let next = std::env::var("ROWLOCK_E2E_GUIDE").ok();
    let next = next.and_then(|images| images.split(' ').next_back().map(str::to_owned));
    match &next {
        Some(image) => engine["spec"]["image"] = image.as_str().into(),
        None => engine["spec"]["stringifyNumericTypes"] = json!(true),
    }
    shop.apply(&engine).await;
    let replaced = e2e::wait::until(START, "every pod is a new one", || async {
        let now = shop.ready_pods().await;
        let new = now
            .iter()
            .filter(|pod| !before.iter().any(|old| old.name == pod.name))
            .count();
        if new == 2 && now.len() == 2 {
            Ok(())
        } else {
            Err(format!("{now:?}"))
        }
    });
    let (_, took) = replaced.await.unwrap_or_else(|error| panic!("{error}"));
    // A pod is told to stop when it has been out of the Service for some seconds: people ask until the last one is gone.
    let gone = e2e::wait::until(START, "no pod of before is there", || async {
        let listed = shop.listed_pods(&engine).await;
        let left: Vec<String> = listed
            .iter()
            .map(|pod| pod["metadata"]["name"].as_str().unwrap_or_default().to_owned())
            .filter(|name| before.iter().any(|old| old.name == *name))
            .collect();
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
    let (_, ended) = gone.await.unwrap_or_else(|error| panic!("{error}"));
    let (load, kept) = (load.end().await, kept.end().await);
    note(
        "10 rolling upgrade",
        "2 pods replaced",
        &format!("{} ms", took.as_millis()),
    );
    note(
        "10 rolling upgrade",
        "failed requests",
        &format!("0 of {}", load.latencies.len() + kept.latencies.len()),
    );
    note(
        "10 rolling upgrade",
        "from then to the end of the last pod of before, under load",
        &format!("{} ms", ended.as_millis()),
    );
    shop.ready(&engine).await;
    if let Some(image) = next {
        let pods = shop.listed_pods(&engine).await;
        let runs = |pod: &Value| pod["spec"]["containers"][0]["image"] == image.as_str();
        assert!(
            pods.iter().filter(|pod| runs(pod)).count() == 2,
            "{image}: {pods:?}"
        );
    }

    // An autoscaler reads and writes the scale subresource, also of an Engine that says nothing of a number.
    engine["spec"].as_object_mut().expect("a spec").remove("replicas");
    shop.apply(&engine).await;
    let engines = shop
        .story
        .cluster
        .objects(crd::API_VERSION, "Engine", &shop.story.namespace)
        .await
        .expect("engines");
    let scale = engines.get_scale("shop").await.expect("it has a scale");
    assert!(scale.spec.and_then(|spec| spec.replicas).is_some());
    let autoscaler = json!({
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": crd::API_VERSION, "kind": "Engine", "name": "shop"},
            "minReplicas": 3, "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}],
        },
    });
    shop.apply(&autoscaler).await;
    shop.has_pods(3).await;
    shop.close().await;
}
