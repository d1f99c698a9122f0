//! How a table gets into a plan: with a role's access to it, or for testing inside a stored predicate.

use schema::access::{DeleteAccess, InsertAccess, SelectAccess, UpdateAccess};
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

/// A table that a role may insert into, with the terms of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InsertTable<'m> {
    table: &'m Table,
    access: &'m InsertAccess,
}

impl<'m> InsertTable<'m> {
    /// The table, if the role may insert into; `backend` says that the request has backend privileges.
    pub(crate) fn of_role(model: &'m Model, role: &'m Role, id: TableId, backend: bool) -> Option<Self> {
        Some(Self {
            table: model.table(id)?,
            access: role.tables.get(&id)?.insert(backend)?,
        })
    }

    /// The table.
    pub(crate) fn table(self) -> &'m Table {
        self.table
    }

    /// The terms.
    pub(crate) fn access(self) -> &'m InsertAccess {
        self.access
    }
}

/// A table that a role may update, with the terms of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpdateTable<'m> {
    table: &'m Table,
    access: &'m UpdateAccess,
}

impl<'m> UpdateTable<'m> {
    /// The table, if the role may update; `backend` says that the request has backend privileges.
    pub(crate) fn of_role(model: &'m Model, role: &'m Role, id: TableId, backend: bool) -> Option<Self> {
        Some(Self {
            table: model.table(id)?,
            access: role.tables.get(&id)?.update(backend)?,
        })
    }

    /// The table.
    pub(crate) fn table(self) -> &'m Table {
        self.table
    }

    /// The terms.
    pub(crate) fn access(self) -> &'m UpdateAccess {
        self.access
    }
}

/// A table that a role may delete from, with the terms of that.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeleteTable<'m> {
    table: &'m Table,
    access: &'m DeleteAccess,
}

impl<'m> DeleteTable<'m> {
    /// The table, if the role may delete from; `backend` says that the request has backend privileges.
    pub(crate) fn of_role(model: &'m Model, role: &'m Role, id: TableId, backend: bool) -> Option<Self> {
        Some(Self {
            table: model.table(id)?,
            access: role.tables.get(&id)?.delete(backend)?,
        })
    }

    /// The table.
    pub(crate) fn table(self) -> &'m Table {
        self.table
    }

    /// The terms.
    pub(crate) fn access(self) -> &'m DeleteAccess {
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
