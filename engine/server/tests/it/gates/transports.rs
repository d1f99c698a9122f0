//! The same gates over every transport: HTTP, both websocket protocols, REST endpoints.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;
use crate::socket::{APOLLO, Socket, TRANSPORT};
use crate::stand_in::{ADMIN, server};

const ITEMS: &str = "{ item(order_by: {id: asc}) { id } }";
const TWICE: &str = "query { one: item { id } two: item { id } }";
const SLOW: &str = "{ slow { s } }";
const USER: &[(&str, &str)] = &[ADMIN, ("x-hasura-role", "user"), ("x-hasura-user-id", "2")];

fn command(server: &Server, kind: &str, arguments: &Value) {
    let body = json!({"type": kind, "args": arguments});
    let (status, answer) = server.json("/v1/metadata", &[ADMIN], &body);
    assert_eq!(status, 200, "{answer}");
}

/// A view that takes longer than any test waits.
fn add_slow(server: &Server) {
    let sql = "create view slow as select id, (select pg_sleep(600) is null) as s from item";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    command(server, "pg_track_table", &json!({"table": "slow"}));
    command(
        server,
        "pg_create_select_permission",
        &json!({"table": "slow", "role": "user", "permission": {"columns": ["s"], "filter": {}}}),
    );
}

/// A collection of all three, and REST endpoints for them.
fn save(server: &Server) {
    let queries = json!([
        {"name": "items", "query": ITEMS},
        {"name": "twice", "query": TWICE},
        {"name": "slow", "query": SLOW},
    ]);
    command(
        server,
        "create_query_collection",
        &json!({"name": "c", "definition": {"queries": queries}}),
    );
    for name in ["items", "twice", "slow"] {
        command(
            server,
            "create_rest_endpoint",
            &json!({"name": name, "url": name, "methods": ["GET"],
                    "definition": {"query": {"collection_name": "c", "query_name": name}}}),
        );
    }
}

fn error(message: &str, code: &str) -> Value {
    json!({"message": message, "extensions": {"path": "$", "code": code}})
}

/// Asks over both protocols, and is refused before it runs.
fn refused_over_websockets(server: &Server, query: &str, told: &Value) {
    let mut socket = Socket::initialised(server, APOLLO, USER);
    assert_eq!(
        socket.ask("1", query),
        [json!({"type": "error", "id": "1", "payload": {"errors": [told]}})]
    );
    let mut socket = Socket::initialised(server, TRANSPORT, USER);
    assert_eq!(
        socket.ask("1", query),
        [json!({"type": "error", "id": "1", "payload": [told]})]
    );
}

#[test]
fn limits_hold_over_websockets() {
    let database = TestDatabase::create("gates_ws");
    let server = server(&database, &[]);
    add_slow(&server);
    let limits = |limits: &Value| command(&server, "set_api_limits", limits);
    limits(&json!({"node_limit": {"global": 1, "per_role": {}}}));
    let told = error(
        "the number of nodes is 2, which exceeds the limit of 1",
        "validation-failed",
    );
    refused_over_websockets(&server, TWICE, &told);
    limits(&json!({"time_limit": {"global": 0.1, "per_role": {}}}));
    let told = error(
        "the operation took longer than the time limit of 0.1 seconds",
        "timeout",
    );
    // It had begun to run: the older protocol says so by a result.
    let mut socket = Socket::initialised(&server, APOLLO, USER);
    assert_eq!(
        socket.ask("1", SLOW),
        [json!({"type": "data", "id": "1", "payload": {"data": null, "errors": [told]}})]
    );
    let mut socket = Socket::initialised(&server, TRANSPORT, USER);
    assert_eq!(
        socket.ask("1", SLOW),
        [json!({"type": "error", "id": "1", "payload": [told]})]
    );
    // What needs no database: a machine that stands still for a moment exceeds the limit.
    assert_eq!(
        socket.ask("2", "{ __typename }")[0]["type"],
        "next",
        "the websocket goes on"
    );
}

