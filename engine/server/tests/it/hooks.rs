//! The webhook that authenticates: its connection, cookies both ways, what it is not told, statuses; and the page that
//! tells people how to make one, followed literally.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};
use crate::rotation::Folder;
use crate::stand_in::{ADMIN, SECRET, StandIn, ids, server};
use crate::wait::until;

const ITEMS: &str = r#"{"query":"{ item(order_by: {id: asc}) { id } }"}"#;

fn user() -> Value {
    json!({"X-Hasura-Role": "user", "X-Hasura-User-Id": "2"})
}

/// The body of the last question.
fn last_body(hook: &StandIn) -> Value {
    let asked = hook.last();
    assert!(asked.starts_with("POST / HTTP/1.1\r\n"), "{asked}");
    serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// The whole answer, head and body.
fn whole(server: &Server, request: &str, headers: &str, body: &str) -> String {
    let mut stream = server.connect();
    let text = format!(
        "{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).unwrap();
    let mut whole = String::new();
    stream.read_to_string(&mut whole).unwrap();
    whole
}

#[test]
fn cookies_go_both_ways_on_one_connection() {
    for mode in ["GET", "POST"] {
        let hook = StandIn::start();
        hook.answers(200, "set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\n", &user());
        let database = TestDatabase::create(&format!("hook_cookies_{}", mode.to_ascii_lowercase()));
        let server = server(&database, &["--auth-hook", &hook.url(), "--auth-hook-mode", mode]);
        let limits = json!({"batch_limit": {"global": 1, "per_role": {}}});
        let set = json!({"type": "set_api_limits", "args": limits});
        assert_eq!(server.json("/v1/metadata", &[ADMIN], &set).0, 200);
        let batch = format!("[{ITEMS},{ITEMS}]");
        let wrong = r#"{"query":"{ nothing }"}"#;
        let command = r#"{"type":"export_metadata","args":{}}"#;
        for (request, body) in [
            ("POST /v1/graphql", ITEMS),
            ("POST /v1alpha1/graphql", ITEMS),
            ("POST /v1/graphql", wrong),
            ("POST /v1/graphql", &format!("[{ITEMS}]")),
            ("POST /v1/graphql", &batch),
            ("POST /v1/metadata", command),
            ("POST /v1/query", command),
            ("POST /v1/metadata", "no JSON"),
            ("POST /v1/graphql/explain", command),
            ("GET /v1alpha1/config", ""),
            ("GET /api/swagger/json", ""),
            ("GET /api/rest/nothing", ""),
        ] {
            let told = whole(&server, request, "cookie: session=7\r\ncookie: c=d\r\n", body);
            let head = told.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
            for cookie in ["set-cookie: a=1; path=/\r\n", "set-cookie: b=2"] {
                assert!(head.contains(cookie), "{mode} {request} {body} {told}");
            }
            let at = |cookie: &str| head.find(&format!("set-cookie: {cookie}"));
            assert!(at("b=2") < at("a=1"), "the last one comes first: {head}");
            if mode == "POST" {
                assert_eq!(last_body(&hook)["headers"]["cookie"], "session=7; c=d");
            } else {
                assert!(hook.last().contains("cookie: session=7\r\n"), "{}", hook.last());
            }
        }
        // A request that is faster than the return of the connection opens another one.
        let (connections, asked) = (
            hook.connections.load(Ordering::SeqCst),
            hook.asked.lock().unwrap().len(),
        );
        assert!(
            connections * 2 < asked,
            "{connections} connections for {asked} requests"
        );
    }
}

#[test]
fn a_hook_need_not_see_what_is_asked() {
    let hook = StandIn::start();
    hook.answers(200, "", &user());
    let database = TestDatabase::create("hook_blind");
    let server = server(
        &database,
        &[
            "--auth-hook",
            &hook.url(),
            "--auth-hook-mode",
            "POST",
            "--auth-hook-send-request-body",
            "false",
        ],
    );
    assert_eq!(ids(&server, &[("x-own", "o")]), (200, json!([2, 3])));
    let body = last_body(&hook);
    assert_eq!(body["headers"]["x-own"], "o");
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    server.send("GET", "/api/rest/x", &[], "");
    assert_eq!(last_body(&hook).as_object().unwrap().len(), 1);
}

/// The hook knows a request by the id that log and answer have, whoever gave it.
#[test]
fn a_hook_is_told_the_request_id() {
    let hook = StandIn::start();
    hook.answers(200, "", &user());
    let database = TestDatabase::create("hook_id");
    for mode in ["GET", "POST"] {
        let server = Server::start(
            &database,
            &[
                "--admin-secret",
                SECRET,
                "--auth-hook",
                &hook.url(),
                "--auth-hook-mode",
                mode,
            ],
        );
        for own in ["", "x-request-id: my-own\r\n"] {
            let told = whole(&server, "POST /v1/graphql", own, r#"{"query":"{ __typename }"}"#);
            let id = told.to_ascii_lowercase();
            let id = id.split("\r\nx-request-id: ").nth(1).unwrap();
            let id = id.split("\r\n").next().unwrap();
            assert_eq!(id == "my-own", !own.is_empty(), "{told}");
            if mode == "POST" {
                assert_eq!(last_body(&hook)["headers"]["x-request-id"], id);
            } else {
                assert!(
                    hook.last().contains(&format!("\r\nx-request-id: {id}\r\n")),
                    "{}",
                    hook.last()
                );
            }
        }
    }
}

/// A server that has its admin secret and the address of its hook from a Secret.
fn asking_by_secret(name: &str, database: &TestDatabase, hook: &StandIn) -> (Folder, Server) {
    let folder = Folder::new(name);
    folder.put("HASURA_GRAPHQL_ADMIN_SECRET", &json!(SECRET));
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(hook.url()));
    let arguments = ["serve", "--server-port", "0", "--database-url", &database.url()];
    let server = Server::spawn(rowlock(&arguments).env("ROWLOCK_SECRETS_DIR", folder.path()));
    (folder, server)
}

/// What it is asked, and how headers are spelled for it, is decided by each request, not by its connection.
#[test]
fn a_hook_that_changes_while_a_connection_lasts() {
    let hook = StandIn::start();
    hook.answers(200, "", &user());
    let database = TestDatabase::create("hook_mode");
    let (folder, server) = asking_by_secret("hook-mode", &database, &hook);
    let mut stream = server.connect();
    let body = r#"{"query":"{ __typename }"}"#;
    let mut ask = || {
        let head = format!(
            "POST /v1/graphql HTTP/1.1\r\nHost: x\r\nX-Own: o\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut read = Vec::new();
        let end = br#"{"data":{"__typename":"query_root"}}"#;
        while !read.ends_with(end) {
            let mut part = [0; 4096];
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "{}", String::from_utf8_lossy(&read));
            read.extend_from_slice(&part[..length]);
        }
        hook.last()
    };
    assert!(ask().starts_with("GET / "));
    folder.put("HASURA_GRAPHQL_AUTH_HOOK_MODE", &json!("POST"));
    until("it is asked by POST", || !ask().starts_with("GET / "));
    // The change may have come between the head of that one and its answer.
    let asked = ask();
    let body: Value = serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(body["headers"]["X-Own"], "o", "{body}");
}

/// Its address comes from a Secret: when that changes, the other one is asked, and the first one no more.
#[test]
fn a_hook_that_moves() {
    let (first, second) = (StandIn::start(), StandIn::start());
    for hook in [&first, &second] {
        hook.answers(200, "", &user());
    }
    let database = TestDatabase::create("hook_moves");
    let (folder, server) = asking_by_secret("hook-moves", &database, &first);
    let ask = || {
        let answer = server
            .json("/v1/graphql", &[], &json!({"query": "{ __typename }"}))
            .1;
        assert_eq!(answer, json!({"data": {"__typename": "query_root"}}));
        [&first, &second].map(|hook| hook.asked.lock().unwrap().len())
    };
    assert_eq!(ask(), [1, 0]);
    folder.put("HASURA_GRAPHQL_AUTH_HOOK", &json!(second.url()));
    let mut asked = [0, 0];
    until("the second one is asked", || {
        asked = ask();
        asked[1] > 0
    });
    assert_eq!(ask(), [asked[0], asked[1] + 1], "the first one is asked no more");
}

#[test]
fn statuses_of_refusals() {
    let hook = StandIn::start();
    let database = TestDatabase::create("hook_statuses");
    let url = hook.url();
    let plain = server(&database, &["--auth-hook", &url]);
    let preserving = Server::start(
        &database,
        &[
            "--admin-secret",
            SECRET,
            "--auth-hook",
            &url,
            "--preserve-401-errors",
        ],
    );
    let ask = |server: &Server, path: &str| {
        let query: Value = serde_json::from_str(ITEMS).unwrap();
        server.json(path, &[], &query)
    };
    let graphql = |message: &str, code: &str| json!({"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]});
    hook.answers(401, "", &json!({}));
    let told = "Authentication hook unauthorized this request";
    let refused = graphql(told, "access-denied");
    assert_eq!(ask(&plain, "/v1/graphql"), (200, refused.clone()));
    assert_eq!(ask(&plain, "/v1alpha1/graphql"), (401, refused.clone()));
    assert_eq!(ask(&preserving, "/v1/graphql"), (401, refused));
    for server in [&plain, &preserving] {
        for path in ["/v1/metadata", "/v1/query", "/v2/query"] {
            assert_eq!(
                ask(server, path),
                (401, json!({"error": told, "path": "$", "code": "access-denied"})),
                "{path}"
            );
        }
    }
    // What is wrong with the hook itself is no refusal of the client.
    hook.answers(403, "", &json!({}));
    let told = "Invalid response from authorization hook";
    assert_eq!(
        ask(&preserving, "/v1/graphql"),
        (200, graphql(told, "unexpected"))
    );
    assert_eq!(
        ask(&preserving, "/v1/metadata"),
        (500, json!({"error": told, "path": "$", "code": "unexpected"}))
    );
    assert_eq!(ids(&preserving, &[ADMIN]).0, 200);
}

/// Whom a hook names, as far as it names somebody.
#[test]
fn roles_of_a_hook() {
    let hook = StandIn::start();
    let database = TestDatabase::create("hook_roles");
    let server = server(&database, &["--auth-hook", &hook.url()]);
    let nobody = (
        400,
        json!([
            "invalid-params",
            "\"x-hasura-role\" not found in session variables"
        ]),
    );
    for (said, wanted) in [
        (
            json!({"X-Hasura-Role": "user", "X-HASURA-USER-ID": "2"}),
            (200, json!([2, 3])),
        ),
        (json!({"x-hasura-role": "admin"}), (200, json!([1, 2, 3]))),
        (
            json!({"X-Hasura-Role": "", "X-Hasura-User-Id": "2"}),
            nobody.clone(),
        ),
        (json!({"role": "user"}), nobody),
    ] {
        hook.answers(200, "", &said);
        // The client's own word on it is the hook's to read, and nothing more.
        let shown = [("x-hasura-role", "admin"), ("x-hasura-user-id", "1")];
        assert_eq!(ids(&server, &shown), wanted, "{said}");
    }
}

/// It takes the connection and then says nothing more, or only a part.
#[test]
fn a_hook_that_breaks_off() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = stream;
            let mut read = [0; 4096];
            let _ = stream.read(&mut read);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"X-Hasura-Role\":");
        }
    });
    let database = TestDatabase::create("hook_broken");
    let server = server(&database, &["--auth-hook", &url]);
    assert_eq!(
        ids(&server, &[]),
        (
            500,
            json!(["unexpected", "webhook authentication request failed"])
        )
    );
}

