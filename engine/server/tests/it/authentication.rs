//! Tokens of an issuer that signs them, a webhook, and what is refused, through HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use embedded::test::TestDatabase;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::process::Server;

/// An HTTP server of the test's own: it answers everything with what it is told, and keeps what it was asked.
struct StandIn {
    port: u16,
    answer: Arc<Mutex<(u16, String, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl StandIn {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stand_in = Self {
            port: listener.local_addr().unwrap().port(),
            answer: Arc::new(Mutex::new((503, String::new(), String::new()))),
            asked: Arc::default(),
            connections: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&stand_in.answer), Arc::clone(&stand_in.asked));
        let connections = Arc::clone(&stand_in.connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                std::thread::spawn(move || serve(stream, &answer, &asked));
            }
        });
        stand_in
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    fn answers(&self, status: u16, headers: &str, body: &Value) {
        *self.answer.lock().unwrap() = (status, headers.to_owned(), body.to_string());
    }

    /// What it was asked last.
    fn last(&self) -> String {
        self.asked.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

fn serve(stream: TcpStream, answer: &Mutex<(u16, String, String)>, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut head = String::new();
        loop {
            let before = head.len();
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
            if &head[before..] == "\r\n" {
                break;
            }
        }
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        asked
            .lock()
            .unwrap()
            .push(head + &String::from_utf8(body).unwrap());
        let (status, headers, body) = answer.lock().unwrap().clone();
        let told = format!(
            "HTTP/1.1 {status} Told\r\n{headers}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        if writer.write_all(told.as_bytes()).is_err() {
            return;
        }
    }
}

