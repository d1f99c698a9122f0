//! What the engine's Secret holds for pods.

use serde_json::json;

use crate::stand_in::{Cluster, Key, State, condition_of, key};
use crate::story::generation;

/// A Source with an address of 600 KiB from a Secret: two of them do not fit.
fn large(cluster: &Cluster, name: &str) -> Key {
    let secret = json!({"data": {"url": "QUFB".repeat(200 << 10)}});
    let url = json!({"urlFrom": {"secretKeyRef": {"name": name, "key": "url"}}});
    cluster.with(|state| state.put(&key("Secret", "shop", name), secret));
    cluster.apply("Source", "shop", name, &json!({"name": name, "connection": url}));
    key("Source", "shop", name)
}

/// The size of the engine's Secret.
fn size(state: &State) -> usize {
    let values = &state.objects[&key("Secret", "shop", "e-secrets")]["data"];
    values.to_string().len()
}

/// A pod may serve what was published before the last set, whoever published that.
#[test]
fn what_a_lagging_pod_needs_outlives_the_operator() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let one = large(&cluster, "one");
    let operator = cluster.operator(&[]);
    cluster.until("the first is served", |state| {
        condition_of(state, &one, "Programmed").starts_with("True")
    });
    // Nobody knows what the pod serves from now on.
    cluster.with(|state| state.mute = true);
    cluster.until("it is silent", |state| state.silences > 0);
    cluster.with(|state| state.remove(&one));
    cluster.until("a set without it is published", |state| {
        generation(state, "t").is_some() && generation(state, "one").is_none()
    });
    drop(operator);
    let full = 600 << 10;
    cluster.with(|state| assert!(size(state) > full, "the pod may still need it"));

    let other = large(&cluster, "other");
    let _next = cluster.operator(&[]);
    cluster.until("there is no room for another one", |state| {
        condition_of(state, &other, "Accepted").starts_with("False RefNotResolved")
    });
    cluster.with(|state| {
        assert_eq!(generation(state, "other"), None);
        assert!(size(state) > full, "the pod may still need it");
        state.mute = false;
    });
    cluster.until(
        "the pod serves what is published: the other one takes its place",
        |state| generation(state, "other") == Some(1),
    );
}
