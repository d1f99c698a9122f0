//! Documents become custom resources and the same document again.

use std::collections::BTreeMap;

use compile::{Imported, LastAccepted, NotCarried, Object, Snapshot, compile, export, import};
use metadata::{AnyDocument, Document};
use serde_json::{Value, json};

/// Where it stands, of what an import or an export left behind.
fn paths(left: &[NotCarried]) -> Vec<&str> {
    left.iter().map(|left| left.path.as_str()).collect()
}

fn parse(value: &Value) -> Document {
    Document::parse(value)
        .unwrap_or_else(|error| panic!("{}: {error}", error.path))
        .0
}

/// What an API server makes of an object: sorted keys, numbers of 64 bits.
fn through_api_server(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> = object.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.clone(), through_api_server(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(through_api_server).collect()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.into(),
            None => {
                let float = number.as_f64().unwrap_or_default();
                if float.fract() == 0.0 {
                    json!(format!("{float:.0}").parse::<i64>().unwrap_or_default())
                } else {
                    json!(float)
                }
            }
        },
        other => other.clone(),
    }
}

/// What an API server gives back of imported objects, by way of YAML.
pub(crate) fn objects(imported: &Imported) -> Vec<Object> {
    imported
        .objects
        .iter()
        .map(|object| {
            let yaml = crd::yaml::print(&through_api_server(object))
                .unwrap_or_else(|error| panic!("{error}: {object}"));
            let read: Value = serde_norway::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
            Object::from_json(&read, "imported").unwrap_or_else(|error| panic!("{error}"))
        })
        .collect()
}

#[track_caller]
fn lossless(document: &Document) -> Imported {
    let imported = import(document, "imported", "rowlock");
    assert_eq!(imported.not_carried, []);
    let compiled = compile(&Snapshot::new(objects(&imported)), &LastAccepted::nothing());
    for verdict in &compiled.verdicts {
        assert_eq!(verdict.refusal, None, "{}", verdict.object);
    }
    let pretty = |document: &Document| serde_json::to_string_pretty(&document.to_json()).expect("it prints");
    let (one, two) = (pretty(&compiled.document), pretty(document));
    for (line, (one, two)) in one.lines().zip(two.lines()).enumerate() {
        assert_eq!(one, two, "line {line}");
    }
    assert_eq!(compiled.document.to_text(), document.to_text());
    imported
}

#[test]
fn the_full_document() {
    let text = include_str!("../../../../engine/metadata/tests/it/full.json");
    let mut value: Value = serde_json::from_str(text).expect("JSON");
    // An entry for a collection that the document does not have has no object to stand in.
    let collections = value["query_collections"].clone();
    let known = |name: &Value| {
        collections
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == *name))
    };
    let allowlist = value["allowlist"].as_array_mut().expect("a list");
    allowlist.retain(|entry| known(&entry["collection"]));
    let document = parse(&value);
    let imported = lossless(&document);
    let kinds: std::collections::BTreeSet<&str> = imported
        .objects
        .iter()
        .filter_map(|object| object["kind"].as_str())
        .collect();
    assert_eq!(kinds.len(), crd::Kind::ALL.len() - 1, "{kinds:?}");
}

#[test]
fn an_empty_document() {
    lossless(&Document::default());
}

#[test]
fn decimals_nulls_and_the_order_of_keys() {
    let text = r#"{"version":3,"sources":[{"name":"default","kind":"postgres","tables":[{"table":{"name":"t","schema":"public"},
        "select_permissions":[{"role":"u","permission":{"columns":"*","filter":{"z":{"_eq":1.10},"a":{"_eq":null},"m":{"_in":[1e3,12345678901234567890,0.00000001]}}}}],
        "insert_permissions":[{"role":"u","permission":{"check":{"b":{"_eq":1},"a":{"_eq":2}},"set":{"x":null,"y":1.0}}}],
        "update_permissions":[{"role":"u","permission":{"columns":[],"filter":{},"check":null}},
                              {"role":"v","permission":{"columns":["a"],"filter":{},"check":{}}}],
        "delete_permissions":[{"role":"u","permission":{"filter":{"$json":"x"}}}]}],
        "configuration":{"connection_info":{"database_url":"postgres://x","pool_settings":{"pool_timeout":0.50,"connection_lifetime":600}}}}],
        "api_limits":{"disabled":false,"time_limit":{"global":2.50,"per_role":{"u":1e1}}},
        "cron_triggers":[{"name":"c","webhook":{"from_env":"HOOK"},"schedule":"* * * * *","include_in_metadata":true,"payload":{"b":null,"a":0.10},
                          "retry_conf":{"num_retries":0,"retry_interval_seconds":10.0,"timeout_seconds":60,"tolerance_seconds":21600}}]}"#;
    lossless(&parse(&serde_json::from_str(text).expect("JSON")));
}

