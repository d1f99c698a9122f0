//! Root fields, and the namespaces of sources that have one.

use graphql::{Name, OperationKind};
use indexmap::IndexMap;

use super::{Field, RoleView, TypeKey, field, named};
use crate::meaning::Meaning;
use crate::model::{
    Function, Returns, RootField, RootFieldName, RootTarget, RootVerb, Source, SourceId, Table,
};
use crate::scalar::ScalarId;

const NO_QUERIES: &str = "no_queries_available";
const NO_QUERIES_DESCRIPTION: &str = "There are no queries available to the current role. Either there are no \
     sources or remote schemas configured, or the current role doesn't have the required permissions.";

impl RoleView {
    /// Whether the role has any field of that kind.
    pub(super) fn has_root_fields(&self, kind: OperationKind) -> bool {
        self.model
            .sources
            .iter()
            .any(|source| self.source_has_fields(source, kind))
    }

    /// One field of a root type, found by name in each source's map.
    pub(super) fn root_field(&self, kind: OperationKind, name: &str) -> Option<Field> {
        for source in &self.model.sources {
            match &source.customization.namespace {
                Some(namespace) if **namespace == *name && self.source_has_fields(source, kind) => {
                    return Some(self.namespace(source, namespace, kind));
                }
                Some(_) => {}
                None => {
                    if let Some(field) = self.field_of(source, kind, name) {
                        return Some(field);
                    }
                }
            }
        }
        let empty = kind == OperationKind::Query && name == NO_QUERIES && !self.has_root_fields(kind);
        empty.then(no_queries)
    }

    /// All fields of a root type.
    pub(super) fn root_fields(&self, kind: OperationKind) -> Vec<Field> {
        let mut fields = Vec::new();
        for source in &self.model.sources {
            match &source.customization.namespace {
                Some(namespace) if self.source_has_fields(source, kind) => {
                    fields.push(self.namespace(source, namespace, kind));
                }
                Some(_) => {}
                None => fields.extend(self.fields_of(source, kind)),
            }
        }
        if fields.is_empty() && kind == OperationKind::Query {
            fields.push(no_queries());
        }
        fields
    }

    pub(super) fn namespace_field(&self, source: SourceId, kind: OperationKind, name: &str) -> Option<Field> {
        self.field_of(self.model.source(source)?, kind, name)
    }

    pub(super) fn namespace_fields(&self, source: SourceId, kind: OperationKind) -> Vec<Field> {
        let source = self.model.source(source);
        source.map_or_else(Vec::new, |source| self.fields_of(source, kind).collect())
    }

    fn namespace(&self, source: &Source, name: &Name, kind: OperationKind) -> Field {
        let type_ = named(TypeKey::Namespace(source.id, kind), true);
        field(name.clone(), None, type_, true, Meaning::Namespace(source.id))
    }

    fn source_has_fields(&self, source: &Source, kind: OperationKind) -> bool {
        map(source, kind)
            .values()
            .any(|root| self.is_visible(*root, kind))
    }

    fn field_of(&self, source: &Source, kind: OperationKind, name: &str) -> Option<Field> {
        let root = *map(source, kind).get(name)?;
        self.is_visible(root, kind).then(|| self.build(root))?
    }

    fn fields_of<'s>(&'s self, source: &'s Source, kind: OperationKind) -> impl Iterator<Item = Field> + 's {
        map(source, kind)
            .values()
            .filter(move |root| self.is_visible(**root, kind))
            .filter_map(|root| self.build(*root))
    }

