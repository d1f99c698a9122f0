//! Booleans over one row: what clients filter by and what permissions say, in one form.

use schema::model::{Column, Table};
use sql::ast::{Expression, Operator};
use sql::name::{QualifiedName, TypeName};

use super::{Call, PredicateTable, Scalar, SelectTable};

/// A boolean over one row.
#[derive(Debug, Clone)]
pub(crate) enum Filter<'m> {
    /// All hold.
    All(Vec<Filter<'m>>),
    /// At least one holds.
    Any(Vec<Filter<'m>>),
    /// It does not hold.
    Not(Box<Filter<'m>>),
    /// A value of the row passes a test.
    Test(Scalar<'m>, Test<'m>),
    /// A row exists.
    Exists(Box<Exists<'m>>),
    /// Within, the present row is the root row.
    Rooted(Box<Filter<'m>>),
}

impl Filter<'_> {
    /// True.
    pub(crate) fn always() -> Self {
        Self::All(Vec::new())
    }
}

impl<'m> Filter<'m> {
    /// Whether it looks at nothing but its row and tables of which that is said; what functions look at is not known.
    pub(crate) fn looks_only_at(&self, may: &impl Fn(&'m Table) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().all(|part| part.looks_only_at(may)),
            Self::Not(part) | Self::Rooted(part) => part.looks_only_at(may),
            Self::Test(scalar, test) => {
                let right = match test {
                    Test::Binary {
                        right: Right::Row(scalar) | Right::Root(scalar),
                        ..
                    } => Some(scalar),
                    _ => None,
                };
                scalar.looks_only_at(may) && right.is_none_or(|scalar| scalar.looks_only_at(may))
            }
            Self::Exists(exists) => exists.looks_only_at(may),
        }
    }
}

impl<'m> Scalar<'m> {
    fn looks_only_at(&self, may: &impl Fn(&'m Table) -> bool) -> bool {
        match self {
            Self::Column(_, None) => true,
            Self::Column(_, Some(filter)) => filter.looks_only_at(may),
            Self::Computed(..) => false,
            Self::Through(related, scalar) => {
                may(related.table()) && related.filter.looks_only_at(may) && scalar.looks_only_at(may)
            }
            Self::Aggregate(aggregate) => {
                aggregate.from.looks_only_at(may)
                    && aggregate.value.over.iter().all(|over| over.looks_only_at(may))
            }
            Self::Grouped(grouped) => grouped.over.iter().all(|over| over.looks_only_at(may)),
        }
    }
}

/// A test of one value.
#[derive(Debug, Clone)]
pub(crate) enum Test<'m> {
    /// It is null.
    IsNull,
    /// It is not null.
    IsNotNull,
    /// `value operator right`, perhaps of the value cast to another type.
    Binary {
        /// The type that the value is cast to first.
        cast: Option<TypeName>,
        /// The operator.
        operator: Operator,
        /// The right-hand side.
        right: Right<'m>,
    },
    /// `value = any(array)`, `value <> all(array)`.
    Quantified {
        /// The type that the value is cast to first.
        cast: Option<TypeName>,
        /// The operator.
        operator: &'static str,
        /// All instead of any.
        all: bool,
        /// The array.
        array: Expression,
    },
    /// `function(value, …)`
    Function {
        /// The type that the value is cast to first.
        cast: Option<TypeName>,
        /// The function.
        function: QualifiedName,
        /// Further arguments.
        arguments: Vec<Expression>,
    },
}

/// The right-hand side of a test.
#[derive(Debug, Clone)]
pub(crate) enum Right<'m> {
    /// A value that does not depend on rows.
    Value(Expression),
    /// A value of the present row.
    Row(Scalar<'m>),
    /// A value of the root row.
    Root(Scalar<'m>),
}

/// A row exists that passes a filter, or rows exist whose aggregate passes a test.
#[derive(Debug, Clone)]
pub(crate) struct Exists<'m> {
    source: ExistsSource<'m>,
    /// How they belong to the row outside: pairs of (outer column, own column).
    pub(crate) link: Vec<(&'m Column, &'m Column)>,
    /// Which rows count.
    pub(crate) filter: Filter<'m>,
    /// What must hold of all of them together; its values are [`Scalar::Grouped`].
    pub(crate) having: Filter<'m>,
}

#[derive(Debug, Clone)]
pub(crate) enum ExistsSource<'m> {
    /// A table.
    Table(&'m Table),
    /// A function.
    Call(Call<'m>),
}

impl<'m> Exists<'m> {
    /// Rows of a table that the role may read; `permitted` is the role's filter on it.
    pub(crate) fn selectable(
        target: SelectTable<'m>,
        link: Vec<(&'m Column, &'m Column)>,
        permitted: Filter<'m>,
        filter: Filter<'m>,
    ) -> Self {
        Self {
            source: ExistsSource::Table(target.table()),
            link,
            filter: Filter::All(vec![permitted, filter]),
            having: Filter::always(),
        }
    }

    /// Rows of any table within a stored predicate.
    pub(crate) fn stored(
        target: PredicateTable<'m>,
        link: Vec<(&'m Column, &'m Column)>,
        filter: Filter<'m>,
    ) -> Self {
        Self {
            source: ExistsSource::Table(target.table()),
            link,
            filter,
            having: Filter::always(),
        }
    }

    /// Rows of a function; the filter has the role's filter on its table in it, where that applies.
    pub(crate) fn of_call(call: Call<'m>, filter: Filter<'m>) -> Self {
        Self {
            source: ExistsSource::Call(call),
            link: Vec::new(),
            filter,
            having: Filter::always(),
        }
    }

    fn looks_only_at(&self, may: &impl Fn(&'m Table) -> bool) -> bool {
        let source = match self.source {
            ExistsSource::Table(table) => may(table),
            ExistsSource::Call(_) => false,
        };
        source && self.filter.looks_only_at(may) && self.having.looks_only_at(may)
    }

    /// Where the rows come from.
    pub(crate) fn source(&self) -> &ExistsSource<'m> {
        &self.source
    }
}
