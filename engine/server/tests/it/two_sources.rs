//! One mutation that writes to two databases: a transaction on each, all of them or none as far as statements can tell.

use embedded::test::TestDatabase;
use serde_json::json;

use crate::process::Server;

const TABLE: &str = "create table entry (id serial primary key, n int unique, tx text default pg_current_xact_id()::text, \
    late int unique deferrable initially deferred)";

/// A server with the source `default` and the source `two`, whose names begin with `two_`; both have the table.
fn server_of(one: &TestDatabase, two: &TestDatabase) -> Server {
    let server = Server::start(one, &[]);
    let prefix = json!({"prefix": "two_"});
    let add = json!({"type": "pg_add_source", "args": {"name": "two",
        "customization": {"root_fields": prefix, "type_names": prefix},
        "configuration": {"connection_info": {"database_url": two.url()}}}});
    server.accepted("/v1/metadata", &add);
    for source in ["default", "two"] {
        let sql = json!({"type": "run_sql", "args": {"source": source, "sql": TABLE, "check_metadata_consistency": false}});
        server.accepted("/v2/query", &sql);
        let commands = json!({"type": "bulk", "args": [{"type": "reload_metadata", "args": {}},
            {"type": "pg_track_table", "args": {"source": source, "table": "entry"}}]});
        server.accepted("/v1/metadata", &commands);
    }
    server
}

#[test]
fn each_source_has_a_transaction_of_its_own() {
    let (one, two) = (
        TestDatabase::create("sources_one"),
        TestDatabase::create("sources_two"),
    );
    let server = server_of(&one, &two);
    let ask = |text: &str| server.json("/v1/graphql", &[], &json!({ "query": text })).1;
    let rows =
        || ask("{ entry(order_by: {id: asc}) { n } two_entry(order_by: {id: asc}) { n } }")["data"].clone();

    // Fields in the order of the document, also where they go to and fro.
    let answer = ask(
        "mutation { a: insert_entry_one(object: {n: 1}) { id tx } b: two_insert_entry_one(object: {n: 1}) { id tx } \
         c: insert_entry_one(object: {n: 2}) { id tx } d: two_update_entry(where: {}, _inc: {n: 10}) { affected_rows } \
         e: two_insert_entry_one(object: {n: 2}) { id tx } }",
    );
    let data = answer["data"].as_object().unwrap();
    assert_eq!(data.keys().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        (&data["a"]["tx"], &data["b"]["tx"]),
        (&data["c"]["tx"], &data["e"]["tx"])
    );
    assert_eq!(data["d"], json!({"affected_rows": 1}));
    assert_eq!(
        rows(),
        json!({"entry": [{"n": 1}, {"n": 2}], "two_entry": [{"n": 11}, {"n": 2}]})
    );

    // Whichever fails, nothing stays on either.
    let before = rows();
    for (text, path) in [
        (
            "a: insert_entry_one(object: {n: 5}) { id } b: two_insert_entry_one(object: {n: 2}) { id }",
            "$.selectionSet.two_insert_entry_one.args.object",
        ),
        (
            "b: two_insert_entry_one(object: {n: 5}) { id } a: insert_entry_one(object: {n: 2}) { id }",
            "$.selectionSet.insert_entry_one.args.object",
        ),
    ] {
        let answer = ask(&format!("mutation {{ {text} }}"));
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "constraint-violation", "{answer}");
        assert_eq!(error["extensions"]["path"], path);
        assert_eq!(answer.get("data"), None);
        assert_eq!(rows(), before, "{text}");
    }
    // The commit of the first source fails: the second has nothing either.
    let answer = ask(
        "mutation { a: insert_entry(objects: [{n: 6, late: 1}, {n: 7, late: 1}]) { affected_rows } \
         b: two_insert_entry_one(object: {n: 6}) { id } }",
    );
    assert_eq!(
        answer["errors"][0]["extensions"],
        json!({"path": "$", "code": "constraint-violation"})
    );
    assert_eq!(rows(), before);
}

#[test]
fn a_source_that_is_away_takes_the_other_one_along() {
    let (one, two) = (
        TestDatabase::create("sources_here"),
        TestDatabase::create("sources_away"),
    );
    let server = server_of(&one, &two);
    // Nobody is let in; whoever is connected is sent off.
    let name = two.url();
    let name = name.rsplit('/').next().unwrap().split('?').next().unwrap();
    let away = json!({"type": "run_sql", "args": {"check_metadata_consistency": false, "sql":
        format!("alter database \"{name}\" with allow_connections false; \
                 select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")}});
    server.accepted("/v2/query", &away);
    // Which is a signal, and takes as long as it takes.
    let gone = json!({"type": "run_sql", "args": {"read_only": true, "sql":
        format!("select count(*) from pg_stat_activity where datname = '{name}'")}});
    let deadline = std::time::Instant::now() + crate::process::PATIENCE;
    loop {
        let left = server.json("/v2/query", &[], &gone).1;
        if left["result"][1][0] == "0" {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{left}");
        crate::wait::pause();
    }
    let text = "mutation { a: insert_entry_one(object: {n: 1}) { id } b: two_insert_entry_one(object: {n: 1}) { id } }";
    let answer = server.json("/v1/graphql", &[], &json!({ "query": text })).1;
    assert_eq!(answer["errors"][0]["message"], "connection error", "{answer}");
    let rows = server
        .json("/v1/graphql", &[], &json!({"query": "{ entry { id } }"}))
        .1;
    assert_eq!(rows, json!({"data": {"entry": []}}));
    let back = json!({"type": "run_sql", "args": {"check_metadata_consistency": false, "sql":
        format!("alter database \"{name}\" with allow_connections true")}});
    server.accepted("/v2/query", &back);
    let deadline = std::time::Instant::now() + crate::process::PATIENCE;
    loop {
        let answer = server.json("/v1/graphql", &[], &json!({ "query": text })).1;
        if answer["data"].is_object() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{answer}");
        crate::wait::pause();
    }
}
