//! The one writing statement that the engine emits so far: rows with literal values.

use crate::ast::{Expression, Select};
use crate::name::{Alias, Identifier, QualifiedName};
use crate::shape::Shape;
use crate::statement::Statement;

/// `with <alias> as (insert … returning *) <select>`
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// Into which table.
    pub table: QualifiedName,
    /// Columns that the rows give values for; empty means that every column takes its default.
    pub columns: Vec<Identifier>,
    /// One value per column and row; `None` is the column's default.
    pub rows: Vec<Vec<Option<Expression>>>,
    /// What happens to rows that violate a constraint.
    pub conflict: Option<Conflict>,
    /// Name of the inserted rows, for [`From::Inserted`](crate::ast::From::Inserted) in `select`.
    pub alias: Alias,
    /// What is answered, over the inserted rows.
    pub select: Select,
}

/// `on conflict`
#[derive(Debug, Clone, PartialEq)]
pub enum Conflict {
    /// `do nothing`, for one constraint or any.
    DoNothing(Option<Identifier>),
}

impl Insert {
    /// Prints it.
    pub fn statement(&self, shape: Shape) -> Statement {
        let (text, parameters) = crate::print::insert(self);
        Statement::new(text, parameters, shape)
    }
}
