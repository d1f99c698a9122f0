//! Names that two objects claim: root fields must be unique across all sources, and type names too.
//!
//! The object that comes first in the document keeps the name, the other one is left out.

use graphql::{Name, OperationKind};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Customization, RootVerb};
use crate::naming::generated;
use metadata::object_id::MetadataObjectId;

use crate::problem::{Claim, Problem, object};
use crate::resolve::{CatalogState, root_field};

/// Tables and functions of one source whose names are taken.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) lost_tables: FxHashSet<metadata::QualifiedName>,
    pub(crate) lost_functions: FxHashSet<metadata::QualifiedName>,
    pub(crate) problems: Vec<Problem>,
}

/// Names claimed so far, across sources.
#[derive(Default)]
pub(crate) struct Claims {
    fields: FxHashMap<(OperationKind, Option<Name>, Name), MetadataObjectId>,
    types: FxHashMap<Name, MetadataObjectId>,
    namespaces: FxHashMap<Name, MetadataObjectId>,
}

/// Types that exist in every schema.
const RESERVED_TYPES: [&str; 9] = [
    "query_root",
    "mutation_root",
    "subscription_root",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "cursor_ordering",
];

impl Claims {
    /// Claims the names of all tables and functions of a source.
    pub(crate) fn claim(
        &mut self,
        source: &str,
        metadata: &metadata::Source,
        state: &CatalogState,
        customization: &Customization,
    ) -> Names {
        let mut names = Names::default();
        if let Some(namespace) = &customization.namespace {
            self.namespaces
                .entry(namespace.clone())
                .or_insert_with(|| MetadataObjectId::Source(source.to_owned()));
        }
        for (name, table) in &metadata.tables {
            let Some(catalog) = state.catalog.table(&name.schema, &name.name) else {
                continue;
            };
            let Some(identifier) = root_field::table_identifier(name, table) else {
                continue;
            };
            let fields = root_field::of_table(&identifier, table, customization);
            let fields = fields
                .into_iter()
                .filter(|(verb, _)| root_field::is_possible(*verb, catalog));
            let type_name = customization.type_name(&[identifier.piece()]);
            let object = object::table(source, name);
            let claims = fields.flat_map(|(verb, field)| {
                root_field::kinds(verb)
                    .iter()
                    .map(move |kind| (*kind, field.name.clone()))
            });
            if let Some(problem) = self.claim_all(&object, customization, claims.collect(), &type_name) {
                names.lost_tables.insert(name.clone());
                names.problems.push(problem);
            }
        }
        for (name, function) in &metadata.functions {
            let Some(identifier) = root_field::function_identifier(name, function) else {
                continue;
            };
            let mut found = state.catalog.functions_named(&name.schema, &name.name);
            let Some(catalog) = found.next() else { continue };
            let exposure = super::function::exposure(function, catalog.volatility);
            let (kinds, verbs) = root_field::of_exposure(exposure);
            let object = object::function(source, name);
            let fields = root_field::of_function(&identifier, function, customization);
            let claims = fields
                .into_iter()
                .filter(|(verb, _)| verbs.contains(verb))
                .flat_map(|(_, field)| kinds.iter().map(move |kind| (*kind, field.name.clone())));
            let rows = !catalog.returns_table.is_empty();
            let args = [identifier.piece(), generated("args")];
            let type_name = customization.type_name(if rows { &args[..1] } else { &args });
            if let Some(problem) = self.claim_all(&object, customization, claims.collect(), &type_name) {
                names.lost_functions.insert(name.clone());
                names.problems.push(problem);
            }
        }
        names
    }

    fn claim_all(
        &mut self,
        object: &MetadataObjectId,
        customization: &Customization,
        fields: Vec<(OperationKind, Name)>,
        type_name: &Name,
    ) -> Option<Problem> {
        let namespace = &customization.namespace;
        for (kind, root) in [
            (OperationKind::Mutation, "mutation_root"),
            (OperationKind::Subscription, "subscription_root"),
            (OperationKind::Query, "query_root"),
        ] {
            let taken: Vec<(&Name, &MetadataObjectId)> = fields
                .iter()
                .filter(|(of, _)| *of == kind)
                .filter_map(|(_, name)| {
                    let key = (kind, namespace.clone(), name.clone());
                    let field = self.fields.get(&key);
                    field
                        .or_else(|| namespace.is_none().then(|| self.namespaces.get(name)).flatten())
                        .map(|owner| (name, owner))
                })
                .collect();
            let own = {
                let mut seen = FxHashSet::default();
                fields
                    .iter()
                    .filter(|(of, _)| *of == kind)
                    .find(|(_, name)| !seen.insert(name))
                    .map(|(_, name)| (name, object))
            };
            let taken: Vec<_> = taken.into_iter().chain(own).collect();
            if let Some((_, first)) = taken.first() {
                let owner = (*first).clone();
                return Some(conflict(root, &taken, owner, object));
            }
        }
        let owner = self.types.get(type_name);
        if owner.is_some() || RESERVED_TYPES.contains(&&**type_name) {
            let message = format!(
                "Found conflicting definitions for GraphQL type '{type_name}'. Type names must be unique across \
                 all sources."
            );
            let objects = owner.into_iter().chain([object]).cloned().collect();
            let claim = Claim::SchemaName;
            return Some(Problem::Conflicting {
                claim,
                message,
                objects,
            });
        }
        for (kind, name) in fields {
            self.fields
                .insert((kind, namespace.clone(), name), object.clone());
        }
        self.types.insert(type_name.clone(), object.clone());
        None
    }
}

/// Hasura's text, which lists the fields from the last to the first.
fn conflict(
    root: &str,
    taken: &[(&Name, &MetadataObjectId)],
    owner: MetadataObjectId,
    object: &MetadataObjectId,
) -> Problem {
    let one = |(name, owner): &(&Name, &MetadataObjectId)| {
        let mut both = [owner.name(), object.name()];
        both.sort();
        format!("'{name}' defined in [{}]", both.join(", "))
    };
    let fields = match taken {
        [field] => format!("field {}", one(field)),
        many => {
            let all: Vec<String> = many.iter().rev().map(one).collect();
            format!("fields: [\n  {}\n]", all.join(",\n  "))
        }
    };
    let message = format!(
        "Encountered conflicting definitions in the selection set for '{root}' for {fields}. Fields must not be \
         defined more than once across all sources."
    );
    let objects = if owner == *object {
        vec![owner]
    } else {
        vec![owner, object.clone()]
    };
    Problem::Conflicting {
        claim: Claim::SchemaName,
        message,
        objects,
    }
}

impl RootVerb {
    /// All verbs of a table, in the order in which upstream generates their fields.
    pub(crate) const TABLE: [Self; 11] = [
        Self::Select,
        Self::SelectAggregate,
        Self::SelectByPk,
        Self::SelectStream,
        Self::Insert,
        Self::InsertOne,
        Self::Update,
        Self::UpdateByPk,
        Self::UpdateMany,
        Self::Delete,
        Self::DeleteByPk,
    ];
}
