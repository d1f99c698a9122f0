//! Inserts of several levels as one statement: each a part of its own, which takes values from the rows that earlier parts
//! give back.
//!
//! The parts all see the tables as they were before the statement. So this is for rows that nothing looks at while they are
//! inserted: no trigger, no rule of the tables, and no check of a permission that leads to a table which is written too. Nor may
//! a row refer to one of a later part, which a foreign key would not notice: it is judged when the statement ends.
//! Where one of the rows is refused, nothing says which level it was of: then the statements of one level each are run
//! instead, and say it.

use schema::catalog::{ForeignKey, QualifiedName, TypeKind};
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
        if !filters_of(insert).all(|filter| filter.looks_only_at(&may_look_at)) {
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
    let needs_arrays = |number| {
        let needed = needed_of(&inserts, number);
        needed
            .iter()
            .any(|column| matches!(column.type_.kind, TypeKind::Array(_)))
    };
    // Of an array of arrays no item can be taken that is an array.
    if (0..inserts.len()).any(needs_arrays) {
        return None;
    }
    let may_refer_ahead = inserts.iter().enumerate().any(|(number, insert)| {
        let later = written.get(number + 1..).unwrap_or_default();
        let keys = insert.table.table().foreign_keys.iter();
        keys.filter(|key| later.iter().any(|table| table.name == key.target))
            .any(|key| may_refer_to_any(insert, key))
    });
    (!may_refer_ahead).then_some(inserts)
}

/// A row may hold a key other than null and that of a row of an earlier part.
fn may_refer_to_any(insert: &Insert<'_>, key: &ForeignKey) -> bool {
    let sources: Vec<Source> = key
        .columns
        .iter()
        .map(|(name, _)| source_of(insert, name, &key.target))
        .collect();
    let is_preset = insert
        .conflict
        .iter()
        .filter_map(|conflict| conflict.update.as_ref())
        .flat_map(|update| &update.presets)
        .any(|(column, _)| key.columns.iter().any(|(name, _)| *name == column.name));
    is_preset || !(sources.contains(&Source::Null) || sources.iter().all(|source| *source == Source::Written))
}

/// Where the values of a column come from, in all rows alike.
#[derive(PartialEq)]
enum Source {
    /// It is null.
    Null,
    /// From rows of the table that a key leads to.
    Written,
    /// From anywhere.
    Any,
}

fn source_of(insert: &Insert<'_>, name: &str, target: &QualifiedName) -> Source {
    let Some(position) = insert.columns.iter().position(|column| column.name == name) else {
        let column = insert
            .table
            .table()
            .columns
            .iter()
            .find(|column| column.name == name);
        let is_null = column.is_some_and(|column| {
            let is_domain = matches!(column.type_.kind, TypeKind::Domain(_));
            column.nullable && column.insertable && !column.has_default && !is_domain
        });
        return if is_null { Source::Null } else { Source::Any };
    };
    let is_written = match &insert.rows {
        InsertRows::Values(rows) => rows.iter().all(|row| {
            let value = row.get(position).and_then(Option::as_ref);
            matches!(value, Some(InsertValue::Written { table, .. }) if table.name == *target)
        }),
        InsertRows::Arrays { columns, places, .. } => match columns.get(position) {
            Some(ArrayValue::Written { place, .. }) => places
                .get(*place)
                .is_some_and(|place| place.table.name == *target),
            _ => false,
        },
    };
    if is_written { Source::Written } else { Source::Any }
}

/// Nothing is left of it when it is undone, but for numbers of sequences: rows are inserted, and no functions run for them.
pub(crate) fn is_repeatable(mutation: &Mutation<'_>) -> bool {
    mutation.writes.iter().all(|write| match &write.change {
        Change::Insert(insert) => {
            insert.table.table().inserts_are_plain
                && filters_of(insert)
                    .all(|filter| filter.looks_only_at(&|table: &Table| table.inserts_are_plain))
        }
        Change::Update(_) | Change::Delete(_) => false,
    })
}

/// What is asked of rows that are inserted, or updated instead.
fn filters_of<'a, 'm>(insert: &'a Insert<'m>) -> impl Iterator<Item = &'a Filter<'m>> {
    let update = insert
        .conflict
        .as_ref()
        .and_then(|conflict| conflict.update.as_ref());
    [
        Some(&insert.check),
        update.map(|update| &update.filter),
        update.and_then(|update| update.check.as_ref()),
    ]
    .into_iter()
    .flatten()
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
