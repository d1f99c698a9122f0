//! Allow list, limits and rates, and REST endpoints behind them.

mod management;
mod transports;

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};
use crate::stand_in::{ADMIN, SECRET, ids, server};

#[test]
fn the_rate_of_the_environment_holds_where_metadata_has_none() {
    let database = TestDatabase::create("rate");
    let mut command = rowlock(&["serve", "--server-port", "0", "--unauthorized-role", "anonymous"]);
    command
        .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
        .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
        .env("HASURA_GRAPHQL_RATE_LIMIT_PER_MINUTE", "1");
    let server = Server::spawn(&mut command);
    let query = json!({"query": "{ __typename }"});
    assert_eq!(server.json("/v1/graphql", &[], &query).0, 200);
    let (status, answer) = server.json("/v1/graphql", &[], &query);
    assert_eq!(
        (status, &answer["errors"][0]["extensions"]["code"]),
        (429, &json!("rate-limit-exceeded"))
    );
    assert_eq!(
        server.json("/v1/graphql", &[("x-real-ip", "10.0.0.9")], &query).0,
        200
    );
    assert_eq!(server.json("/v1/graphql", &[ADMIN], &query).0, 200);
    let limits = json!({"rate_limit": {"global": {"max_reqs_per_min": 100}, "per_role": {}}});
    let set = json!({"type": "set_api_limits", "args": limits});
    assert_eq!(server.json("/v1/metadata", &[ADMIN], &set).0, 200);
    assert_eq!(server.json("/v1/graphql", &[], &query).0, 200);
}

/// By address, by role, and switched off.
#[test]
fn rates_of_metadata() {
    let database = TestDatabase::create("rate_kinds");
    let server = server(&database, &["--unauthorized-role", "anonymous"]);
    let limits = |disabled: bool| {
        let one = json!({"max_reqs_per_min": 1, "unique_params": "IP"});
        let many = json!({"max_reqs_per_min": 1000});
        let rate = json!({"global": one, "per_role": {"user": many}});
        let set = json!({"type": "set_api_limits", "args": {"disabled": disabled, "rate_limit": rate}});
        let (status, answer) = server.json("/v1/metadata", &[ADMIN], &set);
        assert_eq!(status, 200, "{answer}");
    };
    let ask = |headers: &[(&str, &str)]| {
        let query = json!({"query": "{ __typename }"});
        server.json("/v1/graphql", headers, &query).0
    };
    let (here, there) = (("x-real-ip", "10.0.0.1"), ("x-real-ip", "10.0.0.2"));
    limits(false);
    assert_eq!((ask(&[here]), ask(&[here])), (200, 429));
    assert_eq!((ask(&[there]), ask(&[there])), (200, 429));
    // A role's own rate holds in place of the global one.
    let user = [ADMIN, ("x-hasura-role", "user"), here];
    assert!((0..20).all(|_| ask(&user) == 200));
    limits(true);
    assert!((0..5).all(|_| ask(&[here]) == 200));
}

/// `redis-server` on a free port, where it is installed.
fn redis() -> Option<(Child, u16)> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", ""])
        .stdout(Stdio::null())
        .spawn();
    child.ok().map(|child| (child, port))
}

#[test]
fn instances_count_together_in_redis() {
    let Some((mut redis, port)) = redis() else {
        eprintln!("instances_count_together_in_redis: redis-server is not installed: skipped");
        return;
    };
    let database = TestDatabase::create("rate_redis");
    let start = || {
        let mut command = rowlock(&["serve", "--server-port", "0", "--unauthorized-role", "anonymous"]);
        let server = Server::spawn(
            command
                .env("HASURA_GRAPHQL_DATABASE_URL", database.url())
                .env("HASURA_GRAPHQL_ADMIN_SECRET", SECRET)
                .env("HASURA_GRAPHQL_ENABLE_METRICS", "true")
                .env("HASURA_GRAPHQL_METRICS_SECRET", "m")
                .env(
                    "HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL",
                    format!("redis://127.0.0.1:{port}"),
                )
                .env("HASURA_GRAPHQL_RATE_LIMIT_PER_MINUTE", "3"),
        );
        server.log_line("Redis", |line| line["detail"] == "requests are counted in Redis");
        server
    };
    let (one, other) = (start(), start());
    let ask = |server: &Server| {
        let query = json!({"query": "{ __typename }"});
        server.json("/v1/graphql", &[("x-real-ip", "10.0.0.9")], &query).0
    };
    assert_eq!([ask(&one), ask(&other), ask(&one)], [200; 3]);
    assert_eq!([ask(&one), ask(&other)], [429; 2]);
    let metric = |server: &Server, line: &str| {
        let (_, text) = server.send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "");
        assert!(text.contains(line), "{line} is missing in\n{text}");
    };
    metric(&one, "rowlock_rate_limit_redis_up 1\n");
    metric(&one, "rowlock_rate_limit_fallbacks_total 0\n");
    redis.kill().unwrap();
    redis.wait().unwrap();
    // Each counts its own again.
    for server in [&one, &other] {
        assert_eq!(
            [ask(server), ask(server), ask(server), ask(server)],
            [200, 200, 200, 429]
        );
        server.log_line("Redis is away", |line| {
            line["level"] == "error" && line.to_string().contains("Redis is away")
        });
        metric(server, "rowlock_rate_limit_redis_up 0\n");
        metric(server, "rowlock_rate_limit_fallbacks_total 4\n");
    }
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
    // A role's own value holds, also where it is the larger one.
    command(
        "set_api_limits",
        json!({
            "depth_limit": {"global": 1, "per_role": {"user": 2}},
            "node_limit": {"global": 1, "per_role": {"user": 2}},
            "batch_limit": {"global": 1, "per_role": {"user": 2}},
            "time_limit": {"global": 0.001, "per_role": {"user": 600}},
        }),
    );
    let (_, answer) = server.json("/v1/graphql", &user, &json!([deep, query]));
    assert!(
        answer[0]["data"].is_object() && answer[1]["data"].is_object(),
        "{answer}"
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
