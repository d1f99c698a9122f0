//! The program on a folder of custom resources: `rowlock serve --origin directory:DIR`, with Secrets beside them and elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use embedded::test::TestDatabase;
use serde_json::{Value, json};

use crate::process::{Server, rowlock, run};
use crate::wait::until;

/// A folder of custom resources and one beside it; both go with the value.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rowlock-directory-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let place = Self(folder);
        fs::create_dir_all(place.resources()).unwrap();
        fs::create_dir_all(place.elsewhere()).unwrap();
        place.write("source.yaml", SOURCE);
        place.write("item.yaml", ITEM);
        place
    }

    fn resources(&self) -> PathBuf {
        self.0.join("resources")
    }

    fn elsewhere(&self) -> PathBuf {
        self.0.join("elsewhere")
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.resources().join(file), text).unwrap();
    }

    /// A manifest of the Secret, with this address.
    fn manifest(&self, url: &str) {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"}, "stringData": {"uri": url}});
        self.write("secret.json", &secret.to_string());
    }

    fn serve(&self, more: &[&str]) -> Server {
        let origin = format!("directory:{}", self.resources().display());
        let mut arguments = vec!["serve", "--server-port", "0", "--origin", &origin];
        arguments.extend_from_slice(more);
        Server::start_with(&arguments)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SOURCE: &str = "\
apiVersion: rowlock.dev/v1alpha1
kind: Source
metadata: {name: main}
spec:
  name: default
  connection:
    urlFrom: {secretKeyRef: {name: database, key: uri}}
";

const ITEM: &str = "\
apiVersion: rowlock.dev/v1alpha1
kind: Table
metadata: {name: item}
spec:
  sourceRef: {name: main}
  table: {name: item}
---
apiVersion: rowlock.dev/v1alpha1
kind: Permission
metadata: {name: item-visitor}
spec:
  tableRef: {name: item}
  role: visitor
  select: {columns: [name], filter: {}}
";

/// No database is there.
const NOWHERE: &str = "postgresql://nobody@127.0.0.1:9/nothing?connect_timeout=1";

fn run_sql(server: &Server, sql: &str) -> Value {
    let body = json!({"type": "run_sql", "args": {"source": "default", "sql": sql}});
    server.json("/v2/query", &[], &body).1
}

/// Waits until this database is the one that is asked.
fn asks(server: &Server, database: &TestDatabase) {
    let wanted = json!([["current_database"], [database.name()]]);
    until(&format!("{} is asked", database.name()), || {
        run_sql(server, "select current_database()")["result"] == wanted
    });
}

fn asked(server: &Server, field: &str) -> Value {
    let body = json!({"query": format!("{{ item {{ {field} }} }}")});
    server
        .json("/v1/graphql", &[("x-hasura-role", "visitor")], &body)
        .1
}

#[test]
fn resources_with_a_manifest_of_a_secret_are_served_and_followed() {
    let (one, other) = (
        TestDatabase::create("directory_manifest_one"),
        TestDatabase::create("directory_manifest_other"),
    );
    let place = Place::new("manifest");
    place.manifest(&one.url());
    let server = place.serve(&[]);
    asks(&server, &one);
    let made = run_sql(
        &server,
        "create table item (id int primary key, name text); insert into item values (1, 'tea')",
    );
    assert_eq!(made["result_type"], "CommandOk", "{made}");
    let tea = json!({"data": {"item": [{"name": "tea"}]}});
    until("the table is served", || asked(&server, "name") == tea);

    place.write("item.yaml", &ITEM.replace("[name]", "[name, id]"));
    let wanted = json!({"data": {"item": [{"id": 1}]}});
    until("the edit is served", || asked(&server, "id") == wanted);

    place.manifest(&other.url());
    asks(&server, &other);

    // What stands in files is not changed by requests.
    let track = json!({"type": "pg_track_table", "args": {"table": "other"}});
    let (status, answer) = server.json("/v1/metadata", &[], &track);
    assert_eq!(
        (status, &answer["code"]),
        (400, &json!("not-supported")),
        "{answer}"
    );
}

#[test]
fn a_named_file_wins_over_the_manifest_and_is_followed() {
    let (one, other) = (
        TestDatabase::create("directory_named_one"),
        TestDatabase::create("directory_named_other"),
    );
    let place = Place::new("named");
    place.manifest(NOWHERE);
    let file = place.resources().join("../elsewhere/database.env");
    let lines = |url: &str| format!("# The address.\nuri={url}\n");
    fs::write(&file, lines(&one.url())).unwrap();
    let server = place.serve(&["--secret", &format!("database={}", file.display())]);
    asks(&server, &one);

    fs::write(&file, lines(&other.url())).unwrap();
    asks(&server, &other);
}

#[test]
fn a_named_file_may_be_a_manifest_of_a_secret_in_another_namespace() {
    let one = TestDatabase::create("directory_another");
    let place = Place::new("another");
    for (file, text) in [("source.yaml", SOURCE), ("item.yaml", ITEM)] {
        place.write(
            file,
            &text.replace("metadata: {name", "metadata: {namespace: shop, name"),
        );
    }
    let manifest = format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: whatever}}\nstringData: {{uri: {:?}}}\n",
        one.url()
    );
    let file = place.elsewhere().join("secret.yaml");
    fs::write(&file, manifest).unwrap();
    let named = |secret: &str| format!("{secret}={}", file.display());
    let server = place.serve(&["--secret", &named("shop/database")]);
    asks(&server, &one);

    // One of a namespace that does not have the objects is not theirs, and a source without its address is left out.
    let server = place.serve(&["--secret", &named("database")]);
    let answer = run_sql(&server, "select 1");
    let error = answer["error"].as_str().unwrap_or_default();
    assert_eq!(error, "source with name \"default\" does not exist", "{answer}");
}

