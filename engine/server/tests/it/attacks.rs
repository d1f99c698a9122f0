//! What somebody sends to get in, over every endpoint: tokens, headers, paths. Each is refused, and neither answers nor the
//! log tell anything of a token or a secret.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use ring::hmac;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server, read_response};
use crate::socket::{APOLLO, Socket, TRANSPORT, init};
use crate::stand_in::{ADMIN, Issuer, SECRET, StandIn, encode, ids, payload, server};

/// Method, path and the status of a refused token.
const TRANSPORTS: &[(&str, &str, u16)] = &[
    ("POST", "/v1/graphql", 200),
    ("POST", "/v1alpha1/graphql", 400),
    ("POST", "/v1/graphql/explain", 400),
    ("POST", "/v1alpha1/graphql/explain", 400),
    ("POST", "/v1/metadata", 400),
    ("POST", "/v1/query", 400),
    ("POST", "/v2/query", 400),
    ("GET", "/v1alpha1/config", 400),
    ("GET", "/healthz/sources", 400),
    ("GET", "/api/swagger/json", 400),
    ("GET", "/api/rest/x", 400),
    ("POST", "/api/rest/x", 400),
];

const BODY: &str = r#"{"query":"{ item { id } }"}"#;

fn claims(user: &str) -> Value {
    let mut payload = payload(user);
    payload["iss"] = json!("https://issuer.example");
    payload
}

/// The same with another claim.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims("2");
    claims[name] = value;
    claims
}

/// The same with another one of Hasura's.
fn hasura(name: &str, value: Value) -> Value {
    let mut claims = claims("2");
    claims["https://hasura.io/jwt/claims"][name] = value;
    claims
}

fn hs256(secret: &[u8], payload: &Value) -> String {
    let signed = format!(
        "{}.{}",
        encode(br#"{"alg":"HS256","kid":"one"}"#),
        encode(payload.to_string().as_bytes())
    );
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", encode(signature.as_ref()))
}

/// Every token, with what it tries.
fn tokens(issuer: &Issuer, evil_url: &str) -> Vec<(String, String)> {
    let attacker = Issuer::new("one");
    let good = issuer.sign(&claims("1"));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = encode(claims("2").to_string().as_bytes());
    let mut tokens = Vec::new();
    let mut add = |what: &str, token: String| tokens.push((what.to_owned(), token));
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = encode(json!({"alg": name}).to_string().as_bytes());
        add("no signature", format!("{header}.{forged}."));
        add("no algorithm", format!("{header}.{forged}.{}", parts[2]));
    }
    let jwk = issuer.jwk();
    for secret in [
        jwk.to_string(),
        jwk["x"].to_string(),
        String::new(),
        "null".to_owned(),
    ] {
        add(
            "the public key as a secret",
            hs256(secret.as_bytes(), &claims("2")),
        );
    }
    add("another payload", format!("{}.{forged}.{}", parts[0], parts[2]));
    add("no signature at all", format!("{}.{forged}.", parts[0]));
    add("a longer signature", format!("{good}A"));
    add("another key of the same name", attacker.sign(&claims("2")));
    let own = claims("2").to_string();
    for header in [
        json!({"alg": "ES256", "jwk": attacker.jwk()}),
        json!({"alg": "ES256", "jku": format!("{evil_url}keys")}),
        json!({"alg": "ES256", "x5u": format!("{evil_url}cert")}),
        json!({"alg": "ES256", "x5c": ["MIIB"]}),
        json!({"alg": "ES256", "kid": "../../../../dev/null"}),
        json!({"alg": "ES256", "kid": "one\u{0}"}),
        json!({"alg": "ES256", "kid": "' or 1=1 --"}),
        json!({"alg": "ES256", "kid": {"$ne": null}}),
        json!({"alg": "ES256", "kid": format!("{evil_url}keys")}),
        json!({"alg": "ES256", "kid": "x".repeat(10_000)}),
    ] {
        add(
            "a key in the header",
            attacker.sign_bytes(&header.to_string(), own.as_bytes()),
        );
    }
    let es256 = r#"{"alg":"ES256"}"#;
    for header in [
        r#"{"alg":"ES256","crit":["exp"]}"#,
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":["ES256"]}"#,
        "[]",
    ] {
        add("a header", issuer.sign_bytes(header, own.as_bytes()));
    }
    for wrong in [
        with("exp", json!(1)),
        with("exp", json!("tomorrow")),
        with("nbf", json!(4_000_000_000_u64)),
        with("iat", json!(4_000_000_000_u64)),
        with("aud", json!("other")),
        with("aud", json!([])),
        with("iss", json!("https://evil.example")),
        with("https://hasura.io/jwt/claims", json!("admin")),
        hasura("x-hasura-user-id", json!("2\u{0}")),
        hasura("x-hasura-user-id", json!(["1", "2"])),
        hasura("X-Hasura-User-Id", json!("1")),
        hasura("x-hasura-allowed-roles", json!("admin")),
        hasura("x-hasura-default-role", json!(["admin"])),
    ] {
        add("a claim", issuer.sign(&wrong));
    }
    let twice = own.replacen(
        '{',
        r#"{"https://hasura.io/jwt/claims":{"x-hasura-default-role":"admin"},"#,
        1,
    );
    add("a claim twice", issuer.sign_bytes(es256, twice.as_bytes()));
    let role = own.replacen(
        r#""x-hasura-user-id""#,
        r#""x-hasura-user-id":"1","x-hasura-user-id""#,
        1,
    );
    assert_ne!(role, own);
    add(
        "a session variable twice",
        issuer.sign_bytes(es256, role.as_bytes()),
    );
    add(
        "bytes",
        issuer.sign_bytes(es256, b"{\"exp\":9999999999,\"x\":\"\xff\"}"),
    );
    add("depth", issuer.sign_bytes(es256, "[".repeat(20_000).as_bytes()));
    add("size", "x".repeat(70_000));
    add(
        "size of a good one",
        issuer.sign(&with("pad", json!("x".repeat(70_000)))),
    );
    add("parts", "a.".repeat(10_000));
    add("dots", "..".to_owned());
    tokens
}

