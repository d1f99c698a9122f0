//! What holds for every world: the order does not matter, and one bad or missing object costs only its dependents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use compile::{
    Compiled, LastAccepted, Object, ObjectKey, Objection, Published, Serving, Snapshot, compile,
    compile_against,
};
use crd::Kind;
use crd::status::Reason;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::world::world;

fn fresh(objects: Vec<Object>) -> Compiled {
    compile(&Snapshot::new(objects), &LastAccepted::nothing())
}

/// The hashes of the published parts.
fn hashes(compiled: &Compiled) -> BTreeMap<ObjectKey, String> {
    compiled
        .published
        .iter()
        .map(|entry| (entry.object.clone(), entry.hash.clone()))
        .collect()
}

/// The object and everything that needs it.
fn dependents(objects: &[Object], key: &ObjectKey) -> BTreeSet<ObjectKey> {
    let mut out = BTreeSet::from([key.clone()]);
    loop {
        let before = out.len();
        for object in objects {
            let refers = ["sourceRef", "tableRef", "remoteSchemaRef", "collectionRef"]
                .iter()
                .any(|field| {
                    let reference = object.spec.get(field);
                    let name = reference
                        .as_ref()
                        .and_then(|reference| reference["name"].as_str());
                    let kind = match *field {
                        "sourceRef" => Kind::Source,
                        "tableRef" => Kind::Table,
                        "remoteSchemaRef" => Kind::RemoteSchema,
                        _ => Kind::QueryCollection,
                    };
                    name.is_some_and(|name| out.iter().any(|other| other.kind == kind && other.name == name))
                });
            let mentions = object.spec.get("remoteRelationships").is_some()
                && out.iter().any(|other| other.kind == Kind::RemoteSchema);
            if refers || mentions {
                out.insert(object.key.clone());
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

fn check_only_dependents_change(objects: &[Object], key: &ObjectKey, after: &Compiled) {
    let before = hashes(&fresh(objects.to_vec()));
    let out = dependents(objects, key);
    let expected: BTreeMap<_, _> = before.into_iter().filter(|(key, _)| !out.contains(key)).collect();
    assert_eq!(hashes(after), expected, "{key}");
    for verdict in &after.verdicts {
        assert_eq!(
            verdict.refusal.is_some(),
            out.contains(&verdict.object),
            "{verdict:?}"
        );
    }
}

#[test]
fn the_whole_world_is_accepted() {
    let compiled = fresh(world(20, 3));
    let refused: Vec<_> = compiled
        .verdicts
        .iter()
        .filter(|verdict| verdict.refusal.is_some())
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(compiled.verdicts.len(), compiled.published.len());
    let (read, warnings) = metadata::Document::parse(&compiled.document.to_json()).expect("a document");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(read.to_text(), compiled.document.to_text());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_gives_the_same_bytes(seed in Just(()).prop_perturb(|(), rng| rng), tables in 1_usize..12) {
        let objects = world(tables, 2);
        let mut shuffled = objects.clone();
        let mut rng = seed;
        for index in (1..shuffled.len()).rev() {
            let other = (rng.next_u32() as usize) % (index + 1);
            shuffled.swap(index, other);
        }
        let (one, two) = (fresh(objects), fresh(shuffled));
        prop_assert_eq!(one.document.to_text(), two.document.to_text());
        prop_assert_eq!(one, two);
    }

    #[test]
    fn one_removed(index in any::<Index>()) {
        let objects = world(8, 2);
        let removed = objects[index.index(objects.len())].key.clone();
        let rest: Vec<Object> = objects.iter().filter(|object| object.key != removed).cloned().collect();
        check_only_dependents_change(&objects, &removed, &fresh(rest));
    }

    #[test]
    fn one_broken(index in any::<Index>()) {
        let objects = world(8, 2);
        let index = index.index(objects.len());
        let mut broken = objects.clone();
        broken[index].spec.change(|spec| spec["typo"] = json!(1));
        check_only_dependents_change(&objects, &objects[index].key, &fresh(broken));
    }

    #[test]
    fn one_broken_goes_on_in_its_last_form(index in any::<Index>()) {
        let objects = world(8, 2);
        let index = index.index(objects.len());
        let before = fresh(objects.clone());
        let mut broken = objects.clone();
        broken[index].spec.change(|spec| spec["typo"] = json!(1));
        broken[index].generation = 2;
        // As it is read back from a cluster: through text.
        let text = before.document.to_text();
        let (document, _) = metadata::Document::parse(&serde_json::from_str(&text).expect("JSON")).expect("a document");
        let published: Vec<Published> = before
            .published
            .iter()
            .map(|entry| Published::from_json(&entry.to_json()).expect("its own form"))
            .collect();
        let after = compile(&Snapshot::new(broken.clone()), &LastAccepted::read(&document, &published));
        prop_assert_eq!(after.document.to_text(), text);
        prop_assert_eq!(&after.published, &before.published);
        prop_assert_eq!(&after.secrets, &before.secrets);
        for verdict in &after.verdicts {
            let is_broken = verdict.object == broken[index].key;
            prop_assert_eq!(verdict.refusal.is_some(), is_broken);
            let expected = if is_broken { Serving::Last(1) } else { Serving::Present };
            prop_assert_eq!(verdict.serving, expected);
        }
        broken[index].spec.change(|spec| spec["onInvalid"] = json!("Remove"));
        let removed = compile(&Snapshot::new(broken), &LastAccepted::read(&document, &published));
        // What only mentions it goes on in its last form.
        let mentioned = objects[index].key.kind == Kind::RemoteSchema;
        let out = dependents(&objects, &objects[index].key);
        let out = out.iter().filter(|key| !mentioned || matches!(key.kind, Kind::RemoteSchema | Kind::RemoteSchemaPermission));
        let out: BTreeSet<&ObjectKey> = out.collect();
        prop_assert_eq!(removed.published.len(), objects.len() - out.len());
        for entry in &removed.published {
            prop_assert!(!out.contains(&entry.object), "{:?}", entry.object);
        }
    }
}

/// Measured in release builds; a debug build only has to get through.
#[test]
fn ten_thousand_objects() {
    let objects = world(1_650, 5);
    assert!(objects.len() >= 10_000, "{}", objects.len());
    let snapshot = Snapshot::new(objects);
    let start = Instant::now();
    let compiled = compile(&snapshot, &LastAccepted::nothing());
    let text = compiled.document.to_text();
    let elapsed = start.elapsed();
    assert!(text.len() > 1_000_000);
    if cfg!(not(debug_assertions)) {
        assert!(elapsed.as_millis() < 1_000, "{elapsed:?}");
    }
}

#[test]
fn an_engine_takes_what_it_selects() {
    let shared = |objects: &[Object]| objects.iter().cloned().map(Arc::new).collect::<Vec<_>>();
    let mut objects = world(3, 1);
    let engine_at = objects
        .iter()
        .position(|object| object.key.kind == Kind::Engine)
        .expect("an engine");
    let mut engine = objects.remove(engine_at);
    let select = |engine: &Object, objects: &[Object]| {
        Snapshot::of_engine(&Arc::new(engine.clone()), &shared(objects), &BTreeMap::new())
    };
    assert_eq!(select(&engine, &objects).objects().len(), objects.len() + 1);
    engine
        .spec
        .change(|spec| spec["objectSelector"] = json!({"matchLabels": {"app": "shop"}}));
    for object in objects
        .iter_mut()
        .filter(|object| object.key.kind == Kind::Source)
    {
        object.labels.insert("app".to_owned(), "shop".to_owned());
    }
    let selected = select(&engine, &objects);
    let kinds: Vec<Kind> = selected.objects().iter().map(|object| object.key.kind).collect();
    assert_eq!(kinds, [Kind::Engine, Kind::Source]);
    engine.key.namespace = "elsewhere".to_owned();
    assert_eq!(select(&engine, &objects).objects().len(), 1);
}

#[test]
fn an_objection_holds_for_the_form_it_is_about() {
    let mut objects = world(2, 1);
    let first = compile(&Snapshot::new(objects.clone()), &LastAccepted::nothing());
    let at = objects
        .iter()
        .position(|object| object.key.kind == Kind::Permission)
        .expect("a permission");
    let objection = Objection {
        uid: objects[at].uid.clone(),
        generation: objects[at].generation + 1,
        reason: Reason::Refused,
        path: "spec.select".to_owned(),
        message: "no such column".to_owned(),
    };
    let last = LastAccepted::read(&first.document, &first.published);
    let snapshot = Snapshot::new(objects.clone());
    assert_eq!(
        compile_against(&snapshot, &last, std::slice::from_ref(&objection)),
        first
    );
    objects[at].generation += 1;
    objects[at]
        .spec
        .change(|spec| spec["select"]["columns"] = json!(["of_no_table"]));
    let snapshot = Snapshot::new(objects.clone());
    let kept = compile_against(&snapshot, &last, std::slice::from_ref(&objection));
    assert_eq!(kept.document, first.document);
    let verdict = kept
        .verdicts
        .iter()
        .find(|verdict| verdict.uid == objection.uid)
        .expect("a verdict");
    let refusal = verdict.refusal.as_ref().expect("refused");
    assert_eq!(refusal.to_string(), "spec.select: no such column");
    assert_eq!(verdict.serving, Serving::Last(objection.generation - 1));
    let refused = kept.verdicts.iter().filter(|verdict| verdict.refusal.is_some());
    assert_eq!(refused.count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several broken ones among a thousand: out are they and what needs them, and nothing else changes.
    #[test]
    fn several_broken_among_a_thousand(indexes in prop::collection::vec(any::<Index>(), 2..9)) {
        let objects = world(330, 2);
        prop_assert!(objects.len() >= 990, "{}", objects.len());
        let mut broken = objects.clone();
        let mut out = BTreeSet::new();
        for index in indexes {
            let index = index.index(objects.len());
            broken[index].spec.change(|spec| spec["typo"] = json!(1));
            out.extend(dependents(&objects, &objects[index].key));
        }
        let after = fresh(broken);
        let before = hashes(&fresh(objects));
        let expected: BTreeMap<_, _> = before.into_iter().filter(|(key, _)| !out.contains(key)).collect();
        prop_assert_eq!(hashes(&after), expected);
        for verdict in &after.verdicts {
            prop_assert_eq!(verdict.refusal.is_some(), out.contains(&verdict.object), "{:?}", verdict);
        }
    }
}
