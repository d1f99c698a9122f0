//! Rows of a variable as arrays, one for each column: filled at every execution, whatever their number.

use std::fmt::Write as _;

use graphql::operation::VariablePath;
use graphql::uniform::{self, Step, UniformLeaf};
use graphql::{Error, InputClass, Name, Path};
use serde_json::{Map, Value};

use crate::prepared::Encoding;
use crate::value::{encode, quoted};

/// Objects at some depth of a list of rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rows {
    /// Where the list is.
    pub place: VariablePath,
    /// The way from an item of the list to these objects.
    pub steps: Vec<Step>,
}

/// What is read of them.
#[derive(Debug, Clone)]
pub enum Read {
    /// The values of a key, as a Postgres array.
    Column {
        /// The key.
        key: Name,
        /// How a value is checked.
        leaf: UniformLeaf,
        /// How a value becomes text.
        encoding: Encoding,
        /// Where the list stands, for errors.
        path: Path,
    },
    /// The number, from 1, of the object one step before each, as `int4[]`.
    Owners,
    /// 1, 2, …, as `int4[]`.
    Numbers,
    /// How many there are.
    Count,
}

/// The rows that were read last: their columns mostly follow each other.
#[derive(Debug, Default)]
pub(crate) struct LastRows<'a> {
    rows: Option<&'a Rows>,
    objects: Vec<uniform::Found<'a>>,
}

/// Rows of which a request has just one each, so that an error about them can name it.
#[derive(Debug, Default)]
pub struct SingleRows<'p>(Vec<&'p Rows>);

impl<'p> SingleRows<'p> {
    pub(crate) fn of(all: impl Iterator<Item = &'p Rows>, variables: &Map<String, Value>) -> Self {
        Self(all.filter(|rows| rows.are_one(variables)).collect())
    }

    pub(crate) fn contains(&self, rows: &Rows) -> bool {
        self.0.contains(&rows)
    }
}

/// A number of a type that has only whole ones; other types tell `-0` from `0`.
fn integer(value: &Value, class: InputClass) -> Option<i64> {
    match (class, value) {
        (InputClass::Int | InputClass::SmallInt | InputClass::BigInt, Value::Number(number)) => {
            number.as_i64()
        }
        _ => None,
    }
}

impl Rows {
    /// There is just one row.
    pub(crate) fn are_one(&self, variables: &Map<String, Value>) -> bool {
        let list = self.place.find(variables).unwrap_or(&Value::Null);
        uniform::is_one(list, &self.steps)
    }

    /// The text of the parameter.
    pub(crate) fn read<'a>(
        &'a self,
        read: &Read,
        variables: &'a Map<String, Value>,
        last: &mut LastRows<'a>,
    ) -> Result<String, Error> {
        let list = self.place.find(variables).unwrap_or(&Value::Null);
        if last.rows != Some(self) {
            last.objects = uniform::objects(list, &self.steps);
            last.rows = Some(self);
        }
        let objects = &last.objects;
        let mut out = String::new();
        let (key, leaf, encoding, path) = match read {
            Read::Count => return Ok(objects.len().to_string()),
            Read::Column {
                key,
                leaf,
                encoding,
                path,
            } => (key, leaf, *encoding, path),
            Read::Owners | Read::Numbers => {
                out.push('{');
                for (at, found) in objects.iter().enumerate() {
                    let number = if matches!(read, Read::Owners) {
                        found.owner
                    } else {
                        at
                    };
                    if at > 0 {
                        out.push(',');
                    }
                    // Writing to a String cannot fail.
                    let _ = write!(out, "{}", number + 1);
                }
                out.push('}');
                return Ok(out);
            }
        };
        out.reserve(objects.len() * 8);
        out.push('{');
        for (at, found) in objects.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            // Objects of one form have few keys, which are sooner compared than hashed.
            let value = found.fields.iter().find(|(name, _)| **name == **key);
            let value = value.map_or(&Value::Null, |(_, value)| value);
            let checked = leaf.check(value, || {
                uniform::path_of(list, &self.steps, at, path).key(key.clone())
            })?;
            let Some(value) = checked else {
                out.push_str("NULL");
                continue;
            };
            match (encoding, &*value) {
                (Encoding::Plain, Value::String(text)) => quoted(text, &mut out),
                (_, value) => match (integer(value, leaf.class), encoding) {
                    (Some(number), Encoding::Plain) => {
                        let _ = write!(out, "{number}");
                    }
                    _ => match encode(value, encoding, leaf.class) {
                        None => out.push_str("NULL"),
                        Some(text) => quoted(&text, &mut out),
                    },
                },
            }
        }
        out.push('}');
        Ok(out)
    }
}
