//! Whom a websocket's session comes from, and when it ends.

use std::time::Instant;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use super::{ITEMS, reason, slow};
use crate::process::{PATIENCE, Server, rowlock, run};
use crate::rotation::{Folder, is_let_in, until};
use crate::socket::{APOLLO, Said, Socket, TRANSPORT, init, is_keepalive};
use crate::stand_in::{ADMIN, Issuer, SECRET, StandIn, payload, server};
use crate::wait::pause;

#[test]
fn sessions_end() {
    let issuer = Issuer::new("one");
    let database = TestDatabase::create("ws_jwt");
    let secret = json!({"type": "ES256", "key": issuer.jwk()}).to_string();
    let server = server(&database, &["--jwt-secret", &secret]);
    let bearer = |seconds: u64| {
        let mut claims = payload("1");
        claims["exp"] = json!(claims["exp"].as_u64().unwrap() - 3600 + seconds);
        format!("Bearer {}", issuer.sign(&claims))
    };
    let expired = (4403, reason("4403: the session expired"));
    let (mut ending, mut prolonged) = (Vec::new(), Vec::new());
    for protocol in [APOLLO, TRANSPORT] {
        // Shown in the handshake or in the first message.
        let token = bearer(15);
        let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[("authorization", &token)])
            .ok()
            .unwrap();
        socket.initialise(&[]);
        assert_eq!(
            socket.ask("1", ITEMS)[0]["payload"]["data"],
            json!({"item": [{"id": 1}]})
        );
        ending.push(socket);
        // What the first message says wins, and a newer token prolongs.
        let (old, new) = (bearer(15), bearer(3600));
        let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[("authorization", "Bearer x")])
            .ok()
            .unwrap();
        ending.push(Socket::initialised(&server, protocol, &[("authorization", &old)]));
        socket.initialise(&[("Authorization", &old)]);
        socket.initialise(&[("Authorization", &new), ("x-hasura-role", "editor")]);
        prolonged.push(socket);
    }
    for socket in &mut ending {
        assert_eq!(socket.closed(), expired);
    }
    for socket in &mut prolonged {
        assert_eq!(
            socket.ask("1", "{ __typename }")[0]["payload"]["data"],
            json!({"__typename": "query_root"})
        );
    }
}

