//! Reads a database's catalog in a handful of queries, each over everything at once.
//!
//! The queries see one state only if the caller's transaction does (repeatable read).

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;
use schema::catalog::{
    Catalog, Column, Extension, ForeignKey, Function, FunctionArgument, Generated, Key, Mutability,
    QualifiedName, Table, TableKind, Volatility,
};
use tokio_postgres::Client;
use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use crate::error::Error;
use crate::execute::query;
use crate::introspect::data_type::Types;

mod data_type;

/// Maps by `oid`.
type ByOid<T> = HashMap<u32, T, FxBuildHasher>;

/// The whole catalog.
pub(crate) async fn catalog(client: &Client) -> Result<Catalog, Error> {
    // All are sent at once; the answers come in this order.
    let (tables, columns, constraints, types, enums, functions, extensions) = tokio::join!(
        query(client, include_str!("introspect/tables.sql"), &[]),
        query(client, include_str!("introspect/columns.sql"), &[]),
        query(client, include_str!("introspect/constraints.sql"), &[]),
        query(client, include_str!("introspect/data_types.sql"), &[]),
        query(client, include_str!("introspect/enums.sql"), &[]),
        query(client, include_str!("introspect/functions.sql"), &[]),
        query(client, include_str!("introspect/extensions.sql"), &[]),
    );
    let fingerprint = fingerprint(client).await?;
    let types = Types::read(&types?, &enums?)?;
    let (server_version, extensions) = read_extensions(&extensions?)?;
    let mut functions = functions?
        .iter()
        .map(|row| read_function(row, &types))
        .collect::<Result<Vec<_>, _>>()?;
    functions.sort_by(|a, b| (&a.name, a.oid).cmp(&(&b.name, b.oid)));
    let mut tables = tables?.iter().map(read_table).collect::<Result<Vec<_>, _>>()?;
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let places: ByOid<usize> = tables
        .iter()
        .enumerate()
        .map(|(place, table)| (table.oid, place))
        .collect();
    for row in columns? {
        if let Some(table) = places
            .get(&get::<u32>(&row, 0)?)
            .and_then(|place| tables.get_mut(*place))
        {
            table.columns.push(read_column(&row, &types)?);
        }
    }
    for row in constraints? {
        add_constraint(&row, &mut tables, &places)?;
    }
    Ok(Catalog {
        server_version,
        tables,
        functions,
        extensions,
        fingerprint,
    })
}

/// A text that differs whenever the catalog does.
pub(crate) async fn fingerprint(client: &Client) -> Result<String, Error> {
    let rows = query(client, include_str!("introspect/fingerprint.sql"), &[]).await?;
    rows.first().map_or(Err(Error::Lost(None)), |row| get(row, 0))
}

/// A column of a catalog query.
fn get<T: FromSqlOwned>(row: &Row, column: usize) -> Result<T, Error> {
    Ok(row.try_get(column)?)
}

fn qualified(row: &Row, schema: usize) -> Result<QualifiedName, Error> {
    Ok(QualifiedName {
        schema: get(row, schema)?,
        name: get(row, schema + 1)?,
    })
}

fn read_table(row: &Row) -> Result<Table, Error> {
    let kind = match get::<String>(row, 3)?.as_str() {
        "v" => TableKind::View,
        "m" => TableKind::MaterializedView,
        "f" => TableKind::ForeignTable,
        "p" => TableKind::PartitionedTable,
        _ => TableKind::Table,
    };
    let writable: i32 = get(row, 6)?;
    Ok(Table {
        name: qualified(row, 1)?,
        oid: get(row, 0)?,
        kind,
        comment: get(row, 4)?,
        columns: Vec::new(),
        primary_key: None,
        unique_constraints: Vec::new(),
        foreign_keys: Vec::new(),
        mutability: Mutability {
            insertable: writable & 8 != 0,
            updatable: writable & 4 != 0,
            deletable: writable & 16 != 0,
        },
        is_partition: get(row, 5)?,
        inserts_are_plain: get(row, 7)?,
    })
}

