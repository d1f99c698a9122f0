//! Permissions: overlays, expressions, and every refusal.

use schema::access::Preset;
use schema::model::{ColumnId, RelationshipId, TableId};
use schema::operator::Operator;
use schema::predicate::{Comparison, Operand, Predicate};
use serde_json::{Value, json};

use crate::world::{Built, World, blog, blog_tables, names, select, tracked};

fn comparison(operator: Operator, operand: Operand) -> Comparison {
    Comparison {
        operator,
        operand,
        cast: None,
    }
}

/// The predicate of a filter on `article` for the role `user`.
fn filter(expression: Value) -> Predicate {
    let built = with_filter(expression);
    assert_eq!(built.reasons(), Vec::<String>::new());
    let role = &built.model.roles["user"];
    let select = role.tables[&TableId::new(0, 1)]
        .select
        .as_ref()
        .expect("a select permission");
    built
        .model
        .predicate(select.filter)
        .expect("the predicate")
        .clone()
}

fn with_filter(expression: Value) -> Built {
    let permission = select("user", json!({"columns": "*", "filter": expression}));
    let mut article = permission;
    article["computed_fields"] = json!([
        {"name": "short_title", "definition": {"function": "short_title"}},
        {"name": "similar", "definition": {"function": "similar_articles"}},
        {"name": "matching", "definition": {"function": "matching"}},
    ]);
    blog()
        .function("short_title", &["row row:article"], "text")
        .function("similar_articles", &["row row:article"], "setof row:article")
        .function("matching", &["row row:article", "word text"], "text")
        .build(blog_tables(json!({}), article), json!([]))
}

/// The message and path for a bad filter.
fn refusal(expression: Value) -> (String, String) {
    let built = with_filter(expression);
    let [schema::Problem::Inconsistent { message, path, .. }] = built.problems.as_slice() else {
        panic!("one problem, not {:?}", built.reasons());
    };
    let message = message
        .strip_prefix("in table \"article\": in permission for role \"user\": ")
        .expect("the context")
        .to_owned();
    (message, path.clone().unwrap_or_default())
}

#[test]
fn expressions() {
    let title = ColumnId(1);
    let author_id = ColumnId(2);
    let eq = |operand| comparison(Operator::Equal, operand);
    assert_eq!(
        filter(json!({"author_id": "X-Hasura-User-Id"})),
        Predicate::Column(author_id, eq(Operand::Session("x-hasura-user-id".into())))
    );
    assert_eq!(
        filter(json!({"$or": [{"title": {"$like": "a%"}}, {"_not": {"id": {"_in": [1, "x-hasura-id"]}}}]})),
        Predicate::Or(vec![
            Predicate::Column(title, comparison(Operator::Like, Operand::Literal(json!("a%")))),
            Predicate::Not(Box::new(Predicate::Column(
                ColumnId(0),
                comparison(
                    Operator::In,
                    Operand::List(vec![
                        Operand::Literal(json!(1)),
                        Operand::Session("x-hasura-id".into())
                    ])
                )
            ))),
        ])
    );
    assert_eq!(
        filter(json!({"author": {"is_active": true, "id": {"_ceq": ["$", "author_id"]}}})),
        Predicate::Relationship(
            RelationshipId(0),
            Box::new(Predicate::And(vec![
                Predicate::Column(ColumnId(3), eq(Operand::Literal(json!(true)))),
                Predicate::Column(
                    ColumnId(0),
                    comparison(
                        Operator::ColumnEqual,
                        Operand::RootColumn {
                            path: vec![],
                            column: author_id,
                        }
                    )
                ),
            ]))
        )
    );
    assert_eq!(
        filter(json!({"id": {"_cgt": ["author", "id"]}})),
        Predicate::Column(
            ColumnId(0),
            comparison(
                Operator::ColumnGreater,
                Operand::Column {
                    path: vec![RelationshipId(0)],
                    column: ColumnId(0),
                }
            )
        )
    );
    assert_eq!(
        filter(json!({"_exists": {"_table": "author", "_where": {"id": {"_in": "X-Hasura-Ids"}}}})),
        Predicate::Exists(
            TableId::new(0, 0),
            Box::new(Predicate::Column(
                ColumnId(0),
                comparison(Operator::In, Operand::Session("x-hasura-ids".into()))
            ))
        )
    );
    assert_eq!(
        filter(json!({"content": {"_cast": {"String": {"_ilike": "%x%"}}}})),
        Predicate::Column(
            ColumnId(4),
            Comparison {
                cast: Some("text"),
                ..comparison(Operator::ILike, Operand::Literal(json!("%x%")))
            }
        )
    );
    assert_eq!(filter(json!({"_and": []})), Predicate::And(vec![]));
    assert!(matches!(
        filter(json!({"short_title": {"_neq": "x"}})),
        Predicate::ComputedField(
            _,
            Comparison {
                operator: Operator::NotEqual,
                ..
            }
        )
    ));
    assert!(matches!(
        filter(json!({"similar": {"id": 3}})),
        Predicate::ComputedTable(..)
    ));
}

