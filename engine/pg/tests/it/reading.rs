//! Reads: pipelining, protection from slow neighbours, cancellation, lost connections, changed tables, limits.

use std::time::{Duration, Instant};

use pg::{Code, Error, Expect, Health, Member, Route, ServerRole, Source, SourceConfig};
use sql::Statement;
use sql::shape::{Cardinality, Codec, ValueShape};

use crate::world::{World, member, object, statement};

fn one(text: &str, parameters: u32) -> Statement {
    let mut one = statement(
        text,
        parameters,
        ValueShape::Column {
            index: 0,
            codec: Codec::Int4,
        },
    );
    one.shape.cardinality = Cardinality::OneOrNull;
    one
}

#[expect(clippy::needless_pass_by_value, reason = "numbers and texts alike")]
fn some(value: impl ToString) -> Option<String> {
    Some(value.to_string())
}

/// Runs it until it counts as short.
async fn warm(world: &World, statement: &Statement, values: &[Option<String>]) {
    for _ in 0..6 {
        world.read(statement, values).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_on_few_connections() {
    let world = World::with("pg_read_many", |member| member.pool.max_connections = 4);
    let statement = one("select $1::int4 + 1", 1);
    warm(&world, &statement, &[some(1)]).await;
    let source = &world.source;
    for _ in 0..20 {
        let reads = (0..200_i32).map(|number| {
            let (source, statement) = (source.clone(), statement.clone());
            tokio::spawn(async move {
                let mut out = b"before".to_vec();
                source
                    .read(&statement, &[some(number)], None, &mut out)
                    .await
                    .unwrap();
                assert_eq!(String::from_utf8(out).unwrap(), format!("before{}", number + 1));
            })
        });
        for read in reads.collect::<Vec<_>>() {
            read.await.unwrap();
        }
    }
    let metrics = source.metrics()[0].pool;
    assert!(metrics.wait.count() >= metrics.statements, "{metrics:?}");
    assert!(metrics.connect.count() == metrics.connects + metrics.connect_errors);
    assert!(metrics.connects <= 4 && metrics.connections <= 4, "{metrics:?}");
    assert!(metrics.statements >= 4006 && metrics.statement_errors == 0);
    assert_eq!(
        world
            .value("select count(*) < 6 from pg_stat_activity where datname = current_database()")
            .await,
        "t"
    );
}

#[tokio::test]
async fn sessions_are_read_only_and_in_utc() {
    for prepared in [true, false] {
        let world = World::with("pg_read_session", |member| {
            member.use_prepared_statements = prepared;
            member.isolation_level = pg::IsolationLevel::RepeatableRead;
        });
        world.sql("create table t (a int); create function f() returns int language sql as 'insert into t values (1) returning a'").await;
        let show = |name: &str| {
            statement(
                &format!("select current_setting('{name}')"),
                0,
                ValueShape::Column {
                    index: 0,
                    codec: Codec::Text,
                },
            )
        };
        assert_eq!(
            world.read(&show("transaction_read_only"), &[]).await.unwrap(),
            "[\"on\"]"
        );
        assert_eq!(
            world.read(&show("transaction_isolation"), &[]).await.unwrap(),
            "[\"repeatable read\"]"
        );
        assert_eq!(world.read(&show("TimeZone"), &[]).await.unwrap(), "[\"UTC\"]");
        let error = world.read(&one("select f()", 0), &[]).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("25006"));
        // The connection is good for the next one.
        assert_eq!(world.read(&one("select 1", 0), &[]).await.unwrap(), "1");
        assert!(world.source.pins_time_zone());
    }
}

#[tokio::test]
async fn unnamed_statements_leave_nothing_behind() {
    let world = World::with("pg_read_unnamed", |member| {
        member.use_prepared_statements = false;
        member.pool.max_connections = 1;
    });
    world.sql("create type mood as enum ('sad'); create table t (a int, m mood); insert into t values (1, 'sad'), (2, null)").await;
    let read = statement(
        "select a, m, array(select row(t2.m) from t t2 order by a) from t where a >= $1::int4 and m is not distinct from \
         ($2)::\"public\".\"mood\" or $2 is null order by a -- comment",
        2,
        object(&[("a", Codec::Int4), ("m", Codec::Text)]),
    );
    let json = world.read(&read, &[some(1), None]).await.unwrap();
    assert_eq!(json, "[{\"a\":1,\"m\":\"sad\"},{\"a\":2,\"m\":null}]");
    assert_eq!(
        world.read(&read, &[some(1), some("sad")]).await.unwrap(),
        "[{\"a\":1,\"m\":\"sad\"}]"
    );
    assert_eq!(
        world.read(&one("select 1 where false", 0), &[]).await.unwrap(),
        "null"
    );
    let error = world.read(&read, &[some("x"), None]).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22P02"));
    let left = one("select count(*)::int4 from pg_prepared_statements", 0);
    assert_eq!(world.read(&left, &[]).await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_read_holds_up_nobody() {
    let world = World::with("pg_read_slow", |member| member.pool.max_connections = 8);
    // Known to be short, and then is not.
    let sometimes = one(
        "select case when pg_sleep($1::float8) is null then 0 else 1 end",
        1,
    );
    warm(&world, &sometimes, &[some(0)]).await;
    let quick = one("select $1::int4", 1);
    warm(&world, &quick, &[some(1)]).await;
    let slow = (0..2).map(|_| {
        let (source, sometimes) = (world.source.clone(), sometimes.clone());
        tokio::spawn(async move {
            let mut out = Vec::new();
            source.read(&sometimes, &[some(3)], None, &mut out).await.unwrap();
        })
    });
    let slow: Vec<_> = slow.collect();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        let asked = Instant::now();
        assert_eq!(world.read(&quick, &[some(7)]).await.unwrap(), "7");
        assert!(
            asked.elapsed() < Duration::from_millis(1500),
            "{:?}",
            asked.elapsed()
        );
    }
    for slow in slow {
        slow.await.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_own_read() {
    let world = World::new("pg_read_cancel");
    let slow = one("select 1 from pg_sleep(60)", 0);
    let mut out = Vec::new();
    let read = world.source.read(&slow, &[], None, &mut out);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), read)
            .await
            .is_err()
    );
    let running = "select count(*) from pg_stat_activity where datname = current_database() and query like '%pg_sleep(60)%' \
                   and state = 'active' and pid <> pg_backend_pid()";
    let began = Instant::now();
    while world.value(running).await != "0" {
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[tokio::test]
async fn a_changed_table_is_prepared_again() {
    let world = World::with("pg_read_changed", |member| member.pool.max_connections = 4);
    world
        .sql("create table t (a text, b int); insert into t values ('x', 1)")
        .await;
    let row = || ValueShape::Column {
        index: 0,
        codec: Codec::Text,
    };
    let read = statement("select * from t", 0, row());
    warm(&world, &read, &[]).await;
    let item = Box::new(ValueShape::Column {
        index: 0,
        codec: Codec::Int4,
    });
    let nested = statement(
        "select array(select row(b) from t)",
        0,
        ValueShape::List { index: 0, item },
    );
    assert_eq!(world.read(&nested, &[]).await.unwrap(), "[[1]]");
    world.sql("alter table t alter column b type float4").await;
    // Also where the bytes would do.
    assert!(matches!(world.read(&nested, &[]).await, Err(Error::Decode(_))));
    // SQLSTATE 0A000: cached plan must not change result type.
    world.sql("alter table t add column c int").await;
    warm(&world, &read, &[]).await;
    // And where the codec does not fit any more, an error instead of nonsense.
    world.sql("alter table t alter column a type int8 using 1").await;
    assert!(matches!(world.read(&read, &[]).await, Err(Error::Decode(_))));
    world
        .sql("alter table t alter column a type text using 'z'")
        .await;
    assert_eq!(world.read(&read, &[]).await.unwrap(), "[\"z\"]");
}

#[tokio::test]
async fn killed_connections_are_replaced() {
    let world = World::with("pg_read_killed", |member| member.pool.max_connections = 6);
    let read = one("select $1::int4", 1);
    warm(&world, &read, &[some(1)]).await;
    let kill = "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity \
                where datname = current_database() and pid <> pg_backend_pid()";
    for _ in 0..5 {
        assert_ne!(world.value(kill).await, "0");
        for number in 0..5 {
            assert_eq!(
                world.read(&read, &[some(number)]).await.unwrap(),
                number.to_string()
            );
        }
        assert!(world.source.fingerprint().await.is_ok());
    }
}

#[tokio::test]
async fn discarded_statements_are_prepared_again() {
    let world = World::with("pg_read_discarded", |member| member.pool.max_connections = 1);
    let read = one("select $1::int4", 1);
    warm(&world, &read, &[some(1)]).await;
    assert!(matches!(
        world.source.check("deallocate all", Duration::from_secs(5)).await,
        Health::Ok
    ));
    assert_eq!(world.read(&read, &[some(5)]).await.unwrap(), "5");
}

#[tokio::test]
async fn limits_and_wrong_values() {
    let world = World::new("pg_read_limits");
    let rows = statement(
        "select g from generate_series(1, $1::int4) g",
        1,
        ValueShape::Column {
            index: 0,
            codec: Codec::Int4,
        },
    );
    let mut out = b"x".to_vec();
    let error = world
        .source
        .read(&rows, &[some(100_000)], Some(1000), &mut out)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1000 }));
    assert_eq!(out, b"x");
    assert!(matches!(world.read(&rows, &[]).await, Err(Error::MissingSlot(0))));
    let error = world.read(&rows, &[some("one")]).await.unwrap_err();
    let told = error.told(Expect::Read);
    assert_eq!((told.status, told.code), (400, Code::DataException));
    assert_eq!(told.message, "invalid input syntax for type integer: \"one\"");
    let error = world
        .read(
            &statement("select nonsense", 0, ValueShape::Constant(Box::default())),
            &[],
        )
        .await
        .unwrap_err();
    let told = error.told(Expect::Read);
    assert_eq!(
        (told.status, told.code, told.message.as_str()),
        (500, Code::Unexpected, "database query error")
    );
    assert_eq!(told.internal.unwrap()["statement"], "select nonsense");
    assert_eq!(world.read(&rows, &[some(2)]).await.unwrap(), "[1,2]");
}

