//! What a client may cost: time, frames, operations, answers that it does not read.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::json;

use super::{reason, slow, start_failed};
use crate::process::{PATIENCE, Server};
use crate::socket::{APOLLO, BINARY, Said, Socket, TEXT, TRANSPORT, head, init, is_keepalive};
use crate::stand_in::{ADMIN, server};
use crate::wait::pause;

/// What the database does for the view `slow`.
fn is_running(server: &Server) -> bool {
    let sql = "select count(*) from pg_stat_activity where state = 'active' and query like '%\"slow\"%' \
               and pid <> pg_backend_pid() and datname = current_database()";
    let run = json!({"type": "run_sql", "args": {"sql": sql, "read_only": true}});
    let (status, answer) = server.json("/v2/query", &[ADMIN], &run);
    assert_eq!(status, 200, "{answer}");
    answer["result"][1][0] != "0"
}

fn wait_until_running(server: &Server, wanted: bool) {
    let started = Instant::now();
    while is_running(server) != wanted {
        assert!(started.elapsed() < PATIENCE, "{wanted}");
        pause();
    }
}

#[test]
fn nobody_waits_for_an_answer_that_nobody_wants() {
    let database = TestDatabase::create("ws_cancel");
    let server = server(&database, &["--max-websocket-operations", "2"]);
    slow(&server, 600);
    let mut socket = Socket::initialised(&server, APOLLO, &[ADMIN]);
    socket.start("1", "{ slow { s } }");
    wait_until_running(&server, true);
    socket.send(&json!({"type": "stop", "id": "1"}));
    wait_until_running(&server, false);
    socket.start("2", "{ slow { s } }");
    wait_until_running(&server, true);
    drop(socket);
    wait_until_running(&server, false);
    // So many at a time.
    let mut socket = Socket::initialised(&server, TRANSPORT, &[ADMIN]);
    socket.start("1", "{ slow { s } }");
    socket.start("2", "{ slow { s } }");
    let many = start_failed("the websocket has 2 operations running, which is the most it may have");
    assert_eq!(
        socket.ask("3", "{ __typename }"),
        [json!({"type": "error", "id": "3", "payload": [many]})]
    );
    socket.send(&json!({"type": "complete", "id": "1"}));
    assert_eq!(socket.ask("3", "{ __typename }")[0]["type"], "next");
}

#[test]
fn frames_are_bounded() {
    let database = TestDatabase::create("ws_frames");
    let server = server(&database, &["--max-websocket-message-length", "1000"]);
    let open = || Socket::open(&server, "/v1/graphql", TRANSPORT, &[]).ok().unwrap();
    // A message in pieces is one message.
    let mut socket = open();
    let text = init(&[ADMIN]).to_string();
    let (first, rest) = text.as_bytes().split_at(10);
    socket.frame(TEXT, false, first);
    socket.frame(9, true, b"between");
    socket.frame(0, true, rest);
    assert_eq!(socket.said(), Said::Control(10, b"between".to_vec()));
    assert_eq!(socket.message(), json!({"type": "connection_ack"}));
    let pieces = |sizes: &[usize]| {
        let mut socket = open();
        for (at, size) in sizes.iter().enumerate() {
            let code = if at == 0 { TEXT } else { 0 };
            socket.frame(code, at + 1 == sizes.len(), &vec![b' '; *size]);
        }
        socket.closed().0
    };
    assert_eq!(pieces(&[1001]), 1009);
    assert_eq!(pieces(&[500, 501]), 1009);
    assert_eq!(pieces(&[1000]), 4400, "small enough, but no message");
    for (what, bytes, code) in [
        ("no mask", [head(0x81, 0, 2), b"{}".to_vec()].concat(), 1002),
        ("a reserved code", head(0x83, 0x80, 0), 1002),
        ("a reserved bit", head(0xc1, 0x80, 0), 1002),
        ("a long ping", head(0x89, 0x80, 126), 1002),
        ("a ping in pieces", head(0x09, 0x80, 0), 1002),
        ("a piece of nothing", head(0x80, 0x80, 0), 1002),
        ("a huge length", [vec![0x81, 0xff], vec![0xff; 8]].concat(), 1009),
    ] {
        let mut socket = open();
        socket.raw(&[bytes, vec![0; 300]].concat());
        let said = socket.said();
        assert!(
            matches!(said, Said::Close(found, _) if found == code),
            "{what} {said:?}"
        );
    }
    for code in [TEXT, BINARY] {
        let mut socket = open();
        socket.frame(code, true, b"\"\xff\"");
        assert_eq!(socket.closed().0, 1007);
    }
}

