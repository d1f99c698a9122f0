//! What goes over the wire for a mutation. Answers of Postgres are held back until everything was sent that is to be sent at once:
//! an engine that waits for one of them in between never gets on.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{PATIENCE, Server};

/// Stands between the engine and Postgres.
struct Wire {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    held: Mutex<Held>,
    changed: Condvar,
}

#[derive(Default)]
struct Held {
    /// Answers wait until this message was sent, and so many of it.
    until: Option<(u8, usize)>,
    /// Messages of the engine since then, by their letter.
    sent: Vec<u8>,
}

impl Held {
    fn is_free(&self) -> bool {
        self.until
            .is_none_or(|(letter, count)| self.count(letter) >= count)
    }

    fn count(&self, letter: u8) -> usize {
        self.sent.iter().filter(|sent| **sent == letter).count()
    }
}

impl Wire {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(&server).unwrap();
                let (answers, back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (one, two) = (shared.clone(), shared.clone());
                std::thread::spawn(move || forward(client, server, &one));
                std::thread::spawn(move || answer(answers, back, &two));
            }
        });
        Self { port, state }
    }

    /// Holds answers back until so many messages of that kind were sent; gives what was sent meanwhile and after it.
    fn watch<T>(&self, until: Option<(u8, usize)>, work: impl FnOnce() -> T) -> (T, Vec<u8>) {
        {
            let mut held = self.state.held.lock().unwrap();
            held.until = until;
            held.sent.clear();
        }
        let result = work();
        let mut held = self.state.held.lock().unwrap();
        held.until = None;
        self.state.changed.notify_all();
        (result, held.sent.clone())
    }
}

/// From the engine: each message is a letter, a length that counts itself, and so many bytes; the first ones have no letter.
fn forward(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut waiting = VecDeque::new();
    let mut started = false;
    let mut buffer = vec![0; 65536];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer) else {
            let _ = to.shutdown(std::net::Shutdown::Both);
            return;
        };
        waiting.extend(&buffer[..count]);
        // Sent on before it is counted, so that nothing is let through too early.
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
        loop {
            let header = usize::from(started);
            if waiting.len() < header + 4 {
                break;
            }
            let word = |at: usize| {
                let bytes: Vec<u8> = waiting.range(at..at + 4).copied().collect();
                u32::from_be_bytes(bytes.try_into().unwrap()) as usize
            };
            let length = header + word(header);
            if waiting.len() < length {
                break;
            }
            if started {
                let mut held = state.held.lock().unwrap();
                held.sent.push(waiting[0]);
                state.changed.notify_all();
            } else {
                // The request for TLS comes before the real beginning.
                started = word(4) == 196_608;
            }
            waiting.drain(..length);
        }
    }
}