#[tokio::test]
async fn a_database_that_is_down_shows_when_it_is_used() {
    let mut nowhere = member("postgresql://nobody:hidden-word@127.0.0.1:1/none?sslmode=disable");
    nowhere.pool.retries = 0;
    let source = Source::connect(SourceConfig {
        name: "down".to_owned(),
        primary: nowhere,
        replicas: Vec::new(),
        connection_set: Vec::new(),
    });
    let error = source
        .read(&one("select 1", 0), &[], None, &mut Vec::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Connect(_)));
    assert!(!format!("{error} {error:?} {source:?}").contains("hidden-word"));
    let told = error.told(Expect::Read);
    assert_eq!(
        (told.status, told.code.as_str(), told.message.as_str()),
        (500, "postgres-error", "connection error")
    );
    assert!(matches!(
        source.check("select 1", Duration::from_secs(5)).await,
        Health::Error(_)
    ));
    assert_eq!(source.metrics()[0].pool.connect_errors, 2);
}

/// While a password changes, between the database and the settings, those who are connected serve everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_none_can_be_opened_those_that_are_open_serve() {
    let world = World::new("pg_read_password");
    let role = format!("reader_of_{}", world.value("select current_database()").await);
    let password = |value: &str| format!("alter role \"{role}\" password '{value}'");
    world
        .sql(&format!("create role \"{role}\" login password 'one'"))
        .await;
    let server = world.url.split_once('@').unwrap().1;
    let of_role = |readers| {
        let mut primary = member(&format!("postgresql://{role}:one@{server}"));
        primary.use_prepared_statements = readers;
        Source::connect(SourceConfig {
            name: role.clone(),
            primary,
            replicas: Vec::new(),
            connection_set: Vec::new(),
        })
    };
    let (exclusive, shared) = (of_role(false), of_role(true));
    let slow = one("select 1 from pg_sleep(0.3)", 0);
    let quick = one("select $1::int4", 1);
    let read = |source: &Source, statement: &Statement, values: Vec<Option<String>>| {
        let (source, statement) = (source.clone(), statement.clone());
        tokio::spawn(async move {
            let mut out = Vec::new();
            let result = source.read(&statement, &values, None, &mut out).await;
            result.map(|()| String::from_utf8(out).unwrap())
        })
    };
    for source in [&exclusive, &shared] {
        read(source, &slow, Vec::new()).await.unwrap().unwrap();
        for number in 0..6 {
            read(source, &quick, vec![some(number)]).await.unwrap().unwrap();
        }
    }
    world.sql(&password("two")).await;
    for source in [&exclusive, &shared] {
        let before = source.metrics()[0].pool.connects;
        let reads = (0..5).flat_map(|number| {
            [
                read(source, &slow, Vec::new()),
                read(source, &quick, vec![some(number)]),
            ]
        });
        for read in reads.collect::<Vec<_>>() {
            read.await.unwrap().unwrap();
        }
        let pool = source.metrics()[0].pool;
        assert_eq!(pool.connects, before);
        assert!(
            pool.connect_errors > 0,
            "the old password opens nothing: {pool:?}"
        );
    }
    // Nobody is connected any more: that is told, at once.
    world
        .sql(&format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"
        ))
        .await;
    for source in [&exclusive, &shared] {
        let refused = read(source, &quick, vec![some(1)]).await.unwrap();
        assert!(matches!(refused, Err(Error::Connect(_))), "{refused:?}");
    }
    drop((exclusive, shared));
    world.sql(&format!("drop owned by \"{role}\"")).await;
}

