//! The mutation side of a role's schema: which fields are there, and what they take.

use graphql::TypeSystem;
use graphql::type_system::{EnumValue, InputField, TypeKind};
use schema::TypeKey;
use schema::catalog::{Generated, Key, Volatility};
use schema::meaning::Meaning;
use serde_json::{Value, json};

use crate::world::{Built, World, blog, blog_tables, document, names, tracked};

fn permission(verb: &str, permission: Value) -> Value {
    json!({format!("{verb}_permissions"): [{"role": "user", "permission": permission}]})
}

fn all(permissions: &[Value]) -> Value {
    let mut merged = json!({});
    for permission in permissions {
        if let (Value::Object(merged), Value::Object(more)) = (&mut merged, permission.clone()) {
            merged.extend(more);
        }
    }
    merged
}

fn blog_as(author: Value, article: Value) -> Built {
    let built = blog().build_document(document(blog_tables(author, article), json!([])), None);
    assert_eq!(built.reasons(), Vec::<String>::new());
    built
}

fn mutations(built: &Built) -> Vec<String> {
    names(&built.members("user", "mutation_root"))
}

fn inputs(built: &Built, type_name: &str) -> Vec<InputField<TypeKey, Meaning>> {
    let view = built.view("user");
    let id = view.type_by_name(type_name).expect("a type of that name");
    match view.definition(id).kind.clone() {
        TypeKind::InputObject(keys) => keys,
        _ => panic!("{type_name} is no input object"),
    }
}

fn values(built: &Built, type_name: &str) -> (Option<String>, Vec<EnumValue<Meaning>>) {
    let view = built.view("user");
    let id = view.type_by_name(type_name).expect("a type of that name");
    let definition = view.definition(id);
    match definition.kind.clone() {
        TypeKind::Enum(values) => (definition.description.clone(), values),
        _ => panic!("{type_name} is no enum"),
    }
}

#[test]
fn a_role_that_only_reads_has_no_mutation_root() {
    let read = permission("select", json!({"columns": "*", "filter": {}}));
    let built = blog_as(read, json!({}));
    assert!(
        built
            .view("user")
            .root(graphql::OperationKind::Mutation)
            .is_none()
    );
}

#[test]
fn each_verb_brings_its_fields() {
    let insert = permission("insert", json!({"columns": ["name"], "check": {}}));
    let update = permission("update", json!({"columns": ["name"], "filter": {}}));
    let delete = permission("delete", json!({"filter": {}}));
    // What gives back a row needs the right to read it.
    assert_eq!(mutations(&blog_as(insert.clone(), json!({}))), ["insert_author"]);
    assert_eq!(
        mutations(&blog_as(update.clone(), json!({}))),
        ["update_author", "update_author_many"]
    );
    assert_eq!(mutations(&blog_as(delete.clone(), json!({}))), ["delete_author"]);
    // What names a row by its key needs the right to read the key.
    let read = permission("select", json!({"columns": ["name"], "filter": {}}));
    let built = blog_as(
        all(&[insert.clone(), update.clone(), delete.clone(), read]),
        json!({}),
    );
    assert_eq!(
        mutations(&built),
        [
            "delete_author",
            "insert_author",
            "insert_author_one",
            "update_author",
            "update_author_many"
        ]
    );
    // Root fields of queries say nothing about mutations.
    let read = permission(
        "select",
        json!({"columns": ["id"], "filter": {}, "query_root_fields": [], "subscription_root_fields": []}),
    );
    let built = blog_as(all(&[insert, update, delete, read]), json!({}));
    assert_eq!(
        mutations(&built),
        [
            "delete_author",
            "delete_author_by_pk",
            "insert_author",
            "insert_author_one",
            "update_author",
            "update_author_by_pk",
            "update_author_many"
        ]
    );
}

#[test]
fn returning_needs_the_right_to_read() {
    let insert = permission("insert", json!({"columns": ["name"], "check": {}}));
    let built = blog_as(insert.clone(), json!({}));
    assert_eq!(
        built.members("user", "author_mutation_response"),
        ["affected_rows: Int!"]
    );
    let read = permission("select", json!({"columns": ["id"], "filter": {}}));
    let built = blog_as(all(&[insert, read]), json!({}));
    assert_eq!(
        built.members("user", "author_mutation_response"),
        ["affected_rows: Int!", "returning: [author!]!"]
    );
}

