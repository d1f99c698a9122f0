//! The origin `configmap` and the admin port: what the operator publishes is served, proven and kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use compile::{LastAccepted, Object, Published, Snapshot, compile};
use delivery::{Half, Set, publish};
use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::api_server::ApiServer;
use crate::process::{PATIENCE, Server, rowlock};
use crate::rotation;
use crate::socket::{Socket, TRANSPORT};
use crate::stand_in::{Issuer, StandIn};
use crate::wait::{until, within};

const TOKEN: &str = "token-of-the-operator";

/// An API server, a database with a table, and a folder for what pods keep.
pub(crate) struct World {
    pub(crate) api: ApiServer,
    pub(crate) database: TestDatabase,
    folder: PathBuf,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let database = TestDatabase::create(name);
        let server = Server::start(&database, &[]);
        let sql = "create table album (id int primary key, title text); insert into album values (1, 'Blue')";
        let (status, answer) = server.json(
            "/v2/query",
            &[],
            &json!({"type": "run_sql", "args": {"source": "default", "sql": sql}}),
        );
        assert_eq!(status, 200, "{answer}");
        drop(server);
        let folder = std::env::temp_dir().join(format!("rowlock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let api = ApiServer::start();
        std::fs::write(folder.join("kubeconfig"), api.kubeconfig()).unwrap();
        let world = Self {
            api,
            database,
            folder,
        };
        world.put_secret("first");
        world
    }

    fn secret_variable() -> String {
        compile::SecretKey {
            namespace: "shop".to_owned(),
            name: "database".to_owned(),
            key: "uri".to_owned(),
        }
        .variable()
    }

    fn put_secret(&self, admin_secret: &str) {
        self.put_secret_with(admin_secret, &[]);
    }

    /// The same with the keys of these names for tokens.
    fn put_secret_with(&self, admin_secret: &str, keys: &[&str]) {
        let keys = (!keys.is_empty()).then(|| rotation::keys(keys));
        self.put_secret_and(admin_secret, keys.as_ref());
    }

    /// The same with these JWT secrets.
    fn put_secret_and(&self, admin_secret: &str, keys: Option<&Value>) {
        let mut values = BTreeMap::from([
            (Self::secret_variable(), self.database.url()),
            ("ROWLOCK_ADMIN_TOKEN".to_owned(), TOKEN.to_owned()),
            ("HASURA_GRAPHQL_ADMIN_SECRET".to_owned(), admin_secret.to_owned()),
        ]);
        if let Some(keys) = keys {
            values.insert("HASURA_GRAPHQL_JWT_SECRETS".to_owned(), keys.to_string());
        }
        let data: BTreeMap<&String, Value> = values
            .iter()
            .map(|(name, value)| (name, base64(value.as_bytes())))
            .collect();
        self.api.put("secrets", "shop-secrets", &json!({ "data": data }));
        let mounted = self.folder.join("secrets");
        std::fs::create_dir_all(&mounted).unwrap();
        for (name, value) in values {
            std::fs::write(mounted.join(name), value).unwrap();
        }
    }

    fn publish(&self, counter: u64, columns: &[&str]) -> Set {
        self.publish_set(set(counter, columns))
    }

    pub(crate) fn publish_set(&self, set: Set) -> Set {
        let publication = publish("shop-metadata", &set, Half::A).unwrap();
        self.api
            .put("configmaps", "shop-metadata", &json!({"data": publication.data}));
        set
    }

    pub(crate) fn pod(&self) -> Pod {
        let path = |name: &str| self.folder.join(name).to_str().unwrap().to_owned();
        let variables = [
            ("KUBECONFIG", path("kubeconfig")),
            ("HOSTNAME", "shop-0".to_owned()),
            ("ROWLOCK_ORIGIN", "configmap:shop-metadata".to_owned()),
            ("ROWLOCK_STATE_DIR", path("state")),
            ("ROWLOCK_SECRETS_DIR", path("secrets")),
            ("ROWLOCK_SECRETS_NAME", "shop-secrets".to_owned()),
            ("ROWLOCK_ADMIN_PORT", "0".to_owned()),
            ("HASURA_GRAPHQL_ENABLE_METRICS", "true".to_owned()),
            ("HASURA_GRAPHQL_METRICS_SECRET", "m".to_owned()),
        ];
        let mut command = rowlock(&["serve", "--server-port", "0"]);
        let server = Server::spawn(command.envs(variables));
        let line = server.log_line("the admin address", |line| {
            line["detail"]["info"]["admin_address"].is_string()
        });
        let address = line["detail"]["info"]["admin_address"].as_str().unwrap();
        let admin_port = address.rsplit(':').next().unwrap().parse().unwrap();
        Pod { server, admin_port }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn object(kind: &str, name: &str, spec: &Value) -> Object {
    let value = json!({"apiVersion": crd::API_VERSION, "kind": kind, "spec": spec,
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "generation": 1}});
    Object::from_json(&value, "shop").unwrap()
}

/// The table `album` with one permission.
fn set(counter: u64, columns: &[&str]) -> Set {
    let url = json!({"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}});
    let permission = json!({"tableRef": {"name": "album"}, "role": "listener", "select": {"columns": columns, "filter": {}}});
    set_of(
        counter,
        vec![
            object("Source", "main", &json!({"name": "default", "connection": url})),
            object(
                "Table",
                "album",
                &json!({"sourceRef": {"name": "main"}, "table": {"name": "album"}}),
            ),
            object("Permission", "listener", &permission),
        ],
    )
}

pub(crate) fn set_of(counter: u64, objects: Vec<Object>) -> Set {
    let compiled = compile(&Snapshot::new(objects), &LastAccepted::nothing());
    for verdict in &compiled.verdicts {
        assert_eq!(verdict.refusal, None);
    }
    let objects: Vec<Value> = compiled.published.iter().map(Published::to_json).collect();
    Set {
        counter,
        metadata: compiled.document.to_text(),
        objects: Value::Array(objects).to_string(),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> Value {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let mut bits = [0_u8; 3];
        bits[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, bits[0], bits[1], bits[2]]);
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text.into()
}

pub(crate) struct Pod {
    pub(crate) server: Server,
    admin_port: u16,
}

impl Pod {
    pub(crate) fn admin(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.admin_as(&format!("Bearer {TOKEN}"), method, path, body)
    }

    fn admin_as(&self, authorization: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.admin_port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        crate::process::write_request(
            &mut stream,
            method,
            path,
            &[("authorization", authorization)],
            body,
        );
        let (status, body) = crate::process::read_response(&mut stream);
        (status, serde_json::from_str(&body).unwrap())
    }

    fn report(&self) -> Value {
        let (status, report) = self.admin("GET", "/v1/generation", "");
        assert_eq!(status, 200, "{report}");
        report
    }

    /// Follows the report by long polls until it is as wanted.
    pub(crate) fn report_when(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut report = self.report();
        while !wanted(&report) {
            assert!(begun.elapsed() < PATIENCE, "no report with {what}: {report:#}");
            let after = report["revision"].as_str().unwrap();
            (_, report) = self.admin("GET", &format!("/v1/generation?after={after}&wait=30"), "");
        }
        report
    }

    pub(crate) fn served(&self, counter: u64) -> Value {
        self.report_when("this counter", |report| {
            report["counter"] == counter && report["ready"] == true
        })
    }

    /// What it would leave out of a set.
    pub(crate) fn check(&self, set: &Set) -> Value {
        let objects: Value = serde_json::from_str(&set.objects).unwrap();
        let body = json!({"metadata": set.metadata, "objects": objects}).to_string();
        let (status, answer) = self.admin("POST", "/v1/check", &body);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["generation"], set.generation());
        answer
    }

    pub(crate) fn ask(&self, secret: &str, role: &str) -> Value {
        let headers = [("x-hasura-admin-secret", secret), ("x-hasura-role", role)];
        let query = json!({"query": "{ album { id title } }"});
        self.server.json("/v1/graphql", &headers, &query).1
    }
}

pub(crate) fn albums() -> Value {
    json!({"data": {"album": [{"id": 1, "title": "Blue"}]}})
}

/// Keys that are wanted before it was ever ready are waited for, whatever was asked before; afterwards it stays ready.
#[test]
fn who_was_never_ready_waits_for_keys() {
    let world = World::new("never_ready");
    let issuer = StandIn::start();
    let one = Issuer::new("one");
    let pod = world.pod();
    let page = |pod: &Pod| pod.server.send("GET", "/readyz", &[], "");
    let (status, told) = page(&pod);
    assert!(status == 503 && told.contains("no metadata yet"), "{told}");
    let away = "the keys of tokens could not be fetched yet";
    world.put_secret_and("first", Some(&json!([{"jwk_url": issuer.url()}])));
    until("the keys are missed", || page(&pod).1.contains(away));
    world.publish(5, &["id", "title"]);
    pod.report_when("this counter", |report| report["counter"] == 5);
    let (status, told) = page(&pod);
    assert!(status == 503 && told.contains(away), "{told}");
    // From the first look at its source on nothing else changes in the report.
    until("its source is looked at", || {
        let token = [("authorization", "Bearer m")];
        let (_, metrics) = pod.server.send("GET", "/v1/metrics", &token, "");
        metrics.contains("hasura_source_health{")
    });
    let report = pod.report();
    assert_eq!(report["ready"], false, "{report:#}");
    // Who waits for the report learns of the keys when they come, not when the time is over.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut report = report;
            while report["ready"] == false {
                let after = report["revision"].as_str().unwrap();
                (_, report) = pod.admin("GET", &format!("/v1/generation?after={after}&wait=60"), "");
            }
        });
        issuer.answers(200, "", &json!({"keys": [one.jwk()]}));
        until("it is ready", || page(&pod).0 == 200);
        let told = || waiting.is_finished();
        within(Duration::from_secs(20), "the report says so", told);
    });
    // Another address that does not answer takes nothing away.
    let gone = StandIn::start();
    let moved = json!([{"jwk_url": gone.url(), "issuer": "another"}]);
    world.put_secret_and("first", Some(&moved));
    until("the other is asked", || !gone.asked.lock().unwrap().is_empty());
    assert_eq!(page(&pod).0, 200);
}

