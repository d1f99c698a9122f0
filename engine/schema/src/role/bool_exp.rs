//! Filters: `T_bool_exp`, and the filters on aggregates of array relationships.

use graphql::Name;
use graphql::type_system::EnumValue;

use super::root::shown;
use super::type_name::predicate_columns;
use super::{Input, RoleView, TypeKey, input, list, named};
use crate::aggregate::{AggregateFunction, Arguments};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::{Column, ColumnId, RelationshipKind, Returns, TableId};
use crate::naming::{custom, generated};
use crate::scalar::ScalarId;

impl RoleView {
    pub(super) fn bool_exp_description(&self, table: TableId) -> Option<String> {
        let table = self.model.table(table)?;
        Some(format!(
            "Boolean expression to filter rows from the table \"{}\". All fields are combined with a logical 'AND'.",
            shown(&table.name)
        ))
    }

    /// Keys of `T_bool_exp`.
    pub(super) fn bool_exp(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        let own = TypeKey::BoolExp(table);
        let mut keys = vec![
            input(Name::from("_and"), list(own, true), Meaning::And),
            input(Name::from("_or"), list(own, true), Meaning::Or),
            input(Name::from("_not"), named(own, true), Meaning::Not),
        ];
        for (id, column) in self.columns(table) {
            let type_ = named(self.comparison_of(column, naming), true);
            keys.push(input(column.field.clone(), type_, Meaning::Column(id)));
        }
        for (id, field) in self.scalar_computed_fields(table) {
            if let (Returns::Scalar { type_, scalar }, true) = (&field.returns, field.arguments.is_empty()) {
                let array = matches!(type_.kind, crate::catalog::TypeKind::Array(_));
                let type_ = named(self.comparison_type(scalar, array, naming), true);
                keys.push(input(field.field.clone(), type_, Meaning::ComputedField(id)));
            }
        }
        for (id, field, target) in self.table_computed_fields(table) {
            if field.arguments.is_empty() {
                let type_ = named(TypeKey::BoolExp(target), true);
                keys.push(input(field.field.clone(), type_, Meaning::ComputedField(id)));
            }
        }
        for (id, relationship) in self.relationships(table) {
            let type_ = named(TypeKey::BoolExp(relationship.target), true);
            keys.push(input(
                relationship.field.clone(),
                type_,
                Meaning::Relationship(id),
            ));
            let aggregates = relationship.kind == RelationshipKind::Array
                && !self.model.options.has("hide_aggregation_predicates")
                && self
                    .select_access(relationship.target)
                    .is_some_and(|target| target.aggregations);
            if aggregates {
                let name = naming.field(&[custom(&relationship.field), generated("aggregate")]);
                let type_ = named(TypeKey::AggregateBoolExp(relationship.target), true);
                keys.push(input(Name::from(name), type_, Meaning::RelationshipAggregate(id)));
            }
        }
        keys
    }

    /// Functions whose arguments the role can give.
    pub(super) fn aggregate_bool_exp(&self, table: TableId) -> Vec<Input> {
        let functions = AggregateFunction::ALL.into_iter();
        functions
            .filter(|function| {
                *function == AggregateFunction::Count
                    || !self.predicate_arguments(table, *function).is_empty()
            })
            .map(|function| {
                let type_ = named(TypeKey::AggregateBoolExpFunction(table, function), true);
                let meaning = Meaning::AggregatePredicate(function.name());
                input(Name::from(function.name()), type_, meaning)
            })
            .collect()
    }

    /// `arguments`, `distinct`, `filter`, `predicate`
    pub(super) fn aggregate_bool_exp_function(
        &self,
        table: TableId,
        function: AggregateFunction,
    ) -> Vec<Input> {
        let argument = Meaning::Argument;
        let mut keys = vec![
            input(
                Name::from("distinct"),
                named(TypeKey::Scalar(ScalarId::BOOLEAN), true),
                argument(ArgumentRole::Distinct),
            ),
            input(
                Name::from("filter"),
                named(TypeKey::BoolExp(table), true),
                argument(ArgumentRole::Filter),
            ),
            input(
                Name::from("predicate"),
                named(
                    TypeKey::Comparison(function.result(), false, self.naming(table)),
                    false,
                ),
                argument(ArgumentRole::Predicate),
            ),
        ];
        let type_ = match function.arguments() {
            Arguments::Any if self.columns(table).is_empty() => None,
            Arguments::Any => Some(list(TypeKey::SelectColumn(table), true)),
            Arguments::One => Some(named(TypeKey::AggregateBoolExpColumns(table, function), false)),
            Arguments::Pair => Some(named(TypeKey::AggregateBoolExpArguments(table, function), false)),
        };
        keys.extend(type_.map(|type_| {
            let meaning = argument(ArgumentRole::AggregateArguments);
            input(Name::from("arguments"), type_, meaning)
        }));
        keys
    }

    /// `X`, `Y`
    pub(super) fn aggregate_bool_exp_arguments(
        &self,
        table: TableId,
        function: AggregateFunction,
    ) -> Vec<Input> {
        ["X", "Y"]
            .into_iter()
            .map(|name| {
                let type_ = named(TypeKey::AggregateBoolExpColumns(table, function), false);
                input(
                    Name::from(name),
                    type_,
                    Meaning::Argument(ArgumentRole::OperandPart(name)),
                )
            })
            .collect()
    }

    pub(super) fn aggregate_bool_exp_columns_description(
        &self,
        table: TableId,
        function: AggregateFunction,
    ) -> Option<String> {
        let naming = self.naming(table);
        let table = self.model.table(table)?;
        Some(format!(
            "select \"{}\" columns of table \"{}\"",
            predicate_columns(naming, table.piece(), function),
            shown(&table.name)
        ))
    }

    /// Columns that the function takes, as values of an enum.
    pub(super) fn aggregate_bool_exp_columns(
        &self,
        table: TableId,
        function: AggregateFunction,
    ) -> Vec<EnumValue<Meaning>> {
        let columns = self.predicate_arguments(table, function).into_iter();
        columns
            .map(|(id, column)| EnumValue {
                name: column.field.clone(),
                description: Some("column name".to_owned()),
                meaning: Meaning::Column(id),
            })
            .collect()
    }

    fn predicate_arguments(&self, table: TableId, function: AggregateFunction) -> Vec<(ColumnId, &Column)> {
        let columns = self.columns(table).into_iter();
        columns.filter(|(_, column)| function.accepts(column)).collect()
    }
}
