//! Updates: arguments, and the input of each operator.

use super::root::shown;
use super::{Input, Reference, RoleView, TypeKey, described, input, list, named, not_null};
use crate::meaning::{ArgumentRole, Meaning, UpdateOperator};
use crate::model::{Column, ColumnId, TableId};
use crate::scalar::{ScalarClass, ScalarId};

impl RoleView {
    /// Columns that the role may update.
    pub(super) fn updatable_columns(&self, id: TableId) -> Vec<(ColumnId, &Column)> {
        let (Some(table), Some(access)) = (self.model.table(id), self.update_access(id)) else {
            return Vec::new();
        };
        let columns = access.columns.iter();
        columns.filter_map(|id| Some((id, table.column(id)?))).collect()
    }

    /// Columns that the role may update by that operator.
    fn operator_columns(&self, table: TableId, operator: UpdateOperator) -> Vec<(ColumnId, &Column)> {
        let columns = self.updatable_columns(table).into_iter();
        columns
            .filter(|(_, column)| match operator {
                UpdateOperator::Set => true,
                UpdateOperator::Increment => column.is_numeric(),
                _ => column.scalar.class == ScalarClass::Jsonb && !column.is_array(),
            })
            .collect()
    }

    /// `where` and the operators
    pub(super) fn update_arguments(&self, table: TableId) -> Vec<Input> {
        let mut arguments = self.update_operators(table);
        arguments.push(described(
            self.naming(table).word("where"),
            "filter the rows which have to be updated",
            named(TypeKey::BoolExp(table), false),
            Meaning::Argument(ArgumentRole::Where),
        ));
        arguments
    }

    /// `pk_columns` and the operators
    pub(super) fn update_by_key_arguments(&self, table: TableId) -> Vec<Input> {
        let mut arguments = self.update_operators(table);
        arguments.push(input(
            self.naming(table).word("pk_columns"),
            named(TypeKey::KeyColumns(table), false),
            Meaning::Argument(ArgumentRole::PrimaryKeyColumns),
        ));
        arguments
    }

    /// `updates`
    pub(super) fn updates_argument(&self, table: TableId) -> Input {
        described(
            self.naming(table).word("updates"),
            "updates to execute, in order",
            list(TypeKey::Updates(table), false),
            Meaning::Argument(ArgumentRole::Updates),
        )
    }

    /// Keys of `T_updates`, which are the arguments of one update.
    pub(super) fn updates(&self, table: TableId) -> Vec<Input> {
        self.update_arguments(table)
    }

    /// The operators that apply to any column that the role may update.
    fn update_operators(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        UpdateOperator::ALL
            .into_iter()
            .filter(|operator| !self.operator_columns(table, *operator).is_empty())
            .map(|operator| {
                not_null(described(
                    naming.word(operator.name()),
                    argument_description(operator),
                    named(TypeKey::UpdateInput(table, operator), true),
                    Meaning::Argument(operator.role()),
                ))
            })
            .collect()
    }

    pub(super) fn update_input_description(
        &self,
        table: TableId,
        operator: UpdateOperator,
    ) -> Option<String> {
        match operator {
            UpdateOperator::Set => self.quoted(table, "input type for updating data in table"),
            UpdateOperator::Increment => {
                self.quoted(table, "input type for incrementing numeric columns in table")
            }
            other => Some(argument_description(other).to_owned()),
        }
    }

    /// Keys of `T_set_input` and its like.
    pub(super) fn update_input(&self, table: TableId, operator: UpdateOperator) -> Vec<Input> {
        let columns = self.operator_columns(table, operator).into_iter();
        columns
            .map(|(id, column)| {
                let taken: Reference = match operator {
                    UpdateOperator::DeleteKey => named(TypeKey::Scalar(ScalarId::STRING), true),
                    UpdateOperator::DeleteElement => named(TypeKey::Scalar(ScalarId::INT), true),
                    UpdateOperator::DeleteAtPath => list(TypeKey::Scalar(ScalarId::STRING), true),
                    _ => return self.given_column(id, column),
                };
                let key = Input {
                    description: column.description.clone(),
                    ..input(column.field.clone(), taken, Meaning::Column(id))
                };
                // Without a key Postgres has no value either: the column becomes null.
                if operator == UpdateOperator::DeleteKey {
                    key
                } else {
                    not_null(key)
                }
            })
            .collect()
    }

    pub(super) fn key_columns_description(&self, table: TableId) -> Option<String> {
        let table = self.model.table(table)?;
        Some(format!(
            "primary key columns input for table: {}",
            shown(&table.name)
        ))
    }

    /// Keys of `T_pk_columns_input`.
    pub(super) fn key_columns(&self, table: TableId) -> Vec<Input> {
        let table = self.model.table(table);
        table.map_or_else(Vec::new, |table| self.key_arguments(table))
    }
}

fn argument_description(operator: UpdateOperator) -> &'static str {
    match operator {
        UpdateOperator::Set => "sets the columns of the filtered rows to the given values",
        UpdateOperator::Increment => "increments the numeric columns with given value of the filtered values",
        UpdateOperator::Append => "append existing jsonb value of filtered columns with new jsonb value",
        UpdateOperator::Prepend => "prepend existing jsonb value of filtered columns with new jsonb value",
        UpdateOperator::DeleteKey => {
            "delete key/value pair or string element. key/value pairs are matched based on their key value"
        }
        UpdateOperator::DeleteElement => {
            "delete the array element with specified index (negative integers count from the end). throws an error \
             if top level container is not an array"
        }
        UpdateOperator::DeleteAtPath => {
            "delete the field or element with specified path (for JSON arrays, negative integers count from the end)"
        }
    }
}
