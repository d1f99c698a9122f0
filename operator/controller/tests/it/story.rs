//! The whole operator against a stand-in for a cluster.

use serde_json::json;

use crate::stand_in::{Cluster, State, condition_of, key};

pub(crate) fn generation(state: &State, name: &str) -> Option<i64> {
    state.generations("shop", "e").get(name).copied()
}

/// A pod that cannot be asked is no consent: the last form goes on whoever changes what, also by the next operator.
#[test]
fn what_was_refused_stays_out_while_nobody_can_be_asked() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.permission("shop", "p", &["a"]);
    cluster.permission("shop", "q", &["a"]);
    cluster.pod("shop", "e-1", true);
    let operator = cluster.operator(&[]);
    cluster.until("the first forms are published", |state| {
        generation(state, "p") == Some(1) && generation(state, "q") == Some(1)
    });

    cluster.with(|state| state.refused.insert("p".to_owned(), 2));
    cluster.permission("shop", "p", &["a", "missing"]);
    let p = key("Permission", "shop", "p");
    cluster.until("the second form is refused", |state| {
        condition_of(state, &p, "Accepted").starts_with("False Refused: spec.select.columns: no such column")
    });
    assert_eq!(cluster.with(|state| generation(state, "p")), Some(1));

    // Nobody is ready, and nobody answers.
    cluster.with(|state| state.mute = true);
    cluster.pod("shop", "e-1", false);
    cluster.permission("shop", "q", &["b"]);
    cluster.until("another object is published", |state| {
        generation(state, "q") == Some(2)
    });
    assert_eq!(cluster.with(|state| generation(state, "p")), Some(1));

    drop(operator);
    let _next = cluster.operator(&[]);
    cluster.permission("shop", "q", &["c"]);
    cluster.until("the next operator works", |state| {
        generation(state, "q") == Some(3)
    });
    assert_eq!(cluster.with(|state| generation(state, "p")), Some(1));
    assert!(
        cluster
            .condition("Permission", "shop", "p", "Accepted")
            .starts_with("False Refused: spec.select.columns: no such")
    );

    // Somebody added the column, and the pod is back.
    cluster.with(|state| {
        state.refused.clear();
        state.mute = false;
    });
    cluster.pod("shop", "e-1", true);
    cluster.until("a pod has nothing against it any more", |state| {
        generation(state, "p") == Some(2)
    });
    let others: Vec<Option<i64>> = cluster.with(|state| {
        let all = state
            .published
            .iter()
            .map(|published| published.get("p").copied());
        all.collect()
    });
    assert!(others.is_sorted(), "{others:?}");
}

/// What a pod refused it may take later without anything that the operator sees, and behind a form that is served on.
#[test]
fn what_was_refused_is_asked_again() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.permission("shop", "p", &["a"]);
    cluster.pod("shop", "e-1", true);
    let _operator = cluster.operator(&[]);
    cluster.until("the first form is published", |state| {
        generation(state, "p") == Some(1)
    });
    cluster.with(|state| {
        state.refused.insert("p".to_owned(), 2);
        state.refused.insert("t".to_owned(), 2);
    });
    cluster.permission("shop", "p", &["a", "missing"]);
    let refused = |state: &State, kind: &str, name: &str| {
        condition_of(state, &key(kind, "shop", name), "Accepted").starts_with("False Refused")
    };
    cluster.until("the second form is refused", |state| {
        refused(state, "Permission", "p")
    });
    let spec = json!({"sourceRef": {"name": "s"}, "table": {"name": "t"}, "isEnum": true});
    cluster.apply("Table", "shop", "t", &spec);
    cluster.until("its table is refused too", |state| refused(state, "Table", "t"));
    cluster.with(|state| state.refused.remove("p"));
    cluster.until("it is taken", |state| generation(state, "p") == Some(2));
    assert_eq!(cluster.with(|state| generation(state, "t")), Some(1));
}

