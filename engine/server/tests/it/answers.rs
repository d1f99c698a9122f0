//! Operations against tables, from tracking them to changing them under a running server.

use std::time::Instant;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server};

const TABLES: &str = "create table artist (id int primary key, name text not null, born timestamptz); \
    create table album (id int primary key, title text, artist_id int references artist); \
    insert into artist values (1, 'Aïda \"the\" one', '2024-01-02 03:04:05+00'), (2, 'Bea', null); \
    insert into album values (10, 'First', 1), (11, null, 1), (12, 'Other', 2);";

fn run_sql(server: &Server, sql: &str, check: bool) {
    let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": check}});
    let (status, answer) = server.json("/v2/query", &[], &command);
    assert_eq!(status, 200, "{answer}");
}

fn metadata(server: &Server, kind: &str, arguments: &Value) -> Value {
    let (status, answer) = server.json("/v1/metadata", &[], &json!({"type": kind, "args": arguments}));
    assert_eq!(status, 200, "{answer}");
    answer
}

fn query(server: &Server, headers: &[(&str, &str)], text: &str) -> Value {
    server.json("/v1/graphql", headers, &json!({"query": text})).1
}

/// A server with two related tables, and what `user` may see of them.
fn music(database: &TestDatabase, flags: &[&str]) -> Server {
    let server = Server::start(database, flags);
    run_sql(&server, TABLES, false);
    metadata(
        &server,
        "bulk",
        &json!([
            {"type": "reload_metadata", "args": {}},
            {"type": "pg_track_tables", "args": {"tables": [{"table": "artist"}, {"table": "album"}]}},
            {"type": "pg_create_array_relationship", "args": {
                "table": "artist",
                "name": "albums",
                "using": {"foreign_key_constraint_on": {"table": "album", "column": "artist_id"}},
            }},
            {"type": "pg_create_select_permission", "args": {
                "table": "artist",
                "role": "user",
                "permission": {"columns": ["name"], "filter": {"id": "X-Hasura-Artist-Id"}},
            }},
        ]),
    );
    server
}

#[test]
fn rows_related_rows_and_roles() {
    let database = TestDatabase::create("answers");
    let server = music(&database, &[]);
    assert_eq!(
        query(
            &server,
            &[],
            "{ artist(order_by: {id: asc}) { id name born albums(where: {title: {_is_null: false}}) { title } } }"
        ),
        json!({"data": {"artist": [
            {"id": 1, "name": "Aïda \"the\" one", "born": "2024-01-02T03:04:05+00:00", "albums": [{"title": "First"}]},
            {"id": 2, "name": "Bea", "born": null, "albums": [{"title": "Other"}]},
        ]}})
    );
    let user = [("x-hasura-role", "user"), ("x-hasura-artist-id", "2")];
    assert_eq!(
        query(&server, &user, "{ artist { name } }"),
        json!({"data": {"artist": [{"name": "Bea"}]}})
    );
    assert_eq!(
        query(&server, &user, "{ artist { id } }"),
        json!({"errors": [{
            "message": "field 'id' not found in type: 'artist'",
            "extensions": {"path": "$.selectionSet.artist.selectionSet.id", "code": "validation-failed"},
        }]})
    );
    assert_eq!(
        query(&server, &[("x-hasura-role", "user")], "{ artist { name } }")["errors"][0]["message"],
        "missing session variable: \"x-hasura-artist-id\""
    );
}

#[test]
fn several_root_fields_keep_their_order() {
    let database = TestDatabase::create("order");
    let server = music(&database, &[]);
    let text = "{ z: artist(limit: 1) { id } t: __typename a: artist_by_pk(id: 2) { id } n: artist_by_pk(id: 9) { id } }";
    let (_, answer) = server.send("POST", "/v1/graphql", &[], &json!({"query": text}).to_string());
    assert_eq!(
        answer,
        r#"{"data":{"z":[{"id":1}],"t":"query_root","a":{"id":2},"n":null}}"#
    );
}

#[test]
fn a_cached_plan_takes_new_values_and_finds_wrong_ones() {
    let database = TestDatabase::create("cached");
    let server = music(&database, &[]);
    let ask = |id: Value| {
        let body =
            json!({"query": "query($id: Int!) { artist_by_pk(id: $id) { id } }", "variables": {"id": id}});
        server.json("/v1/graphql", &[], &body).1
    };
    for id in [1, 2, 1] {
        assert_eq!(ask(json!(id)), json!({"data": {"artist_by_pk": {"id": id}}}));
    }
    assert_eq!(
        ask(json!(true))["errors"][0]["extensions"]["code"],
        "validation-failed"
    );
    assert_eq!(
        ask(Value::Null)["errors"][0]["message"],
        "null value found for non-nullable type: \"Int!\""
    );
}

#[test]
fn explain_tells_sql_and_plan() {
    let database = TestDatabase::create("explain");
    let server = music(&database, &[]);
    let body = json!({
        "query": {"query": "{ artist { name } }"},
        "user": {"x-hasura-role": "user", "x-hasura-artist-id": "1"},
    });
    let (status, answer) = server.json("/v1/graphql/explain", &[], &body);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer[0]["field"], "artist");
    assert!(answer[0]["sql"].as_str().unwrap().contains("\"artist\""));
    assert!(!answer[0]["plan"].as_array().unwrap().is_empty());
    let (status, answer) = server.json("/v1/graphql/explain", &[("x-hasura-role", "user")], &body);
    assert_eq!((status, &answer["code"]), (400, &json!("access-denied")));
}