#[test]
fn inserted_rows_take_permitted_columns_and_relationships() {
    let author = permission(
        "insert",
        json!({"columns": ["id", "name", "age"], "check": {}, "set": {"age": "x-hasura-age"}}),
    );
    let article = permission("insert", json!({"columns": ["title"], "check": {}}));
    let built = blog_as(author.clone(), article);
    assert_eq!(
        built.members("user", "author_insert_input"),
        [
            "articles: article_arr_rel_insert_input",
            "id: Int",
            "name: String"
        ]
    );
    assert_eq!(
        built.members("user", "article_insert_input"),
        ["author: author_obj_rel_insert_input", "title: String"]
    );
    assert_eq!(
        built.members("user", "article_arr_rel_insert_input"),
        [
            "data: [article_insert_input!]!",
            "on_conflict: article_on_conflict"
        ]
    );
    assert_eq!(
        built.members("user", "author_obj_rel_insert_input"),
        ["data: author_insert_input!", "on_conflict: author_on_conflict"]
    );
    let built = blog_as(author, json!({}));
    assert_eq!(
        built.members("user", "author_insert_input"),
        ["id: Int", "name: String"]
    );
}

#[test]
fn columns_that_are_not_null_may_be_left_out_but_not_be_null() {
    let insert = permission("insert", json!({"columns": "*", "check": {}}));
    let update = permission("update", json!({"columns": "*", "filter": {}}));
    let built = blog_as(json!({}), all(&[insert, update]));
    for type_name in ["article_insert_input", "article_set_input"] {
        let strict: Vec<String> = inputs(&built, type_name)
            .iter()
            .filter(|key| key.refuses_null)
            .map(|key| key.name.to_string())
            .collect();
        assert_eq!(strict, ["author_id", "id", "title"], "{type_name}");
    }
    let conflict = inputs(&built, "article_on_conflict");
    let strict: Vec<bool> = conflict.iter().map(|key| key.refuses_null).collect();
    assert_eq!(strict, [false, false, true], "only `where`");
}

#[test]
fn all_columns_preset_leave_an_empty_row() {
    let insert = permission(
        "insert",
        json!({"columns": [], "check": {}, "set": {"name": "x"}}),
    );
    let built = blog_as(insert, json!({}));
    assert_eq!(mutations(&built), ["insert_author"]);
    assert_eq!(inputs(&built, "author_insert_input").len(), 0);
}

#[test]
fn generated_columns_cannot_be_written() {
    let world = World::default()
        .table(
            "thing",
            &["id int4!", "serial int4!", "size int4", "doubled int4"],
            &["id"],
        )
        .with(|table| {
            table.columns[0].generated = Generated::IdentityAlways;
            table.columns[1].generated = Generated::IdentityByDefault;
            table.columns[3].generated = Generated::Stored;
        });
    let built = world.build(json!([tracked("thing", json!({}))]), json!([]));
    assert_eq!(
        built.members("admin", "thing_insert_input"),
        ["serial: Int", "size: Int"]
    );
    assert_eq!(
        built.members("admin", "thing_set_input"),
        ["serial: Int", "size: Int"]
    );
    assert_eq!(built.members("admin", "thing_pk_columns_input"), ["id: Int!"]);
}

#[test]
fn each_operator_takes_the_columns_it_applies_to() {
    let built = blog_as(
        json!({}),
        permission(
            "update",
            json!({"columns": ["id", "title", "rating", "content"], "filter": {}}),
        ),
    );
    assert_eq!(
        built.members("user", "article_inc_input"),
        ["id: Int", "rating: float8"]
    );
    for (type_name, member) in [
        ("article_append_input", "content: jsonb"),
        ("article_prepend_input", "content: jsonb"),
        ("article_delete_key_input", "content: String"),
        ("article_delete_elem_input", "content: Int"),
        ("article_delete_at_path_input", "content: [String!]"),
    ] {
        assert_eq!(built.members("user", type_name), [member], "{type_name}");
    }
    assert_eq!(
        built.members("user", "article_updates"),
        [
            "_append: article_append_input",
            "_delete_at_path: article_delete_at_path_input",
            "_delete_elem: article_delete_elem_input",
            "_delete_key: article_delete_key_input",
            "_inc: article_inc_input",
            "_prepend: article_prepend_input",
            "_set: article_set_input",
            "where: article_bool_exp!"
        ]
    );
    // Operators without columns are not there; presets alone make an update.
    let built = blog_as(
        permission(
            "update",
            json!({"columns": [], "filter": {}, "set": {"name": "x"}}),
        ),
        json!({}),
    );
    assert_eq!(
        built.members("user", "mutation_root"),
        [
            "update_author(where: author_bool_exp!): author_mutation_response",
            "update_author_many(updates: [author_updates!]!): [author_mutation_response]"
        ]
    );
}

