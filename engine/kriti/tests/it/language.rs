//! Templates and what they render to.

use serde_json::{Value, json};

use crate::render;

#[track_caller]
fn check(cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        assert_eq!(render(source).as_ref(), Ok(expected), "{source}");
    }
}

#[test]
fn json_renders_to_itself() {
    check(&[
        ("null", json!(null)),
        (" true ", json!(true)),
        ("-1.50e2", serde_json::from_str("-1.50e2").unwrap()),
        ("007", json!(7)),
        ("-0", serde_json::from_str("-0").unwrap()),
        (
            "123456789012345678901234567890",
            serde_json::from_str("123456789012345678901234567890").unwrap(),
        ),
        (r#""""#, json!("")),
        (
            r#""a \"quoted\" \\ \n \u00e9 {brace} }""#,
            json!("a \"quoted\" \\ \n é {brace} }"),
        ),
        ("[]", json!([])),
        ("{}", json!({})),
        (
            r#"{"a": [1, {"b": {"c": {}}}], "": null}"#,
            json!({"a": [1, {"b": {"c": {}}}], "": null}),
        ),
        (r#"{"twice": 1, "twice": 2}"#, json!({"twice": 1})),
        ("# a comment\n[1, # another\n 2]", json!([1, 2])),
    ]);
}

#[test]
fn values_are_put_in() {
    check(&[
        ("{{ $body.name }}", json!("Ada")),
        ("$body.name", json!("Ada")),
        (
            r#"{"who": {{$body.name}}, "n": {{ $body.n }}}"#,
            json!({"who": "Ada", "n": 3}),
        ),
        (
            "[{{ 1 }}, {{ {\"a\": {\"b\": 1}} }}]",
            json!([1, {"a": {"b": 1}}]),
        ),
        (
            r#""{{ $body.name }} is {{$body.n}}, {{ $body.yes }}, {{ $body.nothing }}""#,
            json!("Ada is 3, true, null"),
        ),
        (
            r#""{{ $body.list }}{{ $body.nested }}""#,
            json!(r#"[10,20,30]{"deep":{"er":"x"}}"#),
        ),
        (r#""{{ "in {{ $body.name }}" }}""#, json!("in Ada")),
        (
            r#""{{ {{ if $body.yes }} "y" {{ else }} "n" {{ end }} }}""#,
            json!("y"),
        ),
    ]);
}

#[test]
fn lookups() {
    check(&[
        ("{{ $body.nested.deep.er }}", json!("x")),
        ("{{ $body['two words'] }}", json!("tw")),
        (r#"{{ $body["two words"] }}"#, json!("tw")),
        ("{{ $body[$key] }}", json!("Ada")),
        ("{{ $body.people[1].name }}", json!("Alan")),
        ("{{ $body.people[1.0].name }}", json!("Alan")),
        ("{{ $body.people[size([1])].age }}", json!(41)),
        ("{{ $[0].first }}", json!(1)),
        ("{{ [1, 2, 3][1] }}", json!(2)),
        (r#"{{ {"end": 5}.end }}"#, json!(5)),
        ("{{ ($body.nested).deep }}", json!({"er": "x"})),
    ]);
}

#[test]
fn optional_lookups() {
    check(&[
        ("{{ $body?.name }}", json!("Ada")),
        ("{{ $body?.missing }}", json!(null)),
        ("{{ $body?.missing.further['on'][3] }}", json!(null)),
        ("{{ $body.missing?.further }}", json!(null)),
        ("{{ $missing?.x }}", json!(null)),
        ("{{ $body.nothing?.x }}", json!(null)),
        ("{{ $body?['two words'] }}", json!("tw")),
        ("{{ $body?.['two words'] }}", json!("tw")),
        ("{{ $body.list?[1] }}", json!(20)),
        ("{{ $body.list?[9] }}", json!(null)),
        ("{{ $body.list?.name }}", json!(null)),
        ("{{ $body?.people[0]?.name }}", json!("Ada")),
        ("{{ $body?.name.first }}", json!(null)),
        ("{{ $body?.missing ?? \"none\" }}", json!("none")),
        ("{{ $body?.name ?? \"none\" }}", json!("Ada")),
        ("{{ null ?? null ?? 1 }}", json!(1)),
    ]);
}

#[test]
fn conditions() {
    let source = |n: &str| {
        format!(
            r#"{{{{ if {n} == 1 }}}} "one" {{{{ elif {n} == 2 }}}} {{"two": 2}} {{{{ elif {n} > 2 }}}} ["many"] {{{{ else }}}} null {{{{ end }}}}"#
        )
    };
    for (n, expected) in [
        ("1", json!("one")),
        ("2", json!({"two": 2})),
        ("$body.n", json!(["many"])),
        ("0", json!(null)),
    ] {
        assert_eq!(render(&source(n)), Ok(expected), "{n}");
    }
    check(&[
        (
            "{{ if (1 == 1) && not false }} {{ $body.n }} {{ else }} {{ $nowhere }} {{ end }}",
            json!(3),
        ),
        (
            "{{ if true }} {{ if false }} 1 {{ else }} 2 {{ end }} {{ else }} 3 {{ end }}",
            json!(2),
        ),
    ]);
}

#[test]
fn loops() {
    check(&[
        (
            "{{ range i, x := $body.list }} [{{i}}, {{x}}] {{ end }}",
            json!([[0, 10], [1, 20], [2, 30]]),
        ),
        (
            "{{ range _, p := $body.people }} {\"n\": {{ p.name }}} {{ end }}",
            json!([{"n": "Ada"}, {"n": "Alan"}]),
        ),
        ("{{ range _, x := [] }} {{ $nowhere }} {{ end }}", json!([])),
        (
            "{{ range i, x := [1, 2] }} {{ range j, y := [3] }} \"{{i}}{{x}}{{j}}{{y}}{{$body.n}}\" {{ end }} {{ end }}",
            json!([["01033"], ["12033"]]),
        ),
        (
            "{{ range _, x := [1] }} {{ range _, x := [2] }} {{ x }} {{ end }} {{ end }}",
            json!([[2]]),
        ),
        ("{{ range x, x := [7] }} {{ x }} {{ end }}", json!([0])),
        (
            "removeNulls({{ range _, p := $body.people }} {{ if p.age > 40 }} {{ p.name }} {{ else }} null {{ end }} {{ end }})",
            json!(["Alan"]),
        ),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("{{ 1 == 1.0 }}", json!(true)),
        ("{{ [1, {\"a\": 2}] == [1.0, {\"a\": 2e0}] }}", json!(true)),
        ("{{ $body.name != \"Ada\" }}", json!(false)),
        ("{{ 2 > 10 }}", json!(false)),
        ("{{ \"b\" >= \"a\" }}", json!(true)),
        ("{{ 1 <= 1 }}", json!(true)),
        ("{{ 1 < true }}", json!(true)),
        ("{{ true && false || true }}", json!(true)),
        ("{{ false || 1 == 1 && 2 < 3 }}", json!(true)),
        ("{{ $body?.x ?? 1 == 1 }}", json!(true)),
        ("{{ \"name\" in $body }}", json!(true)),
        ("{{ 20 in $body.list }}", json!(true)),
        ("{{ {\"a\": 1} in [] }}", json!(false)),
        ("{{ not 1 == 2 }}", json!(true)),
        ("{{ true && (not false) }}", json!(true)),
    ]);
}

#[test]
fn functions() {
    check(&[
        ("escapeUri(\"a b/é\")", json!("a%20b%2F%C3%A9")),
        (
            "\"/{{ escapeUri $body['two words'] }}/{{ escapeUri \"a b\" }}\"",
            json!("/tw/a%20b"),
        ),
        ("{{ not(true) }}", json!(false)),
        (
            "[empty([]), empty(\" \"), empty({}), empty(0.0), empty(null), empty([1]), empty(\"a\"), empty(1)]",
            json!([true, true, true, true, true, false, false, false]),
        ),
        (
            "[size([1]), size({\"a\": 1}), size(\"añb\"), size(7), size(true), size(null)]",
            json!([1, 1, 3, 7, 1, 0]),
        ),
        (
            "[inverse([1, 2]), inverse(\"abc\"), inverse(4), inverse(0.5), inverse(true), inverse(null), inverse({\"a\": 1})]",
            json!([[2, 1], "cba", 0.25, 2, false, null, {"a": 1}]),
        ),
        (
            "[head([1, 2]), head(\"éa\"), tail([1, 2]), tail(\"éa\")]",
            json!([1, "é", [2], "a"]),
        ),
        (
            "[toLower(\"AbÉ\"), toUpper(\"aßé\"), toTitle(\"o'neil's hELLO-wORLD 2nd\")]",
            json!(["abé", "ASSÉ", "O'neil's Hello-World 2Nd"]),
        ),
        (
            "toCaseFold(\"Straße ΣΑΣ\") == toCaseFold(\"STRASSE σας\")",
            json!(true),
        ),
        (
            "[toPairs({\"a\": 1}), fromObject({\"a\": 1})]",
            json!([[["a", 1]], [["a", 1]]]),
        ),
        (
            "[fromPairs([[\"a\", 1], [\"b\", 2]]), toObject([])]",
            json!([{"a": 1, "b": 2}, {}]),
        ),
        ("removeNulls([1, null, [null], 0])", json!([1, [null], 0])),
        (
            "[concat([[1], [], [2, 3]]), concat([\"a\", \"b\"]), concat([{\"a\": 1, \"b\": 1}, {\"b\": 2}]), concat([])]",
            json!([[1, 2, 3], "ab", {"a": 1, "b": 2}, []]),
        ),
        ("getSessionVariable(\"x-hasura-ROLE\")", json!("editor")),
        ("{{ not (empty (tail(\"f\"))) }}", json!(false)),
        ("{{ size(tail($body.list)) > 1 }}", json!(true)),
        ("{{ head($body.people).name }}", json!("Ada")),
    ]);
}
