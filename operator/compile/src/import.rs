//! A document to custom resources that compile to the same document, and what could not be carried.

mod name;

use std::collections::HashMap;

use crd::Kind;
use crd::status::Reason;
use metadata::json::differences;
use metadata::remote_relationship::RemoteRelationshipDefinition;
use metadata::{Document, JsonPath};
use serde_json::{Map, Value, json};

use crate::compile::{LastAccepted, Refusal, compile};
use crate::fragment::document::{places, take};
use crate::fragment::{Fragment, Place};
use crate::guarded;
use crate::mapping::backward;
use crate::mapping::kind::mapping;
use crate::object::{Object, ObjectKey, Snapshot};

use name::Names;

/// What became of a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The objects, each after what it belongs to.
    pub objects: Vec<Value>,
    /// What is in the document and in no object, or in one that is not accepted as it is: a variable, say, that
    /// stands for a secret.
    pub not_carried: Vec<NotCarried>,
    /// Everything that is in the document is in an object, accepted or not.
    pub is_whole: bool,
}

/// Something that is in one form and not in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotCarried {
    /// Where.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Makes objects of a document, all in `namespace`, served by an engine that is called `engine`.
pub fn import(document: &Document, namespace: &str, engine: &str) -> Imported {
    let mut imported = Imported {
        objects: Vec::new(),
        not_carried: Vec::new(),
        is_whole: false,
    };
    let mut read: Vec<Object> = Vec::new();
    for key in document.extra.keys() {
        imported.leave(key.clone(), "an unknown key");
    }
    let mut all = places(document);
    // Nothing stands for types where there are none.
    if !all.iter().any(|(kind, _)| *kind == Kind::ActionTypes) {
        for key in document.custom_types.extra.keys() {
            imported.leave(format!("custom_types.{key}"), "an unknown key");
        }
    }
    for collection in document.allowlist.keys() {
        if !document.query_collections.contains_key(collection) {
            imported.leave(
                format!("allowlist.{collection}"),
                "there is no query collection of this name",
            );
        }
    }
    let mut names = Names::default();
    let mut objects: HashMap<(Kind, Place), String> = HashMap::new();
    let mut paths: HashMap<(Kind, String), String> = HashMap::new();
    // What others belong to first.
    all.sort_by_key(|(kind, _)| mapping(*kind).is_some_and(|mapping| mapping.parent.is_some()));
    for (kind, place) in all {
        let Some(mut fragment) = take(document, kind, &place) else {
            continue;
        };
        imported.leave_dangling(document, &mut fragment);
        let path = path_of(kind, &place);
        let Some(mapping) = mapping(kind) else { continue };
        let mut left = Vec::new();
        let made = backward(mapping.lens, &fragment.print(), &path, &mut left);
        for path in left {
            imported.leave(path, "an unknown key, or a value that no field can hold");
        }
        let Some(Value::Object(mut spec)) = made else {
            imported.leave(path, "no object can hold it");
            continue;
        };
        if let Some((field, parent)) = mapping.parent {
            let parent_place = parent_of(&fragment, &place);
            let Some(name) = objects.get(&(parent, parent_place)) else {
                imported.leave(
                    path,
                    &format!("the {parent} it belongs to is not in the document"),
                );
                continue;
            };
            spec.shift_insert(0, field.to_owned(), json!({ "name": name }));
        }
        if let Fragment::RemoteSchemaPermission(_, _, Some(position), _) = &fragment {
            spec.insert("position".to_owned(), (*position).into());
        }
        let spec = Value::Object(spec);
        if let Err(error) = crd::spec::check(kind, &spec) {
            imported.leave(path, &format!("no object can hold it ({error})"));
            continue;
        }
        let name = match kind {
            Kind::Engine => names.of(kind, &[engine.to_owned()]),
            Kind::ActionTypes => names.of(kind, &["action-types".to_owned()]),
            Kind::APILimits => names.of(kind, &["limits".to_owned()]),
            Kind::RemoteSchemaPermission => names.of(kind, place.0.get(..2).unwrap_or_default()),
            _ => names.of(kind, &place.0),
        };
        let made = object(kind, namespace, &name, spec);
        match Object::from_json(&made, namespace) {
            Ok(object) => read.push(object),
            Err(error) => {
                imported.leave(path, &format!("no object can hold it ({error})"));
                continue;
            }
        }
        imported.objects.push(made);
        paths.insert((kind, name.clone()), path);
        objects.insert((kind, place), name);
    }
    imported.is_whole = imported.not_carried.is_empty();
    imported.leave_refused(read, |key| paths.get(&(key.kind, key.name.clone())).cloned());
    imported
}

