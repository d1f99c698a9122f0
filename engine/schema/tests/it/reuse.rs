//! What has not changed is the same pointer in the next model.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::world::{blog, blog_tables, document, select, source, tracked};

fn metadata(user_columns: Value) -> Value {
    let mut second = source("other", json!([tracked("author", json!({}))]), json!([]));
    second["customization"] =
        json!({"root_fields": {"namespace": "other"}, "type_names": {"prefix": "other_"}});
    let tables = blog_tables(
        select(
            "user",
            json!({"columns": user_columns, "filter": {"id": "x-hasura-user-id"}}),
        ),
        json!({"select_permissions": [{"role": "editor", "permission": {"columns": "*", "filter": {}}}]}),
    );
    json!({"version": 3, "sources": [second, source("default", tables, json!([]))]})
}

#[test]
fn unchanged_sources_and_roles() {
    let world = blog();
    let first = world.build_document(metadata(json!(["id"])), None);
    let same = world.build_document(metadata(json!(["id"])), Some(&first));
    for at in 0..2 {
        assert!(Arc::ptr_eq(&first.model.sources[at], &same.model.sources[at]));
    }
    assert!(Arc::ptr_eq(&first.model.roles["user"], &same.model.roles["user"]));
    let changed = world.build_document(metadata(json!(["id", "name"])), Some(&first));
    assert!(Arc::ptr_eq(&first.model.sources[0], &changed.model.sources[0]));
    assert!(!Arc::ptr_eq(&first.model.sources[1], &changed.model.sources[1]));
    assert!(!Arc::ptr_eq(
        &first.model.roles["user"],
        &changed.model.roles["user"]
    ));
    assert_eq!(changed.members("user", "author"), ["id: Int!", "name: String!"]);
    assert_eq!(changed.sdl("admin"), first.sdl("admin"));
}

#[test]
fn a_changed_catalog_is_resolved_anew() {
    let world = blog();
    let tables = || document(blog_tables(json!({}), json!({})), json!([]));
    let first = world.build_document(tables(), None);
    let world = world.with(|table| table.columns.truncate(3));
    let second = world.build_document(tables(), Some(&first));
    assert!(!Arc::ptr_eq(&first.model.sources[0], &second.model.sources[0]));
    assert!(!second.sdl("admin").contains("rating"));
}

#[test]
fn changed_options_rebuild_everything() {
    let mut world = blog();
    let tables = || document(blog_tables(json!({}), json!({})), json!([]));
    let first = world.build_document(tables(), None);
    world.options.experimental_features = vec!["hide_aggregation_predicates".into()];
    let second = world.build_document(tables(), Some(&first));
    assert!(
        first
            .sdl("admin")
            .contains("articles_aggregate: article_aggregate_bool_exp")
    );
    assert!(!second.sdl("admin").contains("article_aggregate_bool_exp"));
}

#[test]
fn problems_of_a_reused_source_stay() {
    let world = blog();
    let tables = || {
        let article = select("user", json!({"columns": ["nope"], "filter": {}}));
        document(blog_tables(json!({}), article), json!([]))
    };
    let first = world.build_document(tables(), None);
    let second = world.build_document(tables(), Some(&first));
    assert_eq!(first.reasons(), second.reasons());
    assert_eq!(first.problems.len(), 1);
}
