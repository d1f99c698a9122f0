//! What an operation asks of one source, with permissions inside: between GraphQL and SQL.
//!
//! Every set of rows carries its whole filter, so that lowering has nothing to add. Tables enter through
//! [`table`] only, where access is proved.

pub(crate) mod filter;
pub(crate) mod table;
pub(crate) mod write;

use schema::meaning::AggregateOperation;
use schema::model::{Column, RelationshipId, Table, TableId};
use sql::ast::Expression;
use sql::name::{Alias, QualifiedName};

pub(crate) use filter::{Exists, Filter, Right, Test};
pub(crate) use table::{PredicateTable, SelectTable};
pub(crate) use write::{Answer, Change, Mutation};

/// A filtered, ordered, paged set of rows.
#[derive(Debug, Clone)]
pub(crate) struct Rows<'m> {
    /// Where they come from.
    pub(crate) source: RowSource<'m>,
    /// How they belong to the row outside: pairs of (outer column, own column).
    pub(crate) link: Vec<(&'m Column, &'m Column)>,
    /// The client's filter and the role's.
    pub(crate) filter: Filter<'m>,
    /// Sort keys.
    pub(crate) order: Vec<Order<'m>>,
    /// `distinct on`.
    pub(crate) distinct: Vec<Scalar<'m>>,
    /// At most so many rows: the client's limit.
    pub(crate) limit: Option<Expression>,
    /// At most so many rows are returned to the role; an aggregate is over all.
    pub(crate) most: Option<u64>,
    /// Rows skipped.
    pub(crate) offset: Option<Expression>,
}

impl<'m> Rows<'m> {
    /// Written rows, in the order in which they were written.
    pub(crate) fn written(source: WrittenRows, row: RowType<'m>) -> Self {
        Self {
            source: RowSource::Written(source, row),
            link: Vec::new(),
            filter: Filter::always(),
            order: Vec::new(),
            distinct: Vec::new(),
            limit: None,
            most: None,
            offset: None,
        }
    }

    /// Which rows are in the set, the role's limit aside, depends on their order or number; or their order is that of
    /// an array, which has to be kept.
    pub(crate) fn is_paged(&self) -> bool {
        matches!(self.source, RowSource::Written(WrittenRows::Carried(_), _))
            || self.limit.is_some()
            || self.offset.is_some()
            || !self.distinct.is_empty()
    }

    /// The least of the client's limit and the role's.
    pub(crate) fn least(&self) -> Option<Expression> {
        match (&self.limit, self.most) {
            (Some(Expression::Integer(limit)), Some(most)) => Some(Expression::Integer(most.min(*limit))),
            (Some(limit), Some(most)) => {
                Some(Expression::Least(vec![limit.clone(), Expression::Integer(most)]))
            }
            (None, Some(most)) => Some(Expression::Integer(most)),
            (limit, None) => limit.clone(),
        }
    }

    /// The same rows as they are returned: the role's limit counts.
    pub(crate) fn returned(&self) -> Self {
        Self {
            limit: self.least(),
            most: None,
            ..self.clone()
        }
    }
}

/// A source of rows.
#[derive(Debug, Clone)]
pub(crate) enum RowSource<'m> {
    /// A table that the role may read, or that a relationship of its leads to.
    Table(SelectTable<'m>),
    /// What a function gives back.
    Call(Call<'m>, RowType<'m>),
    /// What this mutation wrote.
    Written(WrittenRows, RowType<'m>),
}

/// Where written rows are found.
#[derive(Debug, Clone)]
pub(crate) enum WrittenRows {
    /// In the same statement.
    Here(Alias),
    /// In settings of the transaction, by numbers of writes: what an earlier statement left there.
    Carried(Vec<usize>),
}

/// What a row consists of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowType<'m> {
    /// A table's row.
    Table(SelectTable<'m>),
    /// A function's own columns.
    Columns(&'m [Column]),
}

impl<'m> RowType<'m> {
    /// All its columns.
    pub(crate) fn columns(self) -> &'m [Column] {
        match self {
            Self::Table(table) => &table.table().columns,
            Self::Columns(columns) => columns,
        }
    }
}

impl<'m> RowSource<'m> {
    /// What its rows consist of.
    pub(crate) fn row_type(&self) -> RowType<'m> {
        match self {
            Self::Table(table) => RowType::Table(*table),
            Self::Call(_, row) | Self::Written(_, row) => *row,
        }
    }
}

/// A function call.
#[derive(Debug, Clone)]
pub(crate) struct Call<'m> {
    /// The function.
    pub(crate) function: QualifiedName,
    /// Its arguments in order; a name where they are given by name.
    pub(crate) arguments: Vec<(Option<&'m str>, CallArgument)>,
}

/// An argument of a call.
#[derive(Debug, Clone)]
pub(crate) enum CallArgument {
    /// A value.
    Value(Expression),
    /// The row that the call is a field of.
    Row,
}

/// One value of a row.
#[derive(Debug, Clone)]
pub(crate) enum Scalar<'m> {
    /// A column; null unless the filter holds, if there is one.
    Column(&'m Column, Option<Box<Filter<'m>>>),
    /// A scalar computed field; null unless the filter holds, if there is one.
    Computed(Call<'m>, Option<Box<Filter<'m>>>),
    /// A value of the related row.
    Through(Box<Related<'m>>, Box<Scalar<'m>>),
    /// An aggregate over related rows.
    Aggregate(Box<ScalarAggregate<'m>>),
    /// An aggregate over all rows at hand: within [`Exists::having`].
    Grouped(Box<Grouped<'m>>),
}

/// An aggregate over all rows at hand.
#[derive(Debug, Clone)]
pub(crate) struct Grouped<'m> {
    /// Postgres's name of the aggregate.
    pub(crate) function: &'static str,
    /// What it is over; nothing is `*`.
    pub(crate) over: Vec<Scalar<'m>>,
    /// Each value once.
    pub(crate) distinct: bool,
}

