//! `validate_input`: webhooks that judge what a mutation was given before anything is written.

use std::net::TcpListener;
use std::time::Duration;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};
use crate::rotation::Folder;
use crate::stand_in::StandIn;
use crate::wait::within;

const TABLES: &str = "create table artist (id serial primary key, name text not null, email text); \
    create table album (id serial primary key, title text, year int, artist_id int references artist); \
    insert into artist (name) values ('A'); insert into album (title, artist_id) values ('First', 1);";

fn metadata(server: &Server, kind: &str, arguments: &Value) -> (u16, Value) {
    server.json("/v1/metadata", &[], &json!({"type": kind, "args": arguments}))
}

fn permission(verb: &str, table: &str, permission: &Value) -> Value {
    json!({"type": format!("pg_create_{verb}_permission"), "args":
        {"table": table, "role": "user", "permission": permission}})
}

/// `artist` and `album`, of which `user` may do everything as far as the webhooks allow it.
fn world(database: &TestDatabase, artist: &Value, album: &Value) -> Server {
    world_with(database, None, artist, album)
}

/// The same; a folder of variables beside its own.
fn world_with(database: &TestDatabase, secrets: Option<&Folder>, artist: &Value, album: &Value) -> Server {
    let url = database.url();
    let types = "startup,validate-insert-input-log";
    let arguments = [
        "serve",
        "--server-port",
        "0",
        "--database-url",
        &url,
        "--enabled-log-types",
        types,
    ];
    let mut command = rowlock(&arguments);
    command.env("VALIDATION_KEY", "s3cret").env("PLACE", "here");
    if let Some(folder) = secrets {
        command.env("ROWLOCK_SECRETS_DIR", folder.path());
    }
    let server = Server::spawn(&mut command);
    let command = json!({"type": "run_sql", "args": {"sql": TABLES}});
    assert_eq!(server.json("/v2/query", &[], &command).0, 200);
    let with = |mut given: Value, validation: &Value| {
        given["validate_input"] = validation.clone();
        given
    };
    let (status, answer) = metadata(
        &server,
        "bulk",
        &json!([
            {"type": "pg_track_tables", "args": {"tables": [{"table": "artist",
                "configuration": {"column_config": {"email": {"custom_name": "mail"}}}}, {"table": "album"}]}},
            {"type": "pg_create_array_relationship", "args": {"table": "artist", "name": "albums",
                "using": {"foreign_key_constraint_on": {"table": "album", "column": "artist_id"}}}},
            {"type": "pg_create_object_relationship", "args": {"table": "album", "name": "artist",
                "using": {"foreign_key_constraint_on": "artist_id"}}},
            permission("select", "artist", &json!({"columns": "*", "filter": {}})),
            permission("select", "album", &json!({"columns": "*", "filter": {}})),
            permission("insert", "artist", &with(json!({"columns": ["name", "email"], "check": {},
                "set": {"id": "x-hasura-artist-id"}}), artist)),
            permission("insert", "album", &with(json!({"columns": "*", "check": {}}), album)),
            permission("update", "album", &with(json!({"columns": "*", "filter": {}}), album)),
            permission("delete", "album", &with(json!({"filter": {}}), album)),
        ]),
    );
    assert_eq!(status, 200, "{answer}");
    server
}

fn hook(url: &str) -> Value {
    json!({"type": "http", "definition": {"url": url}})
}

const USER: [(&str, &str); 3] = [
    ("x-hasura-role", "user"),
    ("x-hasura-artist-id", "7"),
    ("x-own", "1"),
];

fn user(server: &Server, text: &str, variables: &Value) -> Value {
    let body = json!({"query": text, "variables": variables});
    server.json("/v1/graphql", &USER, &body).1
}

/// The payload that was sent last.
fn payload(webhook: &StandIn) -> Value {
    let asked = webhook.last();
    serde_json::from_str(asked.split("\r\n\r\n").nth(1).unwrap_or_default()).unwrap()
}

fn input(webhook: &StandIn) -> Value {
    payload(webhook)["data"]["input"].clone()
}

fn count(webhook: &StandIn) -> usize {
    webhook.asked.lock().unwrap().len()
}

/// How many rows there are of both tables.
fn rows(server: &Server) -> Value {
    let sql = "select (select count(*) from artist) || ' ' || (select count(*) from album)";
    let command = json!({"type": "run_sql", "args": {"sql": sql, "read_only": true}});
    server.json("/v2/query", &[], &command).1["result"][1][0].clone()
}

#[track_caller]
fn refused(answer: &Value, code: &str, message: &str) {
    let error = &answer["errors"][0];
    assert_eq!(
        (
            &error["message"],
            &error["extensions"]["code"],
            &error["extensions"]["path"]
        ),
        (&json!(message), &json!(code), &json!("$")),
        "{answer}"
    );
}

