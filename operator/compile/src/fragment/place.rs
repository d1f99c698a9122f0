//! Where a fragment stands in the document, what it claims for itself, and what else of the document it mentions.

use crd::Kind;
use metadata::custom_type::CustomTypes;
use metadata::remote_relationship::{RemoteRelationship, RemoteRelationshipDefinition, RemoteSchemaFormat};

use super::Fragment;

/// Where a fragment stands: the names on the way to it, beginning at the top of the document. Source, then schema and
/// name of the table, then the role; an action is followed by the names of its types, a permission on a remote schema
/// by its position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(crate) Vec<String>);

impl Place {
    /// One of the names.
    pub(crate) fn name(&self, index: usize) -> Option<&str> {
        self.0.get(index).map(String::as_str)
    }
}

/// Something of the document that a fragment names and that is an object of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The kind of what is named.
    pub(crate) kind: Kind,
    /// Its name in the document.
    pub(crate) name: String,
    /// The field that names it.
    pub(crate) path: String,
}

impl Fragment {
    /// Where it stands.
    pub(crate) fn place(&self) -> Place {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Place(match self {
            Self::Settings(_) | Self::ApiLimits(_) => Vec::new(),
            Self::Source(name, _)
            | Self::RemoteSchema(name, _)
            | Self::CronTrigger(name, _)
            | Self::InheritedRole(name, _)
            | Self::QueryCollection(name, ..)
            | Self::RestEndpoint(name, _) => own(&[name]),
            Self::Table(source, table, _) => own(&[source, &table.schema, &table.name]),
            Self::Permission(source, table, name, _) | Self::EventTrigger(source, table, name, _) => {
                own(&[source, &table.schema, &table.name, name])
            }
            Self::Function(source, function, _) => own(&[source, &function.schema, &function.name]),
            Self::NativeQuery(source, name, _) | Self::LogicalModel(source, name, _) => own(&[source, name]),
            Self::Action(name, _, types) => std::iter::once(name.clone()).chain(type_names(types)).collect(),
            Self::ActionTypes(types) => type_names(types).collect(),
            Self::RemoteSchemaPermission(schema, role, position, _) => {
                let position = position.map(|position| position.to_string());
                [Some(schema.clone()), Some(role.clone()), position]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        })
    }

    /// What no other object may declare as well: a kind of thing and its name, in words.
    pub(crate) fn claims(&self) -> Vec<String> {
        let types = |types: &CustomTypes| {
            type_names(types)
                .map(|name| format!("type {name}"))
                .collect::<Vec<_>>()
        };
        match self {
            Self::Settings(_) => vec!["settings of the engine".to_owned()],
            Self::Source(name, _) => vec![format!("source {name}")],
            Self::Table(source, table, _) => vec![format!(
                "table {}.{} of source {source}",
                table.schema, table.name
            )],
            Self::Permission(source, table, role, _) => vec![format!(
                "permissions of role {role} on table {}.{} of source {source}",
                table.schema, table.name
            )],
            Self::Function(source, name, _) => {
                vec![format!(
                    "function {}.{} of source {source}",
                    name.schema, name.name
                )]
            }
            Self::NativeQuery(source, name, _) => vec![format!("native query {name} of source {source}")],
            Self::LogicalModel(source, name, _) => vec![format!("logical model {name} of source {source}")],
            Self::Action(name, _, inline) => std::iter::once(format!("action {name}"))
                .chain(types(inline))
                .collect(),
            Self::ActionTypes(shared) => types(shared),
            Self::RemoteSchema(name, _) => vec![format!("remote schema {name}")],
            Self::RemoteSchemaPermission(schema, role, ..) => {
                vec![format!("permission of role {role} on remote schema {schema}")]
            }
            // Names of event triggers are those of their source.
            Self::EventTrigger(source, _, name, _) => {
                vec![format!("event trigger {name} of source {source}")]
            }
            Self::CronTrigger(name, _) => vec![format!("cron trigger {name}")],
            Self::InheritedRole(name, _) => vec![format!("inherited role {name}")],
            Self::QueryCollection(name, ..) => vec![format!("query collection {name}")],
            Self::RestEndpoint(name, _) => vec![format!("REST endpoint {name}")],
            Self::ApiLimits(_) => vec!["API limits".to_owned()],
        }
    }

    /// The field of the object that makes one of its claims.
    pub(crate) fn claimed_at(&self, claim: &str) -> &'static str {
        match self {
            Self::Settings(_) | Self::ApiLimits(_) => "spec",
            Self::Table(..) => "spec.table",
            Self::Permission(..) | Self::RemoteSchemaPermission(..) | Self::InheritedRole(..) => "spec.role",
            Self::Function(..) => "spec.function",
            Self::NativeQuery(..) => "spec.rootFieldName",
            Self::ActionTypes(_) => "spec.types",
            Self::Action(..) if claim.starts_with("type ") => "spec.types",
            Self::Source(..)
            | Self::LogicalModel(..)
            | Self::Action(..)
            | Self::RemoteSchema(..)
            | Self::EventTrigger(..)
            | Self::CronTrigger(..)
            | Self::QueryCollection(..)
            | Self::RestEndpoint(..) => "spec.name",
        }
    }

