//! `select` and `count` of the old data API.

use std::sync::Arc;

use plan::Session;
use plan::dml::{self, Command};
use schema::model::Options;
use serde_json::{Value, json};

use crate::{readable, text_of, world};

fn answer(role: &str, command: Command, arguments: &Value) -> String {
    let model = world::world(Options::default());
    let session = Session {
        role: Arc::from(role),
        variables: Vec::new(),
        backend: false,
    };
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    match dml::plan(&model, &session, command, &arguments) {
        Ok(plan) => readable(&text_of(&plan)),
        Err(error) => format!("{} {} {}", error.code.as_str(), error.path, error.message),
    }
}

fn select(arguments: &Value) -> String {
    answer("admin", Command::Select, arguments)
}

#[track_caller]
fn becomes(arguments: &Value, expected: &str) {
    let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(select(arguments), expected);
}

#[test]
fn columns_and_relationships() {
    becomes(
        &json!({"table": "artist", "columns": ["*", {"name": "albums", "alias": "a", "columns": ["title"],
            "where": {"title": "x"}, "order_by": "-title", "limit": 2}], "where": {"$not": {"name": {"$neq": "x"}}}}),
        "select t0.artist_id, t0.name, array(select row(t1.title) from album as t1 where ((t1.artist_id = t0.artist_id)
         and (t1.title = ($1)::varchar)) order by t1.title desc limit 2) from artist as t0
         where (not (t0.name is distinct from ($1)::varchar))",
    );
    becomes(
        &json!({"table": {"schema": "public", "name": "track"}, "columns": ["name", {"name": "album", "columns": ["*"]}],
            "order_by": [{"column": {"album": "title"}, "type": "desc", "nulls": "last"}, "+name"]}),
        "select t0.name, (t1.album_id is not null), t1.album_id, t1.title, t1.artist_id from track as t0
         left join album as t1 on (t1.album_id = t0.album_id) order by t1.title desc nulls last, t0.name",
    );
    becomes(
        &json!({"table": "genre", "columns": ["*.*"]}),
        "select t0.genre_id, t0.name from genre as t0",
    );
}

#[test]
fn counts() {
    let count = |arguments: &Value| answer("admin", Command::Count, arguments);
    assert_eq!(
        count(&json!({"table": "album", "where": {"artist": {"name": "x"}}})),
        "select count(*) from album as t0 where exists (select 1 from artist as t1 where ((t1.artist_id = t0.artist_id) \
         and (t1.name = ($1)::varchar)))"
    );
    assert_eq!(
        count(&json!({"table": "album", "distinct": ["artist_id"]})),
        "select count(*) from (select distinct on (t1.artist_id) true from album as t1) as t0"
    );
}

#[test]
fn a_role_reads_what_it_may() {
    let own = answer(
        "listener",
        Command::Select,
        &json!({"table": "track", "columns": ["name"], "where": {"some_event": {"rating": 3}}}),
    );
    assert_eq!(
        own,
        "select t0.name from track as t0 where exists (select 1 from play_event as t1 where ((t1.track_id = t0.track_id) \
         and (t1.listener_id = ($1)::int4) and (case when (t1.listener_id = ($1)::int4) then t1.rating end = ($2)::int2)))"
    );
    assert_eq!(
        answer(
            "stranger",
            Command::Select,
            &json!({"table": "track", "columns": ["name"]})
        ),
        "permission-denied $ select on \"track\" for role \"stranger\" is not allowed. "
    );
    assert_eq!(
        answer("stranger", Command::Count, &json!({"table": "track"})),
        "permission-denied $ select on \"track\" for role \"stranger\" is not allowed. ; \"count\" is only allowed if the \
         role has \"select\" permissions on the table"
    );
}

#[test]
fn refusals() {
    let base = |key: &str, value: Value| {
        let mut arguments = json!({"table": "track", "columns": ["name"]});
        arguments[key] = value;
        select(&arguments)
    };
    assert_eq!(
        base("table", json!("foobar")),
        "not-exists $.table table \"foobar\" does not exist"
    );
    assert_eq!(
        base("source", json!("x")),
        "not-exists $.source source with name \"x\" does not exist"
    );
    assert_eq!(
        base("limit", json!(-1)),
        "not-supported $.limit unexpected negative value"
    );
    assert_eq!(
        base("limit", json!("3")),
        "parse-failed $.limit parsing Int failed, expected Number, but encountered String"
    );
    assert_eq!(
        base("columns", json!(["x"])),
        "not-exists $.columns[0] column \"x\" does not exist"
    );
    assert_eq!(
        base("columns", json!(["album"])),
        "unexpected-payload $.columns[0] expecting a database column; but, \"album\" is a relationship; relationships \
         have to be expanded"
    );
    assert!(base("where", json!({"album": {"x": 1}})).starts_with("not-exists $.where.album.x "));
    assert!(base("where", json!({"name": {"$cast": {"integer": {}}}})).contains("$.where.name[\"$cast\"] "));
}

