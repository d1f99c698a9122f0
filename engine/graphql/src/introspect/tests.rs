use serde_json::{Value, json};

use super::*;
use crate::test_schema::{TestSchema, normalized};

fn text(query: &str, variables: Value, maximum: usize) -> Result<String, Error> {
    let schema = TestSchema::new();
    let normalized = normalized(&schema, query, variables)?;
    match &normalized.operation.fields[0].target {
        FieldTarget::Schema(introspection) | FieldTarget::Type(introspection) => {
            let answer = introspection.answer(&schema, maximum)?;
            Ok(String::from_utf8(answer).expect("UTF-8"))
        }
        _ => panic!("introspection"),
    }
}

fn answer(query: &str) -> Value {
    serde_json::from_str(&text(query, json!({}), MAXIMUM_BYTES).expect("an answer")).expect("JSON")
}

#[test]
fn answers_in_selection_order() {
    assert_eq!(
        text(
            "{__type(name: \"author\") {n: name kind __typename description name}}",
            json!({}),
            1000
        )
        .expect("an answer"),
        r#"{"n":"author","kind":"OBJECT","__typename":"__Type","description":"columns and relationships of \"author\"","name":"author"}"#
    );
    assert_eq!(
        text("{__type(name: \"nope\") {name}}", json!({}), 1000).expect("an answer"),
        "null"
    );
    let query = "query($n: String!) {__type(name: $n) {kind}}";
    assert_eq!(
        text(query, json!({"n": "jsonb"}), 1000).expect("an answer"),
        r#"{"kind":"SCALAR"}"#
    );
}

#[test]
fn lists_all_types_by_name() {
    let answer = answer(
        "{__schema {types {name} queryType {name} mutationType {name} subscriptionType {name} description}}",
    );
    let names: Vec<&str> = answer["types"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|type_| type_["name"].as_str())
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    for name in [
        "__Schema",
        "__TypeKind",
        "author",
        "author_bool_exp",
        "order_by",
        "ltree",
        "Int",
        "String",
        "Boolean",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    assert_eq!(answer["queryType"], json!({"name": "query_root"}));
    assert_eq!(answer["subscriptionType"], json!({"name": "subscription_root"}));
    assert_eq!(answer["description"], Value::Null);
}

#[test]
fn unwraps_types() {
    let answer = answer(
        "{__type(name: \"query_root\") {fields {name args {name defaultValue type {kind name ofType {kind name}}}
          type {kind name ofType {kind name ofType {kind ofType {kind name ofType {name}}}}}}}}",
    );
    assert_eq!(
        answer["fields"][0]["type"],
        json!({"kind": "NON_NULL", "name": null, "ofType": {"kind": "LIST", "name": null,
               "ofType": {"kind": "NON_NULL", "ofType": {"kind": "OBJECT", "name": "author", "ofType": null}}}})
    );
    assert_eq!(
        answer["fields"][2]["args"][2],
        json!({"name": "floor", "defaultValue": "3", "type": {"kind": "NON_NULL", "name": null, "ofType": {"kind": "SCALAR", "name": "Int"}}})
    );
}

#[test]
fn hides_what_is_deprecated_unless_asked() {
    let names = |arguments: &str| {
        let answer = answer(&format!(
            "{{__type(name: \"author\") {{fields{arguments} {{name isDeprecated deprecationReason}}}}}}"
        ));
        answer["fields"].as_array().expect("a list").len()
    };
    assert_eq!(names("") + 1, names("(includeDeprecated: true)"));
    assert_eq!(names("(includeDeprecated: null)"), names(""));
}

#[test]
fn shows_directives() {
    let answer = answer(
        "{__schema {directives {name description locations isRepeatable args {name description defaultValue type {kind ofType {name}}}}}}",
    );
    assert_eq!(
        answer["directives"],
        json!([
            {"name": "include", "description": "whether this query should be included",
             "locations": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"], "isRepeatable": false,
             "args": [{"name": "if", "description": null, "defaultValue": null, "type": {"kind": "NON_NULL", "ofType": {"name": "Boolean"}}}]},
            {"name": "skip", "description": "whether this query should be skipped",
             "locations": ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"], "isRepeatable": false,
             "args": [{"name": "if", "description": null, "defaultValue": null, "type": {"kind": "NON_NULL", "ofType": {"name": "Boolean"}}}]},
            {"name": "cached", "description": "whether this query should be cached (Hasura Cloud only)",
             "locations": ["QUERY"], "isRepeatable": false,
             "args": [
                {"name": "ttl", "description": "measured in seconds", "defaultValue": "60", "type": {"kind": "NON_NULL", "ofType": {"name": "Int"}}},
                {"name": "refresh", "description": "refresh the cache entry", "defaultValue": "false", "type": {"kind": "NON_NULL", "ofType": {"name": "Boolean"}}}]},
        ])
    );
}

