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

/// Statements that answer, and their values one after the other.
pub(crate) async fn all(
    write: &mut pg::Write,
    statements: &[&Statement],
    values: &[Option<String>],
    commit: bool,
) -> Result<String, pg::Failed> {
    let works: Vec<pg::Work<'_>> = statements
        .iter()
        .map(|statement| pg::Work {
            statement,
            answers: true,
        })
        .collect();
    let (mut out, mut ends) = (Vec::new(), Vec::new());
    let result = write
        .execute_all(&works, values, None, commit, &mut out, &mut ends)
        .await;
    assert_eq!(ends.len(), if result.is_ok() { works.len() } else { 0 });
    result.map(|()| String::from_utf8(out).unwrap())
}

/// `(id, name, mood, parent)` of constant values.
fn row(id: i32, rest: &str) -> Statement {
    let text = format!("with new as (insert into t values ({id}, {rest}) returning id) select id from new");
    statement(&text, 0, object(&[("id", Codec::Int4)]))
}

#[tokio::test]
async fn an_error_in_the_middle_undoes_everything_and_the_connection_goes_on() {
    for prepared in [true, false] {
        // One connection to write on: whatever an error leaves behind would show.
        let world = World::with("pg_pipeline", |member| {
            member.use_prepared_statements = prepared;
            member.pool.max_connections = 2;
        });
        world.sql(TABLES).await;
        let (first, second, third) = (row(1, "'a'"), row(2, "null"), row(3, "'c'"));
        let deferred = row(5, "'d', null, 99");
        for commit in [true, false] {
            for (statements, position) in [
                (vec![&first, &second, &third], 1),
                (vec![&second, &first], 0),
                (vec![&second], 0),
                (vec![&first, &first], 1),
            ] {
                let mut write = world.source.begin(Some("{}")).await.unwrap();
                let failed = all(&mut write, &statements, &[], commit).await.unwrap_err();
                assert_eq!(failed.position, position);
                assert!(matches!(failed.error, Error::Database(_)), "{failed:?}");
                drop(write);
            }
        }
        // What is only seen at the end is told as the end's, by one statement as by several.
        for statements in [vec![&deferred], vec![&first, &deferred]] {
            let mut write = world.source.begin(Some("{}")).await.unwrap();
            let failed = all(&mut write, &statements, &[], true).await.unwrap_err();
            assert_eq!(failed.position, statements.len());
        }
        assert_eq!(world.value("select count(*) from t").await, "0");
        let mut write = world.source.begin(Some("{}")).await.unwrap();
        assert_eq!(
            all(&mut write, &[&first, &third], &[], true).await.unwrap(),
            "[{\"id\":1}][{\"id\":3}]"
        );
        drop(write);
        let mut write = world.source.begin(Some("{}")).await.unwrap();
        assert_eq!(
            all(&mut write, &[&row(4, "'x'")], &[], true).await.unwrap(),
            "[{\"id\":4}]"
        );
        drop(write);
        assert_eq!(world.value("select count(*) from t").await, "3");
    }
}

#[tokio::test]
async fn a_statement_by_itself_fails_to_serialize_and_the_connection_goes_on() {
    let world = World::with("pg_pipeline_serializable", |member| {
        member.isolation_level = pg::IsolationLevel::Serializable;
        member.pool.max_connections = 4;
    });
    world
        .sql("create table n (v int); insert into n values (1)")
        .await;
    let update = statement(
        "with new as (update n set v = v + 1 returning v) select v from new",
        0,
        object(&[("v", Codec::Int4)]),
    );
    let look = statement("select v from n", 0, object(&[("v", Codec::Int4)]));
    // A transaction that has seen the row before another one changes it.
    let mut late = world.source.begin(Some("{}")).await.unwrap();
    all(&mut late, &[&look], &[], false).await.unwrap();
    let mut write = world.source.begin(Some("{}")).await.unwrap();
    assert_eq!(
        all(&mut write, &[&update], &[], true).await.unwrap(),
        "[{\"v\":2}]"
    );
    let failed = all(&mut late, &[&update], &[], true).await.unwrap_err();
    assert_eq!(failed.error.told(Expect::Write).code, Code::ConcurrentUpdate);
    drop((late, write));
    for expected in ["[{\"v\":3}]", "[{\"v\":4}]", "[{\"v\":5}]"] {
        let mut write = world.source.begin(Some("{}")).await.unwrap();
        assert_eq!(all(&mut write, &[&update], &[], true).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn each_write_is_its_users_and_no_read_is_anyones() {
    let world = World::with("pg_pipeline_user", |member| {
        // One connection beside the one that reads share.
        member.pool.max_connections = 2;
    });
    world
        .sql(
            "create table who (u text, read_only text); \
             create function rise() returns trigger language plpgsql as $$ begin \
               if new.u like '%wrong%' then raise exception 'no'; end if; return new; end $$; \
             create trigger rise before insert on who for each row execute function rise()",
        )
        .await;
    let note = statement(
        "with new as (insert into who select current_setting('hasura.user', true), \
         current_setting('default_transaction_read_only') returning u) select u from new",
        0,
        object(&[("u", Codec::Text)]),
    );
    let write = async |user: Option<&str>, trace: Option<&str>, statements: &[&Statement]| {
        let write = world.source.begin(user).await.unwrap();
        let mut write = write.with_trace_context(trace);
        all(&mut write, statements, &[], true).await
    };
    let says = |user: &str| format!("[{{\"u\":\"{user}\"}}]");
    for _ in 0..2 {
        assert_eq!(write(Some("one"), None, &[&note]).await.unwrap(), says("one"));
        assert_eq!(write(Some("one"), None, &[&note]).await.unwrap(), says("one"));
        assert_eq!(write(Some("two"), None, &[&note]).await.unwrap(), says("two"));
        assert_eq!(
            write(Some("three"), Some("{}"), &[&note]).await.unwrap(),
            says("three")
        );
        assert_eq!(write(Some("two"), None, &[&note]).await.unwrap(), says("two"));
        assert_eq!(write(None, None, &[&note]).await.unwrap(), says(""));
        // Its failure does not undo what is remembered of the session.
        assert!(write(Some("wrong"), None, &[&note]).await.is_err());
        assert!(write(Some("wrong"), None, &[&note, &note]).await.is_err());
        assert_eq!(
            write(Some("four"), None, &[&note, &note]).await.unwrap(),
            says("four").repeat(2)
        );
        // The connection that wrote is not one for reads as it is.
        let read = statement(
            "select current_setting('hasura.user', true) as u, current_setting('transaction_read_only') as r",
            0,
            object(&[("u", Codec::Text), ("r", Codec::Text)]),
        );
        let answer = world.read(&read, &[]).await.unwrap();
        assert!(
            answer == "[{\"u\":null,\"r\":\"on\"}]" || answer == "[{\"u\":\"\",\"r\":\"on\"}]",
            "{answer}"
        );
    }
}