#[test]
fn tokens_on_every_endpoint() {
    let issuer = Issuer::new("one");
    let evil = StandIn::start();
    let database = TestDatabase::create("attacks");
    let secret = json!({"type": "ES256", "key": issuer.jwk(), "audience": "app",
                        "issuer": "https://issuer.example"})
    .to_string();
    let server = server(
        &database,
        &["--jwt-secret", &secret, "--unauthorized-role", "anonymous"],
    );
    let good = issuer.sign(&claims("1"));
    assert_eq!(
        ids(&server, &[("authorization", &format!("Bearer {good}"))]),
        (200, json!([1]))
    );
    let tokens = tokens(&issuer, &evil.url());
    for (what, token) in &tokens {
        let authorization = format!("Bearer {token}");
        for (method, path, status) in TRANSPORTS {
            let headers = [("authorization", authorization.as_str())];
            let (found, body) = server.send(method, path, &headers, BODY);
            assert_eq!(found, *status, "{what} {path} {body}");
            let refused = body.contains("\"invalid-jwt\"") || body.contains("\"jwt-invalid-claims\"");
            assert!(refused, "{what} {path} {body}");
            for part in token.split('.').filter(|part| part.len() > 20) {
                assert!(!body.contains(part), "{what} {path} {body}");
            }
        }
    }
    for (what, token) in &tokens {
        over_websockets(&server, what, token);
    }
    assert!(
        evil.asked.lock().unwrap().is_empty(),
        "no address of a token is ever asked"
    );
    a_bearer_is_what_the_token_says(&server, &good);
    a_session_is_what_the_token_says(&server, &good);
    // Nothing of any of them is in the log.
    server.terminate();
    server.log_line("the end", |line| {
        let text = line.to_string();
        let parts = tokens.iter().map(|(_, token)| token).chain([&good]);
        for part in parts
            .flat_map(|token| token.split('.'))
            .filter(|part| part.len() > 40)
        {
            assert!(!text.contains(part), "{text}");
        }
        assert!(
            !text.contains(SECRET) && !text.contains("a-wrong-guess"),
            "{text}"
        );
        text.contains("has stopped")
    });
}

