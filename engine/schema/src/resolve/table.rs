//! Tracked tables and their columns.

use std::sync::Arc;

use graphql::Name;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::catalog::{self, Generated};
use crate::model::{Column, ColumnId, Table};
use crate::naming::is_graphql_name;
use crate::problem::object;
use crate::resolve::conflict::Names;
use crate::resolve::{Entry, Resolver, root_field};

/// Columns that one table can have at most in the model; Postgres itself stops at 1,600.
const MAX_COLUMNS: usize = 4096;
/// Tables that one source can have at most (ids hold 24 bits).
const MAX_TABLES: usize = 1 << 20;

impl<'a> Resolver<'a> {
    /// Makes `tables` without relationships, computed fields and fields.
    pub(crate) fn resolve_tables(&mut self, names: &Names) {
        self.problems.extend(names.problems.iter().cloned());
        let metadata = self.metadata;
        for (name, table) in &metadata.tables {
            if names.lost_tables.contains(name) {
                continue;
            }
            match self.resolve_table(name, table) {
                Ok((resolved, entry)) => {
                    self.table_ids.insert(name, resolved.id);
                    let key = (
                        entry.catalog.name.schema.as_str(),
                        entry.catalog.name.name.as_str(),
                    );
                    self.catalog_ids.insert(key, resolved.id);
                    if let Some(tables) = Arc::get_mut(&mut self.tables) {
                        tables.push(resolved);
                    }
                    self.entries.push(entry);
                }
                Err(message) => self.refuse(object::table(self.name, name), message),
            }
        }
    }

    /// Where the tables came from, if they were resolved before: in the order of the document, without those that are
    /// left out.
    pub(crate) fn enter_tables(&mut self) {
        let (metadata, catalog) = (self.metadata, &self.state.catalog);
        let mut listed = metadata.tables.iter();
        let entries = self.tables.iter().map_while(|table| {
            let is_it = |name: &metadata::QualifiedName| {
                name.schema == table.name.schema && name.name == table.name.name
            };
            let (name, metadata) = listed.find(|(name, _)| is_it(name))?;
            let catalog = catalog.table(&name.schema, &name.name)?;
            Some(Entry {
                name,
                metadata,
                catalog,
                columns: positions(&table.columns, catalog),
            })
        });
        self.entries = entries.collect();
    }

    fn resolve_table(
        &mut self,
        name: &'a metadata::QualifiedName,
        table: &'a metadata::Table,
    ) -> Result<(Table, Entry<'a>), String> {
        let state = self.state;
        let Some(found) = state.catalog.table(&name.schema, &name.name) else {
            return Err(format!("no such table/view exists in source: \"{name}\""));
        };
        if self.tables.len() >= MAX_TABLES {
            return Err(format!("too many tables: at most {MAX_TABLES} can be tracked"));
        }
        let identifier = root_field::table_identifier(name, table);
        let id = self.table_id(self.tables.len());
        let enum_values = if table.is_enum {
            Some(self.enum_values(found)?)
        } else {
            None
        };
        let columns = self.resolve_columns(table, found)?;
        let positions = positions(&columns, found);
        let key = |key: &catalog::Key| -> Vec<ColumnId> {
            key.columns
                .iter()
                .filter_map(|column| positions.get(column.as_str()).copied())
                .collect()
        };
        let whole = |key: &catalog::Key| key.columns.iter().all(|c| positions.contains_key(c.as_str()));
        let primary_key = found.primary_key.as_ref().filter(|key| whole(key)).map(key);
        let unique_constraints = found
            .primary_key
            .iter()
            .chain(&found.unique_constraints)
            .map(|constraint| (Name::from(constraint.name.as_str()), key(constraint)))
            .collect();
        let root_fields = identifier
            .as_ref()
            .map(|identifier| root_field::of_table(identifier, table, &self.customization));
        let identifier = identifier.unwrap_or_else(|| root_field::Identifier {
            text: name.snake_case(),
            is_custom: false,
        });
        let resolved = Table {
            id,
            name: found.name.clone(),
            kind: found.kind,
            identifier: Name::from(identifier.text.as_str()),
            identifier_is_custom: identifier.is_custom,
            columns,
            relationships: Vec::new(),
            computed_fields: Vec::new(),
            fields: IndexMap::new(),
            primary_key: primary_key.unwrap_or_default(),
            unique_constraints,
            foreign_keys: found.foreign_keys.clone(),
            root_fields: root_fields.into_iter().flatten().collect(),
            comment: table
                .configuration
                .comment
                .clone()
                .or_else(|| found.comment.clone()),
            enum_values,
            mutability: found.mutability,
            inserts_are_plain: found.inserts_are_plain,
        };
        let entry = Entry {
            name,
            metadata: table,
            catalog: found,
            columns: positions,
        };
        Ok((resolved, entry))
    }

