//! Writes, each as one statement that checks its rows itself, and the answer about them.
//!
//! Where the answer is made of written columns alone it is part of the writing statement. What is related to written
//! rows is read by a further statement, as the parts of one statement all see the tables as they were before it. The
//! rows are carried there in a setting of the transaction, as text of an array of the table's row type: this needs no
//! key, keeps their order and spares the round trip to find out what was written. Inserts that need not see each other's
//! rows are one statement all the same ([`chain`]).

mod answer;
mod chain;
mod insert;

pub(crate) use chain::is_repeatable;
use schema::model::Table;
use sql::ast::{Expression, From, Output, Select};
use sql::name::{Aliases, Identifier, QualifiedName, TypeName};
use sql::refusal::Refusal;
use sql::shape::{Cardinality, ObjectShape, Shape, ValueShape};
use sql::write::{Change as SqlChange, Write as SqlWrite, Writing};

use super::{Lowerer, Row, free_name, wide};
use crate::filter::qualified;
use crate::ir::write::{Assignment, Insert, Wanted, Write};
use crate::ir::{AggregateField, Answer, Change, Filter, Mutation};

/// A statement of a mutation.
pub(crate) struct Lowered {
    /// The statement.
    pub(crate) text: Text,
    /// How its row becomes JSON.
    pub(crate) shape: Shape,
    /// It makes the answer.
    pub(crate) answers: bool,
    /// The write that it makes, by number.
    pub(crate) write: Option<usize>,
}

/// A statement that writes or reads.
pub(crate) enum Text {
    Writing(Box<Writing>),
    Reading(Box<Select>),
}

impl<'m> Lowerer<'m> {
    /// The statements of a mutation, in order.
    pub(crate) fn mutation(mut self, mutation: &Mutation<'m>) -> Vec<Lowered> {
        if let [write] = mutation.writes.as_slice()
            && let Some(lowered) = self.at_once(write, &mutation.answer)
        {
            return vec![lowered];
        }
        let mut all = Vec::with_capacity(mutation.writes.len() + 1);
        for (number, write) in mutation.writes.iter().enumerate() {
            self.aliases = Aliases::default();
            if number + 1 == mutation.writes.len()
                && write.wanted.is_none()
                && let Some(fields) = mutation.answer.counted()
            {
                all.push(self.counting(number, write, fields));
                return all;
            }
            let rows_are_answered = write.answered && mutation.answer.is_about_rows();
            all.push(self.carrying(number, write, rows_are_answered));
        }
        self.aliases = Aliases::default();
        all.push(self.answer_from_carried(mutation));
        all
    }

    /// The write and its answer in one statement, if the answer is made of written columns alone.
    ///
    /// `update t as "t0" set … where … returning "t0"."a", case when <check> then true else … end`, or
    /// `with "t0" as (delete from t as "t1" where … returning "t1".*) select count(*), array_agg(row("t2"."a")) from "t0"
    /// as "t2"`
    fn at_once(&mut self, write: &Write<'m>, answer: &Answer<'m>) -> Option<Lowered> {
        if !answer.is_plain() {
            return None;
        }
        let (text, shape) = match answer {
            Answer::Row(_, object) => {
                let row = Row::new(self.aliases.fresh());
                let (columns, shape) = self.object(&row, object);
                let (columns, shape) = wide::fit(columns, shape);
                let outputs = columns.into_iter().map(Output::unnamed).collect();
                let write = self.write(&row, &write.change, outputs);
                let shape = Shape {
                    cardinality: Cardinality::OneOrNull,
                    row: ValueShape::Object(shape),
                };
                (Writing::Alone(write), shape)
            }
            Answer::Response(..) => {
                let rows = self.aliases.fresh();
                let row = Row::new(self.aliases.fresh());
                let outputs = if answer.is_about_rows() {
                    vec![Output::unnamed(Expression::WholeRow(row.alias))]
                } else {
                    Vec::new()
                };
                let made = self.write(&row, &write.change, outputs);
                let (select, shape) = self.response_here(rows, answer, write.change.table());
                let writing = Writing::Read {
                    writes: vec![(rows, made)],
                    select: Box::new(select),
                };
                (writing, shape)
            }
        };
        Some(Lowered {
            text: Text::Writing(Box::new(text)),
            shape,
            answers: true,
            write: Some(0),
        })
    }

    /// The write, and what later statements need of it left in settings of the transaction:
    ///
    /// `with "t0" as (insert … returning ("t1".*)::t as "row") select set_config('rowlock.rows0', coalesce(array_agg("t2"
    /// ."row")::text, '{}'), true), set_config('rowlock.count0', count(*)::text, true) from "t0" as "t2"`
    fn carrying(&mut self, number: usize, write: &Write<'m>, rows_are_answered: bool) -> Lowered {
        let rows = self.aliases.fresh();
        let row = Row::new(self.aliases.fresh());
        let carried = self.aliases.fresh();
        let table = write.change.table();
        let carries = rows_are_answered || write.wanted.is_some();
        let name = Identifier::from("row");
        let outputs = if carries {
            let whole = Expression::WholeRow(row.alias).cast(type_of(table));
            vec![Output::named(whole, name.clone())]
        } else {
            Vec::new()
        };
        let made = self.write(&row, &write.change, outputs);
        let mut columns = Vec::new();
        if carries {
            let all = Expression::Aggregate {
                function: "array_agg",
                arguments: vec![Expression::Column(carried, name)],
                distinct: false,
                order: Vec::new(),
            };
            let text = all.cast(TypeName::builtin("text"));
            let text = Expression::Coalesce(vec![text, Expression::Text("{}")]);
            columns.push(set("rows", number, text));
        }
        columns.push(set("count", number, count().cast(TypeName::builtin("text"))));
        if let Some(Wanted { count: wanted, .. }) = &write.wanted {
            let enough = Expression::equal(count(), wanted.clone());
            columns.push(Refusal::MissingRows.unless(enough));
        }
        let select = Select {
            columns: columns.into_iter().map(Output::unnamed).collect(),
            from: Some(From::Inserted { rows, alias: carried }),
            ..Select::default()
        };
        Lowered {
            text: Text::Writing(Box::new(Writing::Read {
                writes: vec![(rows, made)],
                select: Box::new(select),
            })),
            shape: Shape {
                cardinality: Cardinality::OneOrNull,
                row: ValueShape::Constant(Box::default()),
            },
            answers: false,
            write: Some(number),
        }
    }

