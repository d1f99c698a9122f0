//! What a field, argument, input key or enum value of a role's schema is about. The planner matches on this
//! and never on names.

use crate::model::{ColumnId, ComputedFieldId, FunctionId, RelationshipId, RootField, SourceId, TableId};
use crate::operator::Operator;

/// Meaning of one name in a role's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A root field.
    Root(RootField),
    /// The namespace field of a source; its selection holds the source's root fields.
    Namespace(SourceId),
    /// The placeholder `no_queries_available`.
    NoQueries,
    /// Something of a table's object type (also of anonymous rows).
    Column(ColumnId),
    /// A relationship field, its key in a filter or an order.
    Relationship(RelationshipId),
    /// `rel_aggregate` as a field, in a filter or an order.
    RelationshipAggregate(RelationshipId),
    /// A computed field, as a field, in a filter or an order.
    ComputedField(ComputedFieldId),
    /// `nodes` of an aggregate.
    Nodes,
    /// `aggregate` of an aggregate.
    Aggregate,
    /// `count` within `aggregate`, or in an aggregate order.
    Count,
    /// `sum`, `avg`, … within `aggregate`, or in an aggregate order.
    AggregateOperation(AggregateOperation),
    /// A function of an aggregate filter: `count`, `bool_and`, …
    AggregatePredicate(&'static str),
    /// A well-known argument or input key.
    Argument(ArgumentRole),
    /// `_and`
    And,
    /// `_or`
    Or,
    /// `_not`
    Not,
    /// A comparison operator key.
    Operator(Operator),
    /// `_cast`
    Cast,
    /// The target type under `_cast`: `String`, `geometry`, `geography`.
    CastTo(&'static str),
    /// An argument of a function or computed field: position among its client arguments.
    FunctionArgument(u16),
    /// An argument of a function within `args`, of this tracked function.
    Function(FunctionId),
    /// A value of `order_by`.
    Order(OrderDirection),
    /// A value of `cursor_ordering`.
    CursorOrder {
        /// ASC.
        ascending: bool,
    },
    /// `affected_rows` of a mutation's response.
    AffectedRows,
    /// `returning` of a mutation's response.
    Returning,
    /// A value of `T_constraint`: position in the table's unique constraints.
    Constraint(u16),
    /// `_PLACEHOLDER`, the only value of `T_update_column` where the role can update no column; naming it is an
    /// error.
    NoColumn,
    /// A value of an enum table: the row is named by the GraphQL value itself.
    EnumTableValue(TableId),
    /// `@include(if:)` and the like, introspection fields: nothing a planner reads.
    Nothing,
}

/// Arguments and input keys whose name says it all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentRole {
    /// `where`
    Where,
    /// `order_by`
    OrderBy,
    /// `limit`
    Limit,
    /// `offset`
    Offset,
    /// `distinct_on`
    DistinctOn,
    /// `args`
    Arguments,
    /// `path` of json columns
    JsonPath,
    /// `columns` of `count`
    Columns,
    /// `distinct` of `count`, or of an aggregate filter
    Distinct,
    /// `filter` of an aggregate filter
    Filter,
    /// `predicate` of an aggregate filter
    Predicate,
    /// `arguments` of an aggregate filter
    AggregateArguments,
    /// `batch_size` of a stream
    BatchSize,
    /// `cursor` of a stream
    Cursor,
    /// `initial_value` of a cursor
    InitialValue,
    /// `ordering` of a cursor
    Ordering,
    /// A named part of an operand object: `distance`, `from`, `use_spheroid`, `nband`, `geommin`.
    OperandPart(&'static str),
    /// `objects` of an insert
    Objects,
    /// `object` of an insert
    Object,
    /// `on_conflict`
    OnConflict,
    /// `constraint`
    Constraint,
    /// `update_columns`
    UpdateColumns,
    /// `data` of a nested insert
    Data,
    /// `_set`
    Set,
    /// `_inc`
    Increment,
    /// `_append`
    Append,
    /// `_prepend`
    Prepend,
    /// `_delete_key`
    DeleteKey,
    /// `_delete_elem`
    DeleteElement,
    /// `_delete_at_path`
    DeleteAtPath,
    /// `pk_columns`
    PrimaryKeyColumns,
    /// `updates`
    Updates,
}

/// What an update does to a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UpdateOperator {
    /// `_set`
    Set,
    /// `_inc`, numeric columns
    Increment,
    /// `_append`, jsonb columns
    Append,
    /// `_prepend`, jsonb columns
    Prepend,
    /// `_delete_key`, jsonb columns
    DeleteKey,
    /// `_delete_elem`, jsonb columns
    DeleteElement,
    /// `_delete_at_path`, jsonb columns
    DeleteAtPath,
}

/// An aggregate over a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateOperation {
    /// `avg`
    Avg,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `stddev`
    Stddev,
    /// `stddev_pop`
    StddevPop,
    /// `stddev_samp`
    StddevSamp,
    /// `sum`
    Sum,
    /// `var_pop`
    VarPop,
    /// `var_samp`
    VarSamp,
    /// `variance`
    Variance,
}

/// `asc`, `desc` and where nulls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OrderDirection {
    /// Descending.
    pub descending: bool,
    /// Nulls come first.
    pub nulls_first: bool,
}

impl UpdateOperator {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Set,
        Self::Increment,
        Self::Append,
        Self::Prepend,
        Self::DeleteKey,
        Self::DeleteElement,
        Self::DeleteAtPath,
    ];

    /// Its argument (`hasura-default`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "_set",
            Self::Increment => "_inc",
            Self::Append => "_append",
            Self::Prepend => "_prepend",
            Self::DeleteKey => "_delete_key",
            Self::DeleteElement => "_delete_elem",
            Self::DeleteAtPath => "_delete_at_path",
        }
    }

    /// The role of its argument.
    pub fn role(self) -> ArgumentRole {
        match self {
            Self::Set => ArgumentRole::Set,
            Self::Increment => ArgumentRole::Increment,
            Self::Append => ArgumentRole::Append,
            Self::Prepend => ArgumentRole::Prepend,
            Self::DeleteKey => ArgumentRole::DeleteKey,
            Self::DeleteElement => ArgumentRole::DeleteElement,
            Self::DeleteAtPath => ArgumentRole::DeleteAtPath,
        }
    }
}

impl AggregateOperation {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Avg,
        Self::Max,
        Self::Min,
        Self::Stddev,
        Self::StddevPop,
        Self::StddevSamp,
        Self::Sum,
        Self::VarPop,
        Self::VarSamp,
        Self::Variance,
    ];

    /// Its name, in GraphQL (`hasura-default`) and in Postgres.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avg => "avg",
            Self::Max => "max",
            Self::Min => "min",
            Self::Stddev => "stddev",
            Self::StddevPop => "stddev_pop",
            Self::StddevSamp => "stddev_samp",
            Self::Sum => "sum",
            Self::VarPop => "var_pop",
            Self::VarSamp => "var_samp",
            Self::Variance => "variance",
        }
    }

    /// It asks for an order only (`max`, `min`), not for numbers.
    pub fn is_comparison(self) -> bool {
        matches!(self, Self::Max | Self::Min)
    }
}
