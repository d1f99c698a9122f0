//! A client's `where` → a filter: through relationships only to rows that exist for the role, over values as
//! the role sees them.

use graphql::operation::{Entry, Input};
use graphql::{Error, Path};
use schema::meaning::{ArgumentRole, Meaning};
use schema::model::{Column, ComputedFieldId, Returns};
use schema::naming::generated;

use super::operand::null_list_error;
use super::operator::Left;
use super::stored::aggregate_subject;
use super::{Given, Subject};
use crate::ir::{Exists, Filter, Grouped, RowType, Scalar, SelectTable};
use crate::read::{Reader, argument, lost};

impl<'m> Reader<'m> {
    /// A `T_bool_exp`.
    pub(crate) fn bool_exp(
        &mut self,
        row: RowType<'m>,
        value: &Input<Meaning>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        match value {
            Input::Object(entries) => {
                self.enter(path)?;
                let parts = entries
                    .iter()
                    .map(|entry| self.bool_exp_entry(row, entry))
                    .collect::<Result<_, _>>()?;
                self.leave();
                Ok(Filter::All(parts))
            }
            Input::Null if self.model.options.boolean_null_collapse => Ok(Filter::always()),
            Input::Null => Err(Error::validation(
                path,
                format!(
                    "expected an object for type '{}', but found null",
                    self.bool_exp_name(row, path)?
                ),
            )),
            _ => Err(lost(path, "boolean expression")),
        }
    }

