//! Aggregates as output: `T_aggregate`, `T_aggregate_fields`, `T_<op>_fields`.

use graphql::Name;

use super::root::{comment, shown};
use super::{Field, Reference, RoleView, TypeKey, field, input, list, named, sorted};
use crate::meaning::{AggregateOperation, ArgumentRole, Meaning};
use crate::model::{Column, ColumnId, ComputedField, ComputedFieldId, Returns, TableId};
use crate::scalar::{ScalarId, is_comparable, is_numeric};

impl RoleView {
    /// `aggregate`, `nodes`
    pub(super) fn aggregate_fields(&self, table: TableId) -> Vec<Field> {
        vec![
            field(
                Name::from("aggregate"),
                None,
                named(TypeKey::AggregateFields(table), true),
                true,
                Meaning::Aggregate,
            ),
            field(
                Name::from("nodes"),
                None,
                list(TypeKey::Table(table), false),
                true,
                Meaning::Nodes,
            ),
        ]
    }

    /// `count` and the operations that have something to work on.
    pub(super) fn aggregate_fields_fields(&self, table: TableId) -> Vec<Field> {
        let naming = self.naming(table);
        let mut arguments = vec![input(
            Name::from("distinct"),
            named(TypeKey::Scalar(ScalarId::BOOLEAN), true),
            Meaning::Argument(ArgumentRole::Distinct),
        )];
        if !self.columns(table).is_empty() {
            arguments.push(input(
                Name::from("columns"),
                list(TypeKey::SelectColumn(table), true),
                Meaning::Argument(ArgumentRole::Columns),
            ));
        }
        let count = named(TypeKey::Scalar(ScalarId::INT), false);
        let mut fields = vec![Field {
            arguments: sorted(arguments),
            ..field(Name::from("count"), None, count, false, Meaning::Count)
        }];
        for operation in self.operations(table, true) {
            let type_ = named(TypeKey::AggregateOperation(table, operation), true);
            let meaning = Meaning::AggregateOperation(operation);
            fields.push(field(naming.word(operation.name()), None, type_, true, meaning));
        }
        fields
    }

    /// Operations that have a column (or, for output, a computed field) to work on.
    pub(super) fn operations(
        &self,
        table: TableId,
        computed: bool,
    ) -> impl Iterator<Item = AggregateOperation> {
        let mut numeric = !self.operation_columns(table, AggregateOperation::Sum).is_empty();
        let mut comparable = !self.operation_columns(table, AggregateOperation::Max).is_empty();
        if computed {
            numeric |= !self.operation_computed(table, AggregateOperation::Sum).is_empty();
            comparable |= !self.operation_computed(table, AggregateOperation::Max).is_empty();
        }
        AggregateOperation::ALL.into_iter().filter(move |operation| {
            if operation.is_comparison() {
                comparable
            } else {
                numeric
            }
        })
    }

    /// Columns that an operation works on.
    pub(super) fn operation_columns(
        &self,
        table: TableId,
        operation: AggregateOperation,
    ) -> Vec<(ColumnId, &Column)> {
        let columns = self.columns(table).into_iter();
        columns
            .filter(|(_, column)| {
                if operation.is_comparison() {
                    column.is_comparable()
                } else {
                    column.is_numeric()
                }
            })
            .collect()
    }

    fn operation_computed(
        &self,
        table: TableId,
        operation: AggregateOperation,
    ) -> Vec<(ComputedFieldId, &ComputedField)> {
        let fields = self.scalar_computed_fields(table).into_iter();
        fields
            .filter(|(_, field)| match &field.returns {
                Returns::Scalar { type_, scalar } if operation.is_comparison() => {
                    is_comparable(type_, scalar)
                }
                Returns::Scalar { type_, scalar } => is_numeric(type_, scalar),
                _ => false,
            })
            .collect()
    }

    /// Fields of `T_<op>_fields`: `max`, `min` and `sum` keep the type, the others are `Float`.
    pub(super) fn operation_fields(&self, id: TableId, operation: AggregateOperation) -> Vec<Field> {
        let keeps = operation.is_comparison() || operation == AggregateOperation::Sum;
        let type_of = |own: Reference| {
            if keeps {
                own
            } else {
                named(TypeKey::Scalar(ScalarId::FLOAT), true)
            }
        };
        let mut fields = Vec::new();
        for (column_id, column) in self.operation_columns(id, operation) {
            fields.push(field(
                column.field.clone(),
                column.description.clone(),
                type_of(self.column_type(column, true)),
                false,
                Meaning::Column(column_id),
            ));
        }
        let Some(table) = self.model.table(id) else {
            return fields;
        };
        for (field_id, computed) in self.operation_computed(id, operation) {
            let Returns::Scalar { type_, scalar } = &computed.returns else {
                continue;
            };
            let array = matches!(type_.kind, crate::catalog::TypeKind::Array(_));
            let default = format!(
                "A computed field, executes function \"{}\"",
                shown(&computed.function)
            );
            let arguments = self.computed_arguments_argument(table, field_id, computed, self.naming(id));
            fields.push(Field {
                arguments: arguments.into_iter().collect(),
                ..field(
                    computed.field.clone(),
                    comment(computed.comment.as_ref(), default),
                    type_of(self.value_type(scalar, array, true)),
                    false,
                    Meaning::ComputedField(field_id),
                )
            });
        }
        fields
    }
}
