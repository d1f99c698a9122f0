//! Messages and paths of documents that are refused, and warnings about those that are not.

use metadata::relationship::ObjectRelationship;
use metadata::{Document, JsonPath, ParseError, Reader};
use serde_json::{Value, json};

use crate::full;

/// The error of the full document with `change` made at `pointer`.
fn refused(pointer: &str, change: Value) -> (String, String) {
    let mut value = full();
    *value.pointer_mut(pointer).expect("the place exists") = change;
    let ParseError { path, message, .. } = Document::parse(&value).expect_err("it is refused");
    (path.to_string(), message)
}

fn check(pointer: &str, change: Value, path: &str, message: &str) {
    assert_eq!(refused(pointer, change), (path.to_owned(), message.to_owned()));
}

#[test]
fn wrong_types_are_named_with_their_path() {
    check(
        "/sources/0/tables/0/select_permissions/0/permission/columns",
        json!(7),
        "$.sources[0].tables[0].select_permissions[0].permission.columns",
        "unexpected value for columns: expected \"*\" or a list of columns",
    );
    check(
        "/sources",
        json!({}),
        "$.sources",
        "parsing [] failed, expected Array, but encountered Object",
    );
    check(
        "/sources/0/tables/1/is_enum",
        json!("yes"),
        "$.sources[0].tables[1].is_enum",
        "parsing Bool failed, expected Boolean, but encountered String",
    );
}

#[test]
fn limits_must_not_be_negative() {
    let pointer = "/sources/0/tables/0/select_permissions/0/permission/limit";
    let path = "$.sources[0].tables[0].select_permissions[0].permission.limit";
    check(pointer, json!(-1), path, "unexpected negative value");
    check(
        pointer,
        json!("1"),
        path,
        "parsing Int failed, expected Number, but encountered String",
    );
    let mut value = full();
    *value.pointer_mut(pointer).expect("the place exists") = json!(-1.0);
    let refused = Document::parse(&value).expect_err("it is refused");
    assert_eq!(refused.code.as_str(), "not-supported");
    *value.pointer_mut(pointer).expect("the place exists") = json!(1.5);
    let refused = Document::parse(&value).expect_err("it is refused");
    assert_eq!(refused.code.as_str(), "parse-failed");
}

#[test]
fn required_keys_must_be_there() {
    check(
        "/sources/0/tables/0/select_permissions/0/permission",
        json!({"columns": "*"}),
        "$.sources[0].tables[0].select_permissions[0].permission",
        "key \"filter\" not found",
    );
    check(
        "/sources/0",
        json!({"name": "x"}),
        "$.sources[0]",
        "key \"configuration\" not found",
    );
}

#[test]
fn tables_refuse_unknown_keys() {
    check(
        "/sources/0/tables/1",
        json!({"table": "flag", "isEnum": true, "perms": []}),
        "$.sources[0].tables[1]",
        "unexpected keys when parsing TableMetadata: [\"isEnum\",\"perms\"]",
    );
}

#[test]
fn names_must_differ() {
    check(
        "/sources/0/tables/1",
        json!({"table": {"schema": "public", "name": "article"}}),
        "$.sources[0].tables",
        "multiple declarations exist for the following tables: article",
    );
    check(
        "/sources/0/tables/0/select_permissions/1/role",
        json!("editor"),
        "$.sources[0].tables[0].select_permissions",
        "multiple declarations exist for the following select permissions: editor",
    );
    check(
        "/sources/0/tables/0/configuration/custom_root_fields/insert",
        json!("deleteArticles"),
        "$.sources[0].tables[0].configuration.custom_root_fields",
        "the following custom root field names are duplicated: deleteArticles",
    );
}