/// A pod that does not know the database yet has nothing to say of it; another one may.
#[test]
fn a_pod_that_knows_the_database_is_asked() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let stranger = [127, 0, 0, 1].into();
    cluster.with(|state| {
        state.stranger = Some(stranger);
        state.refused.insert("p".to_owned(), 1);
    });
    cluster.pod_at("shop", "e-1", true, stranger);
    cluster.pod_at("shop", "e-2", true, [127, 0, 0, 2].into());
    let _operator = cluster.operator(&[]);
    cluster.until("the rest is served by both", |state| {
        condition_of(state, &key("Table", "shop", "t"), "Programmed").starts_with("True")
    });
    cluster.permission("shop", "p", &["missing"]);
    let p = key("Permission", "shop", "p");
    cluster.until("it is refused", |state| {
        condition_of(state, &p, "Accepted").starts_with("False Refused")
    });
    let published = cluster.with(|state| state.published.clone());
    assert!(
        published.iter().all(|set| !set.contains_key("p")),
        "{published:?}"
    );
}

/// What there was no room for is taken as soon as pods need the values no more that took it.
#[test]
fn what_did_not_fit_is_taken_when_there_is_room() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let source = |name: &str| {
        let secret = json!({"data": {"url": "QUFB".repeat(200 << 10)}});
        cluster.with(|state| state.put(&key("Secret", "shop", name), secret));
        let url = json!({"urlFrom": {"secretKeyRef": {"name": name, "key": "url"}}});
        json!({"apiVersion": crd::API_VERSION, "kind": "Source", "metadata": {}, "spec": {"name": name, "connection": url}})
    };
    let (one, other) = (source("one"), source("other"));
    cluster.with(|state| state.put(&key("Source", "shop", "one"), one));
    let _operator = cluster.operator(&[]);
    cluster.until("the first is served", |state| {
        condition_of(state, &key("Source", "shop", "one"), "Programmed").starts_with("True")
    });
    cluster.with(|state| {
        state.remove(&key("Source", "shop", "one"));
        state.put(&key("Source", "shop", "other"), other);
    });
    cluster.until("the other takes its place", |state| {
        generation(state, "other") == Some(1)
    });
}

/// Of two whose names clash only the younger is refused, whichever came first to this operator, and it takes over when the older
/// goes.
#[test]
fn a_clash_costs_only_the_younger() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    cluster.with(|state| state.clash = vec!["z-old".to_owned(), "a-new".to_owned()]);
    let table = |name: &str, on_invalid: &str, day: u8| {
        let spec = json!({"sourceRef": {"name": "s"}, "table": {"name": name}, "onInvalid": on_invalid});
        let table = json!({
            "apiVersion": crd::API_VERSION, "kind": "Table",
            "metadata": {"creationTimestamp": format!("2026-02-{day:02}T00:00:00Z")}, "spec": spec,
        });
        cluster.with(|state| state.put(&key("Table", "shop", name), table));
    };
    // Both are new to the operator, and nothing was published.
    table("a-new", "KeepLast", 2);
    table("z-old", "Remove", 1);
    let _operator = cluster.operator(&[]);
    let accepted = |state: &State, name: &str| condition_of(state, &key("Table", "shop", name), "Accepted");
    let is_settled = |state: &State, good: &str, bad: &str| {
        accepted(state, good).starts_with("True") && accepted(state, bad).starts_with("False Refused")
    };
    cluster.until("the younger is refused", |state| {
        is_settled(state, "z-old", "a-new")
    });
    cluster.until("the older is published", |state| {
        generation(state, "z-old").is_some() && generation(state, "a-new").is_none()
    });
    // Another change behind it judges all anew.
    table("other", "KeepLast", 3);
    cluster.until("another one is published", |state| {
        generation(state, "other").is_some()
    });
    cluster.with(|state| {
        assert!(is_settled(state, "z-old", "a-new"));
        assert_eq!(generation(state, "a-new"), None);
    });
    cluster.with(|state| state.remove(&key("Table", "shop", "z-old")));
    cluster.until("the younger takes over", |state| {
        generation(state, "a-new").is_some() && accepted(state, "a-new").starts_with("True")
    });
}

