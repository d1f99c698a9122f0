//! Arguments of selections of rows, and the enum of a table's columns.

use graphql::type_system::EnumValue;

use super::root::shown;
use super::{Input, RoleView, TypeKey, described, input, list, named};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::{Table, TableId};

impl RoleView {
    /// `distinct_on`, `limit`, `offset`, `order_by`, `where`
    pub(super) fn list_arguments(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let mut arguments = Vec::with_capacity(5);
        if self
            .select_access(table)
            .is_some_and(|access| !access.columns.is_empty())
        {
            arguments.push(described(
                naming.word("distinct_on"),
                "distinct select on columns",
                list(TypeKey::SelectColumn(table), true),
                Meaning::Argument(ArgumentRole::DistinctOn),
            ));
        }
        arguments.extend(page_arguments(naming));
        arguments.push(described(
            naming.word("order_by"),
            "sort the rows by one or more columns",
            list(TypeKey::OrderBy(table), true),
            Meaning::Argument(ArgumentRole::OrderBy),
        ));
        arguments.push(self.where_argument(table));
        arguments
    }

    pub(super) fn where_argument(&self, table: TableId) -> Input {
        described(
            self.naming(table).word("where"),
            "filter the rows returned",
            named(TypeKey::BoolExp(table), true),
            Meaning::Argument(ArgumentRole::Where),
        )
    }

    /// One argument per column of the primary key.
    pub(super) fn key_arguments(&self, table: &Table) -> Vec<Input> {
        let key = table.primary_key.iter();
        key.filter_map(|id| {
            let column = table.column(*id)?;
            let type_ = self.column_type(column, false);
            Some(Input {
                description: column.description.clone(),
                ..input(column.field.clone(), type_, Meaning::Column(*id))
            })
        })
        .collect()
    }

    pub(super) fn select_column_description(&self, table: TableId) -> Option<String> {
        self.quoted(table, "select columns of table")
    }

    /// The columns of a table as values of an enum.
    pub(super) fn select_columns(&self, table: TableId) -> Vec<EnumValue<Meaning>> {
        let columns = self.columns(table).into_iter();
        columns
            .map(|(id, column)| EnumValue {
                name: column.field.clone(),
                description: Some("column name".to_owned()),
                meaning: Meaning::Column(id),
            })
            .collect()
    }

    /// `<words> "<table>"`
    pub(super) fn quoted(&self, table: TableId, words: &str) -> Option<String> {
        let table = self.model.table(table)?;
        Some(format!("{words} \"{}\"", shown(&table.name)))
    }
}

/// `limit` and `offset`
pub(super) fn page_arguments(naming: crate::naming::NamingConvention) -> [Input; 2] {
    [
        described(
            naming.word("limit"),
            "limit the number of rows returned",
            named(TypeKey::NonNegativeInt, true),
            Meaning::Argument(ArgumentRole::Limit),
        ),
        described(
            naming.word("offset"),
            "skip the first n rows. Use only with order_by",
            named(TypeKey::NonNegativeBigInt, true),
            Meaning::Argument(ArgumentRole::Offset),
        ),
    ]
}
