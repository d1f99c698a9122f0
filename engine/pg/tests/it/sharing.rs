//! Writes that share connections: each a transaction by itself, each of one user.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pg::{Code, Error, Expect};
use sql::Statement;
use sql::shape::Codec;

use crate::world::{World, object, statement};
use crate::writing::all;

/// Whatever does not come by then never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Notes who writes it; a name that is there fails.
const NOTES: &str =
    "create table note (name text primary key, u text default current_setting('hasura.user', true))";

fn note() -> Statement {
    statement(
        "insert into note (name) values ($1::text) returning name, u",
        1,
        object(&[("name", Codec::Text), ("u", Codec::Text)]),
    )
}

/// Runs a write alone, on a shared connection or, where that is not possible, on one of its own; says which, too.
async fn alone(
    source: &pg::Source,
    user: &str,
    statement: &Statement,
    value: &str,
) -> (bool, Result<String, Error>) {
    let values = [Some(value.to_owned())];
    let mut out = Vec::new();
    if let Some(result) = source.write_alone(statement, &values, user, &mut out).await {
        let answer = result.map(|()| String::from_utf8(out).unwrap());
        return (true, answer.map_err(|failed| failed.error));
    }
    let mut write = match source.begin(Some(user)).await {
        Ok(write) => write,
        Err(error) => return (false, Err(error)),
    };
    let answer = all(&mut write, &[statement], &values, true).await;
    (false, answer.map_err(|failed| failed.error))
}