/// In the handshake and in the first message, in both protocols.
fn over_websockets(server: &Server, what: &str, token: &str) {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    for protocol in [APOLLO, TRANSPORT] {
        for (handshake, first) in [(&headers[..], &[][..]), (&[], &headers)] {
            let mut socket = Socket::open(server, "/v1/graphql", protocol, handshake)
                .ok()
                .unwrap();
            socket.send(&init(first));
            if protocol == APOLLO {
                let told = socket.message();
                assert_eq!(told["type"], "connection_error", "{what} {told}");
                let told = told.to_string();
                assert!(
                    !token
                        .split('.')
                        .any(|part| part.len() > 20 && told.contains(part)),
                    "{what} {told}"
                );
            }
            let (code, reason) = socket.closed();
            assert_eq!(
                code,
                if protocol == APOLLO { 4400 } else { 4403 },
                "{what} {reason}"
            );
        }
    }
}

/// Whatever the other headers claim, over HTTP, in a handshake or in the first message of a websocket.
fn a_session_is_what_the_token_says(server: &Server, good: &str) {
    let authorization = format!("Bearer {good}");
    let bearer = ("authorization", authorization.as_str());
    let ids = "{ item(order_by: {id: asc}) { id } }";
    for claim in [
        ("x-hasura-user-id", "2"),
        ("X-HASURA-USER-ID", "2"),
        ("x-hasura-use-backend-only-permissions", "true"),
        ("x-hasura-default-role", "admin"),
        ("x_hasura_role", "admin"),
    ] {
        for (handshake, first) in [
            (vec![bearer, claim], vec![]),
            (vec![claim], vec![bearer]),
            (vec![bearer], vec![claim]),
            (vec![], vec![bearer, claim]),
        ] {
            let mut socket = Socket::open(server, "/v1/graphql", TRANSPORT, &handshake)
                .ok()
                .unwrap();
            socket.initialise(&first);
            let said = socket.ask("1", ids);
            assert_eq!(
                said[0]["payload"],
                json!({"data": {"item": [{"id": 1}]}}),
                "{claim:?}"
            );
        }
    }
    let refused = |handshake: &[(&str, &str)], first: &Value| {
        let mut socket = Socket::open(server, "/v1/graphql", TRANSPORT, handshake)
            .ok()
            .unwrap();
        socket.send(first);
        socket.closed().0
    };
    for role in ["admin", "Admin", "anonymous", "user,admin"] {
        assert_eq!(
            refused(&[bearer], &init(&[("x-hasura-role", role)])),
            4403,
            "{role}"
        );
    }
    for secret in ["a-wrong-guess", "", "the-admin-secre", "THE-ADMIN-SECRET"] {
        assert_eq!(
            refused(&[bearer], &init(&[("x-hasura-admin-secret", secret)])),
            4403,
            "{secret}"
        );
        assert_eq!(
            refused(&[("x-hasura-access-key", secret)], &init(&[bearer])),
            4403,
            "{secret}"
        );
    }
    // Names that two readers could read differently, and values that no header has.
    for headers in [
        json!({"x-hasura-role": "user", "X-Hasura-Role": "admin"}),
        json!({"x-hasura-role ": "admin"}),
        json!({"x-hasura\u{2010}role": "admin"}),
        json!({"x-ha\u{17f}ura-role": "admin"}),
        json!({"x-hasura-role\u{0}": "admin"}),
        json!({"x-hasura-role": "user\r\nx-hasura-admin-secret: x"}),
        json!({"x-hasura-role": "user\u{0}"}),
        json!({"x-hasura-role": ["admin"]}),
        json!({"x-hasura-role": null}),
    ] {
        let first = json!({"type": "connection_init", "payload": {"headers": headers}});
        assert_eq!(refused(&[bearer], &first), 4400, "{first}");
    }
    // A bearer's second word is as good as the first: it cannot fall back on what the handshake showed.
    let mut socket = Socket::open(server, "/v1/graphql", TRANSPORT, &[ADMIN])
        .ok()
        .unwrap();
    socket.initialise(&[]);
    socket.send(&init(&[("authorization", "Bearer x")]));
    assert_eq!(socket.closed().0, 4403);
}

