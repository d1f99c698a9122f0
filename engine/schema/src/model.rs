//! The resolved world before roles: every source's tables, columns, relationships and functions, checked
//! against the catalog and named for GraphQL. Role-independent and immutable.
//!
//! A [`Model`] is cheap to share: each source is one `Arc`, reused by the next generation when neither its
//! metadata nor its catalog changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use graphql::Name;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::access::TableAccess;
use crate::catalog::{ForeignKey, QualifiedName, TableKind, Type, TypeKind, Volatility};
use crate::naming::{NamingConvention, Piece, is_graphql_name};
use crate::predicate::Predicate;
use crate::problem::Problem;
use crate::resolve::conflict::Names;
use crate::scalar::{Scalar, Scalars, is_comparable, is_numeric};

macro_rules! packed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(u32);

        impl $name {
            /// Number `index` (below 2^24) of the source at position `source`.
            pub fn new(source: u8, index: u32) -> Self {
                Self((u32::from(source) << 24) | (index & 0x00ff_ffff))
            }

            /// Position of its source in [`Model::sources`].
            pub fn source(self) -> SourceId {
                SourceId((self.0 >> 24) as u8)
            }

            /// Position within its source.
            pub fn index(self) -> usize {
                (self.0 & 0x00ff_ffff) as usize
            }
        }
    };
}

/// Position of a source in [`Model::sources`] (at most 255 sources).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u8);

packed_id!(
    /// A tracked table.
    TableId
);
packed_id!(
    /// A tracked function.
    FunctionId
);
packed_id!(
    /// An interned row predicate.
    PredicateId
);

/// Position of a column in [`Table::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u16);

/// Position of a relationship in [`Table::relationships`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RelationshipId(pub u16);

/// Position of a computed field in [`Table::computed_fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComputedFieldId(pub u16);

/// A set of columns of one table, as bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ColumnSet(Box<[u64]>);

impl ColumnSet {
    /// The columns below `count`.
    pub fn all(count: usize) -> Self {
        (0..count)
            .filter_map(|at| u16::try_from(at).ok().map(ColumnId))
            .collect()
    }

    /// Whether the column is in the set.
    pub fn contains(&self, column: ColumnId) -> bool {
        let at = usize::from(column.0);
        self.0
            .get(at / 64)
            .is_some_and(|word| word & (1 << (at % 64)) != 0)
    }

    /// The columns, ascending.
    pub fn iter(&self) -> impl Iterator<Item = ColumnId> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            (0..64)
                .filter(move |bit| word & (1 << bit) != 0)
                .map(move |bit| ColumnId((at * 64 + bit) as u16))
        })
    }

    /// No column at all.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

impl FromIterator<ColumnId> for ColumnSet {
    fn from_iter<T: IntoIterator<Item = ColumnId>>(columns: T) -> Self {
        let mut words = Vec::new();
        for column in columns {
            let at = usize::from(column.0);
            if words.len() <= at / 64 {
                words.resize(at / 64 + 1, 0u64);
            }
            words[at / 64] |= 1 << (at % 64);
        }
        Self(words.into_boxed_slice())
    }
}

/// All sources and all roles.
#[derive(Debug, Default)]
pub struct Model {
    /// Sources in metadata order. A source that could not be resolved is absent.
    pub sources: Vec<Arc<Source>>,
    /// Roles by name; `admin` is one of them. A role that no permission names does not exist.
    pub roles: BTreeMap<Name, Arc<Role>>,
    /// Settings that change what roles see.
    pub options: Options,
    /// Roles that may not introspect (`graphql_schema_introspection.disabled_for_roles`).
    pub introspection_disabled: Vec<Name>,
    /// GraphQL scalars of all types in use.
    pub scalars: Scalars,
}

/// Server settings that the schema depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS`.
    pub infer_function_permissions: bool,
    /// `HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES`.
    pub stringify_numeric_types: bool,
    /// `HASURA_GRAPHQL_V1_BOOLEAN_NULL_COLLAPSE`.
    pub boolean_null_collapse: bool,
    /// `HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION`.
    pub default_naming_convention: NamingConvention,
    /// `HASURA_GRAPHQL_EXPERIMENTAL_FEATURES`, the known names.
    pub experimental_features: Vec<String>,
}