/// As a running Hasura answers `export_metadata`: every optional field that it prints, in its order.
#[test]
fn a_document_as_hasura_prints_it() {
    let text = r#"{"resource_version":42,"metadata":{"version":3,"sources":[{"name":"default","kind":"postgres","tables":[
        {"table":{"name":"author","schema":"public"},"configuration":{"column_config":{"id":{"custom_name":"authorId"}},
         "custom_column_names":{"id":"authorId"},"custom_root_fields":{"select":"authors","select_by_pk":"author"},"comment":""},
         "object_relationships":[{"name":"country","using":{"foreign_key_constraint_on":"country_id"}}],
         "array_relationships":[{"name":"articles","using":{"foreign_key_constraint_on":{"column":"author_id","table":{"name":"article","schema":"public"}}}},
          {"name":"drafts","using":{"manual_configuration":{"column_mapping":{"id":"author_id"},"insertion_order":null,"remote_table":{"name":"article","schema":"public"}}}}],
         "computed_fields":[{"name":"full_name","definition":{"function":{"name":"author_full_name","schema":"public"}},"comment":"of both"}],
         "insert_permissions":[{"role":"user","permission":{"check":{"id":{"_eq":"X-Hasura-User-Id"}},"set":{"role":"writer"},"columns":["name"]},"comment":""}],
         "select_permissions":[{"role":"anonymous","permission":{"columns":["id","name"],"filter":{},"limit":10,"allow_aggregations":true},"comment":""},
          {"role":"user","permission":{"columns":"*","filter":{"_or":[{"id":{"_eq":"X-Hasura-User-Id"}},{"public":{"_eq":true}}]},"query_root_fields":["select"],"subscription_root_fields":[]},"comment":""}],
         "update_permissions":[{"role":"user","permission":{"columns":["name"],"filter":{"id":{"_eq":"X-Hasura-User-Id"}},"check":null},"comment":""}],
         "delete_permissions":[{"role":"user","permission":{"backend_only":true,"filter":{}},"comment":""}],
         "event_triggers":[{"name":"changed","definition":{"delete":{"columns":"*"},"enable_manual":true,"insert":{"columns":"*"},"update":{"columns":["name"]}},
          "retry_conf":{"interval_sec":10,"num_retries":0,"timeout_sec":60},"webhook_from_env":"HOOK","headers":[{"name":"k","value_from_env":"KEY"}],"cleanup_config":null}]},
        {"table":{"name":"article","schema":"public"},"is_enum":false},{"table":{"name":"country","schema":"public"},"is_enum":true}],
        "functions":[{"function":{"name":"search","schema":"public"},"configuration":{"exposed_as":"query","session_argument":"session"},"permissions":[{"role":"user"}]}],
        "configuration":{"connection_info":{"database_url":{"from_env":"PG_URL"},"isolation_level":"read-committed",
         "pool_settings":{"connection_lifetime":600,"idle_timeout":180,"max_connections":50,"retries":1},"use_prepared_statements":true}}}],
        "remote_schemas":[{"name":"r","definition":{"url":"http://r","timeout_seconds":60,"customization":{},"forward_client_headers":true,"headers":[]},"comment":""}],
        "query_collections":[{"name":"allowed-queries","definition":{"queries":[{"name":"q","query":"query q { authors { name } }"}]}}],
        "allowlist":[{"collection":"allowed-queries","scope":{"global":true}}],
        "actions":[{"name":"login","definition":{"handler":"{{BASE}}/login","output_type":"Token","arguments":[{"name":"user","type":"String!"}],"type":"mutation","kind":"synchronous"},
         "comment":"","permissions":[{"role":"anonymous"}]}],
        "custom_types":{"input_objects":[],"objects":[{"name":"Token","fields":[{"name":"token","type":"String!"}]}],"scalars":[],"enums":[]},
        "cron_triggers":[{"name":"nightly","webhook":"{{BASE}}/nightly","schedule":"0 3 * * *","include_in_metadata":true,"payload":{},
         "retry_conf":{"num_retries":0,"retry_interval_seconds":10,"timeout_seconds":60,"tolerance_seconds":21600},"comment":""}],
        "inherited_roles":[{"role_name":"both","role_set":["anonymous","user"]}],
        "rest_endpoints":[{"comment":"","definition":{"query":{"collection_name":"allowed-queries","query_name":"q"}},"methods":["GET"],"name":"q","url":"q"}],
        "api_limits":{"depth_limit":{"global":5,"per_role":{}},"disabled":false,"rate_limit":{"global":{"unique_params":null,"max_reqs_per_min":60},"per_role":{}}}}}"#;
    let value: Value = serde_json::from_str(text).expect("JSON");
    let imported = lossless(&parse(&value["metadata"]));
    assert!(imported.objects.len() > 15, "{}", imported.objects.len());
}

