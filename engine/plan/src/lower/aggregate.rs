//! Aggregates and the rows they are over, in one pass over these rows.

use sql::ast::{Expression, Order, Select};
use sql::shape::{Codec, FieldShape, ObjectShape, ValueShape};

use super::{Lowerer, Query, Row, record, wide};
use crate::ir::{Aggregate, AggregateField, AggregateValue, RowType, Rows, WrittenRows};
use crate::read::function_name;

impl<'m> Lowerer<'m> {
    /// `select count(*), max("t0"."a"), array_agg(row(…) order by …) from …`; where the set of rows depends on
    /// order or number: `from (select … limit …) as "t0"`. Where a role may see fewer rows than it may count, the
    /// nodes are a list of their own.
    pub(super) fn aggregate(
        &mut self,
        outer: Option<&Row>,
        aggregate: &Aggregate<'m>,
    ) -> (Query, ObjectShape) {
        self.aggregate_over(outer, &aggregate.rows, &aggregate.fields)
    }

    /// The same, of rows and fields apart.
    pub(super) fn aggregate_over(
        &mut self,
        outer: Option<&Row>,
        rows: &Rows<'m>,
        fields: &[AggregateField<'m>],
    ) -> (Query, ObjectShape) {
        let mut columns = Vec::new();
        if rows.is_paged() {
            let (row, page) = self.page(outer, rows);
            let over = Over {
                row: &row,
                order: &page.order(),
                rows,
                outer,
            };
            let shape = self.aggregate_fields(&over, fields, &mut columns);
            let select = Select {
                from: Some(page.into_from(&row)),
                joins: row.take_joins(),
                ..Select::default()
            };
            let (columns, shape) = wide::fit(columns, shape);
            return (Query { select, columns }, shape);
        }
        let row = Row::new(self.aliases.fresh());
        let order: Vec<_> = if rows.most.is_none() && has_nodes(fields) {
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
        let over = Over {
            row: &row,
            order: &order,
            rows,
            outer,
        };
        let shape = self.aggregate_fields(&over, fields, &mut columns);
        let select = Select {
            from: Some(self.source(outer, &row, &rows.source)),
            condition: self.condition(outer, &row, rows),
            joins: row.take_joins(),
            ..Select::default()
        };
        let (columns, shape) = wide::fit(columns, shape);
        (Query { select, columns }, shape)
    }

    /// Fields that are about no rows: `select <count>`
    pub(super) fn aggregate_of_nothing(&mut self, fields: &[AggregateField<'m>]) -> (Query, ObjectShape) {
        let rows = Rows::written(WrittenRows::Carried(Vec::new()), RowType::Columns(&[]));
        let row = Row::new(self.aliases.fresh());
        let over = Over {
            row: &row,
            order: &[],
            rows: &rows,
            outer: None,
        };
        let mut columns = Vec::new();
        let shape = self.aggregate_fields(&over, fields, &mut columns);
        let select = Select::default();
        (Query { select, columns }, shape)
    }

    fn aggregate_fields(
        &mut self,
        over: &Over<'_, 'm>,
        fields: &[AggregateField<'m>],
        columns: &mut Vec<Expression>,
    ) -> ObjectShape {
        let row = over.row;
        let fields = fields
            .iter()
            .map(|field| {
                let value = match &field.value {
                    AggregateValue::Constant(json) => ValueShape::Constant(json.clone()),
                    AggregateValue::Object(inner) => {
                        ValueShape::Object(self.aggregate_fields(over, inner, columns))
                    }
                    AggregateValue::Nodes(object) if over.rows.most.is_some() => {
                        let (query, shape) = self.list(over.outer, over.rows, object);
                        ValueShape::List {
                            index: push(columns, Expression::Array(Box::new(record(query)))),
                            item: Box::new(ValueShape::Object(shape)),
                        }
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
                            order: over.order.to_vec(),
                        };
                        ValueShape::List {
                            index: push(columns, nodes),
                            item: Box::new(ValueShape::Object(shape)),
                        }
                    }
                    AggregateValue::Affected => {
                        let count = match &self.affected {
                            Some(total) => total.clone(),
                            None => Expression::Aggregate {
                                function: "count",
                                arguments: Vec::new(),
                                distinct: false,
                                order: Vec::new(),
                            },
                        };
                        ValueShape::Column {
                            index: push(columns, count),
                            codec: Codec::Int8,
                        }
                    }
                    AggregateValue::Count {
                        over: counted,
                        distinct,
                    } => {
                        let mut arguments: Vec<_> = counted
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
                        over: value,
                        type_,
                        class,
                    } => {
                        let value = Expression::Aggregate {
                            function: function_name(*operation),
                            arguments: vec![self.scalar(row, value, false)],
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

/// What an aggregate is over.
struct Over<'a, 'm> {
    /// One of the rows.
    row: &'a Row,
    /// Their order, over that row.
    order: &'a [Order],
    /// The rows.
    rows: &'a Rows<'m>,
    /// The row outside.
    outer: Option<&'a Row>,
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