#[test]
fn aggregates_in_expressions() {
    let author = select(
        "user",
        json!({"columns": "*", "filter": {"articles_aggregate": {"count": {
            "predicate": {"_gt": 2}, "distinct": true, "arguments": ["title"], "filter": {"id": {"_gt": 1}},
        }}}}),
    );
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    let role = &built.model.roles["user"];
    let select = role.tables[&TableId::new(0, 0)]
        .select
        .as_ref()
        .expect("a select permission");
    let Some(Predicate::Aggregate(_, aggregate)) = built.model.predicate(select.filter) else {
        panic!("an aggregate");
    };
    assert_eq!((aggregate.function, aggregate.distinct), ("count", true));
    assert_eq!(aggregate.columns, [ColumnId(1)]);
    assert!(aggregate.filter.is_some());
    assert_eq!(aggregate.comparison.operator, Operator::Greater);
}

#[test]
fn refused_expressions() {
    for (expression, message, path) in [
        (
            json!({"nope": 1}),
            "column \"nope\" does not exist",
            "$.permission.filter.nope",
        ),
        (
            json!({"_and": [{}, {"id": {"_equals": 1}}]}),
            "Unknown operator: _equals",
            "$.permission.filter._and[1].id._equals",
        ),
        (
            json!({"id": {"_like": "a"}}),
            " is of type \"integer\"; this operator works only on columns of type \"bpchar\", \"varchar\", \"text\", \"citext\"",
            "$.permission.filter.id._like",
        ),
        (
            json!({"title": {"_has_key": "a"}}),
            " is of type \"text\"; this operator works only on columns of type \"jsonb\"",
            "$.permission.filter.title._has_key",
        ),
        (
            json!({"id": {"_cast": {"text": {}}}}),
            "cannot cast column of type \"integer\" to type \"text\"",
            "$.permission.filter.id._cast",
        ),
        (
            json!({"id": {"_ceq": "title"}}),
            "incompatible column types: \"id\" has type \"integer\", but \"title\" has type \"text\"",
            "$.permission.filter.id._ceq",
        ),
        (
            json!({"id": {"_ceq": []}}),
            "path cannot be empty",
            "$.permission.filter.id._ceq",
        ),
        (
            json!({"id": {"_ceq": 7}}),
            "a boolean expression JSON must be either a string or an array",
            "$.permission.filter.id._ceq",
        ),
        (
            json!({"id": {"_ceq": "author"}}),
            "column operators can only compare postgres columns",
            "$.permission.filter.id._ceq",
        ),
        (
            json!({"id": {"_in": 3}}),
            "parsing [] failed, expected Array, but encountered Number",
            "$.permission.filter.id._in",
        ),
        (
            json!({"id": {"_is_null": "yes"}}),
            "parsing Bool failed, expected Boolean, but encountered String",
            "$.permission.filter.id._is_null",
        ),
        (
            json!({"id": {"_eq": true}}),
            "parsing Int failed, expected Number, but encountered Boolean",
            "$.permission.filter.id._eq",
        ),
        (
            json!({"_exists": {"_table": "nope", "_where": {}}}),
            "table \"nope\" does not exist",
            "$.permission.filter._exists._table",
        ),
        (
            json!({"author": 3}),
            "parsing Object failed, expected Object, but encountered Number",
            "$.permission.filter.author",
        ),
        (
            json!({"matching": {"_eq": "x"}}),
            "Computed columns with input arguments can not be part of the where clause",
            "$.permission.filter.matching",
        ),
    ] {
        assert_eq!(
            refusal(expression.clone()),
            (message.to_owned(), path.to_owned()),
            "{expression}"
        );
    }
}

