//! The object type of a table: columns, relationships, computed fields.

use super::root::{comment, shown};
use super::{Field, Input, Reference, RoleView, TypeKey, described, field, list, named, sorted};
use crate::access::SelectAccess;
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::{
    Column, ColumnId, ComputedField, ComputedFieldId, RelationshipKind, Returns, Table, TableField, TableId,
};
use crate::naming::NamingConvention;
use crate::scalar::{Scalar, ScalarClass, ScalarId};

impl RoleView {
    pub(super) fn table_description(&self, id: TableId) -> Option<String> {
        let table = self.model.table(id)?;
        let default = format!("columns and relationships of \"{}\"", shown(&table.name));
        comment(table.comment.as_ref(), default)
    }

    /// One field of a table's object type.
    pub(super) fn table_field(&self, id: TableId, name: &str) -> Option<Field> {
        let (table, access) = self.readable(id)?;
        let (name, kind) = table.fields.get_key_value(name)?;
        self.build_table_field(table, access, name.clone(), *kind)
    }

    /// All fields of a table's object type.
    pub(super) fn table_fields(&self, id: TableId) -> Vec<Field> {
        self.readable(id).map_or_else(Vec::new, |(table, access)| {
            let fields = table.fields.iter();
            fields
                .filter_map(|(name, kind)| self.build_table_field(table, access, name.clone(), *kind))
                .collect()
        })
    }

    fn build_table_field(
        &self,
        table: &Table,
        access: &SelectAccess,
        name: graphql::Name,
        kind: TableField,
    ) -> Option<Field> {
        if !self.sees(table, access, kind) {
            return None;
        }
        match kind {
            TableField::Column(id) => {
                let column = table.column(id)?;
                Some(self.column_field(id, column, self.is_nullable(access, id, column)))
            }
            TableField::Relationship(id) => {
                let relationship = table.relationship(id)?;
                let target = TypeKey::Table(relationship.target);
                let meaning = Meaning::Relationship(id);
                Some(match relationship.kind {
                    RelationshipKind::Object => {
                        let description = Some("An object relationship".to_owned());
                        field(
                            name,
                            description,
                            named(target, relationship.nullable),
                            true,
                            meaning,
                        )
                    }
                    RelationshipKind::Array => {
                        let description = Some("An array relationship".to_owned());
                        Field {
                            arguments: sorted(self.list_arguments(relationship.target)),
                            ..field(name, description, list(target, false), true, meaning)
                        }
                    }
                })
            }
            TableField::RelationshipAggregate(id) => {
                let target = table.relationship(id)?.target;
                let description = Some("An aggregate relationship".to_owned());
                let type_ = named(TypeKey::Aggregate(target), false);
                Some(Field {
                    arguments: sorted(self.list_arguments(target)),
                    ..field(name, description, type_, true, Meaning::RelationshipAggregate(id))
                })
            }
            TableField::ComputedField(id) => Some(self.computed_field(table, id, table.computed_field(id)?)),
        }
    }

    /// The field of a column, of a table or of an anonymous row.
    pub(super) fn column_field(&self, id: ColumnId, column: &Column, nullable: bool) -> Field {
        let type_ = self.column_type(column, nullable);
        Field {
            arguments: json_path(&column.scalar, column.is_array()),
            ..field(
                column.field.clone(),
                column.description.clone(),
                type_,
                false,
                Meaning::Column(id),
            )
        }
    }

    fn computed_field(&self, table: &Table, id: ComputedFieldId, computed: &ComputedField) -> Field {
        let default = format!(
            "A computed field, executes function \"{}\"",
            shown(&computed.function)
        );
        let description = comment(computed.comment.as_ref(), default);
        let naming = self.naming(table.id);
        let mut arguments: Vec<Input> = self
            .computed_arguments_argument(table, id, computed, naming)
            .into_iter()
            .collect();
        let (type_, composite): (Reference, bool) = match &computed.returns {
            Returns::Scalar { type_, scalar } => {
                let array = matches!(type_.kind, crate::catalog::TypeKind::Array(_));
                arguments.extend(json_path(scalar, array));
                (self.value_type(scalar, array, true), false)
            }
            Returns::Table(target) => {
                arguments.extend(self.list_arguments(*target));
                (list(TypeKey::Table(*target), true), true)
            }
            Returns::Rows { .. } => {
                let row = TypeKey::ComputedRow(table.id, id);
                let type_ = if computed.returns_set {
                    list(row, true)
                } else {
                    named(row, true)
                };
                (type_, true)
            }
        };
        let meaning = Meaning::ComputedField(id);
        Field {
            arguments: sorted(arguments),
            ..field(computed.field.clone(), description, type_, composite, meaning)
        }
    }

    /// `args` of a computed field, if a client can give any.
    pub(super) fn computed_arguments_argument(
        &self,
        table: &Table,
        id: ComputedFieldId,
        computed: &ComputedField,
        naming: NamingConvention,
    ) -> Option<Input> {
        if computed.arguments.is_empty() {
            return None;
        }
        let optional = computed.arguments.iter().all(|argument| argument.has_default);
        let description = format!(
            "input parameters for computed field \"{}\" defined on table \"{}\"",
            computed.name,
            shown(&table.name)
        );
        Some(described(
            naming.word("args"),
            &description,
            named(TypeKey::ComputedArguments(table.id, id), optional),
            Meaning::Argument(ArgumentRole::Arguments),
        ))
    }
}

/// `path` of json and jsonb values.
pub(super) fn json_path(scalar: &Scalar, array: bool) -> Vec<Input> {
    if array || !matches!(scalar.class, ScalarClass::Json | ScalarClass::Jsonb) {
        return Vec::new();
    }
    vec![described(
        graphql::Name::from("path"),
        "JSON select path",
        named(TypeKey::Scalar(ScalarId::STRING), true),
        Meaning::Argument(ArgumentRole::JsonPath),
    )]
}
