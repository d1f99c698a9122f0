//! `order_by`: `"+col"`, `"-rel.col"`, `{column, type, nulls}`, or a list of these.

use graphql::{Error, Path};
use schema::model::{RelationshipId, RelationshipKind};
use serde_json::{Map, Value};

use super::{mismatch, missing_key, not_exists, unexpected};
use crate::ir::{Order, RowType, Scalar, SelectTable};
use crate::read::{Reader, lost};

impl<'m> Reader<'m> {
    /// The sort keys of a select.
    pub(super) fn dml_order(
        &mut self,
        table: SelectTable<'m>,
        given: Option<&Value>,
        path: &Path,
    ) -> Result<Vec<Order<'m>>, Error> {
        match given {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.dml_key(table, item, &path.index(at)))
                .collect(),
            Some(item) => Ok(vec![self.dml_key(table, item, path)?]),
        }
    }

    fn dml_key(&mut self, table: SelectTable<'m>, item: &Value, path: &Path) -> Result<Order<'m>, Error> {
        let (way, descending, nulls_first) = match item {
            Value::String(text) => {
                let (descending, rest) = signed(text);
                (
                    rest.split('.').map(str::to_owned).collect(),
                    descending,
                    descending,
                )
            }
            Value::Object(given) => {
                let descending = match word(given, "type", path)? {
                    None | Some("asc") => false,
                    Some("desc") => true,
                    Some(other) => {
                        return Err(unexpected(path, format!("\"{other}\" is no order: asc or desc")));
                    }
                };
                let nulls_first = match word(given, "nulls", path)? {
                    None => descending,
                    Some("first") => true,
                    Some("last") => false,
                    Some(other) => {
                        return Err(unexpected(
                            path,
                            format!("\"{other}\" is no place for nulls: first or last"),
                        ));
                    }
                };
                let column = given.get("column").ok_or_else(|| missing_key("column", path))?;
                (way_of(column, &path.key("column"))?, descending, nulls_first)
            }
            other => return Err(mismatch("Object", "Object", other, path)),
        };
        Ok(Order {
            by: self.dml_scalar(table, &way, path)?,
            descending,
            nulls_first,
        })
    }

    /// A column at the end of a way of object relationships.
    fn dml_scalar(
        &mut self,
        table: SelectTable<'m>,
        way: &[String],
        path: &Path,
    ) -> Result<Scalar<'m>, Error> {
        let (first, rest) = way.split_first().ok_or_else(|| missing_key("column", path))?;
        let owner = table.table();
        let column = owner.columns.iter().any(|one| one.name == *first);
        let relationship = owner.relationships.iter().position(|one| one.name == *first);
        let computed = owner.computed_fields.iter().any(|one| one.name == *first);
        let refused = |reason: &str| unexpected(path, format!("\"{first}\" {reason}"));
        if computed {
            return Err(refused("is a computed field and can't be used in 'order_by'"));
        }
        if rest.is_empty() && relationship.is_some() {
            return Err(refused("is a relationship and should be expanded"));
        }
        if column {
            if !rest.is_empty() {
                return Err(refused("is a Postgres column and cannot be chained further"));
            }
            let id = self.dml_column(table, first, "order by a column of it", path)?;
            return self.column(RowType::Table(table), id, path);
        }
        self.enter(path)?;
        let at = relationship.ok_or_else(|| not_exists(path, format!("\"{first}\" does not exist")))?;
        let kind = owner.relationships.get(at).map(|one| one.kind);
        if kind == Some(RelationshipKind::Array) {
            return Err(refused(
                "is an array relationship and cannot be used in 'order_by'",
            ));
        }
        let id = RelationshipId(u16::try_from(at).map_err(|_| lost(path, "relationship"))?);
        let relationship = self.relationship(table.table(), id, path)?;
        let target = self.readable(relationship.target, path)?;
        let inner = self.dml_scalar(target, rest, path)?;
        let related = self.related(table, id, path)?;
        self.leave();
        Ok(Scalar::Through(Box::new(related), Box::new(inner)))
    }
}

/// `+col`, `-col`, `col`
fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn word<'a>(given: &'a Map<String, Value>, key: &str, path: &Path) -> Result<Option<&'a str>, Error> {
    match given.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) => Ok(Some(word)),
        Some(other) => Err(mismatch("Text", "String", other, &path.key(key))),
    }
}

/// `"col"`, `"rel.col"` or `{"rel": "col"}`
fn way_of(column: &Value, path: &Path) -> Result<Vec<String>, Error> {
    let mut way = Vec::new();
    let mut at = column;
    loop {
        match at {
            Value::String(text) => {
                way.extend(text.split('.').map(str::to_owned));
                return Ok(way);
            }
            Value::Object(one) if one.len() == 1 => {
                for (relationship, rest) in one {
                    way.push(relationship.clone());
                    at = rest;
                }
            }
            other => return Err(mismatch("Object", "Object", other, path)),
        }
    }
}