#[test]
fn refused_orders() {
    let by = |order: Value| select(&json!({"table": "track", "columns": ["name"], "order_by": order}));
    assert_eq!(by(json!(["x"])), "not-exists $.order_by[0] \"x\" does not exist");
    assert_eq!(
        by(json!(["x.y"])),
        "not-exists $.order_by[0] \"x\" does not exist"
    );
    assert_eq!(
        by(json!("-album")),
        "unexpected-payload $.order_by \"album\" is a relationship and should be expanded"
    );
    assert_eq!(
        by(json!("+name.x")),
        "unexpected-payload $.order_by \"name\" is a Postgres column and cannot be chained further"
    );
    let artists = select(&json!({"table": "artist", "columns": ["name"], "order_by": ["albums.title"]}));
    assert_eq!(
        artists,
        "unexpected-payload $.order_by[0] \"albums\" is an array relationship and cannot be used in 'order_by'"
    );
}

#[test]
fn refused_rows() {
    let told = |mut arguments: Value| {
        arguments["table"] = json!("artist");
        answer("admin", Command::Insert, &arguments)
    };
    assert_eq!(told(json!({})), "parse-failed $ key \"objects\" not found");
    assert_eq!(
        told(json!({"objects": {}})),
        "parse-failed $.objects parsing [] failed, expected Array, but encountered Object"
    );
    assert_eq!(
        told(json!({"objects": []})),
        "unexpected-payload $.objects objects should not be empty"
    );
    assert_eq!(
        told(json!({"objects": [{"name": "x"}, 1]})),
        "parse-failed $.objects[1] parsing HashMap ~Text failed, expected Object, but encountered Number"
    );
    assert_eq!(
        told(json!({"objects": [{"albums": []}]})),
        "unexpected-payload $.objects[0].albums expecting a database column; but, \"albums\" is a relationship; \
         relationships can't be inserted"
    );
    assert_eq!(
        told(json!({"objects": [{"x": 1}]})),
        "not-exists $.objects[0].x column \"x\" does not exist"
    );
}

#[test]
fn values_are_of_the_kind_of_their_column() {
    let told = |table: &str, column: &str, value: Value| {
        let arguments = json!({"table": table, "objects": [{column: value}]});
        answer("admin", Command::Insert, &arguments)
    };
    for (table, column, value, message) in [
        (
            "artist",
            "name",
            json!(5),
            "parsing Text failed, expected String, but encountered Number",
        ),
        (
            "artist",
            "name",
            json!({}),
            "parsing Text failed, expected String, but encountered Object",
        ),
        (
            "artist",
            "artist_id",
            json!(true),
            "parsing Int failed, expected Number, but encountered Boolean",
        ),
        (
            "place",
            "open",
            json!(1),
            "parsing Bool failed, expected Boolean, but encountered Number",
        ),
        (
            "place",
            "tags",
            json!({}),
            "parsing [] failed, expected Array, but encountered Object",
        ),
        (
            "place",
            "point",
            json!(1),
            "parsing Object failed, expected Object, but encountered Number",
        ),
        (
            "play_event",
            "played_at",
            json!(1),
            "A string is expected for type: timestamptz",
        ),
    ] {
        let expected = format!("parse-failed $.objects[0].{column} {message}");
        assert_eq!(told(table, column, value), expected);
    }
    for (table, column, value) in [
        ("artist", "artist_id", json!("1")),
        ("artist", "name", json!(null)),
        ("place", "open", json!("yes")),
        ("place", "tags", json!(["a"])),
        ("place", "tags", json!("{a}")),
        ("place", "point", json!("POINT(1 2)")),
        ("place", "point", json!({"type": "Point", "coordinates": [1, 2]})),
        ("play_event", "meta", json!(1)),
        ("play_event", "meta", json!([{}])),
    ] {
        let sql = told(table, column, value.clone());
        assert!(
            sql.starts_with("with t0 as (insert into "),
            "{column} {value}: {sql}"
        );
    }
}

