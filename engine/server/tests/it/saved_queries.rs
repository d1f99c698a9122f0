//! Query collections and REST endpoints through the metadata API, and calls of endpoints.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

fn command(server: &Server, kind: &str, arguments: &Value) -> (u16, Value) {
    server.json("/v1/metadata", &[], &json!({"type": kind, "args": arguments}))
}

fn endpoint(name: &str, url: &str, query: &str) -> Value {
    json!({"name": name, "url": url, "methods": ["GET", "PUT"],
           "definition": {"query": {"collection_name": "c", "query_name": query}}})
}

/// A server with one table and one saved query about it.
fn server(database: &TestDatabase) -> Server {
    let server = Server::start(database, &[]);
    let sql = json!({"type": "run_sql", "args": {"sql": "create table item (id int primary key)"}});
    assert_eq!(server.json("/v2/query", &[], &sql).0, 200);
    let all = json!([
        {"type": "pg_track_table", "args": {"table": "item"}},
        {"type": "create_query_collection", "args": {"name": "c", "definition": {"queries": [
            {"name": "items", "query": "query { item { id } }"}]}}},
    ]);
    let (status, answer) = command(&server, "bulk", &all);
    assert_eq!(
        (status, answer),
        (200, json!([{"message": "success"}, {"message": "success"}]))
    );
    server
}

#[test]
fn answers_and_refusals_name_their_generation() {
    let database = TestDatabase::create("rest_generation");
    let server = server(&database);
    let made = command(&server, "create_rest_endpoint", &endpoint("one", "one", "items"));
    assert_eq!(made.0, 200, "{}", made.1);
    let limits = json!({"batch_limit": {"global": 1, "per_role": {}}});
    assert_eq!(command(&server, "set_api_limits", &limits).0, 200);
    let (_, page) = server.send("GET", "/readyz", &[], "");
    let page: Value = serde_json::from_str(&page).unwrap();
    let user = [("x-hasura-role", "user")];
    let batch = r#"[{"query":"{ __typename }"},{"query":"{ __typename }"}]"#;
    for (method, path, headers, body) in [
        ("GET", "/api/rest/one", &[][..], ""),
        ("GET", "/api/rest/one", &user, ""),
        ("PUT", "/api/rest/one", &[], "["),
        ("GET", "/api/rest/none", &[], ""),
        ("POST", "/v1/graphql", &[], r#"{"query":"{ item { id } }"}"#),
        ("POST", "/v1/graphql", &user, batch),
        ("POST", "/v1/graphql", &[], "{"),
    ] {
        let told = server.generation_of(method, path, headers, body);
        assert_eq!(
            told.as_deref(),
            page["generation"]["hash"].as_str(),
            "{method} {path} {body}"
        );
    }
}

#[test]
fn endpoints_that_cannot_be_are_refused() {
    let database = TestDatabase::create("rest_endpoints");
    let server = server(&database);
    assert_eq!(
        command(&server, "create_rest_endpoint", &endpoint("one", "one", "items")).0,
        200
    );
    let (status, answer) = command(&server, "create_rest_endpoint", &endpoint("any", ":any", "items"));
    assert_eq!(status, 400);
    let text = json!({"query": "query { item { id } }"});
    assert_eq!(
        answer,
        json!({
            "code": "invalid-configuration", "path": "$.args", "error": "Ambiguous URL paths: :any, one",
            "internal": [{"reason": "Ambiguous URL paths: :any, one", "conflicts": [
                {"name": "any", "url": ":any", "methods": ["GET", "PUT"], "comment": null, "definition": text},
                {"name": "one", "url": "one", "methods": ["GET", "PUT"], "comment": null, "definition": text},
            ]}],
        })
    );
    let (status, answer) = command(&server, "create_rest_endpoint", &endpoint("two", "two/", "items"));
    assert_eq!((status, &answer["code"]), (400, &json!("invalid-configuration")));
    assert_eq!(
        answer["error"],
        "Empty segments or unnamed variables are not allowed: two/"
    );
    let (status, answer) = command(&server, "create_rest_endpoint", &endpoint("two", "two", "gone"));
    assert_eq!((status, &answer["code"]), (400, &json!("invalid-configuration")));
    assert_eq!(
        answer["error"],
        "Inconsistent object: in endpoint two: query with name gone does not exist in collection c"
    );
}

#[test]
fn a_saved_query_keeps_what_it_needs() {
    let database = TestDatabase::create("saved_queries");
    let server = server(&database);
    assert_eq!(
        command(&server, "create_rest_endpoint", &endpoint("one", "one", "items")).0,
        200
    );
    let reason = "Inconsistent object: In query collection \"c\" the query \"items\" is invalid with the following \
                  error(s): \"$.item: field 'item' not found in object 'query_root'\". This query is being used in \
                  the following REST endpoint(s): \"one\"";
    let broken = json!([{
        "definition": {"name": "items", "query": "query { item { id } }"},
        "name": "query_collections items in c", "type": "query_collections", "reason": reason,
    }]);
    for cascade in [false, true] {
        let (status, answer) = command(
            &server,
            "pg_untrack_table",
            &json!({"table": "item", "cascade": cascade}),
        );
        assert_eq!(status, 500, "{answer}");
        assert_eq!(
            answer["error"],
            "cannot continue due to newly found inconsistent metadata"
        );
        assert_eq!(
            (&answer["code"], &answer["internal"]),
            (&json!("unexpected"), &broken)
        );
    }
    let (_, exported) = command(&server, "export_metadata", &json!({}));
    let mut without = exported;
    without["sources"][0]["tables"] = json!([]);
    let arguments = json!({"allow_inconsistent_metadata": true, "metadata": without});
    let (status, answer) = command(&server, "replace_metadata", &arguments);
    assert_eq!((status, &answer["inconsistent_objects"]), (200, &broken));
    assert_eq!(command(&server, "drop_inconsistent_metadata", &json!({})).0, 200);
    let (_, exported) = command(&server, "export_metadata", &json!({}));
    assert_eq!(
        exported["query_collections"],
        json!([{"name": "c", "definition": {"queries": []}}])
    );
    assert_eq!(exported["rest_endpoints"], Value::Null);
}

#[test]
fn calls_find_their_endpoint() {
    let database = TestDatabase::create("rest_calls");
    let server = server(&database);
    assert_eq!(
        command(
            &server,
            "create_rest_endpoint",
            &endpoint("one", "one/:x", "items")
        )
        .0,
        200
    );
    let call = |method: &str, path: &str| {
        let (status, body) = server.send(method, path, &[], "");
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        (status, body["code"].clone(), body["error"].clone())
    };
    assert_eq!(
        call("GET", "/api/rest/void"),
        (404, json!("not-found"), json!("Endpoint not found"))
    );
    assert_eq!(
        call("DELETE", "/api/rest/one/2"),
        (
            405,
            json!("method-not-allowed"),
            json!("Allowed methods: GET, PUT")
        )
    );
    assert_eq!(
        call("GET", "/api/rest/one/2"),
        (400, json!("bad-request"), json!("Unexpected variable x"))
    );
}

#[test]
fn a_negative_limit_is_not_supported() {
    let database = TestDatabase::create("negative_limit");
    let server = server(&database);
    let arguments =
        json!({"table": "item", "role": "user", "permission": {"columns": "*", "filter": {}, "limit": -1}});
    assert_eq!(
        command(&server, "pg_create_select_permission", &arguments),
        (
            400,
            json!({"code": "not-supported", "error": "unexpected negative value", "path": "$.permission.limit"})
        )
    );
}