fn refused(author: Value) -> Vec<String> {
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    let context = "Inconsistent object: in table \"author\": in permission for role \"user\": ";
    built
        .reasons()
        .iter()
        .map(|reason| reason.strip_prefix(context).unwrap_or(reason).to_owned())
        .collect()
}

#[test]
fn refused_permissions() {
    let insert =
        |permission: Value| json!({"insert_permissions": [{"role": "user", "permission": permission}]});
    let update =
        |permission: Value| json!({"update_permissions": [{"role": "user", "permission": permission}]});
    for (permission, message) in [
        (
            select("user", json!({"columns": ["nope"], "filter": {}})),
            "column \"nope\" does not exist",
        ),
        (
            select("user", json!({"columns": ["articles"], "filter": {}})),
            "expecting a database column; but, \"articles\" is a relationship; \
             permissions for relationships are automatically inferred",
        ),
        (
            select(
                "user",
                json!({"columns": [], "computed_fields": ["random"], "filter": {}}),
            ),
            "computed field \"random\" does not exist",
        ),
        (
            select(
                "user",
                json!({"columns": ["name"], "filter": {}, "query_root_fields": ["select_by_pk"]}),
            ),
            "The \"select_by_pk\" field cannot be included in the query_root_fields because the role does not have \
             access to the primary key of the table \"author\" in the source",
        ),
        (
            select(
                "user",
                json!({"columns": "*", "filter": {}, "subscription_root_fields": ["select_aggregate"]}),
            ),
            "The \"select_aggregate\" root field can only be enabled in the subscription_root_fields when \
             \"allow_aggregations\" is set to true",
        ),
        (
            insert(json!({"check": {}, "columns": ["articles"]})),
            "expecting a database column; but, \"articles\" is a relationship; \
             Only table columns can have insert permissions defined, not relationships or other field types",
        ),
        (
            update(json!({"filter": {}, "columns": ["articles"]})),
            "expecting a database column; but, \"articles\" is a relationship; \
             Only table columns can have update permissions defined, not relationships or other field types",
        ),
        (
            insert(json!({"check": {}, "columns": "*", "set": {"articles": 1}})),
            "expecting a database column; but, \"articles\" is a relationship; \
             relationships can't be used in set",
        ),
        (
            insert(json!({"check": {}, "columns": "*", "set": {"nope": 1}})),
            "column \"nope\" does not exist",
        ),
        (
            insert(json!({"check": {}, "columns": "*", "set": {"name": 5}})),
            "parsing Text failed, expected String, but encountered Number",
        ),
        (
            update(json!({"filter": {}, "columns": "*", "set": {"age": [1]}})),
            "parsing Int failed, expected Number, but encountered Array",
        ),
        (
            update(json!({"filter": {}, "columns": "*", "set": {"is_active": 1}})),
            "parsing Bool failed, expected Boolean, but encountered Number",
        ),
    ] {
        assert_eq!(refused(permission.clone()), [message], "{permission}");
    }
    let admin = blog().build(
        blog_tables(select("admin", json!({"columns": "*", "filter": {}})), json!({})),
        json!([]),
    );
    assert_eq!(
        admin.reasons(),
        [
            "Inconsistent object: in table \"author\": in permission for role \"admin\": cannot define permission for \
          admin role"
        ]
    );
}

