//! Several sources, names that clash, sources that are away, kinds that are not served.

use std::sync::Arc;

use graphql::{OperationKind, TypeSystem};
use schema::model::Options;
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