/// Where objects that hold a whole document give another one back: the first place that differs. Compared to the byte, and
/// as if variables that hold secrets could be named. Where an object is refused for anything else, that is told, and there
/// is nothing to compare.
pub fn loss(document: &Document, objects: &[Value], namespace: &str) -> Option<JsonPath> {
    let objects = objects.iter().map(|object| Object::from_json(object, namespace));
    let Ok(objects) = objects.collect::<Result<Vec<Object>, _>>() else {
        return Some(JsonPath::root());
    };
    let compiled = compile(&Snapshot::new(objects).open(), &LastAccepted::nothing());
    let is_read = compiled.verdicts.iter().all(|verdict| verdict.refusal.is_none());
    if !is_read || compiled.document.to_text() == document.to_text() {
        return None;
    }
    let differences = differences(&document.to_json(), &compiled.document.to_json());
    Some(differences.into_iter().next().unwrap_or_default())
}

fn object(kind: Kind, namespace: &str, name: &str, spec: Value) -> Value {
    let mut made = Map::new();
    made.insert("apiVersion".to_owned(), crd::API_VERSION.into());
    made.insert("kind".to_owned(), kind.as_str().into());
    made.insert(
        "metadata".to_owned(),
        json!({"name": name, "namespace": namespace}),
    );
    made.insert("spec".to_owned(), spec);
    Value::Object(made)
}

/// The place of what a fragment belongs to.
fn parent_of(fragment: &Fragment, place: &Place) -> Place {
    let beginning = |length: usize| Place(place.0.get(..length).unwrap_or_default().to_vec());
    match fragment {
        Fragment::Permission(..) | Fragment::EventTrigger(..) => beginning(3),
        Fragment::RestEndpoint(_, endpoint) => Place(vec![endpoint.definition.query.collection_name.clone()]),
        _ => beginning(1),
    }
}

/// Where a place is, for people.
fn path_of(kind: Kind, place: &Place) -> String {
    match kind {
        Kind::Engine => "metadata".to_owned(),
        Kind::ActionTypes => "metadata.custom_types".to_owned(),
        Kind::APILimits => "metadata.api_limits".to_owned(),
        kind => format!("{kind} {}", place.0.join(".")),
    }
}

impl Imported {
    fn leave(&mut self, path: String, reason: &str) {
        self.not_carried.push(NotCarried {
            path,
            reason: reason.to_owned(),
        });
    }

    /// Names the objects that are not accepted, but for those that only wait for others. They stay: a person mends them.
    fn leave_refused(&mut self, objects: Vec<Object>, path: impl Fn(&ObjectKey) -> Option<String>) {
        // An Engine may name any variable, but nobody can give it one of these.
        for engine in objects.iter().filter(|object| object.key.kind == Kind::Engine) {
            if let Some(named) = guarded::of_a_secret(&engine.spec.value()) {
                let refusal = Refusal::guarded(named);
                self.leave(format!("metadata: {}", refusal.path), &refusal.message);
            }
        }
        let compiled = compile(&Snapshot::new(objects), &LastAccepted::nothing());
        for verdict in compiled.verdicts {
            let Some(refusal) = verdict.refusal else { continue };
            if refusal.reason != Reason::DependencyFailed {
                let place = path(&verdict.object).unwrap_or_else(|| verdict.object.to_string());
                self.leave(format!("{place}: {}", refusal.path), &refusal.message);
            }
        }
    }

    /// Takes out relationships to sources and remote schemas that the document does not have: an object with one
    /// would not be accepted.
    fn leave_dangling(&mut self, document: &Document, fragment: &mut Fragment) {
        let mut left: Vec<(String, &'static str)> = Vec::new();
        let dangles = |definition: &RemoteRelationshipDefinition| match definition {
            RemoteRelationshipDefinition::ToSource(target) => !document.sources.contains_key(&target.source),
            RemoteRelationshipDefinition::ToRemoteSchema(target) => {
                !document.remote_schemas.contains_key(&target.remote_schema)
            }
        };
        const REASON: &str = "it leads to a source or remote schema that the document does not have";
        match fragment {
            Fragment::Table(source, name, table) => {
                table.remote_relationships.retain(|relationship, definition| {
                    let dangles = dangles(&definition.definition);
                    if dangles {
                        left.push((
                            format!(
                                "Table {source}.{}.{}: remote relationship {relationship}",
                                name.schema, name.name
                            ),
                            REASON,
                        ));
                    }
                    !dangles
                });
            }
            Fragment::RemoteSchema(schema, content) => {
                for (type_name, of_type) in &mut content.remote_relationships {
                    of_type.relationships.retain(|relationship, definition| {
                        let dangles = dangles(&definition.definition);
                        if dangles {
                            let path = format!(
                                "RemoteSchema {schema}: remote relationship {relationship} of {type_name}"
                            );
                            left.push((path, REASON));
                        }
                        !dangles
                    });
                }
            }
            Fragment::ActionTypes(types) => {
                for (type_name, object) in &mut types.objects {
                    object.relationships.retain(|relationship, definition| {
                        let dangles = !document.sources.contains_key(&definition.source);
                        if dangles {
                            let path =
                                format!("metadata.custom_types: relationship {relationship} of {type_name}");
                            left.push((path, REASON));
                        }
                        !dangles
                    });
                }
            }
            _ => {}
        }
        for (path, reason) in left {
            self.leave(path, reason);
        }
    }
}
