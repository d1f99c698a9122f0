//! Read-write transactions.

use pg::{Code, Error, Expect};
use sql::Statement;
use sql::shape::Codec;

use crate::world::{World, object, statement};

const TABLES: &str = "create type mood as enum ('sad', 'ok');
    create table t (id int primary key, name text not null, mood mood, parent int references t (id) deferrable initially deferred,
      constraint low check (id < 100));
    create view seen as select current_setting('hasura.user', true) as variables";

fn insert() -> Statement {
    statement(
        "with new as (insert into t (id, name, mood, parent) values ($1::int4, $2::text, ($3)::mood, $4::int4) returning *) \
         select id, name, mood from new",
        4,
        object(&[("id", Codec::Int4), ("name", Codec::Text), ("mood", Codec::Text)]),
    )
}

fn values(id: i32, name: Option<&str>, mood: Option<&str>, parent: Option<i32>) -> Vec<Option<String>> {
    vec![
        Some(id.to_string()),
        name.map(str::to_owned),
        mood.map(str::to_owned),
        parent.map(|parent| parent.to_string()),
    ]
}

#[tokio::test]
async fn committed_and_rolled_back() {
    for prepared in [true, false] {
        let world = World::with("pg_write", |member| {
            member.use_prepared_statements = prepared;
            member.pool.max_connections = 2;
        });
        world.sql(TABLES).await;
        let mut out = Vec::new();
        let mut write = world
            .source
            .begin(Some("{\"x-hasura-role\":\"user\"}"))
            .await
            .unwrap();
        write
            .execute(&insert(), &values(1, Some("a"), Some("ok"), None), None, &mut out)
            .await
            .unwrap();
        out.push(b' ');
        write
            .execute(&insert(), &values(2, Some("b"), None, Some(1)), None, &mut out)
            .await
            .unwrap();
        let seen = statement(
            "select variables from seen",
            0,
            object(&[("variables", Codec::Text)]),
        );
        write.execute(&seen, &[], None, &mut out).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "[{\"id\":1,\"name\":\"a\",\"mood\":\"ok\"}] [{\"id\":2,\"name\":\"b\",\"mood\":null}]\
             [{\"variables\":\"{\\\"x-hasura-role\\\":\\\"user\\\"}\"}]"
        );
        let mut write = world.source.begin(None).await.unwrap();
        let mut out = Vec::new();
        write
            .execute(&insert(), &values(3, Some("c"), None, None), None, &mut out)
            .await
            .unwrap();
        drop(write);
        let mut write = world.source.begin(None).await.unwrap();
        write.execute(&seen, &[], None, &mut Vec::new()).await.unwrap();
        write.rollback().await.unwrap();
        assert_eq!(world.value("select count(*) from t").await, "2");
        // Sessions are read-only again.
        let read = statement(
            "select current_setting('transaction_read_only')",
            0,
            object(&[("r", Codec::Text)]),
        );
        assert_eq!(world.read(&read, &[]).await.unwrap(), "[{\"r\":\"on\"}]");
    }
}

#[tokio::test]
async fn violations_in_hasuras_words() {
    let world = World::new("pg_write_errors");
    world.sql(TABLES).await;
    world.sql("insert into t values (1, 'a')").await;
    let failing = async |id: i32, name: Option<&str>, mood: Option<&str>, parent: Option<i32>| -> Error {
        let mut write = world.source.begin(None).await.unwrap();
        let mut out = b"kept".to_vec();
        let result = write
            .execute(&insert(), &values(id, name, mood, parent), None, &mut out)
            .await;
        assert_eq!(out.get(..4), Some(b"kept".as_slice()));
        match result {
            Err(error) => error,
            Ok(()) => write.commit().await.unwrap_err(),
        }
    };
    let told = |error: &Error| {
        let told = error.told(Expect::Write);
        (told.status, told.code, told.message)
    };
    assert_eq!(
        told(&failing(1, Some("x"), None, None).await),
        (
            400,
            Code::ConstraintViolation,
            "Uniqueness violation. duplicate key value violates unique constraint \"t_pkey\"".to_owned()
        )
    );
    assert_eq!(
        told(&failing(2, None, None, None).await),
        (
            400,
            Code::ConstraintViolation,
            "Not-NULL violation. null value in column \"name\" of relation \"t\" violates not-null constraint".to_owned()
        )
    );
    assert_eq!(
        told(&failing(100, Some("x"), None, None).await),
        (
            400,
            Code::PermissionError,
            "Check constraint violation. new row for relation \"t\" violates check constraint \"low\""
                .to_owned()
        )
    );
    // Deferred: shows at commit.
    assert_eq!(
        told(&failing(3, Some("x"), None, Some(9)).await),
        (
            400,
            Code::ConstraintViolation,
            "Foreign key violation. insert or update on table \"t\" violates foreign key constraint \"t_parent_fkey\"".to_owned()
        )
    );
    let error = failing(4, Some("x"), Some("glad"), None).await;
    assert_eq!(
        told(&error),
        (
            400,
            Code::DataException,
            "invalid input value for enum mood: \"glad\"".to_owned()
        )
    );
    assert_eq!(world.value("select count(*) from t").await, "1");
}

#[tokio::test]
async fn a_transaction_that_only_began_can_begin_again() {
    let world = World::with("pg_write_again", |member| member.pool.max_connections = 4);
    world.sql("create table t (a int)").await;
    let insert = statement(
        "with new as (insert into t select 1 returning *) select * from new",
        0,
        object(&[("a", Codec::Int4)]),
    );
    let write = async || {
        let mut write = world.source.begin(Some("{}")).await.unwrap();
        let mut out = Vec::new();
        write.execute(&insert, &[], None, &mut out).await.unwrap();
        write.execute(&insert, &[], None, &mut out).await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "[{\"a\":1}][{\"a\":1}]");
    };
    write().await;
    // The prepared statement is stale, then the connection is gone.
    world.sql("alter table t add column b int").await;
    write().await;
    let kill = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity \
                where datname = current_database() and pid <> pg_backend_pid()";
    assert_ne!(world.value(kill).await, "0");
    write().await;
    world.source.begin(None).await.unwrap().commit().await.unwrap();
    assert_eq!(world.value("select count(*) from t").await, "6");
}

#[tokio::test]
async fn serialization_failures_are_told() {
    let world = World::with("pg_write_serializable", |member| {
        member.isolation_level = pg::IsolationLevel::RepeatableRead;
    });
    world
        .sql("create table n (v int); insert into n values (1)")
        .await;
    let update = statement(
        "with new as (update n set v = v + 1 returning v) select v from new",
        0,
        object(&[("v", Codec::Int4)]),
    );
    let (mut one, mut two) = (
        world.source.begin(None).await.unwrap(),
        world.source.begin(None).await.unwrap(),
    );
    let look = statement("select v from n", 0, object(&[("v", Codec::Int4)]));
    two.execute(&look, &[], None, &mut Vec::new()).await.unwrap();
    one.execute(&update, &[], None, &mut Vec::new()).await.unwrap();
    one.commit().await.unwrap();
    let error = two
        .execute(&update, &[], None, &mut Vec::new())
        .await
        .unwrap_err();
    let told = error.told(Expect::Write);
    assert_eq!(
        (told.status, told.code, told.message.as_str()),
        (
            400,
            Code::ConcurrentUpdate,
            "serialization failure due to concurrent update"
        )
    );
}
