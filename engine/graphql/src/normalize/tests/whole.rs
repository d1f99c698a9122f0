//! Options, directives of operations, bounds.

use serde_json::{Value, json};

use super::{argument, entry, fine, refused, says, shown, told};
use crate::document::{Document, Limits};
use crate::normalize::{Options, normalize};
use crate::operation::Input;
use crate::test_schema::{TestSchema, normalized};

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
fn many_rows_take_no_longer_than_their_number() {
    let rows: Vec<Value> = (0..2000)
        .map(|id| json!({"id": id, "name": "a name", "tags": ["x", "y"], "details": {"a": id}, "big": id}))
        .collect();
    let began = std::time::Instant::now();
    let normalized = fine(
        "mutation($o: [author_insert_input!]!) {insert_author(objects: $o) {id}}",
        json!({ "o": rows }),
    );
    assert_eq!(normalized.guards.len(), 1 + 2000 * 6);
    let variables = json!({ "o": rows });
    let Value::Object(variables) = variables else {
        panic!("an object")
    };
    assert!(normalized.guards.iter().all(|guard| guard.holds(&variables)));
    println!("{:?}", began.elapsed());
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
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
