//! One source: its metadata and its catalog become tables, functions, predicates and the overlays of all roles.
//!
//! The steps run in the order in which they need each other: names, tables, relationships and functions,
//! root fields, permissions, inherited roles. What a step cannot resolve becomes a [`Problem`] and is left out;
//! later steps do not find it and report what depends on it. All up to root fields is the structure of a source, which
//! permissions have no part in.

pub(crate) mod bool_exp;
pub(crate) mod computed_field;
pub(crate) mod conflict;
pub(crate) mod enum_table;
pub(crate) mod field;
pub(crate) mod function;
pub(crate) mod inherited_role;
pub(crate) mod operand;
pub(crate) mod permission;
pub(crate) mod predicates;
pub(crate) mod relationship;
pub(crate) mod root_field;
pub(crate) mod table;
pub(crate) mod unsupported;

use std::collections::BTreeMap;
use std::sync::Arc;

use graphql::Name;
use metadata::object_id::MetadataObjectId;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::access::TableAccess;
use crate::catalog::{self, Catalog};
use crate::model::{
    ColumnId, Customization, Function, FunctionId, Options, Origin, QueryTagFormat, QueryTags, Source,
    SourceId, Table, TableHashes, TableId,
};
use crate::naming::NamingConvention;
use crate::problem::Problem;
use crate::resolve::conflict::Names;
use crate::resolve::predicates::Predicates;
use crate::resolve::root_field::RootFields;
use crate::scalar::Scalars;

/// What is known of one database, as `build` wants it.
#[derive(Debug, Clone, Default)]
pub struct CatalogState {
    /// What introspection found.
    pub catalog: Arc<Catalog>,
    /// Rows of the tables that [`enum_table::queries`] names, or what Postgres said.
    pub enum_values: BTreeMap<catalog::QualifiedName, Result<Vec<EnumRow>, String>>,
}

/// A row of an enum table: its value and its description.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EnumRow {
    /// The key.
    pub value: String,
    /// The second column, if there is one.
    pub description: Option<String>,
}

/// Everything about the build that is not the source's own.
pub(crate) struct Surroundings<'a> {
    pub(crate) options: &'a Options,
    pub(crate) inherited_roles: &'a inherited_role::Order,
}

/// What a role may do with one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct SourceRole {
    pub(crate) tables: FxHashMap<TableId, TableAccess>,
    pub(crate) functions: FxHashSet<FunctionId>,
}

/// What a source is resolved from, as far as the next build asks for it.
pub(crate) struct MadeOf {
    pub(crate) hash: u128,
    pub(crate) declared: u128,
    pub(crate) structure: u128,
    pub(crate) tables: Box<[TableHashes]>,
    pub(crate) names: Arc<Names>,
}

/// A resolved source and the overlays over it.
pub(crate) struct Resolved {
    pub(crate) source: Source,
    pub(crate) roles: BTreeMap<Name, SourceRole>,
}

/// The work in progress on one source. Borrows everything it reads.
pub(crate) struct Resolver<'a> {
    pub(crate) id: SourceId,
    pub(crate) name: &'a str,
    pub(crate) metadata: &'a metadata::Source,
    pub(crate) state: &'a CatalogState,
    pub(crate) surroundings: &'a Surroundings<'a>,
    pub(crate) customization: Customization,
    pub(crate) scalars: &'a mut Scalars,
    pub(crate) problems: Vec<Problem>,
    /// Tracked and resolved tables by name.
    pub(crate) table_ids: FxHashMap<&'a metadata::QualifiedName, TableId>,
    /// The same by catalog name, for foreign keys and row types.
    pub(crate) catalog_ids: FxHashMap<(&'a str, &'a str), TableId>,
    pub(crate) tables: Arc<Vec<Table>>,
    /// Metadata and catalog entry of each of `tables`.
    pub(crate) entries: Vec<Entry<'a>>,
    pub(crate) functions: Arc<Vec<Function>>,
    pub(crate) function_names: FxHashMap<(&'a str, &'a str), Vec<&'a catalog::Function>>,
    pub(crate) predicates: Predicates,
    pub(crate) roles: BTreeMap<Name, SourceRole>,
}

/// Where a resolved table came from.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a metadata::QualifiedName,
    pub(crate) metadata: &'a metadata::Table,
    pub(crate) catalog: &'a catalog::Table,
    pub(crate) columns: FxHashMap<&'a str, ColumnId>,
}

