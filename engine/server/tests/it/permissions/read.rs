//! What reading must answer, and whether it may be asked.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use serde_json::json;

use super::answer::Expected;
use super::operation::{Aggregate, Arguments, Field, Root};
use super::oracle::{At, Oracle, Reading};
use super::world::{Cell, Row};

impl<'w> Oracle<'w> {
    /// Whether the role may ask that.
    pub(crate) fn may(&self, root: &Root) -> bool {
        match root {
            Root::List(table, arguments, fields) => self.may_list(*table, arguments, fields),
            Root::ByKey(table, _, fields) => {
                self.reading(*table).is_some_and(|reading| reading.column(0))
                    && self.may_select(*table, fields)
            }
            Root::Aggregate(table, arguments, aggregate) => self.may_aggregate(*table, arguments, aggregate),
            Root::Write(table, write) => self.may_write(*table, write),
        }
    }

    /// What the answer to a permitted root field that reads is.
    pub(crate) fn answer(&self, root: &Root) -> Expected {
        match root {
            Root::Write(..) => refused(),
            Root::List(table, arguments, fields) => self.list(*table, self.rows(*table), arguments, fields),
            Root::ByKey(table, id, fields) => self.by_key(*table, *id, fields),
            Root::Aggregate(table, arguments, aggregate) => {
                self.aggregate(*table, self.rows(*table), arguments, aggregate)
            }
        }
    }

