//! `insert`: literal rows, defaults where a key is absent, `on_conflict`.

use graphql::{Code, Error, Path};
use schema::model::{ColumnId, Table};
use serde_json::{Map, Value};

use super::write::{by_name, check_unvalidated, check_view, known, write};
use super::{mismatch, missing_key, not_exists, unexpected};
use crate::filter::display;
use crate::ir::table::{InsertTable, UpdateTable};
use crate::ir::write::{Conflict, ConflictTarget, InsertValue};
use crate::ir::{Change, Filter, Mutation};
use crate::read::Reader;
use crate::write::rows_per_statement;

/// What Hasura v2 adds where a role may not read what is to be returned.
const WHY_READ: &str = "; \"returning\" can only be used if the role has \"select\" permission on the table";

/// `on_conflict` as it was given.
struct Clause<'a> {
    on: Option<Vec<&'a str>>,
    constraint: Option<&'a str>,
    update: bool,
    path: Path,
}

impl<'m> Reader<'m> {
    /// The writes of an `insert`: one, or several where there are too many values for one.
    pub(super) fn dml_insert(
        &mut self,
        table: &'m Table,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Mutation<'m>, Error> {
        let clause = clause(arguments, path)?;
        let objects = objects(arguments, path)?;
        check_view(table, table.mutability.insertable, "insertable", path)?;
        let insert = InsertTable::of_role(self.model, self.role, table.id, self.backend)
            .ok_or_else(|| self.dml_denied("insert", table, path))?;
        check_unvalidated(insert.access().validation.is_some(), path)?;
        let answer = self.dml_answer(table, arguments, WHY_READ, path)?;
        let mut rows = self.dml_new_rows(insert, &objects, path)?;
        let mut given: Vec<ColumnId> = rows.iter().flatten().map(|(column, _)| *column).collect();
        given.sort_unstable();
        given.dedup();
        let presets = insert.access().presets.iter().map(|(column, _)| *column);
        let mut columns: Vec<ColumnId> = given.iter().copied().chain(presets).collect();
        columns.sort_unstable();
        columns.dedup();
        let at_most = rows_per_statement(columns.len());
        let mut writes = Vec::new();
        while !rows.is_empty() {
            let rest = rows.split_off(at_most.min(rows.len()));
            let conflict = match &clause {
                Some(clause) => Some(self.dml_conflict(table, &given, clause)?),
                None => None,
            };
            let insert = self.insertion(insert, &columns, rows, conflict, path)?;
            writes.push(write(Change::Insert(Box::new(insert))));
            rows = rest;
        }
        Ok(Mutation { writes, answer })
    }

    fn dml_new_rows(
        &self,
        insert: InsertTable<'m>,
        objects: &[&Map<String, Value>],
        path: &Path,
    ) -> Result<Vec<Vec<(ColumnId, InsertValue<'m>)>>, Error> {
        let (table, access) = (insert.table(), insert.access());
        let path = path.key("objects");
        let columns = by_name(table);
        let mut rows = Vec::with_capacity(objects.len());
        for (position, object) in objects.iter().enumerate() {
            let mut row = Vec::with_capacity(object.len());
            for (key, value) in *object {
                let Some(id) = columns.get(key.as_str()).copied() else {
                    return Err(unknown_column(
                        table,
                        key,
                        &path.index(position).key(key.as_str()),
                    ));
                };
                if access.presets.iter().any(|(preset, _)| *preset == id) {
                    let role = &self.role.name;
                    return Err(Error {
                        code: Code::NotSupported,
                        path: path.index(position),
                        message: format!("column \"{key}\" is not insertable for role \"{role}\""),
                    });
                }
                // Postgres tells an admin about columns that only it can fill.
                if !access.columns.contains(id) && &*self.role.name != "admin" {
                    return Err(self.dml_no_column("insert", key, &path.index(position)));
                }
                let at = path.index(position).key(key.as_str());
                let value = self.dml_value(known(table, id, &path)?, value, &at)?;
                row.push((id, InsertValue::Value(value)));
            }
            rows.push(row);
        }
        Ok(rows)
    }

    /// With `update`, all columns that any of the rows gives take the new values.
    fn dml_conflict(
        &mut self,
        table: &'m Table,
        given: &[ColumnId],
        clause: &Clause<'_>,
    ) -> Result<Conflict<'m>, Error> {
        let path = &clause.path;
        let update = UpdateTable::of_role(self.model, self.role, table.id, self.backend);
        if update.is_none() && &*self.role.name != "admin" {
            return Err(Error {
                code: Code::PermissionDenied,
                path: path.clone(),
                message: format!(
                    "upsert is not allowed for role \"{}\" since update permissions are not defined",
                    self.role.name
                ),
            });
        }
        let target = match (&clause.on, clause.constraint) {
            (Some(_), Some(_)) => {
                return Err(unexpected(
                    path,
                    "'constraint' and 'constraint_on' cannot be set at a time",
                ));
            }
            (Some(names), None) => {
                let columns = by_name(table);
                let path = path.key("constraint_on");
                let mut on = Vec::with_capacity(names.len());
                for (position, name) in names.iter().enumerate() {
                    let path = path.index(position);
                    let id = columns.get(name).copied();
                    let id = id.ok_or_else(|| missing_column(name, &path))?;
                    on.push(known(table, id, &path)?);
                }
                Some(ConflictTarget::Columns(on))
            }
            (None, Some(name)) => {
                let constraint = table
                    .unique_constraints
                    .iter()
                    .find(|(known, _)| **known == *name);
                let (constraint, _) = constraint.ok_or_else(|| Error {
                    code: Code::Unexpected,
                    path: path.key("constraint"),
                    message: format!(
                        "constraint \"{name}\" for table \"{}\" does not exist",
                        display(&table.name)
                    ),
                })?;
                Some(ConflictTarget::Constraint(constraint))
            }
            (None, None) => None,
        };
        if !clause.update {
            return Ok(Conflict { target, update: None });
        }
        if target.is_none() {
            return Err(unexpected(
                path,
                "Expecting 'constraint' or 'constraint_on' when the 'action' is 'update'",
            ));
        }
        let update = update.ok_or_else(|| self.dml_denied("update", table, path))?;
        let access = update.access();
        check_unvalidated(access.validation.is_some(), path)?;
        if let Some(id) = given.iter().find(|id| !access.columns.contains(**id)) {
            // What the permission sets is not among them.
            let name = &known(table, *id, path)?.name;
            return Err(Error::validation(
                path,
                format!("column \"{name}\" is not updatable"),
            ));
        }
        let update = if given.is_empty() && access.presets.is_empty() {
            None
        } else {
            Some(self.conflict_update(table.id, given, Filter::always(), path)?)
        };
        Ok(Conflict { target, update })
    }
}

