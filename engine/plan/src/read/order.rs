//! `order_by`: columns, computed fields, columns of object relationships, aggregates of array relationships.

use graphql::operation::{Entry, Input};
use graphql::{Error, Path};
use schema::meaning::{AggregateOperation, Meaning, OrderDirection};
use schema::model::{ComputedFieldId, Returns};

use super::{Reader, lost};
use crate::ir::{Exists, Filter, Grouped, Order, Related, RowType, Scalar, ScalarAggregate, SelectTable};

impl<'m> Reader<'m> {
    /// A list of `T_order_by`, or one; keys of one object count in their order.
    pub(crate) fn order_by(
        &mut self,
        row: RowType<'m>,
        value: &Input<Meaning>,
        path: &Path,
    ) -> Result<Vec<Order<'m>>, Error> {
        let mut keys = Vec::new();
        match value {
            Input::List(items) => {
                for item in items {
                    self.order_keys(row, item, path, &|scalar| scalar, &mut keys)?;
                }
            }
            single => self.order_keys(row, single, path, &|scalar| scalar, &mut keys)?,
        }
        Ok(keys)
    }

    /// The keys of one object; `reach` leads from the row that is sorted to the row that the keys are about.
    fn order_keys(
        &mut self,
        row: RowType<'m>,
        value: &Input<Meaning>,
        path: &Path,
        reach: &dyn Fn(Scalar<'m>) -> Scalar<'m>,
        keys: &mut Vec<Order<'m>>,
    ) -> Result<(), Error> {
        let Input::Object(entries) = value else {
            return Ok(());
        };
        self.enter(path)?;
        for entry in entries {
            let path = &entry.path;
            match entry.meaning {
                Meaning::Column(id) => {
                    if let Some(direction) = direction(&entry.value) {
                        let scalar = self.column(row, id, path)?;
                        keys.push(key(reach(scalar), direction));
                    }
                }
                Meaning::Relationship(id) => {
                    let RowType::Table(table) = row else {
                        return Err(lost(path, "relationship"));
                    };
                    let related = self.related(table, id, path)?;
                    let target = self.table(related.table().id, path)?;
                    self.order_keys(
                        RowType::Table(target),
                        &entry.value,
                        path,
                        &|scalar| reach(Scalar::Through(Box::new(related.clone()), Box::new(scalar))),
                        keys,
                    )?;
                }
                Meaning::RelationshipAggregate(id) => {
                    let RowType::Table(table) = row else {
                        return Err(lost(path, "relationship"));
                    };
                    let relationship = self.relationship(table.table(), id, path)?;
                    let target = self.table(relationship.target, path)?;
                    let link = self.pairs(table.table(), relationship, path)?;
                    let permitted = self.permitted(target, path)?;
                    let from = Exists::selectable(target, link, permitted, Filter::always());
                    self.aggregate_keys(RowType::Table(target), &from, entry, reach, keys)?;
                }
                Meaning::ComputedField(id) => {
                    let RowType::Table(table) = row else {
                        return Err(lost(path, "computed field"));
                    };
                    self.computed_keys(table, id, entry, reach, keys)?;
                }
                _ => return Err(lost(path, "order")),
            }
        }
        self.leave();
        Ok(())
    }

    fn computed_keys(
        &mut self,
        table: SelectTable<'m>,
        id: ComputedFieldId,
        entry: &Entry<Meaning>,
        reach: &dyn Fn(Scalar<'m>) -> Scalar<'m>,
        keys: &mut Vec<Order<'m>>,
    ) -> Result<(), Error> {
        let path = &entry.path;
        if let Some(direction) = direction(&entry.value) {
            let scalar = self.computed_scalar(table, id, None, path)?;
            keys.push(key(reach(scalar), direction));
            return Ok(());
        }
        let Input::Object(_) = &entry.value else {
            return Ok(());
        };
        let field = table
            .table()
            .computed_fields
            .get(usize::from(id.0))
            .ok_or_else(|| lost(path, "computed field"))?;
        let call = self.computed_call(field, None, path)?;
        let row = match &field.returns {
            Returns::Table(target) => RowType::Table(self.table(*target, path)?),
            Returns::Rows { columns, .. } => RowType::Columns(columns),
            Returns::Scalar { .. } => return Err(lost(path, "computed field")),
        };
        let permitted = self.permitted_rows(row, path)?;
        self.aggregate_keys(row, &Exists::of_call(call, permitted), entry, reach, keys)
    }

    /// `{count: desc, max: {col: asc}}`
    fn aggregate_keys(
        &mut self,
        row: RowType<'m>,
        from: &Exists<'m>,
        entry: &Entry<Meaning>,
        reach: &dyn Fn(Scalar<'m>) -> Scalar<'m>,
        keys: &mut Vec<Order<'m>>,
    ) -> Result<(), Error> {
        let Input::Object(entries) = &entry.value else {
            return Ok(());
        };
        let aggregate = |function, over| {
            Scalar::Aggregate(Box::new(ScalarAggregate {
                from: from.clone(),
                value: Grouped {
                    function,
                    over,
                    distinct: false,
                },
            }))
        };
        for entry in entries {
            match entry.meaning {
                Meaning::Count => {
                    if let Some(direction) = direction(&entry.value) {
                        keys.push(key(reach(aggregate("count", Vec::new())), direction));
                    }
                }
                Meaning::AggregateOperation(operation) => {
                    let Input::Object(columns) = &entry.value else {
                        continue;
                    };
                    for column in columns {
                        let Some(direction) = direction(&column.value) else {
                            continue;
                        };
                        let over = self.aggregated(row, column)?;
                        let scalar = aggregate(function_name(operation), vec![over]);
                        keys.push(key(reach(scalar), direction));
                    }
                }
                _ => return Err(lost(&entry.path, "order")),
            }
        }
        Ok(())
    }

    /// The column or computed field that an aggregate's key names.
    fn aggregated(&mut self, row: RowType<'m>, entry: &Entry<Meaning>) -> Result<Scalar<'m>, Error> {
        match (entry.meaning, row) {
            (Meaning::Column(id), _) => self.column(row, id, &entry.path),
            (Meaning::ComputedField(id), RowType::Table(table)) => {
                self.computed_scalar(table, id, None, &entry.path)
            }
            _ => Err(lost(&entry.path, "order")),
        }
    }

    /// The way along an object relationship, to a row that exists for the role.
    pub(crate) fn related(
        &mut self,
        table: SelectTable<'m>,
        id: schema::model::RelationshipId,
        path: &Path,
    ) -> Result<Related<'m>, Error> {
        let relationship = self.relationship(table.table(), id, path)?;
        let target = self.table(relationship.target, path)?;
        let columns = self.pairs(table.table(), relationship, path)?;
        let permitted = self.permitted(target, path)?;
        Ok(Related::selectable(
            target,
            columns,
            permitted,
            (table.table().id, id),
        ))
    }

    /// A scalar computed field as the role sees it.
    pub(crate) fn computed_scalar(
        &mut self,
        table: SelectTable<'m>,
        id: ComputedFieldId,
        arguments: Option<&[Entry<Meaning>]>,
        path: &Path,
    ) -> Result<Scalar<'m>, Error> {
        let access = table.access();
        let field = table
            .table()
            .computed_fields
            .get(usize::from(id.0))
            .filter(|_| access.computed_fields.contains(&id))
            .ok_or_else(|| lost(path, "computed field"))?;
        let given = arguments.map(|given| self.call_arguments(given));
        let call = self.computed_call(field, given, path)?;
        let redaction = match access
            .redacted_computed_fields
            .iter()
            .find(|(other, _)| *other == id)
        {
            Some((_, predicate)) => Some(Box::new(self.stored(table.table().id, *predicate, path)?)),
            None => None,
        };
        Ok(Scalar::Computed(call, redaction))
    }
}

fn direction(value: &Input<Meaning>) -> Option<OrderDirection> {
    match value {
        Input::Enum {
            meaning: Meaning::Order(direction),
            ..
        } => Some(*direction),
        _ => None,
    }
}

fn key(by: Scalar<'_>, direction: OrderDirection) -> Order<'_> {
    Order {
        by,
        descending: direction.descending,
        nulls_first: direction.nulls_first,
    }
}

/// Postgres's name of an aggregate.
pub(crate) fn function_name(operation: AggregateOperation) -> &'static str {
    match operation {
        AggregateOperation::Avg => "avg",
        AggregateOperation::Max => "max",
        AggregateOperation::Min => "min",
        AggregateOperation::Stddev => "stddev",
        AggregateOperation::StddevPop => "stddev_pop",
        AggregateOperation::StddevSamp => "stddev_samp",
        AggregateOperation::Sum => "sum",
        AggregateOperation::VarPop => "var_pop",
        AggregateOperation::VarSamp => "var_samp",
        AggregateOperation::Variance => "variance",
    }
}
