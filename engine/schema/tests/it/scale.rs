//! Time and memory at the sizes the design promises.

use std::time::Instant;

use serde_json::{Value, json};

use crate::world::{World, document, tracked};

fn large(tables: usize, roles: usize) -> (World, Value) {
    let mut world = World::default();
    let mut entries = Vec::new();
    for at in 0..tables {
        let name = format!("table_{at:04}");
        world = world.table(
            &name,
            &[
                "id int4!",
                "name text",
                "parent_id int4",
                "owner text",
                "created timestamptz",
                "amount numeric",
                "active bool",
                "data jsonb",
                "tags text[]",
                "score float8",
            ],
            &["id"],
        );
        let parent = format!("table_{:04}", at.saturating_sub(1));
        world = world.key("parent_id", &parent, "id");
        let permissions: Vec<Value> = (0..roles)
            .map(|role| {
                json!({"role": format!("role_{role}"), "permission": {
                    "columns": ["id", "name", "parent_id", "amount", "active"],
                    "filter": {"_and": [{"owner": {"_eq": "X-Hasura-User-Id"}}, {"id": {"_gt": role}}]},
                    "allow_aggregations": true,
                }})
            })
            .collect();
        entries.push(tracked(
            &name,
            json!({
                "object_relationships": [
                    {"name": "parent", "using": {"foreign_key_constraint_on": "parent_id"}},
                ],
                "select_permissions": permissions,
            }),
        ));
    }
    (world, document(Value::Array(entries), json!([])))
}

#[test]
#[ignore = "measures; run with --release"]
fn builds_fast() {
    let (world, metadata) = large(1000, 10);
    let (metadata, _) = metadata::Document::parse(&metadata).expect("a legal document");
    let catalogs = [("default".to_owned(), world.state())].into_iter().collect();
    let start = Instant::now();
    let (model, problems) = schema::build(&metadata, &catalogs, &world.options, None);
    let first = start.elapsed();
    assert!(problems.is_empty());
    let start = Instant::now();
    let previous = schema::Previous {
        document: &metadata,
        model: &model,
    };
    let (again, _) = schema::build(&metadata, &catalogs, &world.options, Some(previous));
    let second = start.elapsed();
    assert!(std::sync::Arc::ptr_eq(&model.sources[0], &again.sources[0]));
    eprintln!("first {first:?}, again {second:?}");
    assert!(first.as_millis() < 1000, "{first:?}");
}

#[test]
fn a_role_is_small() {
    let (world, metadata) = large(600, 2);
    let built = world.build_document(metadata, None);
    let role = &built.model.roles["role_1"];
    let per_table = size_of::<(schema::model::TableId, schema::access::TableAccess)>() + 1;
    let boxed: usize = role
        .tables
        .values()
        .filter_map(|access| access.select.as_ref())
        .map(|select| select.columns.iter().count().div_ceil(64) * 8 + 16)
        .sum();
    let bytes = role.tables.capacity() * 8 / 7 * per_table + boxed;
    assert!(bytes < 1 << 20, "{bytes} bytes");
}