#[tokio::test]
async fn the_first_host_that_will_do() {
    let world = World::with("pg_read_hosts", |member| {
        member.target.hosts.insert(0, ("127.0.0.1".to_owned(), 1));
        member.target.role = ServerRole::Primary;
    });
    assert_eq!(world.read(&one("select 1", 0), &[]).await.unwrap(), "1");
    let mut standby = member(&world.url);
    standby.target.role = ServerRole::Standby;
    standby.pool.retries = 0;
    let source = Source::connect(SourceConfig {
        name: String::new(),
        primary: standby,
        replicas: Vec::new(),
        connection_set: Vec::new(),
    });
    assert!(matches!(source.fingerprint().await, Err(Error::Connect(_))));
}

#[tokio::test]
async fn waiting_ends() {
    let world = World::with("pg_read_waiting", |member| {
        member.pool.max_connections = 1;
        member.pool.pool_timeout = Some(Duration::from_millis(50));
    });
    let held = world.source.begin(None).await.unwrap();
    assert!(matches!(
        world.read(&one("select 1", 0), &[]).await,
        Err(Error::PoolTimeout)
    ));
    let wait = world.source.metrics()[0].pool.wait;
    assert!(wait.counts[3..].iter().sum::<u64>() >= 1, "{wait:?}");
    held.rollback().await.unwrap();
    assert_eq!(world.read(&one("select 1", 0), &[]).await.unwrap(), "1");
}

