use super::*;
use compile::{Delivery, Serving, Verdict, object_conditions};
use serde_json::json;

fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey {
        kind,
        namespace: "n".to_owned(),
        name: name.to_owned(),
    }
}

fn object(kind: Kind, name: &str, generation: i64) -> Object {
    Object {
        key: key(kind, name),
        uid: name.to_owned(),
        generation,
        created: String::new(),
        labels: BTreeMap::new(),
        spec: json!({}).into(),
    }
}

fn conditions(object: &Object, delivery: &Delivery) -> (ObjectKey, Judged) {
    let verdict = Verdict {
        object: object.key.clone(),
        uid: object.uid.clone(),
        generation: object.generation,
        refusal: None,
        serving: Serving::Present,
        unsupported: Vec::new(),
    };
    let judged = Judged {
        uid: object.uid.clone(),
        conditions: object_conditions(&verdict, delivery),
    };
    (object.key.clone(), judged)
}

fn top(status: &Status) -> &Condition {
    let conditions = match status {
        Status::Object(status) => &status.conditions,
        Status::Engine(status) => &status.conditions,
        Status::None => panic!("no status"),
    };
    conditions
        .as_ref()
        .and_then(|all| all.last())
        .expect("a condition")
}

#[test]
fn an_unchanged_verdict_changes_nothing() {
    let (engine, table) = (key(Kind::Engine, "e"), object(Kind::Table, "t", 2));
    let mut verdicts = Verdicts::default();
    let pending = || vec![conditions(&table, &Delivery::NoReadyPod)];
    assert_eq!(
        verdicts.set(&engine, pending(), None),
        std::slice::from_ref(&table.key)
    );
    assert!(verdicts.set(&engine, pending(), None).is_empty());
    let first = verdicts
        .status(&table, &Status::None, std::slice::from_ref(&engine), false, "1")
        .expect("a status");
    assert_eq!(top(&first).reason, Reason::NoReadyPod);
    assert_eq!(
        verdicts.status(&table, &first, std::slice::from_ref(&engine), false, "2"),
        None
    );
    let served = vec![conditions(&table, &Delivery::Served { pods: 1 })];
    assert_eq!(
        verdicts.set(&engine, served, None),
        std::slice::from_ref(&table.key)
    );
    let second = verdicts
        .status(&table, &first, std::slice::from_ref(&engine), false, "2")
        .expect("a status");
    assert_eq!(
        (top(&second).status, top(&second).last_transition_time.as_str()),
        (ConditionStatus::True, "2")
    );
    let Status::Object(status) = &second else {
        panic!("of another kind")
    };
    let engines = status.engines.as_ref().expect("engines");
    assert_eq!(
        engines[0].conditions[0].last_transition_time, "1",
        "accepted all the time"
    );
}

#[test]
fn nothing_is_said_before_every_engine_has_spoken_about_this_form() {
    let (one, two, table) = (
        key(Kind::Engine, "e"),
        key(Kind::Engine, "f"),
        object(Kind::Table, "t", 2),
    );
    let selected = [one.clone(), two.clone()];
    let mut verdicts = Verdicts::default();
    let served = || vec![conditions(&table, &Delivery::Served { pods: 1 })];
    verdicts.set(&one, served(), None);
    assert_eq!(
        verdicts.status(&table, &Status::None, &selected, false, "1"),
        None
    );
    verdicts.set(&two, served(), None);
    let both = verdicts
        .status(&table, &Status::None, &selected, false, "1")
        .expect("a status");
    assert_eq!(top(&both).message, "served by n/e, n/f");
    assert_eq!(
        verdicts.status(&object(Kind::Table, "t", 3), &both, &selected, false, "1"),
        None
    );
    assert_eq!(verdicts.forget(&two), std::slice::from_ref(&table.key));
    let one_left = verdicts
        .status(&table, &both, std::slice::from_ref(&one), false, "1")
        .expect("a status");
    assert_eq!(top(&one_left).message, "served by n/e");
    verdicts.forget(&one);
    let none = verdicts
        .status(&table, &one_left, &[], false, "1")
        .expect("a status");
    assert_eq!(top(&none).reason, Reason::NotSelected);
}

