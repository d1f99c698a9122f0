//! What is said against a request.

use serde_json::json;

use super::{refused, says, told};
use crate::test_schema::{TestSchema, normalized};

#[test]
fn selection_messages() {
    for (text, path, message) in [
        (
            "{does_not_exist}",
            "$.selectionSet.does_not_exist",
            "field 'does_not_exist' not found in type: 'query_root'",
        ),
        (
            "{x: author {y: nope}}",
            "$.selectionSet.author.selectionSet.nope",
            "field 'nope' not found in type: 'author'",
        ),
        (
            "{author(nope: 1) {id}}",
            "$.selectionSet.author",
            "'author' has no argument named 'nope'",
        ),
        (
            "{author}",
            "$.selectionSet.author.selectionSet",
            "missing selection set for 'author'",
        ),
        (
            "{author {id {x}}}",
            "$.selectionSet.author.selectionSet.id",
            "unexpected subselection set for non-object field",
        ),
        (
            "{author_by_pk {id}}",
            "$.selectionSet.author_by_pk.args.id",
            "missing required field 'id'",
        ),
        (
            "{author {a: id a: name}}",
            "$.selectionSet.author.selectionSet",
            "selection of both 'id' and 'name' specify the same response name, 'a'",
        ),
        (
            "{author(limit: 1) {id} author(limit: 2) {id}}",
            "$.selectionSet",
            "inconsistent arguments between multiple selections of field 'author'",
        ),
        (
            "mutation {__schema {description}}",
            "$.selectionSet.__schema",
            "field '__schema' not found in type: 'mutation_root'",
        ),
        (
            "{__type {name}}",
            "$.selectionSet.__type.args.name",
            "missing required field 'name'",
        ),
        (
            "{__schema {nope}}",
            "$.selectionSet.__schema.selectionSet.nope",
            "field 'nope' not found in type: '__Schema'",
        ),
        (
            "{__schema}",
            "$.selectionSet.__schema.selectionSet",
            "missing selection set for '__Schema'",
        ),
    ] {
        refused(text, path, message);
    }
}

#[test]
fn subscription_messages() {
    let mut schema = TestSchema::new();
    let mut says = |text: &str, subscriptions: bool| {
        schema.subscriptions = subscriptions;
        told(normalized(&schema, text, json!({})))
    };
    let several = "validation-failed $ subscriptions must select one top level field";
    assert_eq!(
        says("subscription {author {id}}", false),
        "validation-failed $ no subscriptions exist"
    );
    assert_eq!(says("subscription {author {id}}", true), "fine");
    assert_eq!(says("subscription {author {id} author {name}}", true), several);
    assert_eq!(says("subscription {author {id} b: author {name}}", true), several);
    assert_eq!(
        says(
            "subscription @_multiple_top_level_fields {author {id} b: author {id}}",
            true
        ),
        "fine"
    );
    assert_eq!(
        says("subscription {__typename}", true),
        "not-supported $ Introspection at root field level is not supported over subscriptions"
    );
    assert_eq!(
        says("subscription {__schema {description}}", true),
        "validation-failed $.selectionSet.__schema field '__schema' not found in type: 'subscription_root'"
    );
}

#[test]
fn directive_messages() {
    for (text, path, message) in [
        (
            "{author @nope {id}}",
            "$.selectionSet",
            "directive 'nope' is not defined in the schema",
        ),
        (
            "{author @cached {id}}",
            "$.selectionSet",
            "directive 'cached' is not allowed on a field",
        ),
        (
            "query @skip(if: true) {author {id}}",
            "$",
            "directive 'skip' is not allowed on a query",
        ),
        (
            "mutation @cached {update_author(where: {}) {id}}",
            "$",
            "directive 'cached' is not allowed on a mutation",
        ),
        (
            "{author @skip(if: true) @skip(if: false) {id}}",
            "$.selectionSet",
            "the following directives are used more than once: ['skip']",
        ),
        (
            "{author @skip {id}}",
            "$.selectionSet.skip.args.if",
            "missing required field 'if'",
        ),
        (
            "{author @skip(if: true, x: 1) {id}}",
            "$.selectionSet.skip",
            "'skip' has no argument named 'x'",
        ),
        (
            "{author @include(if: \"x\") {id}}",
            "$.selectionSet.include.args.if",
            "expected a boolean for type 'Boolean', but found a string",
        ),
        (
            "query($v: Boolean) {author {id @include(if: $v)}}",
            "$.selectionSet.author.selectionSet.include.args.if",
            "variable 'v' is declared as 'Boolean', but used where 'Boolean!' is expected",
        ),
    ] {
        refused(text, path, message);
    }
}