    fn bool_exp_entry(&mut self, row: RowType<'m>, entry: &Entry<Meaning>) -> Result<Filter<'m>, Error> {
        let path = &entry.path;
        match entry.meaning {
            Meaning::And => Ok(Filter::All(self.bool_exps(row, &entry.value, path)?)),
            Meaning::Or => match &entry.value {
                Input::Null if self.model.options.boolean_null_collapse => Ok(Filter::always()),
                value => Ok(Filter::Any(self.bool_exps(row, value, path)?)),
            },
            Meaning::Not => match &entry.value {
                Input::Null if self.model.options.boolean_null_collapse => Ok(Filter::always()),
                value => Ok(Filter::Not(Box::new(self.bool_exp(row, value, path)?))),
            },
            Meaning::Column(id) => {
                let value = self.column(row, id, path)?;
                let column = row
                    .columns()
                    .get(usize::from(id.0))
                    .ok_or_else(|| lost(path, "column"))?;
                let mut subject = Subject::of(&column.type_, &column.scalar);
                subject.enum_name = self.enum_name(column);
                let left = Left {
                    value,
                    subject,
                    cast: None,
                };
                self.operators(&left, &entry.value, path)
            }
            Meaning::Relationship(id) => {
                let RowType::Table(table) = row else {
                    return Err(lost(path, "relationship"));
                };
                let own = table.table();
                let relationship = self.relationship(own, id, path)?;
                let link = self.pairs(own, relationship, path)?;
                let target = self.table(relationship.target, path)?;
                if matches!(entry.value, Input::Null) && self.model.options.boolean_null_collapse {
                    return Ok(Filter::always());
                }
                let filter = self.bool_exp(RowType::Table(target), &entry.value, path)?;
                let permitted = self.permitted(target, path)?;
                Ok(Filter::Exists(Box::new(Exists::selectable(
                    target, link, permitted, filter,
                ))))
            }
            Meaning::RelationshipAggregate(id) => {
                let RowType::Table(table) = row else {
                    return Err(lost(path, "relationship"));
                };
                self.aggregate_bool_exp(table, id, entry)
            }
            Meaning::ComputedField(id) => {
                let RowType::Table(table) = row else {
                    return Err(lost(path, "computed field"));
                };
                self.computed_bool_exp(table, id, entry)
            }
            _ => Err(lost(path, "filter")),
        }
    }

    fn bool_exps(
        &mut self,
        row: RowType<'m>,
        value: &Input<Meaning>,
        path: &Path,
    ) -> Result<Vec<Filter<'m>>, Error> {
        match value {
            Input::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, item)| self.bool_exp(row, item, &path.index(at)))
                .collect(),
            Input::LeafList(_) => Ok(Vec::new()),
            Input::Null if self.model.options.boolean_null_collapse => Ok(Vec::new()),
            Input::Null => Err(null_list_error(path)),
            single => Ok(vec![self.bool_exp(row, single, path)?]),
        }
    }

    /// A `x_comparison_exp`: all operators in it hold.
    fn operators(
        &mut self,
        left: &Left<'m>,
        value: &Input<Meaning>,
        path: &Path,
    ) -> Result<Filter<'m>, Error> {
        let entries = match value {
            Input::Object(entries) => entries,
            Input::Null if self.model.options.boolean_null_collapse => return Ok(Filter::always()),
            Input::Null => {
                return Err(Error::validation(
                    path,
                    format!(
                        "expected an object for type '{}', but found null",
                        self.comparison_name(&left.subject)
                    ),
                ));
            }
            _ => return Err(lost(path, "comparison")),
        };
        let mut parts = Vec::with_capacity(entries.len());
        for entry in entries {
            match entry.meaning {
                Meaning::Operator(operator) => {
                    parts.push(self.compare(left, operator, Given::Client(&entry.value), &entry.path)?);
                }
                Meaning::Cast => {
                    let Input::Object(targets) = &entry.value else {
                        continue;
                    };
                    for target in targets {
                        let Meaning::CastTo(name) = target.meaning else {
                            return Err(lost(&target.path, "cast"));
                        };
                        let (subject, cast) = self.cast_subject(name);
                        let left = Left {
                            value: left.value.clone(),
                            subject,
                            cast: Some(cast),
                        };
                        parts.push(self.operators(&left, &target.value, &target.path)?);
                    }
                }
                _ => return Err(lost(&entry.path, "operator")),
            }
        }
        Ok(Filter::All(parts))
    }

    fn computed_bool_exp(
        &mut self,
        table: SelectTable<'m>,
        id: ComputedFieldId,
        entry: &Entry<Meaning>,
    ) -> Result<Filter<'m>, Error> {
        let path = &entry.path;
        let field = table
            .table()
            .computed_fields
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "computed field"))?;
        match &field.returns {
            Returns::Scalar { type_, scalar } => {
                let left = Left {
                    value: self.computed_scalar(table, id, None, path)?,
                    subject: Subject::of(type_, scalar),
                    cast: None,
                };
                self.operators(&left, &entry.value, path)
            }
            Returns::Table(target) => {
                let target = RowType::Table(self.table(*target, path)?);
                let call = self.computed_call(field, None, path)?;
                let filter = self.bool_exp(target, &entry.value, path)?;
                let permitted = self.permitted_rows(target, path)?;
                Ok(Filter::Exists(Box::new(Exists::of_call(
                    call,
                    Filter::All(vec![permitted, filter]),
                ))))
            }
            Returns::Rows { columns, .. } => {
                let call = self.computed_call(field, None, path)?;
                let filter = self.bool_exp(RowType::Columns(columns), &entry.value, path)?;
                Ok(Filter::Exists(Box::new(Exists::of_call(call, filter))))
            }
        }
    }

    /// `rel_aggregate: {count: {predicate, arguments, distinct, filter}}` →
    /// `exists (select 1 from rel where … having count(*) > …)`
    fn aggregate_bool_exp(
        &mut self,
        table: SelectTable<'m>,
        id: schema::model::RelationshipId,
        entry: &Entry<Meaning>,
    ) -> Result<Filter<'m>, Error> {
        let own = table.table();
        let relationship = self.relationship(own, id, &entry.path)?;
        let target = self.table(relationship.target, &entry.path)?;
        let row = RowType::Table(target);
        let Input::Object(functions) = &entry.value else {
            if self.model.options.boolean_null_collapse {
                return Ok(Filter::always());
            }
            return Err(Error::validation(
                &entry.path,
                "expected an object, but found null",
            ));
        };
        let mut parts = Vec::new();
        for entry in functions {
            let path = &entry.path;
            let Meaning::AggregatePredicate(function) = entry.meaning else {
                return Err(lost(path, "aggregate"));
            };
            let Input::Object(given) = &entry.value else {
                return Err(Error::validation(path, "expected an object, but found null"));
            };
            let mut columns = Vec::new();
            if let Some(arguments) = argument(given, ArgumentRole::AggregateArguments) {
                self.enum_columns(row, &arguments.value, &arguments.path, &mut columns)?;
            }
            let distinct = match argument(given, ArgumentRole::Distinct) {
                Some(Entry {
                    value: Input::Leaf(leaf),
                    ..
                }) => self.fixed_bool(leaf),
                _ => false,
            };
            let filter = match argument(given, ArgumentRole::Filter) {
                Some(filter) => self.bool_exp(row, &filter.value, &filter.path)?,
                None => Filter::always(),
            };
            let left = Left {
                value: Scalar::Grouped(Box::new(Grouped {
                    function,
                    over: columns,
                    distinct,
                })),
                subject: aggregate_subject(function),
                cast: None,
            };
            let link = self.pairs(own, relationship, path)?;
            let permitted = self.permitted(target, path)?;
            let mut exists = Exists::selectable(target, link, permitted, filter);
            if let Some(predicate) = argument(given, ArgumentRole::Predicate) {
                exists.having = self.operators(&left, &predicate.value, &predicate.path)?;
            }
            parts.push(Filter::Exists(Box::new(exists)));
        }
        Ok(Filter::All(parts))
    }

    /// The columns that enum values name, however they are nested.
    pub(crate) fn enum_columns(
        &mut self,
        row: RowType<'m>,
        value: &Input<Meaning>,
        path: &Path,
        out: &mut Vec<Scalar<'m>>,
    ) -> Result<(), Error> {
        match value {
            Input::Enum {
                meaning: Meaning::Column(id),
                ..
            } => out.push(self.column(row, *id, path)?),
            Input::List(items) => {
                for item in items {
                    self.enum_columns(row, item, path, out)?;
                }
            }
            Input::Object(entries) => {
                for entry in entries {
                    self.enum_columns(row, &entry.value, &entry.path, out)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Name of the boolean expression over such rows, for messages.
    fn bool_exp_name(&self, row: RowType<'m>, path: &Path) -> Result<graphql::Name, Error> {
        let source = self.source(path)?;
        let piece = match row {
            RowType::Table(table) => table.table().piece(),
            RowType::Columns(_) => generated(""),
        };
        Ok(source.customization.type_name(&[piece, generated("bool_exp")]))
    }

    /// Name of the enum of a column that refers to an enum table.
    fn enum_name(&self, column: &Column) -> Option<graphql::Name> {
        let table = self.model.table(column.enum_table?)?;
        let source = self.model.source(table.id.source())?;
        Some(
            source
                .customization
                .type_name(&[table.piece(), generated("enum")]),
        )
    }

    /// Name of the comparison input of a value, for messages.
    fn comparison_name(&self, subject: &Subject) -> String {
        let suffix = if subject.element.is_some() {
            "array_comparison_exp"
        } else {
            "comparison_exp"
        };
        let name = subject.enum_name.as_ref().unwrap_or(&subject.name);
        self.naming().type_(&[generated(name), generated(suffix)])
    }
}
