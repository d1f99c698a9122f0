//! `rowlock import` and `rowlock export`: there and back, and what is told on the way.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{Ended, rowlock, run};

/// A folder that goes with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("rowlock-transfer-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn import(from: &str, out: &str) -> Ended {
    run(&mut rowlock(&["import", "--metadata", from, "--out", out]))
}

/// The canonical text of a document.
fn canonical(value: &Value) -> String {
    metadata::Document::parse(value).unwrap().0.to_text()
}

fn exact(from: &str, document: &Value, folder: &Folder) {
    let out = folder.path("resources");
    let imported = import(from, &out);
    assert!(imported.status.success(), "{}", imported.stderr);
    assert!(
        imported.stderr.contains("0 things not carried"),
        "{}",
        imported.stderr
    );
    let exported = run(&mut rowlock(&["export", &out]));
    let back: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(canonical(&back), canonical(document));
}

fn lossless(from: &str, document: &Value, folder: &Folder) {
    exact(from, document, folder);
    let out = folder.path("resources");
    // And through a metadata directory.
    let directory = folder.path("directory");
    let exported = run(&mut rowlock(&["export", &out, "--out", &directory]));
    assert!(
        exported.status.code().is_some_and(|code| code == 0 || code == 2),
        "{}",
        exported.stderr
    );
    let again = folder.path("again");
    assert!(import(&directory, &again).status.success());
    let exported = run(&mut rowlock(&["export", &again]));
    let back: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(canonical(&back), canonical(document));
}

#[test]
fn a_whole_document_there_and_back() {
    let folder = Folder::new("whole");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../metadata/tests/it/full.json");
    let document: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let out = folder.path("resources");
    let imported = import(file.to_str().unwrap(), &out);
    // It has keys that nobody knows: they are told, and nothing else is.
    let told: Vec<&str> = imported
        .stderr
        .lines()
        .filter(|line| line.starts_with("not carried"))
        .collect();
    assert_eq!(
        imported.status.code(),
        Some(if told.is_empty() { 0 } else { 2 }),
        "{}",
        imported.stderr
    );
    let exported = run(&mut rowlock(&["export", &out]));
    let back: Value = serde_json::from_str(&exported.stdout).unwrap();
    if told.is_empty() {
        assert_eq!(canonical(&back), canonical(&document));
    }
    assert!(metadata::Document::parse(&back).is_ok());
}

#[test]
fn a_metadata_directory_with_includes() {
    let folder = Folder::new("directory");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../operator/compile/tests/record-shop");
    let files = metadata::directory::walk(&sample).unwrap();
    let document = metadata::directory::from_files(&files).unwrap();
    lossless(sample.to_str().unwrap(), &document, &folder);
    let table = fs::read_to_string(folder.0.join("resources/tables/default-public-album.yaml")).unwrap();
    assert!(
        table.contains("kind: Table") && table.contains("kind: Permission"),
        "{table}"
    );
    assert!(!table.contains("namespace:"), "{table}");
}

#[test]
fn decimals_nulls_and_the_order_of_keys() {
    let folder = Folder::new("exact");
    let text = r#"{"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [
        {"table": {"schema": "public", "name": "t"}, "select_permissions": [{"role": "u", "permission": {
            "columns": ["a"], "filter": {"b": {"_eq": null}, "a": {"_in": [1.10, 12345678901234567890123]}}
        }}]}
    ], "configuration": {"connection_info": {"database_url": {"from_env": "URL"}}}}]}"#;
    let file = folder.path("metadata.json");
    fs::write(&file, text).unwrap();
    exact(&file, &serde_json::from_str(text).unwrap(), &folder);
    // YAML as the CLI reads it has no such number: the directory is refused, not written nearly right.
    let (resources, directory) = (folder.path("resources"), folder.path("directory"));
    let refused = run(&mut rowlock(&["export", &resources, "--out", &directory]));
    assert!(!refused.status.success());
    assert!(
        refused
            .stderr
            .contains("the number 12345678901234567890123 cannot be written as YAML exactly"),
        "{}",
        refused.stderr
    );
}

