//! The writes of the old data API: `insert`, `update`, `delete` and bulks of them, with the permissions of roles.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

const TABLES: &str = "create table author (id serial primary key, name text unique, is_registered boolean default false, \
      bio text); \
    create table article (id serial primary key, title text not null, author_id int references author, \
      version int default 1, price numeric, tags text[], meta jsonb, check (version > 0)); \
    create view titles as select distinct title from article; \
    insert into author (id, name) values (1, 'A'), (2, 'B'); \
    insert into article (id, title, author_id, price) values (1, 'one', 1, 5), (2, 'two', 1, 45), (3, 'three', 2, null); \
    select setval('author_id_seq', 2), setval('article_id_seq', 3);";

const CHECK: &str = "check constraint of an insert/update permission has failed";

fn world(database: &TestDatabase) -> Server {
    let server = Server::start(database, &[]);
    let permission = |verb: &str, table: &str, role: &str, permission: Value| {
        json!({"type": format!("create_{verb}_permission"), "args":
            {"table": table, "role": role, "permission": permission}})
    };
    let setup = json!([
        {"type": "run_sql", "args": {"sql": TABLES}},
        {"type": "add_existing_table_or_view", "args": "author"},
        {"type": "add_existing_table_or_view", "args": "article"},
        {"type": "add_existing_table_or_view", "args": "titles"},
        {"type": "create_object_relationship", "args": {"table": "article", "name": "author",
            "using": {"foreign_key_constraint_on": "author_id"}}},
        permission("select", "article", "user", json!({"columns": ["id", "title", "author_id", "version"],
            "filter": {"author_id": "X-Hasura-User-Id"}})),
        permission("insert", "article", "user", json!({"columns": ["id", "title", "version"],
            "check": {"title": {"$ne": "forbidden"}}, "set": {"author_id": "X-Hasura-User-Id"}})),
        permission("update", "article", "user", json!({"columns": ["title", "version"],
            "filter": {"author_id": "X-Hasura-User-Id"}, "check": {"title": {"$ne": "forbidden"}},
            "set": {"price": 7}})),
        permission("delete", "article", "user", json!({"filter": {"author_id": "X-Hasura-User-Id"}})),
        permission("insert", "article", "seller", json!({"columns": ["id", "title", "price"], "check": {}})),
        permission("update", "article", "seller", json!({"columns": ["title"], "filter": {}, "set": {"price": 7}})),
        permission("select", "author", "user", json!({"columns": ["id", "name"], "filter": {}})),
        permission("insert", "author", "writer", json!({"columns": ["name"], "check": {}})),
        permission("update", "author", "writer", json!({"columns": ["name"], "filter": {}})),
        permission("delete", "author", "writer", json!({"filter": {}})),
    ]);
    let (status, answer) = server.json("/v1/query", &[], &json!({"type": "bulk", "args": setup}));
    assert_eq!(status, 200, "{answer}");
    server
}

const USER: [(&str, &str); 2] = [("x-hasura-role", "user"), ("x-hasura-user-id", "1")];
const WRITER: [(&str, &str); 1] = [("x-hasura-role", "writer")];

fn ask(server: &Server, headers: &[(&str, &str)], kind: &str, arguments: &Value) -> (u16, Value) {
    server.json("/v1/query", headers, &json!({"type": kind, "args": arguments}))
}

#[track_caller]
fn done(server: &Server, headers: &[(&str, &str)], kind: &str, arguments: &Value, expected: &Value) {
    let (status, answer) = ask(server, headers, kind, arguments);
    assert_eq!((status, &answer), (200, expected));
}

#[track_caller]
fn refused(
    server: &Server,
    headers: &[(&str, &str)],
    kind: &str,
    arguments: &Value,
    (path, code, message): (&str, &str, &str),
) {
    let (status, answer) = ask(server, headers, kind, arguments);
    assert_eq!(
        (status, answer),
        (400, json!({"path": path, "code": code, "error": message}))
    );
}