#[test]
fn what_is_published_is_served_and_proven() {
    let world = World::new("delivered");
    let pod = world.pod();
    let (status, page) = pod.server.send("GET", "/readyz", &[], "");
    assert_eq!(status, 503);
    assert!(page.contains("no metadata yet"), "{page}");
    assert_eq!(pod.server.send("GET", "/livez", &[], "").0, 200);
    assert_eq!(pod.admin("GET", "/v1/generation/objects", "").0, 404);

    let set = world.publish(5, &["id", "title"]);
    let report = pod.served(5);
    assert_eq!(report["generation"], set.generation());
    assert_eq!(report["objects"], delivery::hash(set.objects.as_bytes()));
    assert_eq!(report["pod"], "shop-0");
    assert_eq!(report["problems"], json!([]));
    assert_eq!(report["sources"][0]["state"], "Up");
    assert!(report["secrets"].is_string(), "{report}");
    let (_, objects) = pod.admin("GET", "/v1/generation/objects", "");
    assert_eq!(objects.to_string(), set.objects);
    assert_eq!(pod.ask("first", "listener"), albums());

    // The generation is told everywhere.
    let (_, page) = pod.server.send("GET", "/readyz", &[], "");
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["generation"]["hash"], set.generation());
    assert_eq!(page["generation"]["counter"], 5);
    let (_, metrics) = pod
        .server
        .send("GET", "/v1/metrics", &[("authorization", "Bearer m")], "");
    assert!(metrics.contains(&format!(
        "rowlock_generation_info{{hash=\"{}\"}} 1",
        set.generation()
    )));
    let headers = [("x-hasura-admin-secret", "first")];
    for headers in [&headers[..], &[]] {
        for path in ["/v1/graphql", "/api/rest/none"] {
            let told = pod
                .server
                .generation_of("POST", path, headers, r#"{"query":"{ __typename }"}"#);
            assert_eq!(told, Some(set.generation()), "{path} {headers:?}");
        }
    }

    // A column that is not there costs the permission, and the report says whose field it is.
    world.publish(6, &["id", "titel"]);
    let report = pod.served(6);
    let problem = &report["problems"][0];
    assert_eq!(
        (
            &problem["uid"],
            &problem["kind"],
            &problem["namespace"],
            &problem["name"],
            &problem["path"]
        ),
        (
            &json!("uid-listener"),
            &json!("Permission"),
            &json!("shop"),
            &json!("listener"),
            &json!("spec.select.columns[1]")
        ),
        "{report:#}"
    );
    assert!(
        problem["message"].as_str().unwrap().contains("titel"),
        "{problem}"
    );
    assert_eq!(pod.ask("first", "admin"), albums());

    // What was made in the database a moment ago is found.
    let sql = "alter table album add column year int";
    let run_sql = json!({"type": "run_sql", "args": {"source": "default", "sql": sql, "check_metadata_consistency": false}});
    let (status, answer) = pod.server.json("/v2/query", &headers, &run_sql);
    assert_eq!(status, 200, "{answer}");
    world.publish(7, &["id", "title", "year"]);
    let report = pod.report_when("no problem", |report| {
        report["counter"] == 7 && report["problems"] == json!([])
    });
    assert_eq!(report["ready"], true);
}