/// Whatever the other headers claim.
fn a_bearer_is_what_the_token_says(server: &Server, good: &str) {
    let authorization = format!("Bearer {good}");
    let claim = |name: &'static str, value: &'static str| {
        ids(server, &[("authorization", &authorization), (name, value)])
    };
    for (name, value) in [
        ("x-hasura-user-id", "2"),
        ("X-HASURA-USER-ID", "2"),
        ("x-hasura-use-backend-only-permissions", "true"),
        ("x-hasura-allowed-roles", "[\"admin\"]"),
        ("x-hasura-default-role", "admin"),
        ("x_hasura_role", "admin"),
    ] {
        let (status, told) = claim(name, value);
        assert_eq!((status, told), (200, json!([1])), "{name}");
    }
    let refused = json!(["access-denied", "Your requested role is not in allowed roles"]);
    for role in ["admin", "Admin", "ADMIN", "user ", "anonymous", "user,admin"] {
        let (status, told) = claim("x-hasura-role", role);
        assert!(
            (status, &told) == (400, &refused) || role == "user ",
            "{role} {told}"
        );
    }
    for secret in [
        "a-wrong-guess",
        "",
        "the-admin-secre",
        "the-admin-secrett",
        "THE-ADMIN-SECRET",
    ] {
        assert_eq!(claim("x-hasura-admin-secret", secret).0, 401, "{secret}");
        assert_eq!(claim("x-hasura-access-key", secret).0, 401, "{secret}");
    }
    // Without a token the unauthorized role, with the client's own variables.
    assert_eq!(ids(server, &[("x-hasura-user-id", "2")]), (200, json!([2, 3])));
    let export = json!({"type": "export_metadata", "args": {}});
    for path in ["/v1/metadata", "/v1/query"] {
        assert_eq!(server.json(path, &[], &export).0, 400);
    }
    assert_eq!(ids(server, &[ADMIN]), (200, json!([1, 2, 3])));
}

