//! Tokens of an issuer that signs them, a webhook, and what is refused, through HTTP.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;
use crate::stand_in::{ADMIN, Issuer, SECRET, StandIn, ids, payload, server};

#[test]
fn keys_are_fetched_rotated_and_missed() {
    let issuer = StandIn::start();
    let database = TestDatabase::create("jwks");
    let secret =
        json!({"jwk_url": format!("{}keys?secret=1", issuer.url().replace("://", "://me:secret-word@")), "audience": ["app"]})
            .to_string();
    let server = server(&database, &["--jwt-secret", &secret]);
    let (first, second) = (Issuer::new("one"), Issuer::new("two"));
    let token = format!("Bearer {}", first.sign(&payload("2")));
    let bearer = [("authorization", token.as_str())];
    // The issuer is away: the server runs, is not ready, and cannot tell.
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 503);
    assert_eq!(server.send("GET", "/healthz", &[], "").0, 200);
    let (status, told) = ids(&server, &bearer);
    assert_eq!((status, &told[0]), (401, &json!("invalid-jwt")));
    issuer.answers(
        200,
        "cache-control: max-age=3600\r\n",
        &json!({"keys": [first.jwk()]}),
    );
    let line = server.log_line("the keys", |line| {
        line["type"] == "jwk-refresh-log" && line["level"] == "info"
    });
    let line = line.to_string();
    assert!(
        !line.contains("secret=1") && !line.contains("secret-word"),
        "{line}"
    );
    assert_eq!(ids(&server, &bearer), (200, json!([2, 3])));
    assert_eq!(server.send("GET", "/readyz", &[], "").0, 200);
    // A new key is looked up when its first token comes; the old one goes with the set that had it.
    issuer.answers(
        200,
        "cache-control: max-age=3600\r\n",
        &json!({"keys": [second.jwk()]}),
    );
    let newer = format!("Bearer {}", second.sign(&payload("1")));
    assert_eq!(ids(&server, &[("authorization", &newer)]), (200, json!([1])));
    let gone = json!([
        "invalid-jwt",
        "Could not verify JWT: JWSError JWSInvalidSignature"
    ]);
    assert_eq!(ids(&server, &bearer), (400, gone.clone()));
    // The issuer is away again: known keys go on.
    issuer.answers(500, "", &Value::Null);
    assert_eq!(ids(&server, &[("authorization", &newer)]), (200, json!([1])));
    let stranger = format!("Bearer {}", Issuer::new("three").sign(&payload("1")));
    assert_eq!(ids(&server, &[("authorization", &stranger)]), (400, gone));
    assert_eq!(ids(&server, &[("authorization", &newer)]), (200, json!([1])));
    let config = server.send("GET", "/v1alpha1/config", &[ADMIN], "").1;
    let config: Value = serde_json::from_str(&config).unwrap();
    assert_eq!(
        (&config["is_jwt_set"], &config["jwt"]),
        (
            &json!(true),
            &json!([{"claims_namespace": "https://hasura.io/jwt/claims", "claims_format": "json", "claims_map": null}])
        )
    );
}

