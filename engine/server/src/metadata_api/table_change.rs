//! What SQL did to tracked tables and functions, found by comparing two catalogs of one source.
//!
//! Pure. Tables are told apart by their oid and columns by their number, both of which survive a rename.

use std::collections::HashMap;
use std::sync::Arc;

use metadata::{Document, QualifiedName};
use schema::catalog::{Catalog, Function, Table, Volatility};
use schema::model::Model;

use super::error::ApiError;
use super::rename::{self, Rename};

/// The changes, in the order in which they are applied to the document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// Tracked tables that are gone.
    pub(crate) dropped_tables: Vec<QualifiedName>,
    /// Columns of tracked tables that are gone; the table's name is the new one.
    pub(crate) dropped_columns: Vec<(QualifiedName, String)>,
    /// Renames: columns first (under the old table name), then tables.
    pub(crate) renames: Vec<Rename>,
    /// Tracked functions that are gone.
    pub(crate) dropped_functions: Vec<QualifiedName>,
    /// A function of a computed field is gone. What depends on it is found when the document is built.
    pub(crate) drops_computed_field: bool,
}

/// Compares the catalogs for what the document tracks in a source.
///
/// # Errors
/// `not-supported` if a tracked function or one of a computed field became VOLATILE or got an overload.
pub(crate) fn compare(
    document: &Document,
    source: &str,
    before: &Catalog,
    after: &Catalog,
) -> Result<Changes, ApiError> {
    let mut changes = Changes::default();
    let Some(source) = document.sources.get(source) else {
        return Ok(changes);
    };
    let by_oid: HashMap<u32, &Table> = after.tables.iter().map(|table| (table.oid, table)).collect();
    let mut table_renames = Vec::new();
    for name in source.tables.keys() {
        let Some(old) = before.table(&name.schema, &name.name) else {
            continue;
        };
        let Some(new) = by_oid.get(&old.oid) else {
            changes.dropped_tables.push(name.clone());
            continue;
        };
        let new_name = QualifiedName::new(new.name.schema.clone(), new.name.name.clone());
        compare_columns(name, &new_name, old, new, &mut changes);
        if new_name != *name {
            table_renames.push(Rename::Table {
                from: name.clone(),
                to: new_name,
            });
        }
    }
    for (table, tracked) in &source.tables {
        if changes.dropped_tables.contains(table) {
            continue;
        }
        for (field, computed) in &tracked.computed_fields {
            compare_computed(
                table,
                field,
                &computed.definition.function,
                before,
                after,
                &mut changes,
            )?;
        }
    }
    order_table_renames(&mut table_renames);
    changes.renames.extend(table_renames);
    for name in source.functions.keys() {
        let old: Vec<&Function> = before.functions_named(&name.schema, &name.name).collect();
        let new: Vec<&Function> = after.functions_named(&name.schema, &name.name).collect();
        match (old.as_slice(), new.as_slice()) {
            ([], _) => {}
            (_, []) => changes.dropped_functions.push(name.clone()),
            ([old], [new])
                if new.volatility == Volatility::Volatile && old.volatility != Volatility::Volatile =>
            {
                return Err(ApiError::new(
                    "not-supported",
                    format!(
                        "type of function \"{name}\" is altered to \"VOLATILE\" which is not supported now"
                    ),
                ));
            }
            (old, new) if new.len() > old.len() => {
                return Err(ApiError::new(
                    "not-supported",
                    format!("the following tracked function(s) cannot be overloaded: \"{name}\""),
                ));
            }
            _ => {}
        }
    }
    Ok(changes)
}