/// One Postgres database.
#[derive(Debug)]
pub struct Source {
    /// Its place in [`Model::sources`].
    pub id: SourceId,
    /// Metadata name, for instance `default`.
    pub name: Name,
    /// Tracked tables by position. Like functions and root fields they are shared with the next model where only
    /// permissions changed.
    pub tables: Arc<Vec<Table>>,
    /// Tracked functions by position.
    pub functions: Arc<Vec<Function>>,
    /// Interned predicates by position; number 0 is always true.
    pub predicates: Vec<Predicate>,
    /// Root fields of the query root by GraphQL name, for all roles; visibility is the overlay's.
    pub query_fields: Arc<IndexMap<Name, RootField>>,
    /// Root fields of the mutation root.
    pub mutation_fields: Arc<IndexMap<Name, RootField>>,
    /// Root fields of the subscription root.
    pub subscription_fields: Arc<IndexMap<Name, RootField>>,
    /// `customization`.
    pub customization: Customization,
    /// `query_tags`.
    pub query_tags: QueryTags,
    /// Schema of PostGIS and the like (`configuration.extensions_schema`).
    pub extensions_schema: String,
    /// What it was built from, so that the next build can tell whether to build it again.
    pub origin: Origin,
}

/// What a source was built from and what was wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Hash over its metadata, catalog fingerprint, enum values and everything else its content depends on.
    pub hash: u128,
    /// Hash over what names of root fields and types come of: everything but permissions and names that were lost.
    pub(crate) declared: u128,
    /// Hash over what tables, functions and root fields come of: the same with names that were lost.
    pub(crate) structure: u128,
    /// Hashes of its tables' metadata, in their order in the document.
    pub(crate) tables: Box<[TableHashes]>,
    /// Names that were lost to others.
    pub(crate) names: Arc<Names>,
    /// Objects that were left out.
    pub problems: Vec<Problem>,
    /// How many of them, the first ones, have nothing to do with permissions.
    pub(crate) structural_problems: usize,
}

/// Hashes of what the document says of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TableHashes {
    /// All but the permissions.
    pub(crate) structure: u128,
    /// The permissions.
    pub(crate) permissions: u128,
}

/// `sources[].customization` with defaults applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customization {
    /// One root field holds all fields of the source.
    pub namespace: Option<Name>,
    /// Put before each type name.
    pub type_prefix: String,
    /// Put after each type name.
    pub type_suffix: String,
    /// Put before each root field.
    pub root_prefix: String,
    /// Put after each root field.
    pub root_suffix: String,
    /// How generated names are spelled.
    pub naming: NamingConvention,
}

/// `sources[].query_tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryTags {
    /// No tags at all (the default when the key is absent).
    pub disabled: bool,
    /// Comment format.
    pub format: QueryTagFormat,
    /// Leave the request id out, so that statements stay cacheable (default true).
    pub omit_request_id: bool,
}

/// `sources[].query_tags.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryTagFormat {
    /// `/* k=v, … */` behind the statement.
    Standard,
    /// The same in front of it.
    StandardPrepended,
    /// sqlcommenter: keys sorted, values URL-encoded and quoted.
    SqlCommenter,
}

/// What a root field is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootField {
    /// Which operation.
    pub verb: RootVerb,
    /// On which table or function.
    pub target: RootTarget,
}

/// Target of a root field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootTarget {
    /// A table.
    Table(TableId),
    /// A function.
    Function(FunctionId),
}

/// The operation of a root field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RootVerb {
    /// `T` or a function
    Select,
    /// `T_by_pk`
    SelectByPk,
    /// `T_aggregate` or `fn_aggregate`
    SelectAggregate,
    /// `T_stream`
    SelectStream,
    /// `insert_T`
    Insert,
    /// `insert_T_one`
    InsertOne,
    /// `update_T`
    Update,
    /// `update_T_by_pk`
    UpdateByPk,
    /// `update_T_many`
    UpdateMany,
    /// `delete_T`
    Delete,
    /// `delete_T_by_pk`
    DeleteByPk,
}

