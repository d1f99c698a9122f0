//! Every object of the full document has the custom resource that declares it, and the field is one.

use compile::{LastAccepted, Object, Owners, Snapshot, compile, import};
use metadata::object_id::{OpenTelemetryPart, SourceObjectId, TableObjectId};
use metadata::permission::PermissionType;
use metadata::remote_relationship::RelationshipType;
use metadata::{Document, MetadataObjectId};
use serde_json::Value;

/// The objects that a document holds, as the engine names them.
fn ids(document: &Document) -> Vec<MetadataObjectId> {
    let mut ids = vec![
        MetadataObjectId::CustomTypes,
        MetadataObjectId::OpenTelemetry(OpenTelemetryPart::All),
    ];
    for (source, content) in &document.sources {
        ids.push(MetadataObjectId::Source(source.clone()));
        let mut add = |object| {
            ids.push(MetadataObjectId::InSource {
                source: source.clone(),
                object,
            });
        };
        for (table, entry) in &content.tables {
            add(SourceObjectId::Table(table.clone()));
            let mut of_table = |object| {
                add(SourceObjectId::OfTable {
                    table: table.clone(),
                    object,
                });
            };
            for name in entry.object_relationships.keys() {
                of_table(TableObjectId::Relationship {
                    name: name.clone(),
                    relationship_type: RelationshipType::Object,
                });
            }
            for name in entry.array_relationships.keys() {
                of_table(TableObjectId::Relationship {
                    name: name.clone(),
                    relationship_type: RelationshipType::Array,
                });
            }
            for name in entry.computed_fields.keys() {
                of_table(TableObjectId::ComputedField(name.clone()));
            }
            for name in entry.remote_relationships.keys() {
                of_table(TableObjectId::RemoteRelationship(name.clone()));
            }
            for name in entry.event_triggers.keys() {
                of_table(TableObjectId::EventTrigger(name.clone()));
            }
            let mut verb = |roles: Vec<&String>, permission_type| {
                for role in roles {
                    of_table(TableObjectId::Permission {
                        role: role.clone(),
                        permission_type,
                    });
                }
            };
            verb(entry.insert_permissions.keys().collect(), PermissionType::Insert);
            verb(entry.select_permissions.keys().collect(), PermissionType::Select);
            verb(entry.update_permissions.keys().collect(), PermissionType::Update);
            verb(entry.delete_permissions.keys().collect(), PermissionType::Delete);
        }
        for (function, entry) in &content.functions {
            add(SourceObjectId::Function(function.clone()));
            for role in entry.permissions.keys() {
                add(SourceObjectId::FunctionPermission {
                    function: function.clone(),
                    role: role.clone(),
                });
            }
        }
        content
            .native_queries
            .keys()
            .for_each(|name| add(SourceObjectId::NativeQuery(name.clone())));
        content
            .logical_models
            .keys()
            .for_each(|name| add(SourceObjectId::LogicalModel(name.clone())));
    }
    for (name, schema) in &document.remote_schemas {
        ids.push(MetadataObjectId::RemoteSchema(name.clone()));
        for role in schema.permissions.keys() {
            ids.push(MetadataObjectId::RemoteSchemaPermission {
                remote_schema: name.clone(),
                role: role.clone(),
            });
        }
    }
    for (name, action) in &document.actions {
        ids.push(MetadataObjectId::Action(name.clone()));
        for role in action.permissions.keys() {
            ids.push(MetadataObjectId::ActionPermission {
                action: name.clone(),
                role: role.clone(),
            });
        }
    }
    for (name, collection) in &document.query_collections {
        for query in collection.definition.queries.keys() {
            ids.push(MetadataObjectId::SavedQuery {
                collection: name.clone(),
                query: query.clone(),
            });
        }
    }
    ids.extend(
        document
            .cron_triggers
            .keys()
            .cloned()
            .map(MetadataObjectId::CronTrigger),
    );
    ids.extend(
        document
            .inherited_roles
            .keys()
            .cloned()
            .map(MetadataObjectId::InheritedRole),
    );
    ids.extend(
        document
            .rest_endpoints
            .keys()
            .cloned()
            .map(MetadataObjectId::RestEndpoint),
    );
    ids
}

/// The value at `spec.a[name=x].b`.
fn at<'v>(spec: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = spec;
    let mut rest = path.strip_prefix("spec")?;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let (test, behind) = after.split_once(']')?;
            let (key, wanted) = test.split_once('=')?;
            value = value.as_array()?.iter().find(|item| item[key] == wanted)?;
            rest = behind;
        } else {
            let after = rest.strip_prefix('.')?;
            let end = after.find(['.', '[']).unwrap_or(after.len());
            value = value.get(&after[..end])?;
            rest = &after[end..];
        }
    }
    Some(value)
}

#[test]
fn every_object_has_its_field() {
    let text = include_str!("../../../../engine/metadata/tests/it/full.json");
    let value: Value = serde_json::from_str(text).expect("JSON");
    let (document, _) = Document::parse(&value).expect("a document");
    let objects: Vec<Object> = import(&document, "shop", "shop")
        .objects
        .iter()
        .map(|object| Object::from_json(object, "shop").expect("an object"))
        .collect();
    let snapshot = Snapshot::new(objects);
    let compiled = compile(&snapshot, &LastAccepted::nothing());
    let owners = Owners::of(&compiled.published);
    let ids = ids(&document);
    assert!(ids.len() > 40, "{}", ids.len());
    for id in ids {
        let fields = owners.fields(&id);
        assert_eq!(fields.len(), 1, "{id}");
        let object = snapshot
            .objects()
            .iter()
            .find(|object| object.key == fields[0].object)
            .expect("it is there");
        assert!(
            at(&object.spec.value(), &fields[0].path).is_some(),
            "{id}: {} of {}",
            fields[0].path,
            object.key
        );
    }
    let gone = MetadataObjectId::Source("gone".to_owned());
    assert_eq!(owners.fields(&gone), []);
}
