//! What an engine's Secret holds, and for how long.

use super::*;
use serde_json::json;

#[test]
fn a_missing_key_is_told_with_its_path() {
    let key = secret_key(&("n".to_owned(), "s".to_owned()), "k");
    let spec = json!({"a": [{"b": {"secretKeyRef": {"name": "s", "key": "other"}}}, {"c": {"secretKeyRef": {"name": "s", "key": "k"}}}]});
    assert_eq!(
        path_of(&spec, &key, "spec").as_deref(),
        Some("spec.a[1].c.secretKeyRef")
    );
    assert_eq!(path_of(&json!({}), &key, "spec"), None);
}

/// Pods look values up as texts, and would begin without an admin secret that is none.
#[test]
fn what_is_no_text_is_missing() {
    let name = ("n".to_owned(), "s".to_owned());
    let asked = ["text", "bytes", "absent"].map(str::to_owned);
    let found = [
        ("text", b"a".to_vec()),
        ("bytes", vec![0xff, 0x00]),
        ("more", Vec::new()),
    ];
    let found = found.map(|(key, value)| (key.to_owned(), Hidden(value)));
    let read = Read::of("1".to_owned(), &BTreeSet::from(asked), BTreeMap::from(found));
    assert_eq!(read.lacks(&name, "text"), None);
    let why = read.lacks(&name, "bytes").unwrap_or_default();
    assert!(
        why.contains("the key bytes of Secret s is no text (UTF-8)"),
        "{why}"
    );
    let why = read.lacks(&name, "absent").unwrap_or_default();
    assert!(why.contains("has no key absent"), "{why}");
    assert_eq!(read.values.keys().collect::<Vec<_>>(), ["text"]);

    // What ran with another value goes on with it, alone and as one of a list.
    let mut values = SecretValues::default();
    values.read.insert(name.clone(), read);
    let (text, bytes) = (secret_key(&name, "text"), secret_key(&name, "bytes"));
    let mut environment = Environment::default();
    environment
        .secret
        .insert("A".to_owned(), Part::One(bytes.clone()));
    environment.secret.insert(
        "B".to_owned(),
        Part::Text(vec![Piece::Key(text), Piece::Key(bytes)]),
    );
    let mut wanted = Values::new();
    values.add_settings(&environment, &mut wanted);
    assert!(wanted.is_empty(), "nothing ran yet");
    for name in ["A", "B"] {
        let before = Hidden(b"before".to_vec());
        values.wanted.insert(name.to_owned(), before);
    }
    values.add_settings(&environment, &mut wanted);
    assert!(wanted.values().all(|value| value.0 == b"before") && wanted.len() == 2);
}

/// An API server that is slow withdraws nothing, and a value of which nothing is known is no empty one.
#[test]
fn what_nothing_was_heard_of_goes_on() {
    let name = ("n".to_owned(), "s".to_owned());
    let mut values = SecretValues::default();
    let keys = BTreeSet::from(["k".to_owned()]);
    let error = values.goes_on(&name, &keys).expect_err("there is no value");
    assert!(
        error.again() && error.to_string().contains("Secret n/s"),
        "{error}"
    );
    let variable = secret_key(&name, "k").variable();
    values.wanted.insert(variable, Hidden(b"before".to_vec()));
    assert!(values.goes_on(&name, &keys).is_ok());
}