/// A pod that leaves nothing out has nothing against it; what it says is in the status.
#[test]
fn what_is_served_all_the_same_is_published() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    cluster.with(|state| state.questioned = Some("q".to_owned()));
    let queries = json!([{"name": "one", "query": "{ gone { id } }"}]);
    cluster.apply(
        "QueryCollection",
        "shop",
        "q",
        &json!({"name": "q", "queries": queries}),
    );
    let _operator = cluster.operator(&[]);
    let collection = key("QueryCollection", "shop", "q");
    cluster.until(
        "it is published, and its status tells what does not fit",
        |state| {
            generation(state, "q").is_some()
                && condition_of(state, &collection, "Accepted")
                    .starts_with("False Refused: spec.select.columns: no such")
                && condition_of(state, &collection, "Programmed").starts_with("True Programmed")
        },
    );
}

/// A value that was mended is tried, though no object is another.
#[test]
fn what_was_refused_for_a_value_is_taken_with_another() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let value = |value: &str| {
        let secret = json!({"data": {"url": value}});
        cluster.with(|state| state.put(&key("Secret", "shop", "db"), secret));
    };
    value("YmFk");
    cluster.with(|state| state.refused_while = Some(("u".to_owned(), "YmFk".to_owned())));
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    cluster.apply("Source", "shop", "u", &json!({"name": "u", "connection": url}));
    let _operator = cluster.operator(&[]);
    let source = key("Source", "shop", "u");
    // A pod that has nothing to serve yet may be asked too late.
    cluster.until("it is refused", |state| {
        condition_of(state, &source, "Accepted").starts_with("False Refused")
    });
    assert_eq!(cluster.with(|state| generation(state, "u")), None);
    value("Z29vZA==");
    cluster.until("it is published", |state| generation(state, "u") == Some(1));
}

/// A namespace without rights is told and left alone; the others are worked on, and it catches up.
#[test]
fn a_namespace_that_may_not_be_read_holds_up_no_other() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.engine("stock");
    cluster.with(|state| state.denied.push("stock".to_owned()));
    let _operator = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("the other namespace is worked on", |state| {
        state.set("shop", "e").is_some()
    });
    cluster.with(|state| {
        let written = state
            .requests
            .iter()
            .filter(|(method, path)| method == "PATCH" && path.contains("/stock/"));
        assert_eq!(written.count(), 0);
        state.denied.clear();
    });
    cluster.until("it catches up", |state| state.set("stock", "e").is_some());

    // Taken away while everything runs, its engine says so, as far as it can.
    cluster.with(|state| {
        state.denied.push("stock".to_owned());
        state.requests.clear();
    });
    cluster.table("shop", "more");
    cluster.table("stock", "more");
    cluster.until("the other one goes on", |state| {
        generation(state, "more") == Some(1)
    });
    cluster.until("watches are denied", |state| {
        let kinds = crd::Kind::ALL.len();
        let denied = state.requests.iter().filter(|(_, path)| path.contains("/stock/"));
        denied.count() > kinds
    });
    cluster.with(|state| {
        assert!(!state.generations("stock", "e").contains_key("more"));
        state.denied.clear();
    });
    cluster.until("it catches up again", |state| {
        state.generations("stock", "e").contains_key("more")
    });
}

/// What another operator published of a namespace that this one may not read is not withdrawn, however often it tries.
#[test]
fn what_cannot_be_read_after_a_restart_is_not_withdrawn() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.with(|state| {
        let engine = key("Engine", "shop", "e");
        let mut object = state.objects[&engine].clone();
        object["spec"]["namespaceSelector"] = json!({});
        state.put(&engine, object);
    });
    let far = json!({"name": "far", "connection": {"url": "postgres://x/y"}});
    cluster.apply("Source", "stock", "far", &far);
    let grant = json!({"from": [{"kind": "Engine", "namespace": "shop"}], "to": [{"kind": "Source"}]});
    cluster.apply("ReferenceGrant", "stock", "g", &grant);
    let operator = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("it is published", |state| generation(state, "far") == Some(1));
    drop(operator);

    cluster.with(|state| {
        state.denied.push("stock".to_owned());
        state.requests.clear();
        state.published.clear();
    });
    cluster.table("shop", "more");
    let _next = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("every watch was tried three times", |state| {
        let tried = |kind: &crd::Kind| {
            let path = format!("/namespaces/stock/{}", kind.plural());
            let requests = state.requests.iter().filter(|(_, asked)| asked.ends_with(&path));
            requests.count() >= 3
        };
        crd::Kind::ALL.iter().all(tried)
    });
    let engine = key("Engine", "shop", "e");
    cluster.until("the engine says why nothing is published", |state| {
        condition_of(state, &engine, "Programmed").contains("may not read a namespace")
    });
    let told = cluster.condition("Engine", "shop", "e", "Programmed");
    assert!(
        !told.contains("stock"),
        "what is elsewhere is nobody's business here: {told}"
    );
    cluster.with(|state| state.denied.clear());
    cluster.until("it catches up", |state| generation(state, "more") == Some(1));
    cluster.with(|state| {
        let published = &state.published;
        assert!(
            published.iter().all(|set| set.contains_key("far")),
            "{published:?}"
        );
    });
}

