//! `insert_T`, `insert_T_one`, with whatever is inserted along with each row.
//!
//! Rows are inserted level by level: all rows of a relationship in one statement, first those that a row refers to,
//! then the rows, then those that refer to them. A row takes values from rows of other levels by their number, which
//! holds as long as every row is written: where a conflict may keep one from it, rows that others depend on have a
//! statement each.

use graphql::operation::{Entry, Field, Input};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{ColumnId, RelationshipId, RelationshipKind, RootVerb, Table, TableId};
use sql::ast::Expression;

use super::{Part, answer, determined, entries};
use crate::filter::display;
use crate::ir::table::InsertTable;
use crate::ir::write::{Change, Conflict, Insert, InsertRows, InsertValue, Mutation, Wanted, Write};
use crate::prepared::Several;
use crate::read::{Reader, argument, lost};

/// Postgres takes 65,535 parameters; what is above this goes into a further statement.
const MAX_PARAMETERS: usize = 60_000;

/// So many statements of an operation at most insert rows one by one: it is done to find a row, not to write it.
pub(crate) const MOST_APART: usize = 100;

/// How many rows of so many columns one statement can have.
pub(crate) fn rows_per_statement(columns: usize) -> usize {
    (MAX_PARAMETERS / columns.max(1)).max(1)
}

/// Rows to be inserted into one table.
struct Level<'a, 'm> {
    table: InsertTable<'m>,
    rows: Vec<LevelRow<'a, 'm>>,
    conflict: Option<&'a Entry<Meaning>>,
    /// Rows of an outer level take values from these; what is said if there are none, and where.
    referred: Option<(String, Path)>,
    /// Where an error is reported if it cannot be said which row it is about.
    path: Path,
    /// They are the rows that the field answers.
    answered: bool,
    /// They hang on several rows, so that the path is of none of them.
    shared: bool,
    /// They are of a list in which some have rows below or above them, whether these have or not.
    is_tree: bool,
}

/// One of them.
struct LevelRow<'a, 'm> {
    entries: &'a [Entry<Meaning>],
    path: Path,
    /// Values that other rows give.
    determined: Vec<(ColumnId, InsertValue<'m>)>,
}

/// Where a row is written: number of the write and number of the row in it, from 1.
type RowPlace = (usize, usize);

/// What stands under the rows of a level, by relationship.
type ByRelationship<'a> = Vec<(RelationshipId, Vec<Nested<'a>>)>;

/// What stands under one relationship of a row.
struct Nested<'a> {
    /// Position of the row in its level.
    owner: usize,
    data: &'a Entry<Meaning>,
    conflict: Option<&'a Entry<Meaning>>,
    /// Path of the relationship's key.
    path: Path,
}

