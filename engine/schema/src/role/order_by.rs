//! Orders: `T_order_by`, `T_aggregate_order_by`, `T_<op>_order_by`.

use graphql::Name;

use super::root::shown;
use super::{Input, Reference, RoleView, TypeKey, input, named};
use crate::meaning::{AggregateOperation, Meaning};
use crate::model::{RelationshipKind, TableId};
use crate::naming::{custom, generated};

impl RoleView {
    pub(super) fn order_by_description(&self, table: TableId) -> Option<String> {
        let table = self.model.table(table)?;
        Some(format!(
            "Ordering options when selecting data from \"{}\".",
            shown(&table.name)
        ))
    }

    fn direction(&self, table: TableId) -> Reference {
        named(TypeKey::OrderDirection(self.naming(table)), true)
    }

    /// Keys of `T_order_by`.
    pub(super) fn order_by(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let aggregate = |name: &Name| Name::from(naming.field(&[custom(name), generated("aggregate")]));
        let mut keys = Vec::new();
        for (id, column) in self.columns(table) {
            keys.push(input(
                column.field.clone(),
                self.direction(table),
                Meaning::Column(id),
            ));
        }
        for (id, field) in self.scalar_computed_fields(table) {
            if field.arguments.is_empty() {
                let meaning = Meaning::ComputedField(id);
                keys.push(input(field.field.clone(), self.direction(table), meaning));
            }
        }
        for (id, field, target) in self.table_computed_fields(table) {
            if field.arguments.is_empty() {
                let type_ = named(TypeKey::AggregateOrderBy(target), true);
                keys.push(input(aggregate(&field.field), type_, Meaning::ComputedField(id)));
            }
        }
        for (id, relationship) in self.relationships(table) {
            keys.push(match relationship.kind {
                RelationshipKind::Object => {
                    let type_ = named(TypeKey::OrderBy(relationship.target), true);
                    input(relationship.field.clone(), type_, Meaning::Relationship(id))
                }
                RelationshipKind::Array => {
                    let type_ = named(TypeKey::AggregateOrderBy(relationship.target), true);
                    let meaning = Meaning::RelationshipAggregate(id);
                    input(aggregate(&relationship.field), type_, meaning)
                }
            });
        }
        keys
    }

    /// `count` and the aggregates that have columns.
    pub(super) fn aggregate_order_by(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let mut keys = vec![input(Name::from("count"), self.direction(table), Meaning::Count)];
        for operation in self.operations(table, false) {
            let type_ = named(TypeKey::AggregateOperationOrderBy(table, operation), true);
            let meaning = Meaning::AggregateOperation(operation);
            keys.push(input(naming.word(operation.name()), type_, meaning));
        }
        keys
    }

    pub(super) fn operation_order_by(&self, table: TableId, operation: AggregateOperation) -> Vec<Input> {
        let columns = self.operation_columns(table, operation).into_iter();
        columns
            .map(|(id, column)| Input {
                description: column.description.clone(),
                ..input(column.field.clone(), self.direction(table), Meaning::Column(id))
            })
            .collect()
    }
}
