//! Saved queries that the schema does not have.

use serde_json::json;

use crate::world::{blog, blog_tables, document};

fn reasons(queries: serde_json::Value, more: serde_json::Value) -> Vec<String> {
    let mut metadata = document(blog_tables(json!({}), json!({})), json!([]));
    metadata["query_collections"] = json!([{"name": "c", "definition": {"queries": queries}}]);
    if let (Some(metadata), Some(more)) = (metadata.as_object_mut(), more.as_object()) {
        metadata.extend(more.clone());
    }
    let built = blog().build_document(metadata, None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    schema::saved_query::check(&built.document, &built.model)
        .iter()
        .map(schema::Problem::reason)
        .collect()
}

#[test]
fn what_the_admin_sees_is_there() {
    let queries = json!([
        {"name": "a", "query": "query ($id: Int!) { author_by_pk(id: $id) { id } }"},
        {"name": "b", "query": "subscription { author { id ...f } } fragment f on author { id }"},
    ]);
    assert_eq!(reasons(queries, json!({})), Vec::<String>::new());
}

#[test]
fn what_is_gone_is_named_with_its_users() {
    let queries = json!([
        {"name": "a", "query": "{ nobody { id } author { nothing } }"},
        {"name": "b", "query": "{ author {"},
    ]);
    let more = json!({
        "allowlist": [{"collection": "c", "scope": {"global": true}}],
        "rest_endpoints": [
            {"name": "r2", "url": "r2", "methods": ["GET"], "definition": {"query": {"collection_name": "c", "query_name": "a"}}},
            {"name": "r1", "url": "r1", "methods": ["GET", "PUT"], "definition": {"query": {"collection_name": "c", "query_name": "a"}}},
        ],
    });
    assert_eq!(
        reasons(queries, more),
        [
            "Inconsistent object: In query collection \"c\" the query \"a\" is invalid with the following error(s): \
             \"$.nobody: field 'nobody' not found in object 'query_root'\", \"$.author.nothing: field 'nothing' not \
             found in object 'author'\". This query is being used in the following REST endpoint(s): \"r1\", \"r2\". \
             This query is in allowlist.",
            "Inconsistent object: In query collection \"c\" the query \"b\" is invalid with the following error(s): \
             \"not a valid graphql query\"",
        ]
    );
}