/// What a server says to these bytes until it closes the connection, or for so long.
fn raw(server: &Server, bytes: &[u8], patience: Duration) -> String {
    let mut stream = server.connect();
    stream.write_all(bytes).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn headers_and_their_names() {
    let issuer = Issuer::new("one");
    let database = TestDatabase::create("header_attacks");
    let secret = json!({"type": "ES256", "key": issuer.jwk()}).to_string();
    let server = server(&database, &["--jwt-secret", &secret]);
    let good = issuer.sign(&payload("1"));
    let request = |headers: &[u8]| {
        let body = br#"{"type":"export_metadata","args":{}}"#;
        let mut bytes = b"POST /v1/metadata HTTP/1.1\r\nhost: x\r\nconnection: close\r\n".to_vec();
        bytes.extend_from_slice(headers);
        bytes.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        raw(&server, &bytes, PATIENCE)
    };
    let said = request(format!("X-HASURA-Admin-Secret: {SECRET}\r\n").as_bytes());
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    for name in [
        "x_hasura_admin_secret",
        "x-hasura-admin-secret ",
        " x-hasura-admin-secret",
        "x-hasura-admin\u{2010}secret",
        "x-ha\u{17f}ura-admin-secret",
        "\u{445}-hasura-admin-secret",
        "x-hasura-admin-secret\0",
        "x-hasura-admin-secret\r\n",
        "x-hasura-admin-secrets",
    ] {
        let said = request(format!("{name}: {SECRET}\r\n").as_bytes());
        assert!(
            said.starts_with("HTTP/1.1 400") || said.is_empty(),
            "{name:?} {said}"
        );
        assert!(!said.contains("\"sources\""), "{name:?} {said}");
    }
    for (headers, code) in [
        (
            format!("authorization: Bearer {good}\r\nauthorization: Bearer {good}\r\n"),
            "invalid-headers",
        ),
        (format!("authorization: bearer {good}\r\n"), "invalid-headers"),
        (format!("authorization: Bearer {good} x\r\n"), "invalid-headers"),
        (format!("authorization: {good}\r\n"), "invalid-headers"),
        (
            format!("authorization: Bearer {good}\r\nx-hasura-role: user\r\nx-hasura-role: admin\r\n"),
            "access-denied",
        ),
        (
            format!("authorization: Bearer {good}\r\nx-hasura-role: admin\r\nx-hasura-role: user\r\n"),
            "access-denied",
        ),
        (format!("cookie: token={good}\r\n"), "invalid-headers"),
    ] {
        let said = request(headers.as_bytes());
        assert!(
            said.contains(code) && !said.contains("\"sources\""),
            "{headers} {said}"
        );
    }
    let said = request(b"x-hasura-admin-secret: \xff\r\n");
    assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    let said = request(
        &[
            ADMIN.0.as_bytes(),
            b": ",
            ADMIN.1.as_bytes(),
            b"\r\nx-hasura-a: \xff\r\n",
        ]
        .concat(),
    );
    assert!(said.contains("is not UTF-8"), "{said}");
    // Two lengths, or a length and chunks: where two readers could disagree, there is one answer at most, and the
    // connection ends.
    let inner = "GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n";
    for head in [
        "content-length: 5\r\ncontent-length: 6\r\n".to_owned(),
        format!(
            "transfer-encoding: chunked\r\ncontent-length: {}\r\n",
            5 + inner.len()
        ),
        format!(
            "content-length: {}\r\ntransfer-encoding: chunked\r\n",
            5 + inner.len()
        ),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "content-length: +5\r\n".to_owned(),
    ] {
        let said = raw(
            &server,
            format!("POST /v1/metadata HTTP/1.1\r\nhost: x\r\n{head}\r\n0\r\n\r\n{inner}").as_bytes(),
            // It may wait for more.
            Duration::from_millis(700),
        );
        assert!(said.matches("HTTP/1.1 ").count() <= 1, "{head} {said}");
        assert!(
            !said.contains("server_type") && !said.contains("\"version\""),
            "{head} {said}"
        );
    }
}

#[test]
fn paths_take_no_time() {
    let database = TestDatabase::create("path_attacks");
    let server = server(&database, &[]);
    let command = |kind: &str, arguments: Value| {
        let (status, answer) = server.json(
            "/v1/metadata",
            &[ADMIN],
            &json!({"type": kind, "args": arguments}),
        );
        assert_eq!(status, 200, "{answer}");
    };
    command(
        "create_query_collection",
        json!({"name": "c", "definition": {"queries": [
            {"name": "one", "query": "query ($a: String, $b: String, $c: String, $d: String) { item { id } }"}]}}),
    );
    for (name, url) in [
        ("one", ":a/:b/:c/:d"),
        ("two", "a/:b/:c"),
        ("three", ":a/:b/:c/:d/e"),
        ("four", ":a/:b"),
    ] {
        command(
            "create_rest_endpoint",
            json!({"name": name, "url": url, "methods": ["GET"],
                   "definition": {"query": {"collection_name": "c", "query_name": "one"}}}),
        );
    }
    for path in [
        "a/".repeat(20_000),
        "/".repeat(40_000),
        "%2f".repeat(10_000),
        format!("{}!", "a".repeat(60_000)),
        format!("a/b?{}", "a&".repeat(20_000)),
        format!("a/b?{}", "a=".repeat(20_000)),
        "%".repeat(40_000),
        "../".repeat(10_000),
    ] {
        let started = Instant::now();
        let mut stream = server.connect();
        let head = format!(
            "GET /api/rest/{path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}: {}\r\n\r\n",
            ADMIN.0, ADMIN.1
        );
        stream.write_all(head.as_bytes()).unwrap();
        let (status, body) = read_response(&mut stream);
        assert!((400..500).contains(&status), "{status} {body}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
    }
}
