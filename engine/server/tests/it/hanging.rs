//! A database that answers and then hangs, or takes its time to be connected: it holds up nobody, and comes in.

use std::time::Duration;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::delivered::World;
use crate::process::{Server, rowlock};
use crate::rotation::Folder;
use crate::silent::{problem, run_sql, set, soon, state_of};
use crate::wait::within;
use crate::way::Way;

fn until(what: &str, done: impl FnMut() -> bool) {
    within(Duration::from_secs(60), what, done);
}

#[test]
fn sets_do_not_wait_for_a_database_that_hangs() {
    let world = World::new("hanging");
    let way = Way::closed(&world.database);
    way.is_open(true);
    way.keeps_catalogs(true);
    let pod = world.pod();
    world.publish_set(set(5, &["id"], None));
    pod.served(5);

    // It is new, and answers all but what it is asked for.
    let report = soon("a new source", || {
        world.publish_set(set(6, &["id"], Some(&way)));
        pod.served(6)
    });
    assert_eq!(
        problem(&report, "far").unwrap()["unreachable"],
        true,
        "{report:#}"
    );
    let kept = way.kept();
    until("it is read again", || way.kept() > kept);

    // Others change, and are read, while that goes on.
    let report = soon("a change", || {
        world.publish_set(set(7, &["id", "year"], Some(&way)));
        pod.served(7)
    });
    assert!(problem(&report, "near-listener").is_some(), "{report:#}");
    soon("another database that changes", || {
        run_sql(&world.database, "alter table album add column year int");
        pod.report_when("a column that came", |report| {
            problem(report, "near-listener").is_none()
        })
    });
    let report = soon("a check", || pod.check(&set(8, &["id"], Some(&way))));
    assert_eq!(
        problem(&report, "far").unwrap()["unreachable"],
        true,
        "{report:#}"
    );

    way.keeps_catalogs(false);
    pod.report_when("the source", |report| {
        state_of(report, "far") == "Up" && report["problems"] == json!([])
    });
}

/// A command of the metadata API, and how it ended.
fn command(server: &Server, name: &str, arguments: &Value) -> (u16, Value) {
    server.json("/v1/metadata", &[], &json!({"type": name, "args": arguments}))
}

fn source(name: &str, url: &Value) -> Value {
    json!({"name": name, "configuration": {"connection_info": {"database_url": url}}})
}

#[test]
fn commands_do_not_wait_for_a_database_that_hangs() {
    let (near, far) = (
        TestDatabase::create("hanging_near"),
        TestDatabase::create("hanging_far"),
    );
    let way = Way::closed(&far);
    way.is_open(true);
    let server = Server::start(&near, &[]);
    let accepted = |name: &str, arguments: &Value| {
        let (status, answer) = command(&server, name, arguments);
        assert_eq!(status, 200, "{name}: {answer}");
    };
    accepted("pg_add_source", &source("far", &json!(way.url)));
    // Somebody else changes the databases.
    let scratch = TestDatabase::create("hanging_scratch");
    let stranger = Server::start(&scratch, &[]);
    let run_sql = |source: &str, sql: &str| {
        let arguments = json!({"source": source, "sql": sql});
        stranger.accepted("/v2/query", &json!({"type": "run_sql", "args": arguments}));
    };
    for (name, database) in [("near", &near), ("far", &far)] {
        let add = json!({"type": "pg_add_source", "args": source(name, &json!(database.url()))});
        stranger.accepted("/v1/metadata", &add);
    }
    way.keeps_catalogs(true);
    let others = |what: &str| {
        let table = format!("of_{what}");
        run_sql("near", &format!("create table {table} (id int primary key)"));
        // The catalog that is known lacks it, so all that answer are looked into.
        soon(what, || {
            accepted("pg_track_table", &json!({"source": "default", "table": table}));
        });
    };
    std::thread::scope(|scope| {
        let during = |name: &'static str, what: &str, arguments: Value| {
            let (server, kept) = (&server, way.kept());
            let running = scope.spawn(move || command(server, name, &arguments));
            until("it is read", || way.kept() > kept);
            others(what);
            running
        };
        let running = [
            during("reload_metadata", "reload", json!({"reload_sources": ["far"]})),
            during("reload_metadata", "reload_of_all", json!({})),
            during("pg_add_source", "third", source("third", &json!(way.url))),
        ];
        run_sql("far", "create table album (id int primary key)");
        others("drift");
        way.keeps_catalogs(false);
        for running in running {
            let (_, answer) = running.join().unwrap();
            assert!(answer.is_object(), "{answer}");
        }
    });
    until("the table that was made", || {
        command(
            &server,
            "pg_track_table",
            &json!({"source": "far", "table": "album"}),
        )
        .0 == 200
    });
}

#[test]
fn a_source_that_moves_to_a_slow_place_comes_in() {
    let (near, far) = (
        TestDatabase::create("moving_near"),
        TestDatabase::create("moving_far"),
    );
    let (old, new) = (Way::closed(&far), Way::closed(&far));
    old.is_open(true);
    new.is_open(true);
    // Longer than anybody's change waits for it.
    new.is_slow(Duration::from_secs(3));
    let folder = Folder::new("moving");
    folder.put("FAR_URL", &json!(old.url));
    let server = Server::spawn(
        rowlock(&["serve", "--server-port", "0", "--database-url", &near.url()])
            .env("ROWLOCK_SECRETS_DIR", folder.path()),
    );
    let health = || {
        let (_, health) = server.send("GET", "/healthz/sources", &[], "");
        serde_json::from_str::<Value>(&health).unwrap()["far"]["status"].clone()
    };
    let (status, answer) = command(
        &server,
        "pg_add_source",
        &source("far", &json!({"from_env": "FAR_URL"})),
    );
    assert_eq!(status, 200, "{answer}");
    until("its health", || health() == "OK");
    old.is_open(false);
    until("the silence", || health() == "ERROR");
    folder.put("FAR_URL", &json!(new.url));
    until("the new place", || health() == "OK");
    // Asked there from now on, and nothing of the old place is told any more.
    let ask = json!({"type": "run_sql", "args": {"source": "far", "sql": "select 1", "read_only": true}});
    let (status, answer) = soon("a statement", || server.json("/v2/query", &[], &ask));
    assert_eq!(status, 200, "{answer}");
}
