//! What the engine's Secret holds for pods.

use serde_json::{Value, json};

use crate::rolling;
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

/// A right that was missing for a while is noticed without a change of the Secret, and one to list alone is none.
#[test]
fn a_secret_whose_watch_was_refused_counts_again() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.with(|state| {
        state.put(&key("Secret", "shop", "db"), json!({"data": {"url": "QUFB"}}));
    });
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    cluster.apply("Source", "shop", "u", &json!({"name": "u", "connection": url}));
    let source = key("Source", "shop", "u");
    let _operator = cluster.operator(&[]);
    cluster.until("it is accepted", |state| {
        condition_of(state, &source, "Accepted").starts_with("True")
    });
    let secrets = "/api/v1/namespaces/shop/secrets";
    cluster.with(|state| {
        state.failing_reads = vec![("WATCH", secrets, 403, usize::MAX)];
        state.cuts += 1;
    });
    cluster.until("the missing right is told", |state| {
        condition_of(state, &source, "Accepted").starts_with("False RefNotResolved")
    });
    let before = cluster.with(|state| state.requests.len());
    cluster.until("it was tried again", |state| {
        let asked = state.requests[before..].iter();
        let watches = asked.filter(|(method, path)| method == "WATCH" && path == secrets);
        watches.count() >= 12
    });
    cluster.with(|state| {
        let told = state.log.iter().filter(|(_, key, _, _)| *key == source);
        let refused = |object: &Value| object["status"].to_string().contains("RefNotResolved");
        let told: Vec<bool> = told.map(|(_, _, _, object)| refused(object)).collect();
        assert!(told.is_sorted(), "one thing and the other by turns: {told:?}");
        state.failing_reads.clear();
    });
    cluster.until("it is accepted again", |state| {
        condition_of(state, &source, "Accepted").starts_with("True")
    });
}

const JWT: &str = "HASURA_GRAPHQL_JWT_SECRET";

/// Whether the engine's Secret has the keys of tokens.
fn has_jwt(state: &State) -> bool {
    let secret = state.objects.get(&key("Secret", "shop", "e-secrets"));
    secret.is_some_and(|secret| secret["data"][JWT].is_string())
}

/// Takes the keys of tokens from a Secret.
fn with_jwt(cluster: &Cluster) {
    cluster.engine("shop");
    cluster.with(|state| {
        let keys = json!({"data": {"key": "e30="}});
        state.put(&key("Secret", "shop", "tokens"), keys);
    });
    let reference = json!([{"secretKeyRef": {"name": "tokens", "key": "key"}}]);
    change(cluster, |spec| spec["auth"]["jwt"] = reference);
}

fn change(cluster: &Cluster, change: impl FnOnce(&mut Value)) {
    cluster.with(|state| {
        let engine = key("Engine", "shop", "e");
        let mut object = state.objects[&engine].clone();
        change(&mut object["spec"]);
        state.put(&engine, object);
    });
}

/// What an engine took from a Secret and has in its pod template now stays for pods of the template before.
#[test]
fn settings_that_move_stay_until_pods_are_replaced() {
    let cluster = Cluster::start();
    with_jwt(&cluster);
    cluster.pod("shop", "e-1", true);
    let engine = key("Engine", "shop", "e");
    let deployment = rolling::deployment();
    let _operator = cluster.operator(&[]);
    cluster.until("the Deployment", |state| state.objects.contains_key(&deployment));
    cluster.with(|state| rolling::roll_out(state, &deployment));
    cluster.until("it is ready", |state| {
        condition_of(state, &engine, "Ready").starts_with("True") && has_jwt(state)
    });
    change(&cluster, |spec| {
        spec["auth"]["jwt"] = json!([{"env": "KEY"}]);
        spec["env"] = json!([{"name": "KEY", "value": "{}"}]);
    });
    cluster.until("other pods are asked for", |state| {
        state.objects[&deployment]["spec"].to_string().contains("$(KEY)")
    });
    cluster.rest();
    assert!(
        cluster.with(|state| has_jwt(state)),
        "pods before have it from nowhere else"
    );
    cluster.with(|state| rolling::roll_out(state, &deployment));
    cluster.until("nobody needs it", |state| !has_jwt(state));
}