#[test]
fn a_named_file_that_cannot_be_read_ends_it_by_its_name() {
    let place = Place::new("unreadable");
    let origin = format!("directory:{}", place.resources().display());
    let file = place.elsewhere().join("secret");
    let said = |content: Option<&str>| {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let secret = format!("database={}", file.display());
        let ended = run(&mut rowlock(&[
            "serve",
            "--server-port",
            "0",
            "--origin",
            &origin,
            "--secret",
            &secret,
        ]));
        assert!(!ended.status.success());
        [ended.stdout, ended.stderr].concat()
    };
    let name = |file: &Path| file.display().to_string();
    let missing = said(None);
    assert!(missing.contains(&name(&file)), "{missing}");
    let nonsense = said(Some("canary-of-a-password"));
    assert!(
        nonsense.contains(&name(&file)) && nonsense.contains("KEY=VALUE"),
        "{nonsense}"
    );
    assert!(!nonsense.contains("canary"), "{nonsense}");
}

/// However a folder is exchanged, what has its name is served; while nothing has, the last good set is.
#[test]
fn a_folder_that_is_replaced_is_followed() {
    let one = TestDatabase::create("directory_replaced");
    let place = Place::new("replaced");
    place.manifest(&one.url());
    let at = |path: &str| place.0.join(path);
    let revision = |name: &str, columns: &str| {
        let _ = fs::remove_dir_all(at(name));
        fs::create_dir_all(at(name)).unwrap();
        for entry in fs::read_dir(place.resources()).unwrap() {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            let text = text.replace("columns: [name]", &format!("columns: [{columns}]"));
            fs::write(at(name).join(entry.file_name()), text).unwrap();
        }
    };
    revision("rev-a", "name");
    symlink("rev-a", at("current")).unwrap();
    let origin = format!("directory:{}", at("current").display());
    let server = Server::start_with(&["serve", "--server-port", "0", "--origin", &origin]);
    asks(&server, &one);
    run_sql(
        &server,
        "create table item (id int primary key, name text); insert into item values (1, 'tea')",
    );
    let (name, id) = (json!([{"name": "tea"}]), json!([{"id": 1}]));
    let serves = |what: &str, with_id: bool| {
        until(what, || {
            asked(&server, "name")["data"]["item"] == name
                && (asked(&server, "id")["data"]["item"] == id) == with_id
        });
    };
    serves("the first revision", false);

    revision("rev-b", "name, id");
    symlink("rev-b", at("next")).unwrap();
    fs::rename(at("next"), at("current")).unwrap();
    serves("where the link leads now", true);

    revision("rev-c", "name");
    fs::rename(at("rev-b"), at("old")).unwrap();
    fs::rename(at("rev-c"), at("rev-b")).unwrap();
    serves("the folder that took the other one's place", false);

    fs::remove_dir_all(at("rev-b")).unwrap();
    let away = |line: &Value| {
        let message = line["detail"]["info"]["message"].as_str();
        message.is_some_and(|message| message.ends_with("what is served stays"))
    };
    server.log_line("that it is away", away);
    serves("what was served", false);
    fs::create_dir(at("rev-b")).unwrap();
    server.log_line("that there is nothing in it", away);
    serves("what was served before", false);
    revision("rev-b", "name, id");
    serves("what is there again", true);

    // And as before from here on.
    revision("rev-b", "name");
    serves("the edit", false);
}

