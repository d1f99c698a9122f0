//! What is wrong with a document, given the databases: objects that were left out, in Hasura's words.
//!
//! A problem never stops a build. It names the object by its [`MetadataObjectId`]; the definition is taken from
//! the document when the problem is shown.

pub(crate) mod object;

use metadata::object_id::MetadataObjectId;
use metadata::permission::PermissionType;
use metadata::{Document, QualifiedName};
use serde_json::{Value, json};

/// One inconsistency (metadata API: an entry of `inconsistent_objects`).
#[derive(Debug, Clone, PartialEq)]
pub enum Problem {
    /// One object that cannot be resolved.
    Inconsistent {
        /// The object.
        object: MetadataObjectId,
        /// Why.
        message: String,
        /// Where within the object's definition, as a JSONPath, if the place is known.
        path: Option<String>,
        /// Nothing is wrong with it: this engine does not serve such things yet.
        unsupported: bool,
    },
    /// Objects that exclude each other; the first one stayed, the last one is left out.
    Conflicting {
        /// What they both claim.
        claim: Claim,
        /// How they clash.
        message: String,
        /// All of them.
        objects: Vec<MetadataObjectId>,
        /// Where the one that is left out claims it, as a JSONPath within its definition, if that is written there.
        path: Option<String>,
    },
    /// A REST endpoint whose path is no path.
    EndpointPath {
        /// The endpoint.
        endpoint: MetadataObjectId,
        /// What is wrong with its path.
        message: String,
    },
    /// REST endpoints that a path and a method cannot tell apart.
    AmbiguousPaths {
        /// Their paths, in the order of the endpoints.
        urls: Vec<String>,
        /// The endpoints, by name.
        endpoints: Vec<MetadataObjectId>,
        /// The first one stayed, as it is older; the last one is left out. Else nothing answers paths of several.
        first_stays: bool,
    },
    /// A top-level setting that is no object of its own and is not served.
    Setting {
        /// The document's key.
        key: &'static str,
        /// Why.
        message: String,
    },
    /// Parents of an inherited role have different permissions for the same write.
    RoleInheritance {
        /// The inherited role.
        role: String,
        /// What could not be inherited.
        entity: InheritedEntity,
    },
}

/// What two objects cannot both have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// A field of one table.
    TableField,
    /// A root field of this name, the first of several. Upstream refuses every schema with such a clash as a whole
    /// (500 `unexpected`).
    RootField(String),
    /// A type of this name; upstream as before.
    TypeName(String),
}

/// A table permission that an inherited role could not inherit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InheritedEntity {
    /// The source.
    pub source: String,
    /// The table.
    pub table: QualifiedName,
    /// The kind of permission.
    pub permission_type: PermissionType,
}

impl Problem {
    /// An object that cannot be resolved.
    pub fn inconsistent(object: MetadataObjectId, message: impl Into<String>) -> Self {
        Self::Inconsistent {
            object,
            message: message.into(),
            path: None,
            unsupported: false,
        }
    }

    /// An object that this engine does not serve yet.
    pub fn unsupported(object: MetadataObjectId, message: impl Into<String>) -> Self {
        Self::Inconsistent {
            object,
            message: message.into(),
            path: None,
            unsupported: true,
        }
    }

    /// Whether it is no fault, but something that this engine does not serve yet.
    pub fn is_unsupported(&self) -> bool {
        match self {
            Self::Inconsistent { unsupported, .. } => *unsupported,
            Self::Setting { .. } => true,
            _ => false,
        }
    }

    /// Whether everything that is written goes on all the same: a saved query stays in its collection, and an inherited role
    /// lacks only what its parents do not agree on.
    pub fn leaves_nothing_out(&self) -> bool {
        match self {
            Self::Inconsistent { object, .. } => matches!(object, MetadataObjectId::SavedQuery { .. }),
            Self::RoleInheritance { .. } => true,
            _ => false,
        }
    }

    /// The message without the words that say which kind of problem it is.
    pub fn message(&self) -> String {
        match self {
            Self::Inconsistent { message, .. }
            | Self::Conflicting { message, .. }
            | Self::EndpointPath { message, .. }
            | Self::Setting { message, .. } => message.clone(),
            Self::AmbiguousPaths { urls, .. } => format!("Ambiguous URL paths: {}", urls.join(", ")),
            Self::RoleInheritance { role, entity } => format!(
                "Could not inherit permission for the role '{role}' for the entity: '{} permission, table: {}, \
                 source: '{}''",
                permission_word(entity.permission_type),
                entity.table,
                entity.source
            ),
        }
    }

