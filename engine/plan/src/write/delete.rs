//! `delete_T`, `delete_T_by_pk`

use graphql::operation::Field;
use graphql::{Error, Path};
use schema::meaning::Meaning;
use schema::model::{RootVerb, TableId};

use super::Part;
use crate::ir::Filter;
use crate::ir::table::DeleteTable;
use crate::ir::write::{Change, Delete, Mutation, Write};
use crate::prepared::Several;
use crate::read::{Reader, lost};

impl<'m> Reader<'m> {
    pub(super) fn delete<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<Part<'m>, Error> {
        let path = &field.path;
        let (filter, answer) = if verb == RootVerb::DeleteByPk {
            let filter = self.key_filter(id, &field.arguments, path)?;
            (filter, self.row_answer(id, &field.selection, path)?)
        } else {
            let filter = self.client_filter(id, &field.arguments, path)?;
            (filter, self.response(id, &field.selection)?)
        };
        let change = self.deletion(id, filter, path)?;
        Ok(Part::Mutation(Mutation {
            writes: vec![Write {
                change: Change::Delete(Box::new(change)),
                answered: true,
                wanted: None,
                // As Hasura v2, which names a place for inserts only.
                path: Path::root(),
                rows: None,
                several: Several::No,
            }],
            answer,
        }))
    }

    /// The rows that pass the filter and that the role may delete.
    pub(crate) fn deletion(
        &mut self,
        id: TableId,
        filter: Filter<'m>,
        path: &Path,
    ) -> Result<Delete<'m>, Error> {
        let table = DeleteTable::of_role(self.model, self.role, id, self.backend)
            .ok_or_else(|| lost(path, "table"))?;
        let permitted = self.stored(id, table.access().filter, path)?;
        Ok(Delete {
            table,
            filter: Filter::All(vec![filter, permitted]),
        })
    }
}
