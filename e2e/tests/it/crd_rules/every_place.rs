//! What holds in every place of every schema: its bounds, its fields, and what its rules leave the choice between.

use crd::Kind;
use crd::definition::spec_schema;
use e2e::story::Story;
use kube::core::Status;
use serde_json::{Value, json};

use super::bound::{Step, bounds, closed, named, put, rounds};
use super::instance::{least, plant};
use super::rule::{choices, rules};
use super::{NEEDS, object};

/// What the API server says to a new object, which it does not keep.
async fn ask(story: &Story, kind: Kind, spec: &Value) -> Result<(), Box<Status>> {
    let objects = story
        .cluster
        .objects(crd::API_VERSION, kind.as_str(), &story.namespace)
        .await
        .expect("the kind");
    let url = format!("{}?dryRun=All&fieldValidation=Strict", objects.resource_url());
    let request = http::Request::post(url)
        .header("content-type", "application/json")
        .body(object(kind, "asked", spec).to_string().into_bytes())
        .expect("a request");
    match objects.into_client().request::<Value>(request).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) => Err(status),
        Err(error) => panic!("{kind}: {error}"),
    }
}

/// Each bound of each kind, at every place it stands, refuses what breaks it, names the field, and nothing else is refused.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn each_bound_refuses() {
    let story = Story::begin("bounds").await.expect(NEEDS);
    let mut tried = 0;
    let mut wrong = Vec::new();
    for &kind in Kind::ALL {
        let schema = spec_schema(kind);
        let messages: Vec<String> = rules(&schema).into_iter().map(|rule| rule.message).collect();
        for round in rounds(bounds(&schema)) {
            let mut spec = least(&schema);
            for bound in &round {
                put(&schema, &mut spec, &bound.path, bound.broken.as_ref());
            }
            let Err(said) = ask(&story, kind, &spec).await else {
                panic!("{kind} was accepted: {spec}");
            };
            let causes = said.details.map(|details| details.causes).unwrap_or_default();
            for bound in &round {
                let told = causes
                    .iter()
                    .any(|cause| cause.field == bound.field && cause.message.contains(bound.words));
                if !told {
                    let of_it: Vec<_> = causes.iter().filter(|cause| cause.field == bound.field).collect();
                    wrong.push(format!(
                        "{kind} {}: not {:?}: {of_it:?}",
                        bound.field, bound.words
                    ));
                }
            }
            for cause in &causes {
                let expected = round.iter().any(|bound| bound.field == cause.field.trim_start_matches('.'))
                    || messages.iter().any(|message| cause.message.contains(message.as_str()))
                    // Rules wait for what they would read.
                    || cause.message.contains("some validation rules were not checked");
                if !expected {
                    wrong.push(format!("{kind} {}: {}", cause.field, cause.message));
                }
            }
            tried += round.len();
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {tried}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(tried > 1_500, "{tried} bounds");
    story.end().await.expect("the end");
}

/// In every object of every kind a field that it does not have is told.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn each_object_knows_its_fields() {
    let story = Story::begin("closed").await.expect(NEEDS);
    let mut tried = 0;
    for &kind in Kind::ALL {
        let schema = spec_schema(kind);
        let mut spec = least(&schema);
        let places = closed(&schema);
        for place in &places {
            let mut misspelt = place.clone();
            misspelt.push(Step::Field("misspelt".to_owned()));
            put(&schema, &mut spec, &misspelt, Some(&json!(1)));
        }
        let said = ask(&story, kind, &spec).await.expect_err("it is refused").message;
        for place in &places {
            let field = format!("unknown field \"{}.misspelt\"", named(place));
            assert!(said.contains(&field), "{kind}: {field}: {said}");
        }
        tried += places.len();
    }
    assert!(tried > 200, "{tried} objects");
    story.end().await.expect("the end");
}

/// Each of what "one of" rules leave the choice between is accepted alone.
#[tokio::test]
#[ignore = "needs a cluster: e2e/run"]
async fn each_choice_is_accepted() {
    let story = Story::begin("choices").await.expect(NEEDS);
    let mut tried = 0;
    for &kind in Kind::ALL {
        let schema = spec_schema(kind);
        let rules = rules(&schema);
        for rule in &rules {
            let names = choices(&rule.message);
            for name in names.iter().filter(|name| !name.is_empty()) {
                let mut spec = least(&schema);
                let (own, _) = plant(&schema, &mut spec, &rule.path);
                let chosen = least(&own["properties"][name]);
                // What stands around it may be a choice, too.
                let whole = format!("{}.{name}", rule.path);
                for around in &rules {
                    let others = choices(&around.message);
                    let inner = whole.strip_prefix(around.path.as_str()).unwrap_or_default();
                    let taken = inner.trim_start_matches('.').split(['.', '[']).next();
                    if taken.is_some_and(|taken| others.contains(&taken) && !taken.is_empty()) {
                        let (_, place) = plant(&schema, &mut spec, &around.path);
                        let place = place.as_object_mut().expect("an object");
                        place.retain(|field, _| {
                            !others.contains(&field.as_str()) || Some(field.as_str()) == taken
                        });
                    }
                }
                let (_, place) = plant(&schema, &mut spec, &rule.path);
                place[*name] = chosen;
                if let Err(said) = ask(&story, kind, &spec).await {
                    panic!("{kind} {} with {name}: {}: {spec}", rule.path, said.message);
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 50, "{tried} choices");
    story.end().await.expect("the end");
}
