//! Mutations that only end in a conflict: constraints that wait for the commit, and others that write the same rows meanwhile.

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Connection, Server};

const SEATS: &str = "create table seat (id int primary key, n int, unique (n) deferrable initially deferred); \
    create table guest (id int primary key, seat_id int references seat deferrable initially deferred); \
    insert into seat values (1, 1), (2, 2);";

/// `meet` waits until whoever it is to meet has come as well, which shows for as long as the session lives.
const PAIRS: &str = "create table pair (id int primary key, n int not null default 0); \
    insert into pair values (1), (2); \
    create function meet(mine int, other int) returns setof pair language plpgsql volatile as $$ \
      declare deadline timestamptz := clock_timestamp() + interval '60 seconds'; begin \
      perform pg_advisory_lock(4711, mine); \
      while not exists (select from pg_locks where locktype = 'advisory' and classid = 4711 and objid = other) loop \
        if clock_timestamp() > deadline then raise 'nobody to meet'; end if; \
        perform pg_sleep(0.01); \
      end loop; \
      return; end $$;";

fn metadata(server: &Server, commands: &Value) {
    server.accepted("/v1/metadata", &json!({"type": "bulk", "args": commands}));
}

fn run_sql(server: &Server, sql: &str) {
    let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": false}});
    server.accepted("/v2/query", &command);
}

fn ask(port: u16, text: &str) -> Value {
    let mut connection = Connection::to(port).unwrap();
    let body = json!({ "query": text });
    connection.post("/v1/graphql", &[], &body).unwrap().1
}

fn refused(answer: &Value, path: &str, code: &str, message: &str) {
    assert_eq!(
        *answer,
        json!({"errors": [{"message": message, "extensions": {"path": path, "code": code}}]})
    );
}

#[test]
fn constraints_may_wait_for_the_commit() {
    let database = TestDatabase::create("conflicts_deferred");
    let server = Server::start(&database, &[]);
    run_sql(&server, SEATS);
    let commands = json!([
        {"type": "reload_metadata", "args": {}},
        {"type": "pg_track_tables", "args": {"tables": [{"table": "seat"}, {"table": "guest"}]}},
        {"type": "pg_create_array_relationship", "args": {"table": "seat", "name": "guests",
            "using": {"foreign_key_constraint_on": {"table": "guest", "column": "seat_id"}}}},
    ]);
    metadata(&server, &commands);
    let ask = |text: &str| ask(server.port, text);
    let unique = "Uniqueness violation. duplicate key value violates unique constraint \"seat_n_key\"";
    let foreign = "Foreign key violation. insert or update on table \"guest\" violates foreign key constraint \
                   \"guest_seat_id_fkey\"";
    // One statement, several levels, several fields, rows by a filter: each time it is the commit that fails.
    for (text, message) in [
        ("insert_seat(objects: [{id: 3, n: 2}]) { affected_rows }", unique),
        ("insert_seat_one(object: {id: 3, n: 2}) { id n }", unique),
        (
            "insert_seat(objects: [{id: 3, n: 2, guests: {data: [{id: 1}]}}]) { affected_rows }",
            unique,
        ),
        (
            "a: insert_seat_one(object: {id: 3, n: 2}) { id } b: insert_seat_one(object: {id: 4, n: 4}) { id }",
            unique,
        ),
        (
            "update_seat(where: {id: {_eq: 1}}, _set: {n: 2}) { returning { id } }",
            unique,
        ),
        (
            "insert_guest(objects: [{id: 1, seat_id: 9}]) { affected_rows }",
            foreign,
        ),
    ] {
        let answer = ask(&format!("mutation {{ {text} }}"));
        refused(&answer, "$", "constraint-violation", message);
    }
    // What is right again by then passes.
    let swap = "mutation { update_seat_many(updates: [{where: {id: {_eq: 1}}, _set: {n: 2}}, \
                {where: {id: {_eq: 2}}, _set: {n: 1}}]) { affected_rows } }";
    assert_eq!(
        ask(swap),
        json!({"data": {"update_seat_many": [{"affected_rows": 1}, {"affected_rows": 1}]}})
    );
    assert_eq!(
        ask("{ seat(order_by: {id: asc}) { id n } guest { id } }"),
        json!({"data": {"seat": [{"id": 1, "n": 2}, {"id": 2, "n": 1}], "guest": []}})
    );
}

/// Two mutations that are sent together; gives their answers.
fn both(port: u16, one: &str, other: &str) -> (Value, Value) {
    std::thread::scope(|scope| {
        let one = scope.spawn(move || ask(port, one));
        let other = ask(port, other);
        (one.join().unwrap(), other)
    })
}

#[test]
fn who_meets_another_writer_is_told() {
    let database = TestDatabase::create("conflicts_meeting");
    let server = Server::start(&database, &[]);
    run_sql(&server, PAIRS);
    let source = |name: &str, isolation: &str| {
        json!({"type": "pg_add_source", "args": {"name": name,
            "customization": {"root_fields": {"prefix": format!("{name}_")}, "type_names": {"prefix": format!("{name}_")}},
            "configuration": {"connection_info": {"database_url": database.url(), "isolation_level": isolation,
                "use_prepared_statements": true}}}})
    };
    let mut commands = vec![
        source("committed", "read-committed"),
        source("serial", "serializable"),
    ];
    for name in ["committed", "serial"] {
        commands.push(json!({"type": "pg_track_table", "args": {"source": name, "table": "pair"}}));
        commands.push(
            json!({"type": "pg_track_function", "args": {"source": name, "function": "meet",
            "configuration": {"exposed_as": "mutation"}}}),
        );
    }
    metadata(&server, &json!(commands));
    let step = |source: &str, alias: &str, id: u32| {
        format!("{alias}: {source}_update_pair_by_pk(pk_columns: {{id: {id}}}, _inc: {{n: 1}}) {{ n }} ")
    };
    let meet = |source: &str, mine: u32, other: u32| {
        format!("{source}_meet(args: {{mine: {mine}, other: {other}}}) {{ id }} ")
    };
    let state = || {
        ask(server.port, "{ committed_pair(order_by: {id: asc}) { n } }")["data"]["committed_pair"].clone()
    };
    // Each holds what the other waits for: one is ended by Postgres, the other goes on.
    let crossed = |mine: u32, other: u32| {
        let (first, second) = (step("committed", "a", mine), step("committed", "b", other));
        format!(
            "mutation {{ {first} {} {second} }}",
            meet("committed", mine, other)
        )
    };
    let (one, other) = both(server.port, &crossed(1, 2), &crossed(2, 1));
    let (done, ended) = if one["data"].is_object() {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(done["data"]["a"], json!({"n": 1}), "{done} {ended}");
    refused(&ended, "$", "concurrent-update", "deadlock detected");
    assert_eq!(state(), json!([{"n": 1}, {"n": 1}]));
    // One changes what the other has seen before.
    let changes = format!(
        "mutation {{ {} {} }}",
        step("serial", "a", 1),
        meet("serial", 3, 4)
    );
    let comes_late = format!(
        "mutation {{ {} {} }}",
        meet("serial", 4, 3),
        step("serial", "a", 1)
    );
    let (done, late) = both(server.port, &changes, &comes_late);
    assert_eq!(done["data"]["a"], json!({"n": 2}), "{done} {late}");
    refused(
        &late,
        "$",
        "concurrent-update",
        "serialization failure due to concurrent update",
    );
    assert_eq!(state(), json!([{"n": 2}, {"n": 1}]));
}