/// A value that keeps pods from starting goes when nothing names it any more.
#[test]
fn a_setting_that_keeps_pods_from_starting_can_be_taken_out() {
    let cluster = Cluster::start();
    with_jwt(&cluster);
    let _operator = cluster.operator(&[]);
    cluster.until("it is given", |state| has_jwt(state));
    cluster.pod("shop", "e-1", false);
    cluster.rest();
    change(&cluster, |spec| spec["auth"]["jwt"] = json!([]));
    cluster.until("it is not given any more", |state| !has_jwt(state));
}

/// Each pod takes its part of what a source allows all of them, also after scaling.
#[test]
fn pods_are_told_how_many_they_are() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let _operator = cluster.operator(&[]);
    let told = |state: &State, number: &str| {
        let secret = state.objects.get(&key("Secret", "shop", "e-secrets"));
        secret.is_some_and(|secret| secret["data"]["ROWLOCK_INSTANCES"] == number)
    };
    cluster.until("one", |state| told(state, "MQ=="));
    change(&cluster, |spec| spec["replicas"] = json!(3));
    cluster.until("three", |state| told(state, "Mw=="));
}

/// The text of a value of the engine's Secret, as it is there.
fn value(state: &State, variable: &str) -> String {
    let values = &state.objects[&key("Secret", "shop", "e-secrets")]["data"];
    let of_reference = |(name, _): &(&String, &Value)| name.starts_with(variable);
    let mut all = values.as_object().into_iter().flatten();
    let found = all.find(of_reference);
    found.map(|(_, value)| value.to_string()).unwrap_or_default()
}

/// A source whose address comes from a Secret, and which is not served while it is not acceptable.
fn source_of_secret(cluster: &Cluster) -> Key {
    cluster.with(|state| {
        state.put(&key("Secret", "shop", "db"), json!({"data": {"url": "QUFB"}}));
    });
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    let spec = json!({"name": "u", "connection": url, "onInvalid": "Remove"});
    cluster.apply("Source", "shop", "u", &spec);
    key("Source", "shop", "u")
}

/// Pods would drop it, and begin without an admin secret.
#[test]
fn a_value_that_is_no_text_takes_the_place_of_none() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let source = source_of_secret(&cluster);
    let _operator = cluster.operator(&[]);
    let engine = key("Engine", "shop", "e");
    cluster.until("both are accepted", |state| {
        let is_accepted = |key: &Key| condition_of(state, key, "Accepted").starts_with("True");
        is_accepted(&source) && is_accepted(&engine)
    });
    cluster.until("the admin secret is there", |state| {
        value(state, "HASURA_GRAPHQL_ADMIN_SECRET").contains("c2VjcmV0")
    });
    cluster.with(|state| {
        let secret = json!({"data": {"admin": "/////w=="}});
        state.put(&key("Secret", "shop", "keys"), secret);
        state.put(&key("Secret", "shop", "db"), json!({"data": {"url": "/////w=="}}));
    });
    cluster.until("the source's is told", |state| {
        condition_of(state, &source, "Accepted").starts_with(
            "False RefNotResolved: spec.connection.urlFrom.secretKeyRef: the key url of Secret db is no text",
        )
    });
    cluster.until("the engine's is told", |state| {
        condition_of(state, &engine, "Accepted").starts_with(
            "False RefNotResolved: spec.auth.adminSecretFrom.secretKeyRef: the key admin of Secret keys is no text",
        )
    });
    let admin = cluster.with(|state| value(state, "HASURA_GRAPHQL_ADMIN_SECRET"));
    assert!(admin.contains("c2VjcmV0"), "{admin}");
}