#[test]
fn a_broken_permission_leaves_the_others() {
    let mut author = select("user", json!({"columns": ["nope"], "filter": {}}));
    author["select_permissions"]
        .as_array_mut()
        .expect("a list")
        .push(json!({"role": "editor", "permission": {"columns": "*", "filter": {}}}));
    author["delete_permissions"] = json!([{"role": "user", "permission": {"filter": {}}}]);
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    assert_eq!(built.problems.len(), 1);
    assert_eq!(built.queries("user"), ["no_queries_available"]);
    assert_eq!(built.queries("editor"), ["author", "author_by_pk"]);
    let user = &built.model.roles["user"].tables[&TableId::new(0, 0)];
    assert!(user.select.is_none() && user.delete.is_some());
}

#[test]
fn what_a_role_sees() {
    let author = select(
        "user",
        json!({"columns": ["name"], "filter": {}, "subscription_root_fields": []}),
    );
    let article = select(
        "user",
        json!({"columns": ["id", "title"], "filter": {}, "query_root_fields": [], "allow_aggregations": true}),
    );
    let built = blog().build(blog_tables(author, article), json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    assert_eq!(built.queries("user"), ["author"]);
    assert_eq!(
        names(&built.members("user", "subscription_root")),
        ["article", "article_aggregate", "article_by_pk", "article_stream"]
    );
    assert_eq!(
        names(&built.members("user", "author")),
        ["articles", "articles_aggregate", "name"]
    );
    assert_eq!(
        names(&built.members("user", "article_bool_exp")),
        ["_and", "_not", "_or", "author", "id", "title"]
    );
    assert_eq!(
        names(&built.members("user", "article_order_by")),
        ["author", "id", "title"]
    );
    assert_eq!(built.members("user", "article_select_column"), ["id", "title"]);
}

#[test]
fn write_permissions() {
    let author = json!({
        "insert_permissions": [{"role": "user", "permission": {
            "check": {"id": "X-Hasura-User-Id"},
            "columns": ["name", "age", "id"],
            "set": {"id": "x-hasura-User-Id", "is_active": true},
            "backend_only": true,
        }}],
        "update_permissions": [{"role": "user", "permission": {
            "columns": "*", "filter": {"id": "X-Hasura-User-Id"}, "check": null, "set": {"age": 3},
        }}],
    });
    let built = blog().build(blog_tables(author, json!({})), json!([]));
    assert_eq!(built.reasons(), Vec::<String>::new());
    let access = &built.model.roles["user"].tables[&TableId::new(0, 0)];
    let insert = access.insert.as_ref().expect("an insert permission");
    assert_eq!(
        insert.columns.iter().collect::<Vec<_>>(),
        [ColumnId(1), ColumnId(2)]
    );
    assert_eq!(
        insert.presets,
        [
            (ColumnId(0), Preset::Session("x-hasura-user-id".into())),
            (ColumnId(3), Preset::Literal(json!(true))),
        ]
    );
    assert!(insert.backend_only);
    let update = access.update.as_ref().expect("an update permission");
    assert_eq!(update.check, None);
    assert_eq!(update.filter, insert.check, "equal expressions are stored once");
    assert!(!update.columns.contains(ColumnId(2)));
}

#[test]
fn generated_columns_and_views_are_not_written() {
    let world = World::default()
        .table("t", &["id int4!", "twice int4"], &["id"])
        .with(|table| table.columns[1].generated = schema::catalog::Generated::Stored)
        .table("v", &["id int4"], &[])
        .with(|table| table.mutability.insertable = false);
    let insert = |columns: Value| json!({"insert_permissions": [{"role": "user", "permission": {"check": {}, "columns": columns}}]});
    let built = world.build(
        json!([
            tracked("t", insert(json!(["twice"]))),
            tracked("v", insert(json!("*")))
        ]),
        json!([]),
    );
    assert_eq!(
        built.reasons(),
        [
            "Inconsistent object: in table \"t\": in permission for role \"user\": Column \"twice\" is not \
             insertable and so cannot have insert permissions defined",
            "Inconsistent object: in table \"v\": in permission for role \"user\": \"v\" is not insertable",
        ]
    );
}
