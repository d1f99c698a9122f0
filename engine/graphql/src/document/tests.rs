use super::*;
use crate::syntax::Selection;

fn parse(text: &str) -> Result<Document, Error> {
    Document::parse(text, &Limits::default())
}

fn message(text: &str, operation_name: Option<&str>) -> String {
    match parse(text).and_then(|document| document.operation(operation_name).map(|_| ())) {
        Ok(()) => "fine".to_owned(),
        Err(error) => format!("{} {} {}", error.code.as_str(), error.path, error.message),
    }
}

#[test]
fn refuses_what_is_no_document() {
    for text in [
        "",
        "  # nothing",
        "{",
        "{}",
        "{a",
        "{a()}",
        "{a(b)}",
        "{a(b:)}",
        "{a}}",
        "query",
        "queryX{a}",
        "query ($a) {a}",
        "query ($a: Int = $b) {a}",
        "query () {a}",
        "type A { b: Int }",
        "fragment on on A {a}",
        "{...}",
        "{a(b:[1)}",
        "{a(b:\"\\*\")}",
        "\u{0}",
    ] {
        assert_eq!(
            message(text, None),
            "validation-failed $.query not a valid graphql query",
            "{text}"
        );
    }
}

#[test]
fn chooses_an_operation() {
    for (text, name, expected) in [
        ("{a}", None, "fine"),
        ("query A {a} mutation B {b}", Some("B"), "fine"),
        (
            "query A {a} mutation B {b}",
            Some("C"),
            "validation-failed $ no such operation found in the document: \"C\"",
        ),
        (
            "query A {a} query B {b}",
            None,
            "validation-failed $ exactly one operation has to be present in the document when operationName is not specified",
        ),
        (
            "fragment F on A {a}",
            None,
            "validation-failed $ exactly one operation has to be present in the document when operationName is not specified",
        ),
        (
            "{a} query B {b}",
            Some("B"),
            "validation-failed $ operationName cannot be used when an anonymous operation exists in the document",
        ),
        (
            "query {a}",
            Some("A"),
            "validation-failed $ no such operation found in the document: \"A\"",
        ),
        (
            "{...F} fragment F on A {a} fragment F on A {b}",
            None,
            "parse-failed $ multiple definitions for fragment \"F\"",
        ),
    ] {
        assert_eq!(message(text, name), expected, "{text}");
    }
}

#[test]
fn keywords_are_names_elsewhere() {
    let document = parse("query query($on: on! = nullable) @d { fragment: query(true: [trueish falsehood nulls]) ...on on {on} }")
        .expect("a document");
    let operation = document.operation(Some("query")).expect("an operation");
    assert_eq!(
        operation.variables[0].default,
        Some(Literal::Enum("nullable".into()))
    );
    assert_eq!(operation.variables[0].type_.to_string(), "on!");
    let Selection::Field(field) = &operation.selections[0] else {
        panic!("a field")
    };
    assert_eq!(
        field.arguments["true"],
        Literal::List(
            ["trueish", "falsehood", "nulls"]
                .into_iter()
                .map(|name| Literal::Enum(name.into()))
                .collect()
        )
    );
    assert!(
        matches!(&operation.selections[1], Selection::Inline { condition: Some(name), .. } if &**name == "on")
    );
}

#[test]
fn keeps_digits_and_the_last_of_equal_names() {
    assert_eq!(
        parse_literal("1.50"),
        Some(Literal::Float("1.50".parse().expect("a number")))
    );
    let big = "123456789012345678901234567890";
    assert_eq!(
        parse_literal(big),
        Some(Literal::Int(big.parse().expect("a number")))
    );
    let Some(Literal::Object(fields)) = parse_literal("{a: 1, b: 2, a: 3}") else {
        panic!("an object")
    };
    assert_eq!(fields.keys().map(|key| &**key).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(fields["a"], Literal::Int(3.into()));
    assert_eq!(parse_literal("$a"), None);
    assert_eq!(parse_literal("1 2"), None);
}

#[test]
fn keeps_limits() {
    let limits = Limits {
        bytes: 100,
        tokens: 20,
        depth: 4,
        ..Limits::default()
    };
    let refused = |text: &str| {
        Document::parse(text, &limits)
            .map(|_| ())
            .map_err(|error| error.message)
    };
    assert_eq!(refused("{a{b{c{d}}}}"), Ok(()));
    assert_eq!(
        refused("{a{b{c{d{e}}}}}"),
        Err("the query is nested deeper than 4 levels".to_owned())
    );
    assert_eq!(
        refused(&"a ".repeat(21)),
        Err("the query has more than 20 tokens".to_owned())
    );
    assert_eq!(
        refused(&"#".repeat(101)),
        Err("the query is longer than 100 bytes".to_owned())
    );
}

/// The parser recurses; at the default depth it must fit a small stack with room to spare, in debug builds too.
#[test]
fn the_deepest_documents_fit_a_small_stack() {
    let depth = Limits::default().depth;
    let texts = [
        "{a".repeat(depth) + &"}".repeat(depth),
        "{".to_owned() + &"...{".repeat(depth - 1) + "a" + &"}".repeat(depth),
        format!("{{a(b:{}1{})}}", "[".repeat(depth - 2), "]".repeat(depth - 2)),
        format!("{{a(b:{}1{})}}", "{c:".repeat(depth - 2), "}".repeat(depth - 2)),
        format!(
            "query($a:{}A{}){{a}}",
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        ),
    ];
    std::thread::Builder::new()
        .stack_size(512 << 10)
        .spawn(move || {
            for text in texts {
                let document = parse(&text).expect("a document");
                drop(document.clone());
                assert!(parse(&format!("{{{text}}}")).is_err());
            }
        })
        .expect("a thread")
        .join()
        .expect("no overflow");
}
