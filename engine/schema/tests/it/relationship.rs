//! Relationships: which rows they lead to, what is refused.

use serde_json::json;

use crate::world::{World, blog, blog_tables, tracked};

#[test]
fn nullability_follows_the_key() {
    let world = World::default()
        .table("author", &["id int4!", "boss_id int4"], &["id"])
        .key("boss_id", "author", "id")
        .table("profile", &["author_id int4!"], &["author_id"])
        .key("author_id", "author", "id");
    let tables = json!([
        tracked(
            "author",
            json!({"object_relationships": [
                {"name": "boss", "using": {"foreign_key_constraint_on": "boss_id"}},
                {"name": "profile", "using": {"foreign_key_constraint_on": {"table": "profile", "column": "author_id"}}},
                {"name": "same", "using": {"manual_configuration": {"remote_table": "author", "column_mapping": {"id": "id"}}}},
            ]})
        ),
        tracked(
            "profile",
            json!({"object_relationships": [
                {"name": "author", "using": {"foreign_key_constraint_on": ["author_id"]}},
            ]})
        ),
    ]);
    let built = world.build(tables, json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert_eq!(
        built.members("admin", "author"),
        [
            "boss: author",
            "boss_id: Int",
            "id: Int!",
            "profile: profile",
            "same: author"
        ]
    );
    assert_eq!(
        built.members("admin", "profile"),
        ["author: author!", "author_id: Int!"]
    );
}

#[test]
fn refusals() {
    let world = blog();
    let tables = json!([
        tracked(
            "author",
            json!({
                "array_relationships": [
                    {"name": "nokey", "using": {"foreign_key_constraint_on": {"table": "article", "column": "id"}}},
                    {"name": "untracked", "using": {"foreign_key_constraint_on": {"table": "comment", "column": "id"}}},
                    {"name": "name", "using": {"foreign_key_constraint_on": {"table": "article", "column": "author_id"}}},
                    {"name": "columns", "using": {"manual_configuration": {"remote_table": "article", "column_mapping": {"id": "nope"}}}},
                ],
            })
        ),
        tracked("article", json!({})),
    ]);
    let built = world.build(tables, json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: in table \"author\": in relationship \"nokey\": no foreign constraint exists on the given column(s)",
            "Inconsistent object: table \"comment\" is not tracked",
            "Inconsistent object: table \"article\" has no field named \"nope\"",
            "Inconsistent object: field definition conflicts with postgres column",
        ]
    );
    assert_eq!(
        built.members("admin", "author"),
        ["age: Int", "id: Int!", "is_active: Boolean", "name: String!"]
    );
}

#[test]
fn two_keys_on_one_column_are_ambiguous() {
    let world = World::default()
        .table("a", &["id int4!"], &["id"])
        .table("b", &["id int4!"], &["id"])
        .table("c", &["x int4!"], &[])
        .key("x", "a", "id")
        .key("x", "b", "id");
    let tables = json!([
        tracked("a", json!({})),
        tracked(
            "b",
            json!({"array_relationships": [
                {"name": "cs", "using": {"foreign_key_constraint_on": {"table": "c", "column": "x"}}},
            ]})
        ),
        tracked(
            "c",
            json!({"object_relationships": [
                {"name": "a", "using": {"foreign_key_constraint_on": "x"}},
            ]})
        ),
    ]);
    let built = world.build(tables, json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: in table \"c\": in relationship \"a\": more than one foreign key constraint exists \
          on the given column(s)"
        ]
    );
    assert!(
        built
            .members("admin", "b")
            .iter()
            .any(|field| field.starts_with("cs("))
    );
}

#[test]
fn custom_column_names_conflict() {
    let author = json!({"configuration": {"column_config": {"name": {"custom_name": "articles"}}}});
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: field definition conflicts with custom field name for postgres column \"name\""
        ]
    );
    let shown = built.problems[0].to_json(&built.document);
    assert_eq!(
        shown["name"],
        "array_relation articles in table author in source default"
    );
    assert_eq!(
        shown["definition"],
        json!({
            "name": "articles",
            "source": "default",
            "comment": null,
            "table": {"schema": "public", "name": "author"},
            "using": {"foreign_key_constraint_on": {
                "table": {"schema": "public", "name": "article"}, "column": "author_id",
            }},
        })
    );
}

#[test]
fn one_name_for_two_relationships() {
    let author = json!({"object_relationships": [
        {"name": "articles", "using": {"manual_configuration": {"remote_table": "article", "column_mapping": {"id": "id"}}}},
    ]});
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    assert_eq!(
        built.reasons(),
        ["Conflicting objects: conflicting definitions for field \"articles\""]
    );
    assert_eq!(built.problems[0].objects().len(), 2);
}
