//! `test_webhook_transform`.

use kriti::test_webhook_transform;
use serde_json::{Value, json};

fn failure(args: &Value) -> Value {
    let error = test_webhook_transform(args).unwrap_err();
    json!([error.code(), error.path(), error.to_string(), error.internal()])
}

fn args(transform: Value) -> Value {
    json!({
        "webhook_url": "http://hooks.test:9000",
        "body": {"greeting": "good day"},
        "session_variables": {"X-Hasura-Team": "blue"},
        "request_transform": transform,
    })
}

#[test]
fn the_body_is_transformed() {
    let answer = test_webhook_transform(&args(
        json!({"body": "{{ getSessionVariable(\"x-hasura-team\") }}"}),
    ));
    let expected =
        json!({"webhook_url": "http://hooks.test:9000/", "method": "GET", "headers": [], "body": "blue"});
    assert_eq!(answer, Ok(expected));
    let answer = test_webhook_transform(&args(json!({}))).unwrap();
    assert_eq!(answer["body"], json!({"greeting": "good day"}));
}

#[test]
fn forms_and_no_body() {
    let transform = |body: Value| {
        json!({
            "version": 2,
            "url": "http://elsewhere.test",
            "method": "POST",
            "query_params": {"page": "2"},
            "request_headers": {"add_headers": {"X-One": "1", "accept": "*/*"}},
            "body": body,
        })
    };
    let fields = json!({"text": "{{ $body.greeting }}", "a": "b"});
    let form = json!({"action": "x_www_form_urlencoded", "form_template": fields});
    let expected = |body: Value| {
        json!({
            "webhook_url": "http://elsewhere.test?page=2",
            "method": "POST",
            "headers": [["x-one", "1"], ["accept", "*/*"]],
            "body": body,
        })
    };
    assert_eq!(
        test_webhook_transform(&args(transform(form))),
        Ok(expected(json!("a=b&text=good%20day")))
    );
    assert_eq!(
        test_webhook_transform(&args(transform(json!({"action": "remove"})))),
        Ok(expected(json!("")))
    );
    let empty = json!({"action": "x_www_form_urlencoded", "form_template": {}});
    assert_eq!(
        test_webhook_transform(&args(transform(empty))),
        Ok(expected(json!(null)))
    );
}

#[test]
fn the_environment_is_the_sample_one() {
    let answer = |url: Value| {
        test_webhook_transform(&json!({
            "env": {"HOOK": "https://hooks.test/x", "TOKEN": "secret"},
            "webhook_url": url,
            "request_headers": [["Authorization", "Bearer {{TOKEN}}"]],
            "body": null,
            "request_transform": {"version": 2, "body": {"action": "transform", "template": "\"to {{ $base_url }}\""}},
        }))
    };
    let expected = json!({
        "webhook_url": "https://hooks.test/x",
        "method": "GET",
        "headers": [["authorization", "Bearer secret"]],
        "body": "to https://hooks.test/x",
    });
    assert_eq!(answer(json!({"from_env": "HOOK"})), Ok(expected.clone()));
    assert_eq!(answer(json!("{{HOOK}}")), Ok(expected));
    let error = answer(json!({"from_env": "PATH"})).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        ("not-found", "Missing Env Var")
    );
    let error = answer(json!("http://{{PATH}}")).unwrap_err();
    assert_eq!(error.code(), "not-found");
    assert!(
        error.to_string().starts_with("Missing Env Var: PATH. "),
        "{error}"
    );
    assert_eq!(error.internal(), None);
}

#[test]
fn failures_of_templates() {
    let validation = |internal: Value| {
        json!([
            "validation-failed",
            "$.args",
            "request transform validation failed",
            internal
        ])
    };
    let place = |start: usize, end: usize| json!({"start_line": 0, "start_column": start, "end_line": 0, "end_column": end});
    assert_eq!(
        failure(&args(
            json!({"version": 2, "body": {"action": "transform", "template": "{{ $body.farewell }}"}})
        )),
        validation(json!([{
            "error_code": "Attribute Error",
            "message": "'Object' has no attribute 'farewell'.",
            "source_position": place(4, 18),
        }]))
    );
    assert_eq!(
        failure(&args(
            json!({"body": "{{ getSessionVariable(\"x-hasura-unset\") }}"})
        )),
        validation(json!([{
            "error_code": "Function Error",
            "message": "Session variable \"x-hasura-unset\" not found",
            "source_position": place(23, 39),
        }]))
    );
    assert_eq!(
        failure(&args(json!({"body": "{{ shout(\"x\") }}"}))),
        validation(json!([{
            "error_code": "Name Error",
            "message": "Variable 'shout' not in scope",
            "source_position": place(4, 14),
        }]))
    );
    // All templates are parsed first, and each failure counts.
    let broken = failure(&args(json!({"body": "{{", "url": "{{ $x"})));
    assert_eq!(broken[3].as_array().map(Vec::len), Some(2));
    assert_eq!(broken[3][0]["error_code"], json!("Parse Error"));
}

#[test]
fn failures_of_arguments() {
    let mut bad_url = args(json!({}));
    bad_url["webhook_url"] = json!("nowhere");
    assert_eq!(
        failure(&bad_url),
        json!(["validation-failed", "$.args", "request transform validation failed", [{
            "error_code": "Request Initialization Error",
            "message": "InvalidUrlException \"nowhere\" \"Invalid URL\"",
        }]])
    );
    bad_url["webhook_url"] = json!("");
    assert_eq!(failure(&bad_url)[2], json!("Invalid Url Template"));
    bad_url["webhook_url"] = json!(1);
    assert_eq!(failure(&bad_url)[1], json!("$.args.webhook_url"));

    let decode = |args: Value| failure(&args).as_array().map(|parts| parts[..3].to_vec());
    let expected = |path: &str, message: &str| Some(vec![json!("parse-failed"), json!(path), json!(message)]);
    assert_eq!(
        decode(json!({})),
        expected("$.args", "key \"webhook_url\" not found")
    );
    assert_eq!(
        decode(json!({"webhook_url": "x"})),
        expected("$.args", "key \"body\" not found")
    );
    assert_eq!(
        decode(json!({"webhook_url": "x", "body": 1})),
        expected("$.args", "key \"request_transform\" not found")
    );
    assert_eq!(
        decode(json!({"session_variables": {"x": 1}})),
        expected(
            "$.args.session_variables.x",
            "parsing Text failed, expected String, but encountered Number"
        )
    );
    assert_eq!(
        decode(json!({"request_headers": [["a"]]})).map(|parts| parts[1].clone()),
        Some(json!("$.args.request_headers"))
    );
    assert_eq!(
        decode(args(json!({"version": 5}))),
        expected(
            "$.args.request_transform.version",
            "expected 1 or 2, encountered 5"
        )
    );

    let mut response = args(json!({}));
    response["response_transform"] = json!({"body": "{{"});
    assert_eq!(
        failure(&response)[2],
        json!("response transform validation failed")
    );
}
