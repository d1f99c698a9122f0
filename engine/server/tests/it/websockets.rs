//! GraphQL over websockets: both protocols, message by message, and when a websocket ends.

mod bounds;
mod session;

use std::io::Write;
use std::time::Instant;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server};
use crate::socket::{APOLLO, BINARY, Said, Socket, TEXT, TRANSPORT, init};
use crate::stand_in::{ADMIN, SECRET, server};
use crate::wait::pause;

const ITEMS: &str = "{ item(order_by: {id: asc}) { id } }";
const USER: &[(&str, &str)] = &[ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "2")];

fn reason(told: &str) -> String {
    json!({ "server_error_msg": told }).to_string()
}

fn error(message: &str, path: &str, code: &str) -> Value {
    json!({"message": message, "extensions": {"path": path, "code": code}})
}

fn start_failed(message: &str) -> Value {
    error(message, "$", "start-failed")
}

/// A view that takes so many seconds.
fn slow(server: &Server, seconds: u32) {
    let sql = format!("create view slow as select 1 as id, (select pg_sleep({seconds}) is null) as s");
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let track = json!({"type": "pg_track_table", "args": {"table": "slow"}});
    assert_eq!(server.json("/v1/metadata", &[ADMIN], &track).0, 200);
}

#[test]
fn handshakes() {
    let database = TestDatabase::create("ws_handshakes");
    let server = server(
        &database,
        &["--cors-domain", "https://*.example.com", "--max-websockets", "2"],
    );
    let open = |path, protocol, headers: &[(&str, &str)]| Socket::open(&server, path, protocol, headers);
    for (offered, named) in [
        (None, None),
        (APOLLO, APOLLO),
        (TRANSPORT, TRANSPORT),
        (Some("other"), APOLLO),
        (Some("graphql-ws, graphql-transport-ws"), TRANSPORT),
    ] {
        for path in ["/v1/graphql", "/v1alpha1/graphql"] {
            let mut socket = open(path, offered, &[]).ok().unwrap();
            assert_eq!(socket.protocol.as_deref(), named, "{offered:?}");
            socket.initialise(&[ADMIN]);
            socket.send(&json!({"type": "connection_terminate"}));
            assert_eq!(
                socket.closed(),
                (1000, "GQL_CONNECTION_TERMINATE received".to_owned())
            );
        }
    }
    for path in [
        "/v1/metadata",
        "/",
        "/api/rest/x",
        "/v1/graphql/",
        "/v1beta1/relay",
    ] {
        let (status, body) = open(path, None, &[]).err().unwrap();
        assert_eq!(status, 404, "{path}");
        let message =
            "only '/v1/graphql', '/v1alpha1/graphql' and '/v1beta1/relay' are supported on websockets";
        assert_eq!(
            serde_json::from_str::<Value>(&body).unwrap(),
            error(message, "$", "not-found")
        );
    }
    // Origins.
    for origin in ["https://a.example.com", "https://b.example.com"] {
        assert!(open("/v1/graphql", None, &[("origin", origin)]).is_ok());
    }
    for origin in [
        "https://example.com",
        "http://a.example.com",
        "https://a.example.com.evil",
        "null",
        "",
    ] {
        let (status, body) = open("/v1/graphql", None, &[("origin", origin)]).err().unwrap();
        assert_eq!(status, 400, "{origin}");
        let message = "received origin header does not match configured CORS domains";
        assert_eq!(
            serde_json::from_str::<Value>(&body).unwrap(),
            error(message, "$", "access-denied")
        );
    }
    // What is no handshake of this version.
    for (headers, status) in [
        (
            "sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            426,
        ),
        ("sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426),
        ("sec-websocket-version: 13\r\n", 400),
        ("sec-websocket-version: 13\r\nsec-websocket-key: x\r\n", 400),
    ] {
        let mut stream = server.connect();
        let request = format!(
            "GET /v1/graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(Socket::opened(stream).err().unwrap().0, status, "{headers}");
    }
    // Places are given back when a websocket is gone.
    let started = Instant::now();
    let eventually = || loop {
        if let Ok(socket) = open("/v1/graphql", None, &[]) {
            break socket;
        }
        assert!(started.elapsed() < PATIENCE);
        pause();
    };
    let _two = [eventually(), eventually()];
    let (status, body) = open("/v1/graphql", None, &[]).err().unwrap();
    assert_eq!(status, 503);
    assert!(body.contains("too many websockets are open"), "{body}");
}

#[test]
fn apollos_protocol() {
    let database = TestDatabase::create("ws_apollo");
    let server = server(&database, &[]);
    slow(&server, 60);
    let mut socket = Socket::open(&server, "/v1/graphql", None, &[]).ok().unwrap();
    // Before it is let in.
    socket.start("0", ITEMS);
    let early = start_failed("start received before the connection is initialised");
    assert_eq!(
        socket.message(),
        json!({"type": "error", "id": "0", "payload": early})
    );
    assert_eq!(socket.message(), json!({"type": "complete", "id": "0"}));
    for (text, why) in [
        ("nonsense", "Error in $: expected ident at line 1 column 2"),
        (
            r#"{"type":"what"}"#,
            "Error in $: unexpected type for ClientMessage: what",
        ),
        (r#"{"type":"stop"}"#, "Error in $: key \"id\" not found"),
    ] {
        socket.frame(TEXT, true, text.as_bytes());
        let payload = format!("parsing ClientMessage failed: {why}");
        assert_eq!(
            socket.message(),
            json!({"type": "connection_error", "payload": payload})
        );
    }
    // The acknowledgement, and a keep-alive behind it.
    socket.send(&init(USER));
    assert_eq!(socket.next(), Said::Message(json!({"type": "connection_ack"})));
    assert_eq!(socket.next(), Said::Message(json!({"type": "ka"})));
    // Answers.
    assert_eq!(
        socket.ask("1", ITEMS),
        [json!({"type": "data", "id": "1", "payload": {"data": {"item": [{"id": 2}, {"id": 3}]}}})]
    );
    let variables = json!({"id": "1", "type": "start", "payload": {
        "query": "query a { __typename } query b($id: Int!) { item_by_pk(id: $id) { owner } }",
        "operationName": "b", "variables": {"id": 3}}});
    socket.frame(BINARY, true, variables.to_string().as_bytes());
    assert_eq!(
        socket.until_complete("1"),
        [json!({"type": "data", "id": "1", "payload": {"data": {"item_by_pk": {"owner": "2"}}}})]
    );
    // Errors before and while it runs.
    let unknown = error(
        "field 'x' not found in type: 'query_root'",
        "$.selectionSet.x",
        "validation-failed",
    );
    assert_eq!(
        socket.ask("2", "{ x }"),
        [json!({"type": "error", "id": "2", "payload": {"errors": [unknown]}})]
    );
    socket.initialise(&[ADMIN]);
    let said = socket.ask("3", "mutation { insert_item_one(object: {id: 1}) { id } }");
    assert_eq!((said.len(), &said[0]["type"]), (1, &json!("data")), "{said:?}");
    assert_eq!(said[0]["payload"]["data"], Value::Null);
    assert_eq!(
        said[0]["payload"]["errors"][0]["extensions"]["code"],
        "constraint-violation"
    );
    assert_eq!(
        socket.ask(
            "4",
            "mutation { insert_item_one(object: {id: 4, owner: \"2\"}) { id } }"
        ),
        [json!({"type": "data", "id": "4", "payload": {"data": {"insert_item_one": {"id": 4}}}})]
    );
    let not_yet = error("subscriptions are not supported yet", "$", "not-supported");
    assert_eq!(
        socket.ask("5", "subscription { item { id } }"),
        [json!({"type": "error", "id": "5", "payload": {"errors": [not_yet]}})]
    );
    // One id at a time; a stop frees it, and says nothing.
    socket.start("6", "{ slow { s } }");
    socket.start("6", ITEMS);
    let twice = start_failed("an operation already exists with this id: 6");
    assert_eq!(
        socket.message(),
        json!({"type": "error", "id": "6", "payload": twice})
    );
    assert_eq!(socket.message(), json!({"type": "complete", "id": "6"}));
    assert_eq!(
        socket.ask("7", "{ __typename }").len(),
        1,
        "others go on meanwhile"
    );
    socket.send(&json!({"type": "stop", "id": "6"}));
    socket.send(&json!({"type": "stop", "id": "unknown"}));
    assert_eq!(socket.ask("6", "{ __typename }").len(), 1);
    // The other protocol's words are understood.
    socket.send(&json!({"type": "ping"}));
    assert_eq!(socket.message(), json!({"type": "pong"}));
    // Who may not come in.
    let mut socket = Socket::open(&server, "/v1/graphql", APOLLO, &[]).ok().unwrap();
    socket.send(&init(&[("x-hasura-admin-secret", "wrong")]));
    let denied = r#"invalid "x-hasura-admin-secret"/"x-hasura-access-key""#;
    assert_eq!(
        socket.message(),
        json!({"type": "connection_error", "payload": denied})
    );
    assert_eq!(socket.closed(), (4400, reason(&format!("4400: {denied}"))));
}

#[test]
fn the_newer_protocol() {
    let database = TestDatabase::create("ws_transport");
    let server = server(&database, &[]);
    slow(&server, 60);
    let open = || Socket::open(&server, "/v1/graphql", TRANSPORT, &[]).ok().unwrap();
    let mut socket = open();
    socket.send(&init(USER));
    assert_eq!(socket.next(), Said::Message(json!({"type": "connection_ack"})));
    let ping = json!({"type": "ping", "payload": {"message": "keepalive"}});
    assert_eq!(socket.next(), Said::Message(ping));
    socket.send(&json!({"type": "pong"}));
    socket.send(&json!({"type": "ping", "payload": {"a": [1]}}));
    assert_eq!(socket.message(), json!({"type": "pong", "payload": {"a": [1]}}));
    assert_eq!(
        socket.ask("1", ITEMS),
        [json!({"type": "next", "id": "1", "payload": {"data": {"item": [{"id": 2}, {"id": 3}]}}})]
    );
    let unknown = error(
        "field 'x' not found in type: 'query_root'",
        "$.selectionSet.x",
        "validation-failed",
    );
    assert_eq!(
        socket.ask("2", "{ x }"),
        [json!({"type": "error", "id": "2", "payload": [unknown]})]
    );
    socket.initialise(&[ADMIN]);
    let said = socket.ask("3", "mutation { insert_item_one(object: {id: 1}) { id } }");
    assert_eq!((said.len(), &said[0]["type"]), (1, &json!("error")), "{said:?}");
    assert_eq!(
        said[0]["payload"][0]["extensions"]["code"],
        "constraint-violation"
    );
    let not_yet = error("subscriptions are not supported yet", "$", "not-supported");
    assert_eq!(
        socket.ask("4", "subscription { item { id } }"),
        [json!({"type": "error", "id": "4", "payload": [not_yet]})]
    );
    socket.start("5", "{ slow { s } }");
    socket.send(&json!({"type": "complete", "id": "5"}));
    socket.start("5", "{ slow { s } }");
    // An id that is taken ends the connection.
    socket.start("5", ITEMS);
    let twice = start_failed("an operation already exists with this id: 5");
    assert_eq!(
        socket.message(),
        json!({"type": "error", "id": "5", "payload": [twice]})
    );
    assert_eq!(
        socket.closed(),
        (4409, reason("4409: Subscriber for 5 already exists"))
    );
    // So does a start that comes too early,
    let mut socket = open();
    socket.start("1", ITEMS);
    let early = "start received before the connection is initialised";
    let told = start_failed(early);
    assert_eq!(
        socket.message(),
        json!({"type": "error", "id": "1", "payload": [told]})
    );
    assert_eq!(socket.closed(), (1000, reason(&format!("4400: {early}"))));
    // whatever cannot be read,
    for text in ["nonsense", "{}", r#"{"type":"subscribe","id":"1"}"#] {
        let mut socket = open();
        socket.frame(TEXT, true, text.as_bytes());
        let (code, told) = socket.closed();
        assert_eq!(code, 4400);
        assert!(
            told.starts_with(r#"{"server_error_msg":"4400: parsing ClientMessage failed: Error in $"#),
            "{told}"
        );
    }
    // and somebody who may not come in.
    let mut socket = open();
    socket.send(&init(&[("x-hasura-admin-secret", "wrong")]));
    assert_eq!(socket.closed(), (4403, reason("4403: Forbidden")));
}

#[test]
fn limits_hold() {
    let database = TestDatabase::create("ws_limits");
    let server = server(&database, &[]);
    let limits = json!({
        "depth_limit": {"global": 1, "per_role": {"anonymous": 1}},
        "rate_limit": {"global": {"max_reqs_per_min": 1, "unique_params": ["x-hasura-user-id"]}, "per_role": {}},
    });
    let set = json!({"type": "set_api_limits", "args": limits});
    assert_eq!(server.json("/v1/metadata", &[ADMIN], &set).0, 200);
    let mut socket = Socket::initialised(&server, TRANSPORT, USER);
    let deep = error(
        "the depth is 2, which exceeds the limit of 1",
        "$",
        "validation-failed",
    );
    assert_eq!(
        socket.ask("1", ITEMS),
        [json!({"type": "error", "id": "1", "payload": [deep]})]
    );
    // Counted together with what comes over HTTP and over other websockets.
    let query = json!({"query": "{ __typename }"});
    assert_eq!(server.json("/v1alpha1/graphql", USER, &query).0, 429);
    let mut other = Socket::initialised(&server, APOLLO, USER);
    let said = other.ask("1", "{ __typename }");
    assert_eq!(
        (
            &said[0]["type"],
            &said[0]["payload"]["errors"][0]["extensions"]["code"]
        ),
        (&json!("error"), &json!("rate-limit-exceeded"))
    );
    other.initialise(&[ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "1")]);
    assert_eq!(other.ask("1", "{ __typename }")[0]["type"], "data");
    other.initialise(&[ADMIN]);
    assert_eq!(other.ask("1", ITEMS)[0]["type"], "data", "an admin has no limits");
}

#[test]
fn the_older_path_has_its_own_errors() {
    let database = TestDatabase::create("ws_alpha");
    let server = server(&database, &[]);
    let plain = |message: &str, path: &str, code: &str| json!({"error": message, "path": path, "code": code});
    let unknown = plain(
        "field 'x' not found in type: 'query_root'",
        "$.selectionSet.x",
        "validation-failed",
    );
    let mut socket = Socket::open(&server, "/v1alpha1/graphql", APOLLO, &[ADMIN])
        .ok()
        .unwrap();
    let early = plain(
        "start received before the connection is initialised",
        "$",
        "start-failed",
    );
    assert_eq!(
        socket.ask("1", "{ x }"),
        [json!({"type": "error", "id": "1", "payload": early})]
    );
    socket.send(&json!({"type": "connection_init"}));
    assert_eq!(socket.message(), json!({"type": "connection_ack"}));
    assert_eq!(
        socket.ask("1", "{ x }"),
        [json!({"type": "error", "id": "1", "payload": unknown})]
    );
    let mut socket = Socket::open(&server, "/v1alpha1/graphql", TRANSPORT, &[ADMIN])
        .ok()
        .unwrap();
    socket.initialise(&[]);
    assert_eq!(
        socket.ask("1", "{ x }"),
        [json!({"type": "error", "id": "1", "payload": [unknown]})]
    );
}

#[test]
fn metadata_changes() {
    let track = json!({"type": "pg_untrack_table", "args": {"table": "item", "cascade": true}});
    let database = TestDatabase::create("ws_change");
    let first = server(&database, &[]);
    slow(&first, 2);
    let mut idle = Socket::open(&first, "/v1/graphql", APOLLO, &[]).ok().unwrap();
    let mut busy = Socket::initialised(&first, TRANSPORT, &[ADMIN]);
    busy.start("1", "{ slow { s } }");
    first.log_line("the start", |line| {
        line["detail"]["event"]["detail"]["operation_type"]["type"] == "started"
    });
    let (status, answer) = first.json("/v1/metadata", &[ADMIN], &track);
    assert_eq!(status, 200, "{answer}");
    let changed = (1012, "Server state changed, restarting the server".to_owned());
    assert_eq!(idle.closed(), changed);
    // What runs has its answer first; nothing new begins.
    busy.start("2", "{ __typename }");
    assert_eq!(
        busy.until_complete("1")[0]["payload"]["data"],
        json!({"slow": [{"s": false}]})
    );
    assert_eq!(busy.closed(), changed);
    drop(first);
    // Where they stay, the next operation meets what is served now.
    let database = TestDatabase::create("ws_stay");
    let second = server(&database, &["--disable-close-websockets-on-metadata-change"]);
    let mut socket = Socket::initialised(&second, APOLLO, &[ADMIN]);
    assert_eq!(socket.ask("1", ITEMS)[0]["type"], "data");
    assert_eq!(second.json("/v1/metadata", &[ADMIN], &track).0, 200);
    let gone = error(
        "field 'item' not found in type: 'query_root'",
        "$.selectionSet.item",
        "validation-failed",
    );
    assert_eq!(
        socket.ask("1", ITEMS),
        [json!({"type": "error", "id": "1", "payload": {"errors": [gone]}})]
    );
}

#[test]
fn a_stop_waits_for_what_runs() {
    let database = TestDatabase::create("ws_stop");
    let mut server = server(&database, &[]);
    slow(&server, 2);
    let mut idle = Socket::initialised(&server, APOLLO, &[ADMIN]);
    let mut busy = Socket::initialised(&server, TRANSPORT, &[ADMIN]);
    busy.start("1", "{ slow { s } }");
    server.log_line("the start", |line| {
        line["detail"]["event"]["detail"]["operation_type"]["type"] == "started"
    });
    server.terminate();
    let stopping = (1012, "shutting server down".to_owned());
    assert_eq!(idle.closed(), stopping);
    assert_eq!(
        busy.until_complete("1")[0]["payload"]["data"],
        json!({"slow": [{"s": false}]})
    );
    assert_eq!(busy.closed(), stopping);
    assert!(server.wait().success());
}

#[test]
fn log_and_metrics() {
    let database = TestDatabase::create("ws_log");
    let server = server(
        &database,
        &[
            "--enabled-apis",
            "graphql,metadata,metrics",
            "--metrics-secret",
            "m",
        ],
    );
    let mut socket = Socket::open(&server, "/v1/graphql", APOLLO, &[]).ok().unwrap();
    let event = |what: &str| {
        let line = server.log_line(what, |line| line["type"] == "websocket-log");
        assert!(!line.to_string().contains(SECRET), "{line}");
        line
    };
    let accepted = event("acceptance");
    assert_eq!(accepted["detail"]["event"], json!({"type": "accepted"}));
    let id = accepted["detail"]["connection_info"]["websocket_id"].clone();
    assert!(id.is_string());
    socket.initialise(&[ADMIN, ("x-request-id", "r-1"), ("x-hasura-a", "b")]);
    assert_eq!(socket.ask("7", "query Named { item { id } }").len(), 1);
    let started = event("the start");
    let detail = &started["detail"]["event"]["detail"];
    assert_eq!(
        (&detail["operation_id"], &detail["request_id"]),
        (&json!("7"), &json!("r-1"))
    );
    assert_eq!(detail["query"], json!({"query": "query Named { item { id } }"}));
    assert_eq!(detail["operation_type"], json!({"type": "started"}));
    assert_eq!(started["detail"]["connection_info"]["websocket_id"], id);
    assert_eq!(
        started["detail"]["user_vars"],
        json!({"x-hasura-a": "b", "x-hasura-role": "admin"})
    );
    let completed = event("the completion");
    let detail = &completed["detail"]["event"]["detail"];
    assert_eq!(detail["operation_name"], "Named");
    assert!(detail["parameterized_query_hash"].is_string());
    assert_eq!(detail["operation_type"], json!({"type": "completed"}));
    assert_eq!(socket.ask("8", "{ x }").len(), 1);
    event("the start");
    let failed = event("the failure");
    assert_eq!(failed["level"], "error");
    let kind = &failed["detail"]["event"]["detail"]["operation_type"];
    assert_eq!(
        (&kind["type"], &kind["detail"]["code"]),
        (&json!("query_err"), &json!("validation-failed"))
    );
    socket.frame(TEXT, true, b"[]");
    socket.message();
    assert_eq!(
        event("the bad message")["detail"]["event"]["type"],
        "connection_error"
    );
    socket.start("7", "{ slow }");
    let (status, metrics) = server.send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "");
    assert_eq!(status, 200);
    for line in [
        "hasura_websocket_connections 1",
        r#"hasura_graphql_requests_total{operation_name="Named",operation_type="query""#,
        r#"hasura_websocket_messages_sent_bytes_total{operation_name="Named""#,
        "hasura_websocket_message_queue_time_count",
        "hasura_websocket_messages_received_bytes_total",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    drop(socket);
    server.log_line("the end", |line| line["detail"]["event"]["type"] == "closed");
    assert_eq!(Socket::open(&server, "/v1/x", None, &[]).err().unwrap().0, 404);
    assert_eq!(event("the rejection")["detail"]["event"]["type"], "rejected");
}
