//! Aggregates and the rows they are over, in one pass over these rows.

use sql::ast::{Expression, Order, Select};
use sql::shape::{Codec, FieldShape, ObjectShape, ValueShape};

use super::{Lowerer, Query, Row, wide};
use crate::ir::{Aggregate, AggregateField, AggregateValue};
use crate::read::function_name;

impl<'m> Lowerer<'m> {
    /// `select count(*), max("t0"."a"), array_agg(row(…) order by …) from …`; where the set of rows depends on
    /// order or number: `from (select … limit …) as "t0"`.
    pub(super) fn aggregate(
        &mut self,
        outer: Option<&Row>,
        aggregate: &Aggregate<'m>,
    ) -> (Query, ObjectShape) {
        let rows = &aggregate.rows;
        let mut columns = Vec::new();
        if rows.is_paged() {
            let (row, page) = self.page(outer, rows);
            let shape = self.aggregate_fields(&row, &page.order(), &aggregate.fields, &mut columns);
            let select = Select {
                from: Some(page.into_from(&row)),
                joins: row.take_joins(),
                ..Select::default()
            };
            let (columns, shape) = wide::fit(columns, shape);
            return (Query { select, columns }, shape);
        }
        let row = Row::new(self.aliases.fresh());
        let order = if has_nodes(&aggregate.fields) {
            rows.order
                .iter()
                .map(|key| Order {
                    by: self.scalar(&row, &key.by, true),
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                })
                .collect()
        } else {
            Vec::new()
        };
        let shape = self.aggregate_fields(&row, &order, &aggregate.fields, &mut columns);
        let select = Select {
            from: Some(self.source(outer, &row, &rows.source)),
            condition: self.condition(outer, &row, rows),
            joins: row.take_joins(),
            ..Select::default()
        };
        let (columns, shape) = wide::fit(columns, shape);
        (Query { select, columns }, shape)
    }

    fn aggregate_fields(
        &mut self,
        row: &Row,
        order: &[Order],
        fields: &[AggregateField<'m>],
        columns: &mut Vec<Expression>,
    ) -> ObjectShape {
        let fields = fields
            .iter()
            .map(|field| {
                let value = match &field.value {
                    AggregateValue::Constant(json) => ValueShape::Constant(json.clone()),
                    AggregateValue::Object(inner) => {
                        ValueShape::Object(self.aggregate_fields(row, order, inner, columns))
                    }
                    AggregateValue::Nodes(object) => {
                        let (mut inner, shape) = self.object(row, object);
                        if inner.is_empty() {
                            inner.push(Expression::True);
                        }
                        let (inner, shape) = wide::fit(inner, shape);
                        let nodes = Expression::Aggregate {
                            function: "array_agg",
                            arguments: vec![Expression::Row(inner)],
                            distinct: false,
                            order: order.to_vec(),
                        };
                        ValueShape::List {
                            index: push(columns, nodes),
                            item: Box::new(ValueShape::Object(shape)),
                        }
                    }
                    AggregateValue::Count { over, distinct } => {
                        let mut arguments: Vec<_> = over
                            .iter()
                            .map(|scalar| self.scalar(row, scalar, false))
                            .collect();
                        if arguments.len() > 1 {
                            arguments = vec![Expression::Row(arguments)];
                        }
                        let count = Expression::Aggregate {
                            function: "count",
                            arguments,
                            distinct: *distinct,
                            order: Vec::new(),
                        };
                        ValueShape::Column {
                            index: push(columns, count),
                            codec: Codec::Int8,
                        }
                    }
                    AggregateValue::Operation {
                        operation,
                        over,
                        type_,
                        class,
                    } => {
                        let value = Expression::Aggregate {
                            function: function_name(*operation),
                            arguments: vec![self.scalar(row, over, false)],
                            distinct: false,
                            order: Vec::new(),
                        };
                        let (value, codec) = self.aggregate_output(value, *operation, type_, class);
                        ValueShape::Column {
                            index: push(columns, value),
                            codec,
                        }
                    }
                };
                FieldShape {
                    key: field.key.clone(),
                    value,
                }
            })
            .collect();
        ObjectShape {
            presence: None,
            fields,
        }
    }
}

fn has_nodes(fields: &[AggregateField<'_>]) -> bool {
    fields
        .iter()
        .any(|field| matches!(field.value, AggregateValue::Nodes(_)))
}

/// Adds a column, or finds the same one.
fn push(columns: &mut Vec<Expression>, value: Expression) -> u16 {
    let at = columns
        .iter()
        .position(|column| *column == value)
        .unwrap_or_else(|| {
            columns.push(value);
            columns.len() - 1
        });
    u16::try_from(at).unwrap_or(u16::MAX)
}
