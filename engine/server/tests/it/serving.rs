//! A server and its clients.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, read_response};
use crate::wait::until;

const ANSWER: &str = r#"{"data":{"__typename":"query_root"}}"#;

#[test]
fn the_first_start_creates_the_source() {
    let database = TestDatabase::create("first");
    let server = Server::start(&database, &[]);
    assert_eq!(server.send("GET", "/healthz", &[], ""), (200, "OK".to_owned()));
    let (status, sources) = server.send("GET", "/healthz/sources", &[], "");
    assert_eq!(status, 200);
    let sources: Value = serde_json::from_str(&sources).unwrap();
    assert_eq!(sources["default"]["status"], "OK");
    let query = json!({"query": "{ __typename }"});
    assert_eq!(
        server.json("/v1/graphql", &[], &query),
        (200, json!({"data": {"__typename": "query_root"}}))
    );
}

#[test]
fn several_instances_start_at_once_on_one_database() {
    let database = TestDatabase::create("together");
    let servers: Vec<Server> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| Server::start(&database, &[])))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let generations: Vec<Value> = servers
        .iter()
        .map(|server| {
            let (_, page) = server.send("GET", "/readyz", &[], "");
            let page: Value = serde_json::from_str(&page).unwrap();
            page["generation"]["hash"].clone()
        })
        .collect();
    assert!(
        generations.windows(2).all(|pair| pair[0] == pair[1]),
        "{generations:?}"
    );
}

#[test]
fn a_stop_lets_requests_in_flight_finish() {
    let database = TestDatabase::create("stop");
    let mut server = Server::start(&database, &[]);
    let body = r#"{"query":"{ __typename }"}"#;
    let mut stream = server.connect();
    let head = format!(
        "POST /v1/graphql HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body.as_bytes()[..5]).unwrap();
    // The head has surely arrived once a later request on another connection has been answered.
    server.send("GET", "/livez", &[], "");
    server.terminate();
    stream.write_all(&body.as_bytes()[5..]).unwrap();
    let (status, answer) = read_response(&mut stream);
    assert_eq!((status, answer.as_str()), (200, ANSWER));
    assert!(server.wait().success());
}

/// Whoever sends a request to a server that is about to stop cannot know that yet.
#[test]
fn a_stop_answers_what_is_on_its_way() {
    let database = TestDatabase::create("on_its_way");
    // Only on a machine that is busy with something else the request comes after the second that a stop waits for it.
    assert!((0..5).any(|_| is_answered_after_a_stop(&database)));
}

/// Tells a server to stop and sends another request on an open connection: whether it is answered, as the last one.
fn is_answered_after_a_stop(database: &TestDatabase) -> bool {
    let mut server = Server::start(database, &[]);
    let mut stream = server.connect();
    let mut ask = || {
        let body = r#"{"query":"{ __typename }"}"#;
        let head = format!(
            "POST /v1/graphql HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + body).as_bytes()).ok()?;
        let mut answer = String::new();
        while !answer.ends_with(ANSWER) {
            let mut read = [0; 4096];
            let count = stream.read(&mut read).ok().filter(|count| *count > 0)?;
            answer.push_str(std::str::from_utf8(&read[..count]).unwrap());
        }
        Some(answer)
    };
    let before = ask().unwrap_or_default();
    assert!(before.starts_with("HTTP/1.1 200"), "{before}");
    assert!(!before.contains("connection: close"), "{before}");
    let idle = server.connect();
    server.send("GET", "/livez", &[], "");
    server.terminate();
    until("it stops", || {
        std::net::TcpStream::connect(("127.0.0.1", server.port)).is_err()
    });
    let Some(after) = ask() else {
        assert!(server.wait().success());
        return false;
    };
    assert!(after.starts_with("HTTP/1.1 200"), "{after}");
    assert!(after.contains("\r\nconnection: close\r\n"), "{after}");
    for mut ended in [stream, idle] {
        assert_eq!(
            ended.read(&mut [0; 16]).unwrap(),
            0,
            "it ends without another word"
        );
    }
    assert!(server.wait().success());
    true
}

/// Nobody is waited for who is not there.
#[test]
fn a_stop_without_connections_takes_no_time() {
    let database = TestDatabase::create("stop_alone");
    let stop = || {
        let mut server = Server::start(&database, &[]);
        server.send("GET", "/livez", &[], "");
        let begun = Instant::now();
        server.terminate();
        server.log_line("the end", |line| line.to_string().contains("has stopped"));
        let took = begun.elapsed();
        assert!(server.wait().success());
        took
    };
    // Only a machine that is busy with something else takes longer.
    assert!((0..5).any(|_| stop() < Duration::from_millis(900)));
}

#[test]
fn requests_are_logged_in_hasuras_form() {
    let database = TestDatabase::create("log");
    let server = Server::start(
        &database,
        &[
            "--enabled-log-types",
            "startup,http-log,query-log",
            "--admin-secret",
            "canary",
        ],
    );
    let query = json!({"query": "{ __typename }"});
    server.json(
        "/v1/graphql",
        &[("x-hasura-admin-secret", "canary"), ("x-request-id", "r-1")],
        &query,
    );
    let queried = server.log_line("the query", |line| line["type"] == "query-log");
    assert_eq!(queried["detail"]["kind"], "introspection");
    assert_eq!(queried["detail"]["request_id"], "r-1");
    let answered = server.log_line("the answer", |line| line["type"] == "http-log");
    assert_eq!(answered["level"], "info");
    let detail = &answered["detail"];
    assert_eq!(detail["operation"]["request_id"], "r-1");
    assert_eq!(detail["operation"]["query"], query);
    assert_eq!(
        detail["operation"]["user_vars"],
        json!({"x-hasura-role": "admin"})
    );
    assert_eq!(detail["http_info"]["url"], "/v1/graphql");
    assert_eq!(detail["http_info"]["status"].to_string(), "200");
    assert!(!answered.to_string().contains("canary"));
}

#[test]
fn heads_are_bounded() {
    let database = TestDatabase::create("head");
    let server = Server::start(&database, &["--max-total-header-length", "8192"]);
    let long = "x".repeat(20_000);
    let (status, _) = server.send("GET", "/livez", &[("x-long", &long)], "");
    assert_eq!(status, 431);
}
