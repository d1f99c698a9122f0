//! What an API server makes of the definitions in `crds/`: what it accepts, keeps, refuses, and with which words.

mod bound;
mod every_place;
mod instance;
mod rule;

use std::collections::BTreeSet;

use crd::Kind;
use crd::definition::spec_schema;
use crd::reference::example;
use e2e::cluster::parse_objects;
use e2e::story::Story;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use instance::least;
use rule::{Break, breaks, rules};

const NEEDS: &str = "needs a cluster: e2e/run";

/// An object of a kind around a spec.
fn object(kind: Kind, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": crd::API_VERSION, "kind": kind.as_str(), "metadata": {"name": name}, "spec": spec})
}

fn of_example(kind: Kind) -> Value {
    let objects = parse_objects(example(kind)).expect("YAML");
    let found = objects.into_iter().find(|one| one["kind"] == kind.as_str());
    let mut found = found.expect("an example of the kind");
    let metadata = found["metadata"].as_object_mut().expect("metadata");
    metadata.remove("namespace");
    found
}

/// What the API server says to an object that it must refuse.
async fn refusal(story: &Story, object: &Value) -> String {
    match story.apply(object).await {
        Ok(kept) => panic!("{object} was accepted: {kept}"),
        Err(error) => error.to_string(),
    }
}

/// Nothing is defaulted, dropped or rounded: what a reference page shows is what is kept.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn examples_are_kept_as_they_are() {
    let story = Story::begin("examples").await.expect(NEEDS);
    for &kind in Kind::ALL {
        let example = of_example(kind);
        let kept = story
            .apply(&example)
            .await
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(kept["spec"], example["spec"], "{kind}");
        // Until the operator has looked, tools see something to wait for.
        if kind != Kind::ReferenceGrant {
            let found = e2e::story::condition_of(&kept, "Ready");
            assert_eq!(found["type"], "Ready", "{kind}: {kept}");
        }
    }
    story.end().await.expect("the end");
}

/// The least object of each kind, which is required fields alone.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn least_objects_are_accepted() {
    let story = Story::begin("least").await.expect(NEEDS);
    for &kind in Kind::ALL {
        let spec = least(&spec_schema(kind));
        if let Err(error) = story.apply(&object(kind, "least", &spec)).await {
            panic!("{kind} {spec}: {error}");
        }
    }
    story.end().await.expect("the end");
}

/// Each CEL rule of each kind, at every place it stands, refuses what it is there to refuse, with its own message.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn each_rule_refuses() {
    let story = Story::begin("rules").await.expect(NEEDS);
    let mut tried = 0;
    for &kind in Kind::ALL {
        let schema = spec_schema(kind);
        for rule in rules(&schema) {
            for (index, one) in breaks(&schema, &rule).into_iter().enumerate() {
                let at = format!("{kind} {} ({})", rule.path, rule.message);
                let name = format!("probe-{tried}-{index}");
                let said = match one {
                    Break::Spec(spec) => refusal(&story, &object(kind, &name, &spec)).await,
                    Break::Change(before, after) => {
                        let before = story.apply(&object(kind, &name, &before)).await;
                        before.unwrap_or_else(|error| panic!("{at}: {error}"));
                        refusal(&story, &object(kind, &name, &after)).await
                    }
                };
                assert!(said.contains(&rule.message), "{at}: {said}");
                let field = rule
                    .path
                    .split('.')
                    .next_back()
                    .unwrap_or_default()
                    .trim_end_matches("[0]");
                assert!(said.contains(field), "{at} is named: {said}");
            }
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried} rules");
    story.end().await.expect("the end");
}

/// An Engine whose name is too long for a label is refused at once; one that fits is taken.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn names_of_engines_are_short() {
    let story = Story::begin("names").await.expect(NEEDS);
    let engine = |length: usize| object(Kind::Engine, &"a".repeat(length), &json!({"paused": true}));
    let said = refusal(&story, &engine(crd::engine::MOST_NAME + 1)).await;
    assert!(said.contains("at most 52 characters"), "{said}");
    let fits = story.apply(&engine(crd::engine::MOST_NAME)).await;
    fits.expect("it is accepted");
    story.end().await.expect("the end");
}

