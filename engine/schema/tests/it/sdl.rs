//! The whole schema of a role as SDL.

use serde_json::json;

use crate::world::{blog, blog_tables, document, select};

/// Compares with a stored text; `UPDATE_GOLDEN=1` writes it.
fn golden(file: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/golden")
        .join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the golden folder is writable");
    }
    let stored = std::fs::read_to_string(&path).expect("a stored text");
    let mut lines = text.lines().zip(stored.lines()).enumerate();
    let difference = lines.find(|(_, (new, old))| new != old);
    assert!(
        text == stored,
        "{file} differs, first in {difference:?}; UPDATE_GOLDEN=1 writes it anew"
    );
}

#[test]
fn admin() {
    let built = blog().build_document(document(blog_tables(json!({}), json!({})), json!([])), None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    golden("blog_admin.graphql", &built.sdl("admin"));
}

#[test]
fn user() {
    let tables = blog_tables(
        select("user", json!({"columns": ["id", "name"], "filter": {}})),
        select(
            "user",
            json!({
                "columns": ["id", "title", "author_id"],
                "filter": {"author_id": "X-Hasura-User-Id"},
                "limit": 10,
                "allow_aggregations": true,
            }),
        ),
    );
    let built = blog().build_document(document(tables, json!([])), None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    golden("blog_user.graphql", &built.sdl("user"));
}

#[test]
fn editor() {
    let writes = |columns: serde_json::Value| {
        json!({
            "insert_permissions": [{"role": "editor", "permission": {"columns": columns, "check": {}}}],
            "update_permissions": [{"role": "editor", "permission": {"columns": columns, "filter": {}}}],
            "delete_permissions": [{"role": "editor", "permission": {"filter": {}}}],
        })
    };
    let tables = blog_tables(writes(json!(["name"])), writes(json!(["title", "content"])));
    let built = blog().build_document(document(tables, json!([])), None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    golden("blog_editor.graphql", &built.sdl("editor"));
}

#[test]
fn unknown_role_sees_the_placeholder() {
    let built = blog().build_document(document(blog_tables(json!({}), json!({})), json!([])), None);
    assert_eq!(
        built.members("nobody", "query_root"),
        ["no_queries_available: String!"]
    );
    assert!(built.members("nobody", "subscription_root").is_empty());
}

#[test]
fn naming_graphql_default() {
    let mut metadata = document(blog_tables(json!({}), json!({})), json!([]));
    metadata["sources"][0]["customization"] = json!({"naming_convention": "graphql-default"});
    let built = blog().build_document(metadata, None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    golden("blog_graphql_default.graphql", &built.sdl("admin"));
}
