//! Rows of a variable as arrays, one for each column: filled at every execution, whatever their number.

use std::fmt::Write as _;

use graphql::operation::VariablePath;
use graphql::uniform::{self, Step, UniformLeaf};
use graphql::{Error, Name, Path};
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

impl Rows {
    /// The text of the parameter.
    pub(crate) fn read(&self, read: &Read, variables: &Map<String, Value>) -> Result<String, Error> {
        let list = self.place.find(variables).unwrap_or(&Value::Null);
        let objects = uniform::objects(list, &self.steps);
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
            let value = found.fields.get(&**key).unwrap_or(&Value::Null);
            let checked = leaf.check(value, || {
                uniform::path_of(list, &self.steps, at, path).key(key.clone())
            })?;
            match checked.and_then(|value| encode(&value, encoding, leaf.class)) {
                None => out.push_str("NULL"),
                Some(text) => quoted(&text, &mut out),
            }
        }
        out.push('}');
        Ok(out)
    }
}