    /// Whether the role may use a root field.
    pub(super) fn is_visible(&self, root: RootField, kind: OperationKind) -> bool {
        match root.target {
            RootTarget::Table(id) if kind == OperationKind::Mutation => self.may_mutate(id, root.verb),
            RootTarget::Table(id) => {
                let Some((table, access)) = self.readable(id) else {
                    return false;
                };
                let subscription = kind == OperationKind::Subscription;
                let listed = match (root.verb, subscription) {
                    (RootVerb::Select, false) => access.query_root_fields.is_none_or(|all| all.select),
                    (RootVerb::SelectByPk, false) => {
                        access.query_root_fields.is_none_or(|all| all.select_by_pk)
                    }
                    (RootVerb::SelectAggregate, false) => {
                        access.query_root_fields.is_none_or(|all| all.select_aggregate)
                    }
                    (RootVerb::Select, true) => access.subscription_root_fields.is_none_or(|all| all.select),
                    (RootVerb::SelectByPk, true) => {
                        access.subscription_root_fields.is_none_or(|all| all.select_by_pk)
                    }
                    (RootVerb::SelectAggregate, true) => access
                        .subscription_root_fields
                        .is_none_or(|all| all.select_aggregate),
                    (RootVerb::SelectStream, true) => access
                        .subscription_root_fields
                        .is_none_or(|all| all.select_stream),
                    _ => false,
                };
                let possible = match root.verb {
                    RootVerb::SelectByPk => {
                        !table.primary_key.is_empty()
                            && table
                                .primary_key
                                .iter()
                                .all(|column| access.columns.contains(*column))
                    }
                    RootVerb::SelectAggregate => access.aggregations,
                    RootVerb::SelectStream => !access.columns.is_empty(),
                    _ => true,
                };
                listed && possible && self.has_fields(table, access)
            }
            RootTarget::Function(id) => {
                let Some(function) = self.model.function(id) else {
                    return false;
                };
                if !self.may_call(id) {
                    return false;
                }
                match function.returns {
                    Returns::Table(table) => self.readable(table).is_some_and(|(table, access)| {
                        self.has_fields(table, access)
                            && (root.verb != RootVerb::SelectAggregate || access.aggregations)
                    }),
                    _ => root.verb == RootVerb::Select,
                }
            }
        }
    }

    fn build(&self, root: RootField) -> Option<Field> {
        match root.target {
            RootTarget::Table(id) => {
                let table = self.model.table(id)?;
                let name = table.root_fields.get(&root.verb)?;
                self.table_root_field(table, root, name)
                    .or_else(|| self.mutation_field(table, root, name))
            }
            RootTarget::Function(id) => {
                let function: &Function = self.model.function(id)?;
                self.function_root_field(function, root, function.root_fields.get(&root.verb)?)
            }
        }
    }

    /// A field of a query or subscription.
    fn table_root_field(&self, table: &Table, root: RootField, name: &RootFieldName) -> Option<Field> {
        let shown = shown(&table.name);
        let default = match root.verb {
            RootVerb::Select => format!("fetch data from the table: \"{shown}\""),
            RootVerb::SelectByPk => {
                format!("fetch data from the table: \"{shown}\" using primary key columns")
            }
            RootVerb::SelectAggregate => format!("fetch aggregated fields from the table: \"{shown}\""),
            RootVerb::SelectStream => {
                format!("fetch data from the table in a streaming manner: \"{shown}\"")
            }
            _ => return None,
        };
        let description = comment(name.comment.as_ref(), default);
        let arguments = match root.verb {
            RootVerb::Select | RootVerb::SelectAggregate => self.list_arguments(table.id),
            RootVerb::SelectByPk => self.key_arguments(table),
            _ => self.stream_arguments(table.id),
        };
        let type_ = match root.verb {
            RootVerb::SelectByPk => named(TypeKey::Table(table.id), true),
            RootVerb::SelectAggregate => named(TypeKey::Aggregate(table.id), false),
            _ => super::list(TypeKey::Table(table.id), false),
        };
        Some(Field {
            arguments: super::sorted(arguments),
            ..field(name.name.clone(), description, type_, true, Meaning::Root(root))
        })
    }
}

fn map(source: &Source, kind: OperationKind) -> &IndexMap<Name, RootField> {
    match kind {
        OperationKind::Query => &source.query_fields,
        OperationKind::Mutation => &source.mutation_fields,
        OperationKind::Subscription => &source.subscription_fields,
    }
}

fn no_queries() -> Field {
    field(
        Name::from(NO_QUERIES),
        Some(NO_QUERIES_DESCRIPTION.to_owned()),
        named(TypeKey::Scalar(ScalarId::STRING), false),
        false,
        Meaning::NoQueries,
    )
}

/// A database name as descriptions show it.
pub(super) fn shown(name: &crate::catalog::QualifiedName) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

/// A comment if there is one, else the default text; an empty comment means none at all.
pub(super) fn comment(given: Option<&String>, default: String) -> Option<String> {
    match given {
        None => Some(default),
        Some(text) if text.is_empty() => None,
        Some(text) => Some(text.clone()),
    }
}