    fn resolve_columns(
        &mut self,
        table: &metadata::Table,
        found: &catalog::Table,
    ) -> Result<Vec<Column>, String> {
        if found.columns.len() > MAX_COLUMNS {
            return Err(format!("too many columns: at most {MAX_COLUMNS} are supported"));
        }
        let mut columns = Vec::with_capacity(found.columns.len());
        for column in &found.columns {
            let config = table.configuration.column_config.get(&column.name);
            let chosen = config.and_then(|config| config.custom_name.as_deref());
            let field = match chosen {
                Some(chosen) => chosen.to_owned(),
                None => self.customization.naming.column(&column.name),
            };
            // As upstream, a column that cannot be named in GraphQL is not there, without further ado.
            if !is_graphql_name(&field) {
                continue;
            }
            let Some(scalar) = self.scalar(&column.type_) else {
                continue;
            };
            let comment = config
                .and_then(|config| config.comment.clone())
                .or_else(|| column.comment.clone());
            columns.push(Column {
                name: column.name.clone(),
                field: Name::from(field),
                type_: column.type_.clone(),
                scalar,
                nullable: column.nullable,
                insertable: !matches!(column.generated, Generated::Stored | Generated::IdentityAlways),
                updatable: !matches!(column.generated, Generated::Stored | Generated::IdentityAlways),
                has_default: column.has_default,
                enum_table: None,
                description: comment.filter(|comment| !comment.is_empty()),
            });
        }
        distinct_fields(&columns)?;
        Ok(columns)
    }

    /// The scalar of a type; of a whole array where `disable_postgres_arrays` is on.
    pub(crate) fn scalar(&mut self, type_: &catalog::Type) -> Option<Arc<crate::scalar::Scalar>> {
        let array = matches!(type_.kind, catalog::TypeKind::Array(_));
        if array && self.surroundings.options.has("disable_postgres_arrays") {
            self.scalars.of_array_name(type_)
        } else {
            self.scalars.of_type(type_)
        }
    }
}

/// The places of columns by the names that the catalog has. They are in the order of the catalog.
fn positions<'c>(columns: &[Column], found: &'c catalog::Table) -> FxHashMap<&'c str, ColumnId> {
    let mut names = found.columns.iter().map(|column| column.name.as_str());
    columns
        .iter()
        .zip(0u16..)
        .filter_map(|(column, at)| Some((names.find(|name| *name == column.name)?, ColumnId(at))))
        .collect()
}

/// Why a name cannot appear in the schema.
pub(crate) fn not_a_name(name: &str) -> String {
    format!("cannot include \"{name}\" in the GraphQL schema because it is not a valid GraphQL identifier")
}

/// Two columns may not share a field name.
fn distinct_fields(columns: &[Column]) -> Result<(), String> {
    let mut by_field: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for column in columns {
        by_field.entry(&column.field).or_default().push(&column.name);
    }
    for (field, mut names) in by_field {
        if names.len() > 1 {
            names.sort_unstable();
            let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            let list = match quoted.as_slice() {
                [first, second] => format!("{first} and {second}"),
                [first @ .., last] => format!("{}, and {last}", first.join(", ")),
                [] => String::new(),
            };
            return Err(format!(
                "the definitions of columns {list} are in conflict: they are mapped to the same field name, \
                 \"{field}\""
            ));
        }
    }
    Ok(())
}
