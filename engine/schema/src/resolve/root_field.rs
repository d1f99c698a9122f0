//! Names of root fields and the maps by which a request finds them.

use std::sync::Arc;

use graphql::{Name, OperationKind};
use indexmap::IndexMap;
use metadata::table::CustomRootField;

use crate::catalog;
use crate::model::{Customization, Exposure, Returns, RootField, RootFieldName, RootTarget, RootVerb};
use crate::naming::{Piece, custom, generated, is_graphql_name};
use crate::resolve::Resolver;

/// The name from which all names of a table or function are made.
pub(crate) struct Identifier {
    pub(crate) text: String,
    pub(crate) is_custom: bool,
}

impl Identifier {
    pub(crate) fn piece(&self) -> Piece<'_> {
        (&self.text, self.is_custom)
    }
}

/// `table`, `schema_table` or the custom name; `None` if that is not a GraphQL name.
pub(crate) fn table_identifier(
    name: &metadata::QualifiedName,
    table: &metadata::Table,
) -> Option<Identifier> {
    identifier(name, table.configuration.custom_name.as_deref())
}

/// The same of a function.
pub(crate) fn function_identifier(
    name: &metadata::QualifiedName,
    function: &metadata::function::Function,
) -> Option<Identifier> {
    identifier(name, function.configuration.custom_name.as_deref())
}

fn identifier(name: &metadata::QualifiedName, chosen: Option<&str>) -> Option<Identifier> {
    let identifier = Identifier {
        text: chosen.map_or_else(|| name.snake_case(), str::to_owned),
        is_custom: chosen.is_some(),
    };
    is_graphql_name(&identifier.text).then_some(identifier)
}

/// Under which root types a field of that verb stands.
pub(crate) fn kinds(verb: RootVerb) -> &'static [OperationKind] {
    match verb {
        RootVerb::Select | RootVerb::SelectByPk | RootVerb::SelectAggregate => {
            &[OperationKind::Query, OperationKind::Subscription]
        }
        RootVerb::SelectStream => &[OperationKind::Subscription],
        _ => &[OperationKind::Mutation],
    }
}

/// Whether a table can have a field of that verb at all.
pub(crate) fn is_possible(verb: RootVerb, table: &catalog::Table) -> bool {
    let keyed = table.primary_key.is_some();
    match verb {
        RootVerb::Select | RootVerb::SelectAggregate | RootVerb::SelectStream => true,
        RootVerb::SelectByPk => keyed,
        RootVerb::Insert | RootVerb::InsertOne => table.mutability.insertable,
        RootVerb::Update | RootVerb::UpdateMany => table.mutability.updatable,
        RootVerb::UpdateByPk => keyed && table.mutability.updatable,
        RootVerb::Delete => table.mutability.deletable,
        RootVerb::DeleteByPk => keyed && table.mutability.deletable,
    }
}

/// Root field names of a table, all verbs.
pub(crate) fn of_table(
    identifier: &Identifier,
    table: &metadata::Table,
    customization: &Customization,
) -> Vec<(RootVerb, RootFieldName)> {
    let roots = &table.configuration.custom_root_fields;
    let name = identifier.piece();
    RootVerb::TABLE
        .into_iter()
        .map(|verb| {
            let (given, pieces): (&CustomRootField, Vec<Piece<'_>>) = match verb {
                RootVerb::Select => (&roots.select, vec![name]),
                RootVerb::SelectByPk => (&roots.select_by_pk, vec![name, generated("by_pk")]),
                RootVerb::SelectAggregate => (&roots.select_aggregate, vec![name, generated("aggregate")]),
                RootVerb::SelectStream => (&roots.select_stream, vec![name, generated("stream")]),
                RootVerb::Insert => (&roots.insert, vec![generated("insert"), name]),
                RootVerb::InsertOne => (
                    &roots.insert_one,
                    vec![generated("insert"), name, generated("one")],
                ),
                RootVerb::Update => (&roots.update, vec![generated("update"), name]),
                RootVerb::UpdateByPk => (
                    &roots.update_by_pk,
                    vec![generated("update"), name, generated("by_pk")],
                ),
                RootVerb::UpdateMany => (
                    &roots.update_many,
                    vec![generated("update"), name, generated("many")],
                ),
                RootVerb::Delete => (&roots.delete, vec![generated("delete"), name]),
                RootVerb::DeleteByPk => (
                    &roots.delete_by_pk,
                    vec![generated("delete"), name, generated("by_pk")],
                ),
            };
            (verb, root_field(given, &pieces, customization))
        })
        .collect()
}