/// Tools differ in what they ask for. Either way a misspelt field widens nothing: what it would have restricted is
/// required.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn misspelt_fields_widen_nothing() {
    let story = Story::begin("misspelt").await.expect(NEEDS);
    for &kind in Kind::ALL {
        let mut spec = least(&spec_schema(kind));
        spec["misspelt"] = json!(1);
        let said = refusal(&story, &object(kind, "strict", &spec)).await;
        assert!(said.contains(".spec.misspelt"), "{kind}: {said}");
        let cluster = &story.cluster;
        let lax = object(kind, "lax", &spec);
        let kept = cluster.create(&lax, &story.namespace);
        let kept = kept.await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(kept["spec"].get("misspelt"), None, "{kind}");
    }
    let permission = |verb: Value| {
        let spec = json!({"tableRef": {"name": "album"}, "role": "customer"});
        let mut spec = spec.as_object().cloned().unwrap_or_default();
        spec.extend(verb.as_object().cloned().unwrap_or_default());
        object(Kind::Permission, "narrow", &Value::Object(spec))
    };
    for (verb, missing) in [
        (
            json!({"select": {"columns": ["id"], "fliter": {"id": {"_eq": 1}}}}),
            "spec.select.filter",
        ),
        (
            json!({"select": {"colums": ["id"], "filter": {}}}),
            "spec.select.columns",
        ),
        (
            json!({"insert": {"columns": ["id"], "chek": {"id": {"_eq": 1}}}}),
            "spec.insert.check",
        ),
        (
            json!({"update": {"columns": ["id"], "filter": {}}}),
            "spec.update.check",
        ),
        (
            json!({"update": {"columns": ["id"], "check": {}}}),
            "spec.update.filter",
        ),
        (json!({"delete": {}}), "spec.delete.filter"),
    ] {
        let lax = permission(verb);
        let kept = story.cluster.create(&lax, &story.namespace).await;
        let said = kept.expect_err("it lacks a required field").to_string();
        assert!(said.contains(&format!("{missing}: Required value")), "{said}");
    }
    story.end().await.expect("the end");
}

/// `null` is never a value: a merge patch deletes by it. Numbers with a fraction are texts.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn nulls_and_fractions() {
    let story = Story::begin("nulls").await.expect(NEEDS);
    let mut source = of_example(Kind::Source);
    source["spec"]["connection"]["pool"]["poolTimeoutSeconds"] = json!(null);
    let said = refusal(&story, &source).await;
    assert!(said.contains("poolTimeoutSeconds"), "{said}");
    source["spec"]["connection"]["pool"]["poolTimeoutSeconds"] = json!(0.5);
    let said = refusal(&story, &source).await;
    assert!(said.contains("poolTimeoutSeconds"), "{said}");
    source["spec"]["connection"]["pool"]["poolTimeoutSeconds"] = json!("half a second");
    let said = refusal(&story, &source).await;
    assert!(said.contains("should match"), "{said}");
    for good in [json!("0.5"), json!(10)] {
        source["spec"]["connection"]["pool"]["poolTimeoutSeconds"] = good.clone();
        let kept = story.apply(&source).await.expect("it is accepted");
        assert_eq!(kept["spec"]["connection"]["pool"]["poolTimeoutSeconds"], good);
    }
    let change = json!({"spec": {"connection": {"pool": {"poolTimeoutSeconds": null}}}});
    let kept = story
        .cluster
        .merge(&source, &change, &story.namespace)
        .await
        .expect("a patch");
    assert_eq!(kept["spec"]["connection"]["pool"].get("poolTimeoutSeconds"), None);
    story.end().await.expect("the end");
}