/// What pods serve names a value until they serve the next set: what takes its place has to fit beside it.
#[test]
fn what_pods_still_need_stays() {
    let key = |name: &str| secret_key(&("n".to_owned(), "s".to_owned()), name);
    let (old, new) = (key("old"), key("new"));
    let value = || Hidden(vec![b'x'; MOST_BYTES * 3 / 4]);
    let mut values = SecretValues::default();
    values.wanted.insert(old.variable(), value());
    values
        .wanted
        .insert("HASURA_GRAPHQL_ADMIN_SECRET".to_owned(), Hidden::default());
    let needed = |values: &SecretValues| values.needed(&[&new]);
    assert!(
        needed(&values) > MOST_BYTES / 2,
        "nothing is known of what is served"
    );
    assert_eq!(values.needed(&[&old]), 0);
    let first = format!("{{\"url\": \"{}\"}}", old.variable());
    values.published("{}");
    assert!(
        needed(&values) > MOST_BYTES / 2,
        "pods that lag may serve what an operator before this one had published"
    );
    values.settled(&first);
    let room = MOST_BYTES - needed(&values);
    let found = unfit(&[&new], |_| MOST_BYTES * 3 / 4, |_| 0, room);
    assert_eq!(found.keys().collect::<Vec<_>>(), [&new]);
    values.unfit = found.into_keys().collect();
    // Pods lag behind what is published, twice too.
    values.published(&first);
    values.published("{}");
    values.published("{}");
    assert!(needed(&values) > MOST_BYTES / 2);
    assert!(values.settled("{}"), "there is room now");
    assert_eq!(needed(&values), 0);
    assert!(!values.settled("{}"), "that is told once");
}

/// What a pod said with one value says nothing of another.
#[test]
fn every_value_counts() {
    let of = |value: &str| {
        let mut values = SecretValues::default();
        let value = Hidden(value.as_bytes().to_vec());
        values.wanted.insert("ROWLOCK_SECRET_0".to_owned(), value);
        values.hash()
    };
    assert_eq!(of("a"), of("a"));
    assert_ne!(of("a"), of("b"));
}

#[test]
fn references_are_found_in_the_document() {
    let text = r#"{"a":"ROWLOCK_SECRET_0123456789ABCDEF","b":"ROWLOCK_SECRET_é","c":"ROWLOCK_SECRET_"}"#;
    assert_eq!(
        references(text),
        HashSet::from(["ROWLOCK_SECRET_0123456789ABCDEF"])
    );
}

/// What compiling guards is all that this crate and the engine keep secret.
#[test]
fn every_secret_setting_is_guarded() {
    let settings = secret::CHANGES_AT_RUN_TIME.iter();
    assert!(
        settings
            .chain([&secret::ADMIN_TOKEN])
            .all(|name| compile::is_guarded(name))
    );
    assert!(compile::is_guarded(
        &secret_key(&Default::default(), "k").variable()
    ));
}

#[test]
fn an_engine_without_an_admin_secret_gets_one() {
    let values = SecretValues {
        admin: Hidden(b"made up".to_vec()),
        ..SecretValues::default()
    };
    let wanted = |spec: Value| {
        let spec = serde_json::from_value(spec).expect("a spec");
        let mut wanted = Values::new();
        values.add_settings(&crate::environment::environment(&spec, "n").0, &mut wanted);
        wanted
    };
    assert_eq!(wanted(json!({}))[ADMIN_SECRET].0, b"made up");
    let named = json!({"env": [{"name": ADMIN_SECRET, "value": "x"}]});
    assert!(!wanted(named).contains_key(ADMIN_SECRET));
}

#[test]
fn pods_are_replaced_for_values_that_they_read_at_the_start() {
    let part = |name: &str| Part::One(secret_key(&("n".to_owned(), "s".to_owned()), name));
    let mut environment = Environment::default();
    environment.secret.insert("OTHER".to_owned(), part("other"));
    environment
        .secret
        .insert("HASURA_GRAPHQL_ADMIN_SECRET".to_owned(), part("admin"));
    let values = |other: &str, admin: &str| {
        let list = [("OTHER", other), ("HASURA_GRAPHQL_ADMIN_SECRET", admin)];
        Values::from(list.map(|(name, value)| (name.to_owned(), Hidden(value.as_bytes().to_vec()))))
    };
    let first = start_hash("token", &environment, &values("a", "b"));
    assert_eq!(first, start_hash("token", &environment, &values("a", "c")));
    assert_ne!(first, start_hash("token", &environment, &values("c", "b")));
    assert_ne!(
        first,
        start_hash("another token", &environment, &values("a", "b"))
    );
}