#[test]
fn a_hook_is_asked_by_get() {
    let hook = StandIn::start();
    let database = TestDatabase::create("hook_get");
    let server = server(&database, &["--auth-hook", &hook.url()]);
    hook.answers(
        200,
        "set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\n",
        &json!({"X-Hasura-Role": "user", "X-Hasura-User-Id": "2"}),
    );
    let headers = [
        ("cookie", "session=7"),
        ("x-hasura-user-id", "1"),
        ("user-agent", "me"),
        ("x-own", "o"),
        ("content-type", "text/x-own"),
    ];
    assert_eq!(ids(&server, &headers), (200, json!([2, 3])));
    let asked = hook.last().to_ascii_lowercase();
    assert!(asked.starts_with("get / http/1.1\r\n"), "{asked}");
    for (header, there) in [
        ("cookie: session=7\r\n", true),
        ("x-own: o\r\n", true),
        ("x-hasura-user-id: 1\r\n", true),
        ("user-agent: hasura-graphql-engine/", true),
        ("user-agent: me", false),
        ("content-type: application/json\r\n", true),
        ("content-type: text/x-own", false),
    ] {
        assert_eq!(asked.contains(header), there, "{header} {asked}");
    }
    let mut stream = server.connect();
    stream
        .write_all(
            b"POST /v1/graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        )
        .unwrap();
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    assert!(
        !whole.contains("set-cookie"),
        "an unreadable request takes no cookies: {whole}"
    );
    let mut stream = server.connect();
    let body = r#"{"query":"{ __typename }"}"#;
    let head = format!(
        "POST /v1/graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    let whole = whole.to_ascii_lowercase();
    assert!(
        whole.contains("set-cookie: a=1; path=/\r\n") && whole.contains("set-cookie: b=2\r\n"),
        "{whole}"
    );
    // A request that is faster than the return of the connection opens another one.
    let (connections, asked) = (
        hook.connections.load(Ordering::SeqCst),
        hook.asked.lock().unwrap().len(),
    );
    assert!(
        connections < asked,
        "the connection is kept: {connections} of {asked}"
    );
    let before = hook.asked.lock().unwrap().len();
    assert_eq!(ids(&server, &[ADMIN]), (200, json!([1, 2, 3])));
    assert_eq!(ids(&server, &[("x-hasura-admin-secret", "guess")]).0, 401);
    assert_eq!(
        hook.asked.lock().unwrap().len(),
        before,
        "the admin secret comes before the hook"
    );
    for (status, body, told) in [
        (
            401,
            json!({}),
            (
                401,
                "access-denied",
                "Authentication hook unauthorized this request",
            ),
        ),
        (
            403,
            json!({}),
            (500, "unexpected", "Invalid response from authorization hook"),
        ),
        (
            302,
            json!({}),
            (500, "unexpected", "Invalid response from authorization hook"),
        ),
        (
            200,
            json!([]),
            (
                500,
                "unexpected",
                "Invalid response from authorization hook: Error in $: parsing HashMap failed, expected Object, but encountered Array",
            ),
        ),
        (
            200,
            json!({"x-hasura-user-id": "1"}),
            (
                400,
                "invalid-params",
                "\"x-hasura-role\" not found in session variables",
            ),
        ),
    ] {
        hook.answers(status, "location: http://169.254.169.254/\r\n", &body);
        assert_eq!(ids(&server, &[]), (told.0, json!([told.1, told.2])));
    }
}

#[test]
fn a_hook_is_asked_by_post() {
    let hook = StandIn::start();
    let database = TestDatabase::create("hook_post");
    let server = server(
        &database,
        &["--auth-hook", &hook.url(), "--auth-hook-mode", "POST"],
    );
    hook.answers(
        200,
        "",
        &json!({"x-hasura-role": "user", "x-hasura-user-id": "1"}),
    );
    assert_eq!(ids(&server, &[("x-own", "o")]), (200, json!([1])));
    let body = |asked: String| -> Value {
        assert!(asked.starts_with("POST / HTTP/1.1\r\n"), "{asked}");
        serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap()
    };
    let asked = body(hook.last());
    assert_eq!(asked["headers"]["x-own"], "o");
    // Names are told as the client spelled them.
    assert_eq!(ids(&server, &[("X-Own", "o"), ("AUTHORIZATION", "a")]).0, 200);
    let told = &body(hook.last())["headers"];
    assert_eq!(
        (&told["X-Own"], &told["AUTHORIZATION"], told.get("x-own")),
        (&json!("o"), &json!("a"), None)
    );
    assert_eq!(
        asked["request"],
        json!({"query": "{ item(order_by: {id: asc}) { id } }"})
    );
    server.json(
        "/v1/metadata",
        &[],
        &json!({"type": "export_metadata", "args": {}}),
    );
    assert_eq!(body(hook.last())["request"], Value::Null);
    // One that cannot be read is asked about too, and then told so.
    let before = hook.asked.lock().unwrap().len();
    let unreadable = json!("invalid-query");
    let (_, answer) = server.json("/v1/graphql", &[("auth-user-id", "1")], &unreadable);
    assert!(answer["errors"].is_array(), "{answer}");
    assert_eq!(hook.asked.lock().unwrap().len(), before + 1);
    let asked = body(hook.last());
    assert_eq!(
        (&asked["headers"]["auth-user-id"], &asked["request"]),
        (&json!("1"), &Value::Null)
    );
    drop(hook.answer.lock());
    let gone = StandIn { port: 1, ..hook };
    let second = Server::start(
        &database,
        &[
            "--admin-secret",
            SECRET,
            "--auth-hook",
            &gone.url(),
            "--auth-hook-mode",
            "POST",
        ],
    );
    assert_eq!(
        ids(&second, &[]),
        (
            500,
            json!(["unexpected", "webhook authentication request failed"])
        )
    );
}
