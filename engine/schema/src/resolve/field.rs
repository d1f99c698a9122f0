//! The fields of a table's object type: columns, relationships and computed fields under one roof.

use std::sync::Arc;

use graphql::Name;
use indexmap::IndexMap;
use metadata::object_id::MetadataObjectId;
use metadata::remote_relationship::RelationshipType;
use rustc_hash::FxHashMap;

use crate::model::{
    ColumnId, ComputedFieldId, Customization, RelationshipId, RelationshipKind, Table, TableField,
};
use crate::naming::{custom, generated};
use crate::problem::{Claim, Problem, object};
use crate::resolve::{Entry, Resolver};

impl Resolver<'_> {
    /// Fills `fields` of all tables. A relationship or computed field whose name is taken is left out.
    pub(crate) fn resolve_fields(&mut self) {
        let customization = &self.customization;
        let tables = Arc::get_mut(&mut self.tables).into_iter().flatten();
        for (table, entry) in tables.zip(&self.entries) {
            drop_conflicts(self.name, table, entry, customization, &mut self.problems);
            table.fields = fields(table, customization);
        }
    }
}

/// `rel_aggregate`.
pub(crate) fn aggregate_field(name: &str, customization: &Customization) -> Name {
    Name::from(
        customization
            .naming
            .field(&[custom(name), generated("aggregate")]),
    )
}

fn drop_conflicts(
    source: &str,
    table: &mut Table,
    entry: &Entry<'_>,
    customization: &Customization,
    problems: &mut Vec<Problem>,
) {
    let by_field: FxHashMap<&str, &str> = table
        .columns
        .iter()
        .map(|column| (&*column.field, column.name.as_str()))
        .collect();
    let judge = |names: &[&str]| -> Option<String> {
        names.iter().find_map(|name| {
            if entry.columns.contains_key(*name) {
                return Some("field definition conflicts with postgres column".to_owned());
            }
            by_field.get(name).map(|column| {
                format!("field definition conflicts with custom field name for postgres column \"{column}\"")
            })
        })
    };
    let relationship_object = |name: &str, kind: RelationshipKind| {
        let relationship_type = match kind {
            RelationshipKind::Object => RelationshipType::Object,
            RelationshipKind::Array => RelationshipType::Array,
        };
        object::relationship(source, entry.name, name, relationship_type)
    };
    let mut keep_relationships = Vec::new();
    for relationship in &table.relationships {
        let name = relationship.name.as_str();
        let aggregate = aggregate_field(name, customization);
        let wrong = match relationship.kind {
            RelationshipKind::Object => judge(&[name]),
            RelationshipKind::Array => judge(&[name, &aggregate]),
        };
        let has_twin = relationship.kind == RelationshipKind::Array
            && entry.metadata.object_relationships.contains_key(name);
        let this = relationship_object(name, relationship.kind);
        keep_relationships.push(wrong.is_none() && !has_twin);
        if let Some(message) = wrong {
            problems.push(Problem::inconsistent(this, message));
        } else if has_twin {
            problems.push(twins(
                name,
                relationship_object(name, RelationshipKind::Object),
                this,
            ));
        }
    }
    let mut keep_computed = Vec::new();
    for computed in &table.computed_fields {
        let name = computed.name.as_str();
        let wrong = judge(&[name]);
        let other = table
            .relationships
            .iter()
            .find(|relationship| relationship.name == name);
        let this = object::computed_field(source, entry.name, name);
        keep_computed.push(wrong.is_none() && other.is_none());
        if let Some(message) = wrong {
            problems.push(Problem::inconsistent(this, message));
        } else if let Some(other) = other {
            problems.push(twins(name, relationship_object(name, other.kind), this));
        }
    }
    let mut keep = keep_relationships.into_iter();
    table.relationships.retain(|_| keep.next().unwrap_or(false));
    let mut keep = keep_computed.into_iter();
    table.computed_fields.retain(|_| keep.next().unwrap_or(false));
}

fn twins(name: &str, one: MetadataObjectId, other: MetadataObjectId) -> Problem {
    Problem::Conflicting {
        claim: Claim::TableField,
        message: format!("conflicting definitions for field \"{name}\""),
        objects: vec![one, other],
        path: None,
    }
}

fn fields(table: &Table, customization: &Customization) -> IndexMap<Name, TableField> {
    let mut fields = IndexMap::new();
    for (at, column) in (0u16..).zip(&table.columns) {
        fields.insert(column.field.clone(), TableField::Column(ColumnId(at)));
    }
    for (at, computed) in (0u16..).zip(&table.computed_fields) {
        fields.insert(
            computed.field.clone(),
            TableField::ComputedField(ComputedFieldId(at)),
        );
    }
    for (at, relationship) in (0u16..).zip(&table.relationships) {
        let id = RelationshipId(at);
        fields.insert(relationship.field.clone(), TableField::Relationship(id));
        if relationship.kind == RelationshipKind::Array {
            let name = aggregate_field(&relationship.name, customization);
            fields
                .entry(name)
                .or_insert(TableField::RelationshipAggregate(id));
        }
    }
    fields
}