/// An aggregate that makes one value: a sort key.
#[derive(Debug, Clone)]
pub(crate) struct ScalarAggregate<'m> {
    /// The rows: of a table or a function.
    pub(crate) from: Exists<'m>,
    /// The aggregate.
    pub(crate) value: Grouped<'m>,
}

/// The way to at most one related row.
#[derive(Debug, Clone)]
pub(crate) struct Related<'m> {
    table: &'m Table,
    /// Pairs of (own column, related column).
    pub(crate) columns: Vec<(&'m Column, &'m Column)>,
    /// Which related rows exist for the one who asks.
    pub(crate) filter: Filter<'m>,
    /// No two related rows can share the columns, so a plain join adds no rows.
    pub(crate) unique: bool,
    /// Which relationship it is: equal keys from one row lead to the same row.
    pub(crate) key: (TableId, RelationshipId),
}

impl<'m> Related<'m> {
    /// A relationship to a table that the role may read; `filter` is the role's filter on it.
    pub(crate) fn selectable(
        target: SelectTable<'m>,
        columns: Vec<(&'m Column, &'m Column)>,
        filter: Filter<'m>,
        key: (TableId, RelationshipId),
    ) -> Self {
        Self {
            table: target.table(),
            unique: is_unique(target.table(), &columns),
            columns,
            filter,
            key,
        }
    }

    /// A relationship within a stored permission expression, where the target's own filter does not apply.
    pub(crate) fn stored(
        target: PredicateTable<'m>,
        columns: Vec<(&'m Column, &'m Column)>,
        key: (TableId, RelationshipId),
    ) -> Self {
        Self {
            table: target.table(),
            unique: is_unique(target.table(), &columns),
            columns,
            filter: Filter::always(),
            key,
        }
    }

    /// The related table.
    pub(crate) fn table(&self) -> &'m Table {
        self.table
    }
}

/// Whether the related columns contain a key of the table.
fn is_unique(table: &Table, columns: &[(&Column, &Column)]) -> bool {
    let covers = |key: &[schema::model::ColumnId]| {
        !key.is_empty()
            && key.iter().all(|id| {
                table
                    .columns
                    .get(usize::from(id.0))
                    .is_some_and(|column| columns.iter().any(|(_, related)| std::ptr::eq(*related, column)))
            })
    };
    covers(&table.primary_key) || table.unique_constraints.iter().any(|(_, key)| covers(key))
}

/// One key of an order.
#[derive(Debug, Clone)]
pub(crate) struct Order<'m> {
    /// What is compared.
    pub(crate) by: Scalar<'m>,
    /// Descending.
    pub(crate) descending: bool,
    /// Nulls come first.
    pub(crate) nulls_first: bool,
}

/// A selected object.
#[derive(Debug, Default)]
pub(crate) struct Object<'m> {
    /// Its fields in response order.
    pub(crate) fields: Vec<Field<'m>>,
}

/// One key of a selected object.
#[derive(Debug)]
pub(crate) struct Field<'m> {
    /// The key, escaped, quoted, with a colon.
    pub(crate) key: Box<[u8]>,
    /// Its value.
    pub(crate) value: FieldValue<'m>,
}

/// What a selected field holds.
#[derive(Debug)]
pub(crate) enum FieldValue<'m> {
    /// The same JSON for every row.
    Constant(Box<[u8]>),
    /// A value of the row.
    Scalar {
        /// Which.
        scalar: Scalar<'m>,
        /// Its type.
        type_: &'m schema::catalog::Type,
        /// Its scalar.
        class: &'m schema::scalar::Scalar,
        /// A path into json, as `text[]`.
        path: Option<Expression>,
    },
    /// At most one related row.
    Object(Related<'m>, Object<'m>),
    /// Related rows, or rows of a function.
    List(Box<Rows<'m>>, Object<'m>),
    /// The row of a function that gives one.
    Single(Box<Rows<'m>>, Object<'m>),
    /// An aggregate over related rows.
    Aggregate(Box<Aggregate<'m>>),
}

/// An aggregate and the rows that it is over.
#[derive(Debug)]
pub(crate) struct Aggregate<'m> {
    /// The rows.
    pub(crate) rows: Rows<'m>,
    /// What is asked of them.
    pub(crate) fields: Vec<AggregateField<'m>>,
}

/// One key of an aggregate.
#[derive(Debug)]
pub(crate) struct AggregateField<'m> {
    /// The key, escaped, quoted, with a colon.
    pub(crate) key: Box<[u8]>,
    /// Its value.
    pub(crate) value: AggregateValue<'m>,
}

/// What a key of an aggregate holds.
#[derive(Debug)]
pub(crate) enum AggregateValue<'m> {
    /// The same JSON always.
    Constant(Box<[u8]>),
    /// The rows themselves.
    Nodes(Object<'m>),
    /// `affected_rows` of a mutation: of all its writes.
    Affected,
    /// `aggregate`, or an operation within it: an object of further keys.
    Object(Vec<AggregateField<'m>>),
    /// How many.
    Count {
        /// Of which columns; none means rows.
        over: Vec<Scalar<'m>>,
        /// Each value once.
        distinct: bool,
    },
    /// One operation over one value.
    Operation {
        /// The operation.
        operation: AggregateOperation,
        /// Over what.
        over: Scalar<'m>,
        /// Type of that.
        type_: &'m schema::catalog::Type,
        /// Scalar of that.
        class: &'m schema::scalar::Scalar,
    },
}
