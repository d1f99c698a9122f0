//! Older and shorter forms are read, and printed in the canonical one.

use metadata::relationship::{ArrayRelationship, ObjectRelationship};
use metadata::source::SourceConfiguration;
use metadata::table::TableConfiguration;
use metadata::{AnyDocument, Document, Entry, Json, QualifiedName, Reader, Table};
use serde_json::{Value, json};

fn canonical<T: Json>(value: &Value) -> String {
    Reader::new()
        .read::<T>(value)
        .expect("it is valid")
        .print()
        .to_string()
}

fn canonical_entry<T: Entry>(value: &Value) -> String {
    let (name, entry) = Reader::new().read_entry::<T>(value).expect("it is valid");
    entry.print_entry(&name).to_string()
}

#[test]
fn bare_names_are_in_the_schema_public() {
    assert_eq!(
        canonical::<QualifiedName>(&json!("a")),
        r#"{"name":"a","schema":"public"}"#
    );
    assert_eq!(
        canonical::<QualifiedName>(&json!({"name": "a"})),
        r#"{"name":"a","schema":"public"}"#
    );
    assert_eq!(QualifiedName::new("s", "a").to_string(), "s.a");
    assert_eq!(QualifiedName::public("a").to_string(), "a");
    assert_eq!(
        canonical_entry::<Table>(&json!({"table": "a"})),
        r#"{"table":{"name":"a","schema":"public"}}"#
    );
}

#[test]
fn one_foreign_key_column_is_a_text() {
    let printed = canonical_entry::<ObjectRelationship>(
        &json!({"name": "a", "using": {"foreign_key_constraint_on": ["x"]}, "comment": null}),
    );
    assert_eq!(
        printed,
        r#"{"name":"a","using":{"foreign_key_constraint_on":"x"}}"#
    );
    let printed = canonical_entry::<ArrayRelationship>(
        &json!({"name": "a", "using": {"foreign_key_constraint_on": {"table": "t", "columns": ["x"]}}}),
    );
    assert_eq!(
        printed,
        r#"{"name":"a","using":{"foreign_key_constraint_on":{"column":"x","table":{"name":"t","schema":"public"}}}}"#
    );
}

#[test]
fn legacy_column_names_become_column_config() {
    let printed = canonical::<TableConfiguration>(
        &json!({"custom_column_names": {"b": "B", "a": "A"}, "column_config": {"a": {"custom_name": "first"}}}),
    );
    assert_eq!(
        printed,
        concat!(
            r#"{"column_config":{"a":{"custom_name":"first"},"b":{"custom_name":"B"}},"#,
            r#""custom_column_names":{"a":"first","b":"B"},"custom_root_fields":{}}"#
        )
    );
}

#[test]
fn every_form_of_a_database_url() {
    for url in [
        json!("postgres://x"),
        json!({"from_env": "X"}),
        json!({"dynamic_from_file": "/x"}),
        json!({"connection_parameters": {"database": "d", "host": "h", "port": 1, "username": "u"}}),
    ] {
        let printed: Value = serde_json::from_str(&canonical::<SourceConfiguration>(
            &json!({"connection_info": {"database_url": url}, "extensions_schema": "public"}),
        ))
        .expect("it is JSON");
        assert_eq!(printed["connection_info"]["database_url"], url);
        assert_eq!(printed.as_object().map(|object| object.len()), Some(1));
    }
}

fn sourceless(value: &Value) -> metadata::SourcelessDocument {
    match AnyDocument::parse(value).expect("it is valid").0 {
        AnyDocument::Sourceless(document) => *document,
        AnyDocument::Sources(_) => panic!("it has no sources"),
    }
}

#[test]
fn documents_without_sources_replace_the_default_source() {
    let (current, _) = Document::parse(&json!({
        "version": 3,
        "sources": [
            {"name": "default", "kind": "postgres", "tables": [{"table": "old"}], "configuration": {"connection_info": {"database_url": "x"}}},
            {"name": "other", "kind": "postgres", "tables": [], "configuration": {"connection_info": {"database_url": "y"}}}
        ],
        "rest_endpoints": [{"name": "r", "url": "r", "methods": ["GET"], "definition": {"query": {"collection_name": "c", "query_name": "q"}}}]
    }))
    .expect("it is valid");
    let old =
        sourceless(&json!({"tables": [{"table": "new"}], "functions": ["f", {"schema": "s", "name": "g"}]}));
    let new = old.apply_to(&current).expect("there is a default source");
    assert_eq!(new.sources.keys().collect::<Vec<_>>(), ["default"]);
    assert_eq!(
        new.sources["default"]
            .tables
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["new"]
    );
    assert_eq!(
        new.sources["default"]
            .functions
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["f", "s.g"]
    );
    assert_eq!(new.rest_endpoints.len(), 1);

    let second = sourceless(&json!({
        "version": 2, "tables": [],
        "functions": [{"function": "f", "configuration": {"session_argument": "s"}}]
    }));
    assert_eq!(
        second.functions[&QualifiedName::public("f")]
            .configuration
            .session_argument
            .as_deref(),
        Some("s")
    );
    let error = second
        .apply_to(&Document::default())
        .expect_err("there is no default source");
    assert_eq!(
        error.to_string(),
        "cannot import metadata without sources since no default source is defined"
    );
}

#[test]
fn numbers_pass_unchanged() {
    let text = r#"{"version":3,"sources":[],"cron_triggers":[{"name":"a","webhook":"w","schedule":"s","include_in_metadata":true,"payload":[1.10,1e400,12345678901234567890123]}]}"#;
    let (document, _) =
        Document::parse(&serde_json::from_str(text).expect("it is JSON")).expect("it is valid");
    assert_eq!(document.to_text(), text.replace("1e400", "1e+400"));
}
