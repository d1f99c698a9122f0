//! Operations that are understood, and what is kept of them.

mod messages;
mod whole;

use serde_json::json;

use super::*;
use crate::guard::Expected;
use crate::operation::{Field, FieldTarget, Input, Origin};
use crate::test_schema::{TestSchema, normalized};

fn told(result: Result<Normalized<usize, String>, Error>) -> String {
    match result {
        Ok(_) => "fine".to_owned(),
        Err(error) => format!("{} {} {}", error.code.as_str(), error.path, error.message),
    }
}

#[track_caller]
fn says(text: &str, variables: Value, expected: &str) {
    assert_eq!(
        told(normalized(&TestSchema::new(), text, variables)),
        expected,
        "{text}"
    );
}

#[track_caller]
fn refused(text: &str, path: &str, message: &str) {
    says(text, json!({}), &format!("validation-failed {path} {message}"));
}

fn fine(text: &str, variables: Value) -> Normalized<usize, String> {
    normalized(&TestSchema::new(), text, variables)
        .unwrap_or_else(|error| panic!("{text}: {} {error}", error.path))
}

fn argument<'f>(field: &'f Field<usize, String>, name: &str) -> &'f Input<String> {
    let entry = field
        .arguments
        .iter()
        .find(|entry| &*entry.name == name)
        .expect("an argument");
    &entry.value
}

fn entry<'f>(input: &'f Input<String>, name: &str) -> &'f Input<String> {
    let Input::Object(entries) = input else {
        panic!("an object")
    };
    &entries
        .iter()
        .find(|entry| &*entry.name == name)
        .expect("a field")
        .value
}

fn shown(guards: &[Guard]) -> Vec<String> {
    guards
        .iter()
        .map(|guard| {
            let expected = match &guard.expected {
                Expected::Keys(keys) => format!("keys {}", keys.join(" ")),
                Expected::Exactly(value) => format!("= {value}"),
                other => format!("{other:?}"),
            };
            format!("{} {expected}", guard.place)
        })
        .collect()
}

#[test]
fn merges_fields_in_order_of_first_appearance() {
    let normalized = fine(
        "{a: author(limit: 1, where: {}) {id ...F} a: author(where: {}, limit: 1) {__typename name}}
         fragment F on author {name friend {id} friend {name}}",
        json!({}),
    );
    let [author] = normalized.operation.fields.as_slice() else {
        panic!("one field")
    };
    let keys: Vec<&str> = author
        .selection
        .iter()
        .map(|field| &*field.response_key)
        .collect();
    assert_eq!(keys, ["id", "name", "friend", "__typename"]);
    assert!(matches!(&author.selection[3].target, FieldTarget::Typename(name) if &**name == "author"));
    assert_eq!(author.selection[2].selection.len(), 2);
    let given: Vec<&str> = author.arguments.iter().map(|entry| &*entry.name).collect();
    assert_eq!(given, ["limit", "where"]);
    assert_eq!(author.path.to_string(), "$.selectionSet.author");
}

