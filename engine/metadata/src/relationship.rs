//! Object and array relationships between tables of one source.

mod json;

use indexmap::IndexMap;

use crate::{Extra, QualifiedName};

/// An object relationship (to one row).
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRelationship {
    /// `using`.
    pub using: ObjectUsing,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// An array relationship (to many rows).
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayRelationship {
    /// `using`.
    pub using: ArrayUsing,
    /// `comment`.
    pub comment: Option<String>,
    /// Unknown keys.
    pub extra: Extra,
}

/// `using` of an object relationship.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectUsing {
    /// `foreign_key_constraint_on: "column"` or `[columns]`: a foreign key of this table. At least one column.
    ForeignKey(Vec<String>),
    /// `foreign_key_constraint_on: {table, column}` or `{table, columns}`: a unique foreign key of the other
    /// table that refers to this one.
    RemoteForeignKey(ForeignKeyColumns),
    /// `manual_configuration`.
    Manual(ManualConfiguration),
}

/// `using` of an array relationship.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrayUsing {
    /// `foreign_key_constraint_on: {table, column}` or `{table, columns}`: a foreign key of the other table that
    /// refers to this one.
    ForeignKey(ForeignKeyColumns),
    /// `manual_configuration`.
    Manual(ManualConfiguration),
}

/// Columns of another table that hold a foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKeyColumns {
    /// The table that owns the foreign key.
    pub table: QualifiedName,
    /// Its columns, at least one. One column prints as `column`, several as `columns`.
    pub columns: Vec<String>,
}

/// `manual_configuration`: a relationship without a foreign key.
#[derive(Clone, Debug, PartialEq)]
pub struct ManualConfiguration {
    /// `remote_table` or `native_query`.
    pub target: ManualTarget,
    /// `column_mapping`: column of the target, by column of this table.
    pub column_mapping: IndexMap<String, String>,
    /// `insertion_order` of nested inserts; absent means that keys decide.
    pub insertion_order: Option<InsertionOrder>,
    /// Unknown keys.
    pub extra: Extra,
}

/// What a [`ManualConfiguration`] leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManualTarget {
    /// `remote_table`
    Table(QualifiedName),
    /// `remote_native_query` (`native_query` is accepted too): its root field name.
    NativeQuery(String),
}

/// `insertion_order`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertionOrder {
    /// `before_parent`
    BeforeParent,
    /// `after_parent`
    AfterParent,
}
