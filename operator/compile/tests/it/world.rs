//! Worlds of any size: objects of every kind in two namespaces, all valid.

use compile::Object;
use serde_json::{Value, json};

fn object(kind: &str, name: &str, spec: impl Into<Value>) -> Object {
    within("shop", kind, name, spec)
}

fn within(namespace: &str, kind: &str, name: &str, spec: impl Into<Value>) -> Object {
    let spec: Value = spec.into();
    let uid = format!("{kind}/{namespace}/{name}");
    let value = json!({
        "apiVersion": crd::API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "uid": uid, "generation": 1},
        "spec": spec,
    });
    Object::from_json(&value, "shop").unwrap_or_else(|error| panic!("{error}"))
}

/// A world of so many tables, with `roles` permissions on each.
pub(crate) fn world(tables: usize, roles: usize) -> Vec<Object> {
    let mut objects = vec![
        object(
            "Engine",
            "shop",
            json!({"introspection": {"disabledForRoles": ["anonymous"]}}),
        ),
        object(
            "Source",
            "main",
            json!({"name": "default", "connection": {"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}}}),
        ),
        object(
            "RemoteSchema",
            "shipping",
            json!({"name": "shipping", "url": "https://shipping/graphql"}),
        ),
        object(
            "RemoteSchemaPermission",
            "shipping-r0",
            json!({"remoteSchemaRef": {"name": "shipping"}, "role": "r0", "schema": "type Query { a: Int }"}),
        ),
        object(
            "QueryCollection",
            "saved",
            json!({"name": "saved", "queries": [{"name": "q", "query": "query { t0 { id } }"}]}),
        ),
        object(
            "RestEndpoint",
            "q",
            json!({"name": "q", "url": "q", "methods": ["GET"], "collectionRef": {"name": "saved"}, "query": "q"}),
        ),
        object(
            "InheritedRole",
            "both",
            json!({"role": "both", "parents": ["r0", "r1"]}),
        ),
        object(
            "ActionTypes",
            "types",
            json!({"types": {"scalars": [{"name": "Money"}]}}),
        ),
        object(
            "Action",
            "checkout",
            json!({
                "name": "checkout", "type": "Mutation", "kind": "Synchronous", "handler": "https://checkout",
                "outputType": "Receipt!", "permissions": [{"role": "r0"}],
                "types": {"objects": [{
                    "name": "Receipt",
                    "fields": [{"name": "number", "type": "String!"}, {"name": "total", "type": "Money"}],
                    "relationships": [{
                        "name": "table", "type": "Object", "source": "default", "remoteTable": {"name": "t0"},
                        "fieldMapping": {"number": "id"},
                    }],
                }]},
            }),
        ),
        object(
            "CronTrigger",
            "nightly",
            json!({"name": "nightly", "schedule": "0 3 * * *", "webhook": "https://reports", "payload": {"a": 1}}),
        ),
        object(
            "APILimits",
            "limits",
            json!({"depth": {"global": 10}, "timeSeconds": {"global": "2.5"}}),
        ),
        object(
            "Function",
            "search",
            json!({
                "sourceRef": {"name": "main"}, "function": {"name": "search"}, "exposedAs": "Query",
                "permissions": [{"role": "r0"}],
            }),
        ),
        object(
            "LogicalModel",
            "sold",
            json!({
                "sourceRef": {"name": "main"}, "name": "sold", "fields": [{"name": "id", "type": {"scalar": "integer"}}],
                "selectPermissions": [{"role": "r0", "select": {"columns": ["id"], "filter": {}}}],
            }),
        ),
        object(
            "NativeQuery",
            "best",
            json!({
                "sourceRef": {"name": "main"}, "rootFieldName": "best", "code": "SELECT 1 AS id",
                "returns": {"logicalModel": "sold"},
            }),
        ),
    ];
    objects.extend(other_namespace());
    for table in 0..tables {
        let name = format!("t{table}");
        let mut spec = json!({
            "sourceRef": {"name": "main"},
            "table": {"schema": "public", "name": name},
            "columns": [{"name": "a", "customName": "b"}],
            "objectRelationships": [{"name": "parent", "foreignKey": {"columns": ["parent_id"]}}],
        });
        if table % 10 == 3 {
            spec["remoteRelationships"] = json!([{
                "name": "parcel",
                "toRemoteSchema": {
                    "remoteSchema": "shipping",
                    "lhsFields": ["id"],
                    "remoteField": [{"field": "parcel", "arguments": {"id": "$id"}}],
                },
            }]);
        }
        if table % 10 == 7 {
            let target = json!({
                "source": "far", "table": {"name": "afar"}, "relationshipType": "Object", "fieldMapping": {"a": "a"},
            });
            spec["remoteRelationships"] = json!([{"name": "far", "toSource": target}]);
        }
        objects.push(object("Table", &name, spec));
        for role in 0..roles {
            objects.push(object(
                "Permission",
                &format!("{name}-r{role}"),
                json!({
                    "tableRef": {"name": name},
                    "role": format!("r{role}"),
                    "select": {"columns": ["id", "a"], "filter": {"owner": {"_eq": "X-Hasura-User-Id"}}, "limit": 10},
                    "delete": {"filter": {}},
                }),
            ));
        }
        if table % 5 == 1 {
            objects.push(object(
                "EventTrigger",
                &format!("{name}-changed"),
                json!({
                    "tableRef": {"name": name},
                    "name": format!("{name}_changed"),
                    "insert": {"columns": ["*"]},
                    "webhook": "https://hook",
                }),
            ));
        }
    }
    objects
}

/// A source and a table in another namespace, what refers to them, and what permits it.
fn other_namespace() -> Vec<Object> {
    let grant =
        |from: &str, to: &str| json!({"from": [{"kind": from, "namespace": "shop"}], "to": [{"kind": to}]});
    let table = |name: &str, source: Value| json!({"sourceRef": source, "table": {"name": name}});
    vec![
        within(
            "data",
            "Source",
            "far",
            json!({"name": "far", "connection": {"urlFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}}}),
        ),
        within(
            "data",
            "Table",
            "near-it",
            table("near_it", json!({"name": "far"})),
        ),
        within("data", "ReferenceGrant", "tables", grant("Table", "Source")),
        within(
            "data",
            "ReferenceGrant",
            "permissions",
            grant("Permission", "Table"),
        ),
        object(
            "Table",
            "afar",
            table("afar", json!({"name": "far", "namespace": "data"})),
        ),
        object(
            "Permission",
            "near-it-r0",
            json!({
                "tableRef": {"name": "near-it", "namespace": "data"}, "role": "r0",
                "select": {"columns": ["id"], "filter": {}},
            }),
        ),
    ]
}
