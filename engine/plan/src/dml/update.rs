//! `update` and `delete`.

use graphql::{Code, Error, Path};
use schema::model::{ColumnId, Table};
use serde_json::{Map, Value};

use super::write::{by_name, check_unvalidated, check_view, known, write};
use super::{mismatch, unexpected};
use crate::ir::table::{DeleteTable, UpdateTable};
use crate::ir::write::Assignment;
use crate::ir::{Change, Mutation};
use crate::read::Reader;

/// What Hasura v2 adds where a role may not read the table.
const WHY_READ_TO_UPDATE: &str = "; \"update\" is only allowed if the role has \"select\" permission as \"where\" can't be \
                                  used without \"select\" permission on the table";
const WHY_READ_TO_DELETE: &str = "; \"delete\" is only allowed if the role has \"select\" permission as \"where\" can't be \
                                  used without \"select\" permission on the table";

/// Key of an operator with a value, and how the value meets the column's.
type Operator = (&'static str, fn(sql::ast::Expression) -> Assignment);

const OPERATORS: [Operator; 3] = [
    ("$set", Assignment::Value),
    ("$inc", |value| Assignment::Behind("+", value)),
    ("$mul", |value| Assignment::Behind("*", value)),
];

impl<'m> Reader<'m> {
    /// The write of an `update`.
    pub(super) fn dml_update(
        &mut self,
        table: &'m Table,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Mutation<'m>, Error> {
        check_view(table, table.mutability.updatable, "updatable", path)?;
        let update = UpdateTable::of_role(self.model, self.role, table.id, self.backend)
            .ok_or_else(|| self.dml_denied("update", table, path))?;
        check_unvalidated(update.access().validation.is_some(), path)?;
        let readable = self.dml_read(table, WHY_READ_TO_UPDATE, path)?;
        let set = self.dml_assignments(update, arguments, path)?;
        let answer = self.dml_answer(table, arguments, WHY_READ_TO_UPDATE, path)?;
        if set.is_empty() && update.access().presets.is_empty() {
            return Err(unexpected(
                path,
                "atleast one of $set, $inc, $mul has to be present",
            ));
        }
        let filter = self.dml_chosen(readable, arguments, path)?;
        let change = self.updating(table.id, set, filter, path)?;
        let writes = change
            .into_iter()
            .map(|change| write(Change::Update(Box::new(change))));
        Ok(Mutation {
            writes: writes.collect(),
            answer,
        })
    }

    /// The write of a `delete`.
    pub(super) fn dml_delete(
        &mut self,
        table: &'m Table,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Mutation<'m>, Error> {
        check_view(table, table.mutability.deletable, "deletable", path)?;
        let delete = DeleteTable::of_role(self.model, self.role, table.id, self.backend)
            .ok_or_else(|| self.dml_denied("delete", table, path))?;
        check_unvalidated(delete.access().validation.is_some(), path)?;
        let readable = self.dml_read(table, WHY_READ_TO_DELETE, path)?;
        let answer = self.dml_answer(table, arguments, WHY_READ_TO_DELETE, path)?;
        let filter = self.dml_chosen(readable, arguments, path)?;
        let change = self.deletion(table.id, filter, path)?;
        Ok(Mutation {
            writes: vec![write(Change::Delete(Box::new(change)))],
            answer,
        })
    }

    /// `$set` (or `values`), `$inc`, `$mul`, `$default`: each column in one of them only.
    fn dml_assignments(
        &self,
        update: UpdateTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Vec<(ColumnId, Assignment)>, Error> {
        let table = update.table();
        let columns = by_name(table);
        let mut set: Vec<(ColumnId, Assignment)> = Vec::new();
        let mut put = |id, name: &str, value| {
            // Postgres would refuse the statement, in words that only an admin is told.
            if set.iter().any(|(known, _)| *known == id) {
                return Err(Error::validation(
                    path,
                    format!("Column found in multiple operators: ['{name}']."),
                ));
            }
            set.push((id, value));
            Ok(())
        };
        let writable = |name: &str, path: &Path| {
            let id = columns.get(name).copied();
            let presets = &update.access().presets;
            if id.is_some_and(|id| presets.iter().any(|(preset, _)| *preset == id)) {
                let role = &self.role.name;
                return Err(Error {
                    code: Code::NotSupported,
                    path: path.clone(),
                    message: format!(
                        "column \"{name}\" is not updatable for role \"{role}\"; its value is predefined in permission"
                    ),
                });
            }
            id.filter(|id| update.access().columns.contains(*id))
                .ok_or_else(|| self.dml_no_column("update", name, path))
        };
        for (key, assignment) in OPERATORS {
            let mut given = (key, arguments.get(key));
            if key == "$set" && given.1.is_none() {
                given = ("values", arguments.get("values"));
            }
            let values = match given {
                (_, None | Some(Value::Null)) => continue,
                (_, Some(Value::Object(values))) => values,
                (key, Some(other)) => {
                    return Err(mismatch("HashMap ~Text", "Object", other, &path.key(key)));
                }
            };
            let path = path.key(key);
            for (name, value) in values {
                let id = writable(name, &path)?;
                let value = self.dml_value(known(table, id, &path)?, value, &path.key(name.as_str()))?;
                put(id, name, assignment(value))?;
            }
        }
        let at = path.key("$default");
        match arguments.get("$default") {
            None | Some(Value::Null) => {}
            Some(Value::Array(names)) => {
                for (position, name) in names.iter().enumerate() {
                    let Value::String(name) = name else {
                        return Err(mismatch("Text", "String", name, &at.index(position)));
                    };
                    put(writable(name, &at)?, name, Assignment::Default)?;
                }
            }
            Some(other) => return Err(mismatch("[]", "Array", other, &at)),
        }
        Ok(set)
    }
}