#[test]
fn selects_from_each_possible_type() {
    let normalized = fine(
        "{pets {__typename ... on cat {lives owner {id}} ...F ... on nothing {nope}}}
         fragment F on Animal {number: id}",
        json!({}),
    );
    let [pets] = normalized.operation.fields.as_slice() else {
        panic!("one field")
    };
    assert!(pets.selection.is_empty());
    let shown: Vec<(&str, Vec<&str>)> = pets
        .possible
        .iter()
        .map(|possible| {
            (
                &*possible.name,
                possible
                    .selection
                    .iter()
                    .map(|field| &*field.response_key)
                    .collect(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("cat", vec!["__typename", "lives", "owner", "number"]),
            ("dog", vec!["__typename", "number"])
        ]
    );
    assert!(matches!(&pets.possible[1].selection[0].target, FieldTarget::Typename(name) if &**name == "dog"));
    refused(
        "{pets {lives}}",
        "$.selectionSet.pets.selectionSet.lives",
        "field 'lives' not found in type: 'dog'",
    );
    refused(
        "{animal}",
        "$.selectionSet.animal.selectionSet",
        "missing selection set for 'cat'",
    );
}

#[test]
fn guards_the_structure_of_variables_but_not_their_leaves() {
    let text = "query($w: author_bool_exp, $l: Int, $o: [author_order_by!], $i: [Int!]) {
        author(where: $w, limit: $l, order_by: $o) {articles(where: {id: {_in: $i}}) {id}}}";
    let normalized = fine(
        text,
        json!({"w": {"_and": [{"id": {"_eq": 1}}, {"name": {"_in": ["a", "b"]}}], "color": {"_eq": "blue"}},
               "l": 3, "o": {"id": "asc"}, "i": 5}),
    );
    assert_eq!(
        shown(&normalized.guards),
        [
            "$l NotNull",
            "$o Length(1)",
            "$o[0] keys id",
            "$o[0].id = \"asc\"",
            "$w keys _and color",
            "$w._and Length(2)",
            "$w._and[0] keys id",
            "$w._and[0].id keys _eq",
            "$w._and[0].id._eq NotNull",
            "$w._and[1] keys name",
            "$w._and[1].name keys _in",
            "$w._and[1].name._in NotNull",
            "$w.color keys _eq",
            "$w.color._eq = \"blue\"",
            "$i NotNull",
        ]
    );
    let author = &normalized.operation.fields[0];
    let Input::List(and) = entry(argument(author, "where"), "_and") else {
        panic!("a list")
    };
    let Input::Leaf(leaf) = entry(entry(&and[0], "id"), "_eq") else {
        panic!("a leaf")
    };
    let Origin::Variable(place) = &leaf.origin else {
        panic!("a variable")
    };
    assert_eq!((&*place.variable, place.segments.len()), ("w", 4));

    let later = json!({"w": {"_and": [{"id": {"_eq": 2147483648_i64}}, {"name": {"_in": ["c"]}}], "color": {"_eq": "blue"}},
                       "l": 9, "o": [{"id": "asc"}], "i": [7, 8]});
    let Value::Object(later) = later else {
        panic!("an object")
    };
    assert!(normalized.guards.iter().all(|guard| guard.holds(&later)));
    let error = leaf.coerce_again(&later).expect_err("too large");
    assert_eq!(
        error.path.to_string(),
        "$.selectionSet.author.args.where._and[0].id._eq"
    );
    let Input::LeafList(list) = entry(entry(argument(&author.selection[0], "where"), "id"), "_in") else {
        panic!("a list")
    };
    assert_eq!(list.value, json!(5));
    assert_eq!(
        list.coerce_again(&later)
            .expect("numbers")
            .expect("a variable")
            .into_owned(),
        json!([7, 8])
    );
}

#[test]
fn guards_what_decides_the_shape() {
    let text =
        "query($s: Boolean!, $n: Int, $d: Int = 4) {author(limit: $n, offset: $d) {id name @skip(if: $s)}}";
    let normalized = fine(text, json!({"s": true}));
    assert_eq!(
        shown(&normalized.guards),
        ["$n Absent", "$d Absent", "$s NotNull", "$s = true"]
    );
    let author = &normalized.operation.fields[0];
    assert_eq!(author.selection.len(), 1);
    assert!(matches!(argument(author, "limit"), Input::Null));
    assert!(
        matches!(argument(author, "offset"), Input::Leaf(leaf) if leaf.origin == Origin::Literal && leaf.value == 4)
    );
    assert_eq!(
        shown(&fine(text, json!({"s": false, "n": null, "d": 1})).guards),
        ["$n Null", "$d NotNull", "$s NotNull", "$s = false"]
    );
}

#[test]
fn resolves_variables_within_json() {
    let text = "query($a: String, $b: Int) {author(where: {details: {_contains: {x: [$a, $b, red], y: 1.50}}}) {id}}";
    let normalized = fine(text, json!({"a": "q"}));
    let Input::Leaf(leaf) = entry(
        entry(argument(&normalized.operation.fields[0], "where"), "details"),
        "_contains",
    ) else {
        panic!("a leaf")
    };
    assert_eq!(leaf.value.to_string(), r#"{"x":["q",null,"red"],"y":1.50}"#);
    assert_eq!(leaf.origin, Origin::Literal);
    assert_eq!(shown(&normalized.guards), ["$a = \"q\"", "$b Absent"]);
}

#[test]
fn lists_mix_literals_and_variables() {
    let normalized = fine(
        "query($a: Int!) {author(where: {id: {_in: [1, $a]}}) {id}}",
        json!({"a": 2}),
    );
    let Input::List(items) = entry(
        entry(argument(&normalized.operation.fields[0], "where"), "id"),
        "_in",
    ) else {
        panic!("a list")
    };
    assert!(matches!(&items[0], Input::Leaf(leaf) if leaf.origin == Origin::Literal));
    assert!(matches!(&items[1], Input::Leaf(leaf) if leaf.value == 2 && leaf.origin != Origin::Literal));
    let normalized = fine(
        "mutation {insert_author(objects: {id: 1, matrix: [[1, 2], 3], tags: \"x\"}) {id}}",
        json!({}),
    );
    let Input::List(objects) = argument(&normalized.operation.fields[0], "objects") else {
        panic!("a list")
    };
    let Input::List(rows) = entry(&objects[0], "matrix") else {
        panic!("a list")
    };
    assert!(matches!(&rows[1], Input::LeafList(leaf) if leaf.value == json!(3)));
    assert!(matches!(entry(&objects[0], "tags"), Input::LeafList(leaf) if leaf.value == json!("x")));
}