/// An Engine in namespace `shop` that serves what is in namespaces with a label, as `far` in `stock` is.
pub(crate) fn selecting(cluster: &Cluster) {
    cluster.engine("shop");
    cluster.with(|state| {
        for namespace in ["shop", "stock"] {
            let labels = json!({"metadata": {"labels": {"team": "a"}}});
            state.put(&key("Namespace", "", namespace), labels);
        }
        let engine = key("Engine", "shop", "e");
        let mut object = state.objects[&engine].clone();
        object["spec"]["namespaceSelector"] = json!({"matchLabels": {"team": "a"}});
        state.put(&engine, object);
    });
    let far = json!({"name": "far", "connection": {"url": "postgres://x/y"}});
    cluster.apply("Source", "stock", "far", &far);
    let grant = json!({"from": [{"kind": "Engine", "namespace": "shop"}], "to": [{"kind": "Source"}]});
    cluster.apply("ReferenceGrant", "stock", "g", &grant);
}

/// An operator that begins while the API server is in trouble waits for the labels of all its namespaces.
#[test]
fn what_is_in_a_namespace_whose_labels_are_not_known_yet_is_not_withdrawn() {
    let cluster = Cluster::start();
    selecting(&cluster);
    let denied = ("GET", "/api/v1/namespaces", 403, usize::MAX);
    cluster.with(|state| state.failing_reads = vec![denied]);
    let operator = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("it is published", |state| generation(state, "far") == Some(1));
    drop(operator);

    cluster.with(|state| {
        state.failing_reads = vec![denied, ("GET", "/api/v1/namespaces/stock", 503, 1)];
        state.published.clear();
    });
    cluster.table("shop", "more");
    let _next = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("a change is published", |state| {
        generation(state, "more") == Some(1)
    });
    cluster.with(|state| {
        assert_eq!(state.failing_reads[1].3, 0, "it failed");
        let published = &state.published;
        assert!(
            published.iter().all(|set| set.contains_key("far")),
            "{published:?}"
        );
    });
}

/// An API server that is away for a moment says nothing of rights.
#[test]
fn labels_that_may_be_watched_are_watched() {
    let cluster = Cluster::start();
    selecting(&cluster);
    cluster.with(|state| state.failing_reads = vec![("GET", "/api/v1/namespaces", 503, 2)]);
    let _operator = cluster.operator(&["--namespaces", "shop,stock"]);
    cluster.until("it is published", |state| generation(state, "far") == Some(1));
    assert_eq!(cluster.with(|state| state.failing_reads[0].3), 0, "it failed");
    let watch = ("WATCH".to_owned(), "/api/v1/namespaces".to_owned());
    cluster.until("labels are watched", |state| state.requests.contains(&watch));
}

