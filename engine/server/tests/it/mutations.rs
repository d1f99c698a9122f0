//! Mutations against tables: what is written, what is answered, what is refused, and that all of it or nothing is done.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

const TABLES: &str = "create table artist (id serial primary key, name text not null unique, info jsonb, born timestamptz); \
    create table album (id serial primary key, title text not null, artist_id int not null references artist, \
      year int check (year > 1800), tags text[], price numeric default 9.5); \
    create table track (id serial primary key, name text, album_id int references album); \
    create table note (body text, author text); \
    create table log (who text, trace text, what text); \
    create function logged() returns trigger language plpgsql as $$ begin \
      insert into log values (current_setting('hasura.user', true), current_setting('hasura.tracecontext', true), new.name); \
      return new; end $$; \
    create trigger logged after insert on artist for each row execute function logged(); \
    create function add_artist(given text) returns setof artist language sql volatile as $$ \
      insert into artist (name) values (given) returning * $$; \
    insert into artist (name, info) values ('A', '{\"n\": 1, \"l\": [1, 2, 3]}'), ('B', '{}'); \
    insert into album (title, artist_id) values ('First', 1), ('Second', 1), ('Other', 2);";

fn metadata(server: &Server, kind: &str, arguments: &Value) {
    server.accepted("/v1/metadata", &json!({"type": kind, "args": arguments}));
}

fn run_sql(server: &Server, sql: &str) {
    let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": false}});
    server.accepted("/v2/query", &command);
}

fn world(database: &TestDatabase) -> Server {
    let server = Server::start(database, &[]);
    run_sql(&server, TABLES);
    let object = |table: &str, name: &str, column: &str| {
        json!({"type": "pg_create_object_relationship", "args":
            {"table": table, "name": name, "using": {"foreign_key_constraint_on": column}}})
    };
    let array = |table: &str, name: &str, other: &str, column: &str| {
        json!({"type": "pg_create_array_relationship", "args": {"table": table, "name": name,
            "using": {"foreign_key_constraint_on": {"table": other, "column": column}}}})
    };
    let permission = |verb: &str, table: &str, permission: Value| {
        json!({"type": format!("pg_create_{verb}_permission"), "args":
            {"table": table, "role": "user", "permission": permission}})
    };
    metadata(
        &server,
        "bulk",
        &json!([
            {"type": "reload_metadata", "args": {}},
            {"type": "pg_track_tables", "args": {"tables": [{"table": "artist"}, {"table": "album"},
                {"table": "track"}, {"table": "note"}, {"table": "log"}]}},
            {"type": "pg_track_function", "args": {"function": "add_artist", "configuration": {"exposed_as": "mutation"}}},
            object("album", "artist", "artist_id"),
            object("track", "album", "album_id"),
            array("artist", "albums", "album", "artist_id"),
            array("album", "tracks", "track", "album_id"),
            permission("select", "album", json!({"columns": ["id", "title", "artist_id", "year"], "filter": {}})),
            permission("insert", "album", json!({"columns": ["id", "title", "year", "artist_id"],
                "set": {"artist_id": "x-hasura-artist-id"}, "check": {"title": {"_ne": "forbidden"}}})),
            permission("update", "album", json!({"columns": ["title"], "filter": {"artist_id": "x-hasura-artist-id"},
                "check": {"title": {"_ne": "forbidden"}}, "set": {"year": 2000}})),
            permission("delete", "album", json!({"filter": {"artist_id": "x-hasura-artist-id"}})),
        ]),
    );
    server
}

fn ask(server: &Server, headers: &[(&str, &str)], text: &str, variables: &Value) -> Value {
    server
        .json(
            "/v1/graphql",
            headers,
            &json!({"query": text, "variables": variables}),
        )
        .1
}

fn admin(server: &Server, text: &str) -> Value {
    ask(server, &[], text, &json!({}))
}

const USER: [(&str, &str); 2] = [("x-hasura-role", "user"), ("x-hasura-artist-id", "1")];

fn user(server: &Server, text: &str) -> Value {
    ask(server, &USER, text, &json!({}))
}

