//! A permission's stored expression → a filter. The filters of other tables do not apply inside it; that is
//! what makes it a permission (compatible with Hasura v2).

use std::sync::Arc;

use graphql::{Error, Path};
use schema::model::{ColumnId, PredicateId, RelationshipId, Table, TableId};
use schema::predicate::{AggregatePredicate, Comparison, Operand, Predicate};
use schema::scalar::ScalarClass;
use sql::ast::Operator;
use sql::name::TypeName;

use super::operator::{Left, column_symbol};
use super::{Given, Subject};
use crate::ir::table::PredicateTable;
use crate::ir::{CallArgument, Exists, Filter, Grouped, Related, Right, Scalar};
use crate::read::{Reader, lost};

/// The row a stored expression is about: a table's, or that of an aggregate over it.
#[derive(Clone, Copy)]
struct Row<'m> {
    table: PredicateTable<'m>,
    /// The table at the root of the whole expression.
    root: PredicateTable<'m>,
}

impl<'m> Reader<'m> {
    /// An interned predicate about rows of `table`.
    pub(crate) fn stored(
        &mut self,
        table: TableId,
        id: PredicateId,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let predicate = self.model.predicate(id).ok_or_else(|| lost(path, "permission"))?;
        if matches!(predicate, Predicate::And(parts) if parts.is_empty()) {
            return Ok(Filter::always());
        }
        self.stored_on(table, predicate, path)
    }

    /// Lowers a predicate about rows of `table`.
    pub(crate) fn stored_on(
        &mut self,
        table: TableId,
        predicate: &'m Predicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let subject =
            PredicateTable::in_stored_predicate(self.model, table).ok_or_else(|| lost(path, "table"))?;
        let row = Row {
            table: subject,
            root: subject,
        };
        Ok(Filter::Rooted(Box::new(self.predicate(row, predicate, path)?)))
    }

    fn predicate(
        &mut self,
        row: Row<'m>,
        predicate: &'m Predicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        self.enter(path)?;
        let filter = match predicate {
            Predicate::And(parts) => Filter::All(self.predicates(row, parts, path)?),
            Predicate::Or(parts) => Filter::Any(self.predicates(row, parts, path)?),
            Predicate::Not(part) => Filter::Not(Box::new(self.predicate(row, part, path)?)),
            Predicate::Column(column, comparison) => {
                let column = stored_column(row.table.table(), *column, path)?;
                let subject = Subject::of(&column.type_, &column.scalar);
                self.stored_comparison(row, Scalar::Column(column, None), subject, comparison, path)?
            }
            Predicate::ComputedField(id, comparison) => {
                let field = row
                    .table
                    .table()
                    .computed_fields
                    .get(usize::from(id.0))
                    .ok_or_else(|| lost(path, "computed field"))?;
                let schema::model::Returns::Scalar { type_, scalar } = &field.returns else {
                    return Err(lost(path, "scalar computed field"));
                };
                let call = self.computed_call(field, None, path)?;
                let subject = Subject::of(type_, scalar);
                self.stored_comparison(row, Scalar::Computed(call, None), subject, comparison, path)?
            }
            Predicate::ComputedTable(id, inner) => {
                let field = row
                    .table
                    .table()
                    .computed_fields
                    .get(usize::from(id.0))
                    .ok_or_else(|| lost(path, "computed field"))?;
                let schema::model::Returns::Table(table) = field.returns else {
                    return Err(lost(path, "table computed field"));
                };
                let call = self.computed_call(field, None, path)?;
                let inside = self.inside(row, table, path)?;
                let filter = self.predicate(inside, inner, path)?;
                Filter::Exists(Box::new(Exists::of_call(call, filter)))
            }
            Predicate::Relationship(id, inner) => {
                let own = row.table.table();
                let relationship = self.relationship(own, *id, path)?;
                let link = self.pairs(own, relationship, path)?;
                let inside = self.inside(row, relationship.target, path)?;
                let filter = self.predicate(inside, inner, path)?;
                Filter::Exists(Box::new(Exists::stored(inside.table, link, filter)))
            }
            Predicate::Aggregate(id, aggregate) => self.stored_aggregate(row, *id, aggregate, path)?,
            Predicate::Exists(table, inner) => {
                let inside = self.inside(row, *table, path)?;
                let filter = self.predicate(inside, inner, path)?;
                Filter::Exists(Box::new(Exists::stored(inside.table, Vec::new(), filter)))
            }
        };
        self.leave();
        Ok(filter)
    }

