//! Which of two operators writes, and when.

use crate::stand_in::{Cluster, Operator, State, condition_of, key};
use crate::story::generation;

/// Changes table `t`.
fn change(state: &mut State) {
    let table = key("Table", "shop", "t");
    let mut object = state.objects[&table].clone();
    object["spec"]["isEnum"] = (object["spec"]["isEnum"] != true).into();
    state.put(&table, object);
}

/// One operator that leads, and one that waits.
fn leader_and_other(cluster: &Cluster) -> (Operator, Operator) {
    cluster.engine("shop");
    let leader = cluster.operator_named("a", &[]);
    cluster.until("it is published", |state| state.set("shop", "e").is_some());
    let other = cluster.operator_named("b", &[]);
    cluster.until("the other one waits", |state| {
        state.looks.get("b").is_some_and(|looks| *looks > 1)
    });
    (leader, other)
}

/// A leader that cannot renew its lease writes nothing any more when another one begins.
#[test]
fn a_leader_that_cannot_renew_stops_before_another_begins() {
    let cluster = Cluster::start();
    let (_leader, _other) = leader_and_other(&cluster);
    cluster.with(|state| {
        state.hindered = Some("a".to_owned());
        state.writes.clear();
    });
    cluster.until("the other one writes", |state| {
        change(state);
        state
            .writes
            .iter()
            .filter(|(operator, _)| operator == "b")
            .count()
            > 20
    });
    let writes = cluster.with(|state| state.writes.clone());
    let first = writes.iter().position(|(operator, _)| operator == "b");
    let (before, after) = writes.split_at(first.expect("it writes"));
    assert!(after.iter().all(|(operator, _)| operator == "b"), "{after:?}");
    assert!(before.iter().all(|(operator, _)| operator == "a"), "{before:?}");
}

/// A status that was being written when the lease was lost is written when it is there again.
#[test]
fn a_status_that_was_being_written_when_the_lease_was_lost() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let path = "/tables/t/status";
    cluster.with(|state| state.held = Some(path.to_owned()));
    let _operator = cluster.operator(&[]);
    cluster.until("it is being written", |state| {
        state.requests.iter().any(|(_, asked)| asked.ends_with(path))
    });
    let looks = cluster.with(|state| {
        state.hindered = Some("a".to_owned());
        state.looks["a"]
    });
    // One every 750 ms at most: the lease is over after three.
    cluster.until("the lease is lost", |state| state.looks["a"] > looks + 6);
    cluster.with(|state| {
        state.held = None;
        state.hindered = None;
    });
    let table = key("Table", "shop", "t");
    cluster.until("it is written", |state| {
        !condition_of(state, &table, "Accepted").is_empty()
    });
}

/// One that was stopped, and wakes up when another leads, writes nothing of what it learns then.
#[test]
fn a_leader_that_wakes_up_late_writes_nothing() {
    let cluster = Cluster::start();
    let (leader, _other) = leader_and_other(&cluster);
    let paused = leader.pause();
    cluster.with(|state| state.writes.clear());
    cluster.table("shop", "more");
    cluster.until("the other one leads", |state| {
        generation(state, "more") == Some(1)
    });
    let looks = cluster.with(|state| state.looks["a"]);
    drop(paused);
    cluster.until("it waits", |state| {
        change(state);
        state.looks["a"] > looks + 3
    });
    let writes = cluster.with(|state| state.writes.clone());
    assert!(writes.iter().all(|(operator, _)| operator == "b"), "{writes:?}");
}