#[test]
fn filters_of_mutations_know_only_what_can_be_read() {
    let update = permission("update", json!({"columns": ["name"], "filter": {}}));
    let built = blog_as(update.clone(), json!({}));
    assert_eq!(
        names(&built.members("user", "author_bool_exp")),
        ["_and", "_not", "_or"]
    );
    let read = permission("select", json!({"columns": ["id"], "filter": {}}));
    let built = blog_as(all(&[update, read]), json!({}));
    assert_eq!(
        names(&built.members("user", "author_bool_exp")),
        ["_and", "_not", "_or", "id"]
    );
}

#[test]
fn conflicts() {
    let world = World::default()
        .table("seat", &["row int4!", "number int4!", "guest text"], &["row"])
        .with(|table| {
            table.unique_constraints.push(Key {
                name: "seat_row_number_key".into(),
                columns: vec!["row".into(), "number".into()],
            });
        })
        .table("log", &["line text"], &[]);
    let insert = json!([{"role": "user", "permission": {"columns": "*", "check": {}}}]);
    let build = |update: Value| {
        let mut seat = json!({"insert_permissions": insert});
        if !update.is_null() {
            seat["update_permissions"] = json!([{"role": "user", "permission": update}]);
        }
        let log = tracked("log", json!({"insert_permissions": insert}));
        world.build(json!([tracked("seat", seat), log]), json!([]))
    };
    let built = build(json!({"columns": ["guest", "number"], "filter": {}, "set": {"number": 1}}));
    assert_eq!(
        built.members("user", "seat_on_conflict"),
        [
            "constraint: seat_constraint!",
            "update_columns: [seat_update_column!]!",
            "where: seat_bool_exp"
        ]
    );
    assert_eq!(
        inputs(&built, "seat_on_conflict")[1].default.as_deref(),
        Some("[]")
    );
    let (description, constraints) = values(&built, "seat_constraint");
    assert_eq!(
        description.as_deref(),
        Some("unique or primary key constraints on table \"seat\"")
    );
    let shown: Vec<(&str, &str)> = constraints
        .iter()
        .map(|value| (&*value.name, value.description.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        shown,
        [
            ("seat_pkey", "unique or primary key constraint on columns \"row\""),
            (
                "seat_row_number_key",
                "unique or primary key constraint on columns \"number\", \"row\""
            )
        ]
    );
    assert_eq!(constraints[1].meaning, Meaning::Constraint(1));
    let (description, columns) = values(&built, "seat_update_column");
    assert_eq!(description.as_deref(), Some("update columns of table \"seat\""));
    // A column that the permission sets is not the client's to choose.
    assert_eq!(
        columns.iter().map(|value| &*value.name).collect::<Vec<_>>(),
        ["guest"]
    );

    let built = build(Value::Null);
    let (description, columns) = values(&built, "seat_update_column");
    assert_eq!(
        description.as_deref(),
        Some("placeholder for update columns of table \"seat\" (current role has no relevant permissions)")
    );
    assert_eq!(columns[0].meaning, Meaning::NoColumn);
    assert_eq!(
        columns[0].description.as_deref(),
        Some("placeholder (do not use)")
    );
    // Nothing can conflict in a table without keys.
    assert_eq!(
        built.members("user", "mutation_root")[0],
        "insert_log(objects: [log_insert_input!]!): log_mutation_response"
    );
}

#[test]
fn backend_only_permissions_need_the_privilege() {
    let backend = |permission: Value| all(&[permission, json!({"backend_only": true})]);
    let author = all(&[
        permission("insert", backend(json!({"columns": ["name"], "check": {}}))),
        permission("update", backend(json!({"columns": ["name"], "filter": {}}))),
        permission("delete", backend(json!({"filter": {}}))),
    ]);
    let article = permission("insert", json!({"columns": ["title"], "check": {}}));
    let built = blog_as(author, article);
    assert_eq!(mutations(&built), ["insert_article"]);
    // Nor can it be reached through a relationship.
    assert_eq!(built.members("user", "article_insert_input"), ["title: String"]);
    let view = schema::RoleView::new(built.model, "user", true);
    let root = view.root(graphql::OperationKind::Mutation).expect("a root");
    let TypeKind::Object(fields) = view.definition(root).kind.clone() else {
        panic!("a root is an object")
    };
    let fields: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    assert_eq!(
        fields,
        [
            "delete_author",
            "insert_article",
            "insert_author",
            "update_author",
            "update_author_many"
        ]
    );
}

#[test]
fn views_have_what_postgres_can_do_with_them() {
    let world = World::default()
        .table("author_view", &["id int4", "name text"], &[])
        .with(|table| {
            table.kind = schema::catalog::TableKind::View;
            table.mutability.insertable = false;
            table.mutability.deletable = false;
        });
    let built = world.build(json!([tracked("author_view", json!({}))]), json!([]));
    assert_eq!(
        names(&built.members("admin", "mutation_root")),
        ["update_author_view", "update_author_view_many"]
    );
}

#[test]
fn functions_as_mutations() {
    let world = blog()
        .function("touch", &["who text"], "setof row:author")
        .with_function(|function| function.volatility = Volatility::Volatile)
        .function("touch_one", &[], "row:author")
        .with_function(|function| function.volatility = Volatility::Volatile)
        // Its aggregate would clash with nothing: a mutation has none.
        .table("touch_aggregate", &["id int4!"], &["id"]);
    let permissions = json!({"permissions": [{"role": "user"}]});
    let function = |name: &str| {
        let mut function = permissions.clone();
        function["function"] = json!(name);
        function
    };
    let read = permission(
        "select",
        json!({"columns": ["name"], "filter": {}, "allow_aggregations": true}),
    );
    let mut tables = blog_tables(read, json!({}));
    if let Value::Array(tables) = &mut tables {
        tables.push(tracked("touch_aggregate", json!({})));
    }
    let built = world.build(tables, json!([function("touch"), function("touch_one")]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert_eq!(
        built.members("user", "mutation_root"),
        [
            "touch(args: touch_args!, distinct_on: [author_select_column!], limit: Int, offset: Int, \
             order_by: [author_order_by!], where: author_bool_exp): [author!]!",
            "touch_one: author"
        ]
    );
    let view = built.view("user");
    let root = view.root(graphql::OperationKind::Mutation).expect("a root");
    let field = view.object_field(root, "touch").expect("a field");
    assert_eq!(
        field.description.as_deref(),
        Some("execute VOLATILE function \"touch\" which returns \"author\"")
    );
    assert!(!built.queries("user").contains(&"touch".to_owned()));
}

#[test]
fn namespaces_and_affixes() {
    let mut metadata = document(blog_tables(json!({}), json!({})), json!([]));
    metadata["sources"][0]["customization"] = json!({
        "root_fields": {"namespace": "blog", "prefix": "my_"},
        "type_names": {"prefix": "My_"},
    });
    let built = blog().build_document(metadata, None);
    assert_eq!(
        built.members("admin", "mutation_root"),
        ["blog: My_blog_mutation_frontend"]
    );
    let members = built.members("admin", "My_blog_mutation_frontend");
    assert!(
        members.contains(&"my_insert_author_one(object: My_author_insert_input!, on_conflict: My_author_on_conflict): My_author".to_owned()),
        "{members:?}"
    );
}

#[test]
fn enum_columns_take_values_of_the_enum() {
    let world = World::default()
        .table("mood", &["value text!"], &["value"])
        .rows("mood", &["happy"])
        .table("person", &["id int4!", "mood text!"], &["id"])
        .key("mood", "mood", "value");
    let built = world.build(
        json!([
            tracked("mood", json!({"is_enum": true})),
            tracked("person", json!({}))
        ]),
        json!([]),
    );
    assert_eq!(
        built.members("admin", "person_insert_input"),
        ["id: Int", "mood: mood_enum"]
    );
}
