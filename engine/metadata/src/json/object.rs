//! Reading one JSON object, key by key.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::{Entry, Json, ParseError, Reader, read_entries, read_graphql_name, type_mismatch};
use crate::Extra;

/// An object being read. `null` at an optional key is the same as no key.
#[derive(Debug)]
pub struct ObjectReader<'v, 'r> {
    object: &'v Map<String, Value>,
    keys: &'static [&'static str],
    reader: &'r mut Reader,
    arguments: bool,
}

impl<'v, 'r> ObjectReader<'v, 'r> {
    /// Begins an object that is called `name` in messages and knows `keys`.
    pub fn open(
        value: &'v Value,
        name: &str,
        keys: &'static [&'static str],
        reader: &'r mut Reader,
    ) -> Result<Self, ParseError> {
        let Value::Object(object) = value else {
            return Err(type_mismatch(name, "Object", value, reader));
        };
        let arguments = std::mem::take(&mut reader.arguments);
        Ok(Self {
            object,
            keys,
            reader,
            arguments,
        })
    }

    /// The reader, for errors and warnings about the object as a whole.
    pub fn reader(&mut self) -> &mut Reader {
        self.reader
    }

    /// The value of a key as written, null included.
    pub fn raw(&self, key: &'static str) -> Option<&'v Value> {
        debug_assert!(self.keys.contains(&key), "{key} is not declared");
        self.object.get(key)
    }

    /// Whether there is a value that is not null.
    pub fn has(&self, key: &'static str) -> bool {
        self.raw(key).is_some_and(|value| !value.is_null())
    }

    /// Reads a value that must be there.
    pub fn required<T: Json>(&mut self, key: &'static str) -> Result<T, ParseError> {
        let value = self.required_raw(key)?;
        self.reader.within(key, |reader| T::read(value, reader))
    }

    /// Reads the name of an entry, which must not be empty.
    pub fn entry_name<T: Json + std::fmt::Display>(&mut self, key: &'static str) -> Result<T, ParseError> {
        let value = self.required_raw(key)?;
        self.reader.within(key, |reader| {
            let name = T::read(value, reader)?;
            if name.to_string().is_empty() {
                Err(reader.error("empty string not allowed"))
            } else {
                Ok(name)
            }
        })
    }

    /// A value as written that must be there.
    pub fn required_raw(&self, key: &'static str) -> Result<&'v Value, ParseError> {
        self.raw(key)
            .ok_or_else(|| self.reader.error(format!("key \"{key}\" not found")))
    }

    /// Reads a value that must be there, with `read`.
    pub fn required_with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value, &mut Reader) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        let value = self.required_raw(key)?;
        self.reader.within(key, |reader| read(value, reader))
    }

    /// Reads a value that may be absent or null.
    pub fn optional<T: Json>(&mut self, key: &'static str) -> Result<Option<T>, ParseError> {
        self.optional_with(key, T::read)
    }

    /// Reads a value that may be absent or null, with `read`.
    pub fn optional_with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value, &mut Reader) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        match self.raw(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.reader.within(key, |reader| read(value, reader)).map(Some),
        }
    }

    /// Reads a list of entries, no name twice. `things` is their plural in messages.
    pub fn entries<T: Entry>(
        &mut self,
        key: &'static str,
        things: &str,
    ) -> Result<IndexMap<T::Name, T>, ParseError> {
        let read = |value: &Value, reader: &mut Reader| read_entries(value, things, reader);
        Ok(self.optional_with(key, read)?.unwrap_or_default())
    }

    /// Reads an optional GraphQL name.
    pub fn graphql_name(&mut self, key: &'static str) -> Result<Option<String>, ParseError> {
        self.optional_with(key, read_graphql_name)
    }

    /// Ends the object: unknown keys are returned without a word.
    pub(crate) fn finish_silently(self) -> Extra {
        let unknown = self
            .object
            .iter()
            .filter(|(key, _)| !self.keys.contains(&key.as_str()));
        unknown.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Ends the object: unknown keys are returned, each with a warning.
    pub fn finish(self) -> Extra {
        if self.arguments {
            return Extra::new();
        }
        let mut extra = Extra::new();
        for (key, value) in self
            .object
            .iter()
            .filter(|(key, _)| !self.keys.contains(&key.as_str()))
        {
            self.reader.path.push(key.as_str().into());
            self.reader.warn(format!("unknown key \"{key}\" has no effect"));
            self.reader.path.pop();
            extra.insert(key.clone(), value.clone());
        }
        extra
    }

    /// Ends an object that has nowhere to keep unknown keys: they are refused.
    pub fn finish_strictly(self, name: &str) -> Result<(), ParseError> {
        self.refuse_unknown(name)
    }

    /// Refuses unknown keys at once.
    pub fn refuse_unknown(&self, name: &str) -> Result<(), ParseError> {
        if self.arguments {
            return Ok(());
        }
        let unknown: Vec<String> = self
            .object
            .keys()
            .filter(|key| !self.keys.contains(&key.as_str()))
            .map(|key| format!("{key:?}"))
            .collect();
        if unknown.is_empty() {
            Ok(())
        } else {
            Err(self.reader.error(format!(
                "unexpected keys when parsing {name}: [{}]",
                unknown.join(",")
            )))
        }
    }
}
