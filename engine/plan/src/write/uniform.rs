//! Rows that all look the same: each level is one statement over arrays, whose text does not depend on how many rows
//! there are.

use graphql::operation::{Entry, Field, FieldTarget, Input};
use graphql::uniform::{Step, Uniform, UniformKey, UniformLeaf, UniformValue};
use graphql::{Error, Name, Path};
use schema::catalog::TypeKind;
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{Column, ColumnId, RelationshipId, RelationshipKind, Table, TableId};
use schema::scalar::ScalarClass;
use sql::ast::Expression;
use sql::name::TypeName;

use super::determined;
use crate::filter::{Subject, display};
use crate::ir::table::InsertTable;
use crate::ir::write::{ArrayValue, Change, Insert, InsertRows, ItemForm, Place, Wanted, Write};
use crate::prepared::Several;
use crate::read::{Reader, argument, lost};
use crate::rows::{Read, Rows};

/// Rows of one table at one depth.
struct Level<'a, 'm> {
    table: InsertTable<'m>,
    keys: &'a [UniformKey<Meaning>],
    rows: Rows,
    /// The rows that these hang on.
    owners: Option<Rows>,
    conflict: Option<&'a Entry<Meaning>>,
    /// Columns that other rows determine.
    determined: Vec<Determined<'m>>,
    /// Rows of an outer level take values from these; what is said if there are none, and where.
    referred: Option<(String, Path)>,
    /// Where the list of all rows stands.
    list: &'a Path,
    /// Where an error is reported.
    path: Path,
    answered: bool,
}

impl Level<'_, '_> {
    /// Whether another row gives this column its value.
    fn determines(&self, column: ColumnId) -> bool {
        self.determined.iter().any(|known| known.column == column)
    }
}

/// A column whose value is that of a row which an earlier write gave.
#[derive(Clone)]
struct Determined<'m> {
    column: ColumnId,
    write: usize,
    table: &'m Table,
    from: &'m Column,
    /// How the rows find theirs.
    by: By,
}

/// How rows find the row that they belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// Each has its own, in the same order.
    Number,
    /// It is the object that they stand in.
    Owner,
}

