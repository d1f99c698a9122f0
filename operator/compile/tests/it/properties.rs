//! What holds for every world: the order does not matter, and one bad or missing object costs only its dependents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use compile::{
    Compiled, LastAccepted, Object, ObjectKey, Objection, Published, SecretKey, Serving, Snapshot, compile,
    compile_against,
};
use crd::Kind;
use crd::status::Reason;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRng;
use serde_json::{Value, json};

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

/// Fields that refer to objects.
const REFERENCES: [(&str, Kind); 4] = [
    ("sourceRef", Kind::Source),
    ("tableRef", Kind::Table),
    ("remoteSchemaRef", Kind::RemoteSchema),
    ("collectionRef", Kind::QueryCollection),
];

/// What an object refers to.
fn references(object: &Object) -> Vec<ObjectKey> {
    let found = REFERENCES.iter().filter_map(|(field, kind)| {
        let reference = object.spec.get(field)?;
        let namespace = reference["namespace"].as_str().unwrap_or(&object.key.namespace);
        Some(ObjectKey {
            kind: *kind,
            namespace: namespace.to_owned(),
            name: reference["name"].as_str()?.to_owned(),
        })
    });
    found.collect()
}

/// The sources and remote schemas that are named in a value by their names in the document.
fn named_in(value: &Value, found: &mut Vec<(Kind, String)>) {
    for (key, inner) in value.as_object().into_iter().flatten() {
        match (key.as_str(), inner.as_str()) {
            ("source", Some(name)) => found.push((Kind::Source, name.to_owned())),
            ("remoteSchema", Some(name)) => found.push((Kind::RemoteSchema, name.to_owned())),
            _ => named_in(inner, found),
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        named_in(inner, found);
    }
}

/// What an object mentions.
fn mentions(objects: &[Object], object: &Object) -> Vec<ObjectKey> {
    let mut names = Vec::new();
    for field in ["remoteRelationships", "types"] {
        if let Some(value) = object.spec.get(field) {
            named_in(&value, &mut names);
        }
    }
    let declares = |other: &&Object, (kind, name): &(Kind, String)| {
        other.key.kind == *kind
            && other
                .spec
                .get("name")
                .is_some_and(|own| own.as_str() == Some(name.as_str()))
    };
    let found = names
        .iter()
        .filter_map(|name| objects.iter().find(|other| declares(other, name)));
    found.map(|other| other.key.clone()).collect()
}

/// Whether a grant is the one by which an object speaks of another.
fn permits(grant: &Object, from: &ObjectKey, to: &ObjectKey) -> bool {
    let kind = |list: &str, kind: Kind| {
        let list = grant.spec.get(list);
        list.is_some_and(|list| list[0]["kind"].as_str() == Some(kind.as_str()))
    };
    let apart = from.namespace != to.namespace && grant.key.namespace == to.namespace;
    apart && grant.key.kind == Kind::ReferenceGrant && kind("from", from.kind) && kind("to", to.kind)
}

/// How an object needs another.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    /// It belongs to it, or the other permits what it says.
    Held,
    /// It mentions it.
    Mentioned,
}

/// Each object with what it needs.
fn needs(objects: &[Object]) -> Vec<(ObjectKey, ObjectKey, Needs)> {
    let mut found = Vec::new();
    let grants: Vec<&Object> = objects
        .iter()
        .filter(|object| object.key.kind == Kind::ReferenceGrant)
        .collect();
    for object in objects {
        let references = references(object).into_iter().map(|key| (key, Needs::Held));
        let mentions = mentions(objects, object)
            .into_iter()
            .map(|key| (key, Needs::Mentioned));
        for (target, how) in references.chain(mentions) {
            for grant in grants.iter().filter(|grant| permits(grant, &object.key, &target)) {
                found.push((object.key.clone(), grant.key.clone(), Needs::Held));
            }
            found.push((object.key.clone(), target, how));
        }
    }
    found
}

