//! Values of a row.

use sql::ast::{Argument, Call, Expression, From, Join, Output, Select};
use sql::name::{Identifier, QualifiedName};
use sql::simplify;

use super::{Lowerer, Row};
use crate::filter::qualified;
use crate::ir::{self, CallArgument, Grouped, Related, RowSource, RowType, Scalar, WrittenRows};

impl<'m> Lowerer<'m> {
    /// A value of the row. With `join`, related rows may be joined to the row's query, else they are subqueries.
    pub(super) fn scalar(&mut self, row: &Row, scalar: &Scalar<'m>, join: bool) -> Expression {
        match scalar {
            Scalar::Column(column, None) => row.column(column),
            // case when <role may see it> then "t0"."column" end
            Scalar::Column(column, Some(visible)) => {
                let visible = self.filter(row, row, visible);
                simplify::case(visible, row.column(column))
            }
            Scalar::Computed(call, None) => Expression::Call(self.call(Some(row), call)),
            Scalar::Computed(call, Some(visible)) => {
                let visible = self.filter(row, row, visible);
                let value = Expression::Call(self.call(Some(row), call));
                simplify::case(visible, value)
            }
            Scalar::Through(related, inner) if join => {
                let target = self.join(row, related);
                self.scalar(&target, inner, true)
            }
            // (select "t1"."column" from related as "t1" where … limit 1)
            Scalar::Through(related, inner) => {
                let target = Row::new(self.aliases.fresh());
                let value = self.scalar(&target, inner, false);
                let condition = self.related_condition(row, &target, related);
                Expression::Scalar(Box::new(Select {
                    columns: vec![Output::unnamed(value)],
                    from: Some(table(related.table(), &target)),
                    condition,
                    limit: (!related.unique).then_some(Expression::Integer(1)),
                    ..Select::default()
                }))
            }
            // (select count(*) from related as "t1" where …)
            Scalar::Aggregate(aggregate) => {
                let target = Row::new(self.aliases.fresh());
                let from = self.exists_source(row, &target, aggregate.from.source());
                let condition = self.exists_condition(row, &target, &target, &aggregate.from);
                let value = self.grouped(&target, &aggregate.value);
                Expression::Scalar(Box::new(Select {
                    columns: vec![Output::unnamed(value)],
                    from: Some(from),
                    condition,
                    ..Select::default()
                }))
            }
            Scalar::Grouped(grouped) => self.grouped(row, grouped),
        }
    }

    fn grouped(&mut self, row: &Row, grouped: &Grouped<'m>) -> Expression {
        let mut arguments: Vec<_> = grouped
            .over
            .iter()
            .map(|scalar| self.scalar(row, scalar, false))
            .collect();
        if grouped.function == "count" && arguments.len() > 1 {
            arguments = vec![Expression::Row(arguments)];
        }
        Expression::Aggregate {
            function: grouped.function,
            distinct: grouped.distinct && !arguments.is_empty(),
            arguments,
            order: Vec::new(),
        }
    }

    /// `"schema"."function"("t0".*, ($1)::type, "name" => …)`
    pub(super) fn call(&mut self, row: Option<&Row>, call: &ir::Call<'m>) -> Call {
        let arguments = call
            .arguments
            .iter()
            .map(|(name, argument)| Argument {
                name: name.map(Identifier::from),
                value: match (argument, row) {
                    (CallArgument::Value(value), _) => value.clone(),
                    (CallArgument::Row, Some(row)) => row.whole(),
                    (CallArgument::Row, None) => Expression::Null,
                },
            })
            .collect();
        Call {
            function: call.function.clone(),
            arguments,
        }
    }

    /// `left join related as "t1" on …`; if several rows could match, `left join lateral (… limit 1)`.
    pub(super) fn join(&mut self, row: &Row, related: &Related<'m>) -> Row {
        let key = (row.alias, related.key);
        let known = row
            .joins
            .known
            .borrow()
            .iter()
            .find(|(other, _)| *other == key)
            .map(|(_, alias)| *alias);
        if let Some(alias) = known {
            return row.joined(alias);
        }
        let target = row.joined(self.aliases.fresh());
        row.joins.known.borrow_mut().push((key, target.alias));
        let join = if related.unique {
            let on = self.related_condition(row, &target, related);
            Join {
                from: table(related.table(), &target),
                lateral: false,
                on,
            }
        } else {
            let inner = Row::new(self.aliases.fresh());
            let condition = self.related_condition(row, &inner, related);
            Join {
                from: From::Subquery {
                    select: Box::new(Select {
                        columns: vec![Output::unnamed(Expression::WholeRow(inner.alias))],
                        from: Some(table(related.table(), &inner)),
                        condition,
                        limit: Some(Expression::Integer(1)),
                        ..Select::default()
                    }),
                    alias: target.alias,
                },
                lateral: true,
                on: Expression::True,
            }
        };
        row.joins.list.borrow_mut().push(join);
        target
    }

    fn related_condition(&mut self, row: &Row, target: &Row, related: &Related<'m>) -> Expression {
        let link: Vec<_> = related
            .columns
            .iter()
            .map(|(own, other)| Expression::equal(target.column(other), row.column(own)))
            .collect();
        let filter = self.filter(target, target, &related.filter);
        simplify::and(link.into_iter().chain([filter]))
    }

    /// `"schema"."table" as "t0"`, `"schema"."function"(…) as "t0"`
    pub(super) fn source(&mut self, outer: Option<&Row>, row: &Row, source: &RowSource<'m>) -> From {
        match source {
            RowSource::Table(selectable) => table(selectable.table(), row),
            RowSource::Call(call, _) => From::Function {
                call: self.call(outer, call),
                alias: row.alias,
            },
            RowSource::Written(WrittenRows::Here(rows), _) => From::Inserted {
                rows: *rows,
                alias: row.alias,
            },
            // unnest((current_setting('rowlock.rows0'))::t[]) as "t0"
            RowSource::Written(WrittenRows::Carried(writes), row_type) => From::Function {
                call: unnest(writes, *row_type),
                alias: row.alias,
            },
        }
    }
}

fn unnest(writes: &[usize], row: RowType<'_>) -> Call {
    let rows = match row {
        RowType::Table(table) => writes
            .iter()
            .map(|number| super::write::carried_rows(*number, table.table()))
            .reduce(|before, rows| Expression::binary(before, "||", rows)),
        RowType::Columns(_) => None,
    };
    Call {
        function: QualifiedName::builtin("unnest"),
        arguments: vec![Argument {
            name: None,
            value: rows.unwrap_or(Expression::Null),
        }],
    }
}

pub(super) fn table(table: &schema::model::Table, row: &Row) -> From {
    let name: QualifiedName = qualified(&table.name);
    From::Table {
        name,
        alias: row.alias,
    }
}
