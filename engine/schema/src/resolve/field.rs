//! The fields of a table's object type: columns, relationships and computed fields under one roof.

use graphql::Name;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::model::{ComputedFieldId, RelationshipId, RelationshipKind, Table, TableField};
use crate::model::{ColumnId, Customization};
use crate::naming::{custom, generated};
use crate::problem::{Object, Problem};
use crate::resolve::{Entry, Resolver};

impl Resolver<'_> {
    /// Fills `fields` of all tables. A relationship or computed field whose name is taken is left out.
    pub(crate) fn resolve_fields(&mut self) {
        let customization = &self.customization;
        for (table, entry) in self.tables.iter_mut().zip(&self.entries) {
            drop_conflicts(self.name, table, entry, customization, &mut self.problems);
            table.fields = fields(table, customization);
        }
    }
}

/// `rel_aggregate`.
pub(crate) fn aggregate_field(name: &str, customization: &Customization) -> Name {
    Name::from(customization.naming.field(&[custom(name), generated("aggregate")]))
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
        let metadata = entry.metadata;
        match kind {
            RelationshipKind::Object => metadata
                .object_relationships
                .get(name)
                .map(|definition| Object::object_relationship(source, entry.name, name, definition)),
            RelationshipKind::Array => metadata
                .array_relationships
                .get(name)
                .map(|definition| Object::array_relationship(source, entry.name, name, definition)),
        }
    };
    let computed_object = |name: &str| {
        let definition = entry.metadata.computed_fields.get(name)?;
        Some(Object::computed_field(source, entry.name, name, definition))
    };
    let mut keep_relationships = Vec::new();
    for relationship in &table.relationships {
        let aggregate = aggregate_field(&relationship.name, customization);
        let names: Vec<&str> = match relationship.kind {
            RelationshipKind::Object => vec![&relationship.name],
            RelationshipKind::Array => vec![&relationship.name, &aggregate],
        };
        let wrong = judge(&names);
        let twin = (relationship.kind == RelationshipKind::Array
            && entry.metadata.object_relationships.contains_key(&relationship.name))
        .then(|| relationship_object(&relationship.name, RelationshipKind::Object))
        .flatten();
        let object = relationship_object(&relationship.name, relationship.kind);
        match (wrong, twin, object) {
            (Some(message), _, Some(object)) => {
                problems.push(Problem::inconsistent(object, message));
                keep_relationships.push(false);
            }
            (None, Some(twin), Some(object)) => {
                problems.push(twins(&relationship.name, twin, object));
                keep_relationships.push(false);
            }
            _ => keep_relationships.push(true),
        }
    }
    let mut keep_computed = Vec::new();
    for computed in &table.computed_fields {
        let other = table
            .relationships
            .iter()
            .find(|relationship| relationship.name == computed.name)
            .and_then(|relationship| relationship_object(&relationship.name, relationship.kind));
        match (judge(&[&computed.name]), other, computed_object(&computed.name)) {
            (Some(message), _, Some(object)) => {
                problems.push(Problem::inconsistent(object, message));
                keep_computed.push(false);
            }
            (None, Some(other), Some(object)) => {
                problems.push(twins(&computed.name, other, object));
                keep_computed.push(false);
            }
            _ => keep_computed.push(true),
        }
    }
    let mut keep = keep_relationships.into_iter();
    table.relationships.retain(|_| keep.next().unwrap_or(false));
    let mut keep = keep_computed.into_iter();
    table.computed_fields.retain(|_| keep.next().unwrap_or(false));
}

fn twins(name: &str, one: Object, other: Object) -> Problem {
    Problem::Conflicting {
        message: format!("conflicting definitions for field \"{name}\""),
        objects: vec![one, other],
    }
}

fn fields(table: &Table, customization: &Customization) -> IndexMap<Name, TableField> {
    let mut fields = IndexMap::new();
    for (at, column) in (0u16..).zip(&table.columns) {
        fields.insert(column.field.clone(), TableField::Column(ColumnId(at)));
    }
    for (at, computed) in (0u16..).zip(&table.computed_fields) {
        fields.insert(computed.field.clone(), TableField::ComputedField(ComputedFieldId(at)));
    }
    for (at, relationship) in (0u16..).zip(&table.relationships) {
        let id = RelationshipId(at);
        fields.insert(relationship.field.clone(), TableField::Relationship(id));
        if relationship.kind == RelationshipKind::Array {
            let name = aggregate_field(&relationship.name, customization);
            fields.entry(name).or_insert(TableField::RelationshipAggregate(id));
        }
    }
    fields
}
