//! Forms of mutations that say little: nulls, lists of none, one in place of a list; and that a form is planned once.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock};

const TABLES: &str = "create table shelf (id serial primary key, name text unique, n int); \
    create table box (id serial primary key, shelf_id int references shelf, label text not null check (label <> 'bad'), tags text[]); \
    create table log (who text, trace text); \
    create function logged() returns trigger language plpgsql as $$ begin \
      insert into log values (current_setting('hasura.user', true), current_setting('hasura.tracecontext', true)); \
      return new; end $$; \
    create table told (id serial primary key); \
    create trigger logged after insert on told for each row execute function logged(); \
    insert into shelf (name, n) values ('a', 1), ('b', 2);";

fn world(database: &TestDatabase) -> Server {
    let url = database.url();
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &url])
            .env("HASURA_GRAPHQL_METRICS_SECRET", "m")
            .env("HASURA_GRAPHQL_ENABLED_APIS", "graphql,metadata,metrics"),
    );
    let sql = json!({"type": "run_sql", "args": {"sql": TABLES, "check_metadata_consistency": false}});
    server.accepted("/v2/query", &sql);
    let commands = json!({"type": "bulk", "args": [
        {"type": "reload_metadata", "args": {}},
        {"type": "pg_track_tables", "args": {"tables": [{"table": "shelf"}, {"table": "box"}, {"table": "log"}, {"table": "told"}]}},
        {"type": "pg_create_array_relationship", "args": {"table": "shelf", "name": "boxes",
            "using": {"foreign_key_constraint_on": {"table": "box", "column": "shelf_id"}}}},
    ]});
    server.accepted("/v1/metadata", &commands);
    server
}

fn ask(server: &Server, text: &str, variables: &Value) -> Value {
    let body = json!({"query": text, "variables": variables});
    server.json("/v1/graphql", &[], &body).1
}

#[test]
fn what_says_nothing_does_nothing() {
    let database = TestDatabase::create("forms");
    let server = world(&database);
    let nobody = json!({});
    for (text, data) in [
        ("q: update_shelf_many(updates: []) { affected_rows }", json!([])),
        (
            "q: update_shelf_many(updates: [{where: {}}, {where: {id: {_eq: 1}}, _set: {n: 3}}, {where: {}, _set: {}}]) \
             { affected_rows returning { n } }",
            json!([{"affected_rows": 0, "returning": []}, {"affected_rows": 1, "returning": [{"n": 3}]},
                {"affected_rows": 0, "returning": []}]),
        ),
        (
            "q: insert_shelf(objects: {name: \"c\"}) { affected_rows returning { name } }",
            json!({"affected_rows": 1, "returning": [{"name": "c"}]}),
        ),
        (
            "q: insert_shelf(objects: {name: \"d\", boxes: null}) { affected_rows }",
            json!({"affected_rows": 1}),
        ),
        (
            "q: insert_shelf(objects: {name: \"e\", boxes: {data: []}}) { affected_rows }",
            json!({"affected_rows": 1}),
        ),
        (
            "q: insert_shelf(objects: {name: \"f\", boxes: {data: {label: \"x\"}}}) { affected_rows }",
            json!({"affected_rows": 2}),
        ),
    ] {
        let answer = ask(&server, &format!("mutation {{ {text} }}"), &nobody);
        assert_eq!(answer, json!({"data": {"q": data}}), "{text}");
    }
    // Null is not the same as nothing where an object is expected.
    for (text, type_, path) in [
        (
            "update_shelf(where: {}, _set: null) { affected_rows }",
            "shelf_set_input",
            "update_shelf.args._set",
        ),
        (
            "insert_shelf(objects: [{name: \"a\"}], on_conflict: {constraint: shelf_name_key, where: null}) { affected_rows }",
            "shelf_bool_exp",
            "insert_shelf.args.on_conflict.where",
        ),
    ] {
        let answer = ask(&server, &format!("mutation {{ {text} }}"), &nobody);
        assert_eq!(
            answer,
            json!({"errors": [{"message": format!("expected an object for type '{type_}', but found null"),
                "extensions": {"path": format!("$.selectionSet.{path}"), "code": "validation-failed"}}]})
        );
    }
    // One in place of a list is the first of a list, also where an error is.
    let wrong = ask(
        &server,
        "mutation { insert_shelf(objects: {n: true}) { affected_rows } }",
        &nobody,
    );
    let path = "$.selectionSet.insert_shelf.args.objects[0].n";
    assert_eq!(wrong["errors"][0]["extensions"]["path"], path, "{wrong}");
    let wrong = json!({"one": {"n": true}});
    let wrong = ask(
        &server,
        "mutation ($one: shelf_insert_input!) { insert_shelf(objects: [$one]) { affected_rows } }",
        &wrong,
    );
    assert_eq!(wrong["errors"][0]["extensions"]["path"], path, "{wrong}");
    // Nobody traces the request: triggers find who writes and nothing else.
    ask(
        &server,
        "mutation { insert_told(objects: [{}]) { affected_rows } }",
        &nobody,
    );
    ask(
        &server,
        "mutation { a: insert_told_one(object: {}) { id } b: update_shelf(where: {}, _inc: {n: 1}) { affected_rows } }",
        &nobody,
    );
    let log = ask(&server, "{ log { who trace } }", &nobody);
    let line = json!({"who": "{\"x-hasura-role\":\"admin\"}", "trace": null});
    assert_eq!(log, json!({"data": {"log": [line, line]}}));
}