fn read_column(row: &Row, types: &Types) -> Result<Column, Error> {
    Ok(Column {
        name: get(row, 1)?,
        position: get(row, 2)?,
        type_: types.get(get(row, 3)?),
        nullable: !get::<bool>(row, 4)?,
        has_default: get(row, 5)?,
        generated: match get::<String>(row, 6)?.as_str() {
            "s" => Generated::Stored,
            "a" => Generated::IdentityAlways,
            "d" => Generated::IdentityByDefault,
            _ => Generated::No,
        },
        comment: get(row, 7)?,
    })
}

/// Names of columns by attribute number, in the order asked for; `None` if one is missing.
fn column_names(table: &Table, numbers: &[i16]) -> Option<Vec<String>> {
    let name = |number: &i16| {
        let at = table
            .columns
            .binary_search_by_key(number, |column| column.position)
            .ok()?;
        table.columns.get(at).map(|column| column.name.clone())
    };
    numbers.iter().map(name).collect()
}

fn add_constraint(row: &Row, tables: &mut [Table], places: &ByOid<usize>) -> Result<(), Error> {
    let Some(place) = places.get(&get::<u32>(row, 0)?).copied() else {
        return Ok(());
    };
    let name: String = get(row, 1)?;
    let kind: String = get(row, 2)?;
    let own: Option<Vec<i16>> = get(row, 3)?;
    let Some(columns) = tables
        .get(place)
        .and_then(|table| column_names(table, own.as_deref()?))
    else {
        return Ok(());
    };
    if kind == "f" {
        let target = places
            .get(&get::<u32>(row, 4)?)
            .and_then(|place| tables.get(*place));
        let referenced: Option<Vec<i16>> = get(row, 5)?;
        // A table in a system schema is no target for anybody.
        let Some((target, referenced)) =
            target.and_then(|table| Some((table.name.clone(), column_names(table, referenced.as_deref()?)?)))
        else {
            return Ok(());
        };
        if let Some(table) = tables.get_mut(place) {
            let columns = columns.into_iter().zip(referenced).collect();
            table.foreign_keys.push(ForeignKey {
                name,
                target,
                columns,
            });
        }
    } else if let Some(table) = tables.get_mut(place) {
        let key = Key { name, columns };
        if kind == "p" {
            table.primary_key = Some(key);
        } else {
            table.unique_constraints.push(key);
        }
    }
    Ok(())
}

fn read_function(row: &Row, types: &Types) -> Result<Function, Error> {
    let inputs: Vec<u32> = get(row, 9)?;
    let all: Option<Vec<u32>> = get(row, 10)?;
    let modes: Option<Vec<String>> = get(row, 11)?;
    let names: Vec<String> = get::<Option<Vec<String>>>(row, 12)?.unwrap_or_default();
    let mut arguments = Vec::new();
    let mut returns_table = Vec::new();
    for (place, oid) in all.as_ref().unwrap_or(&inputs).iter().enumerate() {
        let mode = modes
            .as_ref()
            .and_then(|modes| modes.get(place))
            .map_or("i", String::as_str);
        let name = names.get(place).filter(|name| !name.is_empty()).cloned();
        let type_ = types.get(*oid);
        if matches!(mode, "o" | "b" | "t") {
            // As Postgres names a column without a name.
            let name = name
                .clone()
                .unwrap_or_else(|| format!("column{}", returns_table.len() + 1));
            returns_table.push((name, type_.clone()));
        }
        if matches!(mode, "i" | "b" | "v") {
            arguments.push(FunctionArgument { name, type_ });
        }
    }
    Ok(Function {
        name: qualified(row, 1)?,
        oid: get(row, 0)?,
        arguments,
        default_arguments: usize::try_from(get::<i32>(row, 8)?).unwrap_or(0),
        returns: types.get(get(row, 6)?),
        returns_set: get(row, 5)?,
        returns_table,
        volatility: match get::<String>(row, 4)?.as_str() {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        variadic: get(row, 7)?,
        comment: get(row, 13)?,
        is_plain: get::<String>(row, 3)? == "f",
    })
}

fn read_extensions(rows: &[Row]) -> Result<(u32, Vec<Extension>), Error> {
    let mut version = 0;
    let mut extensions = Vec::new();
    for row in rows {
        version = u32::try_from(get::<i32>(row, 0)?).unwrap_or(0);
        if let Some(name) = get::<Option<String>>(row, 1)? {
            extensions.push(Extension {
                name,
                schema: get(row, 2)?,
                version: get(row, 3)?,
            });
        }
    }
    Ok((version, extensions))
}