#[test]
fn limits_hold_over_rest() {
    let database = TestDatabase::create("gates_rest");
    let server = server(&database, &[]);
    add_slow(&server);
    save(&server);
    let limits = |limits: &Value| command(&server, "set_api_limits", limits);
    let rest =
        |name: &str, headers: &[(&str, &str)]| server.send("GET", &format!("/api/rest/{name}"), headers, "");
    limits(&json!({"depth_limit": {"global": 1, "per_role": {}}}));
    let told =
        r#"{"error":"the depth is 2, which exceeds the limit of 1","path":"$","code":"validation-failed"}"#;
    assert_eq!(rest("items", USER), (400, told.to_owned()));
    assert_eq!(rest("items", &[ADMIN]).0, 200);
    limits(&json!({"node_limit": {"global": 1, "per_role": {}}}));
    let told = r#"{"error":"the number of nodes is 2, which exceeds the limit of 1","path":"$","code":"validation-failed"}"#;
    assert_eq!(rest("twice", USER), (400, told.to_owned()));
    assert_eq!(rest("items", USER).0, 200);
    limits(&json!({"time_limit": {"global": 0.1, "per_role": {}}}));
    let told = r#"{"error":"the operation took longer than the time limit of 0.1 seconds","path":"$","code":"timeout"}"#;
    assert_eq!(rest("slow", USER), (500, told.to_owned()));
}

#[test]
fn the_allow_list_holds_everywhere() {
    let database = TestDatabase::create("gates_allow_list");
    let server = server(&database, &["--enable-allowlist"]);
    add_slow(&server);
    save(&server);
    let told = error("query is not allowed", "validation-failed");
    refused_over_websockets(&server, ITEMS, &told);
    let (status, answer) = server.send("GET", "/api/rest/items", USER, "");
    assert_eq!(
        (status, answer.as_str()),
        (
            400,
            r#"{"error":"query is not allowed","path":"$","code":"validation-failed"}"#
        )
    );
    let select = json!({"type": "select", "args": {"table": "item", "columns": ["id"]}});
    assert_eq!(
        server.json("/v1/query", USER, &select),
        (
            400,
            json!({"error": "query is not allowed", "path": "$", "code": "validation-failed"})
        )
    );
    assert_eq!(server.json("/v1/query", &[ADMIN], &select).0, 200);
    let mut socket = Socket::initialised(&server, TRANSPORT, &[ADMIN]);
    assert_eq!(
        socket.ask("1", ITEMS)[0]["type"],
        "next",
        "an admin asks anything"
    );
    command(
        &server,
        "add_collection_to_allowlist",
        &json!({"collection": "c"}),
    );
    for protocol in [APOLLO, TRANSPORT] {
        let mut socket = Socket::initialised(&server, protocol, USER);
        let said = socket.ask("1", "query { item(order_by: {id: asc}) { __typename id } }");
        assert_eq!(said[0]["payload"]["data"]["item"][0]["id"], 2, "{said:?}");
    }
    assert_eq!(server.send("GET", "/api/rest/items", USER, "").0, 200);
}

#[test]
fn who_may_not_introspect() {
    let database = TestDatabase::create("gates_introspection");
    let server = server(&database, &[]);
    command(
        &server,
        "set_graphql_schema_introspection_options",
        &json!({"disabled_for_roles": ["user"]}),
    );
    for (query, field) in [
        ("{ __schema { queryType { name } } }", "__schema"),
        ("{ __type(name: \"item\") { name } }", "__type"),
    ] {
        let told = json!({
            "message": "introspection is disabled for role: \"user\"",
            "extensions": {"path": format!("$.selectionSet.{field}"), "code": "validation-failed"},
        });
        let body = json!({ "query": query });
        let answer = json!({"errors": [told]});
        assert_eq!(server.json("/v1/graphql", USER, &body), (200, answer.clone()));
        assert_eq!(server.json("/v1alpha1/graphql", USER, &body), (400, answer));
        assert_eq!(server.json("/v1alpha1/graphql", &[ADMIN], &body).0, 200);
        refused_over_websockets(&server, query, &told);
    }
    let body = json!({"query": "{ __typename item { __typename } }"});
    assert_eq!(
        server.json("/v1alpha1/graphql", USER, &body).0,
        200,
        "names of types are no introspection"
    );
}

#[test]
fn saved_queries_without_graphql() {
    let database = TestDatabase::create("gates_rest_only");
    let setup = server(&database, &[]);
    save_with_path(&setup);
    drop(setup);
    let server = Server::start(
        &database,
        &[
            "--admin-secret",
            crate::stand_in::SECRET,
            "--enabled-apis",
            "metadata",
            "--enable-allowlist",
        ],
    );
    let body = json!({"query": ITEMS});
    for path in ["/v1/graphql", "/v1alpha1/graphql"] {
        assert_eq!(
            server.json(path, &[ADMIN], &body),
            (
                404,
                json!({"error": "resource does not exist", "path": "$", "code": "not-found"})
            )
        );
        assert_eq!(Socket::open(&server, path, TRANSPORT, &[]).err().unwrap().0, 404);
    }
    assert_eq!(
        server.send("GET", "/api/rest/tag/x", &[ADMIN], "").1,
        r#"{"item":[]}"#
    );
}

