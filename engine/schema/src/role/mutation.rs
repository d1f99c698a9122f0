//! Mutations: which root fields a role has, and what they give back.

use super::root::{comment, shown};
use super::{Field, RoleView, TypeKey, field, list, named, sorted};
use crate::access::{DeleteAccess, InsertAccess, UpdateAccess};
use crate::meaning::Meaning;
use crate::model::{RootField, RootFieldName, RootVerb, Table, TableId};
use crate::scalar::ScalarId;
use graphql::type_system::TypeReference;

impl RoleView {
    /// The right to insert into a table, if the role has it in this request.
    pub fn insert_access(&self, table: TableId) -> Option<&InsertAccess> {
        self.role.tables.get(&table)?.insert(self.backend)
    }

    /// The right to update a table, if the role has it in this request.
    pub fn update_access(&self, table: TableId) -> Option<&UpdateAccess> {
        self.role.tables.get(&table)?.update(self.backend)
    }

    /// The right to delete from a table, if the role has it in this request.
    pub fn delete_access(&self, table: TableId) -> Option<&DeleteAccess> {
        self.role.tables.get(&table)?.delete(self.backend)
    }

    /// Whether the role may use a mutation field of a table. A field that gives back a row needs the right to read
    /// the table, one that names a row by its key the right to read the whole key.
    pub(super) fn may_mutate(&self, id: TableId, verb: RootVerb) -> bool {
        let Some(table) = self.model.table(id).filter(|table| table.is_exposed()) else {
            return false;
        };
        let permitted = match verb {
            RootVerb::Insert | RootVerb::InsertOne => self.insert_access(id).is_some(),
            RootVerb::Update | RootVerb::UpdateByPk | RootVerb::UpdateMany => {
                self.update_access(id).is_some()
            }
            RootVerb::Delete | RootVerb::DeleteByPk => self.delete_access(id).is_some(),
            _ => false,
        };
        permitted
            && match verb {
                RootVerb::InsertOne => self.gives_rows(id),
                RootVerb::UpdateByPk | RootVerb::DeleteByPk => self.gives_rows(id) && self.reads_key(table),
                _ => true,
            }
    }

    /// Whether the role can read anything of the table.
    fn gives_rows(&self, id: TableId) -> bool {
        self.readable(id)
            .is_some_and(|(table, access)| self.has_fields(table, access))
    }

    /// Whether there is a primary key and the role can read all of it.
    pub(super) fn reads_key(&self, table: &Table) -> bool {
        let access = self.select_access(table.id);
        !table.primary_key.is_empty()
            && access.is_some_and(|access| {
                let mut key = table.primary_key.iter();
                key.all(|column| access.columns.contains(*column))
            })
    }

    /// A root field that writes to a table.
    pub(super) fn mutation_field(
        &self,
        table: &Table,
        root: RootField,
        name: &RootFieldName,
    ) -> Option<Field> {
        let words = match root.verb {
            RootVerb::Insert => "insert data into the table",
            RootVerb::InsertOne => "insert a single row into the table",
            RootVerb::Update => "update data of the table",
            RootVerb::UpdateByPk => "update single row of the table",
            RootVerb::UpdateMany => "update multiples rows of table",
            RootVerb::Delete => "delete data from the table",
            RootVerb::DeleteByPk => "delete single row from the table",
            _ => return None,
        };
        let arguments = match root.verb {
            RootVerb::Insert => self.insert_arguments(table.id, true),
            RootVerb::InsertOne => self.insert_arguments(table.id, false),
            RootVerb::Update => self.update_arguments(table.id),
            RootVerb::UpdateByPk => self.update_by_key_arguments(table.id),
            RootVerb::UpdateMany => vec![self.updates_argument(table.id)],
            RootVerb::Delete => vec![self.delete_where(table.id)],
            _ => self.key_arguments(table),
        };
        let response = named(TypeKey::MutationResponse(table.id), true);
        let type_ = match root.verb {
            RootVerb::InsertOne | RootVerb::UpdateByPk | RootVerb::DeleteByPk => {
                named(TypeKey::Table(table.id), true)
            }
            RootVerb::UpdateMany => TypeReference::List {
                item: Box::new(response),
                nullable: true,
            },
            _ => response,
        };
        let default = format!("{words}: \"{}\"", shown(&table.name));
        let description = comment(name.comment.as_ref(), default);
        Some(Field {
            arguments: sorted(arguments),
            ..field(name.name.clone(), description, type_, true, Meaning::Root(root))
        })
    }

    /// `affected_rows`, and `returning` if the role can read the table.
    pub(super) fn mutation_response(&self, id: TableId) -> Vec<Field> {
        let naming = self.naming(id);
        let mut fields = vec![field(
            naming.word("affected_rows"),
            Some("number of rows affected by the mutation".to_owned()),
            named(TypeKey::Scalar(ScalarId::INT), false),
            false,
            Meaning::AffectedRows,
        )];
        if self.gives_rows(id) {
            fields.push(field(
                naming.word("returning"),
                Some("data from the rows affected by the mutation".to_owned()),
                list(TypeKey::Table(id), false),
                true,
                Meaning::Returning,
            ));
        }
        fields
    }
}
