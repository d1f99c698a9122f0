//! What is bound to the SQL, which requests a plan serves, and what is said against others.

use std::sync::Arc;

use plan::Session;
use plan::prepared::RootContent;
use schema::model::Options;
use serde_json::{Value, json};
use sql::Parameter;

use crate::{plan_as, plan_with};

fn session(variables: &[(&str, &str)]) -> Session {
    Session {
        role: "listener".into(),
        variables: variables
            .iter()
            .map(|(name, value)| (Arc::from(*name), Arc::from(*value)))
            .collect(),
        backend: false,
    }
}

fn parameters(plan: &plan::Plan) -> &[Parameter] {
    match &plan.roots[0].content {
        RootContent::Statement { statement, .. } => &statement.parameters,
        _ => &[],
    }
}

fn bound(text: &str, variables: &Value) -> Vec<Option<String>> {
    let plan = plan_as("admin", text, variables);
    let given = variables.as_object().cloned().unwrap_or_default();
    assert!(plan.fits(&given), "a plan fits the variables it was made with");
    let values = plan.bind(&given, &session(&[])).unwrap_or_default();
    parameters(&plan)
        .iter()
        .map(|parameter| match parameter {
            Parameter::Constant(value) => value.as_deref().map(str::to_owned),
            Parameter::Slot(slot) => values.get(*slot as usize).cloned().flatten(),
        })
        .collect()
}

#[track_caller]
fn refused(role: &str, options: Options, text: &str, variables: &Value) -> String {
    match plan_with(options, role, text, variables) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => format!("{} {} {}", error.code.as_str(), error.path, error.message),
    }
}

fn said(text: &str) -> String {
    refused("admin", Options::default(), text, &json!({}))
}

