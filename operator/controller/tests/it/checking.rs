//! Which pods are asked before something is published.

use std::net::IpAddr;

use serde_json::json;

use crate::stand_in::{Cluster, condition_of, key};

/// Two pods at addresses of their own, and a database that no pod knows beside the one that they serve.
fn two_pods(cluster: &Cluster, first: IpAddr, second: IpAddr) {
    cluster.engine("shop");
    let broken = json!({"name": "broken", "connection": {"url": "postgres://nobody/y"}});
    cluster.apply("Source", "shop", "broken", &broken);
    cluster.pod_at("shop", "e-1", true, first);
    cluster.pod_at("shop", "e-2", true, second);
}

/// Refuses permission `p` from now on, and makes it.
fn refuse_permission(cluster: &Cluster) {
    cluster.until("the rest is served by both", |state| {
        condition_of(state, &key("Table", "shop", "t"), "Programmed").starts_with("True")
    });
    cluster.with(|state| {
        state.refused.insert("p".to_owned(), 1);
        state.checked.clear();
    });
    cluster.permission("shop", "p", &["missing"]);
    cluster.until("it is refused", |state| {
        condition_of(state, &key("Permission", "shop", "p"), "Accepted").starts_with("False Refused")
    });
    let published = cluster.with(|state| state.published.clone());
    assert!(
        published.iter().all(|set| !set.contains_key("p")),
        "{published:?}"
    );
}

/// A database that nobody knows makes what a pod says of others no less worth.
#[test]
fn who_knows_more_is_believed_though_nobody_knows_all() {
    let cluster = Cluster::start();
    let (stranger, other) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    cluster.with(|state| state.stranger = Some(stranger));
    two_pods(&cluster, stranger, other);
    let _operator = cluster.operator(&[]);
    refuse_permission(&cluster);
}

/// Asking takes time: for a database that nobody knows one pod is enough.
#[test]
fn for_what_nobody_knows_no_other_pod_is_asked() {
    let cluster = Cluster::start();
    let (first, second) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    two_pods(&cluster, first, second);
    let _operator = cluster.operator(&[]);
    refuse_permission(&cluster);
    let checked = cluster.with(|state| state.checked.clone());
    assert!(
        !checked.is_empty() && checked.iter().all(|pod| *pod == first),
        "{checked:?}"
    );
}