    /// The last write where all are only counted, and the answer with it:
    ///
    /// `with "t0" as (insert … returning true) select current_setting('rowlock.count0')::int8 + count(*) from "t0" as "t2"`
    fn counting(&mut self, number: usize, write: &Write<'m>, fields: &[AggregateField<'m>]) -> Lowered {
        let rows = self.aliases.fresh();
        let row = Row::new(self.aliases.fresh());
        let alias = self.aliases.fresh();
        let made = self.write(&row, &write.change, Vec::new());
        let (mut select, shape) = self.counts(fields, number, Some(count()));
        select.from = Some(From::Inserted { rows, alias });
        Lowered {
            text: Text::Writing(Box::new(Writing::Read {
                writes: vec![(rows, made)],
                select: Box::new(select),
            })),
            shape,
            answers: true,
            write: Some(number),
        }
    }

    /// A write that gives back these values of each row, and checks the row.
    fn write(&mut self, row: &Row, change: &Change<'m>, mut returning: Vec<Output>) -> SqlWrite {
        let table = change.table();
        let (change, check) = match change {
            Change::Insert(insert) => (self.insert(row, insert), self.insert_check(row, insert)),
            Change::Update(update) => {
                let set = update
                    .set
                    .iter()
                    .map(|(column, value)| {
                        let now = || row.column(column);
                        let value = match value {
                            Assignment::Value(value) => Some(value.clone()),
                            Assignment::Default => None,
                            Assignment::Behind(operator, value) => {
                                Some(Expression::binary(now(), operator, value.clone()))
                            }
                            Assignment::Before(operator, value) => {
                                Some(Expression::binary(value.clone(), operator, now()))
                            }
                        };
                        (Identifier::from(&column.name), value)
                    })
                    .collect();
                let condition = self.filter(row, row, &update.filter);
                (
                    SqlChange::Update { set, condition },
                    self.check(row, &update.check),
                )
            }
            Change::Delete(delete) => {
                let condition = self.filter(row, row, &delete.filter);
                (SqlChange::Delete { condition }, Expression::True)
            }
        };
        if check != Expression::True {
            // Named, so that it cannot be taken for a column of the table.
            returning.push(Output::named(check, free_name("check", &table.columns)));
        }
        if returning.is_empty() {
            returning.push(Output::unnamed(Expression::True));
        }
        SqlWrite {
            table: qualified(&table.name),
            alias: row.alias,
            change,
            returning,
        }
    }

    /// `case when <check> then true else … end`
    fn check(&mut self, row: &Row, check: &Filter<'m>) -> Expression {
        let check = self.filter(row, row, check);
        Refusal::Check.unless(check)
    }

    /// For an upsert a row that was there is judged as an updated one: `case when "t0"."xmax" = 0 then … else … end`
    fn insert_check(&mut self, row: &Row, insert: &Insert<'m>) -> Expression {
        let inserted = self.check(row, &insert.check);
        let update = insert.conflict.as_ref().and_then(|known| known.update.as_ref());
        let Some(check) = update.and_then(|update| update.check.as_ref()) else {
            return inserted;
        };
        let updated = self.check(row, check);
        if inserted == updated {
            return inserted;
        }
        let xmax = Expression::Column(row.alias, Identifier::from("xmax"));
        Expression::Choose {
            when: Box::new(Expression::equal(xmax, Expression::Integer(0))),
            then: Box::new(inserted),
            otherwise: Box::new(updated),
        }
    }
}

/// `count(*)`
fn count() -> Expression {
    Expression::Aggregate {
        function: "count",
        arguments: Vec::new(),
        distinct: false,
        order: Vec::new(),
    }
}

/// `set_config('rowlock.rows0', value, true)`: for this transaction.
fn set(name: &'static str, number: usize, value: Expression) -> Expression {
    Expression::call(
        QualifiedName::builtin("set_config"),
        vec![Expression::SettingName(name, number), value, Expression::True],
    )
}

/// `(current_setting('rowlock.rows0'))::t[]`
pub(super) fn carried_rows(number: usize, table: &Table) -> Expression {
    current("rows", number).cast(type_of(table).array_of())
}

fn current(name: &'static str, number: usize) -> Expression {
    Expression::call(
        QualifiedName::builtin("current_setting"),
        vec![Expression::SettingName(name, number)],
    )
}

fn type_of(table: &Table) -> TypeName {
    TypeName::new(&table.name.schema, &table.name.name)
}

/// A shape that is the whole row.
fn one(shape: ObjectShape) -> Shape {
    Shape {
        cardinality: Cardinality::OneOrNull,
        row: ValueShape::Object(shape),
    }
}