#[test]
fn another_instance_and_another_tool_are_followed() {
    let database = TestDatabase::create("follow");
    let server = music(&database, &[]);
    let other = Server::start(&database, &[]);
    let names = json!({"data": {"artist": [{"name": "Aïda \"the\" one"}, {"name": "Bea"}]}});
    let asked = "{ artist(order_by: {id: asc}) { name } }";
    assert_eq!(query(&other, &[], asked), names);
    // The other instance changes the metadata.
    metadata(
        &other,
        "pg_set_table_customization",
        &json!({
            "table": "album",
            "configuration": {"custom_name": "record"},
        }),
    );
    eventually("the new name", || {
        query(&server, &[], "{ record_by_pk(id: 10) { title } }")
            == json!({"data": {"record_by_pk": {"title": "First"}}})
    });
    // DDL of which the server is told nothing.
    run_sql(
        &other,
        "alter table artist add column genre text default 'rock'",
        false,
    );
    eventually("the new column", || {
        // What was served goes on being served meanwhile.
        assert_eq!(query(&server, &[], asked), names);
        query(&server, &[], "{ artist_by_pk(id: 1) { genre } }")
            == json!({"data": {"artist_by_pk": {"genre": "rock"}}})
    });
}

#[test]
fn a_broken_object_takes_only_its_dependents_along_and_heals() {
    let database = TestDatabase::create("heal");
    let server = music(&database, &[]);
    run_sql(&server, "alter table album rename to hidden", false);
    eventually("the inconsistency", || {
        server.send("GET", "/healthz", &[], "").1.starts_with("WARN")
    });
    assert_eq!(server.send("GET", "/healthz?strict=true", &[], "").0, 500);
    assert_eq!(
        query(&server, &[], "{ artist_by_pk(id: 2) { name } }"),
        json!({"data": {"artist_by_pk": {"name": "Bea"}}})
    );
    let problems = metadata(&server, "get_inconsistent_metadata", &json!({}));
    assert_eq!(problems["is_consistent"], false);
    run_sql(&server, "alter table hidden rename to album", false);
    eventually("the healing", || {
        server.send("GET", "/healthz", &[], "").1 == "OK"
    });
    assert_eq!(
        query(&server, &[], "{ artist_by_pk(id: 2) { albums { title } } }"),
        json!({"data": {"artist_by_pk": {"albums": [{"title": "Other"}]}}})
    );
}

#[test]
fn a_source_that_is_away_at_the_start_is_served_when_it_comes() {
    let metadata_database = TestDatabase::create("away");
    let tool = Server::start(&metadata_database, &[]);
    let name = format!("{}_source", metadata_database.name());
    let url = metadata_database.url().replace(metadata_database.name(), &name);
    let store = TestDatabase::create("away_store");
    let server = Server::start_with(&[
        "--metadata-database-url",
        &store.url(),
        "--database-url",
        &url,
        "serve",
        "--server-port",
        "0",
    ]);
    let health = || server.send("GET", "/healthz", &[], "");
    assert_eq!(health(), (200, "WARN: inconsistent objects in schema".to_owned()));
    let problems = metadata(&server, "get_inconsistent_metadata", &json!({}));
    assert_eq!(problems["inconsistent_objects"][0]["type"], "source");
    let statement = |sql: String| {
        let arguments = json!({"sql": sql, "no_transaction": true, "check_metadata_consistency": false});
        let command = json!({"type": "run_sql", "args": arguments});
        let (status, answer) = tool.json("/v2/query", &[], &command);
        assert_eq!(status, 200, "{answer}");
    };
    statement(format!("create database \"{name}\""));
    eventually("the source", || health().1 == "OK");
    drop(server);
    statement(format!("drop database \"{name}\" with (force)"));
}

/// Asks again until it is so.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not come");
        crate::wait::pause();
    }
}

#[test]
fn functions_of_computed_fields_are_kept() {
    let database = TestDatabase::create("computed_kept");
    let server = music(&database, &[]);
    let shout =
        "create function shout(a artist) returns text language sql stable as $$ select upper(a.name) $$";
    run_sql(&server, shout, false);
    metadata(&server, "reload_metadata", &json!({"reload_sources": true}));
    metadata(
        &server,
        "pg_add_computed_field",
        &json!({"table": "artist", "name": "loud", "definition": {"function": "shout"}}),
    );
    let refused = |sql: &str| {
        let command = json!({"type": "run_sql", "args": {"sql": sql}});
        let (status, answer) = server.json("/v2/query", &[], &command);
        assert_eq!(status, 400, "{answer}");
        (answer["code"].clone(), answer["error"].clone())
    };
    assert_eq!(
        refused("drop function shout(artist)"),
        (
            json!("dependency-error"),
            json!(
                "cannot drop due to the following dependent objects: computed field artist.loud in source \"default\""
            )
        )
    );
    assert_eq!(
        refused("create function shout(a int) returns text language sql stable as 'select 1::text'").1,
        "The function \"shout\" associated with computed field \"loud\" of table \"artist\" is being overloaded"
    );
    assert_eq!(
        refused("alter function shout(artist) volatile").1,
        "The type of function \"shout\" associated with computed field \"loud\" of table \"artist\" is being altered to \
         \"VOLATILE\""
    );
    let gone = json!({"type": "run_sql", "args": {"sql": "drop function shout(artist)", "cascade": true}});
    assert_eq!(server.json("/v2/query", &[], &gone).0, 200);
    assert_eq!(
        metadata(&server, "get_inconsistent_metadata", &json!({}))["is_consistent"],
        true
    );
}