#[test]
fn a_webhook_is_asked_once() {
    let hook = StandIn::start();
    hook.answers(
        200,
        "set-cookie: a=b\r\n",
        &json!({"X-Hasura-Role": "user", "X-Hasura-User-Id": "2", "Cache-Control": "max-age=15"}),
    );
    let database = TestDatabase::create("ws_hook");
    let server = server(
        &database,
        &[
            "--auth-hook",
            &hook.url(),
            "--auth-hook-mode",
            "POST",
            "--disable-cors",
        ],
    );
    let headers = [
        ("origin", "https://a.example"),
        ("cookie", "c=1"),
        ("x-own", "handshake"),
        ("x-other", "1"),
    ];
    let mut socket = Socket::open(&server, "/v1/graphql", TRANSPORT, &headers)
        .ok()
        .unwrap();
    socket.initialise(&[("X-Own", "init"), ("x-hasura-user-id", "1")]);
    assert_eq!(
        socket.ask("1", ITEMS)[0]["payload"]["data"],
        json!({"item": [{"id": 2}, {"id": 3}]})
    );
    assert_eq!(socket.ask("2", ITEMS).len(), 1);
    assert_eq!(socket.closed(), (4403, reason("4403: the session expired")));
    let asked = hook.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 1);
    let body: Value = serde_json::from_str(asked[0].split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["request"], Value::Null);
    let told = &body["headers"];
    assert_eq!((&told["X-Own"], &told["x-other"]), (&json!("init"), &json!("1")));
    for name in [
        "sec-websocket-key",
        "sec-websocket-version",
        "upgrade",
        "connection",
    ] {
        assert_eq!(told.get(name), None, "{name}");
    }
    assert_eq!(told.get("cookie"), None, "a page of any origin could send it");
    // Without a page behind it, the cookie is the client's own.
    let mut socket = Socket::open(&server, "/v1/graphql", TRANSPORT, &[("cookie", "c=1")])
        .ok()
        .unwrap();
    socket.initialise(&[]);
    assert!(hook.last().contains(r#""cookie":"c=1""#));
    // No, and not in a way that can be understood.
    for (status, told) in [
        (401, "Authentication hook unauthorized this request"),
        (500, "Invalid response from authorization hook"),
    ] {
        hook.answers(status, "", &json!({}));
        let mut socket = Socket::open(&server, "/v1/graphql", APOLLO, &[]).ok().unwrap();
        socket.send(&init(&[]));
        assert_eq!(
            socket.message(),
            json!({"type": "connection_error", "payload": told})
        );
        assert_eq!(socket.closed().0, 4400);
    }
}

#[test]
fn cookies_may_be_read_without_cors() {
    let database = TestDatabase::create("ws_cookie");
    let issuer = Issuer::new("one");
    let secret = json!({"type": "ES256", "key": issuer.jwk(), "header": {"type": "Cookie", "name": "token"}});
    let secret = secret.to_string();
    let server = server(
        &database,
        &["--jwt-secret", &secret, "--disable-cors", "--ws-read-cookie"],
    );
    let cookie = format!("token={}", issuer.sign(&payload("1")));
    let headers = [("origin", "https://a.example"), ("cookie", cookie.as_str())];
    let mut socket = Socket::open(&server, "/v1/graphql", APOLLO, &headers)
        .ok()
        .unwrap();
    socket.initialise(&[]);
    assert_eq!(
        socket.ask("1", ITEMS)[0]["payload"]["data"],
        json!({"item": [{"id": 1}]})
    );
    let ended = run(&mut rowlock(&[
        "serve",
        "--database-url",
        "postgres://x/y",
        "--ws-read-cookie",
    ]));
    assert!(!ended.status.success());
    assert!(
        ended.stderr.contains("--ws-read-cookie") && ended.stderr.contains("when CORS is disabled"),
        "{}",
        ended.stderr
    );
}

/// While a webhook takes its time, everything else goes on: answers, keep-alives, the end.
#[test]
fn a_slow_webhook_delays_nothing_else() {
    let hook = StandIn::start();
    hook.answers(
        200,
        "",
        &json!({"X-Hasura-Role": "user", "X-Hasura-User-Id": "1"}),
    );
    let database = TestDatabase::create("ws_slow_hook");
    let server = server(
        &database,
        &["--auth-hook", &hook.url(), "--websocket-keepalive", "0.1"],
    );
    slow(&server, 1);
    for protocol in [APOLLO, TRANSPORT] {
        let mut socket = Socket::initialised(&server, protocol, &[ADMIN]);
        socket.start("1", "{ slow { s } }");
        let asked = hook.asked.lock().unwrap().len();
        let answer = hook.answer.lock().unwrap();
        socket.send(&init(&[("x-own", "1")]));
        socket.start("2", ITEMS);
        let started = Instant::now();
        while hook.asked.lock().unwrap().len() == asked {
            assert!(started.elapsed() < PATIENCE);
            pause();
        }
        // What ran has its answer, and the server shows that it is there.
        assert_eq!(
            socket.until_complete("1")[0]["payload"]["data"],
            json!({"slow": [{"s": false}]})
        );
        let Said::Message(message) = socket.next() else {
            panic!("no keep-alive");
        };
        assert!(is_keepalive(&message), "{message}");
        drop(answer);
        // What came behind the new session is answered in it.
        assert_eq!(socket.message(), json!({"type": "connection_ack"}));
        assert_eq!(
            socket.until_complete("2")[0]["payload"]["data"],
            json!({"item": [{"id": 1}]})
        );
    }
}

/// Answers of all these websockets, for as long as they are there.
fn all_answer(sockets: &mut [Socket]) {
    for socket in sockets {
        assert_eq!(socket.ask("1", "{ __typename }").len(), 1);
    }
}

#[test]
fn a_webhook_is_asked_again_only_where_it_is_another() {
    const SOCKETS: usize = 10;
    let (first, second) = (StandIn::start(), StandIn::start());
    first.answers(200, "", &json!({"X-Hasura-Role": "user"}));
    let database = TestDatabase::create("ws_hook_change");
    let folder = Folder::new("hook");
    let both = json!([SECRET, "other"]);
    folder.put("HASURA_GRAPHQL_ADMIN_SECRETS", &json!([SECRET]));
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(first.url()));
    let arguments = ["serve", "--server-port", "0", "--database-url", &database.url()];
    let server = Server::spawn(rowlock(&arguments).env("ROWLOCK_SECRETS_DIR", folder.path()));
    let mut sockets: Vec<Socket> = (0..SOCKETS)
        .map(|at| Socket::initialised(&server, [APOLLO, TRANSPORT][at % 2], &[]))
        .collect();
    assert_eq!(first.asked.lock().unwrap().len(), SOCKETS);
    // What concerns neither the hook nor those whom it let in.
    folder.put("SOMETHING_ELSE", &json!("1"));
    folder.put("HASURA_GRAPHQL_ADMIN_SECRETS", &both);
    until(&server, ("x-hasura-admin-secret", "other"), true);
    all_answer(&mut sockets);
    // Another hook that fails says neither yes nor no.
    second.answers(500, "", &Value::Null);
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(second.url()));
    let asked = |wanted: usize| {
        let started = Instant::now();
        while second.asked.lock().unwrap().len() < wanted {
            assert!(started.elapsed() < PATIENCE);
            pause();
        }
    };
    asked(SOCKETS);
    all_answer(&mut sockets);
    assert_eq!(
        first.asked.lock().unwrap().len(),
        SOCKETS,
        "nobody asked it again"
    );
    // It is asked once more, and says no.
    second.answers(401, "", &json!({}));
    for socket in &mut sockets {
        let code = socket.closed_after_errors();
        assert!(matches!(code, 4400 | 4403), "{code}");
    }
    assert!(is_let_in(&server, ADMIN));
}

