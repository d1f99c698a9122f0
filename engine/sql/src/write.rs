//! The subset of Postgres's INSERT, UPDATE and DELETE that the engine emits. Plain data, like [`ast`](crate::ast).

use crate::ast::{Expression, Output, Select};
use crate::name::{Alias, Identifier, QualifiedName};

/// A statement that writes, and what it answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Writing {
    /// The write alone: its `returning` is the answer.
    Alone(Write),
    /// `with "t0" as (<write>), … <select>`
    Read {
        /// The writes, each behind the name of the rows it gives back, for [`From::Inserted`](crate::ast::From::Inserted).
        writes: Vec<(Alias, Write)>,
        /// The answer.
        select: Box<Select>,
    },
}

/// A write to one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The table.
    pub table: QualifiedName,
    /// Its alias.
    pub alias: Alias,
    /// What is done.
    pub change: Change,
    /// `returning`; never empty.
    pub returning: Vec<Output>,
}

/// What is done to a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// `insert`
    Insert {
        /// Columns that the rows give values for.
        columns: Vec<Identifier>,
        /// The rows.
        rows: Rows,
        /// What happens to rows that violate a constraint.
        conflict: Option<Conflict>,
    },
    /// `update … set … where …`
    Update {
        /// New values, over the old row; `None` is the column's default.
        set: Vec<(Identifier, Option<Expression>)>,
        /// Which rows.
        condition: Expression,
    },
    /// `delete … where …`
    Delete {
        /// Which rows.
        condition: Expression,
    },
}

/// The rows of an insert.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// `default values`: one row.
    Defaults,
    /// `values (…), …`: one value per column and row; `None` is the column's default.
    Values(Vec<Vec<Option<Expression>>>),
    /// A query with one output per column.
    Select(Box<Select>),
}

/// `on conflict`
#[derive(Debug, Clone, PartialEq)]
pub struct Conflict {
    /// Which conflicts; none is any, with [`Resolution::Nothing`] only.
    pub target: Option<Target>,
    /// What happens.
    pub resolution: Resolution,
}

/// What a row is in conflict with.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// `on constraint …`
    Constraint(Identifier),
    /// `(…)`: whatever makes these columns unique.
    Columns(Vec<Identifier>),
}

/// What happens to a row that is there already.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolution {
    /// `do nothing`
    Nothing,
    /// `do update set … where …`
    Update {
        /// New values; the row that was to be inserted is [`Expression::Excluded`].
        set: Vec<(Identifier, Expression)>,
        /// Which rows are updated.
        condition: Expression,
    },
}