fn objects<'a>(arguments: &'a Map<String, Value>, path: &Path) -> Result<Vec<&'a Map<String, Value>>, Error> {
    let at = path.key("objects");
    let items = match arguments.get("objects") {
        Some(Value::Array(items)) => items,
        Some(other) => return Err(mismatch("[]", "Array", other, &at)),
        None => return Err(missing_key("objects", path)),
    };
    if items.is_empty() {
        return Err(unexpected(&at, "objects should not be empty"));
    }
    items
        .iter()
        .enumerate()
        .map(|(position, item)| {
            item.as_object()
                .ok_or_else(|| mismatch("HashMap ~Text", "Object", item, &at.index(position)))
        })
        .collect()
}

fn clause<'a>(arguments: &'a Map<String, Value>, path: &Path) -> Result<Option<Clause<'a>>, Error> {
    let path = path.key("on_conflict");
    let given = match arguments.get("on_conflict") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(given)) => given,
        Some(other) => return Err(mismatch("OnConflict", "Object", other, &path)),
    };
    let on = match given.get("constraint_on") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(vec![name.as_str()]),
        Some(Value::Array(names)) => {
            let path = path.key("constraint_on");
            let text = |(position, name): (usize, &'a Value)| {
                name.as_str()
                    .ok_or_else(|| mismatch("Text", "String", name, &path.index(position)))
            };
            Some(names.iter().enumerate().map(text).collect::<Result<_, _>>()?)
        }
        Some(other) => return Err(mismatch("[]", "Array", other, &path.key("constraint_on"))),
    };
    let constraint = match given.get("constraint") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.as_str()),
        Some(other) => return Err(mismatch("Text", "String", other, &path.key("constraint"))),
    };
    let update = match given.get("action") {
        Some(Value::String(action)) if action == "ignore" => false,
        Some(Value::String(action)) if action == "update" => true,
        Some(_) => {
            return Err(Error::parse(
                &path.key("action"),
                "Expecting 'ignore' or 'update'",
            ));
        }
        None => return Err(missing_key("action", &path)),
    };
    Ok(Some(Clause {
        on,
        constraint,
        update,
        path,
    }))
}

fn unknown_column(table: &Table, name: &str, path: &Path) -> Error {
    if table.relationships.iter().any(|one| one.name == *name) {
        return unexpected(
            path,
            format!(
                "expecting a database column; but, \"{name}\" is a relationship; relationships can't be inserted"
            ),
        );
    }
    missing_column(name, path)
}

fn missing_column(name: &str, path: &Path) -> Error {
    not_exists(path, format!("column \"{name}\" does not exist"))
}
