//! `T_aggregate { aggregate { count sum { … } } nodes { … } }`

use graphql::operation::{Field, FieldTarget, Input};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::Returns;

use super::{Reader, argument, json_key, json_string, lost};
use crate::ir::{Aggregate, AggregateField, AggregateValue, RowType, Rows};

impl<'m> Reader<'m> {
    /// An aggregate over rows.
    pub(crate) fn aggregate<I>(
        &mut self,
        rows: Rows<'m>,
        selection: &[Field<I, Meaning>],
    ) -> Result<Aggregate<'m>, Error> {
        let row = rows.source.row_type();
        let fields = selection
            .iter()
            .map(|field| {
                let value = match &field.target {
                    FieldTarget::Typename(name) => typename(name),
                    FieldTarget::Field {
                        meaning: Meaning::Nodes,
                        ..
                    } => AggregateValue::Nodes(self.object(row, &field.selection)?),
                    FieldTarget::Field {
                        meaning: Meaning::Aggregate,
                        ..
                    } => AggregateValue::Object(self.aggregate_fields(row, &field.selection)?),
                    _ => return Err(lost(&field.path, "field")),
                };
                Ok(AggregateField {
                    key: json_key(&field.response_key),
                    value,
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Aggregate { rows, fields })
    }

    fn aggregate_fields<I>(
        &mut self,
        row: RowType<'m>,
        selection: &[Field<I, Meaning>],
    ) -> Result<Vec<AggregateField<'m>>, Error> {
        selection
            .iter()
            .map(|field| {
                let value = match &field.target {
                    FieldTarget::Typename(name) => typename(name),
                    FieldTarget::Field {
                        meaning: Meaning::Count,
                        ..
                    } => self.count_field(row, field)?,
                    FieldTarget::Field {
                        meaning: Meaning::AggregateOperation(operation),
                        ..
                    } => AggregateValue::Object(self.operation_fields(row, *operation, &field.selection)?),
                    _ => return Err(lost(&field.path, "field")),
                };
                Ok(AggregateField {
                    key: json_key(&field.response_key),
                    value,
                })
            })
            .collect()
    }

    fn count_field<I>(
        &mut self,
        row: RowType<'m>,
        field: &Field<I, Meaning>,
    ) -> Result<AggregateValue<'m>, Error> {
        let mut over = Vec::new();
        if let Some(columns) = argument(&field.arguments, ArgumentRole::Columns) {
            self.enum_columns(row, &columns.value, &columns.path, &mut over)?;
        }
        let distinct = match argument(&field.arguments, ArgumentRole::Distinct).map(|entry| &entry.value) {
            Some(Input::Leaf(leaf)) => self.fixed_bool(leaf),
            _ => false,
        };
        Ok(AggregateValue::Count {
            distinct: distinct && !over.is_empty(),
            over,
        })
    }

    fn operation_fields<I>(
        &mut self,
        row: RowType<'m>,
        operation: schema::meaning::AggregateOperation,
        selection: &[Field<I, Meaning>],
    ) -> Result<Vec<AggregateField<'m>>, Error> {
        selection
            .iter()
            .map(|field| {
                let value = match &field.target {
                    FieldTarget::Typename(name) => typename(name),
                    FieldTarget::Field { meaning, .. } => {
                        self.operation_field(row, operation, *meaning, field, &field.path)?
                    }
                    _ => return Err(lost(&field.path, "field")),
                };
                Ok(AggregateField {
                    key: json_key(&field.response_key),
                    value,
                })
            })
            .collect()
    }

    fn operation_field<I>(
        &mut self,
        row: RowType<'m>,
        operation: schema::meaning::AggregateOperation,
        meaning: Meaning,
        field: &Field<I, Meaning>,
        path: &Path,
    ) -> Result<AggregateValue<'m>, Error> {
        match (meaning, row) {
            (Meaning::Column(id), _) => {
                let over = self.column(row, id, path)?;
                let column = row
                    .columns()
                    .get(usize::from(id.0))
                    .ok_or_else(|| lost(path, "column"))?;
                Ok(AggregateValue::Operation {
                    operation,
                    over,
                    type_: &column.type_,
                    class: &column.scalar,
                })
            }
            (Meaning::ComputedField(id), RowType::Table(table)) => {
                let over = self.computed_scalar(table, id, Some(&field.arguments), path)?;
                let known = table.table().computed_fields.get(usize::from(id.0));
                let Some(Returns::Scalar { type_, scalar }) = known.map(|known| &known.returns) else {
                    return Err(lost(path, "computed field"));
                };
                Ok(AggregateValue::Operation {
                    operation,
                    over,
                    type_,
                    class: scalar,
                })
            }
            _ => Err(lost(path, "field")),
        }
    }
}

fn typename<'m>(name: &str) -> AggregateValue<'m> {
    AggregateValue::Constant(json_string(name).into_bytes().into_boxed_slice())
}