#[track_caller]
fn refused(answer: &Value, path: &str, code: &str, message: &str) {
    assert_eq!(
        *answer,
        json!({"errors": [{"message": message, "extensions": {"path": path, "code": code}}]})
    );
}

const CHECK: &str = "check constraint of an insert/update permission has failed";

#[test]
fn rows_are_written_and_answered() {
    let database = TestDatabase::create("mutations");
    let server = world(&database);
    assert_eq!(
        admin(
            &server,
            r#"mutation { insert_artist_one(object: {name: "C"}) { id name info }
                insert_album(objects: [{title: "x", artist_id: 1, tags: ["a,b", "c"], price: 1.25}, {title: "y", artist_id: 2}]) {
                  affected_rows __typename returning { id tags price artist { name } } } }"#
        ),
        json!({"data": {
            "insert_artist_one": {"id": 3, "name": "C", "info": null},
            "insert_album": {"affected_rows": 2, "__typename": "album_mutation_response", "returning": [
                {"id": 4, "tags": ["a,b", "c"], "price": 1.25, "artist": {"name": "A"}},
                {"id": 5, "tags": null, "price": 9.5, "artist": {"name": "B"}}]},
        }})
    );
    assert_eq!(
        admin(
            &server,
            r#"mutation { update_artist(where: {id: {_eq: 1}}, _append: {info: {m: 2}}, _set: {name: "AA"}) {
                affected_rows returning { name info albums_aggregate { aggregate { count } } } }
              update_artist_by_pk(pk_columns: {id: 2}, _set: {born: "2020-01-02T03:04:05Z"}) { name born }
              missing: update_artist_by_pk(pk_columns: {id: 99}, _set: {name: "z"}) { name }
              none: update_artist(where: {}) { affected_rows returning { id } } }"#
        ),
        json!({"data": {
            "update_artist": {"affected_rows": 1, "returning": [{"name": "AA", "info": {"l": [1, 2, 3], "m": 2, "n": 1},
                "albums_aggregate": {"aggregate": {"count": 3}}}]},
            "update_artist_by_pk": {"name": "B", "born": "2020-01-02T03:04:05+00:00"},
            "missing": null,
            "none": {"affected_rows": 0, "returning": []},
        }})
    );
    assert_eq!(
        admin(
            &server,
            r#"mutation { update_album_many(updates: [
                {where: {id: {_eq: 1}}, _set: {title: "one"}}, {where: {id: {_eq: 99}}, _inc: {year: 1}}, {where: {}},
                {where: {artist_id: {_eq: 1}}, _inc: {price: -1}}]) { affected_rows returning { id title price } } }"#
        ),
        json!({"data": {"update_album_many": [
            {"affected_rows": 1, "returning": [{"id": 1, "title": "one", "price": 9.5}]},
            {"affected_rows": 0, "returning": []},
            {"affected_rows": 0, "returning": []},
            {"affected_rows": 3, "returning": [{"id": 2, "title": "Second", "price": 8.5},
                {"id": 4, "title": "x", "price": 0.25}, {"id": 1, "title": "one", "price": 8.5}]},
        ]}})
    );
    // What is deleted is answered with what it was related to.
    assert_eq!(
        admin(
            &server,
            r#"mutation { delete_album(where: {artist_id: {_eq: 2}}) { affected_rows returning { id artist { name } } }
              delete_artist_by_pk(id: 2) { name albums { id } } }"#
        ),
        json!({"data": {
            "delete_album": {"affected_rows": 2, "returning": [
                {"id": 3, "artist": {"name": "B"}}, {"id": 5, "artist": {"name": "B"}}]},
            "delete_artist_by_pk": {"name": "B", "albums": []},
        }})
    );
    assert_eq!(
        admin(&server, r#"mutation { add_artist(args: {given: "F"}) { name } }"#),
        json!({"data": {"add_artist": [{"name": "F"}]}})
    );
    assert_eq!(
        admin(
            &server,
            "mutation { insert_note(objects: [{}, {}]) { affected_rows } insert_log(objects: []) { affected_rows } }"
        ),
        json!({"data": {"insert_note": {"affected_rows": 2}, "insert_log": {"affected_rows": 0}}})
    );
}

