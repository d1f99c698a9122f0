//! Parts of the document behind an `Arc`: equal ones that are read together are held once, and a copy of a document
//! shares all of them with the original. A document of many tables and roles repeats few permissions many times.
//!
//! What is known of a part holds none: a part lives as long as a document that it is in.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Weak};

use serde_json::Value;

use super::{Content, Entry, Json, ParseError, Reader, Shape};

/// Parts that were read so far, by type and by a hash of what was written.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    known: HashMap<(TypeId, [u64; 2]), Weak<dyn Any + Send + Sync>>,
    /// Keyed at random and wide enough together: two texts never meet, by chance or on purpose.
    hashers: [RandomState; 2],
}

impl Shared {
    /// Forgets parts that no document has any more.
    pub(crate) fn forget_the_gone(&mut self) {
        self.known.retain(|_, part| part.strong_count() > 0);
    }

    fn key<T: 'static>(&self, value: &Value) -> (TypeId, [u64; 2]) {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            write(value, &mut hasher);
            hasher.finish()
        };
        let [one, other] = &self.hashers;
        (TypeId::of::<T>(), [hash(one), hash(other)])
    }
}

/// Feeds a value to a hasher as it is written: the order of keys counts. Its depth was checked before.
fn write(value: &Value, hasher: &mut impl Hasher) {
    let text = |text: &str, hasher: &mut dyn Hasher| {
        hasher.write_usize(text.len());
        hasher.write(text.as_bytes());
    };
    match value {
        Value::Null => hasher.write_u8(0),
        Value::Bool(flag) => hasher.write_u8(1 + u8::from(*flag)),
        Value::Number(number) => {
            hasher.write_u8(3);
            text(number.as_str(), hasher);
        }
        Value::String(string) => {
            hasher.write_u8(4);
            text(string, hasher);
        }
        Value::Array(items) => {
            hasher.write_u8(5);
            hasher.write_usize(items.len());
            for item in items {
                write(item, hasher);
            }
        }
        Value::Object(object) => {
            hasher.write_u8(6);
            hasher.write_usize(object.len());
            for (key, item) in object {
                text(key, hasher);
                write(item, hasher);
            }
        }
    }
}

/// Read once for equal texts. What gives a warning is read each time, so that each gives its own.
impl<T: Json + Send + Sync + 'static> Json for Arc<T> {
    fn read(value: &Value, reader: &mut Reader) -> Result<Self, ParseError> {
        let key = reader.shared.key::<T>(value);
        if let Some(known) = reader.shared.known.get(&key).and_then(Weak::upgrade)
            && let Ok(known) = known.downcast::<T>()
        {
            return Ok(known);
        }
        let warnings = reader.warnings.len();
        let part = Self::new(T::read(value, reader)?);
        if reader.warnings.len() == warnings {
            let known: Weak<dyn Any + Send + Sync> = Arc::<T>::downgrade(&part);
            reader.shared.known.insert(key, known);
        }
        Ok(part)
    }

    fn print(&self) -> Value {
        T::print(self)
    }

    fn content() -> Content {
        T::content()
    }
}

/// An entry with a name of its own is not looked for among others: no two are equal.
impl<T: Entry> Entry for Arc<T> {
    type Name = T::Name;

    fn read_entry(value: &Value, reader: &mut Reader) -> Result<(Self::Name, Self), ParseError> {
        let (name, entry) = T::read_entry(value, reader)?;
        Ok((name, Self::new(entry)))
    }

    fn print_entry(&self, name: &Self::Name) -> Value {
        T::print_entry(self, name)
    }

    fn shape() -> Shape {
        T::shape()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::permission::SelectPermission;

    fn read(value: &Value, reader: &mut Reader) -> Arc<SelectPermission> {
        reader.read(value).unwrap()
    }

    #[test]
    fn equal_parts_are_held_once() {
        let mut reader = Reader::new();
        let value = json!({"columns": ["id"], "filter": {"a": {"_eq": 1}, "b": {"_eq": 2}}});
        let other = json!({"columns": ["id"], "filter": {"b": {"_eq": 2}, "a": {"_eq": 1}}});
        let first = read(&value, &mut reader);
        assert!(Arc::ptr_eq(&first, &read(&value, &mut reader)));
        let turned = read(&other, &mut reader);
        assert!(!Arc::ptr_eq(&first, &turned), "the order of keys is kept");
        assert_eq!(turned.print(), other);
    }

    #[test]
    fn each_gives_its_own_warnings() {
        let mut reader = Reader::new();
        let value = json!({"columns": "*", "filter": {}, "colour": "red"});
        read(&value, &mut reader);
        read(&value, &mut reader);
        assert_eq!(reader.into_warnings().len(), 2);
    }
}
