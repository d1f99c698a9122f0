//! Exit statuses and messages.

use std::net::TcpListener;

use embedded::test::TestDatabase;

use crate::process::{rowlock, run};

#[test]
fn version() {
    let ended = run(&mut rowlock(&["version"]));
    assert!(ended.status.success());
    assert_eq!(ended.stdout, format!("rowlock {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_settings_end_the_start() {
    let mut command = rowlock(&["serve"]);
    command.env("HASURA_GRAPHQL_DATABASE_URL", "postgresql://localhost/d");
    command.env("HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES", "perhaps");
    let ended = run(&mut command);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.starts_with(
            "Fatal Error:- Environment variable HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES: Not a valid boolean text."
        ),
        "{}",
        ended.stderr
    );
}

#[test]
fn unknown_flags_end_the_start() {
    let ended = run(&mut rowlock(&["serve", "--no-such-flag"]));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("--no-such-flag"), "{}", ended.stderr);
    assert!(run(&mut rowlock(&["serve", "--help"])).status.success());
}

#[test]
fn a_database_is_needed() {
    let ended = run(&mut rowlock(&["serve"]));
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended.stderr.contains("--metadata-database-url"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_metadata_database_that_is_away_ends_the_start() {
    // Nobody listens on a port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("postgresql://u:canary@127.0.0.1:{free}/d");
    let ended = run(&mut rowlock(&[
        "--database-url",
        &url,
        "--retries",
        "0",
        "serve",
        "--server-port",
        "0",
    ]));
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        ended
            .stderr
            .starts_with("Fatal Error:- the metadata database cannot be reached: "),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("canary") && !ended.stdout.contains("canary"));
}

#[test]
fn a_port_in_use_ends_the_start() {
    let database = TestDatabase::create("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let url = database.url();
    let ended = run(&mut rowlock(&[
        "--database-url",
        &url,
        "serve",
        "--server-host",
        "127.0.0.1",
        "--server-port",
        &port,
    ]));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("the port is in use"), "{}", ended.stderr);
}