/// As written, digits of a numeric and all.
fn number(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn rows_are_written_and_returned() {
    let database = TestDatabase::create("data_api_writes");
    let server = world(&database);
    done(
        &server,
        &[],
        "insert",
        &json!({"table": "article", "objects": [{"title": "four", "price": 1.1, "tags": ["a", "b"], "meta": {"k": [1]}},
            {"title": "five", "version": null}], "returning": ["id", "price", "tags", "meta", "version"]}),
        &json!({"affected_rows": 2, "returning": [
            {"id": 4, "price": number("1.1000"), "tags": ["a", "b"], "meta": {"k": [1]}, "version": 1},
            {"id": 5, "price": null, "tags": null, "meta": null, "version": null}]}),
    );
    done(
        &server,
        &[],
        "update",
        &json!({"table": "article", "where": {"author": {"name": "A"}}, "$set": {"title": "t"}, "$inc": {"version": 2},
            "$mul": {"price": 3}, "returning": ["id", "title", "version", "price"]}),
        &json!({"affected_rows": 2, "returning": [{"id": 1, "title": "t", "version": 3, "price": 15},
            {"id": 2, "title": "t", "version": 3, "price": 135}]}),
    );
    done(
        &server,
        &[],
        "update",
        &json!({"table": "article", "where": {"id": 1}, "$default": ["version", "price"]}),
        &json!({"affected_rows": 1}),
    );
    done(
        &server,
        &[],
        "delete",
        &json!({"table": "article", "where": {"id": {"$lte": 2}}, "returning": ["id", "version", "price"]}),
        &json!({"affected_rows": 2, "returning": [{"id": 2, "version": 3, "price": 135},
            {"id": 1, "version": 1, "price": null}]}),
    );
    done(
        &server,
        &[],
        "insert",
        &json!({"table": "author", "objects": [{"name": "A", "bio": "x"}, {"name": "new"}], "returning": ["name", "bio"],
            "on_conflict": {"constraint_on": ["name"], "action": "update"}}),
        &json!({"affected_rows": 2, "returning": [{"name": "A", "bio": "x"}, {"name": "new", "bio": null}]}),
    );
    done(
        &server,
        &[],
        "insert",
        &json!({"table": "author", "objects": [{"name": "A"}], "on_conflict": {"action": "ignore"}}),
        &json!({"affected_rows": 0}),
    );
    refused(
        &server,
        &[],
        "update",
        &json!({"table": "titles", "where": {}, "$set": {"title": "x"}}),
        ("$.args", "not-supported", "view \"titles\" is not updatable"),
    );
    // Everything of a bulk that came before the failure stands: each command has a transaction of its own.
    let (status, answer) = ask(
        &server,
        &[],
        "bulk",
        &json!([
            {"type": "delete", "args": {"table": "article", "where": {"id": 3}}},
            {"type": "insert", "args": {"table": "article", "objects": [{"title": "x", "version": 0}]}},
        ]),
    );
    assert_eq!(
        (status, &answer["code"], &answer["path"]),
        (400, &json!("permission-error"), &json!("$.args[1].args")),
        "{answer}"
    );
    done(
        &server,
        &[],
        "count",
        &json!({"table": "article", "where": {"id": 3}}),
        &json!({"count": 0}),
    );
}

#[test]
fn permissions_hold() {
    let database = TestDatabase::create("data_api_permissions");
    let server = world(&database);
    done(
        &server,
        &USER,
        "insert",
        &json!({"table": "article", "objects": [{"title": "mine"}], "returning": ["title", "author_id"]}),
        &json!({"affected_rows": 1, "returning": [{"title": "mine", "author_id": 1}]}),
    );
    let failed = ("$.args", "permission-error", CHECK);
    let insert = |title: &str| json!({"table": "article", "objects": [{"title": title}]});
    refused(&server, &USER, "insert", &insert("forbidden"), failed);
    refused(
        &server,
        &USER,
        "update",
        &json!({"table": "article", "where": {"id": 1}, "$set": {"title": "forbidden"}}),
        failed,
    );
    // Rows of others are as if they were not there.
    done(
        &server,
        &USER,
        "update",
        &json!({"table": "article", "where": {"id": {"$in": [1, 3]}}, "$set": {"title": "t"}, "returning": ["id", "title"]}),
        &json!({"affected_rows": 1, "returning": [{"id": 1, "title": "t"}]}),
    );
    done(
        &server,
        &USER,
        "delete",
        &json!({"table": "article", "where": {"id": {"$in": [2, 3]}}, "returning": ["id"]}),
        &json!({"affected_rows": 1, "returning": [{"id": 2}]}),
    );
    // An upsert changes what an update may, and sets what an update sets.
    let upsert = |id: u32, title: &str| {
        json!({"table": "article", "objects": [{"title": title, "version": id}],
            "on_conflict": {"constraint": "article_pkey", "action": "update"}})
    };
    done(
        &server,
        &USER,
        "insert",
        &upsert(9, "new"),
        &json!({"affected_rows": 1}),
    );
    let with_id = json!({"table": "article", "objects": [{"id": 3, "title": "x"}],
        "on_conflict": {"constraint": "article_pkey", "action": "update"}});
    refused(
        &server,
        &USER,
        "insert",
        &with_id,
        (
            "$.args.on_conflict",
            "validation-failed",
            "column \"id\" is not updatable",
        ),
    );
    let seller = [("x-hasura-role", "seller")];
    let preset = (
        "$.args.on_conflict",
        "validation-failed",
        "column \"price\" is not updatable",
    );
    let priced = json!({"table": "article", "objects": [{"title": "x", "price": 1}],
        "on_conflict": {"constraint": "article_pkey", "action": "update"}});
    refused(&server, &seller, "insert", &priced, preset);
    // Rules and presets need the variables that they name.
    let nobody = [("x-hasura-role", "user")];
    let missing = (
        "$.args",
        "not-found",
        "\"x-hasura-user-id\" header is expected but not found",
    );
    for (kind, arguments) in [
        ("select", json!({"table": "article", "columns": ["id"]})),
        ("count", json!({"table": "article"})),
        ("insert", insert("new")),
        (
            "update",
            json!({"table": "article", "where": {}, "$set": {"title": "x"}}),
        ),
        ("delete", json!({"table": "article", "where": {}})),
    ] {
        refused(&server, &nobody, kind, &arguments, missing);
    }
    // What is wrong with a value is told before Postgres sees it.
    let text = "parsing Text failed, expected String, but encountered Number";
    refused(
        &server,
        &USER,
        "insert",
        &json!({"table": "article", "objects": [{"title": 5}]}),
        ("$.args.objects[0].title", "parse-failed", text),
    );
    refused(
        &server,
        &USER,
        "update",
        &json!({"table": "article", "where": {}, "$set": {"title": 5}}),
        ("$.args[\"$set\"].title", "parse-failed", text),
    );
    let row = json!({"table": "article", "columns": ["price"], "where": {"id": 1}});
    done(&server, &[], "select", &row, &json!([{"price": 7}]));
}

#[test]
fn what_a_role_may_not() {
    let database = TestDatabase::create("data_api_refusals");
    let server = world(&database);
    let denied = |path, message| (path, "permission-denied", message);
    for (kind, arguments, expected) in [
        (
            "insert",
            json!({"table": "author", "objects": [{"name": "x"}]}),
            denied(
                "$.args",
                "insert on \"author\" for role \"user\" is not allowed. ",
            ),
        ),
        (
            "update",
            json!({"table": "author", "where": {}, "$set": {"name": "x"}}),
            denied(
                "$.args",
                "update on \"author\" for role \"user\" is not allowed. ",
            ),
        ),
        (
            "delete",
            json!({"table": "author", "where": {}}),
            denied(
                "$.args",
                "delete on \"author\" for role \"user\" is not allowed. ",
            ),
        ),
        (
            "update",
            json!({"table": "article", "where": {}, "$set": {"id": 1}}),
            denied(
                "$.args[\"$set\"]",
                "role \"user\" does not have permission to update column \"id\"",
            ),
        ),
        (
            "update",
            json!({"table": "article", "where": {"price": 1}, "$set": {"title": "x"}}),
            denied(
                "$.args.where",
                "role \"user\" does not have permission to select column \"price\"",
            ),
        ),
        (
            "update",
            json!({"table": "article", "where": {}, "$inc": {"price": 1}}),
            (
                "$.args[\"$inc\"]",
                "not-supported",
                "column \"price\" is not updatable for role \"user\"; its value is predefined in permission",
            ),
        ),
        (
            "insert",
            json!({"table": "article", "objects": [{"title": "x", "author_id": 2}]}),
            (
                "$.args.objects[0]",
                "not-supported",
                "column \"author_id\" is not insertable for role \"user\"",
            ),
        ),
        (
            "insert",
            json!({"table": "article", "objects": [{"title": "x", "price": 2}]}),
            denied(
                "$.args.objects[0]",
                "role \"user\" does not have permission to insert column \"price\"",
            ),
        ),
        (
            "delete",
            json!({"table": "article", "where": {}, "returning": ["price"]}),
            denied(
                "$.args.returning",
                "role \"user\" does not have permission to select column \"price\"",
            ),
        ),
    ] {
        refused(&server, &USER, kind, &arguments, expected);
    }
    let unread = "select on \"author\" for role \"writer\" is not allowed. ";
    let to = |verb: &str| {
        format!(
            "{unread}; \"{verb}\" is only allowed if the role has \"select\" permission as \"where\" can't be used without \
             \"select\" permission on the table"
        )
    };
    let (to_update, to_delete) = (to("update"), to("delete"));
    let returned = format!(
        "{unread}; \"returning\" can only be used if the role has \"select\" permission on the table"
    );
    let row = json!({"table": "author", "objects": [{"name": "w"}], "returning": ["name"]});
    refused(&server, &WRITER, "insert", &row, denied("$.args", &returned));
    let all = json!({"table": "author", "where": {}, "$set": {"name": "w"}});
    refused(&server, &WRITER, "update", &all, denied("$.args", &to_update));
    refused(&server, &WRITER, "delete", &all, denied("$.args", &to_delete));
    let row = json!({"table": "author", "objects": [{"name": "w"}]});
    done(&server, &WRITER, "insert", &row, &json!({"affected_rows": 1}));
    let row = json!({"table": "article", "objects": [{"title": "w"}], "on_conflict": {"action": "ignore"}});
    refused(
        &server,
        &WRITER,
        "insert",
        &row,
        denied(
            "$.args",
            "insert on \"article\" for role \"writer\" is not allowed. ",
        ),
    );
}