/// A text under `$json` comes back to the byte; the same written as JSON does not, which is why import writes a text.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn exact_json_stays_exact() {
    let story = Story::begin("exact").await.expect(NEEDS);
    let text = r#"{"z":1.10,"a":{"_is_null":null},"n":12345678901234567890.5,"b":[1e400,-0.0]}"#;
    let spec = |filter: Value| {
        let select = json!({"columns": ["id"], "filter": filter});
        json!({"tableRef": {"name": "album"}, "role": "customer", "select": select})
    };
    let exact = object(Kind::Permission, "exact", &spec(json!({"$json": text})));
    story.apply(&exact).await.expect("it is accepted");
    let kept = story.get(&exact).await.expect("an answer").expect("it is there");
    assert_eq!(kept["spec"]["select"]["filter"]["$json"], text);

    let plain: Value = serde_json::from_str(r#"{"z":{"_eq":1.10},"a":{"_eq":1}}"#).expect("JSON");
    let changed = object(Kind::Permission, "plain", &spec(plain));
    story.apply(&changed).await.expect("it is accepted");
    let kept = story
        .get(&changed)
        .await
        .expect("an answer")
        .expect("it is there");
    let filter = kept["spec"]["select"]["filter"].to_string();
    assert_eq!(filter, r#"{"a":{"_eq":1},"z":{"_eq":1.1}}"#);
    story.end().await.expect("the end");
}

/// Two people apply parts of one object: lists by name are merged, JSON of the author's is one value, and nobody's field
/// is taken from them.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn parts_from_two_people() {
    let story = Story::begin("two").await.expect(NEEDS);
    let table = |spec: Value| {
        let mut whole = json!({"sourceRef": {"name": "shop"}, "table": {"name": "album"}});
        for (key, value) in spec.as_object().into_iter().flatten() {
            whole[key] = value.clone();
        }
        object(Kind::Table, "album", &whole)
    };
    let by = |manager: &'static str, object: Value| {
        let story = story.clone();
        async move {
            let cluster = &story.cluster;
            cluster.apply_as(manager, &object, &story.namespace).await
        }
    };
    let first = table(json!({"columns": [{"name": "id", "comment": "number"}]}));
    by("first", first).await.expect("the first");
    let second = table(json!({"columns": [{"name": "title", "customName": "name"}]}));
    let kept = by("second", second).await.expect("the second");
    let names: Vec<_> = kept["spec"]["columns"].as_array().into_iter().flatten().collect();
    assert_eq!(names.len(), 2, "{kept}");
    let third = table(json!({"columns": [{"name": "id", "comment": "other"}]}));
    let said = by("second", third).await.expect_err("a conflict").to_string();
    assert!(
        said.contains("conflict with \"first\"") && said.contains("comment"),
        "{said}"
    );

    let permission = |filter: Value| {
        let select = json!({"columns": ["id"], "filter": filter});
        let spec = json!({"tableRef": {"name": "album"}, "role": "customer", "select": select});
        object(Kind::Permission, "album", &spec)
    };
    by("first", permission(json!({"id": {"_eq": 1}})))
        .await
        .expect("the first");
    let said = by("second", permission(json!({"title": {"_eq": "x"}})))
        .await
        .expect_err("a conflict");
    assert!(said.to_string().contains(".spec.select.filter"), "{said}");
    let again = by("first", permission(json!({"title": {"_eq": "x"}})))
        .await
        .expect("the first");
    assert_eq!(again["spec"]["select"]["filter"], json!({"title": {"_eq": "x"}}));

    let twice = table(json!({"columns": [{"name": "id"}, {"name": "id"}]}));
    let said = by("third", twice)
        .await
        .expect_err("a name stands twice")
        .to_string();
    assert!(said.contains("duplicate"), "{said}");
    story.end().await.expect("the end");
}

/// Objects as large as databases make them pass the budget of the rules.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn large_objects() {
    let story = Story::begin("large").await.expect(NEEDS);
    let name = |index: usize| format!("{:0>60}_{index}", "column");
    let columns: Vec<_> = (0..1600).map(|index| format!("c{index}")).collect();
    let fields: Vec<_> = (0..1600)
        .map(|index| json!({"name": name(index), "comment": "about it"}))
        .collect();
    let relationships: Vec<_> = (0..500)
        .map(|index| {
            let columns = [name(index)];
            json!({"name": format!("r{index}"), "foreignKey": {"columns": columns}})
        })
        .collect();
    let spec = json!({
        "sourceRef": {"name": "shop"}, "table": {"name": "wide"}, "columns": fields,
        "objectRelationships": relationships,
    });
    story
        .apply(&object(Kind::Table, "wide", &spec))
        .await
        .expect("a wide table");
    let read = json!({"columns": columns, "filter": {}});
    let write = json!({"columns": columns, "filter": {}, "check": {}});
    let spec = json!({
        "tableRef": {"name": "wide"}, "role": "customer", "select": read, "update": write,
        "insert": {"columns": columns, "check": {}},
    });
    story
        .apply(&object(Kind::Permission, "wide", &spec))
        .await
        .expect("a wide permission");
    story.end().await.expect("the end");
}

