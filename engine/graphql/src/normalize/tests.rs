use serde_json::json;

use super::*;
use crate::document::Limits;
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

#[test]
fn options_change_how_variables_are_read() {
    let schema = TestSchema::new();
    let run = |text: &str, variables: Value, options: Options| {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        let document = Document::parse(text, &Limits::default()).expect("a document");
        normalize(&document, None, &variables, &schema, &options)
    };
    let unbound = Options {
        no_null_unbound_variable_default: true,
        ..Options::default()
    };
    let text = "query($w: author_bool_exp, $a: Int, $b: Int) {author(where: {_and: [$w], id: {_eq: $a, _in: [1, $b]}}) {id}}";
    let normalized = run(text, json!({}), unbound).expect("an operation");
    let filter = argument(&normalized.operation.fields[0], "where");
    assert!(matches!(entry(filter, "_and"), Input::List(items) if items.is_empty()));
    let Input::Object(operators) = entry(filter, "id") else {
        panic!("an object")
    };
    assert!(
        matches!(operators.as_slice(), [only] if &*only.name == "_in" && matches!(&only.value, Input::List(items) if items.len() == 1))
    );
    assert_eq!(shown(&normalized.guards), ["$w Absent", "$a Absent", "$b Absent"]);
    assert_eq!(
        told(run(
            "query($a: Int) {author_by_pk(id: $a) {id}}",
            json!({}),
            unbound
        )),
        "validation-failed $.selectionSet.author_by_pk.args.id missing required field 'id'"
    );

    let nulls = Options {
        null_in_nonnullable_variables: true,
        ..Options::default()
    };
    assert_eq!(
        told(run(
            "query($a: Int!) {author(limit: $a) {id}}",
            json!({"a": null}),
            nulls
        )),
        "fine"
    );
    assert_eq!(
        told(run(
            "query($a: Int!) {author_by_pk(id: $a) {id}}",
            json!({"a": null}),
            nulls
        )),
        "validation-failed $.selectionSet.author_by_pk.args.id unexpected null value for type 'Int'"
    );
}

#[test]
fn reads_directives_of_the_operation() {
    let normalized = fine(
        "query Q($t: Int!) @cached(ttl: $t, refresh: true) {author {id}}",
        json!({"t": 7}),
    );
    let cached = normalized.operation.cached.expect("cached");
    assert_eq!((cached.ttl, cached.refresh), (7, true));
    assert_eq!(shown(&normalized.guards), ["$t NotNull", "$t = 7"]);
    assert_eq!(normalized.operation.name.as_deref(), Some("Q"));
    let text = "query @cached(ttl: \"7\") {author {id}}";
    refused(
        text,
        "$.cached.args.ttl",
        "expected a 32-bit integer for type 'Int', but found a string",
    );
    let plain = fine("query @cached {author {id}}", json!({}))
        .operation
        .cached
        .expect("cached");
    assert_eq!((plain.ttl, plain.refresh), (60, false));
}

#[test]
fn later_requests_are_checked_as_a_whole() {
    let check = fine(
        "query($a: Int!, $b: Int) {author(limit: $a) {id}}",
        json!({"a": 1}),
    )
    .variables;
    let told = |variables: Value| {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        check.check(&variables).map_err(|error| error.message)
    };
    assert_eq!(told(json!({"a": 2})), Ok(()));
    assert_eq!(
        told(json!({})),
        Err("expecting a value for non-nullable variable: \"a\"".to_owned())
    );
    assert_eq!(
        told(json!({"a": null})),
        Err("null value found for non-nullable type: \"Int!\"".to_owned())
    );
    assert_eq!(
        told(json!({"a": 1, "b": 2})),
        Err("unexpected variables in variableValues: b".to_owned())
    );
}

#[test]
fn fragments_can_not_multiply_without_end() {
    let mut text = "{author {...F0}}".to_owned();
    for number in 0..60 {
        let next = number + 1;
        text.push_str(&format!(
            " fragment F{number} on author {{a: friend {{...F{next}}} b: friend {{...F{next}}}}}"
        ));
    }
    text.push_str(" fragment F60 on author {id}");
    let told = told(normalized(&TestSchema::new(), &text, json!({})));
    assert!(
        told.ends_with("the query selects more than 50000 fields"),
        "{told}"
    );

    // The same fragment over and over in one place costs nothing.
    let mut text = "{author {...F0}}".to_owned();
    for number in 0..100 {
        let next = number + 1;
        text.push_str(&format!(
            " fragment F{number} on author {{...F{next} ...F{next}}}"
        ));
    }
    text.push_str(" fragment F100 on author {id}");
    says(&text, json!({}), "fine");
}

#[test]
fn deep_requests_are_refused_within_a_small_stack() {
    let run = || {
        let mut chain = "{author {...F0}}".to_owned();
        for number in 0..1000 {
            chain.push_str(&format!(
                " fragment F{number} on author {{friend {{...F{}}}}}",
                number + 1
            ));
        }
        chain.push_str(" fragment F1000 on author {id}");
        let said = told(normalized(&TestSchema::new(), &chain, json!({})));
        assert!(said.contains("nested deeper than 128 levels"), "{said}");

        let mut filter = json!({});
        for _ in 0..126 {
            filter = json!({"_not": filter});
        }
        let deep = format!("{}$w{}", "{_not: ".repeat(100), "}".repeat(100));
        let text = format!("query($w: author_bool_exp) {{author(where: {deep}) {{id}}}}");
        let said = told(normalized(&TestSchema::new(), &text, json!({ "w": filter })));
        assert!(said.contains("nested deeper than 128 levels"), "{said}");

        let selection = format!("{}id{}", "friend {".repeat(120), "}".repeat(120));
        says(&format!("{{author {{{selection}}}}}"), json!({}), "fine");
    };
    let thread = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(run)
        .expect("a thread");
    thread.join().expect("no overflow");
}