/// Root field names of a function.
pub(crate) fn of_function(
    identifier: &Identifier,
    function: &metadata::function::Function,
    customization: &Customization,
) -> Vec<(RootVerb, RootFieldName)> {
    let roots = &function.configuration.custom_root_fields;
    let name = identifier.piece();
    let aggregate = [name, generated("aggregate")];
    vec![
        (
            RootVerb::Select,
            root_field(&roots.function, &[name], customization),
        ),
        (
            RootVerb::SelectAggregate,
            root_field(&roots.function_aggregate, &aggregate, customization),
        ),
    ]
}

fn root_field(given: &CustomRootField, pieces: &[Piece<'_>], customization: &Customization) -> RootFieldName {
    let name = match &given.name {
        Some(name) => customization.naming.field(&[custom(name)]),
        None => customization.naming.field(pieces),
    };
    RootFieldName {
        name: customization.root_field_name(name),
        comment: given.comment.clone(),
    }
}

/// Fields of the root types by name, for all roles; which of them a role sees is its overlay's.
pub(crate) struct RootFields {
    pub(crate) query: Arc<IndexMap<Name, RootField>>,
    pub(crate) mutation: Arc<IndexMap<Name, RootField>>,
    pub(crate) subscription: Arc<IndexMap<Name, RootField>>,
}

/// The same in the making.
#[derive(Default)]
struct RootFieldsByKind {
    query: IndexMap<Name, RootField>,
    mutation: IndexMap<Name, RootField>,
    subscription: IndexMap<Name, RootField>,
}

impl RootFieldsByKind {
    fn insert(&mut self, kind: OperationKind, name: &Name, root: RootField) {
        let fields = match kind {
            OperationKind::Query => &mut self.query,
            OperationKind::Mutation => &mut self.mutation,
            OperationKind::Subscription => &mut self.subscription,
        };
        fields.insert(name.clone(), root);
    }
}

/// The fields that a function can have: under which roots, and which verbs. A function that is a mutation has no
/// aggregate, as upstream.
pub(crate) fn of_exposure(exposure: Exposure) -> (&'static [OperationKind], &'static [RootVerb]) {
    match exposure {
        Exposure::Query => (
            &[OperationKind::Query, OperationKind::Subscription],
            &[RootVerb::Select, RootVerb::SelectAggregate],
        ),
        Exposure::Mutation => (&[OperationKind::Mutation], &[RootVerb::Select]),
    }
}

impl Resolver<'_> {
    /// All root fields of the source.
    pub(crate) fn root_fields(&self) -> RootFields {
        let mut fields = RootFieldsByKind::default();
        let streams = !self.surroundings.options.has("hide_stream_fields");
        for (table, entry) in self.tables.iter().zip(&self.entries) {
            for verb in RootVerb::TABLE {
                let Some(field) = table.root_fields.get(&verb) else {
                    continue;
                };
                let target = RootTarget::Table(table.id);
                if !is_possible(verb, entry.catalog) || (verb == RootVerb::SelectStream && !streams) {
                    continue;
                }
                for kind in kinds(verb) {
                    fields.insert(*kind, &field.name, RootField { verb, target });
                }
            }
        }
        for function in self.functions.iter() {
            let rows = matches!(function.returns, Returns::Rows { .. });
            let (kinds, verbs) = of_exposure(function.exposure);
            for verb in verbs.iter().copied() {
                if verb == RootVerb::SelectAggregate && rows {
                    continue;
                }
                if let Some(field) = function.root_fields.get(&verb) {
                    let target = RootTarget::Function(function.id);
                    for kind in kinds {
                        fields.insert(*kind, &field.name, RootField { verb, target });
                    }
                }
            }
        }
        RootFields {
            query: Arc::new(fields.query),
            mutation: Arc::new(fields.mutation),
            subscription: Arc::new(fields.subscription),
        }
    }
}