/// Statuses are written apart from specs, lists in them are merged by their keys, and engines scale.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn statuses_and_scale() {
    let story = Story::begin("status").await.expect(NEEDS);
    let table = of_example(Kind::Table);
    story.apply(&table).await.expect("it is accepted");
    let tables = story
        .cluster
        .objects(crd::API_VERSION, "Table", &story.namespace)
        .await
        .expect("tables");
    let condition = |kind: &str, reason: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        })
    };
    let status = |manager: &'static str, status: Value| {
        let tables = tables.clone();
        let mut object = table.clone();
        object.as_object_mut().expect("an object").remove("spec");
        object["status"] = status;
        async move {
            let how = PatchParams::apply(manager).force().validation_strict();
            tables.patch_status("album", &how, &Patch::Apply(object)).await
        }
    };
    let ready = json!({"observedGeneration": 1, "conditions": [condition("Ready", "Ready")]});
    status("first", ready).await.expect("a status");
    let kept = story.apply(&table).await.expect("it is accepted");
    // An operator may have looked meanwhile; a status that was dropped would be the one of new objects.
    let reason = kept["status"]["conditions"][0]["reason"].as_str();
    assert!(
        matches!(reason, Some("Ready" | "NotSelected")),
        "a spec applied leaves the status alone: {kept}"
    );
    let engines = json!({"engines": [
        {"namespace": "a", "name": "x", "conditions": [condition("Accepted", "Accepted")]},
        {"namespace": "b", "name": "x", "conditions": [condition("Accepted", "Accepted")]},
    ]});
    status("second", engines).await.expect("a status of two engines");
    let odd = json!({"conditions": [condition("Ready", "Whatever")]});
    let said = status("third", odd)
        .await
        .expect_err("no such reason")
        .to_string();
    assert!(said.contains("Unsupported value: \"Whatever\""), "{said}");

    let engine = of_example(Kind::Engine);
    story.apply(&engine).await.expect("it is accepted");
    let engines = story
        .cluster
        .objects(crd::API_VERSION, "Engine", &story.namespace)
        .await
        .expect("engines");
    let how = PatchParams::default();
    engines
        .patch_scale("shop", &how, &Patch::Merge(json!({"spec": {"replicas": 5}})))
        .await
        .expect("it scales");
    let kept = story.get(&engine).await.expect("an answer").expect("it is there");
    assert_eq!(kept["spec"]["replicas"], 5);
    story.end().await.expect("the end");
}

/// Statuses are written as the operator writes them: by a JSON patch that tests the uid. A merge patch that names another
/// would be taken for the object that is there.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn a_status_is_meant_for_one_object() {
    let story = Story::begin("meant").await.expect(NEEDS);
    let table = story
        .apply(&of_example(Kind::Table))
        .await
        .expect("it is accepted");
    let tables = story
        .cluster
        .objects(crd::API_VERSION, "Table", &story.namespace)
        .await
        .expect("tables");
    let url = format!("{}/album/status?fieldManager=test", tables.resource_url());
    let client = tables.into_client();
    let request = |uid: &Value, status: &Value| {
        let operations = json!([
            {"op": "test", "path": "/metadata/uid", "value": uid},
            {"op": "add", "path": "/status", "value": status},
        ]);
        http::Request::patch(&url)
            .header("content-type", "application/json-patch+json")
            .body(operations.to_string().into_bytes())
            .expect("a request")
    };
    let of_another = request(&json!("another"), &json!({"observedGeneration": 7}));
    let refused = client.request::<Value>(of_another).await;
    let refused = refused.expect_err("it is of another object");
    let kube::Error::Api(status) = &refused else {
        panic!("{refused}");
    };
    assert_eq!(status.code, 422, "{refused}");
    // Which is how the operator tells it from a status that is not valid.
    let details = status.details.as_ref();
    assert!(
        details.is_none_or(|details| details.name.is_empty() && details.causes.is_empty()),
        "{refused}"
    );
    let uid = &table["metadata"]["uid"];
    let invalid = client
        .request::<Value>(request(uid, &json!({"conditions": 1})))
        .await;
    let Err(kube::Error::Api(status)) = &invalid else {
        panic!("{invalid:?}");
    };
    assert_eq!(status.code, 422, "{invalid:?}");
    assert!(
        status
            .details
            .as_ref()
            .is_some_and(|details| details.name == "album"),
        "{invalid:?}"
    );
    let written = client.request::<Value>(request(uid, &json!({"observedGeneration": 7})));
    let written = written.await.expect("it is of this one");
    assert_eq!(written["status"], json!({"observedGeneration": 7}));
    story.end().await.expect("the end");
}

/// `kubectl get rowlock`, `kubectl get rperm`.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn short_names() {
    let story = Story::begin("names").await.expect(NEEDS);
    let served = story
        .cluster
        .client()
        .list_api_group_resources(crd::API_VERSION)
        .await
        .expect("a list");
    let mut short = BTreeSet::new();
    for &kind in Kind::ALL {
        let found = served
            .resources
            .iter()
            .find(|one| one.kind == kind.as_str() && !one.name.contains('/'));
        let found = found.unwrap_or_else(|| panic!("{kind} is not served"));
        assert_eq!(
            found.categories.as_deref(),
            Some(&["rowlock".to_owned()][..]),
            "{kind}"
        );
        let names = found.short_names.clone().unwrap_or_default();
        assert!(!names.is_empty(), "{kind}");
        for name in names {
            assert!(short.insert(name.clone()), "{name} is taken");
        }
    }
    story.end().await.expect("the end");
}
