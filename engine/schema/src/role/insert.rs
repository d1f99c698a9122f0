//! Inserts: arguments, rows with what is inserted along with them, and what happens on a conflict.

use graphql::Name;
use graphql::type_system::EnumValue;

use super::{Input, RoleView, TypeKey, described, input, list, named, not_null};
use crate::meaning::{ArgumentRole, Meaning};
use crate::model::{Column, ColumnId, RelationshipKind, TableId};
use crate::naming::is_graphql_name;

impl RoleView {
    /// `objects` or `object`, and `on_conflict`
    pub(super) fn insert_arguments(&self, table: TableId, many: bool) -> Vec<Input> {
        let naming = self.naming(table);
        let row = TypeKey::InsertInput(table);
        let rows = if many {
            described(
                naming.word("objects"),
                "the rows to be inserted",
                list(row, false),
                Meaning::Argument(ArgumentRole::Objects),
            )
        } else {
            described(
                naming.word("object"),
                "the row to be inserted",
                named(row, false),
                Meaning::Argument(ArgumentRole::Object),
            )
        };
        let mut arguments = vec![rows];
        arguments.extend(self.on_conflict_argument(table));
        arguments
    }

    /// `on_conflict`, if anything can conflict.
    fn on_conflict_argument(&self, id: TableId) -> Option<Input> {
        let table = self.model.table(id)?;
        let mut constraints = table.unique_constraints.iter();
        let constrained = constraints.any(|(name, _)| is_graphql_name(name));
        constrained.then(|| {
            described(
                self.naming(id).word("on_conflict"),
                "upsert condition",
                named(TypeKey::OnConflict(id), true),
                Meaning::Argument(ArgumentRole::OnConflict),
            )
        })
    }

    /// Keys of `T_insert_input`: the columns that the role may give, all of them optional, and the relationships
    /// to tables that it may insert into.
    pub(super) fn insert_input(&self, id: TableId) -> Vec<Input> {
        let (Some(table), Some(access)) = (self.model.table(id), self.insert_access(id)) else {
            return Vec::new();
        };
        let columns = access.columns.iter();
        let columns = columns.filter_map(|id| Some(self.given_column(id, table.column(id)?)));
        let relationships = (0u16..)
            .zip(&table.relationships)
            .filter_map(|(at, relationship)| {
                let target = self.model.table(relationship.target)?;
                if !target.is_exposed() || self.insert_access(target.id).is_none() {
                    return None;
                }
                let key = match relationship.kind {
                    RelationshipKind::Object => TypeKey::ObjectInsertInput(target.id),
                    RelationshipKind::Array => TypeKey::ArrayInsertInput(target.id),
                };
                let meaning = Meaning::Relationship(crate::model::RelationshipId(at));
                Some(input(relationship.field.clone(), named(key, true), meaning))
            });
        columns.chain(relationships).collect()
    }

    /// A column as the key of a row to be written: optional, and null only where the column can be.
    pub(super) fn given_column(&self, id: ColumnId, column: &Column) -> Input {
        let key = Input {
            description: column.description.clone(),
            ..input(
                column.field.clone(),
                self.column_type(column, true),
                Meaning::Column(id),
            )
        };
        if column.nullable { key } else { not_null(key) }
    }

    /// `data` and `on_conflict`
    pub(super) fn nested_insert_input(&self, table: TableId, many: bool) -> Vec<Input> {
        let row = TypeKey::InsertInput(table);
        let type_ = if many { list(row, false) } else { named(row, false) };
        let data = self.naming(table).word("data");
        let mut keys = vec![input(data, type_, Meaning::Argument(ArgumentRole::Data))];
        keys.extend(self.on_conflict_argument(table));
        keys
    }

    /// `constraint`, `update_columns`, `where`
    pub(super) fn on_conflict(&self, table: TableId) -> Vec<Input> {
        let naming = self.naming(table);
        vec![
            input(
                naming.word("constraint"),
                named(TypeKey::Constraint(table), false),
                Meaning::Argument(ArgumentRole::Constraint),
            ),
            Input {
                default: Some("[]".to_owned()),
                ..input(
                    naming.word("update_columns"),
                    list(TypeKey::UpdateColumn(table), false),
                    Meaning::Argument(ArgumentRole::UpdateColumns),
                )
            },
            not_null(input(
                naming.word("where"),
                named(TypeKey::BoolExp(table), true),
                Meaning::Argument(ArgumentRole::Where),
            )),
        ]
    }

    /// Values of `T_constraint`, named as the constraints are whatever the convention.
    pub(super) fn constraints(&self, id: TableId) -> Vec<EnumValue<Meaning>> {
        let Some(table) = self.model.table(id) else {
            return Vec::new();
        };
        (0u16..)
            .zip(&table.unique_constraints)
            .filter(|(_, (name, _))| is_graphql_name(name))
            .map(|(at, (name, columns))| {
                let columns = columns.iter().filter_map(|column| table.column(*column));
                let mut columns: Vec<String> = columns.map(|column| format!("\"{}\"", column.name)).collect();
                columns.sort_unstable();
                EnumValue {
                    name: name.clone(),
                    description: Some(format!(
                        "unique or primary key constraint on columns {}",
                        columns.join(", ")
                    )),
                    meaning: Meaning::Constraint(at),
                }
            })
            .collect()
    }

    pub(super) fn update_column_description(&self, table: TableId) -> Option<String> {
        if self.updatable_columns(table).is_empty() {
            let words = self.quoted(table, "placeholder for update columns of table")?;
            return Some(words + " (current role has no relevant permissions)");
        }
        self.quoted(table, "update columns of table")
    }

    /// Values of `T_update_column`: the columns that the role may update, or a placeholder that may not be used.
    pub(super) fn update_column_values(&self, table: TableId) -> Vec<EnumValue<Meaning>> {
        let columns = self.updatable_columns(table);
        if columns.is_empty() {
            return vec![EnumValue {
                name: Name::from("_PLACEHOLDER"),
                description: Some("placeholder (do not use)".to_owned()),
                meaning: Meaning::NoColumn,
            }];
        }
        columns
            .into_iter()
            .map(|(id, column)| EnumValue {
                name: column.field.clone(),
                description: Some("column name".to_owned()),
                meaning: Meaning::Column(id),
            })
            .collect()
    }
}