#[test]
fn permissions_of_remote_schemas_keep_their_order() {
    let permission = |role: &str| json!({"role": role, "definition": {"schema": "type Query { a: Int }"}});
    let value = json!({
        "version": 3, "sources": [],
        "remote_schemas": [{
            "name": "r", "definition": {"url": "http://r"},
            "permissions": [permission("z"), permission("a"), permission("m")],
        }],
    });
    lossless(&parse(&value));
}

#[test]
fn names_that_kubernetes_does_not_allow() {
    let table = |schema: &str, name: &str| json!({"table": {"schema": schema, "name": name}});
    let value = json!({
        "version": 3,
        "sources": [{
            "name": "My Source", "kind": "postgres",
            "tables": [
                table("public", "User"), table("public", "user"), table("public", "_user_"), table("ü", "ö"),
                table("public", &"long".repeat(40)), table("public", &"long".repeat(41)), table("public-a", "b"), table("public", "a-b"),
            ],
            "configuration": {"connection_info": {"database_url": {"connection_parameters":
                {"host": "h", "port": 5432, "database": "d", "username": "u", "password": "p"}}}},
        }],
    });
    let imported = lossless(&parse(&value));
    for object in &imported.objects {
        let name = object["metadata"]["name"].as_str().expect("a name");
        let fits = name.len() <= 63
            && name
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        assert!(fits, "{name}");
    }
}

#[test]
fn what_cannot_be_carried_is_said() {
    let value = json!({
        "version": 3, "unknown": 1, "custom_types": {"note": 1},
        "sources": [{
            "name": "default", "kind": "postgres", "mystery": {"a": 1},
            "tables": [{
                "table": {"schema": "public", "name": "t"},
                "remote_relationships": [{"name": "far", "definition": {"to_source":
                    {"source": "gone", "table": {"schema": "public", "name": "x"}, "relationship_type": "object", "field_mapping": {}}}}],
                "select_permissions": [{"role": "u", "permission": {"columns": ["*"], "filter": {}}}],
            }],
            "configuration": {"connection_info": {"database_url": "x"}},
        }],
        "allowlist": [{"collection": "gone"}],
        "rest_endpoints": [{"name": "e", "url": "e", "methods": ["GET"], "definition": {"query": {"collection_name": "gone", "query_name": "q"}}, "comment": null}],
    });
    let imported = import(&parse(&value), "imported", "rowlock");
    let mut said: Vec<String> = imported
        .not_carried
        .iter()
        .map(|left| format!("{}: {}", left.path, left.reason))
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "Permission default.public.t.u.select_permissions.permission.columns: an unknown key, or a value that no field can hold",
            "Permission default.public.t.u: no object can hold it (spec.select: missing field `columns`)",
            "RestEndpoint e: the QueryCollection it belongs to is not in the document",
            "Source default.mystery.a: an unknown key, or a value that no field can hold",
            "Table default.public.t: remote relationship far: it leads to a source or remote schema that the document does not have",
            "allowlist.gone: there is no query collection of this name",
            "custom_types.note: an unknown key",
            "unknown: an unknown key",
        ]
    );
}

#[test]
fn export_says_what_a_document_does_not_hold() {
    let objects = crate::golden::objects(
        "apiVersion: rowlock.dev/v1alpha1\nkind: Engine\nmetadata: {name: e}\nspec: {replicas: 2}\n---\n\
         apiVersion: rowlock.dev/v1alpha1\nkind: RemoteSchema\nmetadata: {name: r}\nspec:\n  name: r\n  urlFrom: {secretKeyRef: {name: s, key: url}}\n---\n\
         apiVersion: rowlock.dev/v1alpha1\nkind: Table\nmetadata: {name: t}\nspec:\n  sourceRef: {name: gone}\n  table: {name: t}\n",
    );
    let exported = export(&Snapshot::new(objects));
    assert_eq!(exported.document.remote_schemas.len(), 1);
    let said = paths(&exported.not_carried);
    assert_eq!(
        said,
        [
            "Table shop/t",
            "Engine shop/e: spec.replicas",
            "Secret shop/s, key url"
        ]
    );
}

