//! Booleans over a row.

use sql::ast::{Expression, From, Operator, Output, Select};
use sql::name::TypeName;
use sql::simplify;

use super::scalar::table;
use super::{Lowerer, Row};
use crate::ir::filter::ExistsSource;
use crate::ir::{Exists, Filter, Right, Test};

impl<'m> Lowerer<'m> {
    /// The filter over `row`; `root` is the row that `["$", column]` operands are about.
    pub(super) fn filter(&mut self, row: &Row, root: &Row, filter: &Filter<'m>) -> Expression {
        match filter {
            Filter::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.filter(row, root, part)).collect();
                simplify::and(parts)
            }
            Filter::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.filter(row, root, part)).collect();
                simplify::or(parts)
            }
            Filter::Not(part) => simplify::not(self.filter(row, root, part)),
            Filter::Rooted(part) => self.filter(row, row, part),
            Filter::Test(value, test) => {
                let value = self.scalar(row, value, false);
                self.test(row, root, value, test)
            }
            Filter::Exists(exists) => self.exists(row, root, exists),
        }
    }

    fn test(&mut self, row: &Row, root: &Row, value: Expression, test: &Test<'m>) -> Expression {
        let cast = |cast: &Option<TypeName>| match cast {
            Some(type_) => value.clone().cast(type_.clone()),
            None => value.clone(),
        };
        match test {
            Test::IsNull => Expression::IsNull(Box::new(value)),
            Test::IsNotNull => Expression::IsNotNull(Box::new(value)),
            Test::Binary {
                cast: type_,
                operator,
                right,
            } => {
                let left = cast(type_);
                let right = match right {
                    Right::Value(value) => value.clone(),
                    Right::Row(scalar) => self.scalar(row, scalar, false),
                    Right::Root(scalar) => self.scalar(root, scalar, false),
                };
                binary(left, operator, right)
            }
            Test::Quantified {
                cast: type_,
                operator,
                all,
                array,
            } => Expression::Quantified {
                left: Box::new(cast(type_)),
                operator,
                all: *all,
                array: Box::new(array.clone()),
            },
            Test::Function {
                cast: type_,
                function,
                arguments,
            } => {
                let mut all = vec![cast(type_)];
                all.extend(arguments.iter().cloned());
                Expression::call(function.clone(), all)
            }
        }
    }

    /// `exists (select 1 from related as "t1" where "t1"."a_id" = "t0"."id" and … [having …])`
    fn exists(&mut self, row: &Row, root: &Row, exists: &Exists<'m>) -> Expression {
        let target = Row::new(self.aliases.fresh());
        let from = self.exists_source(row, &target, exists.source());
        let condition = self.exists_condition(row, &target, root, exists);
        let having = self.filter(&target, root, &exists.having);
        let grouped = !matches!(&exists.having, Filter::All(parts) if parts.is_empty());
        if condition == Expression::False && !grouped {
            return Expression::False;
        }
        Expression::Exists(Box::new(Select {
            columns: vec![Output::unnamed(Expression::Integer(1))],
            from: Some(from),
            condition,
            having,
            ..Select::default()
        }))
    }

    /// Which rows of the source belong to the row outside and pass the filter.
    pub(super) fn exists_condition(
        &mut self,
        row: &Row,
        target: &Row,
        root: &Row,
        exists: &Exists<'m>,
    ) -> Expression {
        let link: Vec<_> = exists
            .link
            .iter()
            .map(|(own, other)| Expression::equal(target.column(other), row.column(own)))
            .collect();
        let filter = self.filter(target, root, &exists.filter);
        simplify::and(link.into_iter().chain([filter]))
    }

    pub(super) fn exists_source(&mut self, row: &Row, target: &Row, source: &ExistsSource<'m>) -> From {
        match source {
            ExistsSource::Table(known) => table(known, target),
            ExistsSource::Call(call) => From::Function {
                call: self.call(Some(row), call),
                alias: target.alias,
            },
        }
    }
}

fn binary(left: Expression, operator: &Operator, right: Expression) -> Expression {
    Expression::Binary {
        left: Box::new(left),
        operator: operator.clone(),
        right: Box::new(right),
    }
}