#[test]
fn webhooks_are_told_what_the_client_gave() {
    let database = TestDatabase::create("validation_payloads");
    let (artists, albums) = (StandIn::start(), StandIn::start());
    artists.answers(200, "", &json!({}));
    albums.answers(201, "", &json!({}));
    let artist = json!({"type": "http", "definition": {"url": format!("{}{{{{PLACE}}}}", artists.url()), "timeout": 5,
        "forward_client_headers": true, "headers": [{"name": "x-key", "value_from_env": "VALIDATION_KEY"}]}});
    let server = world(&database, &artist, &hook(&albums.url()));
    let insert =
        "mutation ($rows: [artist_insert_input!]!) { insert_artist(objects: $rows) { affected_rows } }";
    let one = json!({"rows": [{"name": "n", "mail": "m", "albums": {"data": [{"title": "a", "year": 1},
        {"title": null, "year": 2}]}}]});
    let answer = user(&server, insert, &one);
    assert_eq!(answer, json!({"data": {"insert_artist": {"affected_rows": 3}}}));
    // Columns and relationships under the names that metadata has for them; no presets.
    assert_eq!(
        payload(&artists),
        json!({"version": 1, "role": "user",
            "session_variables": {"x-hasura-role": "user", "x-hasura-artist-id": "7"},
            "data": {"input": [{"name": "n", "email": "m",
                "albums": {"data": [{"title": "a", "year": 1}, {"title": null, "year": 2}]}}]}})
    );
    let head = artists.last().to_ascii_lowercase();
    assert!(head.starts_with("post /here "), "{head}");
    assert!(
        head.contains("x-key: s3cret") && head.contains("x-own: 1"),
        "{head}"
    );
    assert!(!head.contains("\r\nx-hasura-"), "{head}");
    assert_eq!(
        input(&albums),
        json!([{"title": "a", "year": 1}, {"title": null, "year": 2}])
    );
    assert!(!albums.last().contains("x-own"), "{}", albums.last());
    // The same plan with other values, and rows of different forms.
    let other = json!({"rows": [{"name": "o", "mail": "m", "albums": {"data": [{"title": "b", "year": 2}, {"title": "c"}]}}]});
    user(&server, insert, &other);
    assert_eq!(input(&artists)[0]["name"], json!("o"));
    assert_eq!(input(&albums), json!([{"title": "b", "year": 2}, {"title": "c"}]));
    let answer = user(
        &server,
        r#"mutation ($title: String) { insert_album(objects: [{title: $title, artist: {data: {name: "p"}}}, {year: 3}]) {
            affected_rows } }"#,
        &json!({"title": "t"}),
    );
    // The preset says that there is such an artist already.
    assert_eq!(
        answer["errors"][0]["extensions"]["code"],
        json!("constraint-violation")
    );
    assert_eq!(
        input(&albums),
        json!([{"title": "t", "artist": {"data": {"name": "p"}}}, {"year": 3}])
    );
    assert_eq!(input(&artists), json!([{"name": "p"}]));
    // Arguments of the others are told as they were given.
    for (text, expected) in [
        (
            "update_album(where: {year: {_gt: $year}}, _set: {title: \"x\"}, _inc: {year: 1}) { affected_rows }",
            json!([{"where": {"year": {"_gt": 10}}, "_set": {"title": "x"}, "_inc": {"year": 1}}]),
        ),
        (
            "update_album_by_pk(pk_columns: {id: $year}, _set: {title: \"x\"}) { id }",
            json!([{"pk_columns": {"id": 10}, "_set": {"title": "x"}}]),
        ),
        (
            "update_album_many(updates: [{where: {}, _set: {year: $year}}, {where: {id: {_eq: 1}}, _set: {year: 1}}]) { affected_rows }",
            json!([{"where": {}, "_set": {"year": 10}}, {"where": {"id": {"_eq": 1}}, "_set": {"year": 1}}]),
        ),
        (
            "delete_album(where: {_not: {year: {_in: [$year]}}}) { affected_rows }",
            json!([{"where": {"_not": {"year": {"_in": [10]}}}}]),
        ),
        (
            "delete_album_by_pk(id: $year) { id }",
            json!([{"pk_columns": {"id": 10}}]),
        ),
    ] {
        let before = count(&albums);
        let answer = user(
            &server,
            &format!("mutation ($year: Int!) {{ {text} }}"),
            &json!({"year": 10}),
        );
        assert!(answer.get("errors").is_none(), "{answer}");
        assert_eq!(input(&albums), expected, "{text}");
        assert_eq!(count(&albums), before + 1, "{text}");
    }
    // An admin is not judged, and the old data API cannot be.
    let (artists_before, albums_before) = (count(&artists), count(&albums));
    let text = "mutation { insert_album_one(object: {title: \"admin\"}) { title } }";
    let (_, answer) = server.json("/v1/graphql", &[], &json!({"query": text}));
    assert_eq!(answer, json!({"data": {"insert_album_one": {"title": "admin"}}}));
    let command = json!({"type": "delete", "args": {"table": "album", "where": {}}});
    let (status, answer) = server.json("/v1/query", &USER, &command);
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("not-supported")),
        "{answer}"
    );
    assert_eq!((count(&artists), count(&albums)), (artists_before, albums_before));
}