/// Columns that are arrays take lists of their items.
#[test]
fn lists_for_columns_that_are_arrays() {
    let database = TestDatabase::create("forms_arrays");
    let server = world(&database);
    let insert = |type_: &str| {
        format!(
            "mutation ($tags: {type_}) {{ insert_box(objects: [{{label: \"a\", tags: $tags}}]) {{ returning {{ tags }} }} }}"
        )
    };
    let variables = json!({"tags": ["a", "b,c", "\""]});
    for type_ in ["[String!]", "[String!]!", "[String]"] {
        assert_eq!(
            ask(&server, &insert(type_), &variables),
            json!({"data": {"insert_box": {"returning": [variables]}}}),
            "{type_}"
        );
    }
}

#[test]
fn the_second_mutation_of_a_form_is_not_planned() {
    let database = TestDatabase::create("forms_plans");
    let server = world(&database);
    let lookups = || {
        let (_, text) = server.send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "");
        let count = |status: &str| {
            let name = format!("hasura_cache_request_count{{status=\"{status}\"}} ");
            let value = text.lines().find_map(|line| line.strip_prefix(&name));
            value.unwrap().parse::<f64>().unwrap()
        };
        (count("hit"), count("miss"))
    };
    let boxes =
        |count: usize| -> Vec<Value> { (0..count).map(|at| json!({"label": at.to_string()})).collect() };
    let all = "mutation ($rows: [shelf_insert_input!]!) { insert_shelf(objects: $rows) { affected_rows returning { boxes { id } } } }";
    let parts = "mutation ($name: String, $boxes: [box_insert_input!]!) \
                 { insert_shelf_one(object: {name: $name, boxes: {data: $boxes}}) { id } }";
    let upsert = "mutation ($rows: [shelf_insert_input!]!) { insert_shelf(objects: $rows, \
                  on_conflict: {constraint: shelf_name_key, update_columns: [n]}) { affected_rows } }";
    let update =
        "mutation ($id: Int!, $n: Int) { update_shelf_by_pk(pk_columns: {id: $id}, _set: {n: $n}) { n } }";
    let many =
        "mutation ($updates: [shelf_updates!]!) { update_shelf_many(updates: $updates) { affected_rows } }";
    let delete = "mutation ($where: box_bool_exp!) { delete_box(where: $where) { affected_rows } }";
    let tree = |name: &str, count: usize| json!({"name": name, "n": count, "boxes": {"data": boxes(count)}});
    for (text, first, second) in [
        // Values, and how many rows there are on each level.
        (
            all,
            json!({"rows": [tree("p", 2)]}),
            json!({"rows": [tree("q", 1), tree("r", 5), tree("s", 40)]}),
        ),
        (
            parts,
            json!({"name": "t", "boxes": boxes(3)}),
            json!({"name": "u", "boxes": boxes(3)}),
        ),
        (
            upsert,
            json!({"rows": [{"name": "a", "n": 5}]}),
            json!({"rows": [{"name": "x", "n": 1}, {"name": "b", "n": 2}]}),
        ),
        (update, json!({"id": 1, "n": 3}), json!({"id": 2, "n": 4})),
        (
            many,
            json!({"updates": [{"where": {"id": {"_eq": 1}}, "_inc": {"n": 1}}]}),
            json!({"updates": [{"where": {"id": {"_eq": 2}}, "_inc": {"n": 7}}]}),
        ),
        (
            delete,
            json!({"where": {"label": {"_eq": "0"}}}),
            json!({"where": {"label": {"_eq": "1"}}}),
        ),
    ] {
        let before = lookups();
        for (variables, more) in [(&first, (0.0, 1.0)), (&second, (1.0, 1.0)), (&first, (2.0, 1.0))] {
            // What is written a third time may be refused for it, but not planned: its place is known.
            let answer = ask(&server, text, variables);
            let is_refused = answer["errors"][0]["extensions"]["code"] == "constraint-violation";
            assert!(answer["data"].is_object() || is_refused, "{answer}");
            let now = lookups();
            assert_eq!((now.0 - before.0, now.1 - before.1), more, "{text} {variables}");
        }
    }
    // Of one row with rows below, the place is known; of several, it is looked for by a plan of its own.
    for (rows, more) in [
        (json!([tree("a", 3)]), 0.0),
        (json!([tree("v", 3), tree("a", 3)]), 1.0),
    ] {
        let before = lookups();
        let answer = ask(&server, all, &json!({ "rows": rows }));
        let extensions = &answer["errors"][0]["extensions"];
        assert_eq!(extensions["code"], "constraint-violation", "{answer}");
        assert_eq!(lookups().1 - before.1, more, "{answer}");
    }
}