fn answer(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut buffer = vec![0; 65536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let held = state.held.lock().unwrap();
        let free = state
            .changed
            .wait_timeout_while(held, PATIENCE, |held| !held.is_free())
            .unwrap();
        // After that the engine is told that the connection is gone, and the test fails.
        if free.1.timed_out() {
            break;
        }
        drop(free);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

const TABLES: &str = "create table shelf (id serial primary key, name text); \
    create table box (id serial primary key, shelf_id int references shelf, label text); \
    create table item (id serial primary key, box_id int references box, label text, weight int); \
    create table node (id serial primary key, up int references node, label text); \
    create sequence numbers; \
    create table part (id int[] primary key default array[nextval('numbers')::int], label text); \
    create table piece (id serial primary key, part_id int[] references part, label text); \
    create table tag (shelf_id int primary key references shelf, label text); \
    create table bin (id serial primary key, shelf_id int references shelf, label text); \
    create function looks() returns trigger language plpgsql as $$ begin return new; end $$; \
    create trigger looks before insert on bin for each row execute function looks();";

#[test]
fn a_mutation_is_sent_at_once() {
    let database = TestDatabase::create("round_trips");
    let server = Server::start(&database, &[]);
    let sql = json!({"type": "run_sql", "args": {"sql": TABLES, "check_metadata_consistency": false}});
    server.accepted("/v2/query", &sql);
    let address = database.url();
    let (before, host) = address.split_once('@').unwrap();
    let (host, name) = host.split_once('/').unwrap();
    let wire = Wire::to(host.to_owned());
    let url = format!("{before}@127.0.0.1:{}/{name}", wire.port);
    let track = |table: &str| json!({"type": "pg_track_table", "args": {"source": "wired", "table": table}});
    let many = |table: &str, name: &str, other: &str, column: &str| {
        json!({"type": "pg_create_array_relationship", "args": {"source": "wired", "table": table, "name": name,
            "using": {"foreign_key_constraint_on": {"table": other, "column": column}}}})
    };
    let commands = json!({"type": "bulk", "args": [
        {"type": "pg_add_source", "args": {"name": "wired", "configuration": {"connection_info": {"database_url": url,
            "use_prepared_statements": true, "pool_settings": {"total_max_connections": 2}}}}},
        track("shelf"), track("box"), track("item"), track("bin"), track("node"), track("part"), track("piece"),
        track("tag"),
        {"type": "pg_create_object_relationship", "args": {"source": "wired", "table": "shelf", "name": "tag",
            "using": {"manual_configuration": {"remote_table": "tag", "column_mapping": {"id": "shelf_id"},
            "insertion_order": "after_parent"}}}},
        many("shelf", "boxes", "box", "shelf_id"), many("shelf", "bins", "bin", "shelf_id"), many("box", "items", "item", "box_id"),
        many("node", "below", "node", "up"), many("part", "pieces", "piece", "part_id"),
    ]});
    server.accepted("/v1/metadata", &commands);

    let items: Vec<Value> = (0..100)
        .map(|at| json!({"label": format!("item {at}"), "weight": at}))
        .collect();
    let boxes: Vec<Value> = (0..10)
        .map(|at| json!({"label": at.to_string(), "items": {"data": &items[at * 10..at * 10 + 10]}}))
        .collect();
    let rows = "mutation ($rows: [item_insert_input!]!) { insert_item(objects: $rows) { affected_rows } }";
    let tree = "mutation ($rows: [shelf_insert_input!]!) { insert_shelf(objects: $rows) { affected_rows } }";
    let parts = "mutation ($rows: [part_insert_input!]!) { insert_part(objects: $rows) { affected_rows } }";
    let nodes = "mutation ($rows: [node_insert_input!]!) { insert_node(objects: $rows) { affected_rows } }";
    let one = "mutation { update_item(where: {id: {_eq: 1}}, _set: {weight: 1}) { affected_rows returning { id } } }";
    for (what, text, variables, affected, until, expected) in [
        // Bind, execute, sync: a transaction by itself.
        ("100 rows", rows, json!({ "rows": items }), 100, (b'S', 1), "BES"),
        // All levels are one statement.
        (
            "1 + 10 + 100 rows",
            tree,
            json!({"rows": [{"name": "s", "boxes": {"data": boxes}}]}),
            111,
            (b'S', 1),
            "BES",
        ),
        // So are rows of one table that refer to each other.
        (
            "1 + 2 + 1 rows of one table",
            nodes,
            json!({"rows": [{"label": "a", "below": {"data": [{"label": "b", "below": {"data": [{"label": "c"}]}}, {"label": "d"}]}}]}),
            4,
            (b'S', 1),
            "BES",
        ),
        // A row that refers to the one it is an object of.
        (
            "2 rows and the one after each",
            tree,
            json!({"rows": [{"name": "s", "tag": {"data": {"label": "x"}}}, {"name": "t", "tag": {"data": {"label": "y"}}}]}),
            4,
            (b'S', 1),
            "BES",
        ),
        // A trigger may look at other rows: `BEGIN`, a statement for each level, `COMMIT`.
        (
            "1 + 2 rows with a trigger",
            tree,
            json!({"rows": [{"name": "s", "bins": {"data": [{"label": "a"}, {"label": "b"}]}}]}),
            3,
            (b'Q', 2),
            "QBESBESQ",
        ),
        // Arrays of arrays have no items that are arrays.
        (
            "1 + 1 rows by an array",
            parts,
            json!({"rows": [{"label": "a", "pieces": {"data": [{"label": "b"}]}}]}),
            2,
            (b'Q', 2),
            "QBESBESQ",
        ),
        // Any number of rows might be answered, so that the commit waits for the answer.
        ("rows by a filter", one, json!({}), 1, (b'S', 1), "QBESQ"),
    ] {
        let ask = || {
            let body = json!({"query": text, "variables": variables});
            let (_, answer) = server.json("/v1/graphql", &[], &body);
            let root = answer["data"].as_object().and_then(|data| data.values().next());
            assert_eq!(
                root.map(|root| &root["affected_rows"]),
                Some(&json!(affected)),
                "{what}: {answer}"
            );
        };
        // Once to plan and to prepare.
        ask();
        // The engine looks at its databases every few seconds, over the same wire: then what was sent is more.
        let sent = (0..5).map(|_| wire.watch(Some(until), ask).1);
        let sent: Vec<String> = sent
            .map(|sent| String::from_utf8_lossy(&sent).into_owned())
            .collect();
        assert!(sent.iter().any(|sent| sent == expected), "{what}: {sent:?}");
    }
    // Each has its own.
    let wrong = json!({"query": "{ tag(where: {label: {_nin: [\"x\", \"y\"]}}) { label } shelf(where: {_or: [\
        {name: {_eq: \"s\"}, tag: {label: {_eq: \"y\"}}}, {name: {_eq: \"t\"}, tag: {label: {_neq: \"y\"}}}]}) { id } \
        tag_aggregate { aggregate { count } } }"});
    let answer = server.json("/v1/graphql", &[], &wrong).1;
    assert_eq!(
        answer,
        json!({"data": {"tag": [], "shelf": [], "tag_aggregate": {"aggregate": {"count": 12}}}})
    );
}