#[test]
fn an_earlier_or_damaged_set_changes_nothing() {
    let world = World::new("refused");
    let pod = world.pod();
    let good = world.publish(5, &["id", "title"]);
    pod.served(5);
    world.publish(4, &["id"]);
    let report = pod.report_when("a refusal", |report| report["refused"]["counter"] == 4);
    assert_eq!(report["generation"], good.generation());
    let mut publication = publish("shop-metadata", &set(6, &["id"]), Half::A).unwrap();
    publication.data.get_mut("metadata.json").unwrap().push(' ');
    world
        .api
        .put("configmaps", "shop-metadata", &json!({"data": publication.data}));
    let report = pod.report_when("a refusal", |report| report["refused"]["counter"] == 6);
    assert_eq!(report["counter"], 5);
    assert_eq!(pod.ask("first", "listener"), albums());
    // What is served is put back, and nothing is wrong any more.
    world.publish(5, &["id", "title"]);
    let report = pod.report_when("no refusal", |report| report["refused"].is_null());
    assert_eq!(report["counter"], 5);
    // A document that cannot be read.
    let wrong = Set {
        counter: 7,
        metadata: r#"{"version":9}"#.to_owned(),
        objects: "[]".to_owned(),
    };
    let publication = publish("shop-metadata", &wrong, Half::A).unwrap();
    world
        .api
        .put("configmaps", "shop-metadata", &json!({"data": publication.data}));
    let report = pod.report_when("a refusal", |report| report["refused"]["counter"] == 7);
    assert_eq!(report["counter"], 5);
    world.publish(8, &["id", "title"]);
    assert_eq!(pod.served(8)["refused"], Value::Null);
}