/// The standard input and files of any name, too.
#[test]
fn json_keeps_its_numbers_whatever_its_file_is_called() {
    let folder = Folder::new("json");
    let text = r#"{"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [
        {"table": {"schema": "public", "name": "t"}, "select_permissions": [{"role": "u", "permission": {
            "columns": ["a"], "filter": {"a": {"_in": [1.10, 12345678901234567.89, 12345678901234567890123]}}
        }}]}
    ], "configuration": {"connection_info": {"database_url": {"from_env": "URL"}}}}]}"#;
    let file = folder.path("exported");
    fs::write(&file, text).unwrap();
    exact(&file, &serde_json::from_str(text).unwrap(), &folder);

    let out = folder.path("list");
    let permission = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "rowlock.dev/v1alpha1", "kind": "Source", "metadata": {"name": "s"},
         "spec": {"name": "default", "connection": {"url": "postgresql://h/d"}}},
        {"apiVersion": "rowlock.dev/v1alpha1", "kind": "Table", "metadata": {"name": "t"},
         "spec": {"sourceRef": {"name": "s"}, "table": {"name": "t"}}},
        {"apiVersion": "rowlock.dev/v1alpha1", "kind": "Permission", "metadata": {"name": "p"},
         "spec": {"tableRef": {"name": "t"}, "role": "u", "select": {"columns": ["a"],
                  "filter": {"a": {"_lt": 12345678901234567.89}}}}}
    ]}"#;
    fs::write(&out, permission).unwrap();
    let mut command = rowlock(&["export", "-"]);
    let exported = run(command.stdin(fs::File::open(&out).unwrap()));
    assert!(exported.status.success(), "{}", exported.stderr);
    assert!(
        exported.stdout.contains("12345678901234567.89"),
        "{}",
        exported.stdout
    );
    // YAML would have a rounded one.
    let directory = folder.path("directory");
    let refused = run(&mut rowlock(&["export", &out, "--out", &directory]));
    assert_eq!(refused.status.code(), Some(1), "{}", refused.stderr);
    let line = "databases/default/tables/public_t.yaml: $.select_permissions[0].permission.filter.a._lt: \
                the number 12345678901234567.89 cannot be written as YAML exactly";
    assert!(refused.stderr.contains(line), "{}", refused.stderr);
    assert!(!Path::new(&directory).exists());
}

/// A null at a key that nobody knows is a key that nobody knows.
#[test]
fn unknown_keys_without_a_value_are_told() {
    let folder = Folder::new("nulls");
    let file = folder.path("metadata.json");
    let text = r#"{"version": 3, "sources": [{"name": "default", "kind": "postgres", "foo": null, "tables": [
        {"table": {"schema": "public", "name": "t"}, "select_permissions": [{"role": "u", "permission": {
            "columns": ["a"], "filter": {}, "foo": {"a": null}
        }}]}
    ], "configuration": {"connection_info": {"database_url": {"from_env": "URL"}}}}]}"#;
    fs::write(&file, text).unwrap();
    let imported = import(&file, &folder.path("out"));
    assert_eq!(imported.status.code(), Some(2), "{}", imported.stderr);
    let reason = "an unknown key, or a value that no field can hold";
    for path in [
        "Source default.foo",
        "Permission default.public.t.u.select_permissions.permission.foo.a",
    ] {
        let line = format!("not carried: {path}: {reason}");
        assert!(imported.stderr.contains(&line), "{}", imported.stderr);
    }
    assert!(folder.0.join("out/sources/default.yaml").is_file());
}

