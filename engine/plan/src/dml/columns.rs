//! `columns`: `"*"`, `"*.*"`, names, and relationships with columns of their own.

use graphql::{Error, Path};
use schema::model::{ColumnId, RelationshipId, RelationshipKind};
use serde_json::{Map, Value};

use super::{mismatch, missing_key, not_exists, unexpected};
use crate::ir::{Field, FieldValue, Object, RowSource, RowType, SelectTable};
use crate::read::{Reader, json_key, lost};

/// More levels of `*.*.*` are refused: each multiplies what is selected.
const MAX_WILDCARD: usize = 5;

impl<'m> Reader<'m> {
    /// The `columns` of a select.
    pub(super) fn dml_columns(
        &mut self,
        table: SelectTable<'m>,
        arguments: &Map<String, Value>,
        path: &Path,
    ) -> Result<Object<'m>, Error> {
        self.enter(path)?;
        let mut object = Object::default();
        let given = arguments
            .get("columns")
            .ok_or_else(|| missing_key("columns", path))?;
        let path = path.key("columns");
        let Value::Array(columns) = given else {
            return Err(mismatch("[]", "Array", given, &path));
        };
        for (position, column) in columns.iter().enumerate() {
            let path = path.index(position);
            match column {
                // Anything else that begins with a star is a name: Postgres takes it as one.
                Value::String(name) if name.split('.').all(|star| star == "*") => {
                    let levels = wildcard(name, &path)?;
                    self.dml_everything(table, levels, &path, &mut object)?;
                }
                Value::String(name) => {
                    let id = self.dml_column(table, name, "relationships have to be expanded", &path)?;
                    self.dml_field(table, id, name, &path, &mut object)?;
                }
                Value::Object(nested) => self.dml_nested(table, nested, &path, &mut object)?,
                other => return Err(mismatch("Object", "Object", other, &path)),
            }
        }
        self.leave();
        Ok(object)
    }

    /// A column that the role may read, by its name in Postgres.
    pub(super) fn dml_column(
        &mut self,
        table: SelectTable<'m>,
        name: &str,
        instead: &str,
        path: &Path,
    ) -> Result<ColumnId, Error> {
        let known = table.table();
        let Some(at) = known.columns.iter().position(|column| column.name == name) else {
            let kind = if known.relationships.iter().any(|one| one.name == name) {
                "relationship"
            } else if known.computed_fields.iter().any(|one| one.name == name) {
                "computed field"
            } else {
                return Err(not_exists(path, format!("column \"{name}\" does not exist")));
            };
            return Err(unexpected(
                path,
                format!("expecting a database column; but, \"{name}\" is a {kind}; {instead}"),
            ));
        };
        let id = ColumnId(u16::try_from(at).map_err(|_| lost(path, "column"))?);
        if table.access().columns.contains(id) {
            Ok(id)
        } else {
            Err(self.unreadable(name, path))
        }
    }

    pub(super) fn dml_field(
        &mut self,
        table: SelectTable<'m>,
        id: ColumnId,
        key: &str,
        path: &Path,
        object: &mut Object<'m>,
    ) -> Result<(), Error> {
        let scalar = self.column(RowType::Table(table), id, path)?;
        let column = table
            .table()
            .columns
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "column"))?;
        put(
            object,
            key,
            FieldValue::Scalar {
                scalar,
                type_: &column.type_,
                class: &column.scalar,
                path: None,
            },
        );
        Ok(())
    }

    /// `{name, alias?, columns, where?, order_by?, limit?, offset?}`
    fn dml_nested(
        &mut self,
        table: SelectTable<'m>,
        nested: &Map<String, Value>,
        path: &Path,
        object: &mut Object<'m>,
    ) -> Result<(), Error> {
        let text = |key: &str| match nested.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(other) => Err(mismatch("Text", "String", other, &path.key(key))),
        };
        let name = text("name")?.ok_or_else(|| missing_key("name", path))?;
        let alias = text("alias")?.unwrap_or(name);
        let known = table.table();
        let Some(at) = known.relationships.iter().position(|one| one.name == name) else {
            return Err(if known.columns.iter().any(|column| column.name == name) {
                unexpected(
                    path,
                    format!(
                        "expecting a relationship; but, \"{name}\" is a postgres column; only relationships can be \
                         expanded"
                    ),
                )
            } else {
                not_exists(path, format!("relationship \"{name}\" does not exist"))
            });
        };
        let id = RelationshipId(u16::try_from(at).map_err(|_| lost(path, "relationship"))?);
        let relationship = self.relationship(known, id, path)?;
        let target = self.readable(relationship.target, path)?;
        let inner = self.dml_columns(target, nested, path)?;
        let value = match relationship.kind {
            RelationshipKind::Object => {
                let refused = ["where", "order_by", "limit", "offset"];
                if let Some(key) = refused.iter().find(|key| nested.contains_key(**key)) {
                    return Err(unexpected(
                        path,
                        format!(
                            "\"{key}\" is only for array relationships; \"{name}\" is an object relationship"
                        ),
                    ));
                }
                FieldValue::Object(self.related(table, id, path)?, inner)
            }
            RelationshipKind::Array => {
                let link = self.pairs(known, relationship, path)?;
                let rows = self.dml_rows(RowSource::Table(target), target, link, nested, path)?;
                FieldValue::List(Box::new(rows), inner)
            }
        };
        put(object, alias, value);
        Ok(())
    }

    /// `*`: what the role may read of the row; each `.*` adds everything behind its relationships.
    fn dml_everything(
        &mut self,
        table: SelectTable<'m>,
        levels: usize,
        path: &Path,
        object: &mut Object<'m>,
    ) -> Result<(), Error> {
        for id in table.access().columns.iter() {
            if let Some(column) = table.table().columns.get(usize::from(id.0)) {
                self.dml_field(table, id, &column.name, path, object)?;
            }
        }
        if levels == 0 {
            return Ok(());
        }
        for (at, relationship) in table.table().relationships.iter().enumerate() {
            let id = RelationshipId(u16::try_from(at).map_err(|_| lost(path, "relationship"))?);
            let Ok(target) = self.readable(relationship.target, path) else {
                continue;
            };
            let mut inner = Object::default();
            self.dml_everything(target, levels - 1, path, &mut inner)?;
            let value = match relationship.kind {
                RelationshipKind::Object => FieldValue::Object(self.related(table, id, path)?, inner),
                RelationshipKind::Array => {
                    let link = self.pairs(table.table(), relationship, path)?;
                    let rows = self.dml_rows(RowSource::Table(target), target, link, &Map::new(), path)?;
                    FieldValue::List(Box::new(rows), inner)
                }
            };
            put(object, &relationship.name, value);
        }
        Ok(())
    }
}

/// Sets a key; a later one of the same name wins, in the place of the first.
fn put<'m>(object: &mut Object<'m>, key: &str, value: FieldValue<'m>) {
    let key = json_key(key);
    match object.fields.iter_mut().find(|field| field.key == key) {
        Some(field) => field.value = value,
        None => object.fields.push(Field { key, value }),
    }
}

/// How many `.*` follow the first star.
fn wildcard(name: &str, path: &Path) -> Result<usize, Error> {
    let stars = name.split('.').count();
    if stars <= MAX_WILDCARD {
        Ok(stars - 1)
    } else {
        Err(unexpected(
            path,
            format!("\"{name}\" is no wildcard of at most {MAX_WILDCARD} levels"),
        ))
    }
}