#[test]
fn inserts() {
    let insert = |mut arguments: Value| {
        arguments["table"] = json!("artist");
        answer("admin", Command::Insert, &arguments)
    };
    assert_eq!(
        insert(json!({"objects": [{"name": "x"}, {"artist_id": 1}], "returning": ["artist_id"]})),
        "with t0 as (insert into artist as t1 (artist_id, name) values (default, ($1)::varchar), (($2)::int4, \
         default) returning t1.*) select count(*), array_agg(row(t2.artist_id)) from t0 as t2"
    );
    let conflict =
        |clause: Value| insert(json!({"objects": [{"artist_id": 1, "name": "x"}], "on_conflict": clause}));
    assert_eq!(
        conflict(json!({"action": "ignore"})),
        "with t0 as (insert into artist as t1 (artist_id, name) values (($1)::int4, ($2)::varchar) on \
         conflict do nothing returning true) select count(*) from t0 as t2"
    );
    assert_eq!(
        conflict(json!({"action": "update", "constraint": "artist_pkey"})),
        "with t0 as (insert into artist as t1 (artist_id, name) values (($1)::int4, ($2)::varchar) on \
         conflict on constraint artist_pkey do update set artist_id = excluded.artist_id, name = \
         excluded.name returning true) select count(*) from t0 as t2"
    );
    assert_eq!(
        conflict(json!({"action": "update", "constraint_on": "artist_id"})),
        "with t0 as (insert into artist as t1 (artist_id, name) values (($1)::int4, ($2)::varchar) on \
         conflict (artist_id) do update set artist_id = excluded.artist_id, name = excluded.name returning \
         true) select count(*) from t0 as t2"
    );
    assert_eq!(
        conflict(json!({"action": "update"})),
        "unexpected-payload $.on_conflict Expecting 'constraint' or 'constraint_on' when the 'action' is 'update'"
    );
    assert_eq!(
        conflict(json!({"action": "update", "constraint_on": "x"})),
        "not-exists $.on_conflict.constraint_on[0] column \"x\" does not exist"
    );
    assert_eq!(
        conflict(json!({"action": "ignore", "constraint_on": ["artist_id"], "constraint": "artist_pkey"})),
        "unexpected-payload $.on_conflict 'constraint' and 'constraint_on' cannot be set at a time"
    );
    assert_eq!(
        conflict(json!({"action": "ignore", "constraint": "x"})),
        "unexpected $.on_conflict.constraint constraint \"x\" for table \"artist\" does not exist"
    );
    assert_eq!(
        conflict(json!({"action": "x"})),
        "parse-failed $.on_conflict.action Expecting 'ignore' or 'update'"
    );
}

#[test]
fn updates_and_deletes() {
    let update = |mut arguments: Value| {
        arguments["table"] = json!("artist");
        answer("admin", Command::Update, &arguments)
    };
    assert_eq!(
        update(
            json!({"where": {"artist_id": 1}, "$set": {"name": "x"}, "$inc": {"artist_id": 2}, "returning": ["*"]})
        ),
        "with t0 as (update artist as t1 set name = ($1)::varchar, artist_id = (t1.artist_id + ($2)::int4) \
         where (t1.artist_id = ($3)::int4) returning t1.*) select count(*), array_agg(row(t2.artist_id, \
         t2.name)) from t0 as t2"
    );
    assert_eq!(
        update(json!({"where": {"artist_id": 1}, "$mul": {"artist_id": 2}, "$default": ["name"]})),
        "with t0 as (update artist as t1 set artist_id = (t1.artist_id * ($1)::int4), name = default where \
         (t1.artist_id = ($2)::int4) returning true) select count(*) from t0 as t2"
    );
    assert_eq!(
        update(json!({"where": {}, "values": {"name": null}})),
        "with t0 as (update artist as t1 set name = ($1)::varchar returning true) select count(*) from t0 as \
         t2"
    );
    assert_eq!(
        update(json!({"where": {}})),
        "unexpected-payload $ atleast one of $set, $inc, $mul has to be present"
    );
    assert_eq!(
        update(json!({"$set": {"name": "x"}})),
        "parse-failed $ key \"where\" not found"
    );
    assert_eq!(
        update(json!({"where": {}, "$set": {"x": 1}})),
        "permission-denied $[\"$set\"] no such column exists : \"x\""
    );
    let twice = "validation-failed $ Column found in multiple operators: ['artist_id'].";
    assert_eq!(
        update(json!({"where": {}, "$set": {"artist_id": 1}, "$inc": {"artist_id": 1}})),
        twice
    );
    assert_eq!(
        update(json!({"where": {}, "$mul": {"artist_id": 1}, "$default": ["artist_id"]})),
        twice
    );
    assert_eq!(
        update(json!({"where": {}, "$set": {"name": true}})),
        "parse-failed $[\"$set\"].name parsing Text failed, expected String, but encountered Boolean"
    );
    assert_eq!(
        update(json!({"where": {}, "$set": {"name": "x"}, "returning": ["x"]})),
        "permission-denied $.returning no such column exists : \"x\""
    );
    let delete = |role: &str, arguments: Value| answer(role, Command::Delete, &arguments);
    assert_eq!(
        delete(
            "admin",
            json!({"table": "album", "where": {"artist": {"name": "x"}}, "returning": ["title"]})
        ),
        "with t0 as (delete from album as t1 where exists (select 1 from artist as t2 where ((t2.artist_id = \
         t1.artist_id) and (t2.name = ($1)::varchar))) returning t1.*) select count(*), \
         array_agg(row(t3.title)) from t0 as t3"
    );
    assert_eq!(
        delete("stranger", json!({"table": "album", "where": {}})),
        "permission-denied $ delete on \"album\" for role \"stranger\" is not allowed. "
    );
}
