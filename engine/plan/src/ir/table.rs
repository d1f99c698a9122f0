//! How a table gets into a plan: with a role's access to it, or for testing inside a stored predicate.

use schema::access::SelectAccess;
use schema::model::{Model, Role, Table, TableId};

/// A table that a role may read, with the terms of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SelectTable<'m> {
    table: &'m Table,
    access: &'m SelectAccess,
}

impl<'m> SelectTable<'m> {
    /// The table, if the role may read it.
    pub(crate) fn of_role(model: &'m Model, role: &'m Role, id: TableId) -> Option<Self> {
        Some(Self {
            table: model.table(id)?,
            access: role.tables.get(&id)?.select.as_ref()?,
        })
    }

    /// The table.
    pub(crate) fn table(self) -> &'m Table {
        self.table
    }

    /// What the role may read of it.
    pub(crate) fn access(self) -> &'m SelectAccess {
        self.access
    }
}

/// A table within a stored permission expression: its rows can be tested, never returned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PredicateTable<'m> {
    table: &'m Table,
}

impl<'m> PredicateTable<'m> {
    /// Only `filter::stored` calls this.
    pub(crate) fn in_stored_predicate(model: &'m Model, id: TableId) -> Option<Self> {
        Some(Self {
            table: model.table(id)?,
        })
    }

    /// The table.
    pub(crate) fn table(self) -> &'m Table {
        self.table
    }
}
