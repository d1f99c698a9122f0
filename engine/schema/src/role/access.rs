//! What the role sees of a table.

use super::{Reference, RoleView, TypeKey, list, named};
use crate::access::SelectAccess;
use crate::model::{
    Argument, Column, ColumnId, ComputedField, ComputedFieldId, FunctionId, Relationship, RelationshipId,
    RelationshipKind, Returns, Table, TableField, TableId,
};
use crate::naming::NamingConvention;
use crate::scalar::{Scalar, ScalarId};

impl RoleView {
    /// The right to read a table, if the role has it.
    pub fn select_access(&self, table: TableId) -> Option<&SelectAccess> {
        self.role.tables.get(&table)?.select.as_ref()
    }

    /// The role may call the function.
    pub fn may_call(&self, function: FunctionId) -> bool {
        self.role.functions.contains(&function)
    }

    /// A table that appears in the schema and the right to read it.
    pub(super) fn readable(&self, table: TableId) -> Option<(&Table, &SelectAccess)> {
        let access = self.select_access(table)?;
        let table = self.model.table(table)?;
        table.is_exposed().then_some((table, access))
    }

    /// Columns that exist for the role.
    pub(super) fn columns(&self, table: TableId) -> Vec<(ColumnId, &Column)> {
        self.readable(table).map_or_else(Vec::new, |(table, access)| {
            let columns = access.columns.iter();
            columns.filter_map(|id| Some((id, table.column(id)?))).collect()
        })
    }

    /// Scalar computed fields that exist for the role.
    pub(super) fn scalar_computed_fields(&self, table: TableId) -> Vec<(ComputedFieldId, &ComputedField)> {
        self.readable(table).map_or_else(Vec::new, |(table, access)| {
            let fields = access.computed_fields.iter();
            fields
                .filter_map(|id| Some((*id, table.computed_field(*id)?)))
                .filter(|(_, field)| matches!(field.returns, Returns::Scalar { .. }))
                .collect()
        })
    }

    /// Computed fields that return rows of a table that the role may read.
    pub(super) fn table_computed_fields(
        &self,
        table: TableId,
    ) -> Vec<(ComputedFieldId, &ComputedField, TableId)> {
        self.readable(table).map_or_else(Vec::new, |(table, _)| {
            (0u16..)
                .zip(&table.computed_fields)
                .filter_map(|(at, field)| match field.returns {
                    Returns::Table(target) => Some((ComputedFieldId(at), field, target)),
                    _ => None,
                })
                .filter(|(_, _, target)| self.readable(*target).is_some())
                .collect()
        })
    }

    /// Relationships to tables that the role may read.
    pub(super) fn relationships(&self, table: TableId) -> Vec<(RelationshipId, &Relationship)> {
        self.readable(table).map_or_else(Vec::new, |(table, _)| {
            (0u16..)
                .zip(&table.relationships)
                .filter(|(_, relationship)| self.readable(relationship.target).is_some())
                .map(|(at, relationship)| (RelationshipId(at), relationship))
                .collect()
        })
    }

    /// Whether a field of a table exists for the role.
    pub(super) fn sees(&self, table: &Table, access: &SelectAccess, field: TableField) -> bool {
        match field {
            TableField::Column(column) => access.columns.contains(column),
            TableField::Relationship(id) => table
                .relationship(id)
                .is_some_and(|relationship| self.readable(relationship.target).is_some()),
            TableField::RelationshipAggregate(id) => table.relationship(id).is_some_and(|relationship| {
                relationship.kind == RelationshipKind::Array
                    && self
                        .readable(relationship.target)
                        .is_some_and(|(_, target)| target.aggregations)
            }),
            TableField::ComputedField(id) => {
                table.computed_field(id).is_some_and(|field| match field.returns {
                    Returns::Table(target) => self.readable(target).is_some(),
                    _ => access.computed_fields.contains(&id),
                })
            }
        }
    }

    /// Whether the table's object type has any field for the role; a type without fields does not exist.
    pub(super) fn has_fields(&self, table: &Table, access: &SelectAccess) -> bool {
        !access.columns.is_empty()
            || !access.computed_fields.is_empty()
            || table
                .fields
                .values()
                .any(|field| self.sees(table, access, *field))
    }

    /// The value of the column may be null for this role.
    pub(super) fn is_nullable(&self, access: &SelectAccess, id: ColumnId, column: &Column) -> bool {
        column.nullable
            || access
                .redacted_columns
                .iter()
                .any(|(redacted, _)| *redacted == id)
    }

    /// The GraphQL type of a column's value.
    pub(super) fn column_type(&self, column: &Column, nullable: bool) -> Reference {
        match column.enum_table {
            Some(table) => named(TypeKey::EnumTable(table), nullable),
            None => self.value_type(&column.scalar, column.is_array(), nullable),
        }
    }

    /// The GraphQL type of a value; arrays are lists unless they are disabled.
    pub(super) fn value_type(&self, scalar: &Scalar, array: bool, nullable: bool) -> Reference {
        let key = TypeKey::Scalar(self.scalar_id(scalar));
        if array && !self.arrays_are_scalars() {
            list(key, nullable)
        } else {
            named(key, nullable)
        }
    }

    pub(super) fn argument_type(&self, argument: &Argument) -> Reference {
        let array = matches!(argument.type_.kind, crate::catalog::TypeKind::Array(_));
        self.value_type(&argument.scalar, array, true)
    }

    /// The comparison input of a column.
    pub(super) fn comparison_of(&self, column: &Column, naming: NamingConvention) -> TypeKey {
        match column.enum_table {
            Some(table) => TypeKey::EnumComparison(table),
            None => self.comparison_type(&column.scalar, column.is_array(), naming),
        }
    }

    pub(super) fn comparison_type(&self, scalar: &Scalar, array: bool, naming: NamingConvention) -> TypeKey {
        TypeKey::Comparison(self.scalar_id(scalar), array, naming)
    }

    pub(super) fn arrays_are_scalars(&self) -> bool {
        self.model.options.has("disable_postgres_arrays")
    }

    pub(super) fn scalar_id(&self, scalar: &Scalar) -> ScalarId {
        self.model.scalars.id(&scalar.name).unwrap_or(ScalarId::STRING)
    }
}
