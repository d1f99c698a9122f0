//! Inherited roles: rows and cells of all parents, writes only where the parents agree.

use schema::Problem;
use schema::access::SelectAccess;
use schema::model::{ColumnId, TableId};
use schema::predicate::Predicate;
use serde_json::{Value, json};

use crate::world::{Built, blog, blog_tables, document};

fn author() -> TableId {
    TableId::new(0, 0)
}

fn build(permissions: Value, inherited: Value) -> Built {
    let mut metadata = document(blog_tables(permissions, json!({})), json!([]));
    metadata["inherited_roles"] = inherited;
    blog().build_document(metadata, None)
}

fn selects(all: &[(&str, Value)]) -> Value {
    let all: Vec<Value> = all
        .iter()
        .map(|(role, permission)| json!({"role": role, "permission": permission}))
        .collect();
    json!({"select_permissions": all})
}

fn select<'b>(built: &'b Built, role: &str) -> &'b SelectAccess {
    built.model.roles[role].tables[&author()]
        .select
        .as_ref()
        .expect("a select permission")
}

#[test]
fn cells_are_redacted() {
    let built = build(
        selects(&[
            (
                "a",
                json!({"columns": ["id", "name"], "filter": {"age": {"_gt": 1}}, "limit": 5}),
            ),
            (
                "b",
                json!({"columns": ["id", "age"], "filter": {"is_active": true}, "allow_aggregations": true,
                         "query_root_fields": ["select"]}),
            ),
        ]),
        json!([{"role_name": "both", "role_set": ["a", "b"]}]),
    );
    assert_eq!(built.reasons(), Vec::<String>::new());
    let both = select(&built, "both");
    let (a, b) = (select(&built, "a"), select(&built, "b"));
    assert!(matches!(built.model.predicate(both.filter), Some(Predicate::Or(parts)) if parts.len() == 2));
    assert_eq!(
        both.columns.iter().collect::<Vec<_>>(),
        [ColumnId(0), ColumnId(1), ColumnId(2)]
    );
    assert_eq!(
        both.redacted_columns,
        [(ColumnId(1), a.filter), (ColumnId(2), b.filter)]
    );
    assert_eq!(both.limit, Some(5));
    assert!(both.aggregations);
    assert_eq!(both.query_root_fields, None, "one parent has all");
    assert_eq!(
        built.members("both", "author"),
        ["age: Int", "id: Int!", "name: String"]
    );
    assert_eq!(built.members("a", "author"), ["id: Int!", "name: String!"]);
}

#[test]
fn one_parent_with_permissions() {
    let built = build(
        selects(&[(
            "a",
            json!({"columns": ["id", "name"], "filter": {"age": {"_gt": 1}}}),
        )]),
        json!([{"role_name": "both", "role_set": ["a", "b"]}, {"role_name": "b", "role_set": ["a"]}]),
    );
    assert_eq!(select(&built, "both").redacted_columns, []);
    assert_eq!(select(&built, "both").filter, select(&built, "a").filter);
}

#[test]
fn nested_redaction_stays() {
    let built = build(
        selects(&[
            ("a", json!({"columns": ["id", "name"], "filter": {"age": 1}})),
            ("b", json!({"columns": ["id"], "filter": {"age": 2}})),
            ("c", json!({"columns": ["id", "name"], "filter": {"age": 3}})),
        ]),
        json!([
            {"role_name": "abc", "role_set": ["ab", "c"]},
            {"role_name": "ab", "role_set": ["a", "b"]},
        ]),
    );
    let redacted = &select(&built, "abc").redacted_columns;
    let [(column, predicate)] = redacted.as_slice() else {
        panic!("one column, not {redacted:?}")
    };
    assert_eq!(*column, ColumnId(1));
    let Some(Predicate::Or(parts)) = built.model.predicate(*predicate) else {
        panic!("an alternative")
    };
    assert!(
        parts
            .iter()
            .any(|part| matches!(part, Predicate::And(both) if both.len() == 2)),
        "{parts:?}"
    );
}

#[test]
fn own_permissions_stand() {
    let built = build(
        selects(&[
            ("a", json!({"columns": ["id", "name"], "filter": {}})),
            ("both", json!({"columns": ["age"], "filter": {}})),
        ]),
        json!([{"role_name": "both", "role_set": ["a"]}]),
    );
    assert_eq!(built.members("both", "author"), ["age: Int"]);
}

#[test]
fn writes_must_agree() {
    let delete = |filters: &[(&str, Value)]| -> Value {
        filters
            .iter()
            .map(|(role, filter)| json!({"role": role, "permission": {"filter": filter}}))
            .collect()
    };
    let both = json!([{"role_name": "both", "role_set": ["a", "b"]}]);
    let same = build(
        json!({"delete_permissions": delete(&[("a", json!({"id": 1})), ("b", json!({"id": 1}))])}),
        both.clone(),
    );
    assert_eq!(same.reasons(), Vec::<String>::new());
    assert!(same.model.roles["both"].tables[&author()].delete.is_some());
    let other = build(
        json!({"delete_permissions": delete(&[("a", json!({"id": 1})), ("b", json!({"id": 2}))])}),
        both,
    );
    assert!(other.model.roles["both"].tables[&author()].delete.is_none());
    assert_eq!(
        other.reasons(),
        [
            "Could not inherit permission for the role 'both' for the entity: 'delete permission, table: author, \
          source: 'default''"
        ]
    );
    assert_eq!(
        other.problems[0].to_json(&other.document),
        json!({
            "reason": other.problems[0].reason(),
            "name": "both",
            "type": "inherited role permission inconsistency",
            "entity": {"permission_type": "delete", "source": "default", "table": "author"},
        })
    );
}

#[test]
fn cycles_and_unknown_parents() {
    let built = build(
        selects(&[("a", json!({"columns": ["id"], "filter": {}}))]),
        json!([
            {"role_name": "x", "role_set": ["y", "a"]},
            {"role_name": "y", "role_set": ["x"]},
            {"role_name": "self", "role_set": ["self"]},
            {"role_name": "lost", "role_set": ["nobody", "a"]},
            {"role_name": "heir", "role_set": ["lost"]},
            {"role_name": "fine", "role_set": ["a"]},
        ]),
    );
    let mut reasons = built.reasons();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "Inconsistent object: an inherited role name cannot be in the role combination",
            "Inconsistent object: found cycle(s) in roles: [\"x\",\"y\",\"x\"]",
            "Inconsistent object: found cycle(s) in roles: [\"y\",\"x\",\"y\"]",
            "Inconsistent object: the following parent role(s) are not found: lost which are required to construct \
             the inherited role: \"heir\"",
            "Inconsistent object: the following parent role(s) are not found: nobody which are required to construct \
             the inherited role: \"lost\"",
        ]
    );
    assert!(
        built
            .problems
            .iter()
            .all(|problem| matches!(problem, Problem::Inconsistent { .. }))
    );
    let roles: Vec<&str> = built.model.roles.keys().map(|role| &**role).collect();
    assert_eq!(roles, ["a", "admin", "fine"]);
}
