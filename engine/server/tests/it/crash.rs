//! What is left after a kill under a writing load: every mutation that was answered is there, and none is half there.
//!
//! Each mutation writes four tables through several root fields, or several rows of one table, with a number of its own in
//! every row, so that a half of one shows. `ROWLOCK_CRASH_KILLS` says how often each test kills (3 times by default).

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod load;
#[cfg(test)]
mod postgres;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::permissions::random::Random;
use crate::process::{Connection, PATIENCE, Server, rowlock};
use ledger::Ledger;
use load::Load;
use postgres::Postgres;

fn kills() -> usize {
    std::env::var("ROWLOCK_CRASH_KILLS").map_or(3, |text| text.parse().unwrap())
}

const TABLES: &str = "create table parcel (id bigserial primary key, ticket bigint not null); \
    create table line (id bigserial primary key, ticket bigint not null, parcel_id bigint not null references parcel); \
    create table note (ticket bigint not null, giver int not null, taker int not null, amount int not null, \
      refused bool not null default false check (not refused)); \
    create table single (ticket bigint not null, refused bool not null default false check (not refused)); \
    create table account (id int primary key, balance bigint not null); \
    insert into account select n, 0 from generate_series(0, 63) as n; \
    create view written as select ticket, sum(parcels) as parcels, sum(lines) as lines, sum(notes) as notes, \
        sum(singles) as singles from ( \
      select ticket, 1 as parcels, 0 as lines, 0 as notes, 0 as singles from parcel \
      union all select line.ticket, 0, 1, 0, 0 from line join parcel on parcel.id = parcel_id and parcel.ticket = line.ticket \
      union all select ticket, 0, 0, 1, 0 from note \
      union all select ticket, 0, 0, 0, 1 from single) as each group by ticket; \
    create view wrong as select id from account where balance <> \
      (select coalesce(sum(amount), 0) from note where taker = id) \
      - (select coalesce(sum(amount), 0) from note where giver = id);";

fn run_sql(port: u16, sql: &str) -> Value {
    let command = json!({"type": "run_sql", "args": {"sql": sql, "check_metadata_consistency": false}});
    let answer = Connection::to(port).unwrap().post("/v2/query", &[], &command);
    let (status, answer) = answer.unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["result"].clone()
}

fn prepare(port: u16) {
    run_sql(port, TABLES);
    let tables: Vec<Value> = ["parcel", "line", "note", "single", "account"]
        .iter()
        .map(|table| json!({ "table": table }))
        .collect();
    let command = json!({"type": "bulk", "args": [
        {"type": "reload_metadata", "args": {}},
        {"type": "pg_track_tables", "args": {"tables": tables}},
        {"type": "pg_create_array_relationship", "args": {"table": "parcel", "name": "lines",
            "using": {"foreign_key_constraint_on": {"table": "line", "column": "parcel_id"}}}},
    ]});
    let answer = Connection::to(port).unwrap().post("/v1/metadata", &[], &command);
    let (status, answer) = answer.unwrap();
    assert_eq!(status, 200, "{answer}");
}

/// What the database holds is what the ledger says, as seen by one statement each.
fn audit(port: u16, ledger: &Ledger) {
    let rows = run_sql(port, "select ticket, parcels, lines, notes, singles from written");
    let mut found = BTreeMap::new();
    for row in rows.as_array().unwrap().iter().skip(1) {
        let cell = |at: usize| row[at].as_str().unwrap().parse::<u64>().unwrap();
        found.insert(cell(0), (cell(1), cell(2), cell(3), cell(4)));
    }
    ledger.judge(&found);
    let wrong = run_sql(port, "select id from wrong");
    assert_eq!(
        wrong.as_array().unwrap().len(),
        1,
        "accounts that are not the sum of their notes: {wrong}"
    );
}

/// Waits until a condition holds.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what} takes too long");
        crate::wait::pause();
    }
    begin.elapsed()
}

#[test]
fn a_killed_engine_leaves_nothing_half_written() {
    let database = TestDatabase::create("crash_engine");
    let ledger = Arc::new(Ledger::default());
    let mut random = Random::new(1);
    let mut server = Server::start(&database, &[]);
    prepare(server.port);
    for _ in 0..kills() {
        let load = Load::start(server.port, &ledger);
        load.until_written(1 + random.below(60));
        load.expect_the_end();
        // Dropping it kills it, with SIGKILL.
        drop(server);
        assert_eq!(load.stop(), Vec::<String>::new());
        server = Server::start(&database, &[]);
        audit(server.port, &ledger);
    }
    println!("engine killed {} times: {ledger}", kills());
}

