//! What somebody who may edit the engine's namespace wrote into the ConfigMap of the published set.

use compile::SecretKey;
use delivery::{Half, Set, name, publish};
use serde_json::{Value, json};

use crate::stand_in::{Cluster, Key, State, condition_of, key};
use crate::story::{generation, selecting};

/// A text in base64 that stands in no Secret but one.
const CANARY: &str = "Q0FOQVJZLUNBTkFSWQ==";

fn index() -> Key {
    key("ConfigMap", "shop", "e-metadata")
}

fn secret(cluster: &Cluster, namespace: &str, name: &str, value: &str) {
    let secret = json!({"data": {"url": value}});
    cluster.with(|state| state.put(&key("Secret", namespace, name), secret));
}

/// A Source whose address is in a Secret.
fn source(cluster: &Cluster, namespace: &str, secret: &str) {
    let url = json!({"urlFrom": {"secretKeyRef": {"name": secret, "key": "url"}}});
    cluster.apply("Source", namespace, "u", &json!({"name": "u", "connection": url}));
}

/// The set as it would be with another key of a Secret.
fn forge(state: &mut State, from: [&str; 2], to: [&str; 2]) {
    let key = |[namespace, name]: [&str; 2]| SecretKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        key: "url".to_owned(),
    };
    let list = |[namespace, name]: [&str; 2]| format!(r#"["{namespace}","{name}","url"]"#);
    let change = |text: &str| {
        let text = text.replace(&key(from).variable(), &key(to).variable());
        text.replace(&list(from), &list(to))
    };
    let (index, set) = state.set("shop", "e").expect("a set");
    let forged = Set {
        counter: index.counter + 1,
        metadata: change(&set.metadata),
        objects: change(&set.objects),
    };
    assert!(forged.metadata != set.metadata && forged.objects != set.objects);
    let publication = publish("e-metadata", &forged, Half::A).expect("it fits");
    change_index(state, |object| object["data"] = json!(publication.data));
}

fn change_index(state: &mut State, change: impl FnOnce(&mut Value)) {
    let mut object = state.objects[&index()].clone();
    change(&mut object);
    state.put(&index(), object);
}

fn values(state: &State) -> String {
    state.objects[&key("Secret", "shop", "e-secrets")]["data"].to_string()
}

fn asked(state: &State, path: &str) -> bool {
    state.requests.iter().any(|(_, asked)| asked.starts_with(path))
}

/// The Source is accepted and published; then the operator is gone, and the Source refers to a Secret that is not there.
fn refuse(cluster: &Cluster, namespace: &str) {
    let source_key = key("Source", namespace, "u");
    source(cluster, namespace, "db");
    let operator = cluster.operator(&[]);
    cluster.until("it is published", |state| {
        generation(state, "u") == Some(1) && condition_of(state, &source_key, "Accepted").starts_with("True")
    });
    drop(operator);
    source(cluster, namespace, "missing");
    cluster.with(|state| state.requests.clear());
}

fn until_refused(cluster: &Cluster, namespace: &str, published: Option<i64>) {
    let source = key("Source", namespace, "u");
    cluster.until("it is refused", |state| {
        condition_of(state, &source, "Accepted").starts_with("False RefNotResolved")
            && generation(state, "u") == published
    });
}

/// Nobody gets at the Secrets of another namespace by way of a last form.
#[test]
fn a_last_form_names_no_secret_of_another_namespace() {
    for is_forged in [false, true] {
        let cluster = Cluster::start();
        cluster.engine("shop");
        secret(&cluster, "shop", "db", "QUFB");
        secret(&cluster, "stock", "db", CANARY);
        refuse(&cluster, "shop");
        if is_forged {
            cluster.with(|state| forge(state, ["shop", "db"], ["stock", "db"]));
        }
        let _operator = cluster.operator(&[]);
        until_refused(&cluster, "shop", (!is_forged).then_some(1));
        cluster.with(|state| {
            assert!(!asked(state, "/api/v1/namespaces/stock/secrets"));
            assert!(!values(state).contains(CANARY));
        });
    }
}

/// Of other namespaces' objects nobody says but they themselves to which Secrets they refer. What pods have stays.
#[test]
fn a_last_form_of_another_namespace_names_no_other_secret() {
    for is_forged in [false, true] {
        let cluster = Cluster::start();
        selecting(&cluster);
        secret(&cluster, "stock", "db", "QUFB");
        secret(&cluster, "stock", "other", CANARY);
        refuse(&cluster, "stock");
        if is_forged {
            cluster.with(|state| forge(state, ["stock", "db"], ["stock", "other"]));
        }
        let _operator = cluster.operator(&[]);
        until_refused(&cluster, "stock", Some(1));
        cluster.rest();
        cluster.with(|state| {
            assert!(!asked(state, "/api/v1/namespaces/stock/secrets/other"));
            assert!(!values(state).contains(CANARY));
            assert!(values(state).contains("QUFB"), "what pods may need stays");
        });
    }
}