    fn predicates(
        &mut self,
        row: Row<'m>,
        parts: &'m [Predicate],
        path: &Path,
    ) -> Result<Vec<Filter<'m>>, Error> {
        parts.iter().map(|part| self.predicate(row, part, path)).collect()
    }

    fn inside(&self, row: Row<'m>, table: TableId, path: &Path) -> Result<Row<'m>, Error> {
        Ok(Row {
            table: PredicateTable::in_stored_predicate(self.model, table)
                .ok_or_else(|| lost(path, "table"))?,
            root: row.root,
        })
    }

    fn stored_comparison(
        &mut self,
        row: Row<'m>,
        value: Scalar<'m>,
        subject: Subject,
        comparison: &'m Comparison,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let left = self.stored_left(value, subject, comparison);
        match &comparison.operand {
            Operand::Column { path: way, column } => {
                let right = self.column_behind(row.table, way, *column, path)?;
                let symbol = Operator::Builtin(column_symbol(comparison.operator));
                Ok(left.binary(symbol, Right::Row(right)))
            }
            Operand::RootColumn { path: way, column } => {
                let right = self.column_behind(row.root, way, *column, path)?;
                let symbol = Operator::Builtin(column_symbol(comparison.operator));
                Ok(left.binary(symbol, Right::Root(right)))
            }
            operand => self.compare(&left, comparison.operator, Given::Stored(operand), path),
        }
    }

    fn stored_left(&self, value: Scalar<'m>, subject: Subject, comparison: &Comparison) -> Left<'m> {
        let (subject, cast) = match comparison.cast {
            None => (subject, None),
            Some(target) => {
                let (subject, type_) = self.cast_subject(target);
                (subject, Some(type_))
            }
        };
        Left { value, subject, cast }
    }

    /// What a `_cast` target compares as.
    pub(crate) fn cast_subject(&self, target: &str) -> (Subject, TypeName) {
        let extensions = self.extensions();
        match target {
            "geometry" => (
                Subject::extension(extensions, "geometry", ScalarClass::Geometry),
                TypeName::new(extensions, "geometry"),
            ),
            "geography" => (
                Subject::extension(extensions, "geography", ScalarClass::Geography),
                TypeName::new(extensions, "geography"),
            ),
            _ => (
                Subject::builtin("text", ScalarClass::Text, "String"),
                TypeName::builtin("text"),
            ),
        }
    }

    /// A column at the end of a way of object relationships.
    fn column_behind(
        &mut self,
        from: PredicateTable<'m>,
        way: &[RelationshipId],
        column: ColumnId,
        path: &Path,
    ) -> Result<Scalar<'m>, Error> {
        let Some((first, rest)) = way.split_first() else {
            return Ok(Scalar::Column(stored_column(from.table(), column, path)?, None));
        };
        self.enter(path)?;
        let relationship = self.relationship(from.table(), *first, path)?;
        let columns = self.pairs(from.table(), relationship, path)?;
        let target = PredicateTable::in_stored_predicate(self.model, relationship.target)
            .ok_or_else(|| lost(path, "table"))?;
        let inner = self.column_behind(target, rest, column, path)?;
        self.leave();
        let related = Related::stored(target, columns, (from.table().id, *first));
        Ok(Scalar::Through(Box::new(related), Box::new(inner)))
    }

    /// `exists (select 1 from related where … having count(*) > …)`
    fn stored_aggregate(
        &mut self,
        row: Row<'m>,
        id: RelationshipId,
        aggregate: &'m AggregatePredicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let own = row.table.table();
        let relationship = self.relationship(own, id, path)?;
        let link = self.pairs(own, relationship, path)?;
        let inside = self.inside(row, relationship.target, path)?;
        let filter = match &aggregate.filter {
            Some(filter) => self.predicate(inside, filter, path)?,
            None => Filter::always(),
        };
        let over = aggregate
            .columns
            .iter()
            .map(|column| {
                Ok(Scalar::Column(
                    stored_column(inside.table.table(), *column, path)?,
                    None,
                ))
            })
            .collect::<Result<_, Error>>()?;
        let value = Scalar::Grouped(Box::new(Grouped {
            function: aggregate.function,
            over,
            distinct: aggregate.distinct,
        }));
        let subject = aggregate_subject(aggregate.function);
        let mut exists = Exists::stored(inside.table, link, filter);
        exists.having = self.stored_comparison(inside, value, subject, &aggregate.comparison, path)?;
        Ok(Filter::Exists(Box::new(exists)))
    }

    /// The call behind a computed field: the row, the session and the client's arguments.
    pub(crate) fn computed_call(
        &mut self,
        field: &'m schema::model::ComputedField,
        arguments: Option<&[graphql::operation::Entry<schema::meaning::Meaning>]>,
        path: &Path,
    ) -> Result<crate::ir::Call<'m>, Error> {
        let mut places: Vec<(usize, Option<&'m str>, CallArgument)> = vec![(
            field.table_argument.0,
            field.table_argument.1.as_deref(),
            CallArgument::Row,
        )];
        if let Some((position, name)) = &field.session_argument {
            places.push((*position, name.as_deref(), self.session_argument()));
        }
        self.client_arguments(&field.arguments, arguments.unwrap_or_default(), &mut places, path)?;
        Ok(crate::ir::Call {
            function: qualified(&field.function),
            arguments: in_call_order(places),
        })
    }
}

/// What an aggregate in a filter compares as.
pub(crate) fn aggregate_subject(function: &str) -> Subject {
    match function {
        "count" => Subject::builtin("int4", ScalarClass::Numeric, "Int"),
        "bool_and" | "bool_or" => Subject::builtin("bool", ScalarClass::Boolean, "Boolean"),
        _ => Subject::builtin("float8", ScalarClass::Numeric, "float8"),
    }
}

fn stored_column<'m>(
    table: &'m Table,
    id: ColumnId,
    path: &Path,
) -> Result<&'m schema::model::Column, Error> {
    table
        .columns
        .get(usize::from(id.0))
        .ok_or_else(|| lost(path, "column"))
}

/// A catalog name as SQL has it.
pub(crate) fn qualified(name: &schema::catalog::QualifiedName) -> sql::name::QualifiedName {
    sql::name::QualifiedName::new(
        sql::name::Identifier::new(Arc::<str>::from(name.schema.as_str())),
        sql::name::Identifier::new(Arc::<str>::from(name.name.as_str())),
    )
}

/// Positional arguments as far as none is left out, named ones from there on.
pub(crate) fn in_call_order(
    mut places: Vec<(usize, Option<&str>, CallArgument)>,
) -> Vec<(Option<&str>, CallArgument)> {
    places.sort_by_key(|(position, ..)| *position);
    places
        .into_iter()
        .enumerate()
        .map(|(at, (position, name, value))| (name.filter(|_| position != at), value))
        .collect()
}