#[test]
fn relationships_have_one_form() {
    let pointer = "/sources/0/tables/0/object_relationships/0/using";
    let path = "$.sources[0].tables[0].object_relationships[0].using";
    check(pointer, json!([]), path, "using should be an object");
    check(
        pointer,
        json!({}),
        path,
        "atleast one of foreign_key_constraint_on/manual_configuration should be present",
    );
    check(
        pointer,
        json!({"foreign_key_constraint_on": "a", "manual_configuration": {}}),
        path,
        "only one of foreign_key_constraint_on/manual_configuration should be present",
    );
    check(
        "/sources/0/tables/0/array_relationships/0/using",
        json!({"foreign_key_constraint_on": "a"}),
        "$.sources[0].tables[0].array_relationships[0].using.foreign_key_constraint_on",
        "Expecting object { table, columns }.",
    );
}

#[test]
fn headers_have_one_value() {
    let pointer = "/sources/0/tables/0/event_triggers/0/headers/0";
    let path = "$.sources[0].tables[0].event_triggers[0].headers[0]";
    check(
        pointer,
        json!({"name": "x"}),
        path,
        "expecting value or value_from_env keys",
    );
    check(
        pointer,
        json!({"name": "x", "value": "a", "value_from_env": "b"}),
        path,
        "expecting only one of value or value_from_env keys",
    );
}

#[test]
fn odd_keys_are_quoted_in_paths() {
    check(
        "/sources/0/tables/0/configuration/column_config",
        json!({"it's": 1}),
        "$.sources[0].tables[0].configuration.column_config['it\\'s']",
        "parsing ColumnConfig failed, expected Object, but encountered Number",
    );
}

#[test]
fn open_telemetry_protocols() {
    let pointer = "/opentelemetry/exporter_otlp/protocol";
    let path = "$.opentelemetry.exporter_otlp.protocol";
    check(pointer, json!("grpc"), path, "gRPC is not supported");
    check(pointer, json!("http/json"), path, "http/json is not supported");
}

#[test]
fn versions_other_than_three_are_not_this_document() {
    let message = Document::parse(&json!({"tables": []}))
        .expect_err("version 1")
        .message;
    assert_eq!(message, "expected metadata version 3, encountered 1");
    let error = Document::parse(&json!({"version": 4, "sources": []})).expect_err("version 4");
    assert_eq!(
        (error.path.to_string().as_str(), error.message.as_str()),
        ("$.version", "expected 1, 2 or 3, encountered 4")
    );
}

#[test]
fn deep_nesting_is_refused() {
    let mut deep = json!({});
    for _ in 0..200 {
        deep = json!({"_not": deep});
    }
    let message = refused("/sources/0/tables/0/select_permissions/0/permission/filter", deep).1;
    assert_eq!(message, "nested more than 128 levels deep");
}

#[test]
fn unknown_keys_elsewhere_are_kept_and_warned_about() {
    let mut value = full();
    value["sources"][0]["tables"][0]["select_permissions"][0]["permission"]["colour"] = json!({"a": [1]});
    value["mystery"] = json!(1);
    let (document, warnings) = Document::parse(&value).expect("it is accepted");
    let warnings: Vec<String> = warnings
        .into_iter()
        .map(|warning| format!("{}: {}", warning.path, warning.message))
        .collect();
    assert_eq!(
        warnings,
        [
            "$.sources[0].tables[0].select_permissions[0].permission.colour: unknown key \"colour\" has no effect",
            "$.mystery: unknown key \"mystery\" has no effect",
        ]
    );
    assert_eq!(document.to_json().to_string(), value.to_string());
}

#[test]
fn arguments_of_commands_keep_their_own_keys() {
    let arguments = json!({
        "source": "default", "table": "article", "name": "author",
        "using": {"foreign_key_constraint_on": "author_id"}
    });
    let mut reader = Reader::arguments(JsonPath::root().join("args"));
    let (name, relationship) = reader
        .read_entry::<ObjectRelationship>(&arguments)
        .expect("it is accepted");
    assert_eq!(name, "author");
    assert!(relationship.extra.is_empty());
    assert_eq!(reader.into_warnings(), []);

    let mut reader = Reader::arguments(JsonPath::root().join("args"));
    let error = reader
        .read_entry::<ObjectRelationship>(&json!({"name": "author"}))
        .expect_err("no using");
    assert_eq!(error.path.to_string(), "$.args");
    assert_eq!(error.message, "key \"using\" not found");
}