#[test]
fn fragment_messages() {
    for (text, path, message) in [
        (
            "{author {...F}}",
            "$.selectionSet.author.selectionSet",
            "reference to undefined fragment \"F\"",
        ),
        (
            "{author {...A}} fragment A on author {...A}",
            "$.selectionSet.author.selectionSet.A.selectionSet",
            "the fragment definition(s) \"A\" form a cycle",
        ),
        (
            "{author {...A}} fragment A on author {friend {...B}} fragment B on author {friend {...A}}",
            "$.selectionSet.author.selectionSet.A.selectionSet.friend.selectionSet.B.selectionSet.friend.selectionSet",
            "the fragment definition(s) \"A\" and \"B\" form a cycle",
        ),
    ] {
        refused(text, path, message);
    }
    says(
        "{author {...A ...A ... on nothing {nope} ... {name}}} fragment A on author {id}",
        json!({}),
        "fine",
    );
}

#[test]
fn variable_messages() {
    for (text, variables, expected) in [
        (
            "query($v: Int!) {author_by_pk(id: $v) {id}}",
            json!({}),
            "validation-failed $ expecting a value for non-nullable variable: \"v\"",
        ),
        (
            "query($v: Int! = 1) {author_by_pk(id: $v) {id}}",
            json!({"v": null}),
            "validation-failed $ null value found for non-nullable type: \"Int!\"",
        ),
        (
            "query($v: Int! = 1) {author_by_pk(id: $v) {id}}",
            json!({}),
            "fine",
        ),
        (
            "query($v: String) {author_by_pk(id: $v) {id}}",
            json!({"v": "x"}),
            "validation-failed $.selectionSet.author_by_pk.args.id variable 'v' is declared as 'String', but used where 'Int!' is expected",
        ),
        (
            "query($v: Int) {author_by_pk(id: $v) {id}}",
            json!({"v": 1}),
            "validation-failed $.selectionSet.author_by_pk.args.id variable 'v' is declared as 'Int', but used where 'Int!' is expected",
        ),
        (
            "query($v: Int = 2) {author_by_pk(id: $v) {id}}",
            json!({"v": 1}),
            "fine",
        ),
        (
            "query($v: Int) {search(words: \"a\", floor: $v) {id}}",
            json!({"v": 1}),
            "fine",
        ),
        (
            "mutation($v: String) {insert_author(objects: {id: 1, title: $v}) {id}}",
            json!({"v": null}),
            "validation-failed $.selectionSet.insert_author.args.objects[0].title unexpected null value for type \
             'String'",
        ),
        (
            "mutation($v: author_insert_input!) {insert_author(objects: [$v]) {id}}",
            json!({"v": {"id": 1, "title": null}}),
            "validation-failed $.selectionSet.insert_author.args.objects[0].title unexpected null value for type \
             'String'",
        ),
        (
            "mutation($v: String = \"x\") {insert_author(objects: {id: 1, title: $v}) {id}}",
            json!({}),
            "fine",
        ),
        (
            "query($v: [Int]) {author(where: {id: {_in: $v}}) {id}}",
            json!({"v": [1, null]}),
            "validation-failed $.selectionSet.author.args.where.id._in[1] unexpected null value for type 'Int'",
        ),
        (
            "{author(limit: $v) {id}}",
            json!({}),
            "validation-failed $ unbound variable \"v\"",
        ),
        (
            "query($c: Int) {author {id}}",
            json!({"b": 1, "a": 2, "c": 3}),
            "validation-failed $ unexpected variables in variableValues: b, a, c",
        ),
        (
            "query($c: Int, $d: Int!) {author(limit: $d) {id}}",
            json!({"d": 1}),
            "fine",
        ),
        (
            "query($c: Int, $c: Int) {author(limit: $c) {id}}",
            json!({}),
            "parse-failed $ multiple definitions for variable \"c\"",
        ),
        (
            "query($w: author_bool_exp) {author(where: $w) {id}}",
            json!({"w": {"a b": 1}}),
            "validation-failed $.selectionSet.author.args.where variable value contains object with key \"a b\", which is not a legal GraphQL name",
        ),
        (
            "query($w: author_bool_exp) {author(where: $w) {id}}",
            json!({"w": {"id": {"_eq": [1]}}}),
            "validation-failed $.selectionSet.author.args.where.id._eq expected a 32-bit integer for type 'Int', but found a list",
        ),
        (
            "query($c: colors_enum) {author(where: {color: {_eq: $c}}) {id}}",
            json!({"c": "red"}),
            "validation-failed $.selectionSet.author.args.where.color._eq expected one of the values ['blue', 'green', 'nullable'] for type 'colors_enum', but found 'red'",
        ),
        (
            "query($c: colors_enum) {author(where: {color: {_eq: $c}}) {id}}",
            json!({"c": "not a name"}),
            "validation-failed $.selectionSet.author.args.where.color._eq expected an enum value for type 'colors_enum', but found a string",
        ),
        (
            "query($o: [author_order_by!]) {author(order_by: $o) {id}}",
            json!({"o": [{"id": "asc"}, {"nope": "asc"}]}),
            "validation-failed $.selectionSet.author.args.order_by[1].nope field 'nope' not found in type: 'author_order_by'",
        ),
    ] {
        says(text, variables, expected);
    }
}