#[test]
fn one_who_does_not_read_is_gone() {
    let database = TestDatabase::create("ws_slow");
    let server = server(
        &database,
        &["--server-timeout", "1", "--max-websocket-queue", "1000"],
    );
    let sql = "create view wide as select repeat('x', 1000000) as x from generate_series(1, 4)";
    let run = json!({"type": "run_sql", "args": {"sql": sql}});
    assert_eq!(server.json("/v2/query", &[ADMIN], &run).0, 200);
    let track = json!({"type": "pg_track_table", "args": {"table": "wide"}});
    assert_eq!(server.json("/v1/metadata", &[ADMIN], &track).0, 200);
    let mut socket = Socket::initialised(&server, APOLLO, &[ADMIN]);
    socket
        .stream()
        .set_write_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    for number in 0..50 {
        socket.start(&number.to_string(), "{ wide { x } }");
    }
    let mut answered = 0;
    server.log_line("the end", |line| {
        let event = &line["detail"]["event"];
        answered += u32::from(event["detail"]["operation_type"]["type"] == "completed");
        event["type"] == "closed"
    });
    assert!(answered < 50, "{answered} answers were queued for nobody");
    // One who reads late has everything.
    let mut socket = Socket::initialised(&server, APOLLO, &[ADMIN]);
    for number in 0..5 {
        socket.start(&number.to_string(), "{ wide { x } }");
    }
    let mut seen = 0;
    while seen < 5 {
        let message = socket.message();
        seen += u32::from(message["type"] == "complete");
    }
}

#[test]
fn nobody_has_for_ever() {
    let databases = ["ws_hasty", "ws_time"].map(TestDatabase::create);
    let hasty = server(&databases[0], &["--websocket-connection-init-timeout", "0.2"]);
    let server = server(&databases[1], &["--websocket-keepalive", "0.1"]);
    let late = "Connection initialisation timed out".to_owned();
    for (protocol, code) in [(APOLLO, 1011), (TRANSPORT, 4408)] {
        let mut socket = Socket::open(&hasty, "/v1/graphql", protocol, &[]).ok().unwrap();
        assert_eq!(socket.closed(), (code, late.clone()));
        let mut socket = Socket::open(&server, "/v1/graphql", protocol, &[]).ok().unwrap();
        socket.send(&json!({"type": "ping"}));
        assert_eq!(socket.message(), json!({"type": "pong"}));
        // Once it is let in it may stay, and is told that the server is there.
        let mut socket = Socket::initialised(&server, protocol, &[ADMIN]);
        for _ in 0..5 {
            let Said::Message(message) = socket.next() else {
                panic!("no message");
            };
            assert!(is_keepalive(&message), "{message}");
        }
        // The codec's own pings are answered too.
        socket.frame(9, true, b"there?");
        assert_eq!(socket.said(), Said::Control(10, b"there?".to_vec()));
        // A client that closes is answered in kind.
        socket.frame(8, true, &1000_u16.to_be_bytes());
        assert_eq!(socket.said(), Said::Close(1000, String::new()));
        assert_eq!(socket.next(), Said::Gone);
    }
}

#[test]
fn what_is_begun_must_be_finished() {
    let database = TestDatabase::create("ws_begun");
    let server = server(&database, &["--server-timeout", "5"]);
    let late = (1008, "the message was not finished in time".to_owned());
    for protocol in [APOLLO, TRANSPORT] {
        // A message in pieces that never ends, though something comes all the time; half a frame; half a head.
        let mut pieces = Socket::initialised(&server, protocol, &[ADMIN]);
        pieces.frame(TEXT, false, b"{");
        pieces.frame(9, true, b"1");
        pieces.frame(0, false, b" ");
        let mut frame = Socket::initialised(&server, protocol, &[ADMIN]);
        frame.raw(&[head(0x81, 0x80, 10), vec![0; 4], b"{".to_vec()].concat());
        let mut half = Socket::initialised(&server, protocol, &[ADMIN]);
        half.raw(&[0x81]);
        // One who says nothing may stay.
        let mut idle = Socket::initialised(&server, protocol, &[ADMIN]);
        assert_eq!(pieces.said(), Said::Control(10, b"1".to_vec()));
        for socket in [&mut pieces, &mut frame, &mut half] {
            assert_eq!(socket.closed(), late);
        }
        assert_eq!(idle.ask("1", "{ __typename }").len(), 1);
    }
}

#[test]
fn ids_are_bounded() {
    let database = TestDatabase::create("ws_ids");
    let server = server(&database, &[]);
    let (longest, longer) = ("i".repeat(1024), "i".repeat(1025));
    let why = "parsing ClientMessage failed: Error in $.id: longer than 1024 bytes";
    let mut socket = Socket::initialised(&server, APOLLO, &[ADMIN]);
    assert_eq!(socket.ask(&longest, "{ __typename }").len(), 1);
    socket.start(&longer, "{ __typename }");
    assert_eq!(
        socket.message(),
        json!({"type": "connection_error", "payload": why})
    );
    assert_eq!(socket.ask(&longest, "{ __typename }").len(), 1);
    let mut socket = Socket::initialised(&server, TRANSPORT, &[ADMIN]);
    assert_eq!(socket.ask(&longest, "{ __typename }").len(), 1);
    socket.start(&longer, "{ __typename }");
    assert_eq!(socket.closed(), (4400, reason(&format!("4400: {why}"))));
}

