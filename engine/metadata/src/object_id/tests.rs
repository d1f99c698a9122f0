//! Types, names and definitions, against answers of Hasura.

use serde_json::json;

use super::*;
use crate::Document;

fn document() -> Document {
    let value = json!({
        "version": 3,
        "sources": [{
            "name": "default", "kind": "postgres",
            "tables": [{
                "table": "author",
                "array_relationships": [{"name": "articles", "using": {"foreign_key_constraint_on": {"column": "published_on", "table": "article"}}}],
                "select_permissions": [{"role": "user", "permission": {"columns": "*", "computed_fields": ["full_name", "random"], "filter": {}}}],
                "update_permissions": [{"role": "user", "permission": {"columns": ["a"], "filter": {}}}]
            }],
            "functions": [{"function": {"schema": "s", "name": "f"}, "permissions": [{"role": "user"}]}],
            "configuration": {"connection_info": {"database_url": "x"}}
        }],
        "actions": [{"name": "a", "definition": {"handler": "http://x", "kind": "asynchronous", "output_type": "T", "arguments": [{"name": "i", "type": "String!"}]}}],
        "custom_types": {"objects": [{"name": "User", "fields": [{"name": "id", "type": "uuid!"}]}]}
    });
    Document::parse(&value).unwrap().0
}

fn author(object: TableObjectId) -> MetadataObjectId {
    MetadataObjectId::of_table("default", QualifiedName::public("author"), object)
}

#[test]
fn a_select_permission() {
    let id = author(TableObjectId::Permission {
        role: "user".to_owned(),
        permission_type: PermissionType::Select,
    });
    assert_eq!(id.type_name(), "select_permission");
    assert_eq!(
        id.name(),
        "select_permission user in table author in source default"
    );
    assert_eq!(
        id.definition(&document()),
        Some(json!({
            "role": "user", "source": "default", "comment": null,
            "permission": {"allow_aggregations": false, "computed_fields": ["full_name", "random"], "columns": "*", "filter": {}},
            "table": {"schema": "public", "name": "author"}
        }))
    );
}

#[test]
fn an_update_permission_without_check() {
    let id = author(TableObjectId::Permission {
        role: "user".to_owned(),
        permission_type: PermissionType::Update,
    });
    assert_eq!(
        id.definition(&document()).unwrap()["permission"],
        json!({"backend_only": false, "columns": ["a"], "filter": {}})
    );
}

#[test]
fn an_array_relationship() {
    let id = author(TableObjectId::Relationship {
        name: "articles".to_owned(),
        relationship_type: RelationshipType::Array,
    });
    assert_eq!(
        id.name(),
        "array_relation articles in table author in source default"
    );
    assert_eq!(
        id.definition(&document()),
        Some(json!({
            "using": {"foreign_key_constraint_on": {"column": "published_on", "table": {"schema": "public", "name": "article"}}},
            "name": "articles", "source": "default", "comment": null,
            "table": {"schema": "public", "name": "author"}
        }))
    );
    let missing = author(TableObjectId::ComputedField("none".to_owned()));
    assert_eq!(missing.definition(&document()), None);
}

#[test]
fn tables_functions_and_their_permissions() {
    let table = MetadataObjectId::table("default", QualifiedName::public("author"));
    assert_eq!(table.name(), "table author in source default");
    assert_eq!(
        table.definition(&document()),
        Some(json!({"schema": "public", "name": "author"}))
    );
    let function = MetadataObjectId::function("default", QualifiedName::new("s", "f"));
    assert_eq!(function.name(), "function s.f in source default");
    let permission = MetadataObjectId::InSource {
        source: "default".to_owned(),
        object: SourceObjectId::FunctionPermission {
            function: QualifiedName::new("s", "f"),
            role: "user".to_owned(),
        },
    };
    assert_eq!(
        permission.name(),
        "function_permission user permission for function s.f in source default"
    );
    assert_eq!(
        permission.definition(&document()),
        Some(json!({"function": {"schema": "s", "name": "f"}, "role": "user", "source": "default"}))
    );
}

#[test]
fn actions_and_custom_types_show_their_defaults() {
    let action = MetadataObjectId::Action("a".to_owned());
    assert_eq!(action.name(), "action a");
    assert_eq!(
        action.definition(&document()),
        Some(json!({
            "comment": null, "name": "a",
            "definition": {
                "arguments": [{"description": null, "name": "i", "type": "String!"}],
                "forward_client_headers": false, "handler": "http://x", "headers": [],
                "kind": "asynchronous", "output_type": "T", "timeout": 30, "type": "mutation"
            }
        }))
    );
    assert_eq!(MetadataObjectId::CustomTypes.name(), "custom_types custom_types");
    assert_eq!(
        MetadataObjectId::CustomTypes.definition(&document()),
        Some(json!({
            "input_objects": [], "scalars": [], "enums": [],
            "objects": [{
                "name": "User", "relationships": [], "description": null,
                "fields": [{"arguments": null, "name": "id", "type": "uuid!", "description": null}]
            }]
        }))
    );
}

#[test]
fn names_of_the_rest() {
    let name = |id: MetadataObjectId| id.name();
    let text = |text: &str| text.to_owned();
    assert_eq!(name(MetadataObjectId::Source(text("s"))), "source s");
    assert_eq!(
        name(MetadataObjectId::SavedQuery {
            collection: text("c"),
            query: text("q")
        }),
        "query_collections q in c"
    );
    assert_eq!(
        name(MetadataObjectId::InheritedRole(text("r"))),
        "inherited_role inherited role r"
    );
    assert_eq!(
        name(MetadataObjectId::RemoteSchemaPermission {
            remote_schema: text("m"),
            role: text("r")
        }),
        "remote_schema_permission r permission in remote schema m"
    );
    assert_eq!(
        name(MetadataObjectId::ActionPermission {
            action: text("a"),
            role: text("r")
        }),
        "action_permission r permission in a"
    );
}
