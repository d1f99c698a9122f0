//! What is asked of a source → one SELECT and the shape of its answer.
//!
//! To-one objects are columns of the same row behind a left join, lists are `array(select row(…) …)`, aggregates
//! `(select row(count(*), …) …)`; every column is fetched in the form that is cheapest to write as JSON.

mod aggregate;
mod codec;
mod filter;
mod object;
mod rows;
mod scalar;
mod wide;
mod write;

use std::cell::RefCell;
use std::rc::Rc;

use schema::model::{Column, RelationshipId, TableId};
use sql::ast::{Expression, Join, Output, Select};
use sql::name::{Alias, Aliases, Identifier};
use sql::shape::{Cardinality, Shape, ValueShape};

use crate::ir::{Aggregate, Object, Rows};

pub(crate) use write::{Lowered, Text, is_repeatable};

/// Lowers one root field.
pub(crate) struct Lowerer<'m> {
    aliases: Aliases,
    /// Numerics that JavaScript cannot hold are written as strings.
    stringify: bool,
    /// Schema of PostGIS and the like.
    extensions: &'m str,
    /// How many rows a mutation wrote, where that is not a count of the rows at hand.
    affected: Option<Expression>,
    /// Names of the rows of earlier writes of the same statement; empty where each has a statement of its own.
    chain: Vec<Alias>,
}

impl<'m> Lowerer<'m> {
    pub(crate) fn new(stringify: bool, extensions: &'m str) -> Self {
        Self {
            aliases: Aliases::default(),
            stringify,
            extensions,
            affected: None,
            chain: Vec::new(),
        }
    }

    /// `select … from …`: rows as a list, or the only one.
    pub(crate) fn root_rows(
        mut self,
        rows: &Rows<'m>,
        object: &Object<'m>,
        cardinality: Cardinality,
    ) -> (Select, Shape) {
        let (select, shape) = self.list(None, rows, object);
        let row = ValueShape::Object(shape);
        (top(select), Shape { cardinality, row })
    }

    /// `select count(*), … from …`
    pub(crate) fn root_aggregate(mut self, aggregate: &Aggregate<'m>) -> (Select, Shape) {
        let (select, shape) = self.aggregate(None, aggregate);
        (
            top(select),
            Shape {
                cardinality: Cardinality::OneOrNull,
                row: ValueShape::Object(shape),
            },
        )
    }
}

/// A query and what it selects, before it is decided whether that is columns or one record.
struct Query {
    select: Select,
    columns: Vec<Expression>,
}

/// The columns as columns.
fn top(query: Query) -> Select {
    let Query {
        mut select,
        mut columns,
    } = query;
    if columns.is_empty() {
        columns.push(Expression::True);
    }
    select.columns = columns.into_iter().map(Output::unnamed).collect();
    select
}

/// The columns as one record.
fn record(query: Query) -> Select {
    let Query {
        mut select,
        mut columns,
    } = query;
    if columns.is_empty() {
        columns.push(Expression::True);
    }
    select.columns = vec![Output::unnamed(Expression::Row(columns))];
    select
}

/// A row within a statement, by which its columns are reached.
struct Row {
    alias: Alias,
    /// What a subquery must hand out for the row to be read outside it.
    exports: Option<RefCell<Exports>>,
    /// Left joins of the query that the row is part of.
    joins: Rc<Joins>,
}

/// The columns of a subquery that are read outside it.
struct Exports {
    columns: Vec<Identifier>,
    /// The whole row is read as well, under this name.
    whole: bool,
    whole_name: Identifier,
}

/// Left joins of one query; one relationship of one row is joined once.
#[derive(Default)]
struct Joins {
    list: RefCell<Vec<Join>>,
    known: RefCell<Vec<(JoinKey, Alias)>>,
}

/// The row that is joined from and the relationship.
type JoinKey = (Alias, (TableId, RelationshipId));

impl Row {
    /// A row of a query of its own.
    fn new(alias: Alias) -> Self {
        Self {
            alias,
            exports: None,
            joins: Rc::default(),
        }
    }

    /// The row of a subquery whose table has these columns.
    fn of_subquery(alias: Alias, columns: &[Column]) -> Self {
        Self {
            alias,
            exports: Some(RefCell::new(Exports {
                columns: Vec::new(),
                whole: false,
                whole_name: free_name("row", columns),
            })),
            joins: Rc::default(),
        }
    }

    /// A row joined to this one.
    fn joined(&self, alias: Alias) -> Self {
        Self {
            alias,
            exports: None,
            joins: Rc::clone(&self.joins),
        }
    }

    /// `"t0"."column"`
    fn column(&self, column: &Column) -> Expression {
        let name = Identifier::from(&column.name);
        if let Some(exports) = &self.exports {
            let columns = &mut exports.borrow_mut().columns;
            if !columns.contains(&name) {
                columns.push(name.clone());
            }
        }
        Expression::Column(self.alias, name)
    }

    /// The row as one value of its table's type.
    fn whole(&self) -> Expression {
        match &self.exports {
            None => Expression::WholeRow(self.alias),
            Some(exports) => {
                let mut exports = exports.borrow_mut();
                exports.whole = true;
                Expression::Column(self.alias, exports.whole_name.clone())
            }
        }
    }

    /// The joins made so far, in order.
    fn take_joins(&self) -> Vec<Join> {
        self.joins.list.take()
    }
}

/// A name of ours that no column has.
fn free_name(base: &str, columns: &[Column]) -> Identifier {
    let mut name = format!("#{base}");
    while columns.iter().any(|column| column.name == name) {
        name.insert(0, '#');
    }
    Identifier::new(name)
}