#[test]
fn json_operators_and_their_clashes() {
    let database = TestDatabase::create("mutations_json");
    let server = world(&database);
    let info = |operator: &str| {
        admin(
            &server,
            &format!("mutation {{ update_artist_by_pk(pk_columns: {{id: 1}}, {operator}) {{ info }} }}"),
        )["data"]["update_artist_by_pk"]["info"]
            .clone()
    };
    assert_eq!(
        info(r#"_delete_at_path: {info: ["l", "1"]}"#),
        json!({"n": 1, "l": [1, 3]})
    );
    assert_eq!(info(r#"_delete_key: {info: "n"}"#), json!({"l": [1, 3]}));
    assert_eq!(info("_set: {info: [1, 2]}"), json!([1, 2]));
    assert_eq!(info("_prepend: {info: [0]}"), json!([0, 1, 2]));
    assert_eq!(info("_delete_elem: {info: -1}"), json!([0, 1]));
    // No key: Postgres makes the column null.
    assert_eq!(info("_delete_key: {info: null}"), json!(null));
    assert_eq!(info("_set: {info: [0, 1]}"), json!([0, 1]));
    refused(
        &admin(
            &server,
            r#"mutation { update_artist(where: {}, _set: {info: 1}, _append: {info: 2}) { affected_rows } }"#,
        ),
        "$.selectionSet.update_artist.args",
        "validation-failed",
        "Column found in multiple operators: ['info'].",
    );
}

#[test]
fn permissions_hold_for_every_verb() {
    let database = TestDatabase::create("mutations_permissions");
    let server = world(&database);
    // The preset decides the artist, whatever a client says.
    assert_eq!(
        user(
            &server,
            r#"mutation { insert_album(objects: [{title: "mine"}]) { returning { id title artist_id } } }"#
        ),
        json!({"data": {"insert_album": {"returning": [{"id": 4, "title": "mine", "artist_id": 1}]}}})
    );
    refused(
        &user(
            &server,
            r#"mutation { insert_album(objects: [{title: "a", artist_id: 2}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_album.args.objects[0].artist_id",
        "validation-failed",
        "field 'artist_id' not found in type: 'album_insert_input'",
    );
    refused(
        &user(
            &server,
            r#"mutation { ok: insert_album_one(object: {title: "kept?"}) { id }
               insert_album(objects: [{title: "a"}, {title: "forbidden"}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_album.args.objects",
        "permission-error",
        CHECK,
    );
    refused(
        &user(
            &server,
            r#"mutation { insert_album_one(object: {title: "forbidden"}) { id } }"#,
        ),
        "$.selectionSet.insert_album_one.args.object",
        "permission-error",
        CHECK,
    );
    refused(
        &user(
            &server,
            r#"mutation { update_album(where: {id: {_eq: 1}}, _set: {title: "forbidden"}) { affected_rows } }"#,
        ),
        "$",
        "permission-error",
        CHECK,
    );
    // Rows that may not be updated or deleted are as if they were not there, in every verb.
    assert_eq!(
        user(
            &server,
            r#"mutation { update_album(where: {}, _set: {title: "t"}) { affected_rows returning { id year } }
              one: update_album_by_pk(pk_columns: {id: 3}, _set: {title: "t"}) { id }
              many: update_album_many(updates: [{where: {id: {_eq: 3}}, _set: {title: "t"}}]) { affected_rows }
              gone: delete_album_by_pk(id: 3) { id }
              delete_album(where: {id: {_in: [2, 3]}}) { affected_rows } }"#
        ),
        json!({"data": {
            "update_album": {"affected_rows": 3, "returning": [
                {"id": 1, "year": 2000}, {"id": 2, "year": 2000}, {"id": 4, "year": 2000}]},
            "one": null, "many": [{"affected_rows": 0}], "gone": null, "delete_album": {"affected_rows": 1},
        }})
    );
    // An upsert updates what an update may, sets what an update sets, and nothing else.
    let upsert = |id: u32, title: &str| {
        user(
            &server,
            &format!(
                r#"mutation {{ insert_album(objects: [{{id: {id}, title: "{title}"}}],
                     on_conflict: {{constraint: album_pkey, update_columns: [title]}}) {{ affected_rows
                     returning {{ title artist_id year }} }} }}"#
            ),
        )
    };
    assert_eq!(
        upsert(1, "up"),
        json!({"data": {"insert_album": {"affected_rows": 1, "returning": [{"title": "up", "artist_id": 1, "year": 2000}]}}})
    );
    assert_eq!(
        upsert(3, "up"),
        json!({"data": {"insert_album": {"affected_rows": 0, "returning": []}}})
    );
    refused(
        &upsert(1, "forbidden"),
        "$.selectionSet.insert_album.args.objects",
        "permission-error",
        CHECK,
    );
    refused(
        &ask(
            &server,
            &[("x-hasura-role", "user")],
            r#"mutation { insert_album_one(object: {title: "a"}) { id } }"#,
            &json!({}),
        ),
        "$",
        "not-found",
        "missing session variable: \"x-hasura-artist-id\"",
    );
}

#[test]
fn rows_within_rows() {
    let database = TestDatabase::create("mutations_nested");
    let server = world(&database);
    let mutation = "mutation ($rows: [artist_insert_input!]!) { insert_artist(objects: $rows) { affected_rows
        returning { id name albums(order_by: {id: asc}) { title tracks(order_by: {id: asc}) { name } } } } }";
    let rows = |from: usize, artists: usize| -> Value {
        (from..from + artists)
            .map(|a| {
                let albums: Vec<Value> = (0..2)
                    .map(|b| {
                        let tracks: Vec<Value> =
                            (0..3).map(|c| json!({"name": format!("{a}.{b}.{c}")})).collect();
                        json!({"title": format!("{a}.{b}"), "tracks": {"data": tracks}})
                    })
                    .collect();
                json!({"name": format!("artist {a}"), "albums": {"data": albums}})
            })
            .collect()
    };
    for (from, artists) in [(0, 1), (10, 3)] {
        let answer = ask(&server, &[], mutation, &json!({"rows": rows(from, artists)}));
        let response = &answer["data"]["insert_artist"];
        assert_eq!(response["affected_rows"], json!(artists * 9), "{answer}");
        let returned = response["returning"].as_array().unwrap();
        for (at, artist) in returned.iter().enumerate() {
            let number = from + at;
            assert_eq!(artist["name"], json!(format!("artist {number}")));
            let albums: Vec<Value> = (0..2)
                .map(|b| {
                    let tracks: Vec<Value> = (0..3)
                        .map(|c| json!({"name": format!("{number}.{b}.{c}")}))
                        .collect();
                    json!({"title": format!("{number}.{b}"), "tracks": tracks})
                })
                .collect();
            assert_eq!(artist["albums"], json!(albums), "{answer}");
        }
    }
    // Written in the text, rows of different keys and depth.
    assert_eq!(
        admin(
            &server,
            r#"mutation { insert_track(objects: [{name: "a", album: {data: {title: "n1", artist: {data: {name: "new"}}}}},
                {name: "b", album_id: 1}, {album: {data: {title: "n2", artist_id: 2}}}]) {
                affected_rows returning { name album { title artist { name } } } } }"#
        ),
        json!({"data": {"insert_track": {"affected_rows": 6, "returning": [
            {"name": "a", "album": {"title": "n1", "artist": {"name": "new"}}},
            {"name": "b", "album": {"title": "First", "artist": {"name": "A"}}},
            {"name": null, "album": {"title": "n2", "artist": {"name": "B"}}}]}}})
    );
    // A variable with a row of another form beside.
    let mixed = json!([{"name": "m1", "albums": {"data": [{"title": "q"}]}}, {"name": "m2"}]);
    let answer = ask(&server, &[], mutation, &json!({"rows": mixed}));
    assert_eq!(
        answer["data"]["insert_artist"]["affected_rows"],
        json!(3),
        "{answer}"
    );
}

