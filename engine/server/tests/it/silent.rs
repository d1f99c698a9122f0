//! A database that does not answer at all, as where packets are dropped: it costs what depends on it and nothing else.

use std::time::{Duration, Instant};

use compile::Object;
use delivery::Set;
use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::delivered::{Pod, World, object, set_of};
use crate::process::Server;
use crate::way::Way;

/// A change takes so long at most, also where there is much to do; one that waits for a silent database takes 30 s and more.
pub(crate) const SOON: Duration = Duration::from_secs(25);

/// A source with the table `album` and a permission for it.
fn source(name: &str, connection: &Value, columns: &[&str]) -> Vec<Object> {
    let table = format!("{name}-album");
    let permission = json!({"tableRef": {"name": table}, "role": "listener", "select": {"columns": columns, "filter": {}}});
    let customization =
        json!({"rootFields": {"namespace": name}, "typeNames": {"prefix": format!("{name}_")}});
    vec![
        object(
            "Source",
            name,
            &json!({"name": name, "connection": connection, "customization": customization}),
        ),
        object(
            "Table",
            &table,
            &json!({"sourceRef": {"name": name}, "table": {"name": "album"}}),
        ),
        object("Permission", &format!("{name}-listener"), &permission),
    ]
}

/// The sources `near` and `far`, of which one may be silent.
pub(crate) fn set(counter: u64, near: &[&str], far: Option<&Way>) -> Set {
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}});
    let mut objects = source("near", &url, near);
    if let Some(way) = far {
        objects.extend(source("far", &json!({"url": way.url}), &["id"]));
    }
    set_of(counter, objects)
}

pub(crate) fn soon<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = act();
    let took = begun.elapsed();
    assert!(took < SOON, "{what} took {took:?}");
    done
}

pub(crate) fn problem<'a>(told: &'a Value, name: &str) -> Option<&'a Value> {
    let problems = told["problems"].as_array().unwrap();
    problems.iter().find(|problem| problem["name"] == name)
}

pub(crate) fn state_of(told: &Value, name: &str) -> Value {
    let sources = told["sources"].as_array().unwrap();
    let source = sources.iter().find(|source| source["name"] == name).unwrap();
    source["state"].clone()
}

pub(crate) fn run_sql(database: &TestDatabase, sql: &str) {
    let server = Server::start(database, &[]);
    let command = json!({"type": "run_sql", "args": {"source": "default", "sql": sql}});
    server.accepted("/v2/query", &command);
}

#[test]
fn nobody_waits_for_a_silent_database() {
    let world = World::new("silent");
    let way = Way::closed(&world.database);
    let pod = world.pod();
    world.publish_set(set(5, &["id"], None));
    pod.served(5);

    // It comes, as a candidate and as a set.
    let answer = soon("a check of a new source", || {
        pod.check(&set(6, &["id"], Some(&way)))
    });
    let of_far = problem(&answer, "far").unwrap();
    assert_eq!(
        (&of_far["unreachable"], &of_far["message"]),
        (&json!(true), &json!("timed out"))
    );
    assert_eq!(problem(&answer, "near-listener"), None, "{answer:#}");
    soon("a new source", || {
        world.publish_set(set(6, &["id"], Some(&way)));
        pod.served(6);
    });

    // It stays silent while others change, also where something does not fit.
    for counter in [7, 8] {
        let columns: &[&str] = if counter == 7 {
            &["id", "title"]
        } else {
            &["id", "year"]
        };
        let set = set(counter, columns, Some(&way));
        let answer = soon("a check", || pod.check(&set));
        assert_eq!(
            problem(&answer, "near-listener").is_some(),
            counter == 8,
            "{answer:#}"
        );
        let report = soon("a change", || {
            world.publish_set(set);
            pod.served(counter)
        });
        assert_eq!(
            problem(&report, "near-listener").is_some(),
            counter == 8,
            "{report:#}"
        );
        assert_eq!(
            problem(&report, "far").unwrap()["unreachable"],
            true,
            "{report:#}"
        );
    }
    let secret = [("x-hasura-admin-secret", "first")];
    let (status, told) = soon("a look into catalogs", || {
        let command = json!({"type": "pg_suggest_relationships", "args": {"source": "near"}});
        pod.server.json("/v1/metadata", &secret, &command)
    });
    assert_eq!(status, 200, "{told}");
    let command = json!({"type": "get_inconsistent_metadata", "args": {}});
    let (_, told) = pod.server.json("/v1/metadata", &secret, &command);
    let objects = told["inconsistent_objects"].as_array().unwrap();
    let of_source: Vec<&Value> = objects
        .iter()
        .filter(|object| object["type"] == "source")
        .collect();
    assert_eq!(of_source.len(), 1, "{told:#}");
    assert!(
        of_source[0]["reason"].as_str().unwrap().contains("timed out"),
        "{told:#}"
    );
    run_sql(&world.database, "alter table album add column year int");
    pod.report_when("a column that came", |report| {
        problem(report, "near-listener").is_none()
    });

    // It comes in by itself, and what is known of it stays when it falls silent again.
    way.is_open(true);
    pod.report_when("the source", |report| {
        state_of(report, "far") == "Up" && report["problems"] == json!([])
    });
    way.is_open(false);
    soon("a change just after", || {
        world.publish_set(set(9, &["title"], Some(&way)));
        pod.served(9)
    });
    let report = pod.report_when("the silence", |report| state_of(report, "far") == "Down");
    assert_eq!(report["problems"], json!([]));
    let report = soon("a change later", || {
        world.publish_set(set(10, &["id"], Some(&way)));
        pod.served(10)
    });
    assert_eq!(report["problems"], json!([]));
    way.is_open(true);
    pod.report_when("the source again", |report| state_of(report, "far") == "Up");
}

/// A pod that was never ready waits for a database; one that was goes on without any.
#[test]
fn an_outage_of_all_databases_leaves_a_pod_in_service() {
    let world = World::new("outage");
    let way = Way::closed(&world.database);
    let only = |counter| set_of(counter, source("far", &json!({"url": way.url}), &["id"]));
    let pod = world.pod();
    let ready = |pod: &Pod| pod.server.send("GET", "/readyz", &[], "");
    world.publish_set(only(5));
    let report = pod.report_when("this counter", |report| report["counter"] == 5);
    assert_eq!(report["ready"], false, "{report:#}");
    let (status, page) = ready(&pod);
    assert!(
        status == 503 && page.contains("no source has answered yet"),
        "{page}"
    );

    way.is_open(true);
    pod.report_when("the source", |report| {
        report["ready"] == true && report["problems"] == json!([])
    });
    assert_eq!(ready(&pod).0, 200);

    // The outage is told of by source, and changes go on.
    way.is_open(false);
    let report = pod.report_when("the silence", |report| state_of(report, "far") == "Down");
    assert_eq!(
        (&report["ready"], &report["problems"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(ready(&pod).0, 200);
    let secret = [("x-hasura-admin-secret", "first")];
    let (_, health) = pod.server.send("GET", "/healthz/sources", &secret, "");
    assert!(health.contains("ERROR"), "{health}");
    let typename = json!({"query": "{ __typename }"});
    let (_, answer) = pod.server.json("/v1/graphql", &secret, &typename);
    assert_eq!(answer, json!({"data": {"__typename": "query_root"}}));
    soon("a change without any database", || {
        world.publish_set(only(6));
        pod.served(6)
    });
    way.is_open(true);
    pod.report_when("the source again", |report| state_of(report, "far") == "Up");
}
