//! Arguments of deletions.

use super::{Input, RoleView, TypeKey, described, named};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::TableId;

impl RoleView {
    /// `where`, which must be given.
    pub(super) fn delete_where(&self, table: TableId) -> Input {
        described(
            self.naming(table).word("where"),
            "filter the rows which have to be deleted",
            named(TypeKey::BoolExp(table), false),
            Meaning::Argument(ArgumentRole::Where),
        )
    }
}