/// An issuer's key.
struct Issuer(EcdsaKeyPair, &'static str);

impl Issuer {
    fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self(
            EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
            kid,
        )
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"kty": "EC", "crv": "P-256", "kid": self.1, "use": "sig", "alg": "ES256",
               "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    fn sign(&self, payload: &Value) -> String {
        let header = json!({"alg": "ES256", "kid": self.1}).to_string();
        let signed = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(payload.to_string().as_bytes())
        );
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", encode(signature.as_ref()))
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn in_an_hour() -> u64 {
    (SystemTime::now() + Duration::from_secs(3600))
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

fn payload(user: &str) -> Value {
    json!({"exp": in_an_hour(), "aud": "app", "https://hasura.io/jwt/claims": {
        "x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user", "x-hasura-user-id": user}})
}

const SECRET: &str = "the-admin-secret";
const ADMIN: (&str, &str) = ("x-hasura-admin-secret", SECRET);

/// A server with a table whose rows belong to users 1 and 2.
fn server(database: &TestDatabase, arguments: &[&str]) -> Server {
    let mut all = vec!["--admin-secret", SECRET];
    all.extend_from_slice(arguments);
    let server = Server::start(database, &all);
    let sql = "create table item (id int primary key, owner text); insert into item values (1, '1'), (2, '2'), (3, '2')";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let permission = |role: &str| {
        json!({"type": "pg_create_select_permission", "args": {"table": "item", "role": role, "permission": {
            "columns": ["id", "owner"], "filter": {"owner": {"_eq": "X-Hasura-User-Id"}}}}})
    };
    let all = json!([
        {"type": "pg_track_table", "args": {"table": "item"}},
        permission("user"),
        permission("anonymous"),
    ]);
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &json!({"type": "bulk", "args": all}));
    assert_eq!(status, 200, "{answer}");
    server
}

/// The ids that a request sees, or code and message of its refusal, on the endpoint that shows statuses.
fn ids(server: &Server, headers: &[(&str, &str)]) -> (u16, Value) {
    let query = json!({"query": "{ item(order_by: {id: asc}) { id } }"});
    let (status, answer) = server.json("/v1alpha1/graphql", headers, &query);
    let told = match answer["errors"].get(0) {
        Some(error) => json!([error["extensions"]["code"], error["message"]]),
        None => answer["data"]["item"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect(),
    };
    (status, told)
}

#[test]
fn keys_are_fetched_rotated_and_missed() {
    let issuer = StandIn::start();
    let database = TestDatabase::create("jwks");
    let secret =
        json!({"jwk_url": format!("{}keys?secret=1", issuer.url()), "audience": ["app"]}).to_string();
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
    assert!(!line.to_string().contains("secret=1"), "{line}");
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
fn attacks_are_refused_on_every_endpoint() {
    let issuer = Issuer::new("one");
    let database = TestDatabase::create("attacks");
    let secret = json!({"type": "ES256", "key": issuer.jwk(), "audience": "app"}).to_string();
    let server = server(
        &database,
        &["--jwt-secret", &secret, "--unauthorized-role", "anonymous"],
    );
    let good = issuer.sign(&payload("1"));
    let parts: Vec<&str> = good.split('.').collect();
    let forged = encode(payload("2").to_string().as_bytes());
    let mut other_audience = payload("2");
    other_audience["aud"] = json!("other");
    let mut old = payload("2");
    old["exp"] = json!(1);
    let wrong = [
        format!("{}.{forged}.", encode(br#"{"alg":"none"}"#)),
        format!("{}.{forged}.{}", parts[0], parts[2]),
        format!("{}.{forged}.{}", encode(br#"{"alg":"HS256"}"#), parts[2]),
        Issuer::new("one").sign(&payload("2")),
        issuer.sign(&other_audience),
        issuer.sign(&old),
        good.clone() + "A",
        "x".repeat(70_000),
    ];
    for token in &wrong {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        for (path, status) in [
            ("/v1/graphql", 200),
            ("/v1alpha1/graphql", 400),
            ("/v1/metadata", 400),
            ("/v2/query", 400),
            ("/v1/graphql/explain", 400),
            ("/api/rest/x", 400),
        ] {
            let (found, body) = server.send("POST", path, &headers, r#"{"query":"{ item { id } }"}"#);
            assert_eq!(found, status, "{path} {body}");
            assert!(body.contains("\"invalid-jwt\""), "{path} {body}");
            assert!(!body.contains(&forged));
        }
    }
    // A token's bearer is what the token says, whatever the other headers claim.
    let authorization = format!("Bearer {good}");
    let claim = |name: &'static str, value: &'static str| {
        ids(&server, &[("authorization", &authorization), (name, value)])
    };
    for (name, value) in [
        ("x-hasura-user-id", "2"),
        ("X-HASURA-USER-ID", "2"),
        ("x-hasura-use-backend-only-permissions", "true"),
        ("x-hasura-allowed-roles", "[\"admin\"]"),
    ] {
        assert_eq!(claim(name, value), (200, json!([1])), "{name}");
    }
    let refused = json!(["access-denied", "Your requested role is not in allowed roles"]);
    assert_eq!(claim("x-hasura-role", "admin"), (400, refused));
    assert_eq!(claim("x-hasura-admin-secret", "guess").0, 401);
    // Without a token the unauthorized role, with the client's own variables.
    assert_eq!(ids(&server, &[("x-hasura-user-id", "2")]), (200, json!([2, 3])));
    assert_eq!(
        server
            .json(
                "/v1/metadata",
                &[],
                &json!({"type": "export_metadata", "args": {}})
            )
            .0,
        400
    );
    assert_eq!(ids(&server, &[ADMIN]), (200, json!([1, 2, 3])));
    server.terminate();
    server.log_line("the end", |line| {
        let text = line.to_string();
        assert!(
            !text.contains(parts[1]) && !text.contains(&forged) && !text.contains(SECRET),
            "{text}"
        );
        text.contains("has stopped")
    });
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
        ("content-type:", false),
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
        "an unreadable request is not authenticated: {whole}"
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
    assert_eq!(
        hook.connections.load(Ordering::SeqCst),
        1,
        "the connection is kept"
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
            (500, "unexpected", "Invalid response from authorization hook"),
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

#[test]
fn gates_before_operations() {
    let database = TestDatabase::create("gates");
    let server = server(&database, &["--enable-allowlist"]);
    let command = |kind: &str, arguments: Value| {
        let (status, answer) = server.json(
            "/v1/metadata",
            &[ADMIN],
            &json!({"type": kind, "args": arguments}),
        );
        assert_eq!(status, 200, "{answer}");
    };
    let sql = "create view slow as select id, owner, (select pg_sleep(30) is null) as s from item";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    command("pg_track_table", json!({"table": "slow"}));
    command(
        "pg_create_select_permission",
        json!({"table": "slow", "role": "user", "permission": {"columns": ["s"], "filter": {}}}),
    );
    command(
        "create_query_collection",
        json!({"name": "c", "definition": {"queries": [
            {"name": "items", "query": "{ item(order_by: {id: asc}) { id } }"},
            {"name": "one", "query": "query ($id: Int!, $owner: Boolean = false) { item_by_pk(id: $id) { id owner @include(if: $owner) } }"},
            {"name": "slow", "query": "{ slow { s } }"},
            {"name": "deep", "query": "query Deep { item { id } again: item { id } }"},
        ]}}),
    );
    let user = [ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "2")];
    let refused = json!(["validation-failed", "query is not allowed"]);
    assert_eq!(ids(&server, &user), (400, refused.clone()));
    command(
        "add_collection_to_allowlist",
        json!({"collection": "c", "scope": {"global": false, "roles": ["editor"]}}),
    );
    assert_eq!(ids(&server, &user), (400, refused));
    command(
        "update_scope_of_collection_in_allowlist",
        json!({"collection": "c", "scope": {"global": true}}),
    );
    assert_eq!(ids(&server, &user), (200, json!([2, 3])));
    // The same queries as REST endpoints.
    for (name, url, methods) in [
        ("items", "items", json!(["GET"])),
        ("one", "item/:id", json!(["GET", "POST"])),
    ] {
        command(
            "create_rest_endpoint",
            json!({"name": name, "url": url, "methods": methods,
                   "definition": {"query": {"collection_name": "c", "query_name": name}}}),
        );
    }
    let rest =
        |method: &str, path: &str, body: &str| server.send(method, &format!("/api/rest/{path}"), &user, body);
    assert_eq!(
        rest("GET", "items", ""),
        (200, r#"{"item":[{"id":2},{"id":3}]}"#.to_owned())
    );
    assert_eq!(
        rest("GET", "item/2?owner", "").1,
        r#"{"item_by_pk":{"id":2,"owner":"2"}}"#
    );
    assert_eq!(
        rest("POST", "item/%32", r#"{"owner":true}"#).1,
        r#"{"item_by_pk":{"id":2,"owner":"2"}}"#
    );
    assert_eq!(rest("GET", "item/1", "").1, r#"{"item_by_pk":null}"#);
    assert_eq!(
        rest("POST", "items", ""),
        (
            405,
            r#"{"error":"Allowed methods: GET","path":"$","code":"method-not-allowed"}"#.to_owned()
        )
    );
    assert_eq!(
        rest("GET", "none", ""),
        (
            404,
            r#"{"error":"Endpoint not found","path":"$","code":"not-found"}"#.to_owned()
        )
    );
    assert_eq!(rest("GET", "item/2?other=1", "").0, 400);
    // Limits.
    command(
        "set_api_limits",
        json!({
            "depth_limit": {"global": 2, "per_role": {"user": 1}},
            "batch_limit": {"global": 1, "per_role": {}},
        }),
    );
    let (status, told) = ids(&server, &user);
    assert_eq!(
        (status, &told[1]),
        (400, &json!("the depth is 2, which exceeds the limit of 1"))
    );
    let query = json!({"query": "{ item(order_by: {id: asc}) { id } }"});
    let (_, answer) = server.json("/v1/graphql", &user, &json!([query, query]));
    assert_eq!(
        answer["errors"][0]["message"],
        "the number of operations in a batch is 2, which exceeds the limit of 1"
    );
    assert_eq!(
        ids(&server, &[ADMIN]),
        (200, json!([1, 2, 3])),
        "limits are not for admins"
    );
    command(
        "set_api_limits",
        json!({"node_limit": {"global": 1, "per_role": {}}}),
    );
    assert_eq!(ids(&server, &user), (200, json!([2, 3])));
    let deep = json!({"query": "query Deep { item { id } again: item { id } }"});
    let (_, answer) = server.json("/v1/graphql", &user, &deep);
    assert_eq!(
        answer["errors"][0]["message"],
        "the number of nodes is 2, which exceeds the limit of 1"
    );
    command(
        "set_api_limits",
        json!({"rate_limit": {"global": {"max_reqs_per_min": 2, "unique_params": ["x-hasura-user-id"]}, "per_role": {}}}),
    );
    assert_eq!(ids(&server, &user).0, 200);
    assert_eq!(ids(&server, &user).0, 200);
    let (status, told) = ids(&server, &user);
    assert_eq!((status, &told[0]), (429, &json!("rate-limit-exceeded")));
    assert_eq!(rest("GET", "items", "").0, 429);
    let other = [ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "1")];
    assert_eq!(ids(&server, &other), (200, json!([1])));
    command(
        "set_api_limits",
        json!({"time_limit": {"global": 0.1, "per_role": {}}}),
    );
    let (_, answer) = server.json("/v1/graphql", &user, &json!({"query": "{ slow { s } }"}));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "timeout");
}
