//! Lists: of values, of texts that must differ, and of named entries.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Content, Entry, Json, ParseError, Reader, type_mismatch};

impl<T: Json> Json for Vec<T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        read_list(value, reader, T::read)
    }

    fn print(&self) -> Value {
        Value::Array(self.iter().map(Json::print).collect())
    }

    fn content() -> Content {
        T::content().listed()
    }
}

impl<T: Json> Json for IndexMap<String, T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let Value::Object(object) = value else {
            return Err(type_mismatch("Map", "Object", value, reader));
        };
        object
            .iter()
            .map(|(key, value)| {
                let item = reader.within(key.as_str(), |reader| T::read(value, reader))?;
                Ok((key.clone(), item))
            })
            .collect()
    }

    fn print(&self) -> Value {
        let mut sorted: Vec<_> = self.iter().collect();
        sorted.sort_by_key(|(key, _)| *key);
        Value::Object(
            sorted
                .into_iter()
                .map(|(key, value)| (key.clone(), value.print()))
                .collect(),
        )
    }

    fn content() -> Content {
        T::content().mapped()
    }
}

/// Reads a list, each item with `read`.
pub(crate) fn read_list<T>(
    value: &Value,
    reader: &mut Reader,
    mut read: impl FnMut(&Value, &mut Reader) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let Value::Array(items) = value else {
        return Err(type_mismatch("[]", "Array", value, reader));
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| reader.within(index, |reader| read(item, reader)))
        .collect()
}

/// Reads a list of entries, no name twice. `things` is their plural in messages.
pub(crate) fn read_entries<T: Entry>(
    value: &Value,
    things: &str,
    reader: &mut Reader,
) -> Result<IndexMap<T::Name, T>, ParseError> {
    let list = read_list(value, reader, T::read_entry)?;
    let mut entries = IndexMap::with_capacity(list.len());
    let mut duplicates: Vec<String> = Vec::new();
    for (name, entry) in list {
        if entries.contains_key(&name) {
            let name = name.to_string();
            if !duplicates.contains(&name) {
                duplicates.push(name);
            }
        } else {
            entries.insert(name, entry);
        }
    }
    if duplicates.is_empty() {
        Ok(entries)
    } else {
        let names = duplicates.join(", ");
        Err(reader.error(format!(
            "multiple declarations exist for the following {things}: {names}"
        )))
    }
}

/// Prints entries as a list, sorted by name or in their own order.
pub(crate) fn print_entries<T: Entry>(entries: &IndexMap<T::Name, T>, sorted: bool) -> Value {
    let mut list: Vec<_> = entries.iter().collect();
    if sorted {
        list.sort_by_key(|(name, _)| *name);
    }
    Value::Array(
        list.into_iter()
            .map(|(name, entry)| entry.print_entry(name))
            .collect(),
    )
}