fn compare_computed(
    table: &QualifiedName,
    field: &str,
    function: &QualifiedName,
    before: &Catalog,
    after: &Catalog,
    changes: &mut Changes,
) -> Result<(), ApiError> {
    let old: Vec<&Function> = before.functions_named(&function.schema, &function.name).collect();
    let new: Vec<&Function> = after.functions_named(&function.schema, &function.name).collect();
    let refused = |start: &str, end: &str| {
        Err(ApiError::new(
            "not-supported",
            format!(
                "{start} \"{function}\" associated with computed field \"{field}\" of table \"{table}\" is being {end}"
            ),
        ))
    };
    match (old.as_slice(), new.as_slice()) {
        ([], _) => {}
        (_, []) => changes.drops_computed_field = true,
        ([old], [new])
            if new.volatility == Volatility::Volatile && old.volatility != Volatility::Volatile =>
        {
            return refused("The type of function", "altered to \"VOLATILE\"");
        }
        (old, new) if new.len() > old.len() => return refused("The function", "overloaded"),
        _ => {}
    }
    Ok(())
}

fn compare_columns(
    old_name: &QualifiedName,
    new_name: &QualifiedName,
    old: &Table,
    new: &Table,
    changes: &mut Changes,
) {
    let by_number: HashMap<i16, &str> = new
        .columns
        .iter()
        .map(|column| (column.position, column.name.as_str()))
        .collect();
    let mut renames = Vec::new();
    for column in &old.columns {
        match by_number.get(&column.position) {
            None => changes
                .dropped_columns
                .push((new_name.clone(), column.name.clone())),
            Some(name) if *name != column.name => {
                renames.push((column.name.clone(), (*name).to_owned()));
            }
            Some(_) => {}
        }
    }
    // Swapped names must not run into each other: each goes through a name that no column can have.
    let swapped = renames
        .iter()
        .any(|(from, _)| renames.iter().any(|(_, to)| to == from));
    for (from, to) in &renames {
        let first = if swapped { format!("\u{0}{to}") } else { to.clone() };
        changes.renames.push(Rename::Column {
            table: old_name.clone(),
            from: from.clone(),
            to: first,
        });
    }
    if swapped {
        for (_, to) in &renames {
            changes.renames.push(Rename::Column {
                table: old_name.clone(),
                from: format!("\u{0}{to}"),
                to: to.clone(),
            });
        }
    }
}

/// A table renamed to a name that another renamed table had waits until that one has left it.
fn order_table_renames(renames: &mut Vec<Rename>) {
    let mut ordered: Vec<Rename> = Vec::with_capacity(renames.len());
    let mut pending = std::mem::take(renames);
    while !pending.is_empty() {
        let free = pending.iter().position(|rename| match rename {
            Rename::Table { to, .. } => !pending
                .iter()
                .any(|other| matches!(other, Rename::Table { from, .. } if from == to)),
            _ => true,
        });
        match free {
            Some(position) => ordered.push(pending.remove(position)),
            // A cycle: one of them steps aside first.
            None => {
                if let Some(Rename::Table { from, to }) = pending.pop() {
                    let aside = QualifiedName::new(to.schema.clone(), format!("\u{0}{}", to.name));
                    ordered.push(Rename::Table {
                        from,
                        to: aside.clone(),
                    });
                    pending.push(Rename::Table { from: aside, to });
                }
            }
        }
    }
    *renames = ordered;
}

impl Changes {
    /// Nothing that the document names has changed.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Something is gone.
    pub(crate) fn drops(&self) -> bool {
        !(self.dropped_tables.is_empty()
            && self.dropped_columns.is_empty()
            && self.dropped_functions.is_empty()
            && !self.drops_computed_field)
    }

    /// Follows renames, and takes dropped tables, functions and column settings out.
    pub(crate) fn apply(&self, document: &mut Document, model: &Model, source_name: &str) {
        rename::apply_all(document, model, source_name, &self.renames);
        let Some(source) = document.sources.get_mut(source_name) else {
            return;
        };
        for table in &self.dropped_tables {
            source.tables.shift_remove(table);
        }
        for function in &self.dropped_functions {
            source.functions.shift_remove(function);
        }
        for (table, column) in &self.dropped_columns {
            if let Some(table) = source.tables.get_mut(table).map(Arc::make_mut) {
                table.configuration.column_config.shift_remove(column);
            }
        }
    }
}
