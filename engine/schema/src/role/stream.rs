//! `T_stream`: its arguments and cursor inputs.

use super::{Input, RoleView, TypeKey, described, input, named};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::TableId;
use graphql::type_system::TypeReference;

impl RoleView {
    /// `batch_size`, `cursor`, `where`
    pub(super) fn stream_arguments(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let cursor = TypeReference::List {
            item: Box::new(named(TypeKey::StreamCursor(table), true)),
            nullable: false,
        };
        vec![
            described(
                naming.word("batch_size"),
                "maximum number of rows returned in a single batch",
                named(TypeKey::NonNegativeInt, false),
                Meaning::Argument(ArgumentRole::BatchSize),
            ),
            described(
                naming.word("cursor"),
                "cursor to stream the results returned by the query",
                cursor,
                Meaning::Argument(ArgumentRole::Cursor),
            ),
            self.where_argument(table),
        ]
    }

    pub(super) fn stream_cursor_description(&self, table: TableId) -> Option<String> {
        let table = self.model.table(table)?;
        Some(format!("Streaming cursor of the table \"{}\"", table.identifier))
    }

    /// `initial_value`, `ordering`
    pub(super) fn stream_cursor(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        vec![
            described(
                naming.word("initial_value"),
                "Stream column input with initial value",
                named(TypeKey::StreamCursorValue(table), false),
                Meaning::Argument(ArgumentRole::InitialValue),
            ),
            described(
                naming.word("ordering"),
                "cursor ordering",
                named(TypeKey::CursorOrdering(table.source()), true),
                Meaning::Argument(ArgumentRole::Ordering),
            ),
        ]
    }

    /// One key per column.
    pub(super) fn stream_cursor_value(&self, table: TableId) -> Vec<Input> {
        let columns = self.columns(table).into_iter();
        columns
            .map(|(id, column)| Input {
                description: column.description.clone(),
                ..input(
                    column.field.clone(),
                    self.column_type(column, true),
                    Meaning::Column(id),
                )
            })
            .collect()
    }
}
