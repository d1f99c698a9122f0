//! What one role may do with one table: the proof that a table may enter a plan, and under which filter.
//!
//! An access is part of a role's overlay. It never names types or SQL; row filters are ids of interned
//! predicates of the [`Model`](crate::model::Model).

use std::sync::Arc;

pub use metadata::permission::ValidateInput;

use crate::model::{ColumnId, ColumnSet, ComputedFieldId, PredicateId};

/// What a role may do with a table; a verb without an entry is refused.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableAccess {
    /// Reading.
    pub select: Option<SelectAccess>,
    /// Inserting.
    pub insert: Option<InsertAccess>,
    /// Updating.
    pub update: Option<UpdateAccess>,
    /// Deleting.
    pub delete: Option<DeleteAccess>,
}

impl TableAccess {
    /// The right to insert; `backend` says that the request has backend privileges, without which a
    /// `backend_only` permission does not exist.
    pub fn insert(&self, backend: bool) -> Option<&InsertAccess> {
        self.insert
            .as_ref()
            .filter(|access| backend || !access.backend_only)
    }

    /// The right to update, as [`TableAccess::insert`].
    pub fn update(&self, backend: bool) -> Option<&UpdateAccess> {
        self.update
            .as_ref()
            .filter(|access| backend || !access.backend_only)
    }

    /// The right to delete, as [`TableAccess::insert`].
    pub fn delete(&self, backend: bool) -> Option<&DeleteAccess> {
        self.delete
            .as_ref()
            .filter(|access| backend || !access.backend_only)
    }
}

/// The right to read rows of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectAccess {
    /// Rows that exist for the role.
    pub filter: PredicateId,
    /// Columns that exist for the role.
    pub columns: ColumnSet,
    /// Of these, the ones that are null unless the predicate holds (inherited roles whose parents differ).
    /// Such a column is nullable, and its redacted value is what filters, sorts and aggregates see.
    pub redacted_columns: Vec<(ColumnId, PredicateId)>,
    /// Scalar computed fields that exist for the role.
    pub computed_fields: Vec<ComputedFieldId>,
    /// Of these, the ones that are null unless the predicate holds.
    pub redacted_computed_fields: Vec<(ComputedFieldId, PredicateId)>,
    /// At most this many rows per list.
    pub limit: Option<u64>,
    /// Aggregates exist for the role.
    pub aggregations: bool,
    /// Root fields under `query_root`; `None` means all that are possible.
    pub query_root_fields: Option<QueryRootFields>,
    /// Root fields under `subscription_root`; `None` means all that are possible.
    pub subscription_root_fields: Option<SubscriptionRootFields>,
}

/// `query_root_fields` of a select permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueryRootFields {
    /// `select`
    pub select: bool,
    /// `select_by_pk`
    pub select_by_pk: bool,
    /// `select_aggregate`
    pub select_aggregate: bool,
}

/// `subscription_root_fields` of a select permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SubscriptionRootFields {
    /// `select`
    pub select: bool,
    /// `select_by_pk`
    pub select_by_pk: bool,
    /// `select_aggregate`
    pub select_aggregate: bool,
    /// `select_stream`
    pub select_stream: bool,
}

/// A value that a write permission sets by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Preset {
    /// A literal, bound with the column's type.
    Literal(serde_json::Value),
    /// A session variable, lower case.
    Session(Box<str>),
}

/// The right to insert rows.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertAccess {
    /// Must hold for each new row.
    pub check: PredicateId,
    /// Columns the client may give.
    pub columns: ColumnSet,
    /// Columns that the permission sets.
    pub presets: Vec<(ColumnId, Preset)>,
    /// Only for requests with backend privileges.
    pub backend_only: bool,
    /// A webhook that judges the client's input before anything is written.
    pub validation: Option<Arc<ValidateInput>>,
}

/// The right to update rows.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateAccess {
    /// Rows that may be updated.
    pub filter: PredicateId,
    /// Must hold for each row afterwards.
    pub check: Option<PredicateId>,
    /// Columns the client may set.
    pub columns: ColumnSet,
    /// Columns that the permission sets.
    pub presets: Vec<(ColumnId, Preset)>,
    /// Only for requests with backend privileges.
    pub backend_only: bool,
    /// A webhook that judges the client's input before anything is written.
    pub validation: Option<Arc<ValidateInput>>,
}

/// The right to delete rows.
#[derive(Debug, Clone, PartialEq)]
pub struct DeleteAccess {
    /// Rows that may be deleted.
    pub filter: PredicateId,
    /// Only for requests with backend privileges.
    pub backend_only: bool,
    /// A webhook that judges the client's input before anything is written.
    pub validation: Option<Arc<ValidateInput>>,
}
