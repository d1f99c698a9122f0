//! Enum tables and the columns that refer to them.

use serde_json::json;

use crate::world::{World, name, tracked};

fn colors() -> World {
    World::default()
        .table("colors", &["value text!", "comment text"], &["value"])
        .rows("colors", &["red", "green"])
        .table("car", &["id int4!", "color text!"], &["id"])
        .key("color", "colors", "value")
}

#[test]
fn references() {
    let built = colors().build(
        json!([
            tracked("colors", json!({"is_enum": true})),
            tracked("car", json!({}))
        ]),
        json!([]),
    );
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert_eq!(built.members("admin", "car"), ["color: colors_enum!", "id: Int!"]);
    assert_eq!(built.members("admin", "colors_enum"), ["green", "red"]);
    assert_eq!(
        built.members("admin", "colors_enum_comparison_exp"),
        [
            "_eq: colors_enum",
            "_gt: colors_enum",
            "_gte: colors_enum",
            "_in: [colors_enum!]",
            "_is_null: Boolean",
            "_lt: colors_enum",
            "_lte: colors_enum",
            "_neq: colors_enum",
            "_nin: [colors_enum!]",
        ]
    );
    assert_eq!(built.members("admin", "car_max_fields"), ["id: Int"]);
    let custom = json!({"is_enum": true, "configuration": {"custom_name": "customized_colors_table"}});
    let built = colors().build(
        json!([tracked("colors", custom), tracked("car", json!({}))]),
        json!([]),
    );
    assert_eq!(
        built.members("admin", "car")[0],
        "color: customized_colors_table_enum!"
    );
}

#[test]
fn refusals() {
    let reason = |world: &World, table: &str| {
        let built = world.build(json!([tracked(table, json!({"is_enum": true}))]), json!([]));
        built.reasons().concat()
    };
    let world = World::default()
        .table(
            "employees",
            &[
                "id int4!",
                "name text",
                "favorite_color text",
                "gets_paid_on text",
            ],
            &["id"],
        )
        .table("keyless", &["value text"], &[])
        .table("wide", &["a text!", "b text!"], &["a", "b"])
        .table("noted", &["value text!", "weight int4"], &["value"])
        .table("empty", &["value text!"], &["value"])
        .rows("empty", &[])
        .table("odd", &["value text!"], &["value"])
        .rows("odd", &["fine", "not fine", "true"])
        .table("down", &["value text!"], &["value"]);
    let cannot =
        |table: &str| format!("Inconsistent object: the table \"{table}\" cannot be used as an enum ");
    assert_eq!(
        reason(&world, "employees"),
        cannot("employees")
            + "for the following reasons:\n  • the table’s primary key (\"id\") must have type \"text\", not type \
               \"integer\"\n  • the table must have exactly one primary key and optionally one comment column, not \
               4 columns (favorite_color, gets_paid_on, id, name)\n"
    );
    assert_eq!(
        reason(&world, "keyless"),
        cannot("keyless") + "because the table must have a primary key"
    );
    assert_eq!(
        reason(&world, "wide"),
        cannot("wide")
            + "for the following reasons:\n  • the table’s primary key must not span multiple columns (a, b)\n  • \
               the table must have exactly one primary key and optionally one comment column, not 2 columns (a, b)\n"
    );
    assert_eq!(
        reason(&world, "noted"),
        cannot("noted")
            + "because the table’s comment column (\"weight\") must have type \"text\", not type \"integer\""
    );
    assert_eq!(
        reason(&world, "empty"),
        cannot("empty") + "because the table must have at least one row"
    );
    assert_eq!(
        reason(&world, "odd"),
        cannot("odd") + "because the values \"not fine\" and \"true\" are not valid GraphQL enum value names"
    );
    let mut world = world;
    world
        .enum_values
        .insert(name("down"), Err("permission denied".into()));
    assert_eq!(
        reason(&world, "down"),
        cannot("down") + "because postgres error: permission denied"
    );
}

#[test]
fn rows_to_read() {
    let world = colors();
    let (document, _) = metadata::Document::parse(&crate::world::document(
        json!([
            tracked("colors", json!({"is_enum": true})),
            tracked("car", json!({"is_enum": true}))
        ]),
        json!([]),
    ))
    .expect("a legal document");
    let queries = schema::enum_queries(&document.sources["default"], &world.state().catalog);
    let [query] = queries.as_slice() else {
        panic!("one query, not {queries:?}")
    };
    assert_eq!(query.table, name("colors"));
    assert_eq!(
        (query.value.as_str(), query.description.as_deref()),
        ("value", Some("comment"))
    );
}

#[test]
fn values_are_capitals_in_graphql_default() {
    let mut metadata = crate::world::document(
        json!([
            tracked("colors", json!({"is_enum": true})),
            tracked("car", json!({}))
        ]),
        json!([]),
    );
    metadata["sources"][0]["customization"] = json!({"naming_convention": "graphql-default"});
    let built = colors().build_document(metadata, None);
    assert_eq!(built.members("admin", "ColorsEnum"), ["GREEN", "RED"]);
    let source = &built.model.sources[0];
    let stored = source.tables[0].enum_value(source.customization.naming, "RED");
    assert_eq!(stored.map(|value| &**value), Some("red"));
}
