//! `with <rows> as (insert into … returning *) select …`

use super::{Conflict, Insert, Printer};

impl<'a> Printer<'a> {
    pub(super) fn insert(&mut self, insert: &'a Insert) {
        self.syntax("with ");
        insert.alias.write(&mut self.text);
        self.syntax(" as (insert into ");
        insert.table.write(&mut self.text);
        if insert.columns.is_empty() {
            // Postgres has no list of empty rows; one row of defaults is all that this form can say.
            self.syntax(" default values");
        } else {
            self.syntax(" (");
            for (at, column) in insert.columns.iter().enumerate() {
                if at > 0 {
                    self.syntax(", ");
                }
                column.write(&mut self.text);
            }
            self.syntax(") values ");
            for (at, row) in insert.rows.iter().enumerate() {
                self.syntax(if at > 0 { ", (" } else { "(" });
                for (at, value) in row.iter().enumerate() {
                    if at > 0 {
                        self.syntax(", ");
                    }
                    match value {
                        Some(value) => self.expression(value),
                        None => self.syntax("default"),
                    }
                }
                self.syntax(")");
            }
        }
        match &insert.conflict {
            None => {}
            Some(Conflict::DoNothing(None)) => self.syntax(" on conflict do nothing"),
            Some(Conflict::DoNothing(Some(constraint))) => {
                self.syntax(" on conflict on constraint ");
                constraint.write(&mut self.text);
                self.syntax(" do nothing");
            }
        }
        self.syntax(" returning *) ");
        self.select(&insert.select);
    }
}
