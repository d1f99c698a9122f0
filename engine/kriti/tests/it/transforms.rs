//! Request and response transforms applied to requests and answers.

use kriti::{
    Body, BodyTransform, QueryParams, Request, RequestTransform, Response, ResponseTransform,
    SessionVariables, TransformError, Uri,
};
use serde_json::{Value, json};

const BASE_URL: &str = "http://hooks.test/in?old=1";

fn request() -> Request {
    Request {
        url: Uri::parse_configured(BASE_URL).unwrap(),
        method: "POST".to_owned(),
        headers: vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-Keep".to_owned(), "kept".to_owned()),
        ],
        body: Body::Json(json!({"user": {"id": 7, "name": "Ada & Co"}, "none": null})),
    }
}

fn session() -> SessionVariables {
    [("X-Hasura-User-Id", "7")].into_iter().collect()
}

fn apply(transform: Value) -> Request {
    let compiled = RequestTransform::from_json(&transform)
        .unwrap()
        .compile()
        .unwrap();
    compiled.apply(request(), BASE_URL, Some(&session())).unwrap()
}

#[test]
fn an_empty_transform_changes_nothing() {
    assert_eq!(apply(json!({})), request());
    assert_eq!(
        apply(json!({"version": 2, "body": null, "method": null, "template_engine": "Kriti"})),
        request()
    );
}

#[test]
fn each_part_is_replaced_on_its_own() {
    let result = apply(json!({"method": "PATCH"}));
    assert_eq!(
        (result.method.as_str(), result.url.to_string().as_str()),
        ("PATCH", BASE_URL)
    );

    let result = apply(json!({"version": 1, "body": "{\"id\": {{ $body.user.id }}}"}));
    assert_eq!(result.body, Body::Json(json!({"id": 7})));

    let result = apply(json!({"version": 2, "body": {"action": "remove"}}));
    assert_eq!(result.body, Body::Empty);

    let body = json!({"action": "x_www_form_urlencoded", "form_template": {"who": "{{ $body.user.name }}", "gone": "{{ $body?.x }}", "b c": "1"}});
    let result = apply(json!({"version": 2, "body": body}));
    assert_eq!(result.body, Body::Form("b%20c=1&who=Ada%20%26%20Co".to_owned()));
}

#[test]
fn the_url_changes_without_its_query() {
    let url = |transform: Value| apply(transform).url.to_string();
    assert_eq!(
        url(json!({"url": "https://other.test/users/{{ $body.user.id }}?lost=1"})),
        "https://other.test/users/7?old=1"
    );
    assert_eq!(
        url(json!({"url": "https://other.test", "query_params": "a={{ $body.user.id }}"})),
        "https://other.test?a=7"
    );
    assert_eq!(url(json!({"query_params": {}})), "http://hooks.test/in");
    let params = json!({"id": "{{ $session_variables['x-hasura-user-id'] }}", "flag": null, "none": "{{ $body.none }}", "{{ $body.none }}": "x", "q": "a b"});
    assert_eq!(
        url(json!({"query_params": params})),
        "http://hooks.test/in?flag&id=7&q=a%20b"
    );
    assert_eq!(
        url(
            json!({"query_params": {"old": "{{ $query_params[0][1] }}", "base": "{{ escapeUri($base_url) }}"}})
        ),
        "http://hooks.test/in?base=http%253A%252F%252Fhooks.test%252Fin%253Fold%253D1&old=1"
    );
}

