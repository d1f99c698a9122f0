//! The selection set of a row: columns, computed fields, relationships.

use graphql::operation::{Field, FieldTarget, Input};
use graphql::{Code, Error};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{ComputedFieldId, RelationshipKind, Returns};
use serde_json::Value;
use sql::ast::Expression;
use sql::name::TypeName;

use super::{Reader, Wanted, argument, json_key, json_path, json_string, lost};
use crate::ir::{self, FieldValue, Object, RowSource, RowType, SelectTable};
use crate::prepared::Encoding;
use crate::value::constant;

impl<'m> Reader<'m> {
    /// The fields selected of a row.
    pub(crate) fn object<I>(
        &mut self,
        row: RowType<'m>,
        selection: &[Field<I, Meaning>],
    ) -> Result<Object<'m>, Error> {
        let mut object = Object::default();
        for field in selection {
            self.enter(&field.path)?;
            let value = self.field(row, field)?;
            self.leave();
            object.fields.push(ir::Field {
                key: json_key(&field.response_key),
                value,
            });
        }
        Ok(object)
    }

    fn field<I>(&mut self, row: RowType<'m>, field: &Field<I, Meaning>) -> Result<FieldValue<'m>, Error> {
        let path = &field.path;
        let meaning = match &field.target {
            FieldTarget::Typename(name) => return Ok(typename(name)),
            FieldTarget::Field { meaning, .. } => *meaning,
            FieldTarget::Schema(_) | FieldTarget::Type(_) => return Err(lost(path, "field")),
        };
        match (meaning, row) {
            (Meaning::Column(id), _) => {
                let scalar = self.column(row, id, path)?;
                let column = row
                    .columns()
                    .get(usize::from(id.0))
                    .ok_or_else(|| lost(path, "column"))?;
                Ok(FieldValue::Scalar {
                    scalar,
                    type_: &column.type_,
                    class: &column.scalar,
                    path: self.json_path(field)?,
                })
            }
            (Meaning::ComputedField(id), RowType::Table(table)) => self.computed_field(table, id, field),
            (Meaning::Relationship(id), RowType::Table(table)) => {
                let relationship = self.relationship(table.table(), id, path)?;
                if relationship.kind == RelationshipKind::Object {
                    let related = self.related(table, id, path)?;
                    let target = self.table(relationship.target, path)?;
                    let object = self.object(RowType::Table(target), &field.selection)?;
                    return Ok(FieldValue::Object(related, object));
                }
                let rows = self.related_rows(table, id, field)?;
                let object = self.object(rows.source.row_type(), &field.selection)?;
                Ok(FieldValue::List(Box::new(rows), object))
            }
            (Meaning::RelationshipAggregate(id), RowType::Table(table)) => {
                let rows = self.related_rows(table, id, field)?;
                Ok(FieldValue::Aggregate(Box::new(
                    self.aggregate(rows, &field.selection)?,
                )))
            }
            _ => Err(lost(path, "field")),
        }
    }

    fn related_rows<I>(
        &mut self,
        table: SelectTable<'m>,
        id: schema::model::RelationshipId,
        field: &Field<I, Meaning>,
    ) -> Result<ir::Rows<'m>, Error> {
        let relationship = self.relationship(table.table(), id, &field.path)?;
        let target = self.table(relationship.target, &field.path)?;
        let link = self.pairs(table.table(), relationship, &field.path)?;
        self.rows(Wanted {
            source: RowSource::Table(target),
            link,
            arguments: &field.arguments,
            path: &field.path,
        })
    }

    fn computed_field<I>(
        &mut self,
        table: SelectTable<'m>,
        id: ComputedFieldId,
        field: &Field<I, Meaning>,
    ) -> Result<FieldValue<'m>, Error> {
        let path = &field.path;
        let known = table
            .table()
            .computed_fields
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "computed field"))?;
        let row = match &known.returns {
            Returns::Scalar { type_, scalar } => {
                return Ok(FieldValue::Scalar {
                    scalar: self.computed_scalar(table, id, Some(&field.arguments), path)?,
                    type_,
                    class: scalar,
                    path: self.json_path(field)?,
                });
            }
            Returns::Table(target) => RowType::Table(self.table(*target, path)?),
            Returns::Rows { columns, .. } => RowType::Columns(columns),
        };
        let given = self.call_arguments(&field.arguments);
        let call = self.computed_call(known, Some(given), path)?;
        let rows = self.rows(Wanted {
            source: RowSource::Call(call, row),
            link: Vec::new(),
            arguments: &field.arguments,
            path,
        })?;
        let object = self.object(row, &field.selection)?;
        Ok(if known.returns_set {
            FieldValue::List(Box::new(rows), object)
        } else {
            FieldValue::Single(Box::new(rows), object)
        })
    }

    /// `col(path: "$.a[0]")` → `'{a,0}'`, the right-hand side of `#>`.
    fn json_path<I>(&mut self, field: &Field<I, Meaning>) -> Result<Option<Expression>, Error> {
        let Some(entry) = argument(&field.arguments, ArgumentRole::JsonPath) else {
            return Ok(None);
        };
        let Input::Leaf(leaf) = &entry.value else {
            return Ok(None);
        };
        self.fixed(leaf);
        let text = leaf.value.as_str().unwrap_or_default();
        let keys = json_path::parse(text).map_err(|wrong| Error {
            code: Code::ParseFailed,
            path: entry.path.clone(),
            message: format!("parse json path error: {wrong}"),
        })?;
        if keys.is_empty() {
            return Ok(None);
        }
        let keys = Value::Array(keys.into_iter().map(Value::String).collect());
        Ok(Some(Expression::Parameter {
            value: constant(&keys, Encoding::Array, leaf.class),
            type_: TypeName::builtin("text").array_of(),
        }))
    }
}

fn typename<'m>(name: &str) -> FieldValue<'m> {
    FieldValue::Constant(json_string(name).into_bytes().into_boxed_slice())
}
