//! Mutation fields → what they write. As for reads, names are resolved already; here the role's filters, checks and
//! presets join the client's wishes.

mod answer;
mod conflict;
mod delete;
mod determined;
mod insert;
mod uniform;
mod update;
mod validate;

use graphql::operation::{Entry, Field};
use graphql::{Error, Path};
use schema::access::Preset;
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{Column, ColumnId, RootVerb, Table, TableId};
use schema::predicate::Operand;
use serde_json::Value;
use sql::ast::Expression;

use crate::filter::{Given, Subject};
use crate::ir::{Filter, Mutation, RowType, SelectTable};
use crate::read::{Reader, lost};

pub(crate) use insert::{MOST_APART, rows_per_statement};
pub(crate) use uniform::needs_rows;

/// What a mutation field is answered by.
#[derive(Debug)]
pub(crate) struct Written<'m> {
    /// In order; each makes one part of the answer.
    pub(crate) parts: Vec<Part<'m>>,
    /// The answer is a list of the parts.
    pub(crate) many: bool,
}

/// What makes a part of an answer.
#[derive(Debug)]
pub(crate) enum Part<'m> {
    /// Writes.
    Mutation(Mutation<'m>),
    /// Nothing is to be written: this is the answer.
    Nothing(Vec<u8>),
}

impl<'m> Reader<'m> {
    /// A field of the mutation root that is about a table.
    pub(crate) fn mutation<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<Written<'m>, Error> {
        let one = |part| Written {
            parts: vec![part],
            many: false,
        };
        self.validate(verb, id, field)?;
        match verb {
            RootVerb::Insert | RootVerb::InsertOne => self.insert(verb, id, field).map(one),
            RootVerb::Update | RootVerb::UpdateByPk => self.update(verb, id, field).map(one),
            RootVerb::UpdateMany => Ok(Written {
                parts: self.update_many(id, field)?,
                many: true,
            }),
            RootVerb::Delete | RootVerb::DeleteByPk => self.delete(verb, id, field).map(one),
            _ => Err(lost(&field.path, "mutation")),
        }
    }

    /// The table as far as the role may read it.
    fn read_access(&self, id: TableId) -> Option<SelectTable<'m>> {
        SelectTable::of_role(self.model, self.role, id)
    }

    /// A client's `where` over rows to be written: by what the role may read of them.
    fn client_filter(
        &mut self,
        id: TableId,
        arguments: &[Entry<Meaning>],
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let row = match self.read_access(id) {
            Some(table) => RowType::Table(table),
            None => RowType::Columns(&[]),
        };
        match arguments
            .iter()
            .find(|entry| entry.meaning == Meaning::Argument(ArgumentRole::Where))
        {
            Some(entry) => self.bool_exp(row, &entry.value, &entry.path),
            None => Err(lost(path, "where")),
        }
    }

    /// `key = value and …` of all columns among the entries.
    fn key_filter(
        &mut self,
        id: TableId,
        entries: &[Entry<Meaning>],
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let row = RowType::Table(self.table(id, path)?);
        let mut parts = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Meaning::Column(column) = entry.meaning {
                parts.push(self.key_equals(row, column, entry)?);
            }
        }
        if parts.is_empty() {
            return Err(lost(path, "key"));
        }
        Ok(Filter::All(parts))
    }

    /// A value for a column.
    fn column_value(&mut self, column: &Column, entry: &Entry<Meaning>) -> Result<Expression, Error> {
        let subject = Subject::of(&column.type_, &column.scalar);
        let given = Given::Client(&entry.value);
        if given.is_null() {
            return Ok(Expression::Null.cast(subject.type_));
        }
        self.value(given, &subject, &entry.path)
    }

    /// What a permission sets by itself.
    fn presets(
        &mut self,
        table: &'m Table,
        presets: &'m [(ColumnId, Preset)],
        path: &Path,
    ) -> Result<Vec<(ColumnId, Expression)>, Error> {
        presets
            .iter()
            .map(|(id, preset)| {
                let column = table.column(*id).ok_or_else(|| lost(path, "column"))?;
                let subject = Subject::of(&column.type_, &column.scalar);
                let value = match preset {
                    Preset::Literal(Value::Null) => Expression::Null.cast(subject.type_),
                    Preset::Literal(value) => {
                        let value = Operand::Literal(value.clone());
                        self.value(Given::Stored(&value), &subject, path)?
                    }
                    Preset::Session(name) => {
                        let value = Operand::Session(name.as_ref().into());
                        self.value(Given::Stored(&value), &subject, path)?
                    }
                };
                Ok((*id, value))
            })
            .collect()
    }
}

/// The entries of an input object; nothing else has any.
fn entries(entry: &Entry<Meaning>) -> &[Entry<Meaning>] {
    match &entry.value {
        graphql::operation::Input::Object(entries) => entries,
        _ => &[],
    }
}