#[test]
fn headers_are_removed_and_added() {
    let result = apply(
        json!({"request_headers": {"add_headers": {"x-id": "{{ $body.user.id }}", "content-type": "text/plain"}, "remove_headers": ["CONTENT-TYPE"]}}),
    );
    let expected = [("X-Keep", "kept"), ("content-type", "text/plain"), ("x-id", "7")];
    assert_eq!(
        result.headers,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn every_template_which_does_not_parse_is_named() {
    let transform = RequestTransform {
        method: None,
        url: Some("{{".to_owned()),
        body: Some(BodyTransform::FormUrlEncoded(
            [
                ("a".to_owned(), "{{".to_owned()),
                ("b".to_owned(), "{{ } }}".to_owned()),
            ]
            .into(),
        )),
        query_params: Some(QueryParams::Pairs(
            [("{{".to_owned(), Some("{{".to_owned()))].into(),
        )),
        request_headers: None,
    };
    let errors = transform.compile().unwrap_err();
    assert_eq!(errors.0.len(), 5);
    assert!(
        errors
            .0
            .iter()
            .all(|error| matches!(error, TransformError::Template(kriti::Error::Parse(_))))
    );
    assert_eq!(errors.to_json().as_array().map(Vec::len), Some(5));
}

#[test]
fn values_of_the_wrong_kind() {
    let fails = |transform: Value| {
        let compiled = RequestTransform::from_json(&transform)
            .unwrap()
            .compile()
            .unwrap();
        compiled.apply(request(), BASE_URL, None).unwrap_err().to_json()
    };
    assert_eq!(
        fails(json!({"url": "{{ $body.user.name }}"})),
        json!([{"error_code": "TransformationError", "message": "Invalid URL: Ada & Co"}])
    );
    // A quote ends the string the template stands in.
    assert_eq!(
        fails(json!({"url": "\" == \""})),
        json!([{"error_code": "TransformationError", "message": "URL Transforms must produce a JSON String: true"}])
    );
    assert_eq!(
        fails(json!({"request_headers": {"add_headers": {"a": "\" in [] ?? \"", "b": "{{ $body.x }}"}}}))[0]
            ["error_code"],
        json!("Attribute Error")
    );
    // Without a session, its variables are null.
    assert_eq!(
        fails(json!({"query_params": "{{ $session_variables.x }}"}))[0]["error_code"],
        json!("Type Error")
    );
}

#[test]
fn decoding_names_the_place() {
    for (transform, path, message) in [
        (
            json!([]),
            "$",
            "parsing RequestTransform failed, expected Object, but encountered Array",
        ),
        (
            json!({"version": 3}),
            "$.version",
            "expected 1 or 2, encountered 3",
        ),
        (
            json!({"version": "1"}),
            "$.version",
            "parsing Int failed, expected Number, but encountered String",
        ),
        (
            json!({"body": {"action": "remove"}}),
            "$.body",
            "parsing Template failed, expected String, but encountered Object",
        ),
        (
            json!({"version": 2, "body": {}}),
            "$.body",
            "key \"action\" not found",
        ),
        (
            json!({"version": 2, "body": {"action": "burn"}}),
            "$.body",
            "invalid transform action",
        ),
        (
            json!({"query_params": 1}),
            "$.query_params",
            "Invalid query parameter",
        ),
        (
            json!({"query_params": {"a b": 1}}),
            "$.query_params['a b']",
            "parsing Template failed, expected String, but encountered Number",
        ),
        (
            json!({"template_engine": "Jinja"}),
            "$.template_engine",
            "expected \"Kriti\", encountered \"Jinja\"",
        ),
        (
            json!({"request_headers": {"remove_headers": [1]}}),
            "$.request_headers.remove_headers",
            "parsing HeaderKey failed, expected String, but encountered Number",
        ),
    ] {
        let error = RequestTransform::from_json(&transform).unwrap_err();
        assert_eq!(
            (error.path.as_str(), error.message.as_str()),
            (path, message),
            "{transform}"
        );
    }
}

#[test]
fn responses() {
    let answer = |transform: Value| {
        let compiled = ResponseTransform::from_json(&transform)
            .unwrap()
            .compile()
            .unwrap();
        let request = request().to_json(BASE_URL, Some(&session()));
        compiled.apply(
            Response {
                status: 201,
                body: json!({"ok": [1]}),
                request,
            },
            Some(&session()),
        )
    };
    assert_eq!(answer(json!({})), Ok(json!({"ok": [1]})));
    assert_eq!(
        answer(json!({"version": 2, "body": {"action": "remove"}})),
        Ok(json!(null))
    );
    let template = "[{{ $response.status }}, {{ $body.ok }}, {{ $request.body.user.id }}, {{ $request.base_url }}, {{ $session_variables['x-hasura-user-id'] }}, {{ getSessionVariable(\"x-hasura-user-id\") }}]";
    assert_eq!(
        answer(json!({"body": template})),
        Ok(json!([201, [1], 7, BASE_URL, "7", "7"]))
    );
    let form = json!({"action": "x_www_form_urlencoded", "form_template": {"s": "{{ $response.status }}"}});
    assert_eq!(answer(json!({"version": 2, "body": form})), Ok(json!("s=201")));
    assert!(
        answer(json!({"body": "{{ $base_url }}"})).is_err(),
        "only requests have it"
    );
}