    /// The field that says something for roles or requests of the whole engine, and not only of what stands in its own
    /// namespace or in what that may refer to.
    pub(crate) fn governs(&self) -> Option<&'static str> {
        match self {
            // Parents are roles, which are the same in all namespaces: what they may do with anybody's tables is given away.
            Self::InheritedRole(..) => Some("spec.parents"),
            // Limits hold for everybody's requests, and the allow list is what keeps others' requests out.
            Self::ApiLimits(_) => Some("spec"),
            Self::QueryCollection(_, _, Some(_)) => Some("spec.allowList"),
            _ => None,
        }
    }

    /// What it names beside the object it belongs to.
    pub(crate) fn mentions(&self) -> Vec<Mention> {
        let mut mentions = Vec::new();
        match self {
            Self::Table(_, _, table) => {
                for (name, relationship) in &table.remote_relationships {
                    mentions.push(of_relationship(
                        relationship,
                        &format!("spec.remoteRelationships[name={name}]"),
                    ));
                }
            }
            Self::RemoteSchema(_, schema) => {
                for (type_name, of_type) in &schema.remote_relationships {
                    for (name, relationship) in &of_type.relationships {
                        let path = format!(
                            "spec.remoteRelationships[typeName={type_name}].relationships[name={name}]"
                        );
                        mentions.push(of_relationship(relationship, &path));
                    }
                }
            }
            Self::Action(_, _, types) | Self::ActionTypes(types) => {
                for (name, object) in &types.objects {
                    for (relationship, definition) in &object.relationships {
                        mentions.push(Mention {
                            kind: Kind::Source,
                            name: definition.source.clone(),
                            path: format!(
                                "spec.types.objects[name={name}].relationships[name={relationship}].source"
                            ),
                        });
                    }
                }
            }
            _ => {}
        }
        mentions
    }
}

fn of_relationship(relationship: &RemoteRelationship, path: &str) -> Mention {
    match &relationship.definition {
        RemoteRelationshipDefinition::ToSource(target) => Mention {
            kind: Kind::Source,
            name: target.source.clone(),
            path: format!("{path}.toSource.source"),
        },
        RemoteRelationshipDefinition::ToRemoteSchema(target) => {
            let field = match target.format {
                RemoteSchemaFormat::Unified => "toRemoteSchema",
                RemoteSchemaFormat::Legacy => "legacyToRemoteSchema",
            };
            Mention {
                kind: Kind::RemoteSchema,
                name: target.remote_schema.clone(),
                path: format!("{path}.{field}.remoteSchema"),
            }
        }
    }
}

fn type_names(types: &CustomTypes) -> impl Iterator<Item = String> {
    let names = types.input_objects.keys().chain(types.objects.keys());
    names
        .chain(types.scalars.keys())
        .chain(types.enums.keys())
        .cloned()
}