/// Who came in while nobody had to show anything does not stay because a webhook that now decides fails.
#[test]
fn a_failing_webhook_keeps_nobody_whom_none_let_in() {
    let hook = StandIn::start();
    hook.answers(500, "", &Value::Null);
    let database = TestDatabase::create("ws_hook_new");
    let folder = Folder::new("hook-new");
    let arguments = ["serve", "--server-port", "0", "--database-url", &database.url()];
    let server = Server::spawn(rowlock(&arguments).env("ROWLOCK_SECRETS_DIR", folder.path()));
    let mut sockets = [APOLLO, TRANSPORT].map(|protocol| Socket::initialised(&server, protocol, &[]));
    all_answer(&mut sockets);
    // The hook alone is refused: it comes with the secret.
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(hook.url()));
    folder.put("HASURA_GRAPHQL_ADMIN_SECRET", &json!(SECRET));
    for socket in &mut sockets {
        let code = socket.closed_after_errors();
        assert!(matches!(code, 4400 | 4403), "{code}");
    }
    assert!(!hook.asked.lock().unwrap().is_empty());
}

/// Nor does who came in by a token, where a webhook decides now.
#[test]
fn a_failing_webhook_keeps_nobody_whom_a_token_let_in() {
    let issuer = Issuer::new("one");
    let hook = StandIn::start();
    hook.answers(500, "", &Value::Null);
    let database = TestDatabase::create("ws_hook_token");
    let folder = Folder::new("hook-token");
    folder.put("HASURA_GRAPHQL_ADMIN_SECRET", &json!(SECRET));
    folder.put(
        "HASURA_GRAPHQL_JWT_SECRET",
        &json!({"type": "ES256", "key": issuer.jwk()}),
    );
    let arguments = ["serve", "--server-port", "0", "--database-url", &database.url()];
    let server = Server::spawn(rowlock(&arguments).env("ROWLOCK_SECRETS_DIR", folder.path()));
    let token = format!("Bearer {}", issuer.sign(&payload("1")));
    let mut sockets = [APOLLO, TRANSPORT]
        .map(|protocol| Socket::initialised(&server, protocol, &[("authorization", &token)]));
    all_answer(&mut sockets);
    // Both together are refused: the hook comes when the other has gone.
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(hook.url()));
    folder.remove("HASURA_GRAPHQL_JWT_SECRET");
    for socket in &mut sockets {
        let code = socket.closed_after_errors();
        assert!(matches!(code, 4400 | 4403), "{code}");
    }
    assert!(!hook.asked.lock().unwrap().is_empty());
}