impl<'m> Reader<'m> {
    pub(super) fn insert<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<Part<'m>, Error> {
        let path = &field.path;
        let one = verb == RootVerb::InsertOne;
        let role = if one {
            ArgumentRole::Object
        } else {
            ArgumentRole::Objects
        };
        let objects = argument(&field.arguments, role).ok_or_else(|| lost(path, "objects"))?;
        let answer = if one {
            self.row_answer(id, &field.selection, path)?
        } else {
            self.response(id, &field.selection)?
        };
        let conflict = argument(&field.arguments, ArgumentRole::OnConflict);
        if let Input::Uniform(given) = &objects.value {
            let table = self.insertable(id, path)?;
            let writes = self.insert_uniform(table, given, conflict)?;
            return Ok(Part::Mutation(Mutation { writes, answer }));
        }
        let rows = level_rows(objects, one)?;
        if rows.is_empty() {
            return Ok(answer::nothing(&answer));
        }
        let level = Level {
            table: self.insertable(id, path)?,
            rows,
            conflict,
            referred: None,
            path: objects.path.clone(),
            answered: true,
            shared: false,
            is_tree: false,
        };
        let mut writes = Vec::new();
        self.level(level, &mut writes)?;
        Ok(Part::Mutation(Mutation { writes, answer }))
    }

    /// Inserts a level with all that hangs on it; gives where each of its rows is.
    fn level(
        &mut self,
        mut level: Level<'_, 'm>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<Vec<RowPlace>, Error> {
        if self.apart.is_some() && level.rows.len() > 1 && level.rows.iter().any(has_relationship) {
            return self.apart(level, writes);
        }
        self.enter(&level.path)?;
        let table = level.table.table();
        for row in &level.rows {
            determined::check_given(table, given_columns(row), |column| row.determines(column))
                .map_err(|message| Error::validation(&row.path, message))?;
        }
        let (before, after) = self.relationships(table, &level)?;
        for (id, nested) in &before {
            let relationship = self.relationship(table, *id, &level.path)?;
            for one in nested {
                if let Some(row) = level.rows.get(one.owner) {
                    let has_value = |own| given_columns(row).any(|given| given == own) || row.determines(own);
                    determined::check_relationship(table, relationship, has_value)
                        .map_err(|message| Error::validation(&one.path, message))?;
                }
            }
        }
        for (id, nested) in before {
            self.before(&mut level, id, nested, writes)?;
        }
        let has_children: Vec<bool> = (0..level.rows.len())
            .map(|at| {
                after
                    .iter()
                    .any(|(_, nested)| nested.iter().any(|nested| nested.owner == at))
            })
            .collect();
        let is_flat =
            !level.is_tree && after.is_empty() && level.rows.iter().all(|row| !has_relationship(row));
        let places = self.rows_of_level(&level, &has_children, is_flat, writes)?;
        for (id, nested) in after {
            self.after(&level, &places, id, nested, writes)?;
        }
        self.leave();
        Ok(places)
    }

    /// The same, each row with all that hangs on it by itself.
    fn apart(&mut self, level: Level<'_, 'm>, writes: &mut Vec<Write<'m>>) -> Result<Vec<RowPlace>, Error> {
        let mut places = Vec::with_capacity(level.rows.len());
        for row in level.rows {
            let alone = Level {
                table: level.table,
                rows: vec![row],
                conflict: level.conflict,
                referred: level.referred.clone(),
                path: level.path.clone(),
                answered: level.answered,
                shared: level.shared,
                is_tree: true,
            };
            places.extend(self.level(alone, writes)?);
        }
        Ok(places)
    }

    /// What stands under the relationships of the rows: of those inserted before the rows, and of those after.
    fn relationships<'a>(
        &self,
        table: &'m Table,
        level: &Level<'a, 'm>,
    ) -> Result<(ByRelationship<'a>, ByRelationship<'a>), Error> {
        let mut before: ByRelationship<'a> = Vec::new();
        let mut after: ByRelationship<'a> = Vec::new();
        for (owner, row) in level.rows.iter().enumerate() {
            for entry in row.entries {
                let Meaning::Relationship(id) = entry.meaning else {
                    continue;
                };
                let relationship = self.relationship(table, id, &entry.path)?;
                let parts = entries(entry);
                // Null stands for nothing.
                let Some(data) = argument(parts, ArgumentRole::Data) else {
                    continue;
                };
                if matches!(&data.value, Input::List(rows) if rows.is_empty()) {
                    continue;
                }
                let first =
                    relationship.kind == RelationshipKind::Object && !relationship.insert_after_parent;
                let list = if first { &mut before } else { &mut after };
                let nested = Nested {
                    owner,
                    data,
                    conflict: argument(parts, ArgumentRole::OnConflict),
                    path: row.path.key(relationship.name.as_str()),
                };
                match list.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, all)) => all.push(nested),
                    None => list.push((id, vec![nested])),
                }
            }
        }
        Ok((before, after))
    }

    /// Rows that the rows of the level refer to.
    fn before<'a>(
        &mut self,
        level: &mut Level<'a, 'm>,
        id: RelationshipId,
        nested: Vec<Nested<'a>>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<(), Error> {
        let table = level.table.table();
        let relationship = self.relationship(table, id, &level.path)?;
        let target = self.insertable(relationship.target, &level.path)?;
        let message = format!(
            "cannot proceed to insert object relation \"{}\" since insert to table \"{}\" affects zero rows",
            relationship.name,
            display(&target.table().name)
        );
        for group in groups(nested) {
            let mut rows = Vec::with_capacity(group.len());
            for one in &group {
                rows.push(LevelRow {
                    entries: entries(one.data),
                    path: one.path.key("data"),
                    determined: Vec::new(),
                });
            }
            let Some(first) = group.first() else { continue };
            let inner = Level {
                table: target,
                rows,
                conflict: first.conflict,
                referred: Some((message.clone(), first.path.clone())),
                path: match group.as_slice() {
                    [only] => only.path.key("data"),
                    _ => level.path.clone(),
                },
                answered: false,
                shared: group.len() > 1,
                is_tree: false,
            };
            let places = self.level(inner, writes)?;
            for (one, (write, row)) in group.iter().zip(places) {
                let Some(owner) = level.rows.get_mut(one.owner) else {
                    continue;
                };
                for (own, related) in &relationship.columns {
                    let column = target
                        .table()
                        .column(*related)
                        .ok_or_else(|| lost(&one.path, "column"))?;
                    let value = InsertValue::Written {
                        write,
                        row,
                        table: target.table(),
                        column,
                    };
                    owner.determined.push((*own, value));
                }
            }
        }
        Ok(())
    }

    /// Rows that refer to the rows of the level.
    fn after<'a>(
        &mut self,
        level: &Level<'a, 'm>,
        places: &[RowPlace],
        id: RelationshipId,
        nested: Vec<Nested<'a>>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<(), Error> {
        let table = level.table.table();
        let relationship = self.relationship(table, id, &level.path)?;
        let target = self.insertable(relationship.target, &level.path)?;
        let many = relationship.kind == RelationshipKind::Array;
        for group in groups(nested) {
            let mut rows = Vec::new();
            for one in &group {
                let Some((write, row)) = places.get(one.owner) else {
                    continue;
                };
                let mut determined = Vec::with_capacity(relationship.columns.len());
                for (own, related) in &relationship.columns {
                    let column = table.column(*own).ok_or_else(|| lost(&one.path, "column"))?;
                    let value = InsertValue::Written {
                        write: *write,
                        row: *row,
                        table,
                        column,
                    };
                    determined.push((*related, value));
                }
                for mut row in level_rows(one.data, !many)? {
                    row.determined = determined.clone();
                    rows.push(row);
                }
            }
            if rows.is_empty() {
                continue;
            }
            let inner = Level {
                table: target,
                rows,
                conflict: group.first().and_then(|first| first.conflict),
                referred: None,
                path: match group.as_slice() {
                    [only] => only.path.key("data"),
                    _ => level.path.clone(),
                },
                answered: false,
                shared: group.len() > 1,
                is_tree: false,
            };
            self.level(inner, writes)?;
        }
        Ok(())
    }

    /// The statements that insert the rows of one level.
    fn rows_of_level(
        &mut self,
        level: &Level<'_, 'm>,
        has_children: &[bool],
        is_flat: bool,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<Vec<RowPlace>, Error> {
        let table = level.table.table();
        let any_children = has_children.contains(&true);
        let depended = any_children || level.referred.is_some();
        let columns = self.columns_of_level(level)?;
        let at_most = if depended && level.conflict.is_some() {
            1
        } else {
            rows_per_statement(columns.len())
        };
        let mut places = Vec::with_capacity(level.rows.len());
        for (chunk, rows) in level.rows.chunks(at_most).enumerate() {
            let first = chunk * at_most;
            let number = writes.len();
            let children = has_children
                .get(first..first + rows.len())
                .is_some_and(|children| children.contains(&true));
            if let Some(left) = self.apart.as_mut() {
                *left = left.checked_sub(1).ok_or_else(|| lost(&level.path, "place"))?;
            }
            let insert = self.insert_rows(level, &columns, rows)?;
            let one = match rows {
                [only] => Some(only.path.clone()),
                _ => None,
            };
            let array_message = || {
                format!(
                    "cannot proceed to insert array relations since insert to table \"{}\" affects zero rows",
                    display(&table.name)
                )
            };
            let wanted = match (&level.referred, children) {
                (_, true) => Some((array_message(), one.clone().unwrap_or_else(|| level.path.clone()))),
                (Some((message, path)), false) => {
                    let path = one
                        .as_ref()
                        .and_then(Path::parent)
                        .unwrap_or_else(|| path.clone());
                    Some((message.clone(), path))
                }
                (None, false) => None,
            };
            writes.push(Write {
                change: Change::Insert(Box::new(insert)),
                answered: level.answered,
                wanted: wanted.map(|(message, path)| Wanted {
                    count: Expression::Integer(rows.len() as u64),
                    message,
                    path,
                }),
                path: match one {
                    Some(row) if !is_flat => row,
                    _ => level.path.clone(),
                },
                rows: None,
                several: if level.shared || (!is_flat && rows.len() > 1) {
                    Several::Yes
                } else {
                    Several::No
                },
            });
            places.extend((1..=rows.len()).map(|row| (number, row)));
        }
        Ok(places)
    }

    /// The columns that any row of the level has a value for, in the table's order.
    fn columns_of_level(&self, level: &Level<'_, 'm>) -> Result<Vec<ColumnId>, Error> {
        let access = level.table.access();
        let mut columns: Vec<ColumnId> = access.presets.iter().map(|(column, _)| *column).collect();
        for row in &level.rows {
            for entry in row.entries {
                if let Meaning::Column(column) = entry.meaning {
                    if !access.columns.contains(column) {
                        return Err(lost(&entry.path, "column"));
                    }
                    columns.push(column);
                }
            }
            columns.extend(row.determined.iter().map(|(column, _)| *column));
            if columns.len() > 4 * level.table.table().columns.len() + 64 {
                columns.sort_unstable();
                columns.dedup();
            }
        }
        columns.sort_unstable();
        columns.dedup();
        Ok(columns)
    }

    fn insert_rows(
        &mut self,
        level: &Level<'_, 'm>,
        columns: &[ColumnId],
        rows: &[LevelRow<'_, 'm>],
    ) -> Result<Insert<'m>, Error> {
        let table = level.table.table();
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let mut line = row.determined.clone();
            for entry in row.entries {
                if let Meaning::Column(id) = entry.meaning {
                    let column = table.column(id).ok_or_else(|| lost(&entry.path, "column"))?;
                    line.push((id, InsertValue::Value(self.column_value(column, entry)?)));
                }
            }
            values.push(line);
        }
        let conflict = match level.conflict {
            Some(clause) => Some(self.conflict(table.id, clause)?),
            None => None,
        };
        self.insertion(level.table, columns, values, conflict, &level.path)
    }

    /// These rows, with the role's presets, judged by its check. `columns` are in the table's order, those of the presets
    /// among them. Presets win over whatever else a row has for their columns.
    pub(crate) fn insertion(
        &mut self,
        table: InsertTable<'m>,
        columns: &[ColumnId],
        rows: Vec<Vec<(ColumnId, InsertValue<'m>)>>,
        conflict: Option<Conflict<'m>>,
        path: &Path,
    ) -> Result<Insert<'m>, Error> {
        let access = table.access();
        let presets = self.presets(table.table(), &access.presets, path)?;
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let mut line: Vec<Option<InsertValue<'m>>> = vec![None; columns.len()];
            let presets = presets.iter().cloned();
            let presets = presets.map(|(column, value)| (column, InsertValue::Value(value)));
            for (column, value) in row.into_iter().chain(presets) {
                if let Ok(at) = columns.binary_search(&column)
                    && let Some(place) = line.get_mut(at)
                {
                    *place = Some(value);
                }
            }
            values.push(line);
        }
        Ok(Insert {
            table,
            columns: columns
                .iter()
                .map(|column| table.table().column(*column).ok_or_else(|| lost(path, "column")))
                .collect::<Result<_, _>>()?,
            rows: InsertRows::Values(values),
            conflict,
            check: self.stored(table.table().id, access.check, path)?,
        })
    }
}