/// What is wrong with an object beside its Secret does not keep the value from being followed, also by the next operator.
#[test]
fn what_an_object_of_another_namespace_refers_to_is_followed_though_it_is_refused() {
    let cluster = Cluster::start();
    selecting(&cluster);
    secret(&cluster, "stock", "db", "QUFB");
    refuse(&cluster, "stock");
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "isolationLevel": "none"});
    cluster.apply("Source", "stock", "u", &json!({"name": "u", "connection": url}));
    let _operator = cluster.operator(&[]);
    let source = key("Source", "stock", "u");
    cluster.until("it is refused", |state| {
        condition_of(state, &source, "Accepted").starts_with("False Invalid")
    });
    secret(&cluster, "stock", "db", "QkJC");
    cluster.until("the new value is there", |state| values(state).contains("QkJC"));
    cluster.with(|state| assert_eq!(generation(state, "u"), Some(1)));
}

/// A set that an Engine of the same name left behind, or somebody made, gives no earlier forms; only its counter counts.
#[test]
fn a_set_of_another_engine_counts_for_its_counter() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    secret(&cluster, "shop", "db", "QUFB");
    refuse(&cluster, "shop");
    let later = cluster.with(|state| {
        forge(state, ["shop", "db"], ["shop", "db2"]);
        forge(state, ["shop", "db2"], ["shop", "db"]);
        change_index(state, |object| {
            object["metadata"]["ownerReferences"][0]["uid"] = "another".into();
        });
        let (index, _) = state.set("shop", "e").expect("a set");
        index.counter
    });
    let _operator = cluster.operator(&[]);
    until_refused(&cluster, "shop", None);
    let (index, _) = cluster.with(|state| state.set("shop", "e")).expect("a set");
    assert!(index.counter > later, "a lower one would be taken by no pod");
}

/// A set that is small where it lies fills nobody's memory, and one from the far future does not count.
#[test]
fn what_no_set_of_ours_is_counts_as_nothing() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let first = cluster.operator(&[]);
    cluster.until("it is published", |state| generation(state, "t") == Some(1));
    drop(first);
    let tell = |state: &mut State, fields: &Value| {
        let (index, _) = state.set("shop", "e").expect("a set");
        let mut told = json!(index);
        for (field, value) in fields.as_object().expect("fields") {
            told[field] = value.clone();
        }
        change_index(state, |object| {
            object["data"] = json!({name::INDEX_KEY: told.to_string()});
        });
        state.requests.clear();
        index.counter
    };
    let part = delivery::hash(b"");
    let bomb = json!({"half": "a", "parts": [part], "metadataBytes": 255 << 20});
    let before = cluster.with(|state| tell(state, &bomb));
    let second = cluster.operator(&["--memory-limit", &(256 << 20).to_string()]);
    let engine = key("Engine", "shop", "e");
    cluster.until("nothing is withdrawn, and what to do is told", |state| {
        condition_of(state, &engine, "Ready")
            .contains("takes more memory than the operator has: raise its memory limit")
    });
    cluster.with(|state| {
        let index = state.set("shop", "e");
        assert!(index.is_none_or(|(index, _)| index.counter == before));
        state.remove(&key("ConfigMap", "shop", "e-metadata"));
    });
    cluster.until("it is published again", |state| generation(state, "t") == Some(1));
    cluster.with(|state| {
        let read = (
            "GET".to_owned(),
            "/api/v1/namespaces/shop/configmaps/e-metadata-a-0".to_owned(),
        );
        assert!(!state.requests.contains(&read), "it is not even read");
        assert!(
            state
                .set("shop", "e")
                .is_some_and(|(index, _)| index.counter > before)
        );
    });
    drop(second);
    cluster.with(|state| {
        let (_, set) = state.set("shop", "e").expect("a set");
        let far = Set {
            counter: u64::MAX - 1,
            ..set
        };
        let publication = publish("e-metadata", &far, Half::A).expect("it fits");
        change_index(state, |object| object["data"] = json!(publication.data));
    });
    let _third = cluster.operator(&[]);
    cluster.until("it is published again", |state| {
        let set = state.set("shop", "e");
        set.is_some_and(|(index, _)| index.counter < u64::MAX / 2)
    });
}

/// A pod that tells of a set from the far future makes no other pod wait for it.
#[test]
fn what_no_pod_can_have_accepted_is_not_overtaken() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.pod("shop", "e-1", true);
    let _operator = cluster.operator(&[]);
    cluster.until("it is published", |state| generation(state, "t") == Some(1));
    let before = cluster.with(|state| {
        state.ahead = Some(u64::MAX - 1);
        state.set("shop", "e").map(|(index, _)| index.counter)
    });
    cluster.rest();
    cluster.table("shop", "more");
    cluster.until("a change is published", |state| {
        generation(state, "more") == Some(1)
    });
    let after = cluster.with(|state| state.set("shop", "e").map(|(index, _)| index.counter));
    assert!(
        before < after && after < Some(u64::MAX / 2),
        "{before:?} {after:?}"
    );
}
