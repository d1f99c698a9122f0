//! The fields of a row as output columns, and where each is found in the answer.

use sql::ast::Expression;
use sql::shape::{FieldShape, ObjectShape, ValueShape};

use super::{Lowerer, Row, record};
use crate::ir::{FieldValue, Object, Related};

impl<'m> Lowerer<'m> {
    /// The columns of an object and its shape over them.
    pub(super) fn object(&mut self, row: &Row, object: &Object<'m>) -> (Vec<Expression>, ObjectShape) {
        let mut columns = Vec::with_capacity(object.fields.len());
        let shape = self.fields(row, object, &mut columns);
        (columns, shape)
    }

    fn fields(&mut self, row: &Row, object: &Object<'m>, columns: &mut Vec<Expression>) -> ObjectShape {
        let mut fields = Vec::with_capacity(object.fields.len());
        for field in &object.fields {
            let value = match &field.value {
                FieldValue::Constant(json) => ValueShape::Constant(json.clone()),
                FieldValue::Scalar {
                    scalar,
                    type_,
                    class,
                    path,
                } => {
                    let mut value = self.scalar(row, scalar, true);
                    if let Some(path) = path {
                        value = Expression::binary(value, "#>", path.clone());
                    }
                    let (value, codec) = self.output(value, type_, class);
                    ValueShape::Column {
                        index: push(columns, value),
                        codec,
                    }
                }
                FieldValue::Object(related, inner) => {
                    ValueShape::Object(self.related_object(row, related, inner, columns))
                }
                FieldValue::List(rows, inner) => {
                    let (query, shape) = self.list(Some(row), rows, inner);
                    ValueShape::List {
                        index: push(columns, Expression::Array(Box::new(record(query)))),
                        item: Box::new(ValueShape::Object(shape)),
                    }
                }
                FieldValue::Single(rows, inner) => {
                    let (query, shape) = self.list(Some(row), rows, inner);
                    ValueShape::Record {
                        index: push(columns, Expression::Scalar(Box::new(record(query)))),
                        value: Box::new(ValueShape::Object(shape)),
                    }
                }
                FieldValue::Aggregate(aggregate) => {
                    let (query, shape) = self.aggregate(Some(row), aggregate);
                    ValueShape::Record {
                        index: push(columns, Expression::Scalar(Box::new(record(query)))),
                        value: Box::new(ValueShape::Object(shape)),
                    }
                }
            };
            fields.push(FieldShape {
                key: field.key.clone(),
                value,
            });
        }
        ObjectShape {
            presence: None,
            fields,
        }
    }

    /// The related row's fields as columns of this row, and one that tells whether there is such a row: joined
    /// columns are never null in a row that was found.
    fn related_object(
        &mut self,
        row: &Row,
        related: &Related<'m>,
        object: &Object<'m>,
        columns: &mut Vec<Expression>,
    ) -> ObjectShape {
        let target = self.join(row, related);
        let presence = related
            .columns
            .first()
            .map(|(_, other)| Expression::IsNotNull(Box::new(target.column(other))));
        let presence = presence.map(|value| match columns.iter().position(|column| *column == value) {
            Some(at) => u16::try_from(at).unwrap_or(u16::MAX),
            None => push(columns, value),
        });
        let mut shape = self.fields(&target, object, columns);
        shape.presence = presence;
        shape
    }
}

/// Adds a column; a row that is too wide is refused before it gets this far.
fn push(columns: &mut Vec<Expression>, value: Expression) -> u16 {
    let at = u16::try_from(columns.len()).unwrap_or(u16::MAX);
    columns.push(value);
    at
}