/// The rows of `objects` or `data`: a list, or the only one.
fn level_rows<'a, 'm>(given: &'a Entry<Meaning>, one: bool) -> Result<Vec<LevelRow<'a, 'm>>, Error> {
    let row = |entries, path| LevelRow {
        entries,
        path,
        determined: Vec::new(),
    };
    match &given.value {
        // Counted too, as by Hasura v2.
        Input::Object(entries) if one => Ok(vec![row(entries.as_slice(), given.path.index(0))]),
        Input::List(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let path = given.path.index(at);
                match item {
                    Input::Object(entries) => Ok(row(entries.as_slice(), path)),
                    _ => Err(lost(&path, "row")),
                }
            })
            .collect(),
        _ => Err(lost(&given.path, "row")),
    }
}

fn has_relationship(row: &LevelRow<'_, '_>) -> bool {
    row.entries
        .iter()
        .any(|entry| matches!(entry.meaning, Meaning::Relationship(_)))
}

/// Rows that can be inserted by one statement: those without a conflict clause together, each other by itself.
fn groups(nested: Vec<Nested<'_>>) -> Vec<Vec<Nested<'_>>> {
    let mut groups: Vec<Vec<Nested<'_>>> = Vec::new();
    for one in nested {
        match groups.last_mut() {
            Some(last) if one.conflict.is_none() && last.iter().all(|other| other.conflict.is_none()) => {
                last.push(one);
            }
            _ => groups.push(vec![one]),
        }
    }
    groups
}

impl LevelRow<'_, '_> {
    /// Whether another row gives this column its value.
    fn determines(&self, column: ColumnId) -> bool {
        self.determined.iter().any(|(known, _)| *known == column)
    }
}

fn given_columns<'a>(row: &'a LevelRow<'_, '_>) -> impl Iterator<Item = ColumnId> + 'a {
    row.entries.iter().filter_map(|entry| match entry.meaning {
        Meaning::Column(column) => Some(column),
        _ => None,
    })
}