#[test]
fn kinds_have_their_own_lists() {
    let query = |name: &str| {
        answer(&format!(
            "{{__type(name: \"{name}\") {{fields {{name}} inputFields {{name}} enumValues {{name isDeprecated}} interfaces {{name}}
              possibleTypes {{name}} specifiedByURL isOneOf}}}}"
        ))
    };
    let order_by = query("order_by");
    assert_eq!(
        order_by["enumValues"][0],
        json!({"name": "asc", "isDeprecated": false})
    );
    assert_eq!(
        (
            &order_by["fields"],
            &order_by["inputFields"],
            &order_by["interfaces"]
        ),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    let input = query("author_order_by");
    assert_eq!(input["inputFields"], json!([{"name": "id"}, {"name": "name"}]));
    assert_eq!(input["isOneOf"], false);
    let object = query("author");
    assert_eq!(object["interfaces"], json!([]));
    assert_eq!(
        (&object["possibleTypes"], &object["specifiedByURL"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(query("cat")["interfaces"], json!([{"name": "Animal"}]));
    let interface = query("Animal");
    assert_eq!(
        (&interface["fields"], &interface["interfaces"]),
        (&json!([{"name": "id"}]), &json!([]))
    );
    assert_eq!(
        interface["possibleTypes"],
        json!([{"name": "cat"}, {"name": "dog"}])
    );
    let union = query("Pet");
    assert_eq!(
        (&union["fields"], &union["interfaces"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(union["possibleTypes"], json!([{"name": "cat"}, {"name": "dog"}]));
    assert_eq!(
        query("__DirectiveLocation")["enumValues"]
            .as_array()
            .map(Vec::len),
        Some(19)
    );
}

#[test]
fn types_that_are_derived_again_are_the_same() {
    let query =
        "{__schema {types {kind name description fields {name args {name type {kind name ofType {kind name}}}
        type {kind name ofType {kind name}}} inputFields {name type {kind name}} enumValues {name}}}}";
    let schema = TestSchema::new();
    let normalized = normalized(&schema, query, json!({})).expect("it is valid");
    let FieldTarget::Schema(introspection) = &normalized.operation.fields[0].target else {
        panic!("introspection");
    };
    let [all, few] = [whole::KEPT, 1].map(|kept| {
        introspection
            .answer_keeping(&schema, MAXIMUM_BYTES, kept)
            .expect("an answer")
    });
    assert!(all == few);
}

#[test]
fn an_answer_has_a_bound() {
    let levels = 14;
    let query = format!(
        "{{__schema {{types {{{}name{}}}}}}}",
        "fields {type {ofType {ofType {ofType {".repeat(levels),
        "}}}}}".repeat(levels)
    );
    let error = text(&query, json!({}), 1 << 10).expect_err("too large");
    assert!(error.message.contains("larger than 1024 bytes"), "{error}");
}

#[test]
fn the_deepest_answer_fits_a_small_stack() {
    let run = || {
        let query = format!(
            "{{__schema {{types {{{}name{}}}}}}}",
            "fields {type {".repeat(61),
            "}}".repeat(61)
        );
        let answer = text(&query, json!({}), 1 << 20).map_err(|error| error.message);
        assert!(answer.is_ok() || answer.is_err_and(|message| message.contains("larger than")));
        let query = format!(
            "{{__type(name: \"author\") {{{}name{}}}}}",
            "ofType {".repeat(120),
            "}".repeat(120)
        );
        assert_eq!(
            text(&query, json!({}), 1000).expect("an answer"),
            r#"{"ofType":null}"#
        );
    };
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .expect("a thread");
    thread.join().expect("no overflow");
}

#[test]
fn arguments_from_variables_are_guarded_as_they_are() {
    let schema = TestSchema::new();
    let query = "query($n: String!, $d: Boolean) {__type(name: $n) {fields(includeDeprecated: $d) {name}}}";
    let normalized = normalized(&schema, query, json!({"n": "author", "d": true})).expect("an operation");
    for (variables, holds) in [
        (json!({"n": "author", "d": true}), true),
        (json!({"n": "author", "d": false}), false),
        (json!({"n": "author"}), false),
        (json!({"n": "other", "d": true}), false),
    ] {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        assert_eq!(
            normalized.guards.iter().all(|guard| guard.holds(&variables)),
            holds
        );
    }
}
