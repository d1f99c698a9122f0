//! Metadata directories: read, written, and refused when they lead astray.

use std::collections::BTreeMap;

use metadata::Document;
use metadata::directory::{DirectoryError, from_files, list, read_yaml, to_files, walk};
use serde_json::{Value, json};

use crate::full;

fn files(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn with_version(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut files = files(list);
    files.insert("version.yaml".to_owned(), "version: 3\n".to_owned());
    files
}

fn error(files: &BTreeMap<String, String>) -> String {
    from_files(files).expect_err("it is refused").to_string()
}

#[test]
fn a_directory_of_the_command_line_tool() {
    let document = from_files(&with_version(&[
        (
            "databases/databases.yaml",
            "- name: default\n  kind: postgres\n  configuration:\n    connection_info:\n      database_url:\n        from_env: URL\n  tables: \"!include default/tables/tables.yaml\"\n  functions: !include default/functions/functions.yaml\n",
        ),
        ("databases/default/tables/tables.yaml", "- \"!include public_author.yaml\"\n- \"!include ./public_article.yaml\"\n"),
        ("databases/default/tables/public_author.yaml", "table:\n  name: author\n  schema: public\n"),
        ("databases/default/tables/public_article.yaml", "table:\n  name: article\n  schema: public\nis_enum: true\n"),
        ("databases/default/functions/functions.yaml", "- \"!include public_f.yaml\"\n"),
        ("databases/default/functions/public_f.yaml", "function: f\n"),
        ("remote_schemas.yaml", "- name: r\n  definition:\n    url: http://r\n  permissions:\n  - role: user\n    definition:\n      schema: \"!include r/permissions/user.graphql\"\n"),
        ("r/permissions/user.graphql", "type Query { a: Int }\n"),
        ("inherited_roles.yaml", "[]\n"),
        ("cron_triggers.yaml", ""),
        ("network.yaml", "{}\n"),
        ("allow_list.yaml", "- collection: c\n  scope:\n    global: true\n"),
        ("query_collections.yaml", "- name: c\n  definition:\n    queries:\n    - name: q\n      query: |\n        query { a }\n"),
    ]))
    .expect("it is a directory");
    assert_eq!(
        document,
        json!({
            "version": 3,
            "sources": [{
                "name": "default", "kind": "postgres",
                "configuration": {"connection_info": {"database_url": {"from_env": "URL"}}},
                "tables": [
                    {"table": {"name": "author", "schema": "public"}},
                    {"table": {"name": "article", "schema": "public"}, "is_enum": true}
                ],
                "functions": [{"function": "f"}]
            }],
            "remote_schemas": [{"name": "r", "definition": {"url": "http://r"}, "permissions": [{"role": "user", "definition": {"schema": "type Query { a: Int }\n"}}]}],
            "query_collections": [{"name": "c", "definition": {"queries": [{"name": "q", "query": "query { a }\n"}]}}],
            "allowlist": [{"collection": "c", "scope": {"global": true}}],
            "inherited_roles": [],
            "network": {}
        })
    );
    Document::parse(&document).expect("it is a document");
}

#[test]
fn actions_are_completed_from_their_sdl() {
    let document = from_files(&with_version(&[
        (
            "actions.graphql",
            "# actions\ntype Mutation {\n  \"\"\"\n  log in\n  \"\"\"\n  login(\n    \"who\"\n    user: Credentials!\n  ): Session!\n}\n\nextend type Query { ping: [String!]! }\n\ninput Credentials { name: String! }\n\ntype Session { id: Int! }\n\nscalar Day\n\n\"colors\"\nenum Color { RED @deprecated GREEN }\n",
        ),
        (
            "actions.yaml",
            "actions:\n- name: login\n  definition:\n    kind: synchronous\n    handler: http://login\n  permissions:\n  - role: user\n- name: ping\n  definition:\n    kind: ''\n    handler: http://ping\n  comment: own\ncustom_types:\n  enums: []\n  input_objects:\n  - name: Credentials\n  objects:\n  - name: Session\n    relationships:\n    - name: user\n      type: object\n      remote_table: users\n      field_mapping:\n        id: id\n  scalars:\n  - name: Day\n",
        ),
    ]))
    .expect("it is a directory");
    assert_eq!(
        document["actions"],
        json!([
            {"name": "login", "comment": "log in", "permissions": [{"role": "user"}], "definition": {
                "kind": "synchronous", "handler": "http://login", "type": "mutation",
                "arguments": [{"name": "user", "type": "Credentials!", "description": "who"}], "output_type": "Session!"
            }},
            {"name": "ping", "comment": "own", "definition": {
                "kind": "", "handler": "http://ping", "type": "query", "arguments": [], "output_type": "[String!]!"
            }}
        ])
    );
    assert_eq!(
        document["custom_types"],
        json!({
            "input_objects": [{"name": "Credentials", "fields": [{"name": "name", "type": "String!"}]}],
            "objects": [{"name": "Session", "fields": [{"name": "id", "type": "Int!"}], "relationships": [
                {"name": "user", "type": "object", "remote_table": "users", "field_mapping": {"id": "id"}}
            ]}],
            "scalars": [{"name": "Day"}],
            "enums": [{"name": "Color", "description": "colors", "values": [{"value": "RED", "is_deprecated": true}, {"value": "GREEN"}]}]
        })
    );
    Document::parse(&document).expect("it is a document");
}

#[test]
fn actions_must_fit_their_sdl() {
    let actions =
        |sdl: &str, yaml: &str| error(&with_version(&[("actions.graphql", sdl), ("actions.yaml", yaml)]));
    assert_eq!(
        actions("", "actions:\n- name: a\n"),
        "action a of actions.yaml is not present in actions.graphql"
    );
    assert_eq!(
        actions("type Query { a: Int }", "actions: []\n"),
        "action a of actions.graphql is not present in actions.yaml"
    );
    assert_eq!(
        actions("scalar A", "custom_types:\n  objects:\n  - name: T\n"),
        "object T of actions.yaml is not present in actions.graphql"
    );
    assert!(actions("type {", "actions: []\n").starts_with("actions.graphql: "));
    let deep = format!(
        "type A {{ a: {}Int{} }}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(
        actions(&deep, "actions: []\n"),
        "actions.graphql: brackets nest more than 64 levels deep"
    );
}

#[test]
fn the_single_file_forms() {
    let expected = json!({"version": 3, "sources": []});
    assert_eq!(
        from_files(&files(&[("metadata.json", "{\"version\":3,\"sources\":[]}")])),
        Ok(expected.clone())
    );
    assert_eq!(
        from_files(&files(&[("metadata.yaml", "version: 3\nsources: []\n")])),
        Ok(expected)
    );
    assert_eq!(
        from_files(&files(&[("x.yaml", "")])),
        Err(DirectoryError::NotADirectory)
    );
}

#[test]
fn includes_stay_inside_and_end() {
    let including = |target: &str| {
        error(&with_version(&[
            (
                "databases/databases.yaml",
                &format!("- tables: \"!include {target}\"\n"),
            ),
            ("databases/loop.yaml", "- \"!include loop.yaml\"\n"),
        ]))
    };
    let file = "databases/databases.yaml";
    assert_eq!(
        including("../../etc/passwd"),
        format!("{file}: the include \"../../etc/passwd\" leads out of the directory")
    );
    assert_eq!(
        including("/etc/passwd"),
        format!("{file}: the include \"/etc/passwd\" leads out of the directory")
    );
    assert_eq!(
        including("none.yaml"),
        format!("{file}: the included file \"none.yaml\" does not exist")
    );
    assert_eq!(
        including("loop.yaml"),
        "databases/loop.yaml: the include \"loop.yaml\" is circular or nested too deeply"
    );
}

#[test]
fn includes_cannot_multiply_without_end() {
    let mut list = with_version(&[("databases/databases.yaml", "[\"!include 0.yaml\"]")]);
    for level in 0..10 {
        let line = format!("- \"!include {}.yaml\"\n", level + 1);
        list.insert(format!("databases/{level}.yaml"), line.repeat(20));
    }
    list.insert("databases/10.yaml".to_owned(), "a".to_owned());
    assert!(error(&list).ends_with("too much is included"));
}

#[test]
fn unknown_tags_and_broken_yaml_are_refused() {
    assert_eq!(
        error(&with_version(&[("network.yaml", "a: !env X\n")])),
        "network.yaml: the tag !env is not known here"
    );
    assert!(error(&with_version(&[("network.yaml", "a: [\n")])).starts_with("network.yaml: "));
    assert!(error(&with_version(&[("network.yaml", &"[".repeat(10_000))])).starts_with("network.yaml: "));
    assert_eq!(
        error(&files(&[("version.yaml", "version: 9")])),
        "version.yaml: expected `version: 2` or `version: 3`"
    );
}

#[test]
fn writing_and_reading_again_gives_the_same_document() {
    let mut value = full();
    // What the form of a directory does not hold: it is of no effect in Hasura.
    value["custom_types"]["objects"][0]["fields"][0]
        .as_object_mut()
        .expect("a field")
        .remove("arguments");
    let (document, _) = Document::parse(&value).expect("it is valid");
    let files = to_files(&document).expect("it can be written");
    assert!(files["databases/databases.yaml"].contains("!include default/tables/tables.yaml"));
    assert!(files["databases/default/tables/public_article.yaml"].contains("insert_permissions:"));
    assert!(files["actions.graphql"].contains("type Mutation {"));
    let (again, _) = Document::parse(&from_files(&files).expect("it can be read")).expect("it is valid");
    // YAML has one form of 1.50.
    let expected = document.to_text().replace("1.50", "1.5");
    assert_eq!(again.to_text(), expected);
}

#[test]
fn tables_whose_file_names_would_be_the_same() {
    let (document, _) = Document::parse(&json!({"version": 3, "sources": [{
        "name": "../x", "kind": "postgres", "configuration": {"connection_info": {"database_url": "u"}},
        "tables": [{"table": "a/b"}, {"table": "a b"}, {"table": "a"}]
    }]}))
    .expect("it is valid");
    let files = to_files(&document).expect("it can be written");
    assert!(
        files
            .keys()
            .all(|path| !path.contains("..") && !path.contains(' '))
    );
    let (again, _) = Document::parse(&from_files(&files).expect("it can be read")).expect("it is valid");
    assert_eq!(again.to_text(), document.to_text());
}

#[test]
fn numbers_that_yaml_would_change_are_refused() {
    let of = |number: &str| {
        let text =
            format!(r#"{{"version":3,"sources":[],"backend_configs":{{"a":{{"b":[true,{number}]}}}}}}"#);
        let value: Value = serde_json::from_str(&text).expect("it is JSON");
        Document::parse(&value).expect("it is valid").0
    };
    for number in [
        "123456789012345678901234567890",
        "12345678901234567.89",
        "0.1000000000000000055511151231257827",
        "-1e+400",
        "1e-400",
        "1e+99999999999999999999",
    ] {
        let error = to_files(&of(number)).expect_err(number);
        assert_eq!(
            error.to_string(),
            format!("backend_configs.yaml: $.a.b[1]: the number {number} cannot be written as YAML exactly")
        );
    }
    // The same number, whatever its notation.
    for (number, again) in [
        ("1.50", "1.5"),
        ("1e3", "1000.0"),
        ("0.0001e5", "10.0"),
        ("-2.5E-3", "-0.0025"),
        ("1e23", "1e+23"),
        ("0.0", "0.0"),
        ("18446744073709551615", "18446744073709551615"),
    ] {
        let files = to_files(&of(number)).expect(number);
        let value = from_files(&files).expect("it can be read");
        let read = value["backend_configs"]["a"]["b"][1].to_string();
        assert_eq!(read, again, "{number}");
    }
}

#[test]
fn json_is_read_as_that_whatever_its_file_is_called() {
    let text =
        "{\"a\": [12345678901234567.89, 123456789012345678901234567890, 1.10], \"<<\": {\"b\": null}}\n";
    for file in ["a.json", "a.yaml", "/dev/fd/63", "standard input"] {
        let value = read_yaml(file, text).expect("it is JSON");
        assert_eq!(
            value.to_string() + "\n",
            text.replace(": ", ":").replace(", ", ",")
        );
    }
    // A flow of YAML is none.
    assert_eq!(read_yaml("a", "{a: [1.10]}"), Ok(json!({"a": [1.1]})));
    let error = read_yaml("a.json", "{a: 1}").expect_err("no JSON");
    assert!(
        error.to_string().starts_with("a.json: key must be a string"),
        "{error}"
    );
}

#[test]
fn walking_a_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (document, _) = Document::parse(&full()).expect("it is valid");
    let mut files = to_files(&document).expect("it can be written");
    for (path, text) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    std::fs::create_dir(folder.path().join(".hidden")).expect("a folder");
    std::fs::write(folder.path().join(".hidden/x.yaml"), "a").expect("a file");
    std::fs::write(folder.path().join("notes.txt"), "a").expect("a file");
    // As in a mounted ConfigMap.
    std::os::unix::fs::symlink(".hidden/x.yaml", folder.path().join("linked.yaml")).expect("a link");
    files.insert("linked.yaml".to_owned(), "a".to_owned());
    assert_eq!(walk(folder.path()).expect("it can be read"), files);
    assert!(walk(&folder.path().join("none")).is_err());
}

/// Each folder is read once, whatever leads to it; a link that leads nowhere is no fault of what else there is.
#[test]
fn walking_along_links() {
    use std::os::unix::fs::symlink;
    let place = tempfile::tempdir().expect("a temporary folder");
    let at = |path: &str| place.path().join(path);
    for folder in ["base/deep", "shop/real", "shop/..data/sub"] {
        std::fs::create_dir_all(at(folder)).expect("a folder");
    }
    for file in [
        "base/a.yaml",
        "base/deep/b.yaml",
        "shop/real/c.yaml",
        "shop/..data/sub/d.yaml",
    ] {
        std::fs::write(at(file), file).expect("a file");
    }
    for (to, link) in [
        ("../base", "shop/base"),
        ("../base", "shop/another"),
        ("real", "shop/alias"),
        ("..data/sub", "shop/sub"),
        ("..", "base/circle"),
        (".", "shop/real/self"),
        ("nowhere", "shop/gone"),
        ("user@host.1:2", "shop/.#lock.yaml"),
    ] {
        symlink(to, at(link)).expect("a link");
    }
    let listing = list(&at("shop")).expect("it can be read");
    let not_followed: Vec<(String, String)> = listing
        .not_followed
        .iter()
        .map(|(name, why)| (name.clone(), why.to_string()))
        .collect();
    let (gone, circle) = (
        "this link leads nowhere",
        "this link leads to a folder that it is in itself, and is not followed",
    );
    assert_eq!(
        not_followed,
        [
            ("another/circle".to_owned(), circle.to_owned()),
            ("gone".to_owned(), gone.to_owned())
        ]
    );
    let found: Vec<(String, String)> = listing.read().expect("texts").into_iter().collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (&**name, &**text)).collect();
    assert_eq!(
        found,
        [
            ("another/a.yaml", "base/a.yaml"),
            ("another/deep/b.yaml", "base/deep/b.yaml"),
            ("real/c.yaml", "shop/real/c.yaml"),
            ("sub/d.yaml", "shop/..data/sub/d.yaml"),
        ]
    );
    // What counts by its name has to be there.
    symlink("nowhere", at("shop/gone.yaml")).expect("a link");
    let error = list(&at("shop")).expect_err("it is missing");
    assert!(error.to_string().ends_with("shop/gone.yaml"), "{error}");
}