/// While an engine is paused nothing of it is written but what is said of it.
#[test]
fn a_paused_engine_is_left_as_it_is() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let engine = key("Engine", "shop", "e");
    let paused = |paused: bool| {
        cluster.with(|state| {
            let mut object = state.objects.get(&engine).cloned().expect("the engine");
            object["spec"]["paused"] = paused.into();
            state.put(&engine, object)
        });
    };
    paused(true);
    let _operator = cluster.operator(&[]);
    let writes = |state: &State| -> Vec<String> {
        let written = state.requests.iter().filter(|(method, path)| {
            matches!(method.as_str(), "PATCH" | "DELETE")
                && !path.ends_with("/status")
                && !path.contains("/events")
        });
        written.map(|(method, path)| format!("{method} {path}")).collect()
    };
    cluster.until("it says so", |state| {
        condition_of(state, &engine, "Programmed").contains("spec.paused")
    });
    assert_eq!(cluster.with(|state| writes(state)), [""; 0]);
    paused(false);
    cluster.until("it resumes", |state| state.set("shop", "e").is_some());

    paused(true);
    cluster.until("it is paused again", |state| {
        let generation = state.objects[&engine]["metadata"]["generation"].clone();
        state.objects[&engine]["status"]["observedGeneration"] == generation
    });
    cluster.with(|state| state.requests.clear());
    cluster.table("shop", "later");
    cluster.until("a change waits", |state| {
        condition_of(state, &engine, "Programmed").contains("spec.paused")
    });
    assert_eq!(cluster.with(|state| writes(state)), [""; 0]);
    assert!(cluster.with(|state| generation(state, "later")).is_none());
    paused(false);
    cluster.until("it resumes again", |state| generation(state, "later") == Some(1));
}

/// The status of an object that is gone is not written to the next of its name.
#[test]
fn a_status_is_never_that_of_another_object() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.permission("shop", "p", &["a"]);
    cluster.pod("shop", "e-1", true);
    let p = key("Permission", "shop", "p");
    let (one, mut swapped) = (p.clone(), false);
    cluster.with(|state| {
        state.before_status = Some(Box::new(move |state, key| {
            if *key == one && !swapped {
                swapped = true;
                let mut successor = state.remove(key).expect("the first");
                successor["metadata"] = json!({});
                // It names no table: what was said of the other is wrong for it.
                successor["spec"]["tableRef"]["name"] = "nothing".into();
                if let Some(object) = successor.as_object_mut() {
                    object.remove("status");
                }
                // As it stands when the patch arrives.
                state.put(key, successor);
            }
        }));
    });
    let _operator = cluster.operator(&[]);
    cluster.until("it is judged by itself", |state| {
        !condition_of(state, &p, "Ready").is_empty()
    });
    let accepted = cluster.condition("Permission", "shop", "p", "Accepted");
    assert!(accepted.starts_with("False RefNotResolved"), "{accepted}");
    let told = cluster.with(|state| {
        let events = state
            .log
            .iter()
            .filter(|(_, key, event, _)| *key == p && *event == "MODIFIED");
        events
            .map(|(_, _, _, object)| object["status"].to_string())
            .collect::<Vec<_>>()
    });
    assert!(
        told.iter().all(|status| !status.contains("served by")),
        "{told:?}"
    );
}

/// Watches that break off, and lists that do so in the middle, take nothing away.
#[test]
fn a_list_that_breaks_off_loses_nothing() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    for name in ["u", "v", "w"] {
        cluster.table("shop", name);
    }
    let _operator = cluster.operator(&[]);
    cluster.until("all are published", |state| generation(state, "w") == Some(1));
    // Everything is listed again, and what is compacted away cannot be watched from where it was.
    cluster.with(|state| {
        state.torn_lists = ("/tables".to_owned(), 3);
        state.cuts += 1;
    });
    cluster.until("lists broke off", |state| state.torn_lists.1 == 0);
    cluster.table("shop", "x");
    cluster.until("a change is seen again", |state| {
        generation(state, "x") == Some(1)
    });
    cluster.with(|state| {
        let first = state
            .published
            .iter()
            .position(|published| published.contains_key("w"));
        let after = &state.published[first.expect("published")..];
        for published in after {
            for name in ["t", "u", "v", "w"] {
                assert!(published.contains_key(name), "{name} is missing in {published:?}");
            }
        }
    });
}

/// A world in which nothing happens costs an API server next to nothing.
#[test]
fn a_quiet_world_is_quiet() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.permission("shop", "p", &["a"]);
    cluster.pod("shop", "e-1", true);
    let _operator = cluster.operator(&[]);
    let p = key("Permission", "shop", "p");
    cluster.until("it is served", |state| {
        condition_of(state, &p, "Programmed").starts_with("True")
    });
    let own = |state: &State| {
        let requests = state
            .requests
            .iter()
            .filter(|(_, path)| !path.contains("/leases"));
        requests.count()
    };
    // Until the last status is written.
    let (mut before, mut same) = (0, 0);
    cluster.until("it comes to rest", |state| {
        let now = own(state);
        same = if now == before { same + 1 } else { 0 };
        before = now;
        same > 100
    });
    let leases = |state: &State| state.requests.len() - own(state);
    let renewed = cluster.with(|state| leases(state));
    // Time is counted by what the lease costs: it is renewed every 750 ms, by two requests.
    cluster.until("the lease was renewed four times", |state| {
        leases(state) >= renewed + 8
    });
    let more = cluster.with(|state| own(state)) - before;
    assert!(more <= 2, "{more} requests beside the lease's");
}

