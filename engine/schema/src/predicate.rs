//! Row predicates of permissions, resolved: every name checked against the catalog, every operand typed.
//!
//! A predicate belongs to one table (its *subject*). The planner lowers predicates and client filters
//! through the same code. Inside a predicate the select filter of a related table does not apply
//! (compatible with Hasura v2).

use crate::model::{ColumnId, ComputedFieldId, RelationshipId, TableId};
use crate::operator::Operator;

/// A boolean over one row of its subject table.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// All hold; empty is true.
    And(Vec<Predicate>),
    /// At least one holds; empty is false.
    Or(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// A column compared.
    Column(ColumnId, Comparison),
    /// A scalar computed field compared; session argument filled by the planner, no other arguments.
    ComputedField(ComputedFieldId, Comparison),
    /// A row exists behind a set-returning computed field for which the predicate holds.
    ComputedTable(ComputedFieldId, Box<Predicate>),
    /// A related row exists for which the predicate holds (object and array relationships alike).
    Relationship(RelationshipId, Box<Predicate>),
    /// An aggregate over an array relationship, compared.
    Aggregate(RelationshipId, Box<AggregatePredicate>),
    /// A row exists in a table of the same source, uncorrelated but for root-column operands.
    Exists(TableId, Box<Predicate>),
}

/// An aggregate over related rows and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AggregatePredicate {
    /// `count`, `bool_and`, `bool_or`, `avg`, `max`, `min`, `sum`, `corr`, `covar_samp`, `stddev_samp`, `var_samp`.
    pub function: &'static str,
    /// Columns of the related table it is computed over; empty means `*`.
    pub columns: Vec<ColumnId>,
    /// DISTINCT.
    pub distinct: bool,
    /// Which related rows count.
    pub filter: Option<Predicate>,
    /// What the result is compared with.
    pub comparison: Comparison,
}

/// An operator and its right-hand side. The operand's type follows from operator and column.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Operator.
    pub operator: Operator,
    /// Right-hand side.
    pub operand: Operand,
    /// `_cast`: the left-hand side is converted to this Postgres type first (`text`, `geometry`, `geography`).
    pub cast: Option<&'static str>,
}

/// The right-hand side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A literal of the type that the operator wants; a JSON array for list operators.
    Literal(serde_json::Value),
    /// A session variable, lower case; for list operators it holds a Postgres array literal.
    Session(Box<str>),
    /// A list of literals and session variables.
    List(Vec<Operand>),
    /// Named parts of an operand object (`_st_d_within {distance, from, use_spheroid}` and the like).
    Object(Vec<(Box<str>, Operand)>),
    /// A column of the subject row, reached through object relationships (`_ceq: ["rel", "column"]`).
    Column {
        /// Object relationships to follow first.
        path: Vec<RelationshipId>,
        /// The column of the last table.
        column: ColumnId,
    },
    /// A column of the row at the root of the whole expression (`_ceq: ["$", "column"]`).
    RootColumn {
        /// Object relationships to follow first.
        path: Vec<RelationshipId>,
        /// The column of the last table.
        column: ColumnId,
    },
}