fn save_with_path(server: &Server) {
    let query = "query ($tag: String!, $other: String = \"\") { item(where: {_or: [{owner: {_eq: $tag}}, {owner: {_eq: $other}}]}) { owner } }";
    command(
        server,
        "create_query_collection",
        &json!({"name": "c", "definition": {"queries": [{"name": "tag", "query": query}]}}),
    );
    command(
        server,
        "create_rest_endpoint",
        &json!({"name": "tag", "url": "tag/:tag", "methods": ["GET", "POST"],
                "definition": {"query": {"collection_name": "c", "query_name": "tag"}}}),
    );
    command(
        server,
        "create_rest_endpoint",
        &json!({"name": "ä", "url": "ä b/:tag", "methods": ["GET"],
                "definition": {"query": {"collection_name": "c", "query_name": "tag"}}}),
    );
}

#[test]
fn paths_and_forms_of_saved_queries() {
    let database = TestDatabase::create("gates_rest_paths");
    let server = server(&database, &[]);
    save_with_path(&server);
    let sql = "insert into item values (7, 'a/b'), (8, 'c+d'), (9, 'e f')";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let get = |path: &str| server.send("GET", &format!("/api/rest/{path}"), &[ADMIN], "");
    let found = |owner: &str| (200, json!({"item": [{"owner": owner}]}).to_string());
    assert_eq!(get("tag/a%2Fb"), found("a/b"), "no separator");
    assert_eq!(get("%74ag/c+d"), found("c+d"), "a plus in a path is a plus");
    assert_eq!(get("tag/c%2bd"), found("c+d"));
    assert_eq!(get("tag/e%20f"), found("e f"));
    assert_eq!(
        get("%C3%A4%20b/e%20f"),
        found("e f"),
        "literal segments are decoded as well"
    );
    assert_eq!(
        get("tag/x?other=e+f"),
        found("e f"),
        "a plus in a query string is a space"
    );
    assert_eq!(
        get("tag%2Fe%20f"),
        (
            404,
            r#"{"error":"Endpoint not found","path":"$","code":"not-found"}"#.to_owned()
        )
    );
    for path in ["tag/%ff", "%c3%28/x", "tag/x?other=%ff"] {
        assert_eq!(
            get(path),
            (
                400,
                r#"{"error":"the URL is not UTF-8","path":"$","code":"bad-request"}"#.to_owned()
            ),
            "{path}"
        );
    }
    let post = |declared: &str, body: &str| {
        server.send(
            "POST",
            "/api/rest/tag/x",
            &[ADMIN, ("content-type", declared)],
            body,
        )
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post(form, "other=e+f"), found("e f"));
    assert_eq!(post("application/json", r#"{"other":"c+d"}"#), found("c+d"));
    assert_eq!(post(form, "none=1").0, 400);
    assert_eq!(post("text/xml", "<a/>").1, r#"{"item":[]}"#);
    assert_eq!(
        post("text/plain;charset=UTF-8", r#"{"other":"2"}"#).1,
        r#"{"item":[{"owner":"2"},{"owner":"2"}]}"#,
        "as pages send it"
    );
    assert_eq!(post("application/json", "{").0, 400);
    let post = |path: &str, body: &str| server.send("POST", &format!("/api/rest/{path}"), &[ADMIN], body);
    assert_eq!(
        post(
            "tag/e%20f?other=7&utm-source=x",
            r#"{"other":"x","not a name":1}"#
        ),
        found("e f"),
        "the body wins over the query string, and what can be no variable is nobody's"
    );
    assert_eq!(
        post("tag/e%20f", r#"{"tag":"c+d"}"#),
        found("e f"),
        "the path wins over the body"
    );
    for (method, told) in [
        ("OPTIONS", "Method OPTIONS not supported."),
        ("TRACE", "Method TRACE not supported."),
        ("BREW", "Nonstandard method not allowed for REST endpoints"),
    ] {
        assert_eq!(
            server.send(method, "/api/rest/tag/x", &[ADMIN], ""),
            (
                400,
                json!({"error": told, "path": "$", "code": "bad-request"}).to_string()
            )
        );
    }
}
