//! The order in which things are written changes nothing that a client sees.

use serde_json::{Value, json};

use crate::world::{blog, blog_tables, select};

fn reversed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().rev().cloned().collect(),
        other => other.clone(),
    }
}

#[test]
fn shuffled_inputs() {
    let permission = |columns: Value| json!({"columns": columns, "filter": {}, "allow_aggregations": true});
    let tables = blog_tables(
        select("user", permission(json!(["name", "id"]))),
        select("user", permission(json!(["title", "author_id", "id"]))),
    );
    let world = blog()
        .function("search", &["word text"], "setof row:article")
        .function("find", &["word text"], "setof row:author");
    let functions = json!([{"function": "search"}, {"function": "find"}]);
    let mut shuffled_world = world.clone();
    shuffled_world.tables.reverse();
    shuffled_world.functions.reverse();
    let one = world.build(tables.clone(), functions.clone());
    let other = shuffled_world.build(reversed(&tables), reversed(&functions));
    for role in ["admin", "user"] {
        assert_eq!(one.sdl(role), other.sdl(role), "{role}");
    }
    assert_eq!(one.sdl("admin"), world.build(tables, functions).sdl("admin"));
}