#[test]
fn nothing_is_written_unless_all_webhooks_agree() {
    let database = TestDatabase::create("validation_refusals");
    let (artists, albums) = (StandIn::start(), StandIn::start());
    let server = world(&database, &hook(&artists.url()), &hook(&albums.url()));
    let insert = || {
        let text = r#"mutation { insert_artist(objects: [{name: "n", albums: {data: [{title: "a"}]}}]) { affected_rows }
            delete_album(where: {}) { affected_rows } }"#;
        user(&server, text, &json!({}))
    };
    let ok = |webhook: &StandIn| webhook.answers(200, "", &json!({"whatever": 1}));
    ok(&artists);
    albums.answers(400, "", &json!({"message": "no such title", "more": 1}));
    refused(&insert(), "validation-failed", "no such title");
    assert_eq!((count(&artists), count(&albums)), (1, 1));
    // The first refusal ends it.
    artists.answers(400, "", &json!({"message": "no such name"}));
    refused(&insert(), "validation-failed", "no such name");
    assert_eq!((count(&artists), count(&albums)), (2, 1));
    for (status, body, message) in [
        (
            400,
            json!({"error": "x"}),
            "received invalid response from input validation webhook",
        ),
        (
            400,
            json!("x"),
            "received invalid response from input validation webhook",
        ),
        (
            403,
            json!({"message": "x"}),
            "internal error when validating input data",
        ),
        (
            500,
            json!({"message": "x"}),
            "internal error when validating input data",
        ),
        (302, json!({}), "internal error when validating input data"),
    ] {
        artists.answers(status, "", &body);
        refused(&insert(), "unexpected", message);
    }
    assert_eq!(rows(&server), json!("1 1"));
    ok(&artists);
    ok(&albums);
    let answer = insert();
    assert_eq!(
        answer["data"]["delete_album"]["affected_rows"],
        json!(2),
        "{answer}"
    );
    assert_eq!(rows(&server), json!("2 0"));
    server.log_line("a webhook's answer", |line| {
        line["type"] == "validate-insert-input-log" && line["detail"]["details"]["response_status"] == 400
    });
}

#[test]
fn webhooks_that_do_not_answer() {
    let database = TestDatabase::create("validation_silence");
    // Connections are taken, but nobody reads.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let slow =
        json!({"type": "http", "definition": {"url": format!("http://127.0.0.1:{port}/"), "timeout": 1}});
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://127.0.0.1:{}/", closed.local_addr().unwrap().port());
    drop(closed);
    let server = world(&database, &slow, &hook(&nobody));
    for text in [
        "mutation { insert_artist_one(object: {name: \"n\"}) { name } }",
        "mutation { delete_album(where: {}) { affected_rows } }",
    ] {
        refused(
            &user(&server, text, &json!({})),
            "unexpected",
            "http exception when validating input data",
        );
    }
    let (status, answer) = metadata(
        &server,
        "bulk",
        &json!([
            {"type": "pg_drop_delete_permission", "args": {"table": "album", "role": "user"}},
            permission("delete", "album", &json!({"filter": {}, "validate_input": hook("http://{{NOWHERE}}/")})),
        ]),
    );
    assert_eq!(status, 200, "{answer}");
    refused(
        &user(
            &server,
            "mutation { delete_album(where: {}) { affected_rows } }",
            &json!({}),
        ),
        "not-found",
        "Value for environment variables not found: NOWHERE",
    );
    assert_eq!(rows(&server), json!("1 1"));
}

/// What a header takes from a Secret is the present value, without a restart and without a change of the document.
#[test]
fn a_header_changes_with_its_secret() {
    let database = TestDatabase::create("validation_rotation");
    let webhook = StandIn::start();
    webhook.answers(200, "", &json!({}));
    let folder = Folder::new("validation-rotation");
    folder.put("ROTATED_KEY", &json!("old-key"));
    let artist = json!({"type": "http", "definition": {"url": webhook.url(),
        "headers": [{"name": "x-key", "value_from_env": "ROTATED_KEY"}]}});
    let server = world_with(&database, Some(&folder), &artist, &hook(&webhook.url()));
    let key = || {
        let one = json!({"rows": [{"name": "n"}]});
        user(
            &server,
            "mutation ($rows: [artist_insert_input!]!) { insert_artist(objects: $rows) { affected_rows } }",
            &one,
        );
        let head = webhook.last().to_ascii_lowercase();
        let line = head.lines().find(|line| line.starts_with("x-key: "));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(key(), "x-key: old-key");
    folder.put("ROTATED_KEY", &json!("new-key"));
    within(Duration::from_secs(60), "the new key is sent", || {
        key() == "x-key: new-key"
    });
    assert_eq!(key(), "x-key: new-key");
}
