//! Inserts of several levels as one statement: each a part of its own, which takes values from the rows that earlier parts
//! give back.
//!
//! The parts all see the tables as they were before the statement. So this is for rows that nothing looks at while they are
//! inserted: no trigger, no rule of the tables, and no check of a permission that leads to a table which is written too.
//! Where one of the rows is refused, nothing says which level it was of: then the statements of one level each are run
//! instead, and say it.

use schema::model::{Column, Table};
use sql::ast::{Expression, From, Output, Select};
use sql::name::{Alias, Aliases, Identifier, TypeName};
use sql::refusal::Refusal;
use sql::shape::{Cardinality, Shape, ValueShape};
use sql::simplify;
use sql::write::Writing;

use super::{Lowered, Text, count, set, type_of};
use crate::ir::write::{ArrayValue, Insert, InsertRows, InsertValue, Write};
use crate::ir::{Answer, Change, Filter, Mutation};
use crate::lower::{Lowerer, Row, free_name};

/// Parts of one statement.
const MOST_WRITES: usize = 16;

/// Values that stand in the statement one by one, and those among them that other rows give, each a subquery.
const MOST_VALUES: usize = 2000;
const MOST_SUBQUERIES: usize = 64;

impl<'m> Lowerer<'m> {
    /// The statements, if the writes can be made by one: it and, where the answer tells of more than the written rows, a
    /// second one for that.
    pub(crate) fn chained(mut self, mutation: &Mutation<'m>) -> Option<Vec<Lowered>> {
        let inserts = independent(mutation)?;
        let rows_are_answered = mutation.answer.is_about_rows();
        let carries = rows_are_answered && !is_plain_of_one(mutation);
        let mut writes = Vec::with_capacity(inserts.len());
        let mut carried = Vec::new();
        for (number, (write, insert)) in mutation.writes.iter().zip(&inserts).enumerate() {
            let rows = self.aliases.fresh();
            let row = Row::new(self.aliases.fresh());
            let columns = &insert.table.table().columns;
            let is_answered = rows_are_answered && write.answered;
            let mut outputs = Vec::new();
            if is_answered && !carries {
                outputs.push(Output::unnamed(Expression::WholeRow(row.alias)));
            } else {
                let needed = needed_of(&inserts, number);
                outputs.extend(
                    needed
                        .into_iter()
                        .map(|column| Output::unnamed(row.column(column))),
                );
            }
            if is_answered && carries {
                let name = free_name("row", columns);
                let whole = Expression::WholeRow(row.alias).cast(type_of(insert.table.table()));
                outputs.push(Output::named(whole, name.clone()));
                carried.push((number, rows, name));
            }
            writes.push((rows, self.write(&row, &write.change, outputs)));
            self.chain.push(rows);
        }
        let names: Vec<Alias> = writes.iter().map(|(rows, _)| *rows).collect();
        let affected = (0..names.len())
            .filter_map(|number| self.count_of(&names, number))
            .reduce(|total, count| Expression::binary(total, "+", count));
        let answered = mutation.writes.iter().position(|write| write.answered);
        let (mut select, shape) = match &mutation.answer {
            _ if carries => (self.leaving(&names, carried), nothing()),
            Answer::Response(_, fields) if !rows_are_answered => self.counts_of(fields, affected),
            answer => {
                let rows = answered.and_then(|number| names.get(number)).copied()?;
                let table = mutation.writes.get(answered?)?.change.table();
                self.response_of(rows, answer, table, affected)
            }
        };
        select.condition = simplify::and(vec![self.all_are_there(mutation, &names), select.condition]);
        let writing = Writing::Read {
            writes,
            select: Box::new(select),
        };
        let mut all = vec![Lowered {
            text: Text::Writing(Box::new(writing)),
            shape,
            answers: !carries,
            write: answered,
        }];
        if carries {
            self.chain.clear();
            self.aliases = Aliases::default();
            all.push(self.answer_from_carried(mutation));
        }
        Some(all)
    }

    /// `select set_config('rowlock.rows0', coalesce((select array_agg("t1"."#row") from "t0" as "t1")::text, '{}'), true),
    /// set_config('rowlock.count0', (select count(*) from "t0" as "t2")::text, true), …`
    fn leaving(&mut self, names: &[Alias], carried: Vec<(usize, Alias, Identifier)>) -> Select {
        let text = || TypeName::builtin("text");
        let mut columns = Vec::new();
        for (number, rows, name) in carried {
            let alias = self.aliases.fresh();
            let all = Expression::Aggregate {
                function: "array_agg",
                arguments: vec![Expression::Column(alias, name)],
                distinct: false,
                order: Vec::new(),
            };
            let all = of_rows(rows, alias, all).cast(text());
            let all = Expression::Coalesce(vec![all, Expression::Text("{}")]);
            columns.push(Output::unnamed(set("rows", number, all)));
        }
        for number in 0..names.len() {
            if let Some(count) = self.count_of(names, number) {
                columns.push(Output::unnamed(set("count", number, count.cast(text()))));
            }
        }
        Select {
            columns,
            ..Select::default()
        }
    }

