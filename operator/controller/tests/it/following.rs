//! What pods say that they serve, and of which objects that is made.

use crate::stand_in::{Cluster, Operator, State, condition_of, key};
use crate::story::generation;

/// Whether pods serve what is published of table `t`.
pub(crate) fn is_served(state: &State) -> bool {
    condition_of(state, &key("Table", "shop", "t"), "Programmed").starts_with("True")
}

/// An engine with one pod that serves what the operator published.
pub(crate) fn served() -> (Cluster, Operator) {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let operator = cluster.operator(&[]);
    cluster.until("what is published is served", |state| is_served(state));
    (cluster, operator)
}

/// An operator that begins does not know the objects of the sets that pods serve.
#[test]
fn a_table_that_could_not_be_had_is_asked_for_again() {
    let (cluster, operator) = served();
    drop(operator);
    cluster.with(|state| {
        state.tables_asked = 0;
        state.tables_to_fail = 3;
    });
    let _next = cluster.operator(&[]);
    cluster.until("the pod gives the table at last", |state| state.tables_asked > 3);
    cluster.until("it is served", |state| is_served(state));
    cluster.rest();
    assert!(cluster.with(|state| is_served(state)));
}

/// A table that a pod gives may be of a later set than the one that it, or another pod, reported.
#[test]
fn a_table_of_a_later_set_says_nothing_of_an_earlier_one() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let second = [127, 0, 0, 2].into();
    cluster.pod_at("shop", "e-2", true, second);
    let operator = cluster.operator(&[]);
    cluster.until("it is served", |state| is_served(state));
    cluster.with(|state| {
        state.lagging = state.set("shop", "e").map(|(index, _)| (second, index));
        let table = key("Table", "shop", "t");
        let mut object = state.objects[&table].clone();
        object["spec"]["comment"] = "changed".into();
        state.put(&table, object);
    });
    cluster.until("the change is published", |state| {
        generation(state, "t") == Some(2)
    });
    let waits = || {
        let said = cluster.condition("Table", "shop", "t", "Programmed");
        assert!(said.starts_with("False") && said.contains("e-2"), "{said}");
    };
    cluster.until("the first pod has it", |state| !is_served(state));
    cluster.rest();
    waits();

    // The next operator does not know the set of the second pod, and is given the table of the present one for it.
    drop(operator);
    cluster.with(|state| state.tables_asked = 0);
    let _next = cluster.operator(&[]);
    cluster.until("tables were asked for", |state| state.tables_asked > 1);
    cluster.rest();
    waits();
    cluster.with(|state| state.lagging = None);
    cluster.until("the second pod has it too", |state| is_served(state));
}
