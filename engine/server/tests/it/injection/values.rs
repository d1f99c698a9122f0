//! Strings as values, in requests and in metadata, and where a name was expected.

use serde_json::{Value, json};

use super::{Cage, HOSTILE, fits_header};

const KEPT: &str = "create table kept (id int primary key, t text, v varchar, j jsonb, js json, a text[]); \
    create function kept_like(text) returns setof kept language sql stable as 'select * from kept where t = $1';";

/// A table with a row for each string, in a column of each textual type.
fn cage(name: &str) -> Cage {
    let cage = Cage::new(name, KEPT);
    cage.accepted("reload_metadata", &json!({}));
    cage.accepted("pg_track_table", &json!({"table": "kept"}));
    let rows: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(id, text)| row(id, text))
        .collect();
    let arguments = json!({"table": "kept", "objects": rows, "returning": ["*"]});
    let (status, answer) = cage.data("insert", &arguments);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["returning"], json!(rows));
    cage
}

fn row(id: usize, text: &str) -> Value {
    json!({"id": id, "t": text, "v": text, "j": {text: text}, "js": {text: [text]}, "a": [text, text]})
}

/// For an operator with patterns: what matches this text only.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

#[test]
fn values_come_back_byte_for_byte() {
    let cage = cage("injection_values");
    for (id, text) in HOSTILE.iter().enumerate() {
        let path = format!("$['{}']", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let variables = json!({"s": text, "like": escaped(text), "regex": format!("***={text}"), "j": {*text: text},
            "a": [text, text], "path": path, "id": id});
        let answer = cage.graphql(
            &[],
            "query ($s: String!, $like: String!, $regex: String!, $j: jsonb!, $a: [String!]!, $path: String!, $id: Int!) {
               all: kept(where: {id: {_eq: $id}}) { id t v j js a }
               equal: kept(where: {t: {_eq: $s}, v: {_eq: $s}}) { id }
               among: kept(where: {t: {_in: [$s, \"x\"]}}) { id }
               like: kept(where: {t: {_like: $like}, v: {_ilike: $like}}) { id }
               regex: kept(where: {t: {_regex: $regex}, id: {_eq: $id}}) { id }
               contains: kept(where: {j: {_contains: $j}}) { id }
               key: kept(where: {j: {_has_key: $s}}) { id }
               keys: kept(where: {j: {_has_keys_all: [$s, $s]}}) { id }
               array: kept(where: {a: {_eq: $a}}) { id }
               inside: kept_by_pk(id: $id) { j(path: $path) js(path: $path) }
             }",
            &variables,
        );
        let found = json!([{"id": id}]);
        assert_eq!(
            answer,
            json!({"data": {
                "all": [row(id, text)], "equal": found, "among": found, "like": found, "regex": found,
                "contains": found, "key": found, "keys": found, "array": found,
                "inside": {"j": text, "js": [text]},
            }}),
            "{text:?}"
        );
        // The same in the text of the query.
        let literal = json!(text).to_string();
        let answer = cage.graphql(
            &[],
            &format!("{{ kept(where: {{t: {{_eq: {literal}}}, j: {{_has_key: {literal}}}, a: {{_eq: [{literal}, {literal}]}}}}) {{ id t }} }}"),
            &json!({}),
        );
        assert_eq!(
            answer,
            json!({"data": {"kept": [{"id": id, "t": text}]}}),
            "{text:?}"
        );
        let arguments = json!({"table": "kept", "columns": ["*"],
            "where": {"t": text, "v": {"$in": [text]}, "j": {"$contains": {*text: text}}, "a": [text, text]}});
        assert_eq!(
            cage.data("select", &arguments),
            (200, json!([row(id, text)])),
            "{text:?}"
        );
    }
    cage.canary_lives();
}

#[test]
fn patterns_paths_and_names_are_refused_or_harmless() {
    let cage = cage("injection_places");
    for text in HOSTILE.into_iter().chain(["\0", "a\0'"]) {
        for operator in ["_like", "_nsimilar", "_similar", "_regex", "_niregex", "_eq"] {
            let query = format!("query ($s: String!) {{ kept(where: {{t: {{{operator}: $s}}}}) {{ id }} }}");
            cage.graphql(&[], &query, &json!({"s": text}));
        }
        let everywhere = "query ($s: String!, $j: jsonb, $o: [kept_order_by!], $d: [kept_select_column!]) {
            kept(where: {j: {_contains: $j}}, order_by: $o, distinct_on: $d) { j(path: $s) } }";
        for variables in [
            json!({"s": text}),
            json!({"s": "$", "j": text}),
            json!({"s": "$", "j": {text: [text]}}),
            json!({"s": "$", "o": {"t": text}}),
            json!({"s": "$", "o": {text: "asc"}}),
            json!({"s": "$", "d": text}),
            json!({"s": "$", text: text}),
        ] {
            cage.graphql(&[], everywhere, &variables);
        }
        for query in [
            format!("query {text} {{ kept {{ id }} }}"),
            format!("{{ {text}: kept {{ id }} }}"),
            format!("{{ kept {{ {text}: id }} }}"),
            format!("{{ kept(order_by: {{t: {text}}}) {{ id }} }}"),
            format!("query (${text}: Int) {{ kept(limit: ${text}) {{ id }} }}"),
        ] {
            cage.graphql(&[], &query, &json!({}));
        }
        cage.ask(
            "/v1/graphql",
            &[],
            &json!({"query": "query a { kept { id } }", "operationName": text}),
        );
        for change in [
            json!({"columns": [text]}),
            json!({"columns": [{"name": text, "alias": text, "columns": ["*"]}]}),
            json!({"where": {text: text}}),
            json!({"where": {"t": {text: text}}}),
            json!({"where": {"t": {"$regex": text}}}),
            json!({"order_by": text}),
            json!({"order_by": format!("-{text}")}),
            json!({"order_by": [{"column": text, "type": text, "nulls": text}]}),
            json!({"limit": text}),
            json!({"table": text}),
            json!({"table": {"schema": text, "name": text}}),
            json!({"source": text}),
            json!({"distinct": [text]}),
        ] {
            let mut arguments = json!({"table": "kept", "columns": ["id"]});
            for (key, value) in change.as_object().into_iter().flatten() {
                arguments[key] = value.clone();
            }
            cage.data("select", &arguments);
            cage.data("count", &arguments);
        }
        for change in [
            json!({"objects": [{text: text}]}),
            json!({"objects": [{"id": text}]}),
            json!({"objects": [{"id": 0, "j": text, "a": text}]}),
            json!({"table": text}),
            json!({"returning": [text]}),
            json!({"on_conflict": {"action": "ignore", "constraint": text}}),
            json!({"on_conflict": {"action": text, "constraint_on": [text]}}),
        ] {
            let mut arguments = json!({"table": "kept", "objects": [{"id": 0}]});
            for (key, value) in change.as_object().into_iter().flatten() {
                arguments[key] = value.clone();
            }
            cage.data("insert", &arguments);
        }
    }
    cage.canary_lives();
    assert_eq!(
        cage.data("count", &json!({"table": "kept"})).1,
        json!({"count": HOSTILE.len()})
    );
}

#[test]
fn keys_of_answers_may_be_reserved_or_long() {
    let cage = cage("injection_aliases");
    let long = "a".repeat(200);
    for alias in [
        "select", "null", "from", "order", "user", "_1", "__x", "t0", "id", &long,
    ] {
        let query =
            format!("query {alias} {{ {alias}: kept(limit: 1, order_by: {{id: asc}}) {{ {alias}: t }} }}");
        let row = json!({alias: HOSTILE[0]});
        assert_eq!(
            cage.graphql(&[], &query, &json!({})),
            json!({"data": {alias: [row]}})
        );
    }
    cage.canary_lives();
}

#[test]
fn comments_beside_statements_end_where_they_should() {
    let cage = cage("injection_tags");
    for format in ["standard", "sqlcommenter"] {
        for omit in [false, true] {
            let tags = json!({"source_name": "default", "format": format, "omit_request_id": omit});
            cage.accepted("set_query_tags", &tags);
            for text in HOSTILE.into_iter().filter(|text| fits_header(text)) {
                let body = json!({"query": "query a { kept(limit: 1, order_by: {id: asc}) { t } }"});
                let (_, answer) = cage.ask("/v1/graphql", &[("x-request-id", text)], &body);
                assert_eq!(answer, json!({"data": {"kept": [{"t": HOSTILE[0]}]}}), "{text:?}");
                let body = json!({"query": format!("query {text} {{ {text}: kept {{ t }} }}"), "operationName": text});
                cage.ask("/v1/graphql", &[("x-request-id", text)], &body);
            }
        }
    }
    cage.canary_lives();
}

#[test]
fn session_variables_are_values() {
    let cage = cage("injection_session");
    cage.accepted(
        "bulk",
        &json!([
            {"type": "pg_create_select_permission", "args": {"table": "kept", "role": "user", "permission": {
                "columns": ["id"], "filter": {"t": "X-Hasura-T"}}}},
            {"type": "pg_create_select_permission", "args": {"table": "kept", "role": "many", "permission": {
                "columns": ["id"], "filter": {"t": {"_in": "X-Hasura-T"}}}}},
            {"type": "pg_create_select_permission", "args": {"table": "kept", "role": "json", "permission": {
                "columns": ["id"], "filter": {"j": {"_has_key": "X-Hasura-T"}}}}},
        ]),
    );
    for (id, text) in HOSTILE.iter().enumerate().filter(|(_, text)| fits_header(text)) {
        let ask = |role: &str, value: &str| {
            let headers = [("x-hasura-role", role), ("x-hasura-t", value)];
            cage.graphql(&headers, "{ kept { id } }", &json!({}))
        };
        let found = json!({"data": {"kept": [{"id": id}]}});
        assert_eq!(ask("user", text), found, "{text:?}");
        assert_eq!(ask("json", text), found, "{text:?}");
        ask("many", text);
        let quoted = format!("{{\"{}\"}}", text.replace('\\', "\\\\").replace('"', "\\\""));
        assert_eq!(ask("many", &quoted), found, "{text:?}");
        ask(text, text);
    }
    cage.canary_lives();
}

#[test]
fn literals_of_permissions_are_values() {
    let cage = cage("injection_permissions");
    let mut commands = Vec::new();
    for (id, text) in HOSTILE.iter().enumerate() {
        let filter = json!({"_and": [{"t": {"_eq": text}}, {"v": {"_in": [text]}}, {"j": {"_contains": {*text: text}}},
            {"_exists": {"_table": "kept", "_where": {"a": {"_eq": [text, text]}}}}]});
        commands.push(
            json!({"type": "pg_create_select_permission", "args": {"table": "kept", "role": format!("role{id}"),
                "permission": {"columns": ["id"], "filter": filter}}}),
        );
        if fits_header(text) && !text.is_empty() {
            commands.push(
                json!({"type": "pg_create_select_permission", "args": {"table": "kept", "role": text,
                "permission": {"columns": ["id"], "filter": {"t": text}}}}),
            );
        }
    }
    cage.accepted("bulk", &json!(commands));
    for (id, text) in HOSTILE.iter().enumerate() {
        let found = json!({"data": {"kept": [{"id": id}]}});
        let role = format!("role{id}");
        assert_eq!(
            cage.graphql(&[("x-hasura-role", &role)], "{ kept { id } }", &json!({})),
            found,
            "{text:?}"
        );
        if fits_header(text) && text.is_ascii() && !text.is_empty() {
            assert_eq!(
                cage.graphql(&[("x-hasura-role", text)], "{ kept { id } }", &json!({})),
                found,
                "{text:?}"
            );
        }
    }
    cage.canary_lives();
}