/// The section of `docs/authentication.md` on hooks.
fn page() -> &'static str {
    let page = include_str!("../../../../docs/authentication.md");
    let section = page.split("\n## A hook of your own\n").nth(1).unwrap();
    section.split("\n## ").next().unwrap()
}

/// The content of the first block of this language.
fn block<'p>(page: &'p str, language: &str) -> &'p str {
    let begin = format!("```{language}\n");
    page.split(&begin).nth(1).unwrap().split("```").next().unwrap()
}

/// A row of a table, by its first cell.
fn row<'p>(page: &'p str, first: &str) -> &'p str {
    let line = page
        .lines()
        .find(|line| line.starts_with(&format!("| {first}")))
        .unwrap_or_else(|| panic!("{first}"));
    line.trim_matches('|').split_once('|').unwrap().1.trim()
}

/// The texts between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_documented_hook() {
    let hook = StandIn::start();
    let page = page();
    let database = TestDatabase::create("hook_documented");
    drop(server(&database, &[]));
    // Its variables, with the stand-in for the hook and a secret for the dots.
    let mut command = rowlock(&["serve", "--server-port", "0"]);
    command.env("HASURA_GRAPHQL_DATABASE_URL", database.url());
    let mut set = 0;
    for line in block(page, "sh").lines() {
        let (name, value) = line.split_once('=').unwrap();
        let value = match value {
            "…" => SECRET.to_owned(),
            url if url.starts_with("https://") => hook.url(),
            value => value.to_owned(),
        };
        command.env(name, value);
        set += 1;
    }
    assert_eq!(set, 3);
    let server = Server::spawn(&mut command);
    // Its answer.
    let answer: Value = serde_json::from_str(block(page, "json")).unwrap();
    hook.answers(200, "", &answer);
    let sql = "insert into item values (7, '7')";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    assert_eq!(ids(&server, &[("authorization", "Bearer x")]), (200, json!([7])));
    // What it was sent is what the page says.
    let body = last_body(&hook);
    assert_eq!(body["headers"]["authorization"], "Bearer x");
    assert_eq!(body["request"], serde_json::from_str::<Value>(ITEMS).unwrap());
    assert!(page.contains(
        "the body is `{\"headers\": {…}, \"request\": {\"query\", \"variables\", \"operationName\"}}`"
    ));
    // Each row of its table.
    let refused = |cells: &[&str]| {
        let [code, message, ..] = cells else {
            panic!("{cells:?}")
        };
        json!([code, message])
    };
    let told = row(page, "401");
    assert!(told.starts_with("401 "), "{told}");
    hook.answers(401, "", &json!({}));
    assert_eq!(ids(&server, &[]), (401, refused(&quoted(told))));
    let told = row(page, "200 and anything else");
    assert!(told.starts_with("500 "), "{told}");
    let cells = quoted(told);
    for (body, reason) in [
        ("", "Error in $: not enough input"),
        ("not json", "Error in $: Failed reading: not a valid json value"),
        (
            "[]",
            "Error in $: parsing HashMap failed, expected Object, but encountered Array",
        ),
    ] {
        *hook.answer.lock().unwrap() = (200, String::new(), body.to_owned());
        let message = cells[1].replace("<reason>", reason);
        assert_eq!(ids(&server, &[]), (500, refused(&[cells[0], &message])));
    }
    let told = row(page, "any other answer");
    assert!(told.starts_with("500 "), "{told}");
    for status in [204, 301, 400, 404, 500] {
        hook.answers(status, "", &json!({}));
        assert_eq!(ids(&server, &[]), (500, refused(&quoted(told))), "{status}");
    }
    let told = row(page, "no answer within 30 s");
    assert!(told.starts_with("500 "), "{told}");
    let away = StandIn { port: 1, ..hook };
    let server = Server::start(&database, &["--admin-secret", SECRET, "--auth-hook", &away.url()]);
    assert_eq!(ids(&server, &[]), (500, refused(&quoted(told))));
}