/// Deleted and made again, an object has the name and the generation that it had.
#[test]
fn nothing_is_said_of_an_object_in_the_words_about_its_predecessor() {
    let engine = key(Kind::Engine, "e");
    let first = object(Kind::Table, "t", 1);
    let second = Object {
        uid: "another".to_owned(),
        ..first.clone()
    };
    let selected = std::slice::from_ref(&engine);
    let mut verdicts = Verdicts::default();
    let served = |object: &Object| vec![conditions(object, &Delivery::Served { pods: 1 })];
    verdicts.set(&engine, served(&first), None);
    assert!(
        verdicts
            .status(&first, &Status::None, selected, false, "1")
            .is_some()
    );
    assert_eq!(
        verdicts.status(&second, &Status::None, selected, false, "1"),
        None
    );
    let refused = Delivery::Refused {
        message: "no such table".to_owned(),
    };
    verdicts.set(&engine, vec![conditions(&first, &refused)], None);
    assert_eq!(verdicts.refusal(&first, selected), Some(Reason::Refused));
    assert_eq!(verdicts.refusal(&second, selected), None);
    verdicts.set(&engine, served(&first), None);
    let changed = verdicts.set(&engine, served(&second), None);
    assert_eq!(
        changed,
        std::slice::from_ref(&second.key),
        "the words are the same"
    );
    assert!(
        verdicts
            .status(&second, &Status::None, selected, false, "1")
            .is_some()
    );
}

#[test]
fn an_engine_tells_its_facts() {
    let engine = object(Kind::Engine, "e", 1);
    let mut verdicts = Verdicts::default();
    let facts = Facts {
        replicas: 3,
        ready_replicas: 2,
        objects: 7,
        ..Facts::default()
    };
    let list = || vec![conditions(&engine, &Delivery::NoReadyPod)];
    verdicts.set(&engine.key, list(), Some(facts.clone()));
    let status = verdicts
        .status(
            &engine,
            &Status::None,
            std::slice::from_ref(&engine.key),
            false,
            "1",
        )
        .expect("a status");
    assert_eq!(top(&status).message, "the engine has no ready pod");
    let Status::Engine(status) = status else {
        panic!("of another kind")
    };
    assert_eq!(
        (status.replicas, status.ready_replicas, status.objects),
        (Some(3), Some(2), Some(7))
    );
    let more = Facts {
        ready_replicas: 3,
        ..facts
    };
    assert_eq!(
        verdicts.set(&engine.key, list(), Some(more)),
        std::slice::from_ref(&engine.key)
    );
}

#[test]
fn a_refusal_that_stands_is_stalled() {
    let (engine, table) = (key(Kind::Engine, "e"), object(Kind::Table, "t", 2));
    let mut verdicts = Verdicts::default();
    let refused = Delivery::Refused {
        message: "no such table".to_owned(),
    };
    verdicts.set(&engine, vec![conditions(&table, &refused)], None);
    let selected = std::slice::from_ref(&engine);
    assert_eq!(verdicts.refusal(&table, selected), Some(Reason::Refused));
    let later = object(Kind::Table, "t", 3);
    assert_eq!(verdicts.refusal(&later, selected), None, "of another form");
    assert_eq!(verdicts.refusal(&later, &[]), Some(Reason::NotSelected));
    let status =
        |known: &Status, stalled| verdicts.status(&table, known, std::slice::from_ref(&engine), stalled, "1");
    let first = status(&Status::None, false).expect("a status");
    assert_eq!(stalled_by(&first, 2), None);
    let second = status(&first, true).expect("another status");
    assert_eq!(stalled_by(&second, 2), Some(Reason::Refused));
    assert_eq!(stalled_by(&second, 3), None);
    assert_eq!(top(&second).kind, ConditionType::Ready);
    verdicts.set(&engine, vec![conditions(&table, &Delivery::NoReadyPod)], None);
    assert_eq!(verdicts.refusal(&table, selected), None, "pods may come");
}

/// One engine waits for its pods and another refuses: what stands is what the other says.
#[test]
fn a_refusal_that_stands_is_told_in_the_words_of_who_refuses() {
    let (one, two) = (key(Kind::Engine, "e"), key(Kind::Engine, "f"));
    let table = object(Kind::Table, "t", 2);
    let mut verdicts = Verdicts::default();
    verdicts.set(&one, vec![conditions(&table, &Delivery::NoReadyPod)], None);
    let refused = Delivery::Refused {
        message: "no such table".to_owned(),
    };
    verdicts.set(&two, vec![conditions(&table, &refused)], None);
    let status = verdicts
        .status(&table, &Status::None, &[one, two], true, "1")
        .expect("a status");
    assert_eq!(top(&status).reason, Reason::NoReadyPod);
    let Status::Object(status) = status else {
        panic!("of another kind")
    };
    let told = status.conditions.expect("conditions");
    let stalled = told.iter().find(|one| one.kind == ConditionType::Stalled);
    let stalled = stalled.map(|one| (one.reason, one.message.as_str()));
    assert_eq!(stalled, Some((Reason::Refused, "n/f: no such table")));
}