/// `customization` with defaults applied.
pub(crate) fn customization(metadata: &metadata::Source, options: &Options) -> Customization {
    let given = &metadata.customization;
    let root = given.root_fields.as_ref();
    let types = given.type_names.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    Customization {
        namespace: root
            .and_then(|root| root.namespace.as_deref())
            .filter(|name| !name.is_empty())
            .map(Name::from),
        type_prefix: text(types.and_then(|types| types.prefix.as_ref())),
        type_suffix: text(types.and_then(|types| types.suffix.as_ref())),
        root_prefix: text(root.and_then(|root| root.prefix.as_ref())),
        root_suffix: text(root.and_then(|root| root.suffix.as_ref())),
        naming: match given.naming_convention {
            Some(metadata::source::NamingConvention::HasuraDefault) => NamingConvention::HasuraDefault,
            Some(metadata::source::NamingConvention::GraphqlDefault) => NamingConvention::GraphqlDefault,
            None => options.default_naming_convention,
        },
    }
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        id: SourceId,
        name: &'a str,
        metadata: &'a metadata::Source,
        state: &'a CatalogState,
        surroundings: &'a Surroundings<'a>,
        scalars: &'a mut Scalars,
    ) -> Self {
        let mut function_names: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for function in &state.catalog.functions {
            let name = (function.name.schema.as_str(), function.name.name.as_str());
            function_names.entry(name).or_default().push(function);
        }
        Self {
            id,
            name,
            metadata,
            state,
            surroundings,
            customization: customization(metadata, surroundings.options),
            scalars,
            problems: Vec::new(),
            table_ids: FxHashMap::default(),
            catalog_ids: FxHashMap::default(),
            tables: Arc::default(),
            entries: Vec::new(),
            functions: Arc::default(),
            function_names,
            predicates: Predicates::new(id),
            roles: BTreeMap::new(),
        }
    }

    /// Runs all steps. `known` is a source of the same structure: of it only permissions are resolved anew.
    pub(crate) fn run(mut self, made_of: MadeOf, known: Option<&Source>) -> Resolved {
        let root_fields = known
            .and_then(|known| self.take_structure(known))
            .unwrap_or_else(|| self.resolve_structure(&made_of.names));
        let structural_problems = self.problems.len();
        self.resolve_permissions();
        self.resolve_function_permissions();
        self.inherit_roles();
        self.grant_admin();
        let source = Source {
            id: self.id,
            name: Name::from(self.name),
            tables: self.tables,
            functions: self.functions,
            predicates: self.predicates.into_vec(),
            query_fields: root_fields.query,
            mutation_fields: root_fields.mutation,
            subscription_fields: root_fields.subscription,
            customization: self.customization,
            query_tags: query_tags(self.metadata),
            extensions_schema: self
                .metadata
                .configuration
                .extensions_schema
                .clone()
                .unwrap_or_else(|| metadata::name::DEFAULT_SCHEMA.to_owned()),
            origin: Origin {
                hash: made_of.hash,
                declared: made_of.declared,
                structure: made_of.structure,
                tables: made_of.tables,
                names: made_of.names,
                problems: self.problems,
                structural_problems,
            },
        };
        Resolved {
            source,
            roles: self.roles,
        }
    }

    /// What does not depend on permissions. `names` says which tables and functions lost their name to another one.
    fn resolve_structure(&mut self, names: &Names) -> RootFields {
        self.resolve_tables(names);
        self.resolve_enum_references();
        self.resolve_relationships();
        self.resolve_computed_fields();
        self.resolve_fields();
        self.resolve_functions(names);
        self.report_unsupported();
        self.root_fields()
    }

    /// The same of a source that was resolved from the same before. `None` if it lacks a table of then, which equal
    /// fingerprints promise it does not: permissions are not to hang on that.
    fn take_structure(&mut self, known: &Source) -> Option<RootFields> {
        self.tables = Arc::clone(&known.tables);
        self.enter_tables();
        if self.entries.len() != self.tables.len() {
            self.tables = Arc::default();
            self.entries = Vec::new();
            return None;
        }
        self.functions = Arc::clone(&known.functions);
        let problems = known.origin.problems.iter();
        self.problems
            .extend(problems.take(known.origin.structural_problems).cloned());
        Some(RootFields {
            query: Arc::clone(&known.query_fields),
            mutation: Arc::clone(&known.mutation_fields),
            subscription: Arc::clone(&known.subscription_fields),
        })
    }

    /// The tables, to write to. None once they are shared.
    pub(crate) fn tables_mut(&mut self) -> &mut [Table] {
        Arc::get_mut(&mut self.tables)
            .map(Vec::as_mut_slice)
            .unwrap_or_default()
    }

    /// Reports an object that is left out.
    pub(crate) fn refuse(&mut self, object: MetadataObjectId, message: impl Into<String>) {
        self.problems.push(Problem::inconsistent(object, message));
    }

    /// Reports an object that is left out because such things are not served yet.
    pub(crate) fn pass_over(&mut self, object: MetadataObjectId, message: impl Into<String>) {
        self.problems.push(Problem::unsupported(object, message));
    }

    /// The overlay of a role, made when first needed.
    pub(crate) fn role(&mut self, name: &str) -> &mut SourceRole {
        if !self.roles.contains_key(name) {
            self.roles.insert(Name::from(name), SourceRole::default());
        }
        self.roles.entry(Name::from(name)).or_default()
    }

    pub(crate) fn table_id(&self, at: usize) -> TableId {
        TableId::new(self.id.0, u32::try_from(at).unwrap_or(u32::MAX))
    }
}

fn query_tags(metadata: &metadata::Source) -> QueryTags {
    match &metadata.query_tags {
        None => QueryTags {
            disabled: true,
            format: QueryTagFormat::Standard,
            omit_request_id: true,
        },
        Some(tags) => QueryTags {
            disabled: tags.disabled,
            format: match tags.format {
                metadata::source::QueryTagsFormat::Standard => QueryTagFormat::Standard,
                metadata::source::QueryTagsFormat::SqlCommenter => QueryTagFormat::SqlCommenter,
            },
            omit_request_id: tags.omit_request_id,
        },
    }
}

/// `because x`, or a list of reasons.
pub(crate) fn reasons(all: &[String]) -> String {
    match all {
        [one] => format!("because {one}"),
        many => many
            .iter()
            .fold("for the following reasons:\n".to_owned(), |text, reason| {
                text + "  • " + reason + "\n"
            }),
    }
}
