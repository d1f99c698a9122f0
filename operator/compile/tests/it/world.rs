//! Worlds of any size: sources, tables, permissions and more, all valid.

use compile::Object;
use serde_json::{Value, json};

fn object(kind: &str, name: &str, spec: impl Into<Value>) -> Object {
    let spec: Value = spec.into();
    let value = json!({
        "apiVersion": crd::API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "uid": format!("{kind}/{name}"), "generation": 1},
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
    ];
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