#[tokio::test]
async fn looks_do_not_wait_for_requests() {
    let world = World::with("pg_looks", |member| member.pool.max_connections = 1);
    world.sql("create table mood (value text primary key)").await;
    let held = world.source.begin(None).await.unwrap();
    let limit = Duration::from_secs(60);
    let name = schema::catalog::QualifiedName {
        schema: "public".to_owned(),
        name: "mood".to_owned(),
    };
    let looks = async {
        assert!(matches!(world.source.check("select 1", limit).await, Health::Ok));
        let fingerprint = world.source.fingerprint().await.unwrap();
        assert_eq!(world.source.introspect().await.unwrap().fingerprint, fingerprint);
        assert_eq!(world.source.enum_values(&name, "value", None).await.unwrap(), []);
    };
    tokio::time::timeout(limit, looks).await.unwrap();
    assert_eq!(world.source.metrics()[0].pool.waiting, 0);
    drop(held);
}

/// As many as may wait do; who comes then is told so at once.
#[tokio::test]
async fn not_all_may_wait() {
    const MOST: u64 = 10_000;
    let world = World::with("pg_read_crowd", |member| {
        member.pool.max_connections = 1;
    });
    let held = world.source.begin(None).await.unwrap();
    let read = || {
        let source = world.source.clone();
        tokio::spawn(async move { source.read(&one("select 1", 0), &[], None, &mut Vec::new()).await })
    };
    let waiting: Vec<_> = (0..MOST).map(|_| read()).collect();
    let figures = || world.source.metrics()[0].pool;
    let deadline = Instant::now() + Duration::from_secs(60);
    while figures().waiting < MOST {
        assert!(Instant::now() < deadline, "{:?}", figures());
        tokio::task::yield_now().await;
    }
    let error = read().await.unwrap().unwrap_err();
    let told = error.told(Expect::Read);
    assert_eq!(
        (told.status, told.code.as_str(), told.message.as_str()),
        (
            500,
            "connection-not-established",
            "too many statements wait for a database connection"
        )
    );
    assert_eq!((figures().waiting, figures().turned_away), (MOST, 1));
    held.rollback().await.unwrap();
    for read in waiting {
        read.await.unwrap().unwrap();
    }
    assert_eq!((figures().waiting, figures().turned_away), (0, 1));
}

#[tokio::test]
async fn health_checks() {
    let world = World::new("pg_read_health");
    let check = async |text: &str, millis: u64| world.source.check(text, Duration::from_millis(millis)).await;
    assert!(matches!(check("select 1", 5000).await, Health::Ok));
    assert!(matches!(check("select nope", 5000).await, Health::Failed(_)));
    assert!(matches!(check("select pg_sleep(30)", 50).await, Health::Timeout));
}