/// The object and everything that needs it, in one of these ways.
fn dependents_by(objects: &[Object], key: &ObjectKey, ways: &[Needs]) -> BTreeSet<ObjectKey> {
    let needs = needs(objects);
    let mut out = BTreeSet::from([key.clone()]);
    loop {
        let before = out.len();
        for (object, target, how) in &needs {
            if ways.contains(how) && out.contains(target) {
                out.insert(object.clone());
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

/// The object and everything that needs it.
fn dependents(objects: &[Object], key: &ObjectKey) -> BTreeSet<ObjectKey> {
    dependents_by(objects, key, &[Needs::Held, Needs::Mentioned])
}

/// What goes with the object where everything has a last form: what mentions it goes on in its own.
fn held(objects: &[Object], key: &ObjectKey) -> BTreeSet<ObjectKey> {
    dependents_by(objects, key, &[Needs::Held])
}

/// What was published, as it is read back from a cluster: through text.
fn read_back(before: &Compiled) -> LastAccepted {
    let text = before.document.to_text();
    let (document, _) =
        metadata::Document::parse(&serde_json::from_str(&text).expect("JSON")).expect("a document");
    let published: Vec<Published> = before
        .published
        .iter()
        .map(|entry| Published::from_json(&entry.to_json()).expect("its own form"))
        .collect();
    LastAccepted::read(&document, &published)
}

fn hashes_but(objects: &[Object], out: &BTreeSet<ObjectKey>) -> BTreeMap<ObjectKey, String> {
    let before = hashes(&fresh(objects.to_vec()));
    before.into_iter().filter(|(key, _)| !out.contains(key)).collect()
}

/// An object that declares the same under another name.
fn copied(object: &Object, namespace: &str, name: &str) -> Object {
    let mut copy = object.clone();
    copy.key.namespace = namespace.to_owned();
    copy.key.name = name.to_owned();
    copy.uid = format!("copy of {}", object.uid);
    copy
}

fn ages() -> impl Strategy<Value = String> {
    (1..4_u8).prop_map(|day| format!("2026-01-0{day}T00:00:00Z"))
}

fn shuffled(mut objects: Vec<Object>, mut rng: TestRng) -> Vec<Object> {
    for index in (1..objects.len()).rev() {
        let other = (rng.next_u32() as usize) % (index + 1);
        objects.swap(index, other);
    }
    objects
}

fn check_only_dependents_change(objects: &[Object], key: &ObjectKey, after: &Compiled) {
    let out = dependents(objects, key);
    assert_eq!(hashes(after), hashes_but(objects, &out), "{key}");
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
    let objects = world(20, 3);
    for &kind in Kind::ALL {
        assert!(objects.iter().any(|object| object.key.kind == kind), "{kind}");
    }
    let compiled = fresh(objects);
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

    /// With ages and ties of them, duplicates, bad edits, and last forms of some.
    #[test]
    fn any_order_gives_the_same_bytes(
        rng in Just(()).prop_perturb(|(), rng| rng),
        tables in 8_usize..12,
        created in prop::collection::vec(ages(), 7..8),
        doubled in prop::collection::vec((any::<Index>(), ages(), any::<bool>()), 0..12),
        spoiled in prop::collection::vec(any::<Index>(), 0..6),
        published in prop::collection::vec(any::<bool>(), 11..12),
    ) {
        let mut objects = world(tables, 2);
        for (object, created) in objects.iter_mut().zip(created.iter().cycle()) {
            object.created.clone_from(created);
        }
        let known = objects.iter().zip(published.iter().cycle()).filter(|(_, published)| **published);
        let last = read_back(&fresh(known.map(|(object, _)| object.clone()).collect()));
        for (at, (index, created, elsewhere)) in doubled.into_iter().enumerate() {
            let object = objects[index.index(objects.len())].clone();
            let namespace = if elsewhere { "data" } else { &object.key.namespace };
            let mut copy = copied(&object, namespace, &format!("copy-{at}"));
            copy.uid = format!("{} {at}", copy.uid);
            copy.created = created;
            objects.push(copy);
        }
        for index in spoiled {
            let index = index.index(objects.len());
            objects[index].spec.change(|spec| spec["typo"] = json!(1));
            objects[index].generation = 2;
        }
        let mixed = shuffled(objects.clone(), rng);
        for last in [LastAccepted::nothing(), last] {
            let one = compile(&Snapshot::new(objects.clone()), &last);
            let two = compile(&Snapshot::new(mixed.clone()), &last);
            prop_assert_eq!(one.document.to_text(), two.document.to_text());
            prop_assert_eq!(one, two);
        }
    }

    /// Of two that declare the same the older stays, and of two of one age the first by namespace and name; out are the
    /// other and what belongs to it.
    #[test]
    fn one_doubled(index in any::<Index>(), created in ages(), other in ages(), first in any::<bool>()) {
        let objects = world(8, 2);
        let object = &objects[index.index(objects.len())];
        prop_assume!(object.key.kind != Kind::ReferenceGrant);
        let mut aged = objects.clone();
        for one in &mut aged {
            one.created.clone_from(&created);
        }
        let name = format!("{}{}", if first { "a-" } else { "z-" }, object.key.name);
        let mut copy = copied(object, &object.key.namespace, &name);
        copy.created = other;
        let wins = (&copy.created, &copy.key.name) < (&created, &object.key.name);
        let mut out = BTreeSet::from([copy.key.clone()]);
        if wins {
            // It has what its twin had, in whose name others speak.
            out = held(&objects, &object.key);
        }
        let winner = copy.key.clone();
        let before = hashes_but(&aged, &out);
        aged.push(copy);
        let after = fresh(aged);
        let mut found = hashes(&after);
        prop_assert_eq!(found.remove(&winner).is_some(), wins);
        prop_assert_eq!(found, before);
        for verdict in &after.verdicts {
            prop_assert_eq!(verdict.refusal.is_some(), out.contains(&verdict.object), "{:?}", verdict);
        }
    }

    /// What belonged to it goes with it, with its consent what was said by it; what only mentions it goes on as it was.
    #[test]
    fn one_removed_after_it_was_published(index in any::<Index>()) {
        let objects = world(8, 2);
        let removed = objects[index.index(objects.len())].key.clone();
        let last = read_back(&fresh(objects.clone()));
        let rest: Vec<Object> = objects.iter().filter(|object| object.key != removed).cloned().collect();
        let after = compile(&Snapshot::new(rest), &last);
        prop_assert_eq!(hashes(&after), hashes_but(&objects, &held(&objects, &removed)));
        // What belongs to what goes on has nothing to say.
        let mut out = held(&objects, &removed);
        let mentioned = needs(&objects).into_iter().filter(|(_, target, _)| out.contains(target));
        let mentioned: Vec<ObjectKey> = mentioned.map(|(object, ..)| object).collect();
        out.extend(mentioned);
        for verdict in &after.verdicts {
            prop_assert_eq!(verdict.refusal.is_some(), out.contains(&verdict.object), "{:?}", verdict);
        }
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
        let last = read_back(&before);
        let after = compile(&Snapshot::new(broken.clone()), &last);
        if objects[index].key.kind == Kind::ReferenceGrant {
            // A consent that cannot be read is none.
            let out = held(&objects, &objects[index].key);
            prop_assert_eq!(hashes(&after), hashes_but(&objects, &out));
        } else {
            prop_assert_eq!(after.document.to_text(), before.document.to_text());
            prop_assert_eq!(&after.published, &before.published);
            prop_assert_eq!(&after.secrets, &before.secrets);
            for verdict in &after.verdicts {
                let is_broken = verdict.object == broken[index].key;
                prop_assert_eq!(verdict.refusal.is_some(), is_broken);
                let expected = if is_broken { Serving::Last(1) } else { Serving::Present };
                prop_assert_eq!(verdict.serving, expected);
            }
        }
        broken[index].spec.change(|spec| spec["onInvalid"] = json!("Remove"));
        let removed = compile(&Snapshot::new(broken), &last);
        // What only mentions it goes on in its last form.
        prop_assert_eq!(hashes(&removed), hashes_but(&objects, &held(&objects, &objects[index].key)));
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
    let is_grant = |object: &&Object| object.key.kind == Kind::ReferenceGrant;
    let grants = objects.iter().filter(is_grant).count();
    let own = objects
        .iter()
        .filter(|object| object.key.namespace == "shop")
        .count();
    assert_eq!(select(&engine, &objects).objects().len(), own + grants + 1);
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
    let consents = [Kind::ReferenceGrant, Kind::ReferenceGrant];
    let expected = [&[Kind::Engine, Kind::Source][..], &consents[..]].concat();
    assert_eq!(BTreeSet::from_iter(&kinds), BTreeSet::from_iter(&expected));
    assert_eq!(kinds.len(), expected.len());
    engine.key.namespace = "elsewhere".to_owned();
    assert_eq!(select(&engine, &objects).objects().len(), 1 + grants);
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

/// Whoever may write what was published could say anything there: an object's last form is its own, with Secrets of its
/// own namespace.
#[test]
fn a_last_form_of_somebody_else_is_none() {
    let mut objects = world(2, 1);
    let first = compile(&Snapshot::new(objects.clone()), &LastAccepted::nothing());
    let at = objects
        .iter()
        .position(|object| object.key.kind == Kind::Permission)
        .expect("a permission");
    objects[at]
        .spec
        .change(|spec| spec["select"]["columns"] = json!(5));
    let broken = objects[at].clone();
    let snapshot = Snapshot::new(objects);
    let serving = |change: &dyn Fn(&mut Published)| {
        let mut published = first.published.clone();
        let entry = published.iter_mut().find(|entry| entry.uid == broken.uid);
        change(entry.expect("its entry"));
        let made = compile(&snapshot, &LastAccepted::read(&first.document, &published));
        let mut verdicts = made.verdicts.into_iter();
        let verdict = verdicts.find(|verdict| verdict.uid == broken.uid);
        (verdict.expect("a verdict").serving, made.secrets)
    };
    let secret = |namespace: &str| SecretKey {
        namespace: namespace.to_owned(),
        name: "db".to_owned(),
        key: "password".to_owned(),
    };
    let (kept, _) = serving(&|_| {});
    assert_eq!(kept, Serving::Last(broken.generation));
    let own = secret(&broken.key.namespace);
    let (kept, secrets) = serving(&|entry| entry.secrets.push(own.clone()));
    assert_eq!(kept, Serving::Last(broken.generation));
    assert!(secrets.contains(&own));
    let changes: [&dyn Fn(&mut Published); 3] = [
        &|entry| entry.secrets.push(secret("of-others")),
        &|entry| entry.object.name.push('x'),
        &|entry| {
            entry.object.namespace = "of-others".to_owned();
            entry.secrets.push(secret("of-others"));
        },
    ];
    for change in changes {
        let (serving, secrets) = serving(change);
        assert_eq!(serving, Serving::Nothing);
        assert!(!secrets.contains(&secret("of-others")));
    }
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

/// However long a chain of remote schemas is that hangs on one that is not there, all of it goes, and nothing else.
#[test]
fn a_long_chain_without_an_end_is_refused() {
    let schema = |name: &str, next: Option<String>| {
        let mut spec = json!({"name": name, "url": "https://x/graphql"});
        if let Some(next) = next {
            let relationship = json!({"name": "r", "toRemoteSchema": {
                "remoteSchema": next, "lhsFields": ["id"], "remoteField": [{"field": "x", "arguments": {}}],
            }});
            spec["remoteRelationships"] = json!([{"typeName": "T", "relationships": [relationship]}]);
        }
        let value = json!({
            "apiVersion": crd::API_VERSION, "kind": "RemoteSchema", "spec": spec,
            "metadata": {"name": name, "namespace": "shop", "uid": name, "generation": 1},
        });
        Object::from_json(&value, "shop").expect("an object")
    };
    let mut objects: Vec<Object> = (0..2_000)
        .map(|at| schema(&format!("s{at}"), Some(format!("s{}", at + 1))))
        .collect();
    objects.push(schema("good", None));
    let compiled = compile(&Snapshot::new(objects), &LastAccepted::nothing());
    let published: Vec<&str> = compiled
        .published
        .iter()
        .map(|entry| entry.uid.as_str())
        .collect();
    assert_eq!(published, ["good"]);
    let refused = compiled
        .verdicts
        .iter()
        .filter(|verdict| verdict.refusal.is_some());
    assert_eq!(refused.count(), 2_000);
}
