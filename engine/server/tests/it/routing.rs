//! Connection templates: requests of different clients go to different databases of one source.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

const TEMPLATE: &str = r#"{{ if $.request.session?["x-hasura-tenant"] == "b" }} {{$.connection_set.b}}
    {{ elif $.request.headers?["x-fresh"] == "yes" }} {{$.primary}}
    {{ elif $.request.query.operation_name == "Broken" }} {{$.connection_set.nobody}}
    {{ else }} {{$.default}} {{ end }}"#;

#[test]
fn requests_go_where_the_template_says() {
    let databases = ["one", "replica", "other"].map(|name| {
        let database = TestDatabase::create(name);
        let server = Server::start(&database, &[]);
        let sql = format!(
            "create table item (id int primary key, place text); insert into item values (1, '{name}')"
        );
        let command = json!({"type": "run_sql", "args": {"sql": sql}});
        assert_eq!(server.json("/v2/query", &[], &command).0, 200);
        database
    });
    let [primary, replica, other] = &databases;
    let server = Server::start(primary, &["--unauthorized-role", "user", "--admin-secret", "s"]);
    let secret = [("x-hasura-admin-secret", "s")];
    let metadata = |kind: &str, arguments: &Value| {
        server.json("/v1/metadata", &secret, &json!({"type": kind, "args": arguments}))
    };
    let source = |template: &str| {
        json!({"name": "routed", "replace_configuration": true, "configuration": {
            "connection_info": {"database_url": primary.url()},
            "read_replicas": [{"database_url": replica.url()}],
            "connection_set": [{"name": "b", "connection_info": {"database_url": other.url()}}],
            "connection_template": {"version": 1, "template": template},
        }})
    };
    let (status, answer) = metadata("pg_add_source", &source(TEMPLATE));
    assert_eq!(status, 200, "{answer}");
    let all = json!([
        {"type": "pg_track_table", "args": {"source": "routed", "table": "item"}},
        {"type": "pg_create_select_permission", "args": {"source": "routed", "table": "item", "role": "user",
            "permission": {"columns": "*", "filter": {}}}},
    ]);
    assert_eq!(metadata("bulk", &all).0, 200);
    let place = |headers: &[(&str, &str)], query: &str| {
        let mut headers = headers.to_vec();
        headers.extend(secret);
        headers.push(("x-hasura-role", "user"));
        server.json("/v1/graphql", &headers, &json!({"query": query})).1
    };
    let at = |name: &str| json!({"data": {"item": [{"place": name}]}});
    let query = "{ item { place } }";
    assert_eq!(place(&[], query), at("replica"));
    assert_eq!(place(&[("x-fresh", "yes")], query), at("one"));
    assert_eq!(
        place(&[("x-hasura-tenant", "b"), ("x-fresh", "yes")], query),
        at("other")
    );
    let refused = place(&[], "query Broken { item { place } }");
    assert_eq!(
        refused["errors"][0],
        json!({"message": "connection template: 'Object' has no attribute 'nobody'.",
               "extensions": {"path": "$", "code": "template-resolution-failed"}})
    );
    // The old data API looks where writes go.
    let select =
        json!({"type": "select", "args": {"source": "routed", "table": "item", "columns": ["place"]}});
    assert_eq!(
        server.json("/v2/query", &secret, &select),
        (200, json!([{"place": "one"}]))
    );

    let tried = |context: &Value| {
        metadata(
            "pg_test_connection_template",
            &json!({"source_name": "routed", "request_context": context}),
        )
    };
    let result = |to: &str, value: Value| (200, json!({"result": {"routing_to": to, "value": value}}));
    let session = json!({"session": {"x-hasura-tenant": "b"}, "query": {"operation_type": "mutation"}});
    assert_eq!(tried(&session), result("connection_set", json!("b")));
    let nobody = json!({"session": {"x-hasura-tenant": "a"}, "headers": {"X-Fresh": "yes"}});
    assert_eq!(tried(&nobody), result("primary", Value::Null));
    assert_eq!(tried(&json!({"session": {}})), result("default", Value::Null));
    let broken = json!({"query": {"operation_name": "Broken"}});
    let (status, answer) = tried(&broken);
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("template-resolution-failed"))
    );
    let other_template = json!({"source_name": "routed", "request_context": {},
        "connection_template": {"template": "{{ $.read_replicas }}"}});
    assert_eq!(
        metadata("pg_test_connection_template", &other_template),
        result("read_replicas", Value::Null)
    );

    // A template that is none is refused; so is what only data connectors have.
    let (status, answer) = metadata("pg_add_source", &source("{{ if }}"));
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("invalid-configuration")),
        "{answer}"
    );
    let (status, answer) = metadata("get_source_kind_capabilities", &json!({"name": "pg"}));
    assert_eq!((status, &answer["code"]), (400, &json!("not-supported")));
}
