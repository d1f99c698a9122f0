//! Writes that fail, again and again or for good.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::following::{is_served, served};
use crate::stand_in::{Cluster, State, condition_of, key};
use crate::story::generation;

/// How long after the try before it the last one was.
fn pause(state: &State) -> Duration {
    match state.tries.as_slice() {
        [.., before, last] => last.duration_since(*before),
        _ => Duration::ZERO,
    }
}

fn until_served(cluster: &Cluster) {
    cluster.until("what is published is served", |state| is_served(state));
}

fn counter(state: &State) -> u64 {
    state.set("shop", "e").map_or(0, |(index, _)| index.counter)
}

fn change_table(cluster: &Cluster, comment: &str) {
    let table = key("Table", "shop", "t");
    cluster.with(|state| {
        let mut object = state.objects[&table].clone();
        object["spec"]["comment"] = comment.into();
        state.put(&table, object);
    });
}

/// An API server that cannot write something now is asked less and less often, and nothing else waits for that.
#[test]
fn a_set_that_cannot_be_written_now_is_tried_less_and_less_often() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.engine("other");
    cluster.with(|state| {
        state.failing = Some(("/namespaces/shop/configmaps/e-metadata".to_owned(), 500));
    });
    let _operator = cluster.operator(&[]);
    cluster.until("the other engine's set is written", |state| {
        state.set("other", "e").is_some()
    });
    let engine = key("Engine", "shop", "e");
    cluster.until("the Engine tells", |state| {
        condition_of(state, &engine, "Ready").starts_with("False")
            && condition_of(state, &engine, "Ready").contains("this write fails")
    });
    cluster.until("tries are two seconds apart", |state| {
        pause(state) >= Duration::from_secs(2)
    });
    let tries = cluster.with(|state| state.tries.len());
    assert!(tries <= 12, "{tries} tries");
    cluster.with(|state| state.failing = None);
    cluster.until("it is written when that is possible", |state| {
        generation(state, "t") == Some(1)
    });
    cluster.until("that is told", |state| {
        !condition_of(state, &engine, "Ready").contains("this write fails")
    });
}

/// However often something changes while nothing can be written, it is written soon after that is over.
#[test]
fn changes_meanwhile_do_not_make_it_wait_longer() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.with(|state| {
        state.failing = Some(("/namespaces/shop/configmaps/e-metadata".to_owned(), 500));
    });
    let _operator = cluster.operator(&[]);
    cluster.until("it is tried", |state| !state.tries.is_empty());
    for change in 0..8 {
        let tries = cluster.with(|state| state.tries.len());
        change_table(&cluster, &format!("change {change}"));
        cluster.until("it is tried again", |state| state.tries.len() > tries);
    }
    cluster.with(|state| state.failing = None);
    let over = Instant::now();
    cluster.until("it is written", |state| generation(state, "t") == Some(9));
    // Half a minute where each change makes it wait twice as long.
    assert!(over.elapsed() < Duration::from_secs(20), "{:?}", over.elapsed());
}

/// What the API server will never take is tried again when it is another.
#[test]
fn a_set_that_is_refused_is_not_tried_again_as_it_is() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.with(|state| {
        state.failing = Some(("/namespaces/shop/configmaps/e-metadata".to_owned(), 422));
    });
    let _operator = cluster.operator(&[]);
    let engine = key("Engine", "shop", "e");
    cluster.until("the Engine tells", |state| {
        condition_of(state, &engine, "Ready").contains("this write fails")
    });
    cluster.rest();
    let tries = cluster.with(|state| state.tries.len());
    cluster.rest();
    assert_eq!(cluster.with(|state| state.tries.len()), tries);
    change_table(&cluster, "another");
    cluster.until("another one is tried", |state| state.tries.len() > tries);
    cluster.with(|state| state.failing = None);
    change_table(&cluster, "one more");
    cluster.until("one that is taken is there", |state| {
        generation(state, "t") == Some(3)
    });
}

/// A status that cannot be written holds up no other, and comes when it can be.
#[test]
fn a_status_that_cannot_be_written_now_is_tried_less_and_less_often() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.table("shop", "u");
    cluster.with(|state| state.failing = Some(("/tables/t/status".to_owned(), 503)));
    let _operator = cluster.operator(&[]);
    let (table, other) = (key("Table", "shop", "t"), key("Table", "shop", "u"));
    cluster.until("the other one is written", |state| {
        condition_of(state, &other, "Accepted").starts_with("True")
    });
    cluster.until("tries are two seconds apart", |state| {
        pause(state) >= Duration::from_secs(2)
    });
    let tries = cluster.with(|state| state.tries.len());
    assert!(tries <= 12, "{tries} tries");
    assert_eq!(cluster.with(|state| condition_of(state, &table, "Accepted")), "");
    cluster.with(|state| state.failing = None);
    cluster.until("it is written when that is possible", |state| {
        condition_of(state, &table, "Accepted").starts_with("True")
    });
}

/// A change whose first step fails is not forgotten when something else is done before the next try.
#[test]
fn a_change_that_could_not_be_taken_is_taken_with_whatever_comes_next() {
    let (cluster, _operator) = served();
    cluster.rest();
    cluster.with(|state| {
        state.failing = Some(("/secrets/e-secrets".to_owned(), 500));
        let secret = json!({"data": {"admin": "bmV4dA=="}});
        state.put(&key("Secret", "shop", "keys"), secret);
    });
    cluster.until("tries are two seconds apart", |state| {
        pause(state) >= Duration::from_secs(2)
    });
    cluster.with(|state| state.failing = None);
    let over = Instant::now();
    // The next try is seconds away.
    cluster.pod("shop", "e-1", false);
    cluster.until("pods get the other value", |state| {
        let values = &state.objects[&key("Secret", "shop", "e-secrets")]["data"];
        values.to_string().contains("bmV4dA==")
    });
    // Sooner or later something else writes what is there.
    assert!(over.elapsed() < Duration::from_secs(10), "{:?}", over.elapsed());
}

/// A write whose answer is lost may have been done, and pods have what it wrote: they would never take what was before.
#[test]
fn what_was_there_before_a_lost_write_comes_back_as_a_later_set() {
    let (cluster, _operator) = served();
    cluster.with(|state| state.unanswered = Some("/configmaps/e-metadata".to_owned()));
    cluster.table("shop", "u");
    cluster.until("tries are two seconds apart", |state| {
        pause(state) >= Duration::from_secs(2)
    });
    let lost = cluster.with(|state| {
        assert_eq!(generation(state, "u"), Some(1));
        state.unanswered = None;
        state.remove(&key("Table", "shop", "u"));
        counter(state)
    });
    cluster.until("it is gone", |state| generation(state, "u").is_none());
    assert!(cluster.with(|state| counter(state)) > lost);
}

/// A cluster that was put back to some time ago, with pods that went on.
#[test]
fn pods_that_are_ahead_of_what_is_published_get_it_as_a_later_set() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    for ahead in [1_000, 2_000] {
        let _operator = cluster.operator(&[]);
        until_served(&cluster);
        let ahead = cluster.with(|state| {
            let ahead = counter(state) + ahead;
            state.ahead = Some(ahead);
            ahead
        });
        cluster.until("a later set is published", |state| counter(state) > ahead);
        until_served(&cluster);
        // Somebody else who publishes for these pods is not overtaken again and again.
        let before = cluster.with(|state| {
            state.ahead = Some(counter(state) + 500);
            counter(state)
        });
        cluster.rest();
        assert_eq!(cluster.with(|state| counter(state)), before);
        cluster.with(|state| state.ahead = None);
    }
}