/// What is changed in the engine's Secret is put back and told; an annotation is nobody's business.
#[test]
fn only_what_was_changed_is_called_restored() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let _operator = cluster.operator(&[]);
    let secret = key("Secret", "shop", "e-secrets");
    cluster.until("it is published", |state| state.set("shop", "e").is_some());
    let kept = cluster.with(|state| state.objects[&secret]["data"].clone());
    let restored = |state: &State| {
        let events = state.events.iter().filter(|event| event["reason"] == "Restored");
        events
            .filter(|event| event["related"]["kind"] == "Secret")
            .count()
    };
    let patches = |state: &State| {
        let patches = state
            .requests
            .iter()
            .filter(|(method, path)| method == "PATCH" && path.ends_with("/secrets/e-secrets"));
        patches.count()
    };
    let before = cluster.with(|state| patches(state));
    cluster.with(|state| {
        let mut object = state.objects[&secret].clone();
        object["metadata"]["annotations"] = json!({"looked": "at"});
        state.put(&secret, object);
    });
    cluster.until("it was looked at", |state| patches(state) > before);
    cluster.with(|state| {
        let mut object = state.objects[&secret].clone();
        object["data"] = json!({});
        state.put(&secret, object);
    });
    cluster.until("it is restored", |state| state.objects[&secret]["data"] == kept);
    cluster.until("that is told", |state| restored(state) > 0);
    let told = cluster.with(|state| state.events.clone());
    assert_eq!(cluster.with(|state| restored(state)), 1, "{told:#?}");
}

/// A fault is told once at each object that it costs, with whose fault it is, and so is its end.
#[test]
fn faults_and_their_end_are_events() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.permission("shop", "p", &["a"]);
    cluster.pod("shop", "e-1", true);
    let _operator = cluster.operator(&[]);
    let (table, permission) = (key("Table", "shop", "t"), key("Permission", "shop", "p"));
    let is_good = |state: &State| {
        let mut all = [&table, &permission].into_iter();
        all.all(|object| condition_of(state, object, "Programmed").starts_with("True"))
    };
    cluster.until("both are served", |state| is_good(state));
    let events = |state: &State, name: &str| -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let told = state
            .events
            .iter()
            .filter(|event| event["regarding"]["name"] == name);
        told.map(|event| (text(&event["type"]), text(&event["reason"])))
            .collect()
    };
    let event = |kind: &str, reason: &str| (kind.to_owned(), reason.to_owned());
    cluster.with(|state| assert!(events(state, "t").is_empty() && events(state, "p").is_empty()));
    let spec = |more: &str| json!({"sourceRef": {"name": "s"}, "table": {"name": "t"}, "onInvalid": "Remove", more: true});
    cluster.apply("Table", "shop", "t", &spec("typo"));
    cluster.until("whose fault it is is told", |state| {
        condition_of(state, &permission, "Accepted").starts_with(
            "False DependencyFailed: spec.tableRef: Table shop/t is not accepted (Invalid): see its status",
        )
    });
    cluster.until("both are warned of", |state| {
        events(state, "t") == [event("Warning", "Invalid")]
            && events(state, "p") == [event("Warning", "DependencyFailed")]
    });
    cluster.with(|state| assert_eq!((generation(state, "t"), generation(state, "p")), (None, None)));
    cluster.apply("Table", "shop", "t", &spec("isEnum"));
    cluster.until("both are served again", |state| is_good(state));
    cluster.until("that is told too", |state| {
        let is_over = |name: &str| events(state, name).last() == Some(&event("Normal", "Accepted"));
        is_over("t") && is_over("p")
    });
}