/// Writes until writes of this user share a connection; gives what such a one was answered.
async fn until_shared(source: &pg::Source, user: &str, statement: &Statement) -> String {
    let began = Instant::now();
    let mut number = 0;
    loop {
        let (shared, answer) = alone(source, user, statement, &format!("{user} {number}")).await;
        match answer {
            Ok(answer) if shared => return answer,
            // A connection that was killed and does not know it yet.
            Ok(_) | Err(Error::Lost(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert!(began.elapsed() < PATIENCE, "never shared");
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_that_share_a_connection_fail_each_for_itself() {
    let world = World::with("pg_alone", |member| member.pool.max_connections = 16);
    world.sql(NOTES).await;
    let note = note();
    until_shared(&world.source, "a", &note).await;
    let before: usize = world.value("select count(*) from note").await.parse().unwrap();
    let tasks: Vec<_> = (0..400)
        .map(|number| {
            let (source, note) = (world.source.clone(), note.clone());
            // Every name comes twice, from two users.
            let (user, name) = (if number % 2 == 0 { "a" } else { "b" }, number / 2);
            tokio::spawn(async move { (user, name, alone(&source, user, &note, &format!("n{name}")).await) })
        })
        .collect();
    let (mut written, mut refused, mut shared) = (0, 0, 0);
    for task in tasks {
        let (user, name, (on_shared, answer)) = task.await.unwrap();
        shared += usize::from(on_shared);
        match answer {
            Ok(answer) => {
                assert_eq!(answer, format!("[{{\"name\":\"n{name}\",\"u\":\"{user}\"}}]"));
                written += 1;
            }
            Err(error) => {
                assert_eq!(error.told(Expect::Write).code, Code::ConstraintViolation);
                refused += 1;
            }
        }
    }
    assert_eq!((written, refused), (200, 200));
    assert!(shared > 0);
    assert_eq!(
        world.value("select count(*) from note").await,
        (before + 200).to_string()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_a_shared_connection_takes_nobody_along() {
    let world = World::with("pg_alone_leaves", |member| member.pool.max_connections = 16);
    world.sql(NOTES).await;
    let note = note();
    until_shared(&world.source, "a", &note).await;
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let (source, note) = (world.source.clone(), note.clone());
            tokio::spawn(async move {
                let name = format!("n{number}");
                let write = alone(&source, "a", &note, &name);
                if number % 2 == 0 {
                    return Some(write.await.1.unwrap());
                }
                // Polled a few times and dropped.
                let polls = number % 5;
                let mut write = std::pin::pin!(write);
                for _ in 0..polls {
                    if futures_util::poll!(write.as_mut()).is_ready() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                None
            })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        if let Some(answer) = task.await.unwrap() {
            assert_eq!(answer, format!("[{{\"name\":\"n{number}\",\"u\":\"a\"}}]"));
        }
    }
    // Their places are free again.
    world.sql("delete from note where name like 'a %'").await;
    until_shared(&world.source, "a", &note).await;
    let acknowledged = "select count(*) from note where name ~ '^n[0-9]*[02468]$'";
    assert_eq!(world.value(acknowledged).await, "100");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_waits_for_a_lock_holds_up_no_new_ones() {
    let world = World::with("pg_alone_locked", |member| member.pool.max_connections = 16);
    world
        .sql("create table n (id text primary key, v int default 0); insert into n values ('locked'), ('free')")
        .await;
    let touch = statement(
        "update n set v = v + 1 where id in ($1::text, split_part($1::text, ' ', 1)) returning id",
        1,
        object(&[("id", Codec::Text)]),
    );
    until_shared(&world.source, "free", &touch).await;
    let lock = statement(
        "update n set v = v where id = 'locked' returning id",
        0,
        object(&[("id", Codec::Text)]),
    );
    let mut holds = world.source.begin(Some("a")).await.unwrap();
    all(&mut holds, &[&lock], &[], false).await.unwrap();
    let waits = {
        let (source, touch) = (world.source.clone(), touch.clone());
        tokio::spawn(async move { alone(&source, "free", &touch, "locked").await })
    };
    // What is sent behind it, on the same connections, gets through before the lock is free.
    let behind: Vec<_> = (0..40)
        .map(|_| {
            let (source, touch) = (world.source.clone(), touch.clone());
            tokio::spawn(async move { alone(&source, "free", &touch, "free").await })
        })
        .collect();
    for write in behind {
        let write = tokio::time::timeout(Duration::from_secs(60), write).await;
        assert_eq!(write.unwrap().unwrap().1.unwrap(), "[{\"id\":\"free\"}]");
    }
    assert!(!waits.is_finished());
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' \
                   and clock_timestamp() - state_change > '200 ms'";
    let began = Instant::now();
    while world.value(waiting).await != "1" {
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    for _ in 0..100 {
        let (_, answer) = alone(&world.source, "free", &touch, "free").await;
        assert_eq!(answer.unwrap(), "[{\"id\":\"free\"}]");
    }
    assert!(!waits.is_finished());
    holds.commit().await.unwrap();
    assert_eq!(waits.await.unwrap().1.unwrap(), "[{\"id\":\"locked\"}]");
}

/// Every connection to the database but the one that says so.
const KILL: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
                    where datname = current_database() and pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_connection_had_in_flight_is_done_once_or_not_at_all() {
    let world = World::with("pg_alone_killed", |member| member.pool.max_connections = 16);
    world.sql("create table hit (name text)").await;
    let hit = statement(
        "insert into hit select $1::text from pg_sleep(0.001) returning name",
        1,
        object(&[("name", Codec::Text)]),
    );
    until_shared(&world.source, "a", &hit).await;
    let mut answers = Vec::new();
    for round in 0..5 {
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let (source, hit) = (world.source.clone(), hit.clone());
                tokio::spawn(async move {
                    let name = format!("{round}-{number}");
                    let (_, answer) = alone(&source, "a", &hit, &name).await;
                    (name, answer)
                })
            })
            .collect();
        world.sql(KILL).await;
        for task in tasks {
            answers.push(tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap());
        }
    }
    let mut times: HashMap<String, usize> = HashMap::new();
    let pg::SqlResult::TuplesOk(rows) = world.sql("select name from hit").await else {
        panic!("no rows");
    };
    for row in rows.into_iter().skip(1) {
        *times.entry(row[0].clone()).or_default() += 1;
    }
    assert_eq!(answers.len(), 500);
    for (name, answer) in answers {
        let times = times.get(&name).copied().unwrap_or(0);
        match answer {
            Ok(answer) => {
                assert_eq!(answer, format!("[{{\"name\":\"{name}\"}}]"));
                assert_eq!(times, 1, "{name}");
            }
            // It may have been done all the same, but not twice.
            Err(error) => assert!(times <= 1, "{name}: {error}"),
        }
    }
    until_shared(&world.source, "a", &hit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_whose_columns_changed_is_prepared_again() {
    let world = World::with("pg_alone_stale", |member| member.pool.max_connections = 16);
    world
        .sql("create table n (name text, v int); insert into n values ('x', 0)")
        .await;
    let rise = statement(
        "with new as (update n set v = v + 1 where $1::text <> '' returning *) select * from new",
        1,
        object(&[("name", Codec::Text), ("v", Codec::Int4)]),
    );
    let look = statement(
        "select * from n",
        0,
        object(&[("name", Codec::Text), ("v", Codec::Int4)]),
    );
    until_shared(&world.source, "a", &rise).await;
    let mut v: i32 = world.value("select v from n").await.parse().unwrap();
    let says = |v: i32| format!("[{{\"name\":\"x\",\"v\":{v}}}]");
    for change in [
        "add column a int",
        "drop column a",
        "add column b text",
        "drop column b",
    ] {
        for _ in 0..20 {
            assert_eq!(world.read(&look, &[]).await.unwrap(), says(v));
        }
        world.sql(&format!("alter table n {change}")).await;
        // Twice as often as there are connections.
        for _ in 0..8 {
            v += 1;
            let (_, answer) = alone(&world.source, "a", &rise, "x").await;
            assert_eq!(answer.unwrap(), says(v), "{change}");
            assert_eq!(world.read(&look, &[]).await.unwrap(), says(v), "{change}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_take_a_connection_over_and_each_is_itself() {
    // Few enough for one connection that writes share.
    let world = World::with("pg_alone_users", |member| member.pool.max_connections = 8);
    world
        .sql("create table note (name text, u text default current_setting('hasura.user', true), p int default pg_backend_pid())")
        .await;
    let note = statement(
        "insert into note (name) values ($1::text) returning u, p",
        1,
        object(&[("u", Codec::Text), ("p", Codec::Int4)]),
    );
    let mut shared_by = Vec::new();
    for user in ["a", "b", "c"] {
        let answer = until_shared(&world.source, user, &note).await;
        assert!(answer.starts_with(&format!("[{{\"u\":\"{user}\",")), "{answer}");
        shared_by.push(answer.replace(&format!("\"u\":\"{user}\""), ""));
    }
    // The same connection, not a new one for each.
    assert_eq!(shared_by[0], shared_by[1]);
    assert_eq!(shared_by[1], shared_by[2]);
    let tasks: Vec<_> = (0..300)
        .map(|number| {
            let (source, note) = (world.source.clone(), note.clone());
            let user = format!("user {}", number % 7);
            tokio::spawn(async move { (alone(&source, &user, &note, "y").await.1, user) })
        })
        .collect();
    for task in tasks {
        let (answer, user) = task.await.unwrap();
        let answer = answer.unwrap();
        assert!(answer.starts_with(&format!("[{{\"u\":\"{user}\",")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_gives_its_place_back() {
    let world = World::with("pg_places", |member| member.pool.max_connections = 12);
    world.sql(NOTES).await;
    world.sql("insert into note values ('locked')").await;
    let note = note();
    let touch = statement(
        "update note set u = 'x' where name = $1::text and pg_sleep(0.002) is not null returning name, u",
        1,
        object(&[("name", Codec::Text), ("u", Codec::Text)]),
    );
    until_shared(&world.source, "a", &note).await;
    for round in 0..4 {
        let locked = [Some("locked".to_owned())];
        // Not on a connection that was killed and does not know it yet.
        let began = Instant::now();
        let holds = loop {
            assert!(began.elapsed() < PATIENCE, "no connection");
            if let Ok(mut holds) = world.source.begin(Some("a")).await
                && all(&mut holds, &[&touch], &locked, false).await.is_ok()
            {
                break holds;
            }
        };
        let tasks: Vec<_> = (0..120)
            .map(|number| {
                let (source, note, touch) = (world.source.clone(), note.clone(), touch.clone());
                tokio::spawn(async move {
                    let name = format!("{round}-{}", number / 2);
                    let user = if number % 3 == 0 { "a" } else { "b" };
                    let work = async {
                        match number % 4 {
                            // The second of a name fails.
                            0 | 1 => drop(alone(&source, user, &note, &name).await),
                            // Waits for the lock.
                            2 => drop(alone(&source, user, &touch, "locked").await),
                            _ => {
                                let Ok(mut write) = source.begin(Some(user)).await else {
                                    return;
                                };
                                let values = [Some(name.clone())];
                                let _ = all_or_error(&mut write, &note, &values).await;
                                if number % 8 == 3 {
                                    let _ = write.commit().await;
                                }
                            }
                        }
                    };
                    if number % 5 == 0 || number % 4 == 2 {
                        let limit = Duration::from_millis(number % 30);
                        let _ = tokio::time::timeout(limit, work).await;
                    } else {
                        work.await;
                    }
                })
            })
            .collect();
        if round % 2 == 1 {
            world.sql(KILL).await;
        }
        drop(holds);
        for task in tasks {
            tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
        }
    }
    // What was given up is still being cancelled.
    let began = Instant::now();
    let figures = || world.source.metrics().into_iter().next().unwrap().pool;
    while figures().connections != figures().idle || figures().waiting > 0 {
        assert!(began.elapsed() < PATIENCE, "{:?}", figures());
        tokio::task::yield_now().await;
    }
    // Six are not for reads that share; writes share one of them at most.
    let mut writes = Vec::new();
    for _ in 0..5 {
        let begun = tokio::time::timeout(PATIENCE, world.source.begin(Some("z"))).await;
        writes.push(begun.unwrap().unwrap());
    }
    drop(writes);
    until_shared(&world.source, "after", &note).await;
}

/// Runs one statement of a transaction that may have failed already.
async fn all_or_error(
    write: &mut pg::Write,
    statement: &Statement,
    values: &[Option<String>],
) -> Result<(), Error> {
    write.execute(statement, values, None, &mut Vec::new()).await
}
