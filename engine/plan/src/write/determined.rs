//! What of a row another row of the same mutation gives, and may therefore not be given again. The messages are Hasura's.

use schema::model::{ColumnId, Relationship, Table};

/// No column may be given whose value another row gives.
pub(super) fn check_given(
    table: &Table,
    given: impl Iterator<Item = ColumnId>,
    is_determined: impl Fn(ColumnId) -> bool,
) -> Result<(), String> {
    let twice: Vec<ColumnId> = given.filter(|column| is_determined(*column)).collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(format!(
        "cannot insert {} columns as their values are already being determined by parent insert",
        quoted(table, &twice)
    ))
}

/// A related row may determine only columns that have no value yet.
pub(super) fn check_relationship(
    table: &Table,
    relationship: &Relationship,
    has_value: impl Fn(ColumnId) -> bool,
) -> Result<(), String> {
    let own = relationship.columns.iter().map(|(own, _)| *own);
    let twice: Vec<ColumnId> = own.filter(|own| has_value(*own)).collect();
    if twice.is_empty() {
        return Ok(());
    }
    Err(format!(
        "cannot insert object relationship \"{}\" as {} column values are already determined",
        relationship.name,
        quoted(table, &twice)
    ))
}

/// `"a", "b"`
fn quoted(table: &Table, columns: &[ColumnId]) -> String {
    let names: Vec<String> = columns
        .iter()
        .filter_map(|column| table.column(*column))
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    names.join(", ")
}
