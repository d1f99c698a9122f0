//! Several sources, names that clash, sources that are away, kinds that are not served.

use std::sync::Arc;

use graphql::{OperationKind, TypeSystem};
use metadata::{MetadataObjectId, Seniority};
use schema::Problem;
use schema::model::Options;
use schema::problem::Claim;
use serde_json::{Value, json};

use crate::world::{World, blog, blog_tables, document, source, tracked};

fn two(other: Value) -> Value {
    let mut second = source("other", json!([tracked("author", json!({}))]), json!([]));
    second["customization"] = other;
    json!({"version": 3, "sources": [source("default", blog_tables(json!({}), json!({})), json!([])), second]})
}

#[test]
fn two_sources_side_by_side() {
    let customization = json!({"root_fields": {"prefix": "other_"}, "type_names": {"prefix": "other_"}});
    let built = blog().build_document(two(customization), None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    let queries = built.queries("admin");
    assert!(queries.contains(&"author".to_owned()) && queries.contains(&"other_author_by_pk".to_owned()));
}

#[test]
fn the_first_keeps_its_name() {
    let built = blog().build_document(two(json!({})), None);
    let reasons = built.reasons();
    assert_eq!(reasons.len(), 1);
    assert!(
        reasons[0].starts_with(
            "Conflicting objects: Encountered conflicting definitions in the selection set for 'mutation_root' for \
             fields: [\n  'delete_author_by_pk' defined in [table author in source default, table author in source \
             other],\n  'delete_author' defined in"
        ),
        "{reasons:?}"
    );
    assert!(reasons[0].ends_with("\n]. Fields must not be defined more than once across all sources."));
    assert!(built.model.sources[1].tables.is_empty());
}

#[test]
fn one_field_clashes() {
    let user = tracked("user", json!({}));
    let users = tracked(
        "users",
        json!({"configuration": {"custom_root_fields": {"select_by_pk": "user"}}}),
    );
    let world = World::default()
        .table("user", &["id int4!"], &["id"])
        .table("users", &["id int4!"], &["id"]);
    let built = world.build(json!([user, users]), json!([]));
    assert_eq!(
        built.problems[0].message(),
        "Encountered conflicting definitions in the selection set for 'subscription_root' for field 'user' defined \
         in [table user in source default, table users in source default]. Fields must not be defined more than \
         once across all sources."
    );
    assert_eq!(built.problems[0].objects().len(), 2);
}

/// The document has the younger one first.
#[test]
fn the_older_keeps_its_name() {
    let read = |oldest_first: &[&str]| {
        let (mut document, _) = metadata::Document::parse(&two(json!({}))).expect("legal");
        let author = || metadata::QualifiedName::new("public", "author");
        let tables = oldest_first.iter();
        document.seniority = Seniority::of(tables.map(|source| MetadataObjectId::table(*source, author())));
        document
    };
    let left_out = |built: &crate::world::Built| -> Vec<String> {
        // What depends on a table that is left out is told too.
        let problems = built.problems.iter().filter(|problem| problem.stays().is_some());
        problems
            .flat_map(|problem| problem.left_out().iter().map(MetadataObjectId::name))
            .collect()
    };
    let built = blog().build_read(read(&["default", "other"]), None);
    assert_eq!(left_out(&built), ["table author in source other"]);
    // Another order of age is another schema, even where nothing else changed.
    let built = blog().build_read(read(&["other", "default"]), Some(&built));
    assert_eq!(left_out(&built), ["table author in source default"]);
    let stays = built.problems.iter().find_map(Problem::stays);
    assert_eq!(
        stays.map(MetadataObjectId::name),
        Some("table author in source other".to_owned())
    );
    let names = |at: usize| -> Vec<&str> {
        let tables = built.model.sources[at].tables.iter();
        tables.map(|table| table.name.name.as_str()).collect()
    };
    assert!(!names(0).contains(&"author") && !names(0).is_empty());
    assert_eq!(names(1), ["author"]);
    // Whose age is not known comes after the others.
    let built = blog().build_read(read(&["other"]), None);
    assert_eq!(left_out(&built), ["table author in source default"]);
}

/// A source whose field is taken takes no names from others, also with tables that are older than it.
#[test]
fn what_is_below_a_field_that_is_lost_claims_nothing() {
    let namespace = json!({"root_fields": {"namespace": "article"}});
    let (mut document, _) = metadata::Document::parse(&two(namespace)).expect("legal");
    let table = |source: &str, name: &str| {
        MetadataObjectId::table(source, metadata::QualifiedName::new("public", name))
    };
    document.seniority = Seniority::of([
        table("other", "author"),
        table("default", "article"),
        table("default", "author"),
        MetadataObjectId::Source("other".to_owned()),
    ]);
    let built = blog().build_read(document, None);
    let names = |at: usize| -> Vec<&str> {
        let tables = built.model.sources[at].tables.iter();
        tables.map(|table| table.name.name.as_str()).collect()
    };
    assert!(names(0).contains(&"author"), "{:?}", built.problems);
    assert_eq!(names(1), [""; 0]);
    let stays = built.problems.iter().find_map(Problem::stays);
    let stays = stays.map(MetadataObjectId::name);
    assert_eq!(stays, Some("table article in source default".to_owned()));
}

/// Where the one that is left out says what it is called.
#[test]
fn a_clash_says_where() {
    let world = World::default()
        .table("user", &["id int4!"], &["id"])
        .table("users", &["id int4!"], &["id"]);
    let clash = |configuration: Value| {
        let users = tracked("users", json!({"configuration": configuration}));
        let built = world.build(json!([tracked("user", json!({})), users]), json!([]));
        let [Problem::Conflicting { claim, path, .. }] = built.problems.as_slice() else {
            panic!("{:?}", built.problems)
        };
        (claim.clone(), path.clone())
    };
    let field = |name: &str, path: &str| (Claim::RootField(name.to_owned()), Some(path.to_owned()));
    assert_eq!(
        clash(json!({"custom_name": "user"})),
        field("user", "$.configuration.custom_name")
    );
    assert_eq!(
        clash(json!({"custom_root_fields": {"insert_one": "insert_user"}})),
        field("insert_user", "$.configuration.custom_root_fields.insert_one")
    );
    assert_eq!(
        clash(json!({"custom_name": "user", "custom_root_fields": {"select": "people"}})),
        field("user_aggregate", "$.configuration.custom_name")
    );
}

/// A field that stands there already is not hidden behind a namespace that comes later.
#[test]
fn a_namespace_clashes_with_a_field() {
    let built = blog().build_document(
        two(json!({"root_fields": {"namespace": "author"}, "type_names": {"prefix": "o"}})),
        None,
    );
    let [problem] = built.problems.as_slice() else {
        panic!("{:?}", built.problems)
    };
    let left_out: Vec<String> = problem.left_out().iter().map(MetadataObjectId::name).collect();
    assert_eq!(left_out, ["source other"]);
    assert!(built.model.sources[1].tables.is_empty());
    assert!(built.queries("admin").contains(&"author".to_owned()));
}

#[test]
fn a_table_clashes_with_itself() {
    let fields = json!({"configuration": {"custom_root_fields": {"select": "author_by_pk"}}});
    let built = blog().build(json!([tracked("author", fields)]), json!([]));
    assert_eq!(built.problems.len(), 1);
    assert_eq!(built.queries("admin"), ["no_queries_available"]);
}

#[test]
fn types_clash() {
    let world = World::default().table("query_root", &["id int4!"], &["id"]);
    let built = world.build(json!([tracked("query_root", json!({}))]), json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Conflicting objects: Found conflicting definitions for GraphQL type 'query_root'. Type names must be \
          unique across all sources."
        ]
    );
}

#[test]
fn a_source_that_was_never_reached() {
    let (metadata, _) =
        metadata::Document::parse(&document(blog_tables(json!({}), json!({})), json!([]))).expect("legal");
    let (model, problems) = schema::build(&metadata, &Default::default(), &Options::default(), None);
    assert!(model.sources.is_empty());
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].objects()[0].name(), "source default");
    let view = schema::RoleView::new(Arc::new(model), "admin", false);
    assert!(view.root(OperationKind::Query).is_some());
    assert!(view.root(OperationKind::Subscription).is_none());
}

#[test]
fn what_is_missing_in_the_database() {
    let world = World::default().table("author", &["id int4!"], &["id"]);
    let built = world.build(blog_tables(json!({}), json!({})), json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: no such table/view exists in source: \"article\"",
            "Inconsistent object: table \"article\" is not tracked",
        ]
    );
    assert_eq!(
        built.problems[0].to_json(&built.document),
        json!({
            "definition": {"schema": "public", "name": "article"},
            "name": "table article in source default",
            "reason": "Inconsistent object: no such table/view exists in source: \"article\"",
            "type": "table",
        })
    );
    assert_eq!(
        built.queries("admin"),
        ["author", "author_aggregate", "author_by_pk"]
    );
}
