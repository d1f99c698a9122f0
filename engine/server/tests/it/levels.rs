//! Inserts of several levels: which are one statement and which are not makes no difference to anybody.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;

const TABLES: &str = "create table country (code text primary key, name text not null check (name <> '')); \
    create table city (id serial primary key, country text not null references country, name text unique); \
    create table street (id serial primary key, city_id int not null references city, name text, length int default 7, \
      twice int generated always as (length * 2) stored); \
    create table node (id serial primary key, up int references node, name text not null); \
    create table visit (id serial primary key, city_id int references city, cities int); \
    create function looks() returns trigger language plpgsql stable as $$ begin \
      new.cities := (select count(*) from city where id = new.city_id); return new; end $$; \
    create trigger looks before insert on visit for each row execute function looks(); \
    create function is_there(int) returns bool language sql stable as 'select exists (select from city where id = $1)'; \
    create table mayor (id serial primary key, city_id int references city check (is_there(city_id)), name text); \
    create table exile (id serial primary key, city_id int references city check (not is_there(city_id))); \
    create table member (id text primary key); \
    create sequence times; \
    create function pays() returns setof member language plpgsql volatile as $$ begin \
      perform nextval('times'); return query select * from member; end $$; \
    create table told (id int); \
    create function tells() returns trigger language plpgsql as $$ begin perform nextval('times'); return new; end $$; \
    create trigger tells before insert on told for each row execute function tells(); \
    insert into member values ('in'); \
    create table fragile (id serial primary key, city_id int references city, name text); \
    create function drops() returns trigger language plpgsql as $$ begin return null; end $$; \
    create function breaks() returns setof member language plpgsql volatile as $$ begin \
      delete from fragile; delete from city where name = 'c'; delete from country where code = 'k'; \
      create trigger drops before insert on city for each row execute function drops(); return; end $$;";

fn sql(server: &Server, text: &str) -> Value {
    let body = json!({"type": "run_sql", "args": {"sql": text, "check_metadata_consistency": false}});
    server.accepted("/v2/query", &body)["result"].clone()
}

/// The first value.
fn value(server: &Server, text: &str) -> String {
    sql(server, text)[1][0].as_str().unwrap_or_default().to_owned()
}

fn world(database: &TestDatabase) -> Server {
    let server = Server::start(database, &[]);
    sql(&server, TABLES);
    let object = |table: &str, name: &str, column: &str| {
        json!({"type": "pg_create_object_relationship", "args":
            {"table": table, "name": name, "using": {"foreign_key_constraint_on": column}}})
    };
    let array = |table: &str, name: &str, other: &str, column: &str| {
        json!({"type": "pg_create_array_relationship", "args": {"table": table, "name": name,
            "using": {"foreign_key_constraint_on": {"table": other, "column": column}}}})
    };
    let tables = [
        "country", "city", "street", "node", "visit", "mayor", "exile", "member", "fragile", "told",
    ];
    let track = |table: &str| json!({"type": "pg_track_table", "args": {"table": table}});
    let insert = |role: &str, table: &str, check: Value| {
        json!({"type": "pg_create_insert_permission", "args": {"table": table, "role": role,
            "permission": {"check": check, "columns": "*"}}})
    };
    let mut commands: Vec<Value> = tables.into_iter().map(track).collect();
    commands.extend([
        object("city", "in", "country"),
        object("street", "city", "city_id"),
        object("node", "above", "up"),
        array("country", "cities", "city", "country"),
        array("city", "streets", "street", "city_id"),
        array("city", "visits", "visit", "city_id"),
        array("city", "mayors", "mayor", "city_id"),
        array("city", "exiles", "exile", "city_id"),
        array("city", "fragiles", "fragile", "city_id"),
        array("node", "below", "node", "up"),
        json!({"type": "pg_track_function", "args": {"function": "breaks", "configuration": {"exposed_as": "mutation"}}}),
        json!({"type": "pg_track_function", "args": {"function": "pays", "configuration": {"exposed_as": "mutation"}}}),
        insert("user", "country", json!({})),
        // It needs the row of the level above.
        insert("user", "city", json!({"in": {"name": {"_eq": "X-Hasura-User-Id"}}})),
        // And this one must not miss it.
        insert("stranger", "country", json!({})),
        insert(
            "stranger",
            "city",
            json!({"_not": {"in": {"name": {"_eq": "X-Hasura-User-Id"}}}}),
        ),
        insert("user", "street", json!({"length": {"_lt": 10}})),
        insert("member", "country", json!({})),
        insert(
            "member",
            "city",
            json!({"_exists": {"_table": "member", "_where": {"id": {"_eq": "X-Hasura-User-Id"}}}}),
        ),
    ]);
    server.accepted("/v1/metadata", &json!({"type": "bulk", "args": commands}));
    server
}