#[test]
fn a_restart_serves_while_the_api_server_is_away() {
    let world = World::new("away");
    let pod = world.pod();
    world.publish(5, &["id", "title"]);
    pod.served(5);
    world.api.switch(false);
    assert_eq!(pod.ask("first", "listener"), albums());
    // What is served is kept: whenever it ends.
    drop(pod);
    let pod = world.pod();
    pod.served(5);
    assert_eq!(pod.ask("first", "listener"), albums());
    world.publish(6, &["id", "title"]);
    world.api.switch(true);
    pod.served(6);
}

#[test]
fn secrets_change_without_a_restart() {
    let world = World::new("rotated");
    let pod = world.pod();
    world.publish(5, &["id", "title"]);
    let before = pod.served(5);
    assert_eq!(pod.ask("first", "admin"), albums());
    world.put_secret("second");
    pod.report_when("another Secret", |report| report["secrets"] != before["secrets"]);
    assert_eq!(pod.ask("second", "admin"), albums());
    assert_eq!(
        pod.ask("first", "admin")["errors"][0]["extensions"]["code"],
        "access-denied"
    );
    // Losing the admin secret opens nothing, and a database that cannot be reached leaves the last good one.
    let secrets = pod.report()["secrets"].clone();
    let data = json!({World::secret_variable(): base64(b"postgresql://nobody@127.0.0.1:1/none")});
    world.api.put("secrets", "shop-secrets", &json!({ "data": data }));
    pod.report_when("another Secret", |report| report["secrets"] != secrets);
    let report = pod.report_when("trouble", |report| report["sources"][0]["state"] == "Down");
    assert!(report["sources"][0]["message"].is_string());
    assert_eq!(pod.ask("second", "admin"), albums());
    assert_eq!(
        pod.ask("", "admin")["errors"][0]["extensions"]["code"],
        "access-denied"
    );
    world.put_secret("third");
    pod.report_when("no trouble", |report| report["sources"][0]["state"] == "Up");
    assert_eq!(pod.ask("third", "admin"), albums());
}