/// A tracked table or view.
#[derive(Debug)]
pub struct Table {
    /// Its id.
    pub id: TableId,
    /// Name in Postgres.
    pub name: QualifiedName,
    /// Kind.
    pub kind: TableKind,
    /// GraphQL identifier before source customization: `table`, `schema_table` or the custom name.
    pub identifier: Name,
    /// The identifier was given by `custom_name` and is never recased.
    pub identifier_is_custom: bool,
    /// Columns by position.
    pub columns: Vec<Column>,
    /// Object and array relationships by position.
    pub relationships: Vec<Relationship>,
    /// Computed fields by position.
    pub computed_fields: Vec<ComputedField>,
    /// Everything selectable by GraphQL field name: what a role sees of it is the overlay's.
    pub fields: IndexMap<Name, TableField>,
    /// Columns of the primary key in key order; empty if there is none.
    pub primary_key: Vec<ColumnId>,
    /// Unique constraints and the primary key: (name, columns). GraphQL shows those whose names it can spell.
    pub unique_constraints: Vec<(Name, Vec<ColumnId>)>,
    /// Foreign keys of its columns, to tables that may not be tracked.
    pub foreign_keys: Vec<ForeignKey>,
    /// GraphQL names and comments of its root fields.
    pub root_fields: FxHashMap<RootVerb, RootFieldName>,
    /// Description of its object type (None: the default text; Some(""): none).
    pub comment: Option<String>,
    /// Values, if it is an enum table: (value, description).
    pub enum_values: Option<Vec<(Name, Option<String>)>>,
    /// What can be written.
    pub mutability: crate::catalog::Mutability,
    /// What is inserted arrives as it is ([`crate::catalog::Table::inserts_are_plain`]).
    pub inserts_are_plain: bool,
}

impl Table {
    /// The column with that id.
    pub fn column(&self, id: ColumnId) -> Option<&Column> {
        self.columns.get(usize::from(id.0))
    }

    /// The relationship with that id.
    pub fn relationship(&self, id: RelationshipId) -> Option<&Relationship> {
        self.relationships.get(usize::from(id.0))
    }

    /// The computed field with that id.
    pub fn computed_field(&self, id: ComputedFieldId) -> Option<&ComputedField> {
        self.computed_fields.get(usize::from(id.0))
    }

    /// The identifier as a part of generated names.
    pub fn piece(&self) -> Piece<'_> {
        (&self.identifier, self.identifier_is_custom)
    }

    /// The identifier is a GraphQL name. A table without one is tracked, and can be used in permissions and the
    /// data API, but appears in no GraphQL schema.
    pub fn is_exposed(&self) -> bool {
        is_graphql_name(&self.identifier)
    }

    /// The stored value behind a value of the GraphQL enum of this enum table.
    pub fn enum_value(&self, naming: NamingConvention, graphql: &str) -> Option<&Name> {
        let values = self.enum_values.as_ref()?;
        values
            .iter()
            .map(|(value, _)| value)
            .find(|value| *naming.enum_value(value) == *graphql)
    }
}

impl Column {
    /// It is an array.
    pub fn is_array(&self) -> bool {
        matches!(self.type_.kind, TypeKind::Array(_))
    }

    /// `sum`, `avg` and the like apply.
    pub fn is_numeric(&self) -> bool {
        is_numeric(&self.type_, &self.scalar) && self.enum_table.is_none()
    }

    /// `max` and `min` apply.
    pub fn is_comparable(&self) -> bool {
        is_comparable(&self.type_, &self.scalar) && self.enum_table.is_none()
    }
}

/// Name of one root field of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFieldName {
    /// Full GraphQL name, customization applied.
    pub name: Name,
    /// `comment` (None: the default text; Some(""): none).
    pub comment: Option<String>,
}

/// What a field of a table's object type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableField {
    /// A column.
    Column(ColumnId),
    /// A relationship.
    Relationship(RelationshipId),
    /// `rel_aggregate` of an array relationship.
    RelationshipAggregate(RelationshipId),
    /// A computed field.
    ComputedField(ComputedFieldId),
}

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name in Postgres.
    pub name: String,
    /// GraphQL field name.
    pub field: Name,
    /// Postgres type.
    pub type_: Type,
    /// GraphQL scalar of the type (of the innermost element for arrays) and how its values behave.
    pub scalar: Arc<Scalar>,
    /// It may be null.
    pub nullable: bool,
    /// It can be given in an insert.
    pub insertable: bool,
    /// It can be set by an update.
    pub updatable: bool,
    /// It has a default.
    pub has_default: bool,
    /// It refers to an enum table: its GraphQL type is that table's enum.
    pub enum_table: Option<TableId>,
    /// Description (database comment, overridden by metadata; None if there is none).
    pub description: Option<String>,
}

/// How many rows a relationship leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationshipKind {
    /// At most one row.
    Object,
    /// A list.
    Array,
}

/// A relationship between two tables of one source.
#[derive(Debug, Clone)]
pub struct Relationship {
    /// Name in metadata.
    pub name: String,
    /// GraphQL field name.
    pub field: Name,
    /// Kind.
    pub kind: RelationshipKind,
    /// The related table.
    pub target: TableId,
    /// Pairs of (own column, related column).
    pub columns: Vec<(ColumnId, ColumnId)>,
    /// An object relationship whose row may be missing.
    pub nullable: bool,
    /// On insert the related row is written after the own one (reverse and manual relationships).
    pub insert_after_parent: bool,
    /// `comment` (None: the default text; Some(""): none).
    pub comment: Option<String>,
}

