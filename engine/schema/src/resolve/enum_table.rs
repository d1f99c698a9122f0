//! Enum tables: which rows have to be read, whether a table can be one, and the columns that refer to one.

use graphql::Name;

use crate::catalog::{self, QualifiedName, Table};
use crate::model::{ColumnId, TableId};
use crate::naming::is_graphql_name;
use crate::resolve::{Resolver, reasons};

/// Rows that `build` wants in [`CatalogState::enum_values`](super::CatalogState::enum_values).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumQuery {
    /// The enum table.
    pub table: QualifiedName,
    /// The column of the values.
    pub value: String,
    /// The column of the descriptions.
    pub description: Option<String>,
}

/// The rows to read for the enum tables of a source. Tables that cannot be enums are left out.
pub fn queries(metadata: &metadata::Source, catalog: &catalog::Catalog) -> Vec<EnumQuery> {
    metadata
        .tables
        .iter()
        .filter(|(_, table)| table.is_enum)
        .filter_map(|(name, _)| {
            let table = catalog.table(&name.schema, &name.name)?;
            let (value, description) = shape(table).ok()?;
            Some(EnumQuery {
                table: table.name.clone(),
                value: value.to_owned(),
                description: description.map(str::to_owned),
            })
        })
        .collect()
}

/// The value column and the description column, or everything that is wrong.
fn shape(table: &Table) -> Result<(&str, Option<&str>), Vec<String>> {
    let mut wrong = Vec::new();
    let mismatch = |what: &str, column: &catalog::Column| {
        format!(
            "the table’s {what} (\"{}\") must have type \"text\", not type \"{}\"",
            column.name,
            super::operand::type_name(&column.type_)
        )
    };
    let column = |name: &str| table.columns.iter().find(|column| column.name == name);
    let mut key = None;
    match table.primary_key.as_ref().map(|key| key.columns.as_slice()) {
        None => wrong.push("the table must have a primary key".to_owned()),
        Some([one]) => match column(one) {
            Some(found) if found.type_.name == "text" => key = Some(found.name.as_str()),
            Some(found) => wrong.push(mismatch("primary key", found)),
            None => wrong.push("the table must have a primary key".to_owned()),
        },
        Some(many) => {
            let mut names = many.to_vec();
            names.sort_unstable();
            wrong.push(format!(
                "the table’s primary key must not span multiple columns ({})",
                names.join(", ")
            ));
        }
    }
    let mut description = None;
    let others: Vec<_> = table
        .columns
        .iter()
        .filter(|column| Some(column.name.as_str()) != key)
        .collect();
    match others.as_slice() {
        [] => {}
        [one] if one.type_.name == "text" => description = Some(one.name.as_str()),
        [one] => wrong.push(mismatch("comment column", one)),
        many => {
            let mut names: Vec<_> = many.iter().map(|column| column.name.as_str()).collect();
            names.sort_unstable();
            wrong.push(format!(
                "the table must have exactly one primary key and optionally one comment column, not {} columns ({})",
                names.len(),
                names.join(", ")
            ));
        }
    }
    match key {
        Some(key) if wrong.is_empty() => Ok((key, description)),
        _ => Err(wrong),
    }
}

impl Resolver<'_> {
    /// Values of an enum table, by value.
    pub(crate) fn enum_values(&self, table: &Table) -> Result<Vec<(Name, Option<String>)>, String> {
        let refusal = |wrong: &[String]| {
            let name = metadata::QualifiedName::new(&table.name.schema, &table.name.name);
            format!(
                "the table \"{name}\" cannot be used as an enum {}",
                reasons(wrong)
            )
        };
        shape(table).map_err(|wrong| refusal(&wrong))?;
        let rows = match self.state.enum_values.get(&table.name) {
            Some(Ok(rows)) if !rows.is_empty() => rows,
            Some(Err(error)) => return Err(refusal(&[format!("postgres error: {error}")])),
            _ => return Err(refusal(&["the table must have at least one row".to_owned()])),
        };
        let legal = |value: &str| is_graphql_name(value) && !matches!(value, "true" | "false" | "null");
        let mut bad: Vec<&str> = rows
            .iter()
            .map(|row| row.value.as_str())
            .filter(|value| !legal(value))
            .collect();
        bad.sort_unstable();
        let text = match bad.as_slice() {
            [] => None,
            [one] => Some(format!(
                "the value \"{one}\" is not a valid GraphQL enum value name"
            )),
            [one, two] => Some(format!(
                "the values \"{one}\" and \"{two}\" are not valid GraphQL enum value names"
            )),
            [first @ .., last] => Some(format!(
                "the values {}, and \"{last}\" are not valid GraphQL enum value names",
                first.join(", ")
            )),
        };
        if let Some(text) = text {
            return Err(refusal(&[text]));
        }
        let mut values: Vec<_> = rows
            .iter()
            .map(|row| (Name::from(row.value.as_str()), row.description.clone()))
            .collect();
        values.sort();
        values.dedup_by(|one, other| one.0 == other.0);
        Ok(values)
    }

    /// Gives columns with a foreign key to an enum table that table's enum as their type.
    pub(crate) fn resolve_enum_references(&mut self) {
        let mut references: Vec<(usize, ColumnId, TableId)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate() {
            for key in &entry.catalog.foreign_keys {
                let [(own, theirs)] = key.columns.as_slice() else {
                    continue;
                };
                let target = (key.target.schema.as_str(), key.target.name.as_str());
                let Some(id) = self.catalog_ids.get(&target) else {
                    continue;
                };
                let Some(table) = self.tables.get(id.index()) else {
                    continue;
                };
                let refers_to_key = matches!(table.primary_key.as_slice(), [column]
                    if table.column(*column).is_some_and(|column| column.name == *theirs));
                let Some(column) = entry.columns.get(own.as_str()) else {
                    continue;
                };
                if table.enum_values.is_some() && table.is_exposed() && refers_to_key {
                    references.push((at, *column, *id));
                }
            }
        }
        for (at, column, target) in references {
            let table = self.tables_mut().get_mut(at);
            if let Some(column) = table.and_then(|table| table.columns.get_mut(usize::from(column.0))) {
                column.enum_table = Some(target);
            }
        }
    }
}