#[tokio::test]
async fn reads_go_to_replicas_and_keyed_rows_apart() {
    let (one_database, two) = (World::new("pg_read_primary"), World::new("pg_read_replica"));
    let config = SourceConfig {
        name: "both".to_owned(),
        primary: member(&one_database.url),
        replicas: vec![member(&two.url)],
        connection_set: Vec::new(),
    };
    let source = Source::connect(config);
    let name = statement(
        "select current_database()",
        0,
        ValueShape::Column {
            index: 0,
            codec: Codec::Text,
        },
    );
    let (mut replica, mut primary) = (Vec::new(), Vec::new());
    source.read(&name, &[], None, &mut replica).await.unwrap();
    source.read_primary(&name, &[], None, &mut primary).await.unwrap();
    assert!(String::from_utf8(replica).unwrap().contains("replica"));
    assert!(String::from_utf8(primary).unwrap().contains("primary"));

    let keyed = statement(
        "select k::text, k * 2 from unnest($1::int4[]) k order by k",
        1,
        ValueShape::Column {
            index: 1,
            codec: Codec::Int4,
        },
    );
    let rows = source
        .read_keyed(&keyed, &[some("{1,2}")], Some(10))
        .await
        .unwrap();
    assert_eq!(
        rows,
        [("1".to_owned(), b"2".to_vec()), ("2".to_owned(), b"4".to_vec())]
    );
    let plan = source.explain(&keyed, &[some("{1}")]).await.unwrap();
    assert!(plan.join("\n").contains("Function Scan on unnest"), "{plan:?}");
}

#[tokio::test]
async fn routes_lead_to_members() {
    let all = ["pg_route_primary", "pg_route_replica", "pg_route_member"].map(World::new);
    let named = |world: &World, label: &str| Member {
        label: label.to_owned(),
        ..member(&world.url)
    };
    let [primary, replica, other] = &all;
    let source = Source::connect(SourceConfig {
        name: "routed".to_owned(),
        primary: named(primary, "one"),
        replicas: vec![named(replica, "two"), named(replica, "two")],
        connection_set: vec![("other".to_owned(), named(other, "three"))],
    });
    let name = statement(
        "select current_database()",
        0,
        ValueShape::Column {
            index: 0,
            codec: Codec::Text,
        },
    );
    let reached = async |route: Route| {
        let source = source.via(&route).unwrap();
        let (mut read, mut written) = (Vec::new(), Vec::new());
        source.read(&name, &[], None, &mut read).await.unwrap();
        source.read_primary(&name, &[], None, &mut written).await.unwrap();
        [read, written].map(|text| {
            let text = String::from_utf8(text).unwrap();
            ["primary", "replica", "member"]
                .into_iter()
                .find(|end| text.contains(&format!("route_{end}")))
                .unwrap()
        })
    };
    assert_eq!(reached(Route::Default).await, ["replica", "primary"]);
    assert_eq!(reached(Route::Primary).await, ["primary", "primary"]);
    assert_eq!(reached(Route::ReadReplicas).await, ["replica", "replica"]);
    assert_eq!(
        reached(Route::Member("other".to_owned())).await,
        ["member", "member"]
    );
    assert!(source.via(&Route::Member("none".to_owned())).is_none());
    assert!(primary.source.via(&Route::ReadReplicas).is_none());
    // Two replicas under one label are one series.
    let figures: Vec<(String, &str)> = source
        .metrics()
        .into_iter()
        .map(|member| (member.label, member.role.as_str()))
        .collect();
    assert_eq!(
        figures,
        [
            ("one".into(), "primary"),
            ("two".into(), "replica"),
            ("three".into(), "primary")
        ]
    );
}

/// Callers run these in tasks on several threads.
#[test]
fn futures_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    async fn all(source: Source, statement: Statement) {
        let mut out = Vec::new();
        let _ = source.read(&statement, &[], None, &mut out).await;
        let _ = source.read_keyed(&statement, &[], None).await;
        let _ = source.explain(&statement, &[]).await;
        let _ = source.introspect().await;
        let _ = source.fingerprint().await;
        let name = schema::catalog::QualifiedName {
            schema: String::new(),
            name: String::new(),
        };
        let _ = source.enum_values(&name, "a", Some("b")).await;
        let _ = source.check("select 1", Duration::from_secs(1)).await;
        if let Ok(mut run) = source.run_sql(pg::RunSqlMode::ReadOnly).await {
            let _ = run.execute("").await;
            let _ = run.introspect().await;
            let _ = run.commit().await;
        }
        if let Ok(mut write) = source.begin(None).await {
            let _ = write.execute(&statement, &[], None, &mut out).await;
            let _ = write.commit().await;
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _guard = runtime.enter();
    let config = SourceConfig {
        name: String::new(),
        primary: member("postgresql://x"),
        replicas: Vec::new(),
        connection_set: Vec::new(),
    };
    movable(&all(Source::connect(config), one("select 1", 0)));
}