#[test]
fn variables_and_literals() {
    let some = |values: &[&str]| -> Vec<_> { values.iter().map(|v| Some((*v).to_owned())).collect() };
    assert_eq!(
        bound(
            "query ($id: Int!, $names: [String!]) { track(where: {track_id: {_eq: $id}, name: {_in: $names}}) { name } }",
            &json!({"id": 7, "names": ["a\"b", "c,d"]})
        ),
        some(&["7", r#"{"a\"b","c,d"}"#])
    );
    assert_eq!(
        bound(
            "{ place(where: {tags: {_eq: [\"a\", \"b\"]}, point: {_eq: {type: \"Point\", coordinates: [1, 2]}}}) { id } }",
            &json!({})
        ),
        some(&[r#"{"a","b"}"#, r#"{"type":"Point","coordinates":[1,2]}"#])
    );
    assert_eq!(
        bound(
            "{ play_event(where: {meta: {_contains: {a: [1, \"x\"]}}}) { rating meta(path: \"$.a['b c']\") } }",
            &json!({})
        ),
        some(&[r#"{"a","b c"}"#, r#"{"a":[1,"x"]}"#])
    );
    // A variable used twice is one parameter.
    assert_eq!(
        bound(
            "query ($id: Int!) { track(where: {_or: [{track_id: {_eq: $id}}, {album_id: {_eq: $id}}]}) { name } }",
            &json!({"id": 7})
        )
        .len(),
        1
    );
}

#[test]
fn a_plan_serves_other_values_but_not_other_structure() {
    let text = "query ($where: track_bool_exp!, $null: Boolean!) {
        track(where: {_and: [$where, {name: {_is_null: $null}}]}) { name } }";
    let variables = json!({"where": {"track_id": {"_eq": 1}}, "null": true});
    let plan = plan_as("admin", text, &variables);
    let fits = |value: Value| plan.fits(&value.as_object().cloned().unwrap_or_default());
    assert!(fits(json!({"where": {"track_id": {"_eq": 2}}, "null": true})));
    assert!(!fits(json!({"where": {"track_id": {"_gt": 2}}, "null": true})));
    assert!(!fits(json!({"where": {}, "null": true})));
    assert!(!fits(json!({"where": {"track_id": {"_eq": 2}}, "null": false})));
}

#[test]
fn lists_of_any_length_are_one_plan() {
    let text = "query ($ids: [Int!]) { track(where: {track_id: {_in: $ids}}) { name } }";
    let plan = plan_as("admin", text, &json!({"ids": [1]}));
    for ids in [json!([]), json!([1, 2, 3])] {
        let given = json!({"ids": ids}).as_object().cloned().unwrap_or_default();
        assert!(plan.fits(&given));
    }
}

#[test]
fn values_are_checked_at_every_execution() {
    let text = "query ($id: Int!) { track(where: {track_id: {_eq: $id}}) { name } }";
    let plan = plan_as("admin", text, &json!({"id": 1}));
    let wrong = json!({"id": true}).as_object().cloned().unwrap_or_default();
    let error = plan.bind(&wrong, &session(&[])).err();
    assert_eq!(
        error.map(|error| format!("{} {}", error.path, error.message)),
        plan_with(Options::default(), "admin", text, &json!({"id": true}))
            .err()
            .map(|error| format!("{} {}", error.path, error.message)),
    );
}

#[test]
fn session_variables() {
    let plan = plan_as("listener", "{ play_event { device } }", &json!({}));
    let none = serde_json::Map::new();
    let values = plan.bind(&none, &session(&[("x-hasura-listener-id", "42")])).ok();
    assert_eq!(values, Some(vec![Some("42".to_owned())]));
    let error = plan.bind(&none, &session(&[])).err();
    let said = error.map(|error| format!("{} {} {}", error.code.as_str(), error.path, error.message));
    assert_eq!(
        said.as_deref(),
        Some("not-found $ missing session variable: \"x-hasura-listener-id\"")
    );
    let plan = plan_as("admin", "{ find_tracks { name } }", &json!({}));
    let values = plan.bind(
        &none,
        &session(&[("x-hasura-role", "admin"), ("x-hasura-a", "\"")]),
    );
    let json = r#"{"x-hasura-role":"admin","x-hasura-a":"\""}"#;
    assert_eq!(values.ok(), Some(vec![Some(json.to_owned())]));
}

#[test]
fn nulls_are_refused() {
    for (filter, error) in [
        (
            "{track_id: {_eq: null}}",
            "validation-failed $.selectionSet.track.args.where.track_id._eq unexpected null value for type 'Int'",
        ),
        (
            "{track_id: {_in: null}}",
            "validation-failed $.selectionSet.track.args.where.track_id._in expected a list, but found null",
        ),
        (
            "{track_id: null}",
            "validation-failed $.selectionSet.track.args.where.track_id expected an object for type \
             'Int_comparison_exp', but found null",
        ),
        (
            "null",
            "validation-failed $.selectionSet.track.args.where expected an object for type 'track_bool_exp', but \
             found null",
        ),
        (
            "{_or: null}",
            "validation-failed $.selectionSet.track.args.where._or expected a list, but found null",
        ),
        (
            "{album: null}",
            "validation-failed $.selectionSet.track.args.where.album expected an object for type 'album_bool_exp', \
             but found null",
        ),
        (
            "{name: {_is_null: null}}",
            "validation-failed $.selectionSet.track.args.where.name._is_null unexpected null value for type 'Boolean'",
        ),
    ] {
        let text = format!("{{ track(where: {filter}) {{ name }} }}");
        assert_eq!(said(&text), error, "{filter}");
        let collapse = Options {
            boolean_null_collapse: true,
            ..Options::default()
        };
        assert_eq!(
            refused("admin", collapse, &text, &json!({})),
            "accepted",
            "{filter}"
        );
    }
    assert_eq!(
        said("{ track(order_by: null, limit: null, offset: null, distinct_on: null) { name } }"),
        "accepted"
    );
}

#[test]
fn other_refusals() {
    assert_eq!(
        said("{ track(distinct_on: [name], order_by: [{track_id: asc}, {name: asc}]) { name } }"),
        "validation-failed $.selectionSet.track.args \"distinct_on\" columns must match initial \"order_by\" columns"
    );
    let error = said("{ play_event { meta(path: \"$.a[\") } }");
    assert!(
        error.starts_with(
            "parse-failed $.selectionSet.play_event.selectionSet.meta.args.path parse json path error: "
        ),
        "{error}"
    );
    // A role sees only the functions that it may call; without the right the model says so even if a type system
    // would show them.
    assert!(
        refused(
            "listener",
            Options::default(),
            "{ find_tracks { name } }",
            &json!({})
        )
        .starts_with("unexpected")
    );
    // Filters of such depth are refused, not run into.
    let deep = format!("{}{}", "{_not: ".repeat(110), "{}") + &"}".repeat(110);
    assert!(said(&format!("{{ track(where: {deep}) {{ name }} }}")).contains("nest"));
}

#[test]
fn deep_selections_fit_the_stack() {
    let deep = "album { tracks { ".repeat(45) + "name" + &"}}".repeat(45);
    assert_eq!(said(&format!("{{ track {{ {deep} }} }}")), "accepted");
    let deeper = "album { tracks { ".repeat(62) + "name" + &"}}".repeat(62);
    assert!(said(&format!("{{ track {{ {deeper} }} }}")).contains("nest"));
}
