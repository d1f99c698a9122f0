//! The checks that metadata asks for (`sources[].health_check`).

use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;
use crate::wait::within;

/// How many checks of the database hang at this moment.
const HANGING: &str = "select count(*) from pg_stat_activity where datname = current_database() \
    and pid <> pg_backend_pid() and state = 'active' and query like '%pg_sleep%'";

/// A check that hangs is not begun a second time, and one that is asked for too rarely ends no other.
#[test]
fn of_each_source_one_check_runs_at_a_time() {
    let database = TestDatabase::create("health");
    let server = Server::start(&database, &[]);
    let command = |name: &str, source: &str, check: &Value| {
        let configuration = json!({"connection_info": {"database_url": database.url()}});
        let arguments = json!({"name": source, "configuration": configuration, "health_check": check});
        server.accepted("/v1/metadata", &json!({"type": name, "args": arguments}));
    };
    let hanging = || -> usize {
        let arguments = json!({"source": "default", "sql": HANGING, "read_only": true});
        let answer = server.accepted("/v2/query", &json!({"type": "run_sql", "args": arguments}));
        answer["result"][1][0].as_str().unwrap().parse().unwrap()
    };
    let status = |source: &str| {
        let (_, page) = server.send("GET", "/healthz/sources", &[], "");
        serde_json::from_str::<Value>(&page).unwrap()[source]["status"].clone()
    };
    let until = |what: &str, done: &dyn Fn() -> bool| within(Duration::from_secs(30), what, done);

    command("pg_add_source", "a", &json!({"interval": u64::MAX}));
    let hangs = json!({"test": {"sql": "select pg_sleep(600)"}, "interval": 1, "timeout": 600});
    command("pg_add_source", "b", &hangs);
    until("it hangs", &|| hanging() == 1);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(4) {
        assert_eq!(hanging(), 1);
        std::thread::park_timeout(Duration::from_millis(100));
    }

    // Another one is not waited for, and what the one before would have found counts no more.
    let fails = json!({"test": {"sql": "select 1/0"}, "interval": 1, "retries": 0});
    command("pg_update_source", "b", &fails);
    until("it fails", &|| status("b") == "FAILED");
    let works = json!({"test": {"sql": "select 1"}, "interval": 1, "retries": 0});
    command("pg_update_source", "b", &works);
    until("it is well", &|| status("b") == "OK");
}
