//! `update_T`, `update_T_by_pk`, `update_T_many`

use graphql::operation::{Entry, Field, Input};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{Column, ColumnId, RootVerb, TableId};
use schema::scalar::ScalarClass;
use sql::ast::Expression;

use super::{Part, answer, entries};
use crate::filter::{Given, Subject};
use crate::ir::table::UpdateTable;
use crate::ir::write::{Assignment, Change, Mutation, Update, Write};
use crate::ir::{Answer, Filter};
use crate::prepared::Several;
use crate::read::{Reader, argument, lost};

impl<'m> Reader<'m> {
    pub(super) fn update<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<Part<'m>, Error> {
        let path = &field.path;
        let (filter, answer) = if verb == RootVerb::UpdateByPk {
            let key = argument(&field.arguments, ArgumentRole::PrimaryKeyColumns)
                .ok_or_else(|| lost(path, "key"))?;
            let filter = self.key_filter(id, entries(key), path)?;
            (filter, self.row_answer(id, &field.selection, path)?)
        } else {
            let filter = self.client_filter(id, &field.arguments, path)?;
            (filter, self.response(id, &field.selection)?)
        };
        self.one_update(id, filter, &field.arguments, answer, &path.key("args"))
    }

    /// One update after the other, each with its own part of the answer.
    pub(super) fn update_many<I>(
        &mut self,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<Vec<Part<'m>>, Error> {
        let updates =
            argument(&field.arguments, ArgumentRole::Updates).ok_or_else(|| lost(&field.path, "updates"))?;
        let Input::List(items) = &updates.value else {
            return Err(lost(&updates.path, "list"));
        };
        items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let path = updates.path.index(at);
                let Input::Object(arguments) = item else {
                    return Err(lost(&path, "update"));
                };
                let filter = self.client_filter(id, arguments, &path)?;
                let answer = self.response(id, &field.selection)?;
                self.one_update(id, filter, arguments, answer, &path)
            })
            .collect()
    }

    fn one_update(
        &mut self,
        id: TableId,
        filter: Filter<'m>,
        arguments: &[Entry<Meaning>],
        answer: Answer<'m>,
        path: &Path,
    ) -> Result<Part<'m>, Error> {
        let set = self.assignments(id, arguments, path)?;
        let Some(update) = self.updating(id, set, filter, path)? else {
            return Ok(answer::nothing(&answer));
        };
        Ok(Part::Mutation(Mutation {
            writes: vec![Write {
                change: Change::Update(Box::new(update)),
                answered: true,
                wanted: None,
                // As Hasura v2, which names a place for inserts only.
                path: Path::root(),
                rows: None,
                several: Several::No,
            }],
            answer,
        }))
    }

    /// These new values and the role's presets, in the rows that pass the filter and that the role may update; `None`
    /// if there are no new values at all.
    pub(crate) fn updating(
        &mut self,
        id: TableId,
        set: Vec<(ColumnId, Assignment)>,
        filter: Filter<'m>,
        path: &Path,
    ) -> Result<Option<Update<'m>>, Error> {
        let table = UpdateTable::of_role(self.model, self.role, id, self.backend)
            .ok_or_else(|| lost(path, "table"))?;
        let access = table.access();
        let presets = self.presets(table.table(), &access.presets, path)?;
        let mut all: Vec<(&'m Column, Assignment)> = Vec::with_capacity(set.len() + presets.len());
        for (column, value) in set {
            // What the permission sets or does not list is not the client's to set.
            if !access.columns.contains(column) || presets.iter().any(|(preset, _)| *preset == column) {
                return Err(lost(path, "column"));
            }
            let column = table.table().column(column).ok_or_else(|| lost(path, "column"))?;
            all.push((column, value));
        }
        for (column, value) in presets {
            let column = table.table().column(column).ok_or_else(|| lost(path, "column"))?;
            all.push((column, Assignment::Value(value)));
        }
        if all.is_empty() {
            return Ok(None);
        }
        let permitted = self.stored(id, access.filter, path)?;
        let check = match access.check {
            Some(check) => self.stored(id, check, path)?,
            None => Filter::always(),
        };
        Ok(Some(Update {
            table,
            set: all,
            filter: Filter::All(vec![filter, permitted]),
            check,
        }))
    }

    /// The columns of all operators; each may stand in one operator only.
    fn assignments(
        &mut self,
        id: TableId,
        arguments: &[Entry<Meaning>],
        path: &Path,
    ) -> Result<Vec<(ColumnId, Assignment)>, Error> {
        let table = self.model.table(id).ok_or_else(|| lost(path, "table"))?;
        let mut set: Vec<(ColumnId, Assignment)> = Vec::new();
        let mut twice: Vec<&str> = Vec::new();
        for operator in arguments {
            let Meaning::Argument(role) = operator.meaning else {
                continue;
            };
            if matches!(role, ArgumentRole::Where | ArgumentRole::PrimaryKeyColumns) {
                continue;
            }
            for entry in entries(operator) {
                let Meaning::Column(column_id) = entry.meaning else {
                    return Err(lost(&entry.path, "column"));
                };
                let column = table
                    .column(column_id)
                    .ok_or_else(|| lost(&entry.path, "column"))?;
                if set.iter().any(|(known, _)| *known == column_id) {
                    if !twice.contains(&column.name.as_str()) {
                        twice.push(&column.name);
                    }
                    continue;
                }
                set.push((column_id, self.assignment(role, column, entry)?));
            }
        }
        if twice.is_empty() {
            return Ok(set);
        }
        let twice: Vec<String> = twice.into_iter().map(|name| format!("'{name}'")).collect();
        Err(Error::validation(
            path,
            format!("Column found in multiple operators: [{}].", twice.join(", ")),
        ))
    }

    fn assignment(
        &mut self,
        operator: ArgumentRole,
        column: &Column,
        entry: &Entry<Meaning>,
    ) -> Result<Assignment, Error> {
        let text = || Subject::builtin("text", ScalarClass::Text, "String");
        let given = Given::Client(&entry.value);
        Ok(match operator {
            ArgumentRole::Set => Assignment::Value(self.column_value(column, entry)?),
            ArgumentRole::Increment => Assignment::Behind("+", self.column_value(column, entry)?),
            ArgumentRole::Append => Assignment::Behind("||", self.column_value(column, entry)?),
            ArgumentRole::Prepend => Assignment::Before("||", self.column_value(column, entry)?),
            ArgumentRole::DeleteKey => Assignment::Behind("-", self.scalar_value(given, &text(), entry)?),
            ArgumentRole::DeleteElement => {
                let number = Subject::builtin("int4", ScalarClass::Numeric, "Int");
                Assignment::Behind("-", self.scalar_value(given, &number, entry)?)
            }
            ArgumentRole::DeleteAtPath => {
                let path = self.array_of(given, &text(), &entry.path)?;
                Assignment::Behind("#-", path)
            }
            _ => return Err(lost(&entry.path, "operator")),
        })
    }

    fn scalar_value(
        &mut self,
        given: Given<'_>,
        subject: &Subject,
        entry: &Entry<Meaning>,
    ) -> Result<Expression, Error> {
        if given.is_null() {
            return Ok(Expression::Null.cast(subject.type_.clone()));
        }
        self.value(given, subject, &entry.path)
    }
}
