//! Rows to be inserted: as text, or as the value of a variable.

use serde_json::{Value as Json, json};

use super::super::world::{World, column_name, table_name};
use super::{Conflict, NewRow, Text};

impl Text<'_> {
    pub(super) fn new_row(&mut self, table: usize, row: &NewRow) -> String {
        let mut parts: Vec<String> = self.cells(table, &row.cells);
        for nested in &row.related {
            let relationship = self.world.relationships(table)[nested.way].clone();
            let rows: Vec<String> = nested
                .rows
                .iter()
                .map(|row| self.new_row(relationship.target, row))
                .collect();
            let data = if relationship.many {
                format!("[{}]", rows.join(", "))
            } else {
                rows.concat()
            };
            let conflict = self.conflict(relationship.target, nested.conflict.as_ref());
            parts.push(format!("{}: {{data: {data}{conflict}}}", relationship.name));
        }
        format!("{{{}}}", parts.join(", "))
    }

    pub(super) fn conflict(&mut self, table: usize, conflict: Option<&Conflict>) -> String {
        let Some(conflict) = conflict else {
            return String::new();
        };
        let columns: Vec<String> = conflict
            .columns
            .iter()
            .map(|column| column_name(*column))
            .collect();
        let filter = conflict
            .filter
            .as_ref()
            .map(|filter| format!(", where: {}", self.filter(table, filter)));
        format!(
            ", on_conflict: {{constraint: {}, update_columns: [{}]{}}}",
            conflict.constraint(table),
            columns.join(", "),
            filter.unwrap_or_default()
        )
    }

    /// A variable that holds the rows.
    pub(super) fn rows(&mut self, table: usize, rows: &[NewRow]) -> String {
        let rows = rows.iter().map(|row| row.json(self.world, table)).collect();
        self.variable(rows, &format!("[{}_insert_input!]!", table_name(table)))
    }

    /// A variable that holds the row.
    pub(super) fn row(&mut self, table: usize, row: &NewRow) -> String {
        let row = row.json(self.world, table);
        self.variable(row, &format!("{}_insert_input!", table_name(table)))
    }
}

impl Conflict {
    fn constraint(&self, table: usize) -> String {
        let constraint = if self.primary { "pkey" } else { "unique" };
        format!("{}_{constraint}", table_name(table))
    }

    fn json(&self, world: &World, table: usize) -> Json {
        let columns = self.columns.iter().map(|column| column_name(*column));
        let mut made = json!({
            "constraint": self.constraint(table), "update_columns": columns.collect::<Vec<_>>(),
        });
        if let Some(filter) = &self.filter {
            // Clients write what they may say as metadata does.
            made["where"] = world.predicate(table, filter);
        }
        made
    }
}

impl NewRow {
    fn json(&self, world: &World, table: usize) -> Json {
        let cells = self.cells.iter();
        let mut made: serde_json::Map<String, Json> = cells
            .map(|(column, cell)| (column_name(*column), cell.json()))
            .collect();
        for nested in &self.related {
            let relationship = &world.relationships(table)[nested.way];
            let target = relationship.target;
            let mut rows: Vec<Json> = nested.rows.iter().map(|row| row.json(world, target)).collect();
            let data = if relationship.many {
                json!(rows)
            } else {
                rows.pop().unwrap_or_default()
            };
            let mut value = json!({ "data": data });
            if let Some(conflict) = &nested.conflict {
                value["on_conflict"] = conflict.json(world, target);
            }
            made.insert(relationship.name.clone(), value);
        }
        Json::Object(made)
    }
}
