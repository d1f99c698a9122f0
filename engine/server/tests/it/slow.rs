//! Databases that are well and take their time: what is asked of them comes, and what is refused anyway does not wait for them.

use std::time::{Duration, Instant};

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::Server;
use crate::silent::soon;
use crate::wait::pause;
use crate::way::{OF_CATALOGS, Way};

/// Longer than anybody's change waits for a catalog that others asked for.
const LONG: Duration = Duration::from_secs(6);

/// Longer than anybody's change waits for the rows of enum tables.
const LONG_FOR_ROWS: Duration = Duration::from_secs(3);

struct World {
    server: Server,
    way: Way,
    _databases: [TestDatabase; 2],
}

impl World {
    /// The source `far` is reached by a way that is open.
    fn new(name: &str) -> Self {
        let databases = ["near", "far"].map(|which| TestDatabase::create(&format!("{name}_{which}")));
        let way = Way::closed(&databases[1]);
        way.is_open(true);
        let world = Self {
            server: Server::start(&databases[0], &[]),
            way,
            _databases: databases,
        };
        world.accepted("pg_add_source", &far(&world.way));
        world
    }

    fn command(&self, name: &str, arguments: &Value) -> (u16, Value) {
        let command = json!({"type": name, "args": arguments});
        self.server.json("/v1/metadata", &[], &command)
    }

    fn accepted(&self, name: &str, arguments: &Value) {
        let (status, answer) = self.command(name, arguments);
        assert_eq!(status, 200, "{name}: {answer}");
    }

    fn run_sql(&self, sql: &str) {
        let arguments = json!({"source": "far", "sql": sql});
        let command = json!({"type": "run_sql", "args": arguments});
        self.server.accepted("/v2/query", &command);
    }

    /// So many statements wait, and have for so long.
    fn held(&self, count: usize, time: Duration) {
        let begun = Instant::now();
        while self.way.held() < count {
            assert!(begun.elapsed() < Duration::from_secs(60), "{count} held");
            pause();
        }
        let held = Instant::now();
        while held.elapsed() < time {
            pause();
        }
    }
}

fn far(way: &Way) -> Value {
    json!({"name": "far", "configuration": {"connection_info": {"database_url": way.url}}})
}

#[test]
fn a_table_that_was_just_made_in_a_large_database_is_tracked() {
    let world = World::new("slow_catalog");
    world.way.holds(Some(OF_CATALOGS));
    world.run_sql("create table album (id int primary key)");
    let track = json!({"source": "far", "table": "album"});
    std::thread::scope(|scope| {
        let tracking = scope.spawn(|| world.command("pg_track_table", &track));
        // Whoever follows the catalogs reads it as well.
        world.held(2, Duration::ZERO);
        soon("another command", || {
            world.accepted(
                "create_query_collection",
                &json!({"name": "some", "definition": {"queries": []}}),
            );
        });
        world.held(2, LONG);
        assert!(!tracking.is_finished(), "it waits for the catalog");
        let (_, health) = world.server.send("GET", "/healthz/sources", &[], "");
        let health: Value = serde_json::from_str(&health).unwrap();
        assert_eq!(health["far"]["status"], "OK", "{health}");
        world.way.holds(None);
        let (status, answer) = tracking.join().unwrap();
        assert_eq!(status, 200, "{answer}");
    });
}

#[test]
fn a_document_may_bring_enum_tables_whose_rows_take_long() {
    let world = World::new("slow_rows");
    world.run_sql("create table color (value text primary key); insert into color values ('red');");
    world.way.holds(Some(b"\"color\""));
    let mut source = far(&world.way);
    source["kind"] = json!("postgres");
    source["tables"] = json!([{"table": {"schema": "public", "name": "color"}, "is_enum": true}]);
    let document = json!({"version": 3, "sources": [source]});
    std::thread::scope(|scope| {
        let replacing = scope.spawn(|| world.command("replace_metadata", &document));
        world.held(1, LONG_FOR_ROWS);
        world.way.holds(None);
        let (status, answer) = replacing.join().unwrap();
        assert_eq!(status, 200, "{answer}");
    });
}

#[test]
fn what_is_refused_anyway_asks_no_database() {
    let world = World::new("refused");
    let silent = Way::closed(&world._databases[1]);
    let add = |name: &str| {
        let mut source = far(&silent);
        source["name"] = json!(name);
        source
    };
    let refused = |name: &str, arguments: &Value, version: Option<i64>, message: &str| {
        let mut command = json!({"type": name, "args": arguments});
        if let Some(version) = version {
            command["resource_version"] = json!(version);
        }
        let begun = Instant::now();
        let (_, answer) = world.server.json("/v1/metadata", &[], &command);
        let told = answer["error"].as_str().unwrap_or_default();
        assert!(told.contains(message), "{name}: {answer}");
        // One who is asked about is waited for 15 s.
        assert!(begun.elapsed() < Duration::from_secs(12), "{name}");
    };
    refused("pg_add_source", &add("far"), None, "already exists");
    refused("pg_update_source", &add("none"), None, "does not exist");
    refused("pg_add_source", &add("new"), Some(1_000), "version");
    let document = json!({"version": 3, "sources": [add("new")], "actions": 5});
    refused("replace_metadata", &document, None, "Array");
}