/// Of several rows with rows below, an error names the one that it is about, though all are written together.
#[test]
fn the_row_among_others_that_is_refused() {
    let database = TestDatabase::create("forms_places");
    let server = world(&database);
    let text = "mutation ($rows: [shelf_insert_input!]!) { insert_shelf(objects: $rows) { affected_rows } }";
    let shelf = |name: &str, label: &str| json!({"name": name, "boxes": {"data": [{"label": "fine"}, {"label": label}]}});
    let flat = |row: &Value| {
        format!(
            "{{name: {}, boxes: {{data: [{{label: \"fine\"}}, {{label: {}}}]}}}}",
            row["name"], row["boxes"]["data"][1]["label"]
        )
    };
    let list = "$.selectionSet.insert_shelf.args.objects";
    for (rows, code, path) in [
        (
            [shelf("p", "x"), shelf("q", "bad"), shelf("r", "y")],
            "permission-error",
            format!("{list}[1].boxes.data"),
        ),
        (
            [shelf("p", "x"), shelf("q", "y"), shelf("a", "z")],
            "constraint-violation",
            format!("{list}[2]"),
        ),
    ] {
        let written: Vec<String> = rows.iter().map(flat).collect();
        let written = format!(
            "mutation {{ insert_shelf(objects: [{}]) {{ affected_rows }} }}",
            written.join(", ")
        );
        for answer in [
            ask(&server, text, &json!({ "rows": rows })),
            ask(&server, &written, &json!({})),
        ] {
            let told = json!({"path": path, "code": code});
            assert_eq!(answer["errors"][0]["extensions"], told, "{answer}");
        }
    }
    // Among rows with rows below, those without have places too.
    let mixed = json!([shelf("p", "x"), {"name": "q"}, {"name": "a"}]);
    let answer = ask(&server, text, &json!({ "rows": mixed }));
    assert_eq!(
        answer["errors"][0]["extensions"]["path"],
        format!("{list}[2]"),
        "{answer}"
    );
    // Over the bounds of values and of statements the list is told.
    let many: Vec<Value> = (0..1000).map(|at| json!({"label": at.to_string()})).collect();
    let large = json!([shelf("p", "x"), {"name": "a", "boxes": {"data": many}}]);
    let long: Vec<Value> = (0..60)
        .map(|at| shelf(&format!("p{at}"), "x"))
        .chain([shelf("a", "x")])
        .collect();
    for rows in [large, json!(long)] {
        let answer = ask(&server, text, &json!({ "rows": rows }));
        assert_eq!(answer["errors"][0]["extensions"]["path"], list);
    }
    // Rows without rows below are one list.
    let answer = ask(&server, text, &json!({"rows": [{"name": "p"}, {"name": "a"}]}));
    assert_eq!(answer["errors"][0]["extensions"]["path"], list);
    let count = "{ shelf_aggregate { aggregate { count } } box_aggregate { aggregate { count } } }";
    assert_eq!(
        ask(&server, count, &json!({})),
        json!({"data": {"shelf_aggregate": {"aggregate": {"count": 2}}, "box_aggregate": {"aggregate": {"count": 0}}}})
    );
}

/// Rows with rows below are written one after the other where a conflict clause is: the second of one key meets the first.
#[test]
fn a_row_meets_an_earlier_one_of_its_list() {
    let database = TestDatabase::create("forms_meeting");
    let server = world(&database);
    let clause = "on_conflict: {constraint: shelf_name_key, update_columns: [n]}";
    let text = format!(
        "mutation ($rows: [shelf_insert_input!]!) {{ insert_shelf(objects: $rows, {clause}) {{ affected_rows }} }}"
    );
    let shelf = |n: u32| json!({"name": "twice", "n": n, "boxes": {"data": [{"label": n.to_string()}]}});
    let rows = json!({"rows": [shelf(1), shelf(2)]});
    assert_eq!(
        ask(&server, &text, &rows),
        json!({"data": {"insert_shelf": {"affected_rows": 4}}})
    );
    assert_eq!(
        ask(
            &server,
            "{ shelf(where: {name: {_eq: \"twice\"}}) { n boxes(order_by: {id: asc}) { label } } }",
            &json!({})
        ),
        json!({"data": {"shelf": [{"n": 2, "boxes": [{"label": "1"}, {"label": "2"}]}]}})
    );
}