#[test]
fn literal_messages() {
    for (text, path, message) in [
        (
            "mutation {update_author(where: null) {id}}",
            "$.selectionSet.update_author.args.where",
            "expected an object for type 'author_bool_exp', but found null",
        ),
        (
            "{author(where: {id: {_unexpected: 1}}) {id}}",
            "$.selectionSet.author.args.where.id._unexpected",
            "field '_unexpected' not found in type: 'Int_comparison_exp'",
        ),
        (
            "{author_by_pk(id: null) {id}}",
            "$.selectionSet.author_by_pk.args.id",
            "unexpected null value for type 'Int'",
        ),
        (
            "{search(words: null) {id}}",
            "$.selectionSet.search.args.words",
            "expected a list, but found null",
        ),
        (
            "{search(words: [], mode: null) {id}}",
            "$.selectionSet.search.args.mode",
            "expected an enum value for type 'order_by', but found null",
        ),
        (
            "{author(where: {color: {_eq: \"blue\"}}) {id}}",
            "$.selectionSet.author.args.where.color._eq",
            "expected an enum value for type 'colors_enum', but found a string",
        ),
        (
            "{author(limit: -1) {id}}",
            "$.selectionSet.author.args.limit",
            "expected a non-negative 32-bit integer for type 'Int', but found an integer",
        ),
        (
            "{author(limit: \"3\") {id}}",
            "$.selectionSet.author.args.limit",
            "expected a non-negative 32-bit integer for type 'Int', but found a string",
        ),
        (
            "{author(where: {id: {_eq: true}}) {id}}",
            "$.selectionSet.author.args.where.id._eq",
            "expected a 32-bit integer for type 'Int', but found a boolean",
        ),
        (
            "{author(where: {id: {_in: [1, true]}}) {id}}",
            "$.selectionSet.author.args.where.id._in[1]",
            "expected a 32-bit integer for type 'Int', but found a boolean",
        ),
        (
            "{author(where: 5) {id}}",
            "$.selectionSet.author.args.where",
            "expected an object for type 'author_bool_exp', but found an integer",
        ),
        (
            "mutation {insert_author(objects: {id: 1, title: null}) {id}}",
            "$.selectionSet.insert_author.args.objects[0].title",
            "unexpected null value for type 'String'",
        ),
        (
            "mutation {insert_author(objects: {name: \"x\"}) {id}}",
            "$.selectionSet.insert_author.args.objects[0].id",
            "missing required field 'id'",
        ),
        (
            "mutation {insert_author(objects: null) {id}}",
            "$.selectionSet.insert_author.args.objects",
            "expected a list, but found null",
        ),
    ] {
        refused(text, path, message);
    }
    says("{author(limit: null, offset: \"12\") {id}}", json!({}), "fine");
    says("{author(where: {id: {_eq: \"12\"}}) {id}}", json!({}), "fine");
}
