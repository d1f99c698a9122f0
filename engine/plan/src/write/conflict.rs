//! `on_conflict`

use graphql::operation::{Entry, Input};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{ColumnId, TableId};

use super::entries;
use crate::ir::table::UpdateTable;
use crate::ir::write::{Conflict, ConflictTarget, ConflictUpdate};
use crate::ir::{Filter, RowType};
use crate::read::{Reader, argument, lost};

impl<'m> Reader<'m> {
    /// What an insert does with rows that are there. The rows that it updates pass the filter of the role's right to
    /// update, take its presets, and are judged by its check.
    pub(super) fn conflict(&mut self, id: TableId, clause: &Entry<Meaning>) -> Result<Conflict<'m>, Error> {
        let path = &clause.path;
        let given = entries(clause);
        let table = self.model.table(id).ok_or_else(|| lost(path, "table"))?;
        let constraint = match argument(given, ArgumentRole::Constraint).map(|entry| &entry.value) {
            Some(Input::Enum {
                meaning: Meaning::Constraint(at),
                ..
            }) => table.unique_constraints.get(usize::from(*at)),
            _ => None,
        };
        let (constraint, _) = constraint.ok_or_else(|| lost(path, "constraint"))?;
        let mut columns = Vec::new();
        let listed = argument(given, ArgumentRole::UpdateColumns).map(|entry| &entry.value);
        let listed = match listed {
            Some(Input::List(items)) => items.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => &[],
        };
        for item in listed {
            let Input::Enum { meaning, .. } = item else {
                return Err(lost(path, "column"));
            };
            match meaning {
                Meaning::Column(column) if !columns.contains(column) => columns.push(*column),
                Meaning::Column(_) => {}
                Meaning::NoColumn => return Err(Error::validation(path, "erroneous column name")),
                _ => return Err(lost(path, "column")),
            }
        }
        let update = if columns.is_empty() {
            None
        } else {
            let client = match argument(given, ArgumentRole::Where) {
                Some(entry) => {
                    let row = match self.read_access(id) {
                        Some(table) => RowType::Table(table),
                        None => RowType::Columns(&[]),
                    };
                    self.bool_exp(row, &entry.value, &entry.path)?
                }
                None => Filter::always(),
            };
            Some(self.conflict_update(id, &columns, client, path)?)
        };
        Ok(Conflict {
            target: Some(ConflictTarget::Constraint(constraint)),
            update,
        })
    }

    /// These columns of the rows that are there, and the role's presets, take new values: in the rows that pass the
    /// filter and that the role may update.
    pub(crate) fn conflict_update(
        &mut self,
        id: TableId,
        columns: &[ColumnId],
        filter: Filter<'m>,
        path: &Path,
    ) -> Result<ConflictUpdate<'m>, Error> {
        let update = UpdateTable::of_role(self.model, self.role, id, self.backend)
            .ok_or_else(|| lost(path, "table"))?;
        let (table, access) = (update.table(), update.access());
        let presets = self.presets(table, &access.presets, path)?;
        let known = |column: ColumnId| table.column(column).ok_or_else(|| lost(path, "column"));
        if columns
            .iter()
            .any(|column| !access.columns.contains(*column) || presets.iter().any(|(set, _)| set == column))
        {
            return Err(lost(path, "column"));
        }
        Ok(ConflictUpdate {
            columns: columns.iter().copied().map(known).collect::<Result<_, _>>()?,
            presets: presets
                .into_iter()
                .map(|(column, value)| Ok((known(column)?, value)))
                .collect::<Result<_, Error>>()?,
            filter: Filter::All(vec![filter, self.stored(id, access.filter, path)?]),
            check: match access.check {
                Some(check) => Some(self.stored(id, check, path)?),
                None => None,
            },
        })
    }
}
