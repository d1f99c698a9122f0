//! Random templates: whatever they hold, they give a value or an error.

use kriti::{Context, Template, test_webhook_transform};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces which make some sense to the parser, so that random templates get past it now and then.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "{{",
        "}}",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "'",
        ":",
        ",",
        ".",
        "?",
        "??",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "in",
        "not",
        "if",
        "elif",
        "else",
        "end",
        "range",
        "_",
        "i",
        "x",
        ":=",
        "$body",
        "$body.a",
        "$body.list",
        "null",
        "true",
        "1",
        "-0.5e3",
        "\\",
        "\\u12",
        "#",
        "\n",
        "é",
        "size",
        "head",
        "concat",
        "escapeUri",
        "inverse",
        "toTitle",
        "{{ range i, x := $body.list }}",
        "{{ end }}",
        "{{ if true }}",
        "{{ else }}",
        "['a']",
        "[0]",
        "\"a\": ",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn context() -> Context {
    Context::new().with("$body", json!({"a": "é", "list": [1, "b", null, {"c": []}]}))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_templates_do_no_harm(pieces in prop::collection::vec(piece(), 0..24), spaced: bool) {
        let source = pieces.join(if spaced { " " } else { "" });
        for parsed in [Template::parse(&source), Template::parse_text(&source)] {
            match parsed {
                Ok(template) => { template.render(&context()).map_err(|error| error.to_json()).ok(); }
                Err(error) => { kriti::Error::from(error).to_json(); }
            }
        }
    }

    #[test]
    fn every_json_text_renders_to_itself(value in value()) {
        // A key or text which holds `{{` is an expression, and no JSON.
        let source = value.to_string();
        prop_assume!(!source.contains("{{"));
        prop_assert_eq!(Template::parse(&source).unwrap().render(&context()), Ok(value));
    }

    #[test]
    fn random_arguments_do_no_harm(url in "[a-z:/?#{}@\\[\\]%0-9é ]{0,20}", template in prop::collection::vec(piece(), 0..6), mut args in value()) {
        test_webhook_transform(&args).ok();
        let template = template.concat();
        args = json!({
            "webhook_url": url, "body": args, "env": {"a": "http://b"},
            "request_transform": {"version": 2, "url": template, "query_params": template, "request_headers": {"add_headers": {"a": template}},
                "body": {"action": "x_www_form_urlencoded", "form_template": {"a": template}}},
        });
        if let Err(error) = test_webhook_transform(&args) {
            prop_assert!(error.path().starts_with("$.args"));
            error.internal();
        }
    }
}