#[test]
fn what_a_directory_does_not_hold_is_told() {
    let folder = Folder::new("lost");
    let file = folder.path("metadata.json");
    let text = r#"{"version": 3, "sources": [], "custom_types": {
        "objects": [{"name": "T", "fields": [{"name": "f", "type": "Int", "arguments": [{"name": "a"}]}]}],
        "enums": [{"name": "E", "values": [{"value": "A", "is_deprecated": false}, {"value": "B"}]}]
    }, "cron_triggers": [{"name": "c", "webhook": "http://h", "schedule": "* * * * *", "include_in_metadata": true,
        "payload": {"n": 1.50}}]}"#;
    fs::write(&file, text).unwrap();
    let (out, directory) = (folder.path("out"), folder.path("directory"));
    let imported = import(&file, &out);
    assert!(imported.status.success(), "{}", imported.stderr);
    let exported = run(&mut rowlock(&["export", &out, "--out", &directory]));
    assert_eq!(exported.status.code(), Some(2), "{}", exported.stderr);
    let reason = "a metadata directory does not hold it as it is";
    let told: Vec<String> = [
        "$.custom_types.objects[0].fields[0].arguments",
        "$.custom_types.enums[0].values[0].is_deprecated",
        "$.cron_triggers[0].payload.n",
    ]
    .iter()
    .map(|path| format!("not carried: {path}: {reason}\n"))
    .collect();
    for line in &told {
        assert!(
            exported.stderr.contains(line),
            "{line} is not in {}",
            exported.stderr
        );
    }
    assert_eq!(exported.stderr.lines().count(), told.len(), "{}", exported.stderr);
    assert!(Path::new(&directory).join("actions.graphql").is_file());
}

#[test]
fn what_cannot_be_carried_is_told() {
    let folder = Folder::new("told");
    let file = folder.path("metadata.json");
    fs::write(
        &file,
        r#"{"version":3,"sources":[],"allowlist":[{"collection":"gone","scope":{"global":true}}]}"#,
    )
    .unwrap();
    let imported = import(&file, &folder.path("out"));
    assert_eq!(imported.status.code(), Some(2), "{}", imported.stderr);
    assert!(
        imported
            .stderr
            .contains("not carried: allowlist.gone: there is no query collection of this name"),
        "{}",
        imported.stderr
    );
    // A folder with files is left alone.
    let again = import(&file, &folder.path("out"));
    assert_eq!(again.status.code(), Some(1));
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);
    // What is there is no folder.
    let again = import(&file, &file);
    assert_eq!(again.status.code(), Some(1));
    let expected =
        format!("{file} cannot be looked into: give an empty folder, or none yet: Not a directory");
    assert!(again.stderr.contains(&expected), "{}", again.stderr);

    fs::write(
        folder.0.join("resources.yaml"),
        "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: e}\nspec: {replicas: 3}\n---\n\
         apiVersion: rowlock.dev/v1alpha1\nkind: Source\nmetadata: {name: s}\nspec: {name: default, connection: {urlFrom: {secretKeyRef: {name: d, key: u}}}}\n---\n\
         apiVersion: rowlock.dev/v1alpha1\nkind: Table\nmetadata: {name: t}\nspec: {sourceRef: {name: gone}, table: {name: t}}\n",
    )
    .unwrap();
    let exported = run(&mut rowlock(&["export", &folder.path("resources.yaml")]));
    assert_eq!(exported.status.code(), Some(2));
    for line in [
        "Table default/t: spec.sourceRef",
        "Engine default/e: spec.replicas",
        "Secret default/d, key u",
    ] {
        assert!(
            exported.stderr.contains(line),
            "{line} is not in {}",
            exported.stderr
        );
    }
    let document: Value = serde_json::from_str(&exported.stdout).unwrap();
    assert_eq!(document["sources"][0]["name"], "default");
}

