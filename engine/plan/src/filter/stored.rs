//! A permission's stored expression → a filter. The filters of other tables do not apply inside it; that is
//! what makes it a permission (compatible with Hasura v2).

use std::sync::Arc;

use graphql::{Code, Error, Path};
use schema::model::{Column, ColumnId, PredicateId, RelationshipId, Table, TableId};
use schema::predicate::{AggregatePredicate, Comparison, Operand, Predicate};
use schema::scalar::ScalarClass;
use sql::ast::Operator;
use sql::name::TypeName;

use super::operator::{Left, column_symbol};
use super::{Given, Subject};
use crate::ir::table::PredicateTable;
use crate::ir::{CallArgument, Exists, Filter, Grouped, Related, Right, RowType, Scalar, SelectTable};
use crate::read::{Reader, lost};

/// The row an expression is about.
#[derive(Clone, Copy)]
struct Row<'m> {
    table: Known<'m>,
    /// The table at the root of the whole expression.
    root: Known<'m>,
}

/// A table of an expression, by the right to test it.
#[derive(Clone, Copy)]
enum Known<'m> {
    /// In a permission: anything can be tested.
    Stored(PredicateTable<'m>),
    /// In a request (v1 data API): what the role may read, as the role sees it.
    Requested(SelectTable<'m>),
}

impl<'m> Known<'m> {
    fn table(self) -> &'m Table {
        match self {
            Self::Stored(table) => table.table(),
            Self::Requested(table) => table.table(),
        }
    }
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
        predicate: &Predicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let subject =
            PredicateTable::in_stored_predicate(self.model, table).ok_or_else(|| lost(path, "table"))?;
        self.rooted(Known::Stored(subject), predicate, path)
    }

    /// Lowers a request's filter in the language of permissions, over what the role may read of `table`.
    pub(crate) fn requested_on(
        &mut self,
        table: SelectTable<'m>,
        predicate: &Predicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        self.rooted(Known::Requested(table), predicate, path)
    }

    fn rooted(&mut self, table: Known<'m>, predicate: &Predicate, path: &Path) -> Result<Filter<'m>, Error> {
        let row = Row { table, root: table };
        Ok(Filter::Rooted(Box::new(self.predicate(row, predicate, path)?)))
    }

    /// A column of the row as whoever wrote the expression may see it.
    fn known_column(
        &mut self,
        table: Known<'m>,
        id: ColumnId,
        path: &Path,
    ) -> Result<(&'m Column, Scalar<'m>), Error> {
        let column = table
            .table()
            .columns
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "column"))?;
        let value = match table {
            Known::Stored(_) => Scalar::Column(column, None),
            Known::Requested(table) if table.access().columns.contains(id) => {
                self.column(RowType::Table(table), id, path)?
            }
            Known::Requested(_) => return Err(self.unreadable(&column.name, path)),
        };
        Ok((column, value))
    }

    /// A table that an expression leads to, and which of its rows exist for whoever wrote it.
    fn known_table(
        &mut self,
        from: Known<'m>,
        id: TableId,
        path: &Path,
    ) -> Result<(Known<'m>, Filter<'m>), Error> {
        match from {
            Known::Stored(_) => {
                let table =
                    PredicateTable::in_stored_predicate(self.model, id).ok_or_else(|| lost(path, "table"))?;
                Ok((Known::Stored(table), Filter::always()))
            }
            Known::Requested(_) => {
                let table = self.readable(id, path)?;
                let permitted = self.permitted(table, path)?;
                Ok((Known::Requested(table), permitted))
            }
        }
    }

    /// A table of a request in the old data API.
    pub(crate) fn readable(&self, id: TableId, path: &Path) -> Result<SelectTable<'m>, Error> {
        SelectTable::of_role(self.model, self.role, id).ok_or_else(|| {
            let name = self.model.table(id).map(|table| display(&table.name));
            denied(
                path,
                format!(
                    "select on \"{}\" for role \"{}\" is not allowed. ",
                    name.unwrap_or_default(),
                    self.role.name
                ),
            )
        })
    }

    /// The refusal of a column of a request in the old data API.
    pub(crate) fn unreadable(&self, column: &str, path: &Path) -> Error {
        let role = &self.role.name;
        denied(
            path,
            format!("role \"{role}\" does not have permission to select column \"{column}\""),
        )
    }

    fn predicate(&mut self, row: Row<'m>, predicate: &Predicate, path: &Path) -> Result<Filter<'m>, Error> {
        self.enter(path)?;
        let filter = match predicate {
            Predicate::And(parts) => Filter::All(self.predicates(row, parts, path)?),
            Predicate::Or(parts) => Filter::Any(self.predicates(row, parts, path)?),
            Predicate::Not(part) => Filter::Not(Box::new(self.predicate(row, part, path)?)),
            Predicate::Column(column, comparison) => {
                let (column, value) = self.known_column(row.table, *column, path)?;
                let subject = Subject::of(&column.type_, &column.scalar);
                self.stored_comparison(row, value, subject, comparison, path)?
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
                let value = match row.table {
                    Known::Stored(_) => Scalar::Computed(self.computed_call(field, None, path)?, None),
                    Known::Requested(table) if table.access().computed_fields.contains(id) => {
                        self.computed_scalar(table, *id, None, path)?
                    }
                    Known::Requested(_) => return Err(self.unreadable(&field.name, path)),
                };
                let subject = Subject::of(type_, scalar);
                self.stored_comparison(row, value, subject, comparison, path)?
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
                let (inside, permitted) = self.inside(row, table, path)?;
                let filter = self.predicate(inside, inner, path)?;
                let filter = Filter::All(vec![permitted, filter]);
                Filter::Exists(Box::new(Exists::of_call(call, filter)))
            }
            Predicate::Relationship(id, inner) => {
                let own = row.table.table();
                let relationship = self.relationship(own, *id, path)?;
                let link = self.pairs(own, relationship, path)?;
                let (inside, permitted) = self.inside(row, relationship.target, path)?;
                let filter = self.predicate(inside, inner, path)?;
                Filter::Exists(Box::new(exists(inside.table, link, permitted, filter)))
            }
            Predicate::Aggregate(id, aggregate) => self.stored_aggregate(row, *id, aggregate, path)?,
            Predicate::Exists(table, inner) => {
                let (inside, permitted) = self.inside(row, *table, path)?;
                let filter = self.predicate(inside, inner, path)?;
                Filter::Exists(Box::new(exists(inside.table, Vec::new(), permitted, filter)))
            }
        };
        self.leave();
        Ok(filter)
    }

    fn predicates(
        &mut self,
        row: Row<'m>,
        parts: &[Predicate],
        path: &Path,
    ) -> Result<Vec<Filter<'m>>, Error> {
        parts.iter().map(|part| self.predicate(row, part, path)).collect()
    }

    fn inside(&mut self, row: Row<'m>, table: TableId, path: &Path) -> Result<(Row<'m>, Filter<'m>), Error> {
        let (table, permitted) = self.known_table(row.table, table, path)?;
        let root = row.root;
        Ok((Row { table, root }, permitted))
    }

    fn stored_comparison(
        &mut self,
        row: Row<'m>,
        value: Scalar<'m>,
        subject: Subject,
        comparison: &Comparison,
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
        from: Known<'m>,
        way: &[RelationshipId],
        column: ColumnId,
        path: &Path,
    ) -> Result<Scalar<'m>, Error> {
        let Some((first, rest)) = way.split_first() else {
            return Ok(self.known_column(from, column, path)?.1);
        };
        self.enter(path)?;
        let relationship = self.relationship(from.table(), *first, path)?;
        let (target, _) = self.known_table(from, relationship.target, path)?;
        let inner = self.column_behind(target, rest, column, path)?;
        let related = match (from, target) {
            (Known::Requested(from), _) => self.related(from, *first, path)?,
            (Known::Stored(from), Known::Stored(target)) => {
                let columns = self.pairs(from.table(), relationship, path)?;
                Related::stored(target, columns, (from.table().id, *first))
            }
            (Known::Stored(_), Known::Requested(_)) => return Err(lost(path, "table")),
        };
        self.leave();
        Ok(Scalar::Through(Box::new(related), Box::new(inner)))
    }

    /// `exists (select 1 from related where … having count(*) > …)`
    fn stored_aggregate(
        &mut self,
        row: Row<'m>,
        id: RelationshipId,
        aggregate: &AggregatePredicate,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let own = row.table.table();
        let relationship = self.relationship(own, id, path)?;
        let link = self.pairs(own, relationship, path)?;
        let (inside, permitted) = self.inside(row, relationship.target, path)?;
        let filter = match &aggregate.filter {
            Some(filter) => self.predicate(inside, filter, path)?,
            None => Filter::always(),
        };
        let over = aggregate
            .columns
            .iter()
            .map(|column| Ok(self.known_column(inside.table, *column, path)?.1))
            .collect::<Result<_, Error>>()?;
        let value = Scalar::Grouped(Box::new(Grouped {
            function: aggregate.function,
            over,
            distinct: aggregate.distinct,
        }));
        let subject = aggregate_subject(aggregate.function);
        let mut exists = exists(inside.table, link, permitted, filter);
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

/// Rows of a table that pass a filter; `permitted` are those that exist for whoever wrote it.
fn exists<'m>(
    table: Known<'m>,
    link: Vec<(&'m Column, &'m Column)>,
    permitted: Filter<'m>,
    filter: Filter<'m>,
) -> Exists<'m> {
    match table {
        Known::Stored(table) => Exists::stored(table, link, filter),
        Known::Requested(table) => Exists::selectable(table, link, permitted, filter),
    }
}

/// A table's name in messages: without the schema `public`.
pub(crate) fn display(name: &schema::catalog::QualifiedName) -> String {
    if name.schema == "public" {
        name.name.clone()
    } else {
        format!("{}.{}", name.schema, name.name)
    }
}

fn denied(path: &Path, message: String) -> Error {
    Error {
        code: Code::PermissionDenied,
        path: path.clone(),
        message,
    }
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