#[test]
fn a_directory_of_the_command_line_tool() {
    let files = BTreeMap::from(
        [
            ("version.yaml", "version: 3\n"),
            (
                "databases/databases.yaml",
                "- name: default\n  kind: postgres\n  configuration:\n    connection_info:\n      database_url:\n        from_env: URL\n      isolation_level: serializable\n  tables: \"!include default/tables/tables.yaml\"\n  functions: \"!include default/functions/functions.yaml\"\n",
            ),
            ("databases/default/tables/tables.yaml", "- \"!include public_author.yaml\"\n- \"!include public_article.yaml\"\n"),
            (
                "databases/default/tables/public_author.yaml",
                "table:\n  name: author\n  schema: public\narray_relationships:\n  - name: articles\n    using:\n      foreign_key_constraint_on:\n        column: author_id\n        table:\n          name: article\n          schema: public\nselect_permissions:\n  - role: user\n    permission:\n      columns:\n        - id\n        - name\n      filter:\n        id:\n          _eq: X-Hasura-User-Id\n",
            ),
            ("databases/default/tables/public_article.yaml", "table:\n  name: article\n  schema: public\nobject_relationships:\n  - name: author\n    using:\n      foreign_key_constraint_on: author_id\n"),
            ("databases/default/functions/functions.yaml", "- \"!include public_f.yaml\"\n"),
            ("databases/default/functions/public_f.yaml", "function:\n  name: f\n  schema: public\n"),
            ("actions.graphql", "type Mutation {\n  login(name: String!): Session!\n}\n\ntype Session {\n  id: Int!\n}\n"),
            ("actions.yaml", "actions:\n- name: login\n  definition:\n    kind: synchronous\n    handler: http://login\n  permissions:\n  - role: user\ncustom_types:\n  enums: []\n  input_objects: []\n  objects:\n  - name: Session\n  scalars: []\n"),
            ("query_collections.yaml", "- name: c\n  definition:\n    queries:\n    - name: q\n      query: |\n        query { author { id } }\n"),
            ("allow_list.yaml", "- collection: c\n  scope:\n    global: false\n    roles:\n    - user\n"),
            ("rest_endpoints.yaml", "- name: q\n  url: q\n  methods:\n  - GET\n  definition:\n    query:\n      collection_name: c\n      query_name: q\n  comment: null\n"),
            ("inherited_roles.yaml", "- role_name: both\n  role_set:\n  - user\n  - editor\n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned())),
    );
    let value = metadata::directory::from_files(&files).expect("a directory");
    lossless(&parse(&value));
}

#[test]
fn the_sample() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/record-shop");
    let files = metadata::directory::walk(&folder).expect("a directory");
    let value = metadata::directory::from_files(&files).expect("a directory");
    lossless(&parse(&value));
}

/// What would be refused is written, so that a person mends it, and named; what only waits for it is not.
#[test]
fn variables_that_hold_secrets_are_named() {
    let value = json!({
        "version": 3,
        "sources": [{"name": "default", "kind": "postgres",
            "tables": [{"table": {"schema": "public", "name": "t"}}],
            "configuration": {"connection_info": {"database_url": {"from_env": "ROWLOCK_SECRET_0123456789ABCDEF"}}}}],
        "remote_schemas": [{"name": "r", "definition": {"url": "http://r",
            "headers": [{"name": "x-hasura-admin-secret", "value_from_env": "HASURA_GRAPHQL_ADMIN_SECRET"}]}}],
        "opentelemetry": {"status": "disabled", "data_types": [], "exporter_otlp": {
            "headers": [{"name": "x-key", "value_from_env": "ROWLOCK_SECRET_0123456789ABCDEF"}]}},
    });
    let imported = import(&parse(&value), "imported", "rowlock");
    let said = paths(&imported.not_carried);
    assert_eq!(
        said,
        [
            "metadata: spec.openTelemetry.exporter.headers[0].valueFrom.env",
            "Source default: spec.connection.urlFrom.env",
            "RemoteSchema r: spec.headers[0].valueFrom.env",
        ]
    );
    assert!(imported.not_carried[2].reason.contains("secretKeyRef"));
    assert_eq!(imported.objects.len(), 4);
}

/// Documents of version 2 are read as one source.
#[test]
fn an_older_document() {
    let value = json!({
        "version": 2,
        "tables": [{"table": "author", "select_permissions": [{"role": "u", "permission": {"columns": "*", "filter": {}}}]}],
        "functions": [{"function": "f"}],
    });
    let (document, _) = AnyDocument::parse(&value).expect("a document");
    let AnyDocument::Sourceless(old) = document else {
        panic!("it has no sources")
    };
    let current = parse(&json!({
        "version": 3,
        "sources": [{"name": "default", "kind": "postgres", "tables": [], "configuration": {"connection_info": {"database_url": "x"}}}],
    }));
    lossless(&old.apply_to(&current).expect("there is a default source"));
}