/// It is carried, so that the exit status is as ever, but nobody is to put it into a repository unawares.
#[test]
fn passwords_in_clear_are_told() {
    let folder = Folder::new("clear");
    let file = folder.path("metadata.json");
    let text = r#"{"version": 3, "sources": [
        {"name": "one", "kind": "postgres", "tables": [], "configuration": {
            "connection_info": {"database_url": "postgres://u:canary@h/d"},
            "read_replicas": [{"database_url": {"connection_parameters":
                {"host": "h", "port": 1, "username": "u", "password": "canary", "database": "d"}}}]}},
        {"name": "two", "kind": "postgres", "tables": [], "configuration": {
            "connection_info": {"database_url": {"from_env": "URL"}}}}
    ]}"#;
    fs::write(&file, text).unwrap();
    exact(&file, &serde_json::from_str(text).unwrap(), &folder);
    let imported = import(&file, &folder.path("again"));
    assert!(imported.status.success(), "{}", imported.stderr);
    let told: Vec<&str> = imported.stderr.lines().skip(1).collect();
    let [url, parameters] = told.as_slice() else {
        panic!("{}", imported.stderr)
    };
    for (line, path) in [
        (url, "spec.connection.url"),
        (parameters, "spec.readReplicas[0].parameters.password"),
    ] {
        let begin = format!("in clear: Source one: {path}: a password stands here in clear");
        assert!(line.starts_with(&begin), "{line}");
    }
    assert!(!imported.stderr.contains("canary"), "{}", imported.stderr);
}

/// A selector that does not hold makes an empty document, but not in silence.
#[test]
fn what_no_engine_selects_is_told() {
    let folder = Folder::new("unselected");
    let resources = folder.path("resources.yaml");
    let engine = |name: &str| {
        format!(
            "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {{name: {name}}}\n\
             spec: {{objectSelector: {{matchLabels: {{app: {name}}}}}}}\n---\n"
        )
    };
    let source = |labels: &str| {
        format!(
            "apiVersion: rowlock.dev/v1alpha1\nkind: Source\nmetadata: {{name: s, labels: {labels}}}\n\
             spec: {{name: default, connection: {{url: \"postgresql://h/d\"}}}}\n"
        )
    };
    let line = "not carried: Source default/s: NotSelected: ";
    // Without a selector an engine has what is in its namespace.
    let elsewhere =
        "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: e, namespace: other}\n---\n";
    for engine in [engine("shop"), elsewhere.to_owned()] {
        fs::write(&resources, engine + &source("{}")).unwrap();
        let exported = run(&mut rowlock(&["export", &resources]));
        assert_eq!(exported.status.code(), Some(2), "{}", exported.stderr);
        assert!(exported.stderr.contains(line), "{}", exported.stderr);
        let document: Value = serde_json::from_str(&exported.stdout).unwrap();
        assert_eq!(
            document["sources"].as_array().map(Vec::len),
            Some(0),
            "{document}"
        );
    }
    // What is another engine's is for another export.
    fs::write(
        &resources,
        engine("shop") + &engine("more") + &source("{app: more}"),
    )
    .unwrap();
    let exported = run(&mut rowlock(&["export", &resources, "--engine", "shop"]));
    assert!(!exported.stderr.contains("Source"), "{}", exported.stderr);
    assert_eq!(
        exported.stderr.lines().count(),
        1,
        "the selector: {}",
        exported.stderr
    );
}

#[test]
fn wrong_sources_are_named() {
    let folder = Folder::new("wrong");
    for from in [folder.path("none.json"), "http://127.0.0.1:1".to_owned()] {
        let imported = import(&from, &folder.path("out"));
        assert_eq!(imported.status.code(), Some(1));
        assert!(
            imported.stderr.contains(&format!("{from} cannot be read")),
            "{}",
            imported.stderr
        );
    }
}

#[test]
fn from_a_server_that_runs() {
    let database = embedded::test::TestDatabase::create("import");
    let server = crate::process::Server::start(&database, &["--admin-secret", "s"]);
    let folder = Folder::new("server");
    let url = format!("http://127.0.0.1:{}", server.port);
    let out = folder.path("out");
    let refused = import(&url, &out);
    assert!(
        refused.stderr.contains("status 401") || refused.stderr.contains("status 400"),
        "{}",
        refused.stderr
    );
    let imported = run(&mut rowlock(&[
        "import",
        "--metadata",
        &url,
        "--out",
        &out,
        "--admin-secret",
        "s",
    ]));
    assert!(imported.status.success(), "{}", imported.stderr);
    assert!(folder.0.join("out/sources/default.yaml").is_file());
}