/// However often the metadata changes, what runs is waited for once.
#[test]
fn one_who_leaves_leaves_in_time() {
    let database = TestDatabase::create("ws_leaving");
    let server = server(&database, &["--graceful-shutdown-timeout", "2"]);
    slow(&server, 600);
    let mut socket = Socket::initialised(&server, TRANSPORT, &[ADMIN]);
    socket.start("1", "{ slow { s } }");
    wait_until_running(&server, true);
    let is_closed = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let mut changes = 0;
            let started = Instant::now();
            while !is_closed.load(Ordering::SeqCst) {
                assert!(started.elapsed() < PATIENCE, "it is still open");
                let comment = json!({"type": "create_query_collection", "args": {
                    "name": format!("c{changes}"), "definition": {"queries": []}}});
                let (status, answer) = server.json("/v1/metadata", &[ADMIN], &comment);
                assert_eq!(status, 200, "{answer}");
                changes += 1;
                pause();
            }
            changes
        });
        let closed = socket.closed();
        is_closed.store(true, Ordering::SeqCst);
        assert_eq!(
            closed,
            (1012, "Server state changed, restarting the server".to_owned())
        );
        assert!(changes.join().unwrap() > 1);
    });
    wait_until_running(&server, false);
}

/// A small generator (xorshift); the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % 1_000_003).unwrap() % bound
    }

    /// Cuts, doubles, swaps and overwrites bytes.
    fn mangle(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..self.below(5) {
            let at = self.below(bytes.len() + 1);
            match self.below(4) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                2 => bytes.extend_from_within(..at),
                _ if at < bytes.len() => bytes[at] = b"{}[]\":,\\ \0\xff"[self.below(11)],
                _ => {}
            }
            bytes.truncate(4096);
        }
    }
}

/// Mangled messages and mangled frames, some after coming in: the server goes on, each websocket ends for a reason.
/// `ROWLOCK_FUZZ_SECONDS` says for how long (2 by default), `ROWLOCK_FUZZ_SEED` where to begin.
#[test]
fn random_frames() {
    let setting = |name: &str, default: u64| {
        let text = std::env::var(name).ok();
        text.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let database = TestDatabase::create("ws_fuzz");
    let server = server(
        &database,
        &["--max-websockets", "20", "--enabled-log-types", "startup"],
    );
    let seeds = [
        init(&[ADMIN]).to_string(),
        json!({"id": "1", "type": "start", "payload": {"query": "{ item { id } }", "variables": {"a": [1]}}})
            .to_string(),
        json!({"id": "1", "type": "subscribe", "payload": {"query": "{ slow { s } }"}}).to_string(),
        json!({"id": "1", "type": "complete"}).to_string(),
        json!({"type": "ping", "payload": {"a": null}}).to_string(),
        json!({"type": "connection_terminate"}).to_string(),
    ];
    let mut random = Random(setting("ROWLOCK_FUZZ_SEED", 7) | 1);
    let until = Instant::now() + Duration::from_secs(setting("ROWLOCK_FUZZ_SECONDS", 2));
    let mut rounds = 0;
    while Instant::now() < until || rounds < 50 {
        rounds += 1;
        let protocol = [APOLLO, TRANSPORT][random.below(2)];
        // The place of the one before is given back when it has ended.
        let Ok(mut socket) = Socket::open(&server, "/v1/graphql", protocol, &[]) else {
            continue;
        };
        if random.below(4) > 0 {
            socket.send(&init(&[ADMIN]));
        }
        for _ in 0..=random.below(6) {
            let mut payload = seeds[random.below(seeds.len())].clone().into_bytes();
            random.mangle(&mut payload);
            if random.below(3) > 0 {
                let code = [TEXT, BINARY, 0, 9, 10, 8, 3][random.below(7)];
                socket.frame(code, random.below(5) > 0, &payload);
            } else {
                let mut bytes = [head(0x81, 0x80, payload.len()), vec![0; 4], payload].concat();
                random.mangle(&mut bytes);
                socket.raw(&bytes);
            }
        }
        socket
            .stream()
            .shutdown(std::net::Shutdown::Write)
            .unwrap_or_default();
        while !matches!(socket.next(), Said::Gone | Said::Close(..)) {}
    }
    let mut socket = loop {
        if let Ok(socket) = Socket::open(&server, "/v1/graphql", APOLLO, &[]) {
            break socket;
        }
        assert!(Instant::now() < until + PATIENCE, "places are not given back");
        pause();
    };
    socket.initialise(&[ADMIN]);
    assert_eq!(socket.ask("1", "{ item { id } }").len(), 1);
}