    /// `(select count(*) from "t0" as "t1")`
    fn count_of(&mut self, names: &[Alias], number: usize) -> Option<Expression> {
        let alias = self.aliases.fresh();
        names.get(number).map(|rows| of_rows(*rows, alias, count()))
    }

    /// `case when <count of the first> = 1 and … then true else … end`: no row that others depend on was kept out. The counts
    /// make Postgres run the parts in this order, which shows where several write the same table: `<count> >= 0` there.
    fn all_are_there(&mut self, mutation: &Mutation<'m>, names: &[Alias]) -> Expression {
        let mut all = Vec::with_capacity(names.len());
        for (number, write) in mutation.writes.iter().enumerate() {
            let table = write.change.table().id;
            let times = mutation
                .writes
                .iter()
                .filter(|other| other.change.table().id == table);
            if write.wanted.is_none() && times.count() == 1 {
                continue;
            }
            let Some(count) = self.count_of(names, number) else {
                continue;
            };
            all.push(match &write.wanted {
                Some(wanted) => Expression::equal(count, wanted.count.clone()),
                None => Expression::binary(count, ">=", Expression::Integer(0)),
            });
        }
        Refusal::MissingRows.unless(simplify::and(all))
    }
}

/// `(select <value> from <rows> as <alias>)`
fn of_rows(rows: Alias, alias: Alias, value: Expression) -> Expression {
    Expression::Scalar(Box::new(Select {
        columns: vec![Output::unnamed(value)],
        from: Some(From::Inserted { rows, alias }),
        ..Select::default()
    }))
}

fn nothing() -> Shape {
    Shape {
        cardinality: Cardinality::OneOrNull,
        row: ValueShape::Constant(Box::default()),
    }
}

/// The answer is made of columns of the rows of one write.
fn is_plain_of_one(mutation: &Mutation<'_>) -> bool {
    mutation.answer.is_plain() && mutation.writes.iter().filter(|write| write.answered).count() == 1
}

/// The inserts, if each can be made without seeing the rows of another.
fn independent<'a, 'm>(mutation: &'a Mutation<'m>) -> Option<Vec<&'a Insert<'m>>> {
    if !(2..=MOST_WRITES).contains(&mutation.writes.len()) {
        return None;
    }
    let written: Vec<&Table> = mutation.writes.iter().map(|write| write.change.table()).collect();
    let may_look_at =
        |table: &'m Table| table.inserts_are_plain && written.iter().all(|other| other.id != table.id);
    let (mut values, mut subqueries) = (0, 0);
    let mut inserts = Vec::with_capacity(mutation.writes.len());
    for Write { change, wanted, .. } in &mutation.writes {
        let Change::Insert(insert) = change else {
            return None;
        };
        let is_kept_out = insert.conflict.is_some() && wanted.is_some();
        if !insert.table.table().inserts_are_plain || is_kept_out {
            return None;
        }
        let update = insert
            .conflict
            .as_ref()
            .and_then(|conflict| conflict.update.as_ref());
        let filters = [
            Some(&insert.check),
            update.map(|update| &update.filter),
            update.and_then(|update| update.check.as_ref()),
        ];
        if !filters
            .into_iter()
            .flatten()
            .all(|filter: &Filter<'m>| filter.looks_only_at(&may_look_at))
        {
            return None;
        }
        if let InsertRows::Values(rows) = &insert.rows {
            let all = || rows.iter().flatten().flatten();
            values += all().count();
            subqueries += all()
                .filter(|value| matches!(value, InsertValue::Written { .. }))
                .count();
        }
        if values > MOST_VALUES || subqueries > MOST_SUBQUERIES {
            return None;
        }
        inserts.push(insert.as_ref());
    }
    Some(inserts)
}

/// The columns of a write's rows that others take values from.
fn needed_of<'m>(inserts: &[&Insert<'m>], number: usize) -> Vec<&'m Column> {
    let mut needed: Vec<&'m Column> = Vec::new();
    let mut add = |column: &'m Column| {
        if !needed.iter().any(|known| known.name == column.name) {
            needed.push(column);
        }
    };
    for insert in inserts {
        match &insert.rows {
            InsertRows::Values(rows) => {
                for value in rows.iter().flatten().flatten() {
                    if let InsertValue::Written { write, column, .. } = value
                        && *write == number
                    {
                        add(column);
                    }
                }
            }
            InsertRows::Arrays { columns, places, .. } => {
                for value in columns {
                    if let ArrayValue::Written { place, column } = value
                        && places.get(*place).is_some_and(|place| place.write == number)
                    {
                        add(column);
                    }
                }
            }
        }
    }
    needed
}
