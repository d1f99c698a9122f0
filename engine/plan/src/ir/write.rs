//! What an operation asks a source to write, with permissions inside. Made for the GraphQL API and the old data API
//! alike: values are expressions, filters have been lowered, rows know which permission they are written by.

use schema::model::{Column, Table};
use sql::ast::Expression;

use super::table::{DeleteTable, InsertTable, UpdateTable};
use super::{AggregateField, Filter, Object, SelectTable};
use crate::prepared::Several;
use crate::rows::Rows;
use graphql::Path;

/// One root field's writes, in order, and its answer.
#[derive(Debug)]
pub(crate) struct Mutation<'m> {
    /// At least one; with one alone the answer can often be made in the same statement.
    pub(crate) writes: Vec<Write<'m>>,
    /// The answer.
    pub(crate) answer: Answer<'m>,
}

/// One write, and what others of the mutation need of it.
#[derive(Debug)]
pub(crate) struct Write<'m> {
    /// What is written.
    pub(crate) change: Change<'m>,
    /// The answer is about these rows; those of nested inserts are only counted.
    pub(crate) answered: bool,
    /// Other writes take values from its rows, so that there must be this many of them.
    pub(crate) wanted: Option<Wanted>,
    /// Where an error is reported.
    pub(crate) path: Path,
    /// Rows of a variable, where an error about the only one of them is reported at its own place.
    pub(crate) rows: Option<Rows>,
    /// Whether the error may be about one of several rows.
    pub(crate) several: Several,
}

/// Rows that others depend on.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// How many; `None` is as many as the arrays hold.
    pub(crate) count: Expression,
    /// What is said if there are fewer.
    pub(crate) message: String,
    /// Where that is reported.
    pub(crate) path: Path,
}

/// A write to one table.
#[derive(Debug)]
pub(crate) enum Change<'m> {
    /// New rows.
    Insert(Box<Insert<'m>>),
    /// New values.
    Update(Box<Update<'m>>),
    /// Rows taken away.
    Delete(Box<Delete<'m>>),
}

impl<'m> Change<'m> {
    /// The table.
    pub(crate) fn table(&self) -> &'m Table {
        match self {
            Self::Insert(insert) => insert.table.table(),
            Self::Update(update) => update.table.table(),
            Self::Delete(delete) => delete.table.table(),
        }
    }
}

/// `insert`
#[derive(Debug)]
pub(crate) struct Insert<'m> {
    /// The table, with the right to insert.
    pub(crate) table: InsertTable<'m>,
    /// Columns that any of the rows gives, presets among them.
    pub(crate) columns: Vec<&'m Column>,
    /// The rows.
    pub(crate) rows: InsertRows<'m>,
    /// `on conflict`
    pub(crate) conflict: Option<Conflict<'m>>,
    /// Must hold for each new row.
    pub(crate) check: Filter<'m>,
}

/// The rows of an insert.
#[derive(Debug)]
pub(crate) enum InsertRows<'m> {
    /// One value per column and row; `None` is the column's default.
    Values(Vec<Vec<Option<InsertValue<'m>>>>),
    /// As many rows as the arrays have items.
    Arrays {
        /// One per column.
        columns: Vec<ArrayValue<'m>>,
        /// Arrays of numbers (from 1) of rows of earlier writes, which the columns refer to.
        places: Vec<Place<'m>>,
        /// `int4[]` with an item for each row, where no other array says how many there are.
        numbers: Option<Expression>,
    },
}

/// Which row of an earlier write each row belongs to.
#[derive(Debug)]
pub(crate) struct Place<'m> {
    /// Number of the write within the mutation.
    pub(crate) write: usize,
    /// Its table.
    pub(crate) table: &'m Table,
    /// `int4[]`
    pub(crate) rows: Expression,
}

/// A value of a row that is inserted.
#[derive(Debug, Clone)]
pub(crate) enum InsertValue<'m> {
    /// A value.
    Value(Expression),
    /// A value of a row that an earlier write gave.
    Written {
        /// Number of the write within the mutation.
        write: usize,
        /// Number of the row, from 1.
        row: usize,
        /// Its table.
        table: &'m Table,
        /// Its column.
        column: &'m Column,
    },
}

/// A column of rows that are inserted together.
#[derive(Debug)]
pub(crate) enum ArrayValue<'m> {
    /// An array, and how one item becomes a value of the column.
    Array(Expression, ItemForm<'m>),
    /// The same value in all rows.
    Same(Expression),
    /// A value of the row that the place leads to.
    Written {
        /// Position in the places.
        place: usize,
        /// Its column.
        column: &'m Column,
    },
}

/// How an item of an array becomes a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ItemForm<'m> {
    /// It is one.
    Plain,
    /// It is text that is cast to the column's type: arrays, which an array cannot hold.
    Cast(&'m Column),
    /// It is GeoJSON.
    GeoJson(&'m Column),
    /// It is a raster in hexadecimal form.
    Raster,
}

/// `on conflict`
#[derive(Debug)]
pub(crate) struct Conflict<'m> {
    /// Which conflicts; `None` is any, with nothing done only.
    pub(crate) target: Option<ConflictTarget<'m>>,
    /// What is done with the row that is there; `None` is nothing.
    pub(crate) update: Option<ConflictUpdate<'m>>,
}

/// What a row is in conflict with.
#[derive(Debug)]
pub(crate) enum ConflictTarget<'m> {
    /// A constraint, by its name.
    Constraint(&'m str),
    /// Whatever makes these columns unique.
    Columns(Vec<&'m Column>),
}

/// What an upsert does to a row that is there.
#[derive(Debug)]
pub(crate) struct ConflictUpdate<'m> {
    /// Columns that take the new row's values.
    pub(crate) columns: Vec<&'m Column>,
    /// Columns that the role's right to update sets.
    pub(crate) presets: Vec<(&'m Column, Expression)>,
    /// The client's filter and the one of the right to update.
    pub(crate) filter: Filter<'m>,
    /// What must hold of an updated row; `None` is what must hold of an inserted one.
    pub(crate) check: Option<Filter<'m>>,
}

/// `update`
#[derive(Debug)]
pub(crate) struct Update<'m> {
    /// The table, with the right to update.
    pub(crate) table: UpdateTable<'m>,
    /// New values; never empty.
    pub(crate) set: Vec<(&'m Column, Assignment)>,
    /// Which rows.
    pub(crate) filter: Filter<'m>,
    /// Must hold for each row afterwards.
    pub(crate) check: Filter<'m>,
}

/// A new value of a column.
#[derive(Debug, Clone)]
pub(crate) enum Assignment {
    /// This one.
    Value(Expression),
    /// The column's default.
    Default,
    /// `column operator value`
    Behind(&'static str, Expression),
    /// `value operator column`
    Before(&'static str, Expression),
}

/// `delete`
#[derive(Debug)]
pub(crate) struct Delete<'m> {
    /// The table, with the right to delete.
    pub(crate) table: DeleteTable<'m>,
    /// Which rows.
    pub(crate) filter: Filter<'m>,
}

/// What a mutation answers.
#[derive(Debug)]
pub(crate) enum Answer<'m> {
    /// The only row, or null.
    Row(SelectTable<'m>, Object<'m>),
    /// `affected_rows`, `returning`: [`AggregateValue::Affected`](super::AggregateValue::Affected) and nodes.
    Response(Option<SelectTable<'m>>, Vec<AggregateField<'m>>),
}
