//! `suggest_relationships`: what the foreign keys of tracked tables offer.

use std::collections::HashSet;

use metadata::relationship::{ArrayUsing, ObjectUsing};
use metadata::{QualifiedName, Source};
use schema::catalog::{Catalog, ForeignKey};
use serde_json::{Value, json};

use super::arguments::Arguments;
use super::error::ApiError;
use super::lookup;
use super::workspace::Workspace;

/// `pg_suggest_relationships`
pub(crate) fn run(workspace: &Workspace<'_>, arguments: Arguments<'_>) -> Result<Value, ApiError> {
    let source_name = arguments.source()?;
    let source = lookup::source(workspace.document(), &source_name)?;
    let tables: Option<Vec<QualifiedName>> = arguments.optional("tables")?;
    let omit_tracked = arguments.flag("omit_tracked")?;
    let Some(catalog) = workspace.catalog(&source_name) else {
        return Err(ApiError::unexpected(format!(
            "source \"{source_name}\" is not reachable"
        )));
    };
    let wanted = |table: &QualifiedName| tables.as_ref().is_none_or(|tables| tables.contains(table));
    let suggestions: Vec<Value> = foreign_keys(source, catalog)
        .filter(|key| wanted(&key.table) || wanted(&key.target))
        .flat_map(|key| key.suggestions(source, omit_tracked))
        .collect();
    Ok(json!({ "relationships": suggestions }))
}

struct Key<'a> {
    table: QualifiedName,
    target: QualifiedName,
    key: &'a ForeignKey,
    /// The foreign key's columns are unique in their table, so that the way back leads to one row.
    unique: bool,
}

fn foreign_keys<'a>(source: &'a Source, catalog: &'a Catalog) -> impl Iterator<Item = Key<'a>> {
    source
        .tables
        .keys()
        .filter_map(|name| Some((name, catalog.table(&name.schema, &name.name)?)))
        .flat_map(move |(name, table)| {
            table.foreign_keys.iter().filter_map(move |key| {
                let target = QualifiedName::new(key.target.schema.clone(), key.target.name.clone());
                if !source.tables.contains_key(&target) {
                    return None;
                }
                let columns: HashSet<&str> = key.columns.iter().map(|(own, _)| own.as_str()).collect();
                let unique = table
                    .primary_key
                    .iter()
                    .chain(&table.unique_constraints)
                    .any(|constraint| {
                        constraint
                            .columns
                            .iter()
                            .map(String::as_str)
                            .collect::<HashSet<_>>()
                            == columns
                    });
                Some(Key {
                    table: name.clone(),
                    target,
                    key,
                    unique,
                })
            })
        })
}

impl Key<'_> {
    fn own(&self) -> Vec<&str> {
        self.key.columns.iter().map(|(own, _)| own.as_str()).collect()
    }

    fn referenced(&self) -> Vec<&str> {
        self.key
            .columns
            .iter()
            .map(|(_, referenced)| referenced.as_str())
            .collect()
    }

    fn suggestions(&self, source: &Source, omit_tracked: bool) -> Vec<Value> {
        let mut found = Vec::new();
        if !(omit_tracked && self.forward_is_tracked(source)) {
            found.push(json!({
                "type": "object",
                "from": {
                    "table": name(&self.table), "columns": self.own(), "constraint_name": self.key.name,
                },
                "to": { "table": name(&self.target), "columns": self.referenced() },
            }));
        }
        if !(omit_tracked && self.backward_is_tracked(source)) {
            found.push(json!({
                "type": if self.unique { "object" } else { "array" },
                "from": { "table": name(&self.target), "columns": self.referenced() },
                "to": {
                    "table": name(&self.table), "columns": self.own(), "constraint_name": self.key.name,
                },
            }));
        }
        found
    }

    fn forward_is_tracked(&self, source: &Source) -> bool {
        let Some(table) = source.tables.get(&self.table) else {
            return false;
        };
        table
            .object_relationships
            .values()
            .any(|relationship| match &relationship.using {
                ObjectUsing::ForeignKey(columns) => same(columns, &self.own()),
                _ => false,
            })
    }

    fn backward_is_tracked(&self, source: &Source) -> bool {
        let Some(table) = source.tables.get(&self.target) else {
            return false;
        };
        let arrays = table
            .array_relationships
            .values()
            .any(|relationship| match &relationship.using {
                ArrayUsing::ForeignKey(key) => key.table == self.table && same(&key.columns, &self.own()),
                ArrayUsing::Manual(_) => false,
            });
        let objects = table
            .object_relationships
            .values()
            .any(|relationship| match &relationship.using {
                ObjectUsing::RemoteForeignKey(key) => {
                    key.table == self.table && same(&key.columns, &self.own())
                }
                _ => false,
            });
        arrays || objects
    }
}

fn same(columns: &[String], others: &[&str]) -> bool {
    columns.iter().map(String::as_str).collect::<HashSet<_>>()
        == others.iter().copied().collect::<HashSet<_>>()
}

fn name(table: &QualifiedName) -> Value {
    json!({ "schema": table.schema, "name": table.name })
}