    /// Hasura's `reason`.
    pub fn reason(&self) -> String {
        match self {
            Self::Inconsistent { message, .. } | Self::Setting { message, .. } => {
                format!("Inconsistent object: {message}")
            }
            Self::Conflicting { message, .. } => format!("Conflicting objects: {message}"),
            Self::EndpointPath { .. } | Self::AmbiguousPaths { .. } | Self::RoleInheritance { .. } => {
                self.message()
            }
        }
    }

    /// The objects it is about. Empty for settings, and for role inheritance, which no single object can be
    /// blamed for.
    pub fn objects(&self) -> &[MetadataObjectId] {
        match self {
            Self::Inconsistent { object, .. } => std::slice::from_ref(object),
            Self::EndpointPath { endpoint, .. } => std::slice::from_ref(endpoint),
            Self::Conflicting { objects, .. }
            | Self::AmbiguousPaths {
                endpoints: objects, ..
            } => objects,
            Self::Setting { .. } | Self::RoleInheritance { .. } => &[],
        }
    }

    /// The objects that are left out on its account: of several that exclude each other not the one that stayed.
    pub fn left_out(&self) -> &[MetadataObjectId] {
        let objects = self.objects();
        match self {
            Self::Conflicting { .. }
            | Self::AmbiguousPaths {
                first_stays: true, ..
            } => objects.get(objects.len().saturating_sub(1)..).unwrap_or_default(),
            _ => objects,
        }
    }

    /// The object that keeps what another one claims as well.
    pub fn stays(&self) -> Option<&MetadataObjectId> {
        match (self, self.objects()) {
            (
                Self::Conflicting { .. }
                | Self::AmbiguousPaths {
                    first_stays: true, ..
                },
                [first, _, ..],
            ) => Some(first),
            _ => None,
        }
    }

    /// The entry of `inconsistent_objects`; definitions come from the document.
    pub fn to_json(&self, document: &Document) -> Value {
        let definition = |object: &MetadataObjectId| object.definition(document).unwrap_or(Value::Null);
        match self {
            Self::Inconsistent { object, .. } | Self::EndpointPath { endpoint: object, .. } => json!({
                "definition": definition(object),
                "name": object.name(),
                "reason": self.reason(),
                "type": object.type_name(),
            }),
            Self::Conflicting { objects, .. } => {
                let objects: Vec<Value> = objects
                    .iter()
                    .map(|object| {
                        json!({
                            "definition": definition(object),
                            "name": object.name(),
                            "type": object.type_name(),
                        })
                    })
                    .collect();
                json!({"reason": self.reason(), "objects": objects})
            }
            Self::AmbiguousPaths { endpoints, .. } => {
                let conflicts: Vec<Value> = endpoints
                    .iter()
                    .map(|endpoint| with_query_text(definition(endpoint), endpoint, document))
                    .collect();
                json!({"reason": self.reason(), "conflicts": conflicts})
            }
            Self::Setting { key, .. } => json!({
                "definition": document.to_json().get(*key).cloned().unwrap_or(Value::Null),
                "name": key,
                "reason": self.reason(),
                "type": key,
            }),
            Self::RoleInheritance { role, entity } => json!({
                "reason": self.reason(),
                "name": role,
                "type": "inherited role permission inconsistency",
                "entity": {
                    "permission_type": permission_word(entity.permission_type),
                    "source": entity.source,
                    "table": entity.table.to_string(),
                },
            }),
        }
    }
}

/// The definition of an endpoint with the text of its query in place of the query's name.
fn with_query_text(mut definition: Value, endpoint: &MetadataObjectId, document: &Document) -> Value {
    let MetadataObjectId::RestEndpoint(name) = endpoint else {
        return definition;
    };
    let text = document.rest_endpoints.get(name).and_then(|endpoint| {
        let reference = &endpoint.definition.query;
        let collection = document.query_collections.get(&reference.collection_name)?;
        collection.definition.queries.get(&reference.query_name)
    });
    if let Some(listed) = text {
        definition["definition"] = json!({"query": listed.query});
    }
    definition
}

/// `insert`, `select`, …
pub(crate) fn permission_word(permission_type: PermissionType) -> &'static str {
    match permission_type {
        PermissionType::Insert => "insert",
        PermissionType::Select => "select",
        PermissionType::Update => "update",
        PermissionType::Delete => "delete",
    }
}