#[test]
fn refusals_of_rows_within_rows() {
    let database = TestDatabase::create("mutations_nested_errors");
    let server = world(&database);
    refused(
        &admin(
            &server,
            r#"mutation { insert_artist(objects: [{name: "x", albums: {data: [{title: "t", artist_id: 1}]}}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_artist.args.objects[0].albums.data[0]",
        "validation-failed",
        "cannot insert \"artist_id\" columns as their values are already being determined by parent insert",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_album(objects: [{title: "t", artist_id: 1, artist: {data: {name: "n"}}}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_album.args.objects[0].artist",
        "validation-failed",
        "cannot insert object relationship \"artist\" as \"artist_id\" column values are already determined",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_artist(objects: [{name: "A", albums: {data: [{title: "t"}]}}],
                on_conflict: {constraint: artist_name_key, update_columns: []}) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_artist.args.objects[0]",
        "not-supported",
        "cannot proceed to insert array relations since insert to table \"artist\" affects zero rows",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_album(objects: [{title: "t", artist: {data: {name: "A"},
                on_conflict: {constraint: artist_name_key, update_columns: []}}}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_album.args.objects[0].artist",
        "not-supported",
        "cannot proceed to insert object relation \"artist\" since insert to table \"artist\" affects zero rows",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_artist(objects: [{name: "x", albums: {data: [{title: "t", year: 1}]}}]) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_artist.args.objects[0].albums.data",
        "permission-error",
        "Check constraint violation. new row for relation \"album\" violates check constraint \"album_year_check\"",
    );
    // Nothing of any of these is there.
    assert_eq!(
        admin(
            &server,
            "{ artist_aggregate { aggregate { count } } album_aggregate { aggregate { count } } }"
        ),
        json!({"data": {"artist_aggregate": {"aggregate": {"count": 2}}, "album_aggregate": {"aggregate": {"count": 3}}}})
    );
}

#[test]
fn places_of_refused_rows_in_variables() {
    let database = TestDatabase::create("mutations_places");
    let server = world(&database);
    let mutation =
        "mutation ($rows: [artist_insert_input!]!) { insert_artist(objects: $rows) { affected_rows } }";
    let place = |rows: Value| {
        let answer = ask(&server, &[], mutation, &json!({"rows": rows}));
        answer["errors"][0]["extensions"]["path"].clone()
    };
    let albums = |year: u32| json!({"data": [{"title": "t", "year": year}, {"title": "u", "year": 2000}]});
    let list = "$.selectionSet.insert_artist.args.objects";
    // Alone, a row with rows below is told by its place; without rows below the list is, whatever its length.
    assert_eq!(
        place(json!([{"name": "A", "albums": albums(2000)}])),
        json!(format!("{list}[0]"))
    );
    assert_eq!(place(json!([{"name": "A"}])), json!(list));
    assert_eq!(
        place(json!([{"name": "x", "albums": albums(1)}])),
        json!(format!("{list}[0].albums.data"))
    );
    assert_eq!(
        place(json!([{"name": "x", "albums": albums(2000)}, {"name": "A", "albums": albums(2000)}])),
        json!(list),
        "a trigger of this table writes, which is not done again to find the row"
    );
}

#[test]
fn violations_and_transactions() {
    let database = TestDatabase::create("mutations_violations");
    let server = world(&database);
    refused(
        &admin(
            &server,
            r#"mutation { a: insert_artist_one(object: {name: "new"}) { id } b: insert_artist_one(object: {name: "A"}) { id } }"#,
        ),
        "$.selectionSet.insert_artist_one.args.object",
        "constraint-violation",
        "Uniqueness violation. duplicate key value violates unique constraint \"artist_name_key\"",
    );
    refused(
        &admin(
            &server,
            "mutation { delete_artist(where: {id: {_eq: 1}}) { affected_rows } }",
        ),
        "$",
        "constraint-violation",
        "Foreign key violation. update or delete on table \"artist\" violates foreign key constraint \"album_artist_id_fkey\" on table \"album\"",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_artist(objects: {info: {}}) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_artist.args.objects",
        "constraint-violation",
        "Not-NULL violation. null value in column \"name\" of relation \"artist\" violates not-null constraint",
    );
    refused(
        &admin(
            &server,
            r#"mutation { insert_artist(objects: {name: "x", born: "never"}) { affected_rows } }"#,
        ),
        "$.selectionSet.insert_artist.args.objects",
        "data-exception",
        "invalid input syntax for type timestamp with time zone: \"never\"",
    );
    assert_eq!(
        admin(&server, r#"{ artist(where: {name: {_eq: "new"}}) { id } }"#),
        json!({"data": {"artist": []}})
    );
    // Triggers know who writes, within which trace.
    let answer = ask(
        &server,
        &[(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )],
        r#"mutation { insert_artist(objects: {name: "T"}) { affected_rows } }"#,
        &json!({}),
    );
    assert_eq!(answer, json!({"data": {"insert_artist": {"affected_rows": 1}}}));
    assert_eq!(
        admin(&server, r#"{ log(where: {what: {_eq: "T"}}) { who trace } }"#),
        json!({"data": {"log": [{"who": "{\"x-hasura-role\":\"admin\"}",
            "trace": "{\"trace_id\":\"0af7651916cd43dd8448eb211c80319c\",\"span_id\":\"b7ad6b7169203331\"}"}]}})
    );
}

#[test]
fn many_rows_of_one_form() {
    let database = TestDatabase::create("mutations_many");
    let server = world(&database);
    let mutation =
        "mutation ($rows: [album_insert_input!]!) { insert_album(objects: $rows) { affected_rows } }";
    let rows = |count: usize| -> Value {
        (0..count)
            .map(|at| json!({"title": format!("t \"{at}\""), "artist_id": 1, "year": if at % 2 == 0 { Value::Null } else { json!(2001) },
                "tags": ["a", "b,c"], "price": 1.25}))
            .collect()
    };
    for count in [1, 20, 20_000] {
        let answer = ask(&server, &[], mutation, &json!({"rows": rows(count)}));
        assert_eq!(
            answer,
            json!({"data": {"insert_album": {"affected_rows": count}}})
        );
    }
    assert_eq!(
        admin(
            &server,
            r#"{ all: album_aggregate(where: {price: {_eq: 1.25}, tags: {_eq: ["a", "b,c"]}}) { aggregate { count sum { year } } }
                 album(where: {title: {_eq: "t \"19999\""}}) { year tags } }"#
        ),
        json!({"data": {"all": {"aggregate": {"count": 20_021, "sum": {"year": 20_030_010}}},
            "album": [{"year": 2001, "tags": ["a", "b,c"]}]}})
    );
    // Wrong values are told with their place.
    let mut wrong = rows(5);
    wrong[3]["year"] = json!("x");
    wrong[4]["artist_id"] = json!(null);
    let answer = ask(&server, &[], mutation, &json!({"rows": wrong}));
    assert_eq!(
        answer["errors"][0]["extensions"]["path"],
        json!("$.selectionSet.insert_album.args.objects[4].artist_id"),
        "{answer}"
    );
    // Rows with different keys take their defaults.
    let answer = ask(
        &server,
        &[],
        "mutation ($rows: [album_insert_input!]!) { insert_album(objects: $rows) { returning { title price } } }",
        &json!({"rows": [{"title": "p", "artist_id": 1, "price": 1}, {"title": "q", "artist_id": 1}]}),
    );
    assert_eq!(
        answer,
        json!({"data": {"insert_album": {"returning": [{"title": "p", "price": 1}, {"title": "q", "price": 9.5}]}}})
    );
    let upsert = ask(
        &server,
        &[],
        "mutation ($rows: [artist_insert_input!]!) { insert_artist(objects: $rows, on_conflict: {constraint: artist_name_key,
           update_columns: [info], where: {name: {_neq: \"B\"}}}) { affected_rows returning { id name info } } }",
        &json!({"rows": [{"name": "A", "info": {"u": 1}}, {"name": "B", "info": 2}, {"name": "N", "info": null}]}),
    );
    assert_eq!(
        upsert["data"]["insert_artist"]["returning"][0],
        json!({"id": 1, "name": "A", "info": {"u": 1}}),
        "{upsert}"
    );
    assert_eq!(
        upsert["data"]["insert_artist"]["affected_rows"],
        json!(2),
        "{upsert}"
    );
}