#[test]
fn a_killed_postgres_leaves_nothing_half_written() {
    let ledger = Arc::new(Ledger::default());
    let mut random = Random::new(2);
    let mut postgres = Postgres::start();
    let url = postgres.url();
    let server = Server::start_with(&["serve", "--server-port", "0", "--database-url", &url]);
    prepare(server.port);
    let mut slowest = Duration::ZERO;
    for kill in 0..kills() {
        let load = Load::start(server.port, &ledger);
        load.until_written(1 + random.below(60));
        // One session, after which Postgres recovers by itself, or all of it.
        let whole = kill % 2 == 1;
        load.expect_the_end();
        postgres.kill(whole);
        // What the last kill left behind is no longer seen by anyone.
        assert_eq!(load.stop(), Vec::<String>::new());
        if whole {
            postgres.restart();
        }
        let answers = || {
            let query = json!({"query": "{ account_by_pk(id: 1) { id } }"});
            let answer = Connection::to(server.port)
                .unwrap()
                .post("/v1/graphql", &[], &query);
            answer.unwrap().1["data"].is_object()
        };
        slowest = slowest.max(wait_for("to be back", answers));
        audit(server.port, &ledger);
    }
    println!(
        "Postgres killed {} times: {ledger}; answering again after at most {slowest:?}",
        kills()
    );
}

/// The password of the engine's role is changed behind its back: who is connected goes on, who is not is refused, and the
/// server is asked now and then only.
#[test]
fn a_password_that_changes_leaves_nothing_half_written() {
    let (database, other) = (
        TestDatabase::create("crash_password"),
        TestDatabase::create("crash_password_admin"),
    );
    let ledger = Arc::new(Ledger::default());
    let admin = Server::start(&other, &[]);
    let url = database.url();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, server) = rest.split_once('@').unwrap();
    let name = server.rsplit('/').next().unwrap().split('?').next().unwrap();
    let role = format!("writer_of_{name}");
    run_sql(
        admin.port,
        &format!(
            "create role \"{role}\" login password 'one'; alter database \"{name}\" owner to \"{role}\""
        ),
    );
    let own = format!("{scheme}://{role}:one@{server}");
    let own = [
        "serve",
        "--server-port",
        "0",
        "--metadata-database-url",
        &url,
        "--database-url",
        &own,
    ];
    let server = Server::spawn(
        rowlock(&own)
            .env("HASURA_GRAPHQL_METRICS_SECRET", "m")
            .env("HASURA_GRAPHQL_ENABLED_APIS", "graphql,metadata,metrics"),
    );
    prepare(server.port);

    let load = Load::start(server.port, &ledger);
    load.until_written(20);
    load.expect_the_end();
    run_sql(admin.port, &format!("alter role \"{role}\" password 'two'"));
    load.until_written(60);
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = ";
    let failed_logins = || {
        let (_, text) = server.send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "");
        let figure = |line: &str| {
            let is_of_source = line.starts_with("hasura_postgres_connection_error_total{")
                && line.contains("source_name=\"default\"");
            is_of_source.then(|| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        };
        let figures: Vec<f64> = text.lines().filter_map(figure).collect();
        assert!(!figures.is_empty(), "{text}");
        figures.iter().sum::<f64>()
    };
    let ask = || {
        let mutation = json!({"query": "mutation { update_account_by_pk(pk_columns: {id: 1}, _inc: {balance: 0}) { id } }"});
        let mut connection = Connection::to(server.port).unwrap();
        connection.post("/v1/graphql", &[], &mutation).unwrap().1
    };
    // Those who come back in time are ended as well.
    wait_for("to be refused", || {
        run_sql(admin.port, &format!("{end}'{role}'"));
        ask()["errors"].is_array()
    });
    assert_eq!(load.stop(), Vec::<String>::new());
    let (began, before) = (Instant::now(), failed_logins());
    for _ in 0..300 {
        let error = &ask()["errors"][0];
        assert_eq!(error["message"], "connection error");
        assert_eq!(error["extensions"]["code"], "postgres-error");
    }
    let attempts = failed_logins() - before;
    // Each rest is twice as long as the last one, up to two seconds; lines of writers have rests of their own. One login
    // for each request would be hundreds, and one for each with a pause between still ten a second.
    let most = 16.0 + began.elapsed().as_secs_f64() * 2.0;
    assert!(attempts < most, "{attempts} logins in {:?}", began.elapsed());

    run_sql(admin.port, &format!("alter role \"{role}\" password 'one'"));
    wait_for("to be let in", || ask()["data"].is_object());
    audit(server.port, &ledger);
    let load = Load::start(server.port, &ledger);
    load.until_written(20);
    assert_eq!(load.stop(), Vec::<String>::new());
    audit(server.port, &ledger);
    println!("password changed under {ledger}; {attempts} logins for 300 requests");
}

#[test]
fn a_client_that_goes_away_leaves_nothing_half_written() {
    let database = TestDatabase::create("crash_client");
    let server = Server::start(&database, &[]);
    prepare(server.port);
    let ledger = Arc::new(Ledger::default());
    let mut random = Random::new(3);
    for _ in 0..kills() * 30 {
        load::begin_and_leave(server.port, &ledger, &mut random);
    }
    let open = "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null \
                and pid <> pg_backend_pid()";
    wait_for("the end of all transactions", || {
        run_sql(server.port, open)[1][0] == "0"
    });
    audit(server.port, &ledger);
    // The pool is whole.
    let load = Load::start(server.port, &ledger);
    load.until_written(200);
    assert_eq!(load.stop(), Vec::<String>::new());
    audit(server.port, &ledger);
    println!("{} clients went away: {ledger}", kills() * 30);
}