#[test]
fn keys_of_tokens_change_with_the_secret() {
    let world = World::new("rotated_keys");
    world.put_secret_with("first", &["old"]);
    let pod = world.pod();
    world.publish(5, &["id", "title"]);
    let mut report = pod.served(5);
    let (old, new) = (rotation::bearer("old"), rotation::bearer("new"));
    let let_in = || [&old, &new].map(|token| rotation::is_let_in(&pod.server, ("authorization", token)));
    assert_eq!(let_in(), [true, false]);
    let mut socket = Socket::initialised(&pod.server, TRANSPORT, &[("authorization", &old)]);
    for (keys, expected) in [
        (&["old", "new"][..], [true, true]),
        (&["new"], [false, true]),
        (&["new", "old"], [true, true]),
    ] {
        world.put_secret_with("first", keys);
        report = pod.report_when("another Secret", |next| next["secrets"] != report["secrets"]);
        assert_eq!(let_in(), expected, "{keys:?}");
    }
    assert_eq!(socket.closed().0, 4403, "its key was gone for a while");
}

#[test]
fn a_wrong_value_keeps_no_other_setting_from_its_rotation() {
    let world = World::new("rotated_apart");
    world.put_secret_with("first", &["old"]);
    let pod = world.pod();
    world.publish(5, &["id", "title"]);
    assert_eq!(pod.served(5)["refusedSettings"], Value::Null);
    // An admin secret that got out goes, whatever is wrong with the keys beside it.
    world.put_secret_and("second", Some(&json!([{"type": "HS256", "key": "hunter2"}])));
    let report = pod.report_when("a refused setting", |report| report["refusedSettings"].is_array());
    let refused = json!([{
        "variable": "HASURA_GRAPHQL_JWT_SECRETS",
        "message": "[0]: Key size too small; should be at least 32 characters",
    }]);
    assert_eq!(report["refusedSettings"], refused);
    assert_eq!(pod.ask("second", "admin"), albums());
    assert_eq!(
        pod.ask("first", "admin")["errors"][0]["extensions"]["code"],
        "access-denied"
    );
    let is_let_in = |key: &str| {
        let token = rotation::bearer(key);
        rotation::is_let_in(&pod.server, ("authorization", &token))
    };
    assert!(is_let_in("old"));
    world.put_secret_with("second", &["new"]);
    pod.report_when("no refused setting", |report| report["refusedSettings"].is_null());
    assert!(is_let_in("new") && !is_let_in("old"));
}

#[test]
fn a_set_that_cannot_be_kept_is_told() {
    let world = World::new("unkept");
    // Where the next set is to be written there is something else.
    let obstacle = world.folder.join("state/accepted-set.next");
    std::fs::create_dir_all(&obstacle).unwrap();
    let pod = world.pod();
    let is_kept = |figure: &str| {
        let token = [("authorization", "Bearer m")];
        let (_, metrics) = pod.server.send("GET", "/v1/metrics", &token, "");
        assert!(
            metrics.contains(&format!("rowlock_set_kept {figure}\n")),
            "{metrics}"
        );
    };
    world.publish(5, &["id", "title"]);
    let report = pod.served(5);
    let unkept = report["unkept"].as_str().unwrap_or_default();
    assert!(unkept.contains("accepted-set.next"), "{report:#}");
    is_kept("0");
    assert_eq!(pod.ask("first", "listener"), albums());
    std::fs::remove_dir(&obstacle).unwrap();
    world.publish(6, &["id"]);
    assert_eq!(pod.served(6)["unkept"], Value::Null);
    is_kept("1");
}