/// What is answered, asked with the rows as a variable and asked with them in the text; both are to be the same.
#[track_caller]
fn answers(
    server: &Server,
    headers: &[(&str, &str)],
    table: &str,
    rows: &Value,
    selection: &str,
    undo: &str,
) -> Value {
    let text = format!(
        "mutation ($rows: [{table}_insert_input!]!) {{ insert_{table}(objects: $rows) {{ {selection} }} }}"
    );
    let (_, first) = server.json(
        "/v1/graphql",
        headers,
        &json!({"query": text, "variables": {"rows": rows}}),
    );
    sql(server, undo);
    let text = format!(
        "mutation {{ insert_{table}(objects: {}) {{ {selection} }} }}",
        literal(rows)
    );
    let (_, second) = server.json("/v1/graphql", headers, &json!({ "query": text }));
    assert_eq!(first, second, "{text}");
    first
}

fn literal(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", literal(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

const EMPTY: &str =
    "truncate country, city, street, node, visit, mayor, exile, fragile, told restart identity";

/// Countries with cities with streets.
fn atlas() -> Value {
    let streets = |names: &[&str]| json!({"data": names.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>()});
    json!([
        {"code": "a", "name": "A", "cities": {"data": [
            {"name": "a1", "streets": streets(&["a1x", "a1y"])}, {"name": "a2", "streets": streets(&["a2x"])}]}},
        {"code": "b", "name": "B", "cities": {"data": [{"name": "b1", "streets": streets(&["b1x", "b1y", "b1z"])}]}},
    ])
}

#[test]
fn rows_get_to_the_rows_they_belong_to() {
    let database = TestDatabase::create("levels");
    let server = world(&database);
    let counted = answers(
        &server,
        &[],
        "country",
        &atlas(),
        "affected_rows __typename",
        EMPTY,
    );
    let expected =
        json!({"data": {"insert_country": {"affected_rows": 11, "__typename": "country_mutation_response"}}});
    assert_eq!(counted, expected);
    let whole = "select string_agg(concat_ws(':', k.name, c.id, c.name, s.id, s.name, s.length), ' ' order by s.id) \
                 from street s join city c on c.id = s.city_id join country k on k.code = c.country";
    assert_eq!(
        value(&server, whole),
        "A:1:a1:1:a1x:7 A:1:a1:2:a1y:7 A:2:a2:3:a2x:7 B:3:b1:4:b1x:7 B:3:b1:5:b1y:7 B:3:b1:6:b1z:7"
    );
    sql(&server, EMPTY);
    let plain = answers(
        &server,
        &[],
        "country",
        &atlas(),
        "affected_rows returning { name code }",
        EMPTY,
    );
    let expected = json!({"data": {"insert_country": {"affected_rows": 11, "returning":
        [{"name": "A", "code": "a"}, {"name": "B", "code": "b"}]}}});
    assert_eq!(plain, expected);
    sql(&server, EMPTY);
    let selection = "returning { code cities(order_by: {id: asc}) { name streets_aggregate { aggregate { count } } } } affected_rows";
    let related = answers(&server, &[], "country", &atlas(), selection, EMPTY);
    let city =
        |name: &str, count: u32| json!({"name": name, "streets_aggregate": {"aggregate": {"count": count}}});
    let expected = json!({"data": {"insert_country": {"returning": [
        {"code": "a", "cities": [city("a1", 2), city("a2", 1)]}, {"code": "b", "cities": [city("b1", 3)]}],
        "affected_rows": 11}}});
    assert_eq!(related, expected);
    sql(&server, EMPTY);
    // To the row that they refer to, two levels up; generated columns are answered.
    let streets = json!([
        {"name": "x", "city": {"data": {"name": "c", "in": {"data": {"code": "k", "name": "K"}}}}},
        {"name": "y", "city": {"data": {"name": "d", "in": {"data": {"code": "l", "name": "L"}}}}},
    ]);
    let up = answers(
        &server,
        &[],
        "street",
        &streets,
        "affected_rows returning { id twice city { name country } }",
        EMPTY,
    );
    let expected = json!({"data": {"insert_street": {"affected_rows": 6, "returning": [
        {"id": 1, "twice": 14, "city": {"name": "c", "country": "k"}},
        {"id": 2, "twice": 14, "city": {"name": "d", "country": "l"}}]}}});
    assert_eq!(up, expected);
    // To rows of their own table.
    let nodes = json!([
        {"name": "1", "above": {"data": {"name": "0"}}, "below": {"data": [
            {"name": "2", "below": {"data": [{"name": "4"}, {"name": "5"}]}}, {"name": "3", "below": {"data": [{"name": "6"}]}}]}},
    ]);
    let tree = answers(
        &server,
        &[],
        "node",
        &nodes,
        "affected_rows returning { id up }",
        EMPTY,
    );
    let expected = json!({"data": {"insert_node": {"affected_rows": 7, "returning": [{"id": 2, "up": 1}]}}});
    assert_eq!(tree, expected);
    let edges = "select string_agg(concat(u.name, n.name), ' ' order by n.id) from node n left join node u on u.id = n.up";
    assert_eq!(value(&server, edges), "0 01 12 13 24 25 36");
    // The last level may meet rows that are there.
    sql(&server, EMPTY);
    let meets = json!([{"code": "a", "name": "A", "cities": {"data": [{"name": "c"}, {"name": "d"}],
        "on_conflict": {"constraint": "city_name_key", "update_columns": ["country"]}}}]);
    let text =
        "mutation ($rows: [country_insert_input!]!) { insert_country(objects: $rows) { affected_rows } }";
    sql(
        &server,
        "insert into country values ('z', 'Z'); insert into city (country, name) values ('z', 'd')",
    );
    let body = json!({"query": text, "variables": {"rows": meets}});
    let (_, answer) = server.json("/v1/graphql", &[], &body);
    assert_eq!(answer, json!({"data": {"insert_country": {"affected_rows": 3}}}));
    assert_eq!(
        value(
            &server,
            "select string_agg(concat(name, country), ' ' order by name) from city"
        ),
        "ca da"
    );
}

#[test]
fn who_looks_at_other_levels_sees_them() {
    let database = TestDatabase::create("levels_seen");
    let server = world(&database);
    // A trigger and the function of a check.
    for (table, relationship) in [("visit", "visits"), ("mayor", "mayors")] {
        let rows = json!([{"name": "c", "in": {"data": {"code": "k", "name": "K"}}, relationship: {"data": [{}, {}]}}]);
        let answer = answers(&server, &[], "city", &rows, "affected_rows", EMPTY);
        assert_eq!(
            answer,
            json!({"data": {"insert_city": {"affected_rows": 4}}}),
            "{table}"
        );
        if table == "visit" {
            assert_eq!(
                value(&server, "select string_agg(cities::text, ' ') from visit"),
                "1 1"
            );
        }
        sql(&server, EMPTY);
    }
    // One that refuses what it sees.
    let rows = json!([{"name": "c", "in": {"data": {"code": "k", "name": "K"}}, "exiles": {"data": [{}]}}]);
    let answer = answers(&server, &[], "city", &rows, "affected_rows", EMPTY);
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "permission-error", "{answer}");
    assert!(
        error["message"].as_str().unwrap().contains("exile_city_id_check"),
        "{answer}"
    );
    // A row that is to be there already.
    let rows = json!([{"id": 7, "up": 8, "name": "7", "below": {"data": [{"id": 8, "name": "8"}]}}]);
    let answer = answers(&server, &[], "node", &rows, "affected_rows", EMPTY);
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "constraint-violation", "{answer}");
    assert!(
        error["message"].as_str().unwrap().contains("node_up_fkey"),
        "{answer}"
    );
    assert_eq!(value(&server, "select count(*) from node"), "0");
    // The check of a permission, and one that looks elsewhere.
    let rows = json!([{"code": "k", "name": "in", "cities": {"data": [{"name": "c"}]}}]);
    for (role, user, may) in [
        ("user", "in", true),
        ("user", "out", false),
        ("stranger", "in", false),
        ("stranger", "out", true),
        ("member", "in", true),
        ("member", "out", false),
    ] {
        let headers = [("x-hasura-role", role), ("x-hasura-user-id", user)];
        let answer = answers(&server, &headers, "country", &rows, "affected_rows", EMPTY);
        if may {
            assert_eq!(
                answer,
                json!({"data": {"insert_country": {"affected_rows": 2}}}),
                "{role}"
            );
        } else {
            let error = &answer["errors"][0];
            assert_eq!(error["extensions"]["code"], "permission-error", "{answer}");
            let path = "$.selectionSet.insert_country.args.objects[0].cities.data";
            assert_eq!(error["extensions"]["path"], path, "{answer}");
            assert_eq!(value(&server, "select count(*) from country"), "0");
        }
        sql(&server, EMPTY);
    }
}