/// An argument of a function that a client can give.
#[derive(Debug, Clone)]
pub struct Argument {
    /// Name in Postgres, if it has one.
    pub name: Option<String>,
    /// GraphQL name (`arg_1` … if it has none).
    pub field: Name,
    /// Position among all arguments of the function, from 0.
    pub position: usize,
    /// Type.
    pub type_: Type,
    /// Scalar of the type.
    pub scalar: Arc<Scalar>,
    /// It has a default.
    pub has_default: bool,
}

/// What a function gives back.
#[derive(Debug, Clone)]
pub enum Returns {
    /// One value.
    Scalar {
        /// Its type.
        type_: Type,
        /// Its scalar.
        scalar: Arc<Scalar>,
    },
    /// Rows of a tracked table.
    Table(TableId),
    /// Rows of an anonymous type: `RETURNS TABLE (…)` or a composite type; name of the object type and its columns.
    Rows {
        /// GraphQL object type name, before source customization.
        identifier: Name,
        /// Its columns.
        columns: Vec<Column>,
    },
}

/// A function attached to a table as a field.
#[derive(Debug, Clone)]
pub struct ComputedField {
    /// Name in metadata.
    pub name: String,
    /// GraphQL field name.
    pub field: Name,
    /// The function.
    pub function: QualifiedName,
    /// Arguments a client can give.
    pub arguments: Vec<Argument>,
    /// Position and name of the argument that takes the row.
    pub table_argument: (usize, Option<String>),
    /// Position and name of the argument that takes the session as JSON.
    pub session_argument: Option<(usize, Option<String>)>,
    /// Result.
    pub returns: Returns,
    /// The function returns a set.
    pub returns_set: bool,
    /// `comment` (None: the default text; Some(""): none).
    pub comment: Option<String>,
}

/// Where a function's field is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Under query and subscription.
    Query,
    /// Under mutation.
    Mutation,
}

/// A tracked function.
#[derive(Debug, Clone)]
pub struct Function {
    /// Its id.
    pub id: FunctionId,
    /// Name in Postgres.
    pub name: QualifiedName,
    /// GraphQL identifier before source customization.
    pub identifier: Name,
    /// Arguments a client can give.
    pub arguments: Vec<Argument>,
    /// Position and name of the argument that takes the session as JSON.
    pub session_argument: Option<(usize, Option<String>)>,
    /// Result: a table or anonymous rows, never a scalar.
    pub returns: Returns,
    /// It returns a set.
    pub returns_set: bool,
    /// Where its fields are.
    pub exposure: Exposure,
    /// Its volatility.
    pub volatility: Volatility,
    /// Names of `fn` and `fn_aggregate`, customization applied.
    pub root_fields: FxHashMap<RootVerb, RootFieldName>,
    /// The identifier was given by `custom_name` and is never recased.
    pub identifier_is_custom: bool,
    /// Roles named in `permissions`.
    pub permitted_roles: Vec<Name>,
    /// Description.
    pub comment: Option<String>,
}

/// A role: an overlay over the model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// What it may do, by table; a table without an entry is invisible.
    pub tables: FxHashMap<TableId, TableAccess>,
    /// Functions it may call (inference already applied).
    pub functions: rustc_hash::FxHashSet<FunctionId>,
}

impl Function {
    /// The identifier as a part of generated names.
    pub fn piece(&self) -> Piece<'_> {
        (&self.identifier, self.identifier_is_custom)
    }
}

impl Options {
    /// An experimental feature is on.
    pub fn has(&self, feature: &str) -> bool {
        self.experimental_features.iter().any(|known| known == feature)
    }
}

impl Model {
    /// The source with that position.
    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.get(usize::from(id.0)).map(|source| &**source)
    }

    /// The table with that id; ids come only from this model, so a miss means a mixed-up generation.
    pub fn table(&self, id: TableId) -> Option<&Table> {
        self.source(id.source())?.tables.get(id.index())
    }

    /// The function with that id.
    pub fn function(&self, id: FunctionId) -> Option<&Function> {
        self.source(id.source())?.functions.get(id.index())
    }

    /// The predicate with that id.
    pub fn predicate(&self, id: PredicateId) -> Option<&Predicate> {
        self.source(id.source())?.predicates.get(id.index())
    }
}
