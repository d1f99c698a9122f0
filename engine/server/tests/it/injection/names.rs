//! Strings as names: of what is in Postgres, and of what metadata calls it.

use serde_json::{Value, json};

use super::{Cage, HOSTILE};

/// Names that Postgres takes as they are.
const NAMES: [&str; 19] = [
    "\"; drop table canary; --",
    "'; drop table canary; --",
    "we\"ird",
    "back\\slash\\",
    "/* */",
    "*/ delete from canary; /*",
    "a--b",
    "$1",
    "$$",
    "select",
    "user",
    "UPPER case",
    "dot.ted",
    "{},NULL",
    "line\nbreak",
    "é漢🦀",
    "%s",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz_63_bytes_xx",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa🦀",
];

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Constraints and functions may not be called as the table is.
fn key_of(name: &str) -> String {
    let mut key = name.to_owned();
    key.pop();
    key + "'"
}

/// A schema, table, key, constraint, self-reference and function of this name.
fn objects(name: &str) -> String {
    let (n, key) = (quoted(name), quoted(&key_of(name)));
    format!(
        "create schema {n};
         create table {n}.{n} ({n} int constraint {key} primary key, \"up 'x\" int, note text);
         alter table {n}.{n} add constraint \"up of \\ '\" foreign key (\"up 'x\") references {n}.{n};
         insert into {n}.{n} values (1, null, 'first'), (2, 1, 'second');
         create function {n}.{key}(arg text) returns setof {n}.{n} language sql stable as
           $body$ select * from {n}.{n} where note = arg $body$;
         create function {n}.\"it's \\\"(r {n}.{n}) returns text language sql stable as $body$ select r.note $body$;"
    )
}

fn metadata(number: usize, name: &str) -> Value {
    let table = json!({"schema": name, "name": name});
    json!([
        {"type": "pg_track_table", "args": {"table": table, "configuration": {"custom_name": format!("t{number}"),
            "column_config": {name: {"custom_name": "key"}, "up 'x": {"custom_name": "up"}}}}},
        {"type": "pg_create_object_relationship", "args": {"table": table, "name": "parent",
            "using": {"foreign_key_constraint_on": "up 'x"}}},
        {"type": "pg_create_array_relationship", "args": {"table": table, "name": "children",
            "using": {"manual_configuration": {"remote_table": table, "column_mapping": {name: "up 'x"}}}}},
        {"type": "pg_add_computed_field", "args": {"table": table, "name": "said",
            "definition": {"function": {"schema": name, "name": "it's \\"}, "table_argument": "r"}}},
        {"type": "pg_track_function", "args": {"function": {"schema": name, "name": key_of(name)},
            "configuration": {"custom_name": format!("f{number}")}}},
        {"type": "pg_create_select_permission", "args": {"table": table, "role": "user", "permission": {
            "columns": [name], "filter": {"_exists": {"_table": table, "_where": {name: {"_ceq": ["$", name]}}}}}}},
    ])
}

#[test]
fn names_in_postgres_are_quoted() {
    let names: Vec<String> = NAMES
        .iter()
        .map(|name| {
            name.chars()
                .scan(0, |bytes, c| {
                    *bytes += c.len_utf8();
                    (*bytes <= 63).then_some(c)
                })
                .collect()
        })
        .collect();
    let cage = Cage::new(
        "injection_names",
        &names.iter().map(|name| objects(name)).collect::<String>(),
    );
    cage.accepted("reload_metadata", &json!({}));
    let commands: Vec<Value> = names
        .iter()
        .enumerate()
        .flat_map(|(number, name)| metadata(number, name).as_array().cloned().unwrap_or_default())
        .collect();
    cage.accepted("bulk", &json!(commands));
    for (number, name) in names.iter().enumerate() {
        let query = format!(
            "{{ rows: t{number}(where: {{key: {{_eq: 2}}, parent: {{children: {{key: {{_eq: 2}}}}}}}}, order_by: [{{key: asc}}, {{parent: {{key: desc}}}}], distinct_on: key) {{
                 key up said parent {{ key }} children(order_by: {{key: asc}}) {{ key }} }}
               one: t{number}_by_pk(key: 1) {{ children_aggregate {{ aggregate {{ count(columns: key) max {{ key }} }} nodes {{ key }} }} }}
               called: f{number}(args: {{arg: \"first\"}}) {{ key }} }}"
        );
        assert_eq!(
            cage.graphql(&[], &query, &json!({})),
            json!({"data": {
                "rows": [{"key": 2, "up": 1, "said": "second", "parent": {"key": 1}, "children": []}],
                "one": {"children_aggregate": {"aggregate": {"count": 1, "max": {"key": 2}}, "nodes": [{"key": 2}]}},
                "called": [{"key": 1}],
            }}),
            "{name:?}"
        );
        let restricted = format!("{{ t{number}(order_by: {{key: desc}}) {{ key }} }}");
        assert_eq!(
            cage.graphql(&[("x-hasura-role", "user")], &restricted, &json!({})),
            json!({"data": {format!("t{number}"): [{"key": 2}, {"key": 1}]}})
        );
        let table = json!({"schema": name, "name": name});
        let arguments = json!({"table": table, "objects": [{name.as_str(): 2}, {name.as_str(): 3}], "returning": [name],
            "on_conflict": {"action": "ignore", "constraint": key_of(name)}});
        assert_eq!(
            cage.data("insert", &arguments),
            (
                200,
                json!({"affected_rows": 1, "returning": [{name.as_str(): 3}]})
            ),
            "{name:?}"
        );
        // A dot in an order is a way through relationships.
        let order = if name.contains('.') {
            "note".to_owned()
        } else {
            format!("-{name}")
        };
        let arguments = json!({"table": table, "columns": [name, {"name": "parent", "columns": [name]}],
            "where": {name.as_str(): {"$gt": 1}, "parent": {name.as_str(): 1}}, "order_by": order});
        assert_eq!(
            cage.data("select", &arguments),
            (200, json!([{name.as_str(): 2, "parent": {name.as_str(): 1}}])),
            "{name:?}"
        );
        assert_eq!(
            cage.data("count", &json!({"table": table, "distinct": [name]})).1,
            json!({"count": 3})
        );
    }
    cage.canary_lives();
}

#[test]
fn names_in_metadata_are_refused_or_harmless() {
    let cage = Cage::new(
        "injection_metadata",
        "create table kept (id int primary key, t text)",
    );
    cage.accepted("reload_metadata", &json!({}));
    cage.accepted("pg_track_table", &json!({"table": "kept"}));
    let url = cage.database.url();
    for text in HOSTILE.into_iter().chain(["\0", NAMES[17]]) {
        for (kind, arguments) in [
            ("pg_track_table", json!({"table": {"schema": text, "name": text}})),
            (
                "pg_track_function",
                json!({"function": {"schema": text, "name": text}}),
            ),
            (
                "pg_create_object_relationship",
                json!({"table": "kept", "name": text,
                "using": {"manual_configuration": {"remote_table": "kept", "column_mapping": {"id": "id"}}}}),
            ),
            (
                "pg_create_array_relationship",
                json!({"table": "kept", "name": "many",
                "using": {"manual_configuration": {"remote_table": text, "column_mapping": {text: text}}}}),
            ),
            (
                "pg_add_computed_field",
                json!({"table": "kept", "name": text, "definition": {"function": text}}),
            ),
            (
                "pg_create_select_permission",
                json!({"table": "kept", "role": "user",
                "permission": {"columns": [text], "filter": {text: {text: text}}}}),
            ),
            (
                "pg_set_table_customization",
                json!({"table": "kept", "configuration": {"custom_name": text,
                "custom_root_fields": {"select": text}, "column_config": {"t": {"custom_name": text}}}}),
            ),
            (
                "pg_set_table_customization",
                json!({"table": "kept", "configuration": {}}),
            ),
            (
                "pg_drop_relationship",
                json!({"table": "kept", "relationship": text}),
            ),
            ("pg_get_source_tables", json!({"source": text})),
            (
                "pg_add_source",
                json!({"name": text, "configuration": {"connection_info": {"database_url": url}}}),
            ),
            ("pg_drop_source", json!({"name": text, "cascade": true})),
        ] {
            cage.metadata(kind, &arguments);
        }
    }
    cage.canary_lives();
    let answer = cage.graphql(&[], "{ __typename kept { id t } }", &json!({}));
    assert_eq!(answer, json!({"data": {"__typename": "query_root", "kept": []}}));
}