#[test]
fn errors_are_told_where_they_are() {
    let database = TestDatabase::create("levels_errors");
    let server = world(&database);
    let one = |country: &str, city: Value, street: Value| json!([{"code": "k", "name": country, "cities": {"data": [{"name": city, "streets": {"data": [street]}}]}}]);
    sql(
        &server,
        "insert into country values ('z', 'Z'); insert into city (country, name) values ('z', 'taken')",
    );
    let there = "truncate node; delete from street; delete from city where name <> 'taken'; delete from country where code <> 'z'";
    let user = [("x-hasura-role", "user"), ("x-hasura-user-id", "K")];
    for (headers, rows, code, path, message) in [
        (
            &[][..],
            one("", json!("c"), json!({})),
            "permission-error",
            "",
            "Check constraint violation",
        ),
        (
            &[],
            one("K", json!("taken"), json!({})),
            "constraint-violation",
            ".cities.data[0]",
            "Uniqueness violation",
        ),
        (
            &[],
            one("K", json!("c"), json!({"length": 2_000_000_000})),
            "data-exception",
            ".cities.data[0].streets.data",
            "integer out of range",
        ),
        (
            &user,
            one("K", json!("c"), json!({"length": 10})),
            "permission-error",
            ".cities.data[0].streets.data",
            "check constraint of an insert",
        ),
        (
            &user,
            one("L", json!("c"), json!({"length": 1})),
            "permission-error",
            ".cities.data[0]",
            "check constraint of an insert",
        ),
    ] {
        // As a list of one form rows below the first are told by their list.
        let text = format!(
            "mutation {{ insert_country(objects: {}) {{ affected_rows }} }}",
            literal(&rows)
        );
        let (_, answer) = server.json("/v1/graphql", headers, &json!({ "query": text }));
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], code, "{answer}");
        let expected = format!("$.selectionSet.insert_country.args.objects[0]{path}");
        let told = error["extensions"]["path"].as_str().unwrap();
        assert!(told == expected || told == format!("{expected}[0]"), "{answer}");
        assert!(error["message"].as_str().unwrap().contains(message), "{answer}");
        assert_eq!(value(&server, "select count(*) from country"), "1", "{answer}");
        sql(&server, there);
    }
    // Rows that a trigger keeps out, of which the engine does not know.
    let body = json!({"name": "c", "in": {"data": {"code": "k", "name": "K"}}, "fragiles": {"data": [{"name": "x"}]}});
    let text = format!(
        "mutation {{ insert_city(objects: [{}]) {{ affected_rows }} }}",
        literal(&body)
    );
    let ask = || server.json("/v1/graphql", &[], &json!({ "query": text })).1;
    assert_eq!(ask(), json!({"data": {"insert_city": {"affected_rows": 3}}}));
    let (_, broken) = server.json(
        "/v1/graphql",
        &[],
        &json!({"query": "mutation { breaks { id } }"}),
    );
    assert_eq!(broken, json!({"data": {"breaks": []}}));
    let error = &ask()["errors"][0];
    assert_eq!(error["extensions"]["code"], "not-supported", "{error}");
    assert_eq!(
        value(&server, "select count(*) from country where code = 'k'"),
        "0"
    );
}