/// An operator that has just begun knows of no Secret, and an API server that is slow tells it of none.
#[test]
fn what_is_not_told_of_a_secret_withdraws_nothing() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let source = source_of_secret(&cluster);
    let operator = cluster.operator(&[]);
    cluster.until("it is published", |state| generation(state, "u") == Some(1));
    drop(operator);
    let before = cluster.with(|state| {
        // Secrets are read one by one, and cannot be watched.
        state.failing_reads = vec![("GET", "/api/v1/namespaces/shop/secrets", 500, usize::MAX)];
        state.published.len()
    });
    let _next = cluster.operator(&[]);
    let engine = key("Engine", "shop", "e");
    cluster.until("that is told", |state| {
        condition_of(state, &engine, "Ready").contains("has not told yet whether it is there")
    });
    cluster.table("shop", "v");
    cluster.with(|state| state.failing_reads.clear());
    cluster.until("work goes on", |state| generation(state, "v") == Some(1));
    cluster.with(|state| {
        let all = &state.published[before..];
        assert!(all.iter().all(|set| set.contains_key("u")), "{all:?}");
        let told = state.log.iter().filter(|(_, key, _, _)| *key == source);
        let mut told = told.map(|(_, _, _, object)| object["status"].to_string());
        assert!(told.all(|status| !status.contains("RefNotResolved")));
    });
}

/// Before anything was compiled nobody knows whether an Engine is valid.
#[test]
fn an_engine_whose_secret_may_not_be_read_is_not_called_accepted() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    cluster.with(|state| {
        let own = "/api/v1/namespaces/shop/secrets/e-secrets";
        state.failing_reads = vec![("GET", own, 403, usize::MAX)];
    });
    let _operator = cluster.operator(&[]);
    let (engine, table) = (key("Engine", "shop", "e"), key("Table", "shop", "t"));
    cluster.until("both say so", |state| {
        let told = |key: &Key| condition_of(state, key, "Accepted");
        told(&engine).starts_with("Unknown Pending: reading Secret e-secrets")
            && told(&engine) == told(&table)
    });
    cluster.with(|state| {
        let told = state.log.iter().filter(|(_, key, _, _)| *key == engine);
        let mut told = told.map(|(_, _, _, object)| object["status"].to_string());
        assert!(told.all(|status| !status.contains("references resolve")));
        state.failing_reads.clear();
    });
}

/// Labels and names are made of it, which the API server would refuse one by one.
#[test]
fn nothing_is_written_for_an_engine_with_a_name_that_is_too_long() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let name = "e".repeat(64);
    cluster.apply("Engine", "shop", &name, &json!({}));
    let _operator = cluster.operator(&[]);
    let engine = key("Engine", "shop", &name);
    cluster.until("that is told", |state| {
        condition_of(state, &engine, "Accepted").starts_with("False Invalid: metadata.name")
    });
    cluster.until("the other engine's set is there", |state| {
        generation(state, "t") == Some(1)
    });
    cluster.rest();
    cluster.with(|state| {
        let made = state.objects.keys().filter(|key| key.2.starts_with(&name));
        assert_eq!(made.collect::<Vec<_>>(), [&engine]);
    });
}

/// An object goes on in an earlier form, and what that refers to is followed as before.
#[test]
fn a_secret_of_an_earlier_form_is_followed() {
    let cluster = Cluster::start();
    cluster.engine("shop");
    let secret = |value: &str| {
        let secret = json!({"data": {"url": value}});
        cluster.with(|state| state.put(&key("Secret", "shop", "db"), secret));
    };
    let source = |secret: &str| {
        let url = json!({"urlFrom": {"secretKeyRef": {"name": secret, "key": "url"}}});
        cluster.apply("Source", "shop", "u", &json!({"name": "u", "connection": url}));
    };
    let has = |state: &mut State, value: &str| {
        let values = state.objects.get(&key("Secret", "shop", "e-secrets"));
        values.is_some_and(|values| values["data"].to_string().contains(value))
    };
    secret("QUFB");
    source("db");
    let _operator = cluster.operator(&[]);
    cluster.until("it is published", |state| {
        generation(state, "u") == Some(1) && has(state, "QUFB")
    });
    source("db-new");
    cluster.until("it is refused", |state| {
        condition_of(state, &key("Source", "shop", "u"), "Accepted").starts_with("False RefNotResolved")
    });
    for value in ["QkJC", "Q0ND"] {
        secret(value);
        cluster.until("the new value is there", |state| has(state, value));
    }
    cluster.with(|state| assert_eq!(generation(state, "u"), Some(1)));
}
