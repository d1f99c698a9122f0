//! Templates which fail: code, message and place.

use serde_json::json;

use crate::render;

/// Source, error code, message, and the columns on line 0.
type Case = (&'static str, &'static str, &'static str, (usize, usize));

#[track_caller]
fn check(cases: &[Case]) {
    for (source, code, message, (start, end)) in cases {
        let error = render(source).expect_err(source);
        let expected = json!({
            "error_code": code,
            "message": message,
            "source_position": {"start_line": 0, "start_column": start, "end_line": 0, "end_column": end},
        });
        assert_eq!(error.to_json(), expected, "{source}");
    }
}

#[test]
fn names_and_attributes() {
    check(&[
        (
            "{{ $nobody }}",
            "Name Error",
            "Variable '$nobody' not in scope",
            (4, 11),
        ),
        (
            "{{ $body.nope }}",
            "Attribute Error",
            "'Object' has no attribute 'nope'.",
            (4, 14),
        ),
        (
            "{{ $body['no pe'] }}",
            "Attribute Error",
            "'Object' has no attribute 'no pe'.",
            (4, 18),
        ),
        (
            "{{ $body.nested.nope.er }}",
            "Attribute Error",
            "'Object' has no attribute 'nope'.",
            (4, 21),
        ),
        (
            "shout(\"a\")",
            "Name Error",
            "Variable 'shout' not in scope",
            (1, 11),
        ),
        (
            "shout($nobody)",
            "Name Error",
            "Variable '$nobody' not in scope",
            (7, 14),
        ),
    ]);
}

#[test]
fn types() {
    let object = "Couldn't match expected type 'Object' with actual type 'String'.";
    check(&[
        ("{{ $body.name.first }}", "Type Error", object, (4, 14)),
        ("{{ $body.name?.first }}", "Type Error", object, (4, 14)),
        (
            "{{ $body.list.x }}",
            "Type Error",
            "Couldn't match expected type 'Object' with actual type 'Array'.",
            (4, 14),
        ),
        (
            "{{ $body[1] }}",
            "Type Error",
            "Couldn't match expected type 'String' with actual type 'Number'.",
            (4, 9),
        ),
        (
            "{{ $body.list['a'] }}",
            "Type Error",
            "Couldn't match expected type 'Integer' with actual type 'String'.",
            (4, 19),
        ),
        (
            "{{ $body.list[1.5] }}",
            "Type Error",
            "Couldn't match expected type 'Integer' with actual type 'Number'.",
            (4, 19),
        ),
        (
            "{{ $body.list[3] }}",
            "Index Error",
            "Index out of range.",
            (4, 17),
        ),
        (
            "{{ $body.list[-1] }}",
            "Index Error",
            "Index out of range.",
            (4, 18),
        ),
        (
            "{{ true && 1 }}",
            "Type Error",
            "Couldn't match expected type 'Boolean' with actual type 'Number'.",
            (4, 13),
        ),
        (
            "{{ null || true }}",
            "Type Error",
            "Couldn't match expected type 'Boolean' with actual type 'Null'.",
            (4, 16),
        ),
        (
            "{{ 1 in {} }}",
            "Type Error",
            "Couldn't match expected type 'String' with actual type 'Number'.",
            (4, 11),
        ),
        (
            "{{ 1 in 2 }}",
            "Type Error",
            "Couldn't match expected type 'Array' with actual type 'Number'.",
            (4, 10),
        ),
        (
            "{{ if 1 }} 2 {{ else }} 3 {{ end }}",
            "Type Error",
            "Couldn't match expected type 'Boolean' with actual type 'Number'.",
            (1, 36),
        ),
        (
            "{{ range i, x := {} }} 2 {{ end }}",
            "Type Error",
            "Couldn't match expected type 'Array' with actual type 'Object'.",
            (1, 35),
        ),
    ]);
}

#[test]
fn functions() {
    let text = "parsing String failed, expected String, but encountered Number";
    check(&[
        ("{{ toLower(1) }}", "Function Error", text, (12, 13)),
        ("{{ escapeUri(1) }}", "Function Error", text, (14, 15)),
        (
            "{{ not 1 }}",
            "Function Error",
            "parsing Bool failed, expected Boolean, but encountered Number",
            (8, 9),
        ),
        (
            "empty(true)",
            "Function Error",
            "Cannot define emptiness for a boolean",
            (7, 11),
        ),
        ("head([])", "Function Error", "Empty array", (6, 8)),
        ("tail(\"\")", "Function Error", "Empty string", (6, 8)),
        ("tail([])", "Function Error", "Empty array", (6, 8)),
        ("head(1)", "Function Error", "Expected an array or string", (6, 7)),
        (
            "inverse(0)",
            "Function Error",
            "The number has no inverse",
            (9, 10),
        ),
        (
            "concat(1)",
            "Function Error",
            "parsing Array failed, expected Array, but encountered Number",
            (8, 9),
        ),
        (
            "concat([\"a\", []])",
            "Function Error",
            "parsing Nested Object failed, expected Object, but encountered String",
            (8, 17),
        ),
        (
            "fromPairs([[\"a\"]])",
            "Function Error",
            "Expected an array of shape [ [k1,v1], [k2,v2] ... ] - With String keys.",
            (11, 18),
        ),
        (
            "fromPairs([[1, 2]])",
            "Function Error",
            "parsing Key failed, expected String, but encountered Number",
            (11, 19),
        ),
        (
            "toPairs([])",
            "Function Error",
            "parsing Object failed, expected Object, but encountered Array",
            (9, 11),
        ),
        (
            "getSessionVariable(\"x-hasura-who\")",
            "Function Error",
            "Session variable \"x-hasura-who\" not found",
            (20, 34),
        ),
        (
            "getSessionVariable(1)",
            "Function Error",
            "Session variable name should be a string",
            (20, 21),
        ),
    ]);
}

#[test]
fn syntax() {
    check(&[
        ("", "Parse Error", "ParseError: Empty token stream.", (1, 1)),
        (
            "{{ $body",
            "Parse Error",
            "ParseError: Empty token stream.",
            (4, 9),
        ),
        ("\"abc", "Parse Error", "ParseError: Empty token stream.", (2, 5)),
        ("[1, 2,]", "Parse Error", "Unexpected token ']'.", (7, 8)),
        ("{1: 2}", "Parse Error", "Unexpected token '1'.", (2, 3)),
        ("{\"a\" 2}", "Parse Error", "Unexpected token '2'.", (6, 7)),
        (
            "{\"{{ $key }}\": 2}",
            "Parse Error",
            "Unexpected token '{{'.",
            (3, 5),
        ),
        ("1 2", "Parse Error", "Unexpected token '2'.", (3, 4)),
        (
            "{{ if true }} 1 {{ end }}",
            "Parse Error",
            "Unexpected token 'end'.",
            (20, 23),
        ),
        (
            "\"{{ if true }}\"",
            "Parse Error",
            "Unexpected token 'if'.",
            (5, 7),
        ),
        (
            "{{ range i, x = [] }} 1 {{ end }}",
            "Lex Error",
            "Invalid Lexeme: '= [] }} 1 {{ end }}'",
            (15, 34),
        ),
        ("{{ end }}", "Parse Error", "Unexpected token 'end'.", (4, 7)),
        ("{{ $body. }}", "Parse Error", "Unexpected token '}}'.", (11, 13)),
        (
            "{{ $body.[0] }}",
            "Parse Error",
            "Unexpected token '['.",
            (10, 11),
        ),
        ("{{ $body? }}", "Parse Error", "Unexpected token '}}'.", (11, 13)),
        ("{{ 'a' }}", "Parse Error", "Unexpected token ''a''.", (4, 7)),
        ("{{ f(1, 2) }}", "Parse Error", "Unexpected token ','.", (7, 8)),
        ("{{ ~ }}", "Lex Error", "Invalid Lexeme: '~ }}'", (4, 8)),
    ]);
}

#[test]
fn places_count_lines_and_characters() {
    let error = render("[1,\n  \"é{{ $body.x }}\"]").unwrap_err();
    assert_eq!(
        error.to_json()["source_position"],
        json!({"start_line": 1, "start_column": 8, "end_line": 1, "end_column": 15})
    );
}