#[test]
fn only_inserts_that_nothing_runs_for_are_tried_twice() {
    let database = TestDatabase::create("levels_twice");
    let server = world(&database);
    let wrong = json!([{"code": "k", "name": "K", "cities": {"data": [{"name": "c", "streets": {"data": [{"length": 2_000_000_000}]}}]}}]);
    let wrong = format!(
        "wrong: insert_country(objects: {}) {{ affected_rows }}",
        literal(&wrong)
    );
    let refused = |text: &str| {
        let text = format!("mutation {{ {text} }}");
        let (_, answer) = server.json("/v1/graphql", &[], &json!({ "query": text }));
        let path = answer["errors"][0]["extensions"]["path"].as_str();
        assert!(
            path.is_some_and(|path| path.starts_with("$.selectionSet.insert_country.args.objects")),
            "{answer}"
        );
    };
    let times = || {
        value(
            &server,
            "select sum(last_value) filter (where is_called) from times",
        )
    };
    // A function, and a trigger of another field's table.
    for (beside, count) in [
        ("pays { id }", "1"),
        ("insert_told(objects: [{id: 1}]) { affected_rows }", "2"),
    ] {
        refused(&format!("{beside} {wrong}"));
        assert_eq!(times(), count, "{beside}");
    }
    // Rows that were written without any ado before others were refused.
    sql(&server, EMPTY);
    let right = json!([{"code": "a", "name": "A", "cities": {"data": [{"name": "c"}, {"name": "d"}]}}]);
    let right = format!("insert_country(objects: {}) {{ affected_rows }}", literal(&right));
    refused(&format!(
        "{right} wrong: insert_country(objects: [{{code: \"b\", name: \"\"}}]) {{ affected_rows }}"
    ));
    assert_eq!(value(&server, "select last_value from city_id_seq"), "2");
}
