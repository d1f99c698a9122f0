//! What a mutation answers: `{affected_rows returning {…}}`, or one row.

use schema::model::Table;
use sql::ast::{Expression, Select};
use sql::name::{Alias, TypeName};
use sql::shape::{Cardinality, Shape, ValueShape};

use super::{Lowered, Text, current, one};
use crate::ir::{
    AggregateField, AggregateValue, Answer, FieldValue, Mutation, Object, RowType, Rows, Scalar, SelectTable,
    WrittenRows,
};
use crate::lower::{Lowerer, top};

impl<'m> Answer<'m> {
    /// Rows are answered and not only counted.
    pub(super) fn is_about_rows(&self) -> bool {
        match self {
            Self::Row(..) => true,
            Self::Response(_, fields) => fields
                .iter()
                .any(|field| matches!(field.value, AggregateValue::Nodes(_))),
        }
    }

    /// The fields, if rows are counted and nothing else is said of them.
    pub(super) fn counted(&self) -> Option<&[AggregateField<'m>]> {
        match self {
            Self::Response(_, fields) if !self.is_about_rows() => fields
                .iter()
                .any(|field| matches!(field.value, AggregateValue::Affected))
                .then_some(fields),
            _ => None,
        }
    }

    /// It needs nothing but the columns of the written rows.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            Self::Row(_, object) => is_plain(object),
            Self::Response(_, fields) => fields.iter().all(|field| match &field.value {
                AggregateValue::Nodes(object) => is_plain(object),
                _ => true,
            }),
        }
    }
}

fn is_plain(object: &Object<'_>) -> bool {
    object.fields.iter().all(|field| {
        matches!(
            &field.value,
            FieldValue::Constant(_)
                | FieldValue::Scalar {
                    scalar: Scalar::Column(_, None),
                    ..
                }
        )
    })
}

impl<'m> Lowerer<'m> {
    /// The answer about rows of the same statement.
    pub(super) fn response_here(
        &mut self,
        rows: Alias,
        answer: &Answer<'m>,
        table: &'m Table,
    ) -> (Select, Shape) {
        self.response_of(rows, answer, table, None)
    }

    /// The same; `affected` is how many rows were written, if that is not how many there are.
    pub(super) fn response_of(
        &mut self,
        rows: Alias,
        answer: &Answer<'m>,
        table: &'m Table,
        affected: Option<Expression>,
    ) -> (Select, Shape) {
        self.affected = affected;
        match answer {
            Answer::Row(known, object) => {
                let rows = Rows::written(WrittenRows::Here(rows), RowType::Table(*known));
                self.row(&rows, object)
            }
            Answer::Response(known, fields) => {
                self.response(WrittenRows::Here(rows), row_type(*known, table), fields)
            }
        }
    }

    /// The answer about rows that earlier statements of the transaction left in settings.
    pub(super) fn answer_from_carried(&mut self, mutation: &Mutation<'m>) -> Lowered {
        let writes = mutation.writes.len();
        self.affected = total(writes, None);
        let answered: Vec<usize> = mutation
            .writes
            .iter()
            .enumerate()
            .filter(|(_, write)| write.answered)
            .map(|(number, _)| number)
            .collect();
        let source = WrittenRows::Carried(answered);
        let (select, shape) = match &mutation.answer {
            Answer::Row(table, object) => {
                let rows = Rows::written(source, RowType::Table(*table));
                self.row(&rows, object)
            }
            Answer::Response(table, fields) if mutation.answer.is_about_rows() => {
                let row = match table {
                    Some(table) => RowType::Table(*table),
                    None => RowType::Columns(&[]),
                };
                self.response(source, row, fields)
            }
            Answer::Response(_, fields) => self.counts(fields, writes, None),
        };
        Lowered {
            text: Text::Reading(Box::new(select)),
            shape,
            answers: true,
            write: None,
        }
    }

    fn row(&mut self, rows: &Rows<'m>, object: &Object<'m>) -> (Select, Shape) {
        let (query, shape) = self.list(None, rows, object);
        let row = ValueShape::Object(shape);
        let cardinality = Cardinality::OneOrNull;
        (top(query), Shape { cardinality, row })
    }

    fn response(
        &mut self,
        source: WrittenRows,
        row: RowType<'m>,
        fields: &[AggregateField<'m>],
    ) -> (Select, Shape) {
        let rows = Rows::written(source, row);
        let (query, shape) = self.aggregate_over(None, &rows, fields);
        (top(query), one(shape))
    }

    /// `select current_setting('rowlock.count0')::int8 + …` of so many writes, and those of one more.
    pub(super) fn counts(
        &mut self,
        fields: &[AggregateField<'m>],
        writes: usize,
        more: Option<Expression>,
    ) -> (Select, Shape) {
        self.counts_of(fields, total(writes, more))
    }

    /// `select <how many rows were written>`
    pub(super) fn counts_of(
        &mut self,
        fields: &[AggregateField<'m>],
        affected: Option<Expression>,
    ) -> (Select, Shape) {
        self.affected = affected;
        let (query, shape) = self.aggregate_of_nothing(fields);
        (top(query), one(shape))
    }
}

/// How many rows the first so many writes wrote, and those of one more.
fn total(writes: usize, more: Option<Expression>) -> Option<Expression> {
    (0..writes)
        .map(|number| current("count", number).cast(TypeName::builtin("int8")))
        .chain(more)
        .reduce(|total, count| Expression::binary(total, "+", count))
}

fn row_type<'m>(known: Option<SelectTable<'m>>, table: &'m Table) -> RowType<'m> {
    known.map_or(RowType::Columns(&table.columns), RowType::Table)
}
