//! Finding what a command names in the document, with Hasura's errors where it is not there.

use std::sync::Arc;

use metadata::{Document, QualifiedName, Source, Table};

use super::error::ApiError;

/// The source of that name.
pub(crate) fn source<'a>(document: &'a Document, name: &str) -> Result<&'a Source, ApiError> {
    document.sources.get(name).ok_or_else(|| source_missing(name))
}

/// The source of that name, to be changed.
pub(crate) fn source_mut<'a>(document: &'a mut Document, name: &str) -> Result<&'a mut Source, ApiError> {
    document.sources.get_mut(name).ok_or_else(|| source_missing(name))
}

/// A tracked table.
pub(crate) fn table<'a>(
    document: &'a Document,
    source_name: &str,
    table: &QualifiedName,
) -> Result<&'a Table, ApiError> {
    source(document, source_name)?
        .tables
        .get(table)
        .map(|table| &**table)
        .ok_or_else(|| table_missing(source_name, table))
}

/// A tracked table, to be changed.
pub(crate) fn table_mut<'a>(
    document: &'a mut Document,
    source_name: &str,
    table: &QualifiedName,
) -> Result<&'a mut Table, ApiError> {
    source_mut(document, source_name)?
        .tables
        .get_mut(table)
        .map(Arc::make_mut)
        .ok_or_else(|| table_missing(source_name, table))
}

fn source_missing(name: &str) -> ApiError {
    ApiError::new(
        "not-exists",
        format!("source with name \"{name}\" does not exist"),
    )
}

/// `table "t" does not exist in source: s`
pub(crate) fn table_missing(source: &str, table: &QualifiedName) -> ApiError {
    ApiError::new(
        "not-exists",
        format!("table \"{table}\" does not exist in source: {source}"),
    )
}