/// Who writes a document sees what the operator put in for it, and variables that hold no secret of the program's.
#[test]
fn documents_do_not_see_the_programs_own_secrets() {
    let world = World::new("guarded");
    let pod = world.pod();
    pod.served(world.publish(5, &["id", "title"]).counter);
    assert_eq!(pod.ask("first", "listener"), albums());
    let given = World::secret_variable();
    for (named, is_seen) in [
        ("ROWLOCK_ADMIN_TOKEN", false),
        ("HASURA_GRAPHQL_ADMIN_SECRET", false),
        ("HASURA_GRAPHQL_METRICS_SECRET", false),
        ("HOSTNAME", true),
    ] {
        let mut other = set(6, &["id"]);
        other.metadata = other.metadata.replace(&given, named);
        let answer = pod.check(&other);
        let message = answer["sources"][0]["message"].as_str().unwrap();
        let missing = message == format!("environment variable '{named}' not set");
        assert_eq!(missing, !is_seen, "{answer}");
    }
}

#[test]
fn the_metadata_api_reads_only() {
    let world = World::new("readonly");
    let pod = world.pod();
    let set = world.publish(5, &["id", "title"]);
    pod.served(5);
    let command = |command: Value| {
        pod.server
            .json("/v1/metadata", &[("x-hasura-admin-secret", "first")], &command)
    };
    let (status, exported) = command(json!({"type": "export_metadata", "args": {}}));
    assert_eq!(status, 200);
    assert_eq!(
        exported.to_string(),
        serde_json::from_str::<Value>(&set.metadata).unwrap().to_string()
    );
    assert_eq!(
        command(json!({"type": "get_inconsistent_metadata", "args": {}})).0,
        200
    );
    for kind in [
        "pg_track_table",
        "pg_untrack_table",
        "clear_metadata",
        "replace_metadata",
        "reload_metadata",
    ] {
        let (status, answer) =
            command(json!({"type": kind, "args": {"table": "album", "version": 3, "sources": []}}));
        if kind == "reload_metadata" && status == 200 {
            continue;
        }
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("not-supported")),
            "{kind}: {answer}"
        );
        assert_eq!(
            answer["error"],
            "metadata is managed by the ConfigMap \"shop-metadata\""
        );
    }
    let explained = pod.server.json(
        "/v1/graphql/explain",
        &[("x-hasura-admin-secret", "first")],
        &json!({"query": {"query": "{ album { id } }"}}),
    );
    assert_eq!(explained.0, 200, "{}", explained.1);
    assert_eq!(pod.report()["generation"], set.generation());
}

#[test]
fn the_admin_port_checks_holds_and_keeps_others_out() {
    let world = World::new("admin");
    let pod = world.pod();
    world.publish(5, &["id", "title"]);
    let served = pod.served(5);
    for authorization in ["", "Bearer wrong", TOKEN] {
        assert_eq!(pod.admin_as(authorization, "GET", "/v1/generation", "").0, 401);
    }
    assert_eq!(pod.admin("POST", "/v1/generation", "").0, 405);
    assert_eq!(pod.admin("GET", "/v1/other", "").0, 404);
    assert_eq!(pod.admin("GET", "/v1/generation?wait=999", "").0, 400);

    let check = |columns: &[&str]| pod.check(&set(6, columns));
    assert_eq!(check(&["id"])["problems"], json!([]));
    let answer = check(&["id", "titel"]);
    assert_eq!(answer["problems"][0]["name"], "listener", "{answer:#}");
    assert_eq!(answer["problems"][0]["path"], "spec.select.columns[1]");
    assert_eq!(answer["sources"][0]["state"], "Up");
    assert_eq!(
        pod.admin("POST", "/v1/check", r#"{"metadata":"{","objects":[]}"#)
            .0,
        400
    );
    assert_eq!(pod.admin("POST", "/v1/check", "{}").0, 400);
    assert_eq!(
        pod.report()["revision"],
        served["revision"],
        "nothing was switched"
    );

    assert_eq!(
        pod.admin("PUT", "/v1/hold", r#"{"held":true}"#),
        (200, json!({"held": true}))
    );
    world.publish(7, &["id"]);
    let held = pod.report();
    assert_eq!((&held["held"], &held["counter"]), (&json!(true), &json!(5)));
    let (_, after) = pod.admin(
        "GET",
        &format!(
            "/v1/generation?after={}&wait=1",
            held["revision"].as_str().unwrap()
        ),
        "",
    );
    assert_eq!(after["counter"], 5, "it is held");
    pod.admin("PUT", "/v1/hold", r#"{"held":false}"#);
    pod.served(7);
}
