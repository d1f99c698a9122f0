//! What webhooks are asked about the input of a mutation: rows under the names of their table, for each table that is
//! inserted into; arguments as the client gave them, for an update or a delete.

use std::sync::Arc;

use graphql::operation::{Entry, Field, Input};
use graphql::uniform::{Step, UniformKey, UniformValue};
use graphql::{Error, Name, Path};
use indexmap::IndexMap;
use schema::access::ValidateInput;
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{RelationshipKind, RootVerb, Table, TableId};
use serde_json::Value;

use super::entries;
use crate::read::{Reader, argument, lost};
use crate::rows::Rows;
use crate::validation::{Key, Shape, Validation};

/// Webhooks by table, in the order in which they are asked.
type Asked = IndexMap<TableId, Validation>;

impl Reader<'_> {
    /// Notes what is to be asked before the field is executed.
    pub(super) fn validate<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<(), Error> {
        let Some(access) = self.role.tables.get(&id) else {
            return Ok(());
        };
        let (backend, arguments) = (self.backend, field.arguments.as_slice());
        let webhook = match verb {
            RootVerb::Insert | RootVerb::InsertOne => return self.validate_insert(verb, id, field),
            RootVerb::Update | RootVerb::UpdateByPk | RootVerb::UpdateMany => access
                .update(backend)
                .and_then(|access| access.validation.as_ref()),
            _ => access
                .delete(backend)
                .and_then(|access| access.validation.as_ref()),
        };
        let Some(webhook) = webhook else {
            return Ok(());
        };
        let mut validation = Validation::new(webhook);
        match verb {
            RootVerb::UpdateMany => {
                if let Some(updates) = argument(arguments, ArgumentRole::Updates)
                    && let Input::List(items) = &updates.value
                {
                    items.iter().for_each(|item| validation.item(Shape::of(item)));
                }
            }
            RootVerb::DeleteByPk => {
                validation.item(Shape::Object(vec![("pk_columns".into(), given(arguments))]));
            }
            _ => validation.item(given(arguments)),
        }
        self.validations.push(validation);
        Ok(())
    }

    fn validate_insert<I>(
        &mut self,
        verb: RootVerb,
        id: TableId,
        field: &Field<I, Meaning>,
    ) -> Result<(), Error> {
        let backend = self.backend;
        let mut insertable = self
            .role
            .tables
            .values()
            .filter_map(|access| access.insert(backend));
        if !insertable.any(|access| access.validation.is_some()) {
            return Ok(());
        }
        let role = if verb == RootVerb::InsertOne {
            ArgumentRole::Object
        } else {
            ArgumentRole::Objects
        };
        let path = &field.path;
        let objects = argument(&field.arguments, role).ok_or_else(|| lost(path, "objects"))?;
        let mut asked = Asked::new();
        match &objects.value {
            Input::Uniform(uniform) => {
                let rows = Rows {
                    place: uniform.place.clone(),
                    steps: Vec::new(),
                };
                self.validate_uniform(id, &uniform.keys, &rows, path, &mut asked)?;
            }
            rows => self.validate_rows(id, rows, path, &mut asked)?,
        }
        self.validations.extend(asked.into_values());
        Ok(())
    }

    /// `{column: value, relationship: {data: …}}`. As deep as the rows, whose depth is bounded.
    fn row_shape(&self, table: &Table, row: &[Entry<Meaning>]) -> Shape {
        let mut fields: Vec<(Name, Shape)> = Vec::with_capacity(row.len());
        for entry in row {
            match entry.meaning {
                Meaning::Column(id) => {
                    let column = table.column(id).map(|column| column.name.as_str());
                    fields.extend(column.map(|name| (name.into(), Shape::of(&entry.value))));
                }
                Meaning::Relationship(id) => {
                    let data = argument(entries(entry), ArgumentRole::Data);
                    let relationship = table.relationship(id);
                    let target = relationship.and_then(|known| self.model.table(known.target));
                    if let (Some(data), Some(relationship), Some(target)) = (data, relationship, target) {
                        let mut rows = each(&data.value).map(|row| self.row_shape(target, row));
                        let data = match relationship.kind {
                            RelationshipKind::Array => Shape::List(rows.collect()),
                            RelationshipKind::Object => rows.next().unwrap_or(Shape::Constant(Value::Null)),
                        };
                        let data = Shape::Object(vec![("data".into(), data)]);
                        fields.push((relationship.name.as_str().into(), data));
                    }
                }
                _ => {}
            }
        }
        Shape::Object(fields)
    }

    /// The same of keys of rows in a variable.
    fn row_keys(&self, table: &Table, given: &[UniformKey<Meaning>]) -> Vec<Key> {
        let mut keys = Vec::with_capacity(given.len());
        for key in given {
            let (told, below) = match key.meaning {
                Meaning::Column(id) => {
                    let column = table.column(id).map(|column| column.name.as_str());
                    (column.map(Name::from), None)
                }
                Meaning::Relationship(id) => {
                    let relationship = table.relationship(id);
                    let target = relationship.and_then(|known| self.model.table(known.target));
                    let below = target.zip(uniform_data(key)).map(|(target, data)| {
                        let inner = match &data.value {
                            UniformValue::Object(inner) | UniformValue::List(inner) => inner.as_slice(),
                            UniformValue::Leaf(_) => &[],
                        };
                        vec![Key {
                            given: data.name.clone(),
                            told: "data".into(),
                            below: Some(self.row_keys(target, inner)),
                        }]
                    });
                    (relationship.map(|known| known.name.as_str().into()), below)
                }
                _ => (None, None),
            };
            keys.extend(told.map(|told| Key {
                given: key.name.clone(),
                told,
                below,
            }));
        }
        keys
    }

    fn insert_webhook(&self, id: TableId) -> Option<&Arc<ValidateInput>> {
        let access = self.role.tables.get(&id)?.insert(self.backend)?;
        access.validation.as_ref()
    }

    /// The rows, then what stands under each of them.
    fn validate_rows(
        &mut self,
        id: TableId,
        rows: &Input<Meaning>,
        path: &Path,
        asked: &mut Asked,
    ) -> Result<(), Error> {
        self.enter(path)?;
        let model = self.model;
        let table = model.table(id).ok_or_else(|| lost(path, "table"))?;
        if let Some(webhook) = self.insert_webhook(id) {
            let validation = of_table(asked, id, webhook);
            for row in each(rows) {
                validation.item(self.row_shape(table, row));
            }
        }
        for row in each(rows) {
            for entry in row {
                if let Meaning::Relationship(relationship) = entry.meaning
                    && let Some(data) = argument(entries(entry), ArgumentRole::Data)
                {
                    let target = self.relationship(table, relationship, path)?.target;
                    self.validate_rows(target, &data.value, path, asked)?;
                }
            }
        }
        self.leave();
        Ok(())
    }

    /// The same for rows of a variable.
    fn validate_uniform(
        &mut self,
        id: TableId,
        keys: &[UniformKey<Meaning>],
        rows: &Rows,
        path: &Path,
        asked: &mut Asked,
    ) -> Result<(), Error> {
        self.enter(path)?;
        let model = self.model;
        let table = model.table(id).ok_or_else(|| lost(path, "table"))?;
        if let Some(webhook) = self.insert_webhook(id) {
            of_table(asked, id, webhook).rows(rows.clone(), self.row_keys(table, keys));
        }
        for key in keys {
            let Meaning::Relationship(relationship) = key.meaning else {
                continue;
            };
            let Some(data) = uniform_data(key) else {
                continue;
            };
            let target = self.relationship(table, relationship, path)?.target;
            let way = vec![key.name.clone(), data.name.clone()];
            let (inner, step) = match &data.value {
                UniformValue::Object(inner) => (inner, Step::Object(way)),
                UniformValue::List(inner) => (inner, Step::List(way)),
                UniformValue::Leaf(_) => return Err(lost(path, "row")),
            };
            let mut below = rows.clone();
            below.steps.push(step);
            self.validate_uniform(target, inner, &below, path, asked)?;
        }
        self.leave();
        Ok(())
    }
}

/// All arguments under their names.
fn given(arguments: &[Entry<Meaning>]) -> Shape {
    let arguments = arguments.iter();
    Shape::Object(
        arguments
            .map(|entry| (entry.name.clone(), Shape::of(&entry.value)))
            .collect(),
    )
}

fn of_table<'a>(asked: &'a mut Asked, id: TableId, webhook: &Arc<ValidateInput>) -> &'a mut Validation {
    let new = || Validation::new(webhook);
    asked.entry(id).or_insert_with(new)
}

/// The rows of a list, or the only one.
fn each(rows: &Input<Meaning>) -> impl Iterator<Item = &[Entry<Meaning>]> {
    let rows = match rows {
        Input::List(rows) => rows.as_slice(),
        other => std::slice::from_ref(other),
    };
    rows.iter().filter_map(|row| match row {
        Input::Object(entries) => Some(entries.as_slice()),
        _ => None,
    })
}

fn uniform_data(key: &UniformKey<Meaning>) -> Option<&UniformKey<Meaning>> {
    let UniformValue::Object(parts) = &key.value else {
        return None;
    };
    parts
        .iter()
        .find(|part| part.meaning == Meaning::Argument(ArgumentRole::Data))
}