impl<'m> Reader<'m> {
    /// The writes of a list of rows.
    pub(super) fn insert_uniform(
        &mut self,
        table: InsertTable<'m>,
        given: &Uniform<Meaning>,
        conflict: Option<&Entry<Meaning>>,
    ) -> Result<Vec<Write<'m>>, Error> {
        let mut writes = Vec::new();
        self.uniform_level(
            Level {
                table,
                keys: &given.keys,
                rows: Rows {
                    place: given.place.clone(),
                    steps: Vec::new(),
                },
                owners: None,
                conflict,
                determined: Vec::new(),
                referred: None,
                list: &given.path,
                path: given.path.clone(),
                answered: true,
            },
            &mut writes,
        )?;
        Ok(writes)
    }

    /// Inserts a level with all that hangs on it; gives the number of its write.
    fn uniform_level(
        &mut self,
        mut level: Level<'_, 'm>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<usize, Error> {
        self.enter(&level.path)?;
        let table = level.table.table();
        determined::check_given(table, given(level.keys), |column| level.determines(column))
            .map_err(|message| Error::validation(&level.path.index(0), message))?;
        let mut after = Vec::new();
        for key in level.keys {
            let Meaning::Relationship(id) = key.meaning else {
                continue;
            };
            let relationship = self.relationship(table, id, &level.path)?;
            if relationship.kind == RelationshipKind::Array || relationship.insert_after_parent {
                after.push((id, key));
                continue;
            }
            let before = self.uniform_before(&level, id, key, writes)?;
            level.determined.extend(before);
        }
        let write = self.uniform_rows(&level, !after.is_empty(), writes)?;
        for (id, key) in after {
            self.uniform_after(&level, write, id, key, writes)?;
        }
        self.leave();
        Ok(write)
    }

    /// The rows that those of the level refer to, one each.
    fn uniform_before(
        &mut self,
        level: &Level<'_, 'm>,
        id: RelationshipId,
        key: &UniformKey<Meaning>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<Vec<Determined<'m>>, Error> {
        let table = level.table.table();
        let path = level.path.index(0).key(key.name.clone());
        let relationship = self.relationship(table, id, &path)?;
        let has_value = |own| given(level.keys).any(|column| column == own) || level.determines(own);
        determined::check_relationship(table, relationship, has_value)
            .map_err(|message| Error::validation(&path, message))?;
        let (data, steps) = nested(key, &path)?;
        let UniformValue::Object(keys) = &data.value else {
            return Err(lost(&path, "row"));
        };
        let target = self.insertable(relationship.target, &path)?;
        let message = format!(
            "cannot proceed to insert object relation \"{}\" since insert to table \"{}\" affects zero rows",
            relationship.name,
            display(&target.table().name)
        );
        let mut rows = level.rows.clone();
        rows.steps.push(Step::Object(steps));
        let write = self.uniform_level(
            Level {
                table: target,
                keys,
                rows,
                owners: Some(level.rows.clone()),
                conflict: None,
                determined: Vec::new(),
                referred: Some((message, path.clone())),
                list: level.list,
                path: path.key(data.name.clone()),
                answered: false,
            },
            writes,
        )?;
        relationship
            .columns
            .iter()
            .map(|(own, related)| {
                let table = target.table();
                Ok(Determined {
                    column: *own,
                    write,
                    table,
                    from: table.column(*related).ok_or_else(|| lost(&path, "column"))?,
                    by: By::Number,
                })
            })
            .collect()
    }

    /// The rows that refer to those of the level.
    fn uniform_after(
        &mut self,
        level: &Level<'_, 'm>,
        write: usize,
        id: RelationshipId,
        key: &UniformKey<Meaning>,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<(), Error> {
        let table = level.table.table();
        let path = level.path.index(0).key(key.name.clone());
        let relationship = self.relationship(table, id, &path)?;
        let target = self.insertable(relationship.target, &path)?;
        let (data, steps) = nested(key, &path)?;
        let mut rows = level.rows.clone();
        let (keys, by) = match &data.value {
            UniformValue::List(keys) => {
                rows.steps.push(Step::List(steps));
                (keys, By::Owner)
            }
            UniformValue::Object(keys) => {
                rows.steps.push(Step::Object(steps));
                (keys, By::Number)
            }
            UniformValue::Leaf(_) => return Err(lost(&path, "row")),
        };
        let determined = relationship
            .columns
            .iter()
            .map(|(own, related)| {
                Ok(Determined {
                    column: *related,
                    write,
                    table,
                    from: table.column(*own).ok_or_else(|| lost(&path, "column"))?,
                    by,
                })
            })
            .collect::<Result<_, Error>>()?;
        self.uniform_level(
            Level {
                table: target,
                keys,
                rows,
                owners: Some(level.rows.clone()),
                conflict: None,
                determined,
                referred: None,
                list: level.list,
                path: path.key(data.name.clone()),
                answered: false,
            },
            writes,
        )?;
        Ok(())
    }

    /// The statement that inserts the rows of one level.
    fn uniform_rows(
        &mut self,
        level: &Level<'_, 'm>,
        has_children: bool,
        writes: &mut Vec<Write<'m>>,
    ) -> Result<usize, Error> {
        let table = level.table.table();
        let path = &level.path;
        let access = level.table.access();
        let mut values: Vec<(ColumnId, ArrayValue<'m>)> = Vec::new();
        let mut places: Vec<Place<'m>> = Vec::new();
        for (id, value) in self.presets(table, &access.presets, path)? {
            values.push((id, ArrayValue::Same(value)));
        }
        for one in &level.determined {
            if values.iter().any(|(known, _)| *known == one.column) {
                continue;
            }
            let place = match places.iter().position(|place| place.write == one.write) {
                Some(place) => place,
                None => {
                    let read = match one.by {
                        By::Number => Read::Numbers,
                        By::Owner => Read::Owners,
                    };
                    places.push(Place {
                        write: one.write,
                        table: one.table,
                        rows: self.rows_parameter(&level.rows, read, TypeName::builtin("int4").array_of()),
                    });
                    places.len() - 1
                }
            };
            values.push((
                one.column,
                ArrayValue::Written {
                    place,
                    column: one.from,
                },
            ));
        }
        let mut has_array = false;
        for key in level.keys {
            let Meaning::Column(id) = key.meaning else {
                continue;
            };
            let column = table.column(id).ok_or_else(|| lost(path, "column"))?;
            let UniformValue::Leaf(leaf) = &key.value else {
                return Err(lost(path, "value"));
            };
            if !access.columns.contains(id) || values.iter().any(|(known, _)| *known == id) {
                return Err(lost(path, "column"));
            }
            has_array = true;
            values.push((id, self.column_array(level, &key.name, leaf, column)));
        }
        // Something has to say how many rows there are.
        let numbers = (!has_array && places.is_empty())
            .then(|| self.rows_parameter(&level.rows, Read::Numbers, TypeName::builtin("int4").array_of()));
        values.sort_by_key(|(id, _)| *id);
        let (ids, columns): (Vec<_>, Vec<_>) = values.into_iter().unzip();
        let message = match (&level.referred, has_children) {
            (_, true) => Some((
                format!(
                    "cannot proceed to insert array relations since insert to table \"{}\" affects zero rows",
                    display(&table.name)
                ),
                path.clone(),
            )),
            (referred, false) => referred.clone(),
        };
        let wanted = message.map(|(message, path)| Wanted {
            count: self.rows_parameter(&level.rows, Read::Count, TypeName::builtin("int8")),
            message,
            path,
        });
        let insert = Insert {
            table: level.table,
            columns: ids
                .into_iter()
                .map(|id| table.column(id).ok_or_else(|| lost(path, "column")))
                .collect::<Result<_, _>>()?,
            rows: InsertRows::Arrays {
                columns,
                places,
                numbers,
            },
            conflict: match level.conflict {
                Some(clause) => Some(self.conflict(table.id, clause)?),
                None => None,
            },
            check: self.stored(table.id, access.check, path)?,
        };
        writes.push(Write {
            change: Change::Insert(Box::new(insert)),
            answered: level.answered,
            wanted,
            path: path.clone(),
            rows: has_relationship(level.keys).then(|| level.rows.clone()),
            several: if has_relationship(level.keys) {
                Several::UnlessOne(level.rows.clone())
            } else {
                level.owners.clone().map_or(Several::No, Several::UnlessOne)
            },
        });
        Ok(writes.len() - 1)
    }

    /// The values of a column as one array, in the form in which an array of the column's type can be written.
    fn column_array(
        &mut self,
        level: &Level<'_, 'm>,
        key: &Name,
        leaf: &UniformLeaf,
        column: &'m Column,
    ) -> ArrayValue<'m> {
        let subject = Subject::of(&column.type_, &column.scalar);
        let is_array = matches!(column.type_.kind, TypeKind::Array(_));
        let form = match (column.scalar.class, is_array) {
            (ScalarClass::Geometry | ScalarClass::Geography, false) => ItemForm::GeoJson(column),
            (ScalarClass::Raster, false) => ItemForm::Raster,
            // Arrays of Postgres's own types are written with commas, but for those of boxes.
            (_, false) if column.type_.schema == "pg_catalog" && column.type_.name != "box" => {
                ItemForm::Plain
            }
            _ => ItemForm::Cast(column),
        };
        let type_ = match form {
            ItemForm::Plain => subject.type_.clone(),
            _ => TypeName::builtin("text"),
        };
        let read = Read::Column {
            key: key.clone(),
            leaf: leaf.clone(),
            encoding: subject.encoding(),
            path: level.list.clone(),
        };
        let array = self.rows_parameter(&level.rows, read, type_.array_of());
        ArrayValue::Array(array, form)
    }

    fn rows_parameter(&mut self, rows: &Rows, read: Read, type_: TypeName) -> Expression {
        Expression::Parameter {
            value: self.slots.rows(rows.clone(), read),
            type_,
        }
    }

    pub(super) fn insertable(&self, id: TableId, path: &Path) -> Result<InsertTable<'m>, Error> {
        InsertTable::of_role(self.model, self.role, id, self.backend).ok_or_else(|| lost(path, "table"))
    }
}

