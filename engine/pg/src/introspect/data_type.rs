//! Postgres types by number, with what they are made of.

use schema::catalog::{QualifiedName, Type, TypeKind};
use tokio_postgres::Row;

use crate::error::Error;
use crate::introspect::{ByOid, get};

/// Domains over arrays of domains over …: Postgres has no bound, this is ours.
const DEEPEST: u32 = 32;

struct Raw {
    schema: String,
    name: String,
    kind: String,
    base: u32,
    element: u32,
    table: Option<QualifiedName>,
}

/// All types of a database.
pub(super) struct Types {
    types: ByOid<Raw>,
    labels: ByOid<Vec<String>>,
}

impl Types {
    pub(super) fn read(types: &[Row], enums: &[Row]) -> Result<Types, Error> {
        let read = |row: &Row| -> Result<(u32, Raw), Error> {
            let table = match (get::<Option<String>>(row, 6)?, get::<Option<String>>(row, 7)?) {
                (Some(schema), Some(name)) => Some(QualifiedName { schema, name }),
                _ => None,
            };
            let raw = Raw {
                schema: get(row, 1)?,
                name: get(row, 2)?,
                kind: get(row, 3)?,
                base: get(row, 4)?,
                element: get(row, 5)?,
                table,
            };
            Ok((get(row, 0)?, raw))
        };
        let label = |row: &Row| -> Result<(u32, Vec<String>), Error> { Ok((get(row, 0)?, get(row, 1)?)) };
        Ok(Types {
            types: types.iter().map(read).collect::<Result<_, _>>()?,
            labels: enums.iter().map(label).collect::<Result<_, _>>()?,
        })
    }

    /// The type of that number. One that is not listed (of a system schema) is a pseudo type, which nothing can be done with.
    pub(super) fn get(&self, oid: u32) -> Type {
        self.at(oid, 0)
    }

    fn at(&self, oid: u32, depth: u32) -> Type {
        let Some(raw) = self.types.get(&oid).filter(|_| depth < DEEPEST) else {
            let (schema, name) = ("pg_catalog".to_owned(), "unknown".to_owned());
            return Type {
                schema,
                name,
                oid,
                kind: TypeKind::Pseudo,
            };
        };
        let kind = match raw.kind.as_str() {
            "e" => TypeKind::Enum(self.labels.get(&oid).cloned().unwrap_or_default()),
            "d" => TypeKind::Domain(Box::new(self.at(raw.base, depth + 1))),
            "c" => TypeKind::Composite {
                table: raw.table.clone(),
            },
            "r" | "m" => TypeKind::Range,
            "p" => TypeKind::Pseudo,
            _ if raw.element != 0 => TypeKind::Array(Box::new(self.at(raw.element, depth + 1))),
            _ => TypeKind::Base,
        };
        Type {
            schema: raw.schema.clone(),
            name: raw.name.clone(),
            oid,
            kind,
        }
    }
}
