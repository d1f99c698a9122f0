//! Lists of rows: filter, order and page, with the page drawn before anything is joined to its rows.

use sql::ast::{Expression, From, Order, Output, Select};
use sql::name::TypeName;
use sql::shape::ObjectShape;
use sql::simplify;

use super::{Lowerer, Query, Row, free_name, wide};
use crate::ir::{FieldValue, Object, RowSource, RowType, Rows, Scalar, WrittenRows};

impl<'m> Lowerer<'m> {
    /// The rows that are returned, with the object's fields as columns.
    ///
    /// Where a page is drawn and to-one objects are selected:
    /// `select … from (select … from table where … order by … limit …) as "t0" left join … order by …`
    pub(super) fn list(
        &mut self,
        outer: Option<&Row>,
        rows: &Rows<'m>,
        object: &Object<'m>,
    ) -> (Query, ObjectShape) {
        let rows = &rows.returned();
        if needs_page_first(rows, object) {
            let (row, page) = self.page(outer, rows);
            let (columns, shape) = self.object(&row, object);
            let order = page.order();
            let select = Select {
                from: Some(page.into_from(&row)),
                joins: row.take_joins(),
                order,
                ..Select::default()
            };
            let (columns, shape) = wide::fit(columns, shape);
            return (Query { select, columns }, shape);
        }
        let row = Row::new(self.aliases.fresh());
        let (columns, shape) = self.object(&row, object);
        let select = self.base(outer, &row, rows);
        let (columns, shape) = wide::fit(columns, shape);
        (Query { select, columns }, shape)
    }

    /// `from … where … order by … limit …`, with the joins of the row, and no columns yet.
    pub(super) fn base(&mut self, outer: Option<&Row>, row: &Row, rows: &Rows<'m>) -> Select {
        let order: Vec<_> = rows
            .order
            .iter()
            .map(|key| Order {
                by: self.scalar(row, &key.by, true),
                descending: key.descending,
                nulls_first: key.nulls_first,
            })
            .collect();
        let distinct_on = rows
            .distinct
            .iter()
            .map(|scalar| self.scalar(row, scalar, true))
            .collect();
        Select {
            distinct_on,
            columns: Vec::new(),
            from: Some(self.source(outer, row, &rows.source)),
            condition: self.condition(outer, row, rows),
            joins: row.take_joins(),
            having: Expression::True,
            order,
            limit: rows.limit.clone(),
            offset: rows.offset.clone(),
        }
    }

    /// Which rows: those of the row outside that pass the filter.
    pub(super) fn condition(&mut self, outer: Option<&Row>, row: &Row, rows: &Rows<'m>) -> Expression {
        let mut parts = Vec::with_capacity(rows.link.len() + 1);
        if let Some(outer) = outer {
            for (own, other) in &rows.link {
                parts.push(Expression::equal(row.column(other), outer.column(own)));
            }
        }
        parts.push(self.filter(row, row, &rows.filter));
        simplify::and(parts)
    }

    /// The page as a subquery; its columns are decided by what is read of the row.
    pub(super) fn page(&mut self, outer: Option<&Row>, rows: &Rows<'m>) -> (Row, Page) {
        let columns = rows.source.row_type().columns();
        let row = Row::of_subquery(self.aliases.fresh(), columns);
        let inner = Row::new(self.aliases.fresh());
        let mut select = self.base(outer, &inner, rows);
        let mut order = Vec::new();
        for (at, (key, printed)) in rows.order.iter().zip(&select.order).enumerate() {
            let by = match &key.by {
                Scalar::Column(column, None) => row.column(column),
                _ => {
                    let name = free_name(&at.to_string(), columns);
                    select
                        .columns
                        .push(Output::named(printed.by.clone(), name.clone()));
                    Expression::Column(row.alias, name)
                }
            };
            order.push(Order {
                by,
                descending: key.descending,
                nulls_first: key.nulls_first,
            });
        }
        if matches!(rows.source, RowSource::Written(WrittenRows::Carried(_), _)) {
            let name = free_name("order", columns);
            select
                .columns
                .push(Output::named(Expression::RowNumber, name.clone()));
            order.push(Order {
                by: Expression::Column(row.alias, name),
                descending: false,
                nulls_first: false,
            });
        }
        (
            row,
            Page {
                select,
                inner,
                order,
                row_type: match rows.source.row_type() {
                    RowType::Table(table) => {
                        let name = &table.table().name;
                        Some(TypeName::new(&name.schema, &name.name))
                    }
                    RowType::Columns(_) => None,
                },
            },
        )
    }
}

/// A page of rows that is being read from.
pub(super) struct Page {
    select: Select,
    inner: Row,
    order: Vec<Order>,
    /// The row type of the table; only its rows are arguments of computed fields.
    row_type: Option<TypeName>,
}

impl Page {
    /// The order of the page, for the query around it.
    pub(super) fn order(&self) -> Vec<Order> {
        self.order.clone()
    }

    /// `(select …) as "t0"` with just the columns that were read of the row.
    pub(super) fn into_from(mut self, row: &Row) -> From {
        if let Some(exports) = &row.exports {
            let exports = exports.borrow();
            let mut columns: Vec<_> = exports
                .columns
                .iter()
                .map(|name| Output::unnamed(Expression::Column(self.inner.alias, name.clone())))
                .collect();
            if exports.whole
                && let Some(type_) = &self.row_type
            {
                columns.push(Output::named(
                    Expression::WholeRow(self.inner.alias).cast(type_.clone()),
                    exports.whole_name.clone(),
                ));
            }
            columns.append(&mut self.select.columns);
            // Postgres takes a select of no columns, but not with `distinct on`.
            if columns.is_empty() && !self.select.distinct_on.is_empty() {
                columns.push(Output::unnamed(Expression::True));
            }
            self.select.columns = columns;
        }
        From::Subquery {
            select: Box::new(self.select),
            alias: row.alias,
        }
    }
}

/// Joins before a page is drawn would be made for rows that are thrown away.
fn needs_page_first(rows: &Rows<'_>, object: &Object<'_>) -> bool {
    let skips = rows.offset.is_some() || !rows.distinct.is_empty();
    rows.is_paged()
        && object.fields.iter().any(|field| match &field.value {
            FieldValue::Object(..) => true,
            // Subqueries are put off until after the sort by Postgres itself, but not until after an offset.
            FieldValue::List(..) | FieldValue::Single(..) | FieldValue::Aggregate(_) => skips,
            FieldValue::Constant(_) | FieldValue::Scalar { .. } => false,
        })
}