/// Some of the lists must be taken row by row: a conflict clause may keep rows from being written that others depend on, and
/// a row may meet an earlier one of its list, so that each has a statement of its own.
pub(crate) fn needs_rows<I>(fields: &[Field<I, Meaning>]) -> bool {
    fields.iter().any(|field| {
        let upserts = argument(&field.arguments, ArgumentRole::OnConflict)
            .is_some_and(|clause| matches!(clause.value, Input::Object(_)));
        let objects = argument(&field.arguments, ArgumentRole::Objects);
        let depend = objects.is_some_and(
            |objects| matches!(&objects.value, Input::Uniform(rows) if has_relationship(&rows.keys)),
        );
        let is_namespace = matches!(
            field.target,
            FieldTarget::Field {
                meaning: Meaning::Namespace(_),
                ..
            }
        );
        upserts && depend || is_namespace && needs_rows(&field.selection)
    })
}

/// `data` under a relationship, and the keys that lead to it.
fn nested<'a>(
    key: &'a UniformKey<Meaning>,
    path: &Path,
) -> Result<(&'a UniformKey<Meaning>, Vec<Name>), Error> {
    let UniformValue::Object(parts) = &key.value else {
        return Err(lost(path, "relationship"));
    };
    let data = parts
        .iter()
        .find(|part| part.meaning == Meaning::Argument(ArgumentRole::Data))
        .ok_or_else(|| lost(path, "data"))?;
    Ok((data, vec![key.name.clone(), data.name.clone()]))
}

fn has_relationship(keys: &[UniformKey<Meaning>]) -> bool {
    keys.iter()
        .any(|key| matches!(key.meaning, Meaning::Relationship(_)))
}

fn given(keys: &[UniformKey<Meaning>]) -> impl Iterator<Item = ColumnId> + '_ {
    keys.iter().filter_map(|key| match key.meaning {
        Meaning::Column(column) => Some(column),
        _ => None,
    })
}
