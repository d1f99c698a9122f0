//! Names that two objects claim: root fields must be unique across all sources, and type names too.
//!
//! The older object keeps the name; where no ages are known, the one that comes first in the document. The other one is
//! left out.

use std::sync::Arc;

use graphql::{Name, OperationKind};
use metadata::object_id::MetadataObjectId;
use metadata::{QualifiedName, Seniority};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Customization, Options, RootFieldName, RootVerb};
use crate::naming::generated;
use crate::problem::{Claim, Problem, object};
use crate::resolve::{CatalogState, root_field};

/// Tables and functions of one source whose names are taken.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) lost_tables: FxHashSet<QualifiedName>,
    pub(crate) lost_functions: FxHashSet<QualifiedName>,
    pub(crate) problems: Vec<Problem>,
}

/// Names claimed so far, across sources.
#[derive(Default)]
struct Claims {
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

/// Who claims names.
enum Claimant<'a> {
    /// A source, the field that its own stand below.
    Namespace(&'a Name),
    Table(&'a QualifiedName, &'a metadata::Table),
    Function(&'a QualifiedName, &'a metadata::function::Function),
}

/// What one object claims.
struct Claimed {
    fields: Vec<(OperationKind, RootVerb, Name)>,
    type_name: Name,
}

/// Claims the names of all tables and functions of some sources, and gives what each source lost.
pub(crate) fn names(
    sources: &[(&String, &metadata::Source, &CatalogState)],
    seniority: &Seniority,
    options: &Options,
) -> Vec<Arc<Names>> {
    let customizations: Vec<Customization> = sources
        .iter()
        .map(|(_, metadata, _)| crate::resolve::customization(metadata, options))
        .collect();
    let mut claimants: Vec<(u32, usize, Claimant<'_>)> = Vec::new();
    for (at, ((name, metadata, _), customization)) in sources.iter().zip(&customizations).enumerate() {
        // What stands below a field of the source's own is there as long as that field, however old it is: it claims nothing
        // before it is clear whether the source has the field.
        let mut youngest = 0;
        if let Some(namespace) = &customization.namespace {
            youngest = seniority.rank(&MetadataObjectId::Source((*name).clone()));
            claimants.push((youngest, at, Claimant::Namespace(namespace)));
        }
        let rank = |object: MetadataObjectId| seniority.rank(&object).max(youngest);
        for (table, entry) in &metadata.tables {
            let rank = rank(object::table(name, table));
            claimants.push((rank, at, Claimant::Table(table, entry)));
        }
        for (function, entry) in &metadata.functions {
            let rank = rank(object::function(name, function));
            claimants.push((rank, at, Claimant::Function(function, entry)));
        }
    }
    // Of the same age are a source and what is below its field, and those whose ages nobody knows: they stay in this order.
    claimants.sort_by_key(|(rank, ..)| *rank);
    let mut claims = Claims::default();
    let mut all: Vec<Names> = sources.iter().map(|_| Names::default()).collect();
    for (_, at, claimant) in claimants {
        let (Some((source, metadata, state)), Some(customization), Some(names)) =
            (sources.get(at), customizations.get(at), all.get_mut(at))
        else {
            continue;
        };
        match claimant {
            Claimant::Namespace(namespace) => {
                let object = MetadataObjectId::Source((*source).clone());
                if let Some(problem) = claims.claim_namespace(namespace, object) {
                    names.problems.push(problem);
                    names.lost_tables.extend(metadata.tables.keys().cloned());
                    names.lost_functions.extend(metadata.functions.keys().cloned());
                }
            }
            Claimant::Table(name, _) if names.lost_tables.contains(name) => {}
            Claimant::Function(name, _) if names.lost_functions.contains(name) => {}
            Claimant::Table(name, table) => {
                let Some(claimed) = of_table(name, table, state, customization) else {
                    continue;
                };
                let object = object::table(source, name);
                let written = |verb| written_in_table(table, verb);
                if let Some(problem) = claims.claim_all(&object, customization, claimed, written) {
                    names.lost_tables.insert(name.clone());
                    names.problems.push(problem);
                }
            }
            Claimant::Function(name, function) => {
                let Some(claimed) = of_function(name, function, state, customization) else {
                    continue;
                };
                let object = object::function(source, name);
                let written = |verb| written_in_function(function, verb);
                if let Some(problem) = claims.claim_all(&object, customization, claimed, written) {
                    names.lost_functions.insert(name.clone());
                    names.problems.push(problem);
                }
            }
        }
    }
    all.into_iter().map(Arc::new).collect()
}

fn of_table(
    name: &QualifiedName,
    table: &metadata::Table,
    state: &CatalogState,
    customization: &Customization,
) -> Option<Claimed> {
    let catalog = state.catalog.table(&name.schema, &name.name)?;
    let identifier = root_field::table_identifier(name, table)?;
    let fields = root_field::of_table(&identifier, table, customization);
    let fields = fields
        .into_iter()
        .filter(|(verb, _)| root_field::is_possible(*verb, catalog));
    Some(Claimed {
        fields: fields
            .flat_map(|(verb, field)| below(root_field::kinds(verb), verb, field))
            .collect(),
        type_name: customization.type_name(&[identifier.piece()]),
    })
}

fn of_function(
    name: &QualifiedName,
    function: &metadata::function::Function,
    state: &CatalogState,
    customization: &Customization,
) -> Option<Claimed> {
    let identifier = root_field::function_identifier(name, function)?;
    let catalog = state.catalog.functions_named(&name.schema, &name.name).next()?;
    let (kinds, verbs) = root_field::of_exposure(super::function::exposure(function, catalog.volatility));
    let fields = root_field::of_function(&identifier, function, customization);
    let rows = !catalog.returns_table.is_empty();
    let args = [identifier.piece(), generated("args")];
    Some(Claimed {
        fields: fields
            .into_iter()
            .filter(|(verb, _)| verbs.contains(verb))
            .flat_map(|(verb, field)| below(kinds, verb, field))
            .collect(),
        type_name: customization.type_name(if rows { &args[..1] } else { &args }),
    })
}

fn below(
    kinds: &'static [OperationKind],
    verb: RootVerb,
    field: RootFieldName,
) -> impl Iterator<Item = (OperationKind, RootVerb, Name)> {
    kinds.iter().map(move |kind| (*kind, verb, field.name.clone()))
}

/// Where a table says how its root field of a verb, or its type, is called.
fn written_in_table(table: &metadata::Table, verb: Option<RootVerb>) -> Option<String> {
    let (roots, name) = (
        &table.configuration.custom_root_fields,
        &table.configuration.custom_name,
    );
    let own = verb.map(|verb| match verb {
        RootVerb::Select => (&roots.select, "select"),
        RootVerb::SelectByPk => (&roots.select_by_pk, "select_by_pk"),
        RootVerb::SelectAggregate => (&roots.select_aggregate, "select_aggregate"),
        RootVerb::SelectStream => (&roots.select_stream, "select_stream"),
        RootVerb::Insert => (&roots.insert, "insert"),
        RootVerb::InsertOne => (&roots.insert_one, "insert_one"),
        RootVerb::Update => (&roots.update, "update"),
        RootVerb::UpdateByPk => (&roots.update_by_pk, "update_by_pk"),
        RootVerb::UpdateMany => (&roots.update_many, "update_many"),
        RootVerb::Delete => (&roots.delete, "delete"),
        RootVerb::DeleteByPk => (&roots.delete_by_pk, "delete_by_pk"),
    });
    written(
        own.map(|(field, key)| (field.name.is_some(), key)),
        name.is_some(),
    )
}

/// The same of a function.
fn written_in_function(function: &metadata::function::Function, verb: Option<RootVerb>) -> Option<String> {
    let roots = &function.configuration.custom_root_fields;
    let own = verb.map(|verb| match verb {
        RootVerb::SelectAggregate => (roots.function_aggregate.name.is_some(), "function_aggregate"),
        _ => (roots.function.name.is_some(), "function"),
    });
    written(own, function.configuration.custom_name.is_some())
}

/// As a JSONPath within the definition: the root field's own name comes before that of the whole.
fn written(own: Option<(bool, &str)>, has_name: bool) -> Option<String> {
    match own {
        Some((true, key)) => Some(format!("$.configuration.custom_root_fields.{key}")),
        _ => has_name.then(|| "$.configuration.custom_name".to_owned()),
    }
}

impl Claims {
    /// The field that those of a source stand below; other sources may have the same one.
    fn claim_namespace(&mut self, namespace: &Name, source: MetadataObjectId) -> Option<Problem> {
        for (kind, root) in ROOTS {
            if let Some(owner) = self.fields.get(&(kind, None, namespace.clone())) {
                return Some(conflict(
                    root,
                    &[(namespace, owner)],
                    &source,
                    Claim::RootField(namespace.to_string()),
                    Some("$.customization.root_fields.namespace".to_owned()),
                ));
            }
        }
        self.namespaces.entry(namespace.clone()).or_insert(source);
        None
    }

    fn field(&self, kind: OperationKind, namespace: Option<&Name>, name: &Name) -> Option<&MetadataObjectId> {
        let field = self.fields.get(&(kind, namespace.cloned(), name.clone()));
        field.or_else(|| namespace.is_none().then(|| self.namespaces.get(name)).flatten())
    }

    /// Takes what is free as a whole. `written` says where the object itself says how a field, or its type, is called.
    fn claim_all(
        &mut self,
        object: &MetadataObjectId,
        customization: &Customization,
        claimed: Claimed,
        written: impl Fn(Option<RootVerb>) -> Option<String>,
    ) -> Option<Problem> {
        let Claimed { fields, type_name } = claimed;
        let namespace = customization.namespace.as_ref();
        for (kind, root) in ROOTS {
            let of_kind = || fields.iter().filter(move |(of, ..)| *of == kind);
            let taken = of_kind().filter_map(|(_, _, name)| Some((name, self.field(kind, namespace, name)?)));
            let own = {
                let mut seen = FxHashSet::default();
                of_kind()
                    .find(|(_, _, name)| !seen.insert(name))
                    .map(|(_, _, name)| (name, object))
            };
            let taken: Vec<(&Name, &MetadataObjectId)> = taken.chain(own).collect();
            let Some((first, owner)) = taken.first() else {
                continue;
            };
            // Of all that this one lost to the other, what a person would name.
            let named = fields
                .iter()
                .find(|(kind, _, name)| self.field(*kind, namespace, name) == Some(owner));
            let name = named.map_or(*first, |(_, _, name)| name);
            let path = named.and_then(|(_, verb, _)| written(Some(*verb)));
            let claim = Claim::RootField(name.to_string());
            return Some(conflict(root, &taken, object, claim, path));
        }
        let owner = self.types.get(&type_name);
        if owner.is_some() || RESERVED_TYPES.contains(&&*type_name) {
            let message = format!(
                "Found conflicting definitions for GraphQL type '{type_name}'. Type names must be unique across \
                 all sources."
            );
            let objects = owner.into_iter().chain([object]).cloned().collect();
            return Some(Problem::Conflicting {
                claim: Claim::TypeName(type_name.to_string()),
                message,
                objects,
                path: written(None),
            });
        }
        for (kind, _, name) in fields {
            self.fields
                .insert((kind, namespace.cloned(), name), object.clone());
        }
        self.types.insert(type_name, object.clone());
        None
    }
}

/// The root types, in the order in which upstream looks at them.
const ROOTS: [(OperationKind, &str); 3] = [
    (OperationKind::Mutation, "mutation_root"),
    (OperationKind::Subscription, "subscription_root"),
    (OperationKind::Query, "query_root"),
];

/// Hasura's text, which lists the fields from the last to the first.
fn conflict(
    root: &str,
    taken: &[(&Name, &MetadataObjectId)],
    object: &MetadataObjectId,
    claim: Claim,
    path: Option<String>,
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
    let owner = taken.first().map(|(_, owner)| *owner);
    let owner = owner.filter(|owner| *owner != object);
    Problem::Conflicting {
        claim,
        message,
        objects: owner.into_iter().chain([object]).cloned().collect(),
        path,
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