/// As in a cluster: what does not fit the database goes on in its last good form, or is out with what belongs to it.
#[test]
fn what_the_database_refuses_is_served_as_it_was() {
    let one = TestDatabase::create("directory_refused");
    let place = Place::new("refused");
    place.manifest(&one.url());
    let origin = format!("directory:{}", place.resources().display());
    let told = place.elsewhere().join("told");
    let told_to = fs::File::create(&told).unwrap();
    let mut command = rowlock(&["serve", "--server-port", "0", "--origin", &origin]);
    let server = Server::spawn_telling(&mut command, Stdio::from(told_to));
    let tells = |what: &str, text: &str| {
        until(what, || fs::read_to_string(&told).unwrap().contains(text));
    };
    asks(&server, &one);
    tells(
        "a table that is missing",
        "Table default/item\n    Refused: spec.table: no such table",
    );
    run_sql(
        &server,
        "create table item (id int primary key, name text); insert into item values (1, 'tea');
         create table other (id int primary key)",
    );
    let tea = json!({"data": {"item": [{"name": "tea"}]}});
    until("the table is served", || asked(&server, "name") == tea);
    tells("that all is well", "nothing is wrong");

    place.write("item.yaml", &ITEM.replace("[name]", "[nmae]"));
    tells(
        "what is wrong",
        "Permission default/item-visitor\n    Refused: spec.select.columns[0]: in table \"item\": in permission for role \
         \"visitor\": column \"nmae\" does not exist\n    \
         its last good form goes on being served\n",
    );
    assert_eq!(asked(&server, "name"), tea);

    let other = ITEM.replace("item", "other").replace("[name]", "[id]");
    let other = other.replace(
        "table: {name: other}\n",
        "table: {name: other}\n  objectRelationships: [{name: gone, foreignKey: {columns: [gone_id]}}]\n",
    );
    place.write("other.yaml", &other);
    tells("a new table with a fault", "Table default/other\n    Refused: ");
    tells(
        "what belongs to it",
        "Permission default/other-visitor\n    DependencyFailed: spec.tableRef",
    );
    let body = json!({"query": "{ other { id } }"});
    let visitor = [("x-hasura-role", "visitor")];
    let (_, answer) = server.json("/v1/graphql", &visitor, &body);
    assert!(answer["errors"].is_array(), "{answer}");
    assert_eq!(asked(&server, "name"), tea);

    // The database may come to fit the files.
    run_sql(&server, "alter table item add nmae text default 'x'");
    let wanted = json!({"data": {"item": [{"nmae": "x"}]}});
    until("the edit is served", || asked(&server, "nmae") == wanted);
}
