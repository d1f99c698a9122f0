//! An engine whose pods are replaced.

use serde_json::json;

use crate::stand_in::{Cluster, Key, State, condition_of, key};

/// The Deployment of the engine.
pub fn deployment() -> Key {
    let [collection, namespace, name] = ["/apis/apps/v1/deployments", "shop", "e"].map(str::to_owned);
    (collection, namespace, name)
}

/// The Deployment is as it should be, in the words of its controller.
pub fn roll_out(state: &mut State, deployment: &Key) {
    let mut object = state.objects[deployment].clone();
    object["status"] = json!({
        "observedGeneration": object["metadata"]["generation"], "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1,
        "availableReplicas": 1,
    });
    state.put(deployment, object);
}

/// What the watch has not told yet is known nevertheless: who wrote another Deployment does not take the status of the one
/// before for its own.
#[test]
fn an_engine_is_not_ready_before_its_new_pods_are() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let _operator = cluster.operator(&[]);
    let deployment = deployment();
    let engine = key("Engine", "shop", "e");
    cluster.until("the Deployment", |state| state.objects.contains_key(&deployment));
    cluster.with(|state| roll_out(state, &deployment));
    cluster.until("it is ready", |state| {
        condition_of(state, &engine, "Ready").starts_with("True")
    });

    cluster.with(|state| {
        state.withheld = Some("deployments".to_owned());
        let mut object = state.objects[&engine].clone();
        object["spec"]["image"] = "registry.example.org/rowlock:gone".into();
        state.put(&engine, object);
    });
    cluster.until("other pods are asked for", |state| {
        state.objects[&deployment]["spec"]
            .to_string()
            .contains("rowlock:gone")
    });
    cluster.until("the Engine tells", |state| {
        state.objects[&engine]["status"]["observedGeneration"]
            == state.objects[&engine]["metadata"]["generation"]
    });
    cluster.rest();
    let said = cluster.condition("Engine", "shop", "e", "Ready");
    assert!(!said.starts_with("True"), "{said}");

    cluster.with(|state| {
        roll_out(state, &deployment);
        state.withheld = None;
    });
    cluster.until("it is ready again", |state| {
        condition_of(state, &engine, "Ready").starts_with("True")
    });
}
