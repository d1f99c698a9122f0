//! `insert`, `update`, `delete`, alone or as `with <rows> as (… returning …) select …`

use super::Printer;
use crate::ast::{Expression, Output};
use crate::name::Identifier;
use crate::write::{Change, Conflict, Resolution, Rows, Target, Write, Writing};

impl<'a> Printer<'a> {
    pub(super) fn writing(&mut self, writing: &'a Writing) {
        match writing {
            Writing::Alone(write) => self.write(write),
            Writing::Read { writes, select } => {
                for (at, (rows, write)) in writes.iter().enumerate() {
                    self.syntax(if at > 0 { ", " } else { "with " });
                    rows.write(&mut self.text);
                    self.syntax(" as (");
                    self.write(write);
                    self.syntax(")");
                }
                self.syntax(" ");
                self.select(select);
            }
        }
    }

    fn write(&mut self, write: &'a Write) {
        let verb = match &write.change {
            Change::Insert { .. } => "insert into ",
            Change::Update { .. } => "update ",
            Change::Delete { .. } => "delete from ",
        };
        self.syntax(verb);
        write.table.write(&mut self.text);
        self.syntax(" as ");
        write.alias.write(&mut self.text);
        match &write.change {
            Change::Insert {
                columns,
                rows,
                conflict,
            } => {
                if !columns.is_empty() {
                    self.syntax(" (");
                    self.names(columns);
                    self.syntax(")");
                }
                self.rows(rows);
                if let Some(conflict) = conflict {
                    self.conflict(conflict);
                }
            }
            Change::Update { set, condition } => {
                self.syntax(" set ");
                self.assignments(set.iter().map(|(column, value)| (column, value.as_ref())));
                self.condition(condition);
            }
            Change::Delete { condition } => self.condition(condition),
        }
        self.syntax(" returning ");
        for (at, Output { value, name }) in write.returning.iter().enumerate() {
            if at > 0 {
                self.syntax(", ");
            }
            self.expression(value);
            if let Some(name) = name {
                self.syntax(" as ");
                name.write(&mut self.text);
            }
        }
    }

    fn rows(&mut self, rows: &'a Rows) {
        match rows {
            Rows::Defaults => self.syntax(" default values"),
            Rows::Select(select) => {
                self.syntax(" ");
                self.select(select);
            }
            Rows::Values(rows) => {
                self.syntax(" values ");
                for (at, row) in rows.iter().enumerate() {
                    self.syntax(if at > 0 { ", (" } else { "(" });
                    for (at, value) in row.iter().enumerate() {
                        if at > 0 {
                            self.syntax(", ");
                        }
                        self.value_or_default(value.as_ref());
                    }
                    self.syntax(")");
                }
            }
        }
    }

    fn conflict(&mut self, conflict: &'a Conflict) {
        self.syntax(" on conflict");
        match &conflict.target {
            None => {}
            Some(Target::Constraint(constraint)) => {
                self.syntax(" on constraint ");
                constraint.write(&mut self.text);
            }
            Some(Target::Columns(columns)) => {
                self.syntax(" (");
                self.names(columns);
                self.syntax(")");
            }
        }
        match &conflict.resolution {
            Resolution::Nothing => self.syntax(" do nothing"),
            Resolution::Update { set, condition } => {
                self.syntax(" do update set ");
                self.assignments(set.iter().map(|(column, value)| (column, Some(value))));
                self.condition(condition);
            }
        }
    }

    fn assignments(&mut self, set: impl Iterator<Item = (&'a Identifier, Option<&'a Expression>)>) {
        for (at, (column, value)) in set.enumerate() {
            if at > 0 {
                self.syntax(", ");
            }
            column.write(&mut self.text);
            self.syntax(" = ");
            self.value_or_default(value);
        }
    }

    fn value_or_default(&mut self, value: Option<&'a Expression>) {
        match value {
            Some(value) => self.expression(value),
            None => self.syntax("default"),
        }
    }

    fn condition(&mut self, condition: &'a Expression) {
        if *condition != Expression::True {
            self.syntax(" where ");
            self.expression(condition);
        }
    }
}
