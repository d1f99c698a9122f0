//! Naming conventions, custom names, prefixes, suffixes and namespaces.

use serde_json::{Value, json};

use crate::world::{World, blog, blog_tables, document, names, tracked};

fn customized(world: &World, tables: Value, customization: Value) -> crate::world::Built {
    let mut metadata = document(tables, json!([]));
    metadata["sources"][0]["customization"] = customization;
    world.build_document(metadata, None)
}

fn local() -> World {
    World::default().table("author_local", &["author_id int4!", "name text"], &["author_id"])
}

#[test]
fn graphql_default_with_prefix_and_suffix() {
    let built = customized(
        &local(),
        json!([tracked("author_local", json!({}))]),
        json!({"root_fields": {"prefix": "test", "suffix": "query"}, "naming_convention": "graphql-default"}),
    );
    assert_eq!(
        built.queries("admin"),
        [
            "testAuthorLocalAggregateQuery",
            "testAuthorLocalByPkQuery",
            "testAuthorLocalQuery"
        ]
    );
    assert_eq!(
        built.members("admin", "AuthorLocal"),
        ["authorId: Int!", "name: String"]
    );
    assert!(names(&built.members("admin", "StringComparisonExp")).contains(&"_isNull".to_owned()));
    assert!(
        built
            .members("admin", "OrderBy")
            .contains(&"ASC_NULLS_FIRST".to_owned())
    );
    let arguments = &built.members("admin", "query_root")[2];
    for argument in [
        "distinctOn: [AuthorLocalSelectColumn!]",
        "orderBy: [AuthorLocalOrderBy!]",
    ] {
        assert!(arguments.contains(argument), "{argument} in {arguments}");
    }
}

#[test]
fn hasura_default_with_prefix_and_suffix() {
    let built = customized(
        &local(),
        json!([tracked("author_local", json!({}))]),
        json!({
            "root_fields": {"prefix": "test_", "suffix": "_query"},
            "type_names": {"prefix": "p_", "suffix": "_s"},
        }),
    );
    assert_eq!(
        built.queries("admin"),
        [
            "test_author_local_aggregate_query",
            "test_author_local_by_pk_query",
            "test_author_local_query"
        ]
    );
    assert_eq!(built.members("admin", "p_author_local_s").len(), 2);
    assert!(!built.members("admin", "p_author_local_bool_exp_s").is_empty());
    assert!(!built.members("admin", "p_cursor_ordering_s").is_empty());
    assert!(!built.members("admin", "String_comparison_exp").is_empty());
}

#[test]
fn namespaces() {
    let built = customized(
        &blog(),
        blog_tables(json!({}), json!({})),
        json!({"root_fields": {"namespace": "shop"}}),
    );
    assert_eq!(built.members("admin", "query_root"), ["shop: shop_query"]);
    assert_eq!(
        built.members("admin", "subscription_root"),
        ["shop: shop_subscription"]
    );
    assert!(names(&built.members("admin", "shop_query")).contains(&"author_by_pk".to_owned()));
    assert_eq!(
        built.members("nobody", "query_root"),
        ["no_queries_available: String!"]
    );
}

#[test]
fn namespaces_have_the_prefix_and_the_suffix_of_types() {
    let built = customized(
        &blog(),
        blog_tables(json!({}), json!({})),
        json!({
            "root_fields": {"namespace": "shop", "prefix": "f_", "suffix": "_f"},
            "type_names": {"prefix": "p_", "suffix": "_s"},
        }),
    );
    assert_eq!(built.members("admin", "query_root"), ["shop: p_shop_query_s"]);
    assert_eq!(
        built.members("admin", "subscription_root"),
        ["shop: p_shop_subscription_s"]
    );
    assert!(names(&built.members("admin", "p_shop_query_s")).contains(&"f_author_by_pk_f".to_owned()));
}

#[test]
fn custom_names_are_never_recased() {
    let tables = json!([tracked(
        "author_local",
        json!({"configuration": {
            "custom_name": "my_authors",
            "custom_root_fields": {"select": "all_authors", "select_by_pk": {"name": "author_one", "comment": ""}},
            "column_config": {"author_id": {"custom_name": "the_id"}},
        }})
    )]);
    let built = customized(&local(), tables, json!({"naming_convention": "graphql-default"}));
    assert_eq!(
        built.queries("admin"),
        ["all_authors", "author_one", "my_authorsAggregate"]
    );
    assert_eq!(
        built.members("admin", "my_authors"),
        ["name: String", "the_id: Int!"]
    );
}

#[test]
fn schemas_are_part_of_the_name() {
    let world = World::default()
        .table("shop.order item", &["id int4!"], &["id"])
        .table("shop.orders", &["id int4!", "bad-name text"], &["id"]);
    let built = world.build(
        json!([
            tracked("shop.orders", json!({})),
            tracked("shop.order item", json!({}))
        ]),
        json!([]),
    );
    assert_eq!(
        built.queries("admin"),
        ["shop_orders", "shop_orders_aggregate", "shop_orders_by_pk"]
    );
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert_eq!(built.members("admin", "shop_orders"), ["id: Int!"]);
    assert_eq!(built.model.sources[0].tables.len(), 2, "both are tracked");
}

#[test]
fn one_field_name_for_two_columns() {
    let world = World::default().table("t", &["a int4", "b int4", "c int4"], &[]);
    let tables = json!([tracked(
        "t",
        json!({"configuration": {"column_config": {
            "a": {"custom_name": "b"}, "c": {"custom_name": "b"},
        }}})
    )]);
    let built = world.build(tables, json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: the definitions of columns \"a\", \"b\", and \"c\" are in conflict: they are mapped \
          to the same field name, \"b\""
        ]
    );
}
