//! `run_sql`.

use pg::{Error, RunSqlMode, SqlResult};
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn the_last_result_counts() {
    let world = World::new("pg_run_sql");
    let rows = world.sql("create table t (a int, b text); insert into t values (1, null), (2, 'x'); select * from t order by a").await;
    let text = |row: &[&str]| row.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        rows,
        SqlResult::TuplesOk(vec![text(&["a", "b"]), text(&["1", "NULL"]), text(&["2", "x"])])
    );
    assert_eq!(
        world.sql("select 1; update t set a = 3").await,
        SqlResult::CommandOk
    );
    assert_eq!(
        world.sql("select * from t where false").await,
        SqlResult::TuplesOk(vec![text(&["a", "b"])])
    );
    assert_eq!(world.sql("").await, SqlResult::CommandOk);
}

#[tokio::test]
async fn errors_have_their_details() {
    let world = World::new("pg_run_sql_error");
    let mut run = world.source.run_sql(RunSqlMode::Transaction).await.unwrap();
    let Err(Error::Database(error)) = run.execute("select * from nothing_here").await else {
        panic!()
    };
    assert_eq!(
        error.internal(),
        json!({
            "statement": "select * from nothing_here",
            "prepared": false,
            "error": {
                "exec_status": "FatalError", "hint": null, "message": "relation \"nothing_here\" does not exist",
                "status_code": "42P01", "description": null,
            },
            "arguments": [],
        })
    );
    run.rollback().await.unwrap();
}

#[tokio::test]
async fn transactions_end_as_told() {
    let world = World::new("pg_run_sql_modes");
    let mut run = world.source.run_sql(RunSqlMode::Transaction).await.unwrap();
    run.execute("create table kept (a int)").await.unwrap();
    run.commit().await.unwrap();
    let mut run = world.source.run_sql(RunSqlMode::Transaction).await.unwrap();
    run.execute("create table dropped (a int)").await.unwrap();
    drop(run);
    let mut run = world.source.run_sql(RunSqlMode::ReadOnly).await.unwrap();
    let error = run.execute("insert into kept values (1)").await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("25006"));
    run.rollback().await.unwrap();
    assert_eq!(world.value("select to_regclass('kept')").await, "kept");
    // What was dropped without an end is rolled back: this waits for its locks, if they are still there.
    world.sql("create table dropped (a int)").await;
    // Not possible in a transaction.
    world.sql("vacuum kept").await;
}

#[tokio::test]
async fn its_session_is_its_own() {
    let world = World::with("pg_run_sql_session", |member| member.pool.max_connections = 2);
    world
        .sql("set search_path to nowhere; set timezone to 'Asia/Tokyo'")
        .await;
    assert_eq!(world.value("show search_path").await, "\"$user\", public");
    assert_ne!(world.value("show timezone").await, "Asia/Tokyo");
}

#[tokio::test]
async fn without_a_transaction_statements_run_one_by_one() {
    let world = World::new("pg_run_sql_one_by_one");
    let mut run = world.source.run_sql(RunSqlMode::NoTransaction).await.unwrap();
    let result = run
        .execute("create table t (a int); -- not; in a transaction\ncreate index concurrently i on t (a); vacuum t;")
        .await
        .unwrap();
    assert_eq!(result, SqlResult::CommandOk);
    let rows = run
        .execute("insert into t values (1); select a from t; -- that was all;\n")
        .await
        .unwrap();
    let text = |value: &str| vec![value.to_owned()];
    assert_eq!(rows, SqlResult::TuplesOk(vec![text("a"), text("1")]));
    // The setting holds for the statements after it.
    let rows = run
        .execute(r"set standard_conforming_strings to off; select 'a\';b' as x")
        .await
        .unwrap();
    assert_eq!(rows, SqlResult::TuplesOk(vec![text("x"), text("a';b")]));
    let error = run
        .execute("insert into t values (2); select * from nothing_here; insert into t values (3)")
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate(), Some("42P01"));
    run.commit().await.unwrap();
    assert_eq!(world.value("select string_agg(a::text, ',') from t").await, "1,2");
}