    fn rows(&self, table: usize) -> Vec<&'w Row> {
        self.world.tables[table].rows.iter().collect()
    }

    /// Whether the role may ask for such rows.
    pub(crate) fn may_list(&self, table: usize, arguments: &Arguments, fields: &[Field]) -> bool {
        self.may_take(table, arguments) && self.may_select(table, fields)
    }

    pub(crate) fn may_aggregate(&self, table: usize, arguments: &Arguments, aggregate: &Aggregate) -> bool {
        let Some(reading) = self.reading(table) else {
            return false;
        };
        reading.aggregations()
            && self.may_take(table, arguments)
            && aggregate
                .counts
                .iter()
                .all(|(column, _)| column.is_none_or(|at| reading.column(at)))
            && aggregate
                .operations
                .iter()
                .all(|(_, column)| reading.column(*column))
            && aggregate
                .nodes
                .as_ref()
                .is_none_or(|fields| self.may_select(table, fields))
    }

    fn may_take(&self, table: usize, arguments: &Arguments) -> bool {
        let Some(reading) = self.reading(table) else {
            return false;
        };
        arguments
            .filter
            .as_ref()
            .is_none_or(|filter| self.may_filter(table, filter))
            && arguments.order.iter().all(|(column, _)| reading.column(*column))
    }

    /// Whether the role may select such fields.
    pub(crate) fn may_select(&self, table: usize, fields: &[Field]) -> bool {
        let Some(reading) = self.reading(table) else {
            return false;
        };
        let relationships = self.world.relationships(table);
        fields.iter().all(|field| match field {
            Field::Column(column) => reading.column(*column),
            Field::Object(way, fields) => self.may_select(relationships[*way].target, fields),
            Field::Array(way, arguments, fields) => {
                self.may_list(relationships[*way].target, arguments, fields)
            }
            Field::ArrayAggregate(way, arguments, aggregate) => {
                self.may_aggregate(relationships[*way].target, arguments, aggregate)
            }
        })
    }

    /// The rows that a list gives.
    pub(crate) fn list(
        &self,
        table: usize,
        rows: Vec<&Row>,
        arguments: &Arguments,
        fields: &[Field],
    ) -> Expected {
        let Some(reading) = self.reading(table) else {
            return refused();
        };
        let cap = match (arguments.limit, reading.limit()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let Page { rows, ordered, take } = self.page(&reading, table, rows, arguments, cap);
        Expected::List {
            rows: rows
                .iter()
                .map(|row| self.object(&reading, At { table, row }, fields))
                .collect(),
            ordered,
            take,
        }
    }

    /// One row by its key, or null.
    pub(crate) fn by_key(&self, table: usize, id: i64, fields: &[Field]) -> Expected {
        let Some(reading) = self.reading(table) else {
            return refused();
        };
        let mut rows = self.world.tables[table].rows.iter();
        rows.find(|row| {
            let at = At { table, row };
            self.sees(&reading, at) && self.cell(&reading, at, 0) == Cell::Int(id)
        })
        .map_or(Expected::Exactly(json!(null)), |row| {
            self.object(&reading, At { table, row }, fields)
        })
    }

    pub(crate) fn aggregate(
        &self,
        table: usize,
        rows: Vec<&Row>,
        arguments: &Arguments,
        aggregate: &Aggregate,
    ) -> Expected {
        let Some(reading) = self.reading(table) else {
            return refused();
        };
        let page = self.page(&reading, table, rows.clone(), arguments, arguments.limit);
        // The generator orders by the key what it cuts; where the key is hidden from the role, the cut is by chance.
        let by_chance = !page.ordered && page.take < page.rows.len();
        let cells = |column: usize| -> Vec<Cell> {
            let rows = page.rows.iter().take(page.take);
            let cells = rows.map(|row| self.cell(&reading, At { table, row }, column));
            cells.filter(|cell| !cell.is_null()).collect()
        };
        let counts = aggregate
            .counts
            .iter()
            .enumerate()
            .map(|(at, (column, distinct))| {
                let count = match column {
                    None => page.take,
                    Some(column) if *distinct => cells(*column).into_iter().collect::<BTreeSet<_>>().len(),
                    Some(column) => cells(*column).len(),
                };
                let expected = if by_chance && column.is_some() {
                    Expected::Anything
                } else {
                    Expected::Exactly(json!(count))
                };
                (format!("n{at}"), expected)
            });
        let operations = aggregate
            .operations
            .iter()
            .enumerate()
            .map(|(at, (operation, column))| {
                let cells = cells(*column);
                let value = match *operation {
                    "sum" if cells.is_empty() => Cell::Null,
                    "sum" => Cell::Int(
                        cells
                            .iter()
                            .map(|cell| if let Cell::Int(value) = cell { *value } else { 0 })
                            .sum(),
                    ),
                    "max" => cells.into_iter().max().unwrap_or(Cell::Null),
                    _ => cells.into_iter().min().unwrap_or(Cell::Null),
                };
                let expected = if by_chance {
                    Expected::Anything
                } else {
                    Expected::Exactly(json!({"v": value.json()}))
                };
                (format!("p{at}"), expected)
            });
        let mut object = vec![(
            "aggregate".to_owned(),
            Expected::Object(counts.chain(operations).collect()),
        )];
        if let Some(fields) = &aggregate.nodes {
            object.push(("nodes".to_owned(), self.list(table, rows, arguments, fields)));
        }
        Expected::Object(object)
    }

    /// A row as the role sees it.
    pub(crate) fn object(&self, reading: &Reading<'_>, at: At<'_>, fields: &[Field]) -> Expected {
        let relationships = self.world.relationships(at.table);
        let fields = fields.iter().enumerate().map(|(position, field)| {
            let value = match field {
                Field::Column(column) => Expected::Exactly(self.cell(reading, at, *column).json()),
                Field::Object(way, fields) => {
                    let relationship = &relationships[*way];
                    let row = self.related(relationship, at.row).next();
                    let target = self.reading(relationship.target);
                    match (row, target) {
                        (Some(row), Some(target)) => {
                            let there = At {
                                table: relationship.target,
                                row,
                            };
                            if self.sees(&target, there) {
                                self.object(&target, there, fields)
                            } else {
                                Expected::Exactly(json!(null))
                            }
                        }
                        _ => Expected::Exactly(json!(null)),
                    }
                }
                Field::Array(way, arguments, fields) => {
                    let relationship = &relationships[*way];
                    let rows = self.related(relationship, at.row).collect();
                    self.list(relationship.target, rows, arguments, fields)
                }
                Field::ArrayAggregate(way, arguments, aggregate) => {
                    let relationship = &relationships[*way];
                    let rows = self.related(relationship, at.row).collect();
                    self.aggregate(relationship.target, rows, arguments, aggregate)
                }
            };
            (format!("f{position}"), value)
        });
        Expected::Object(fields.collect())
    }

    /// The rows that the role sees and the filter wants, in order as far as there is one.
    fn page<'r>(
        &self,
        reading: &Reading<'_>,
        table: usize,
        rows: Vec<&'r Row>,
        arguments: &Arguments,
        cap: Option<usize>,
    ) -> Page<'r> {
        let mut rows: Vec<&Row> = rows
            .into_iter()
            .filter(|row| {
                let at = At { table, row };
                self.sees(reading, at)
                    && arguments
                        .filter
                        .as_ref()
                        .is_none_or(|filter| self.client(reading, filter, at) == Some(true))
            })
            .collect();
        // Unless the key is among what is ordered by, and never hidden, rows can be equal.
        let ordered = arguments.order.iter().any(|(column, _)| *column == 0) && reading.is_whole(0);
        let left = rows.len().saturating_sub(arguments.offset.unwrap_or(0));
        let take = cap.map_or(left, |cap| cap.min(left));
        if ordered {
            let cell = |row: &Row, column: usize| self.cell(reading, At { table, row }, column);
            rows.sort_by(|one, other| {
                arguments
                    .order
                    .iter()
                    .fold(Ordering::Equal, |so_far, (column, descending)| {
                        so_far.then_with(|| order(&cell(one, *column), &cell(other, *column), *descending))
                    })
            });
            rows = rows
                .into_iter()
                .skip(arguments.offset.unwrap_or(0))
                .take(take)
                .collect();
        }
        Page { rows, ordered, take }
    }
}

struct Page<'r> {
    rows: Vec<&'r Row>,
    ordered: bool,
    take: usize,
}

/// Nulls last ascending, first descending.
fn order(one: &Cell, other: &Cell, descending: bool) -> Ordering {
    let ascending = match (one.is_null(), other.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => one.cmp(other),
    };
    if descending {
        ascending.reverse()
    } else {
        ascending
    }
}

/// Asked only of roles that may read.
fn refused() -> Expected {
    Expected::Exactly(json!("refused"))
}
