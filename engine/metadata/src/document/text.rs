//! Reading a stored document's text without ever having all of it as one tree: a tree takes many times the room of the
//! document that comes of it, and nearly all of it is tables. A table that is written as it was in a text before is the
//! one that was read then.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::marker::PhantomData;
use std::sync::{Arc, Weak};

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Document;
use crate::QualifiedName;
use crate::json::{ParseError, Reader, Shared};
use crate::source::Source;
use crate::table::Table;

/// What is known of documents that were read before and are still held. It holds none of them itself.
#[derive(Debug, Default)]
pub struct Known {
    /// Tables by a hash of their text.
    tables: HashMap<[u64; 2], (QualifiedName, Weak<Table>)>,
    /// Keyed at random and wide enough together: two texts never meet, by chance or on purpose.
    hashers: [RandomState; 2],
    shared: Shared,
}

impl Known {
    fn key(&self, text: &str) -> [u64; 2] {
        let hash = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(text.as_bytes());
            hasher.finish()
        };
        let [one, other] = &self.hashers;
        [hash(one), hash(other)]
    }

    fn table(&mut self, text: &str, reader: &mut Reader) -> Option<(QualifiedName, Arc<Table>)> {
        let key = self.key(text);
        let known = self.tables.get(&key);
        if let Some((name, table)) = known.and_then(|(name, table)| Some((name, table.upgrade()?))) {
            return Some((name.clone(), table));
        }
        let value: Value = serde_json::from_str(text).ok()?;
        let (name, table) = reader.read_entry::<Arc<Table>>(&value).ok()?;
        self.tables.insert(key, (name.clone(), Arc::downgrade(&table)));
        Some((name, table))
    }

    /// Forgets what no document has any more.
    fn forget_the_gone(&mut self) {
        self.tables.retain(|_, (_, table)| table.strong_count() > 0);
        self.shared.forget_the_gone();
    }
}

/// Why a text is no document.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// It is no JSON.
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    /// It is no document of version 3.
    #[error("not a metadata document")]
    Document(#[from] ParseError),
}

impl Document {
    /// Reads a document of version 3. Unknown keys are kept without a word.
    ///
    /// # Errors
    /// What is wrong, as [`Document::parse`] says it.
    pub fn from_text(text: &str) -> Result<Self, TextError> {
        Self::from_text_knowing(text, &mut Known::default())
    }

    /// The same; what stands in the text as it stood in one that was read with `known` before, and is still held, is
    /// shared with that document.
    ///
    /// # Errors
    /// As [`Document::from_text`].
    pub fn from_text_knowing(text: &str, known: &mut Known) -> Result<Self, TextError> {
        match in_parts(text, known) {
            Some(document) => Ok(document),
            // Whatever is not as expected is read as a whole, for what is wrong with it.
            None => Ok(Self::parse(&serde_json::from_str(text)?)?.0),
        }
    }
}

fn in_parts(text: &str, known: &mut Known) -> Option<Document> {
    let listed: Split<'_, SourceText<'_>> = serde_json::from_str(text).ok()?;
    let mut reader = Reader::knowing(std::mem::take(&mut known.shared));
    let document = document(listed, known, &mut reader);
    known.shared = reader.into_shared();
    known.forget_the_gone();
    document
}

fn document(text: Split<'_, SourceText<'_>>, known: &mut Known, reader: &mut Reader) -> Option<Document> {
    let rest = text.rest()?;
    let listed = text.list?;
    let mut sources = IndexMap::with_capacity(listed.len());
    for source in listed {
        let (name, source) = source_of(source.0, known, reader)?;
        if sources.insert(name, source).is_some() {
            return None;
        }
    }
    let mut document: Document = reader.read(&rest).ok()?;
    document.sources = sources;
    Some(document)
}

fn source_of(
    text: Split<'_, TableText<'_>>,
    known: &mut Known,
    reader: &mut Reader,
) -> Option<(String, Source)> {
    let postgres = text
        .keys
        .get("kind")
        .and_then(|kind| *kind)
        .is_none_or(|kind| matches!(kind.get(), r#""postgres""# | r#""pg""#));
    let mut rest = text.rest()?;
    let listed = text.list.unwrap_or_default();
    if !postgres {
        let tables: Result<Vec<Value>, _> = listed
            .iter()
            .map(|table| serde_json::from_str(table.0.get()))
            .collect();
        if let (Value::Object(rest), tables) = (&mut rest, tables.ok()?)
            && rest.contains_key(TableText::KEY)
        {
            rest.insert(TableText::KEY.to_owned(), Value::Array(tables));
        }
        return reader.read_entry(&rest).ok();
    }
    let (name, mut source) = reader.read_entry::<Source>(&rest).ok()?;
    source.tables.reserve_exact(listed.len());
    for table in listed {
        let (name, table) = known.table(table.0.get(), reader)?;
        if source.tables.insert(name, table).is_some() {
            return None;
        }
    }
    Some((name, source))
}

/// An object, read in one go: the items of its longest list, and its other keys with values that are not yet read. A key
/// that comes twice is an error.
struct Split<'t, Item> {
    /// In their order. The list has none here.
    keys: IndexMap<String, Option<&'t RawValue>>,
    /// Absent where the object has no such key.
    list: Option<Vec<Item>>,
}

/// An item of the longest list of something.
trait Listed<'t>: Deserialize<'t> {
    /// The key of the list.
    const KEY: &'static str;
}

/// A source.
struct SourceText<'t>(Split<'t, TableText<'t>>);

/// A table.
struct TableText<'t>(&'t RawValue);

impl<'t> Listed<'t> for SourceText<'t> {
    const KEY: &'static str = "sources";
}
impl<'t> Listed<'t> for TableText<'t> {
    const KEY: &'static str = "tables";
}

impl<'t, Item: Listed<'t>> Split<'t, Item> {
    /// The object with an empty list.
    fn rest(&self) -> Option<Value> {
        let mut object = Map::with_capacity(self.keys.len());
        for (key, value) in &self.keys {
            let value = match value {
                Some(value) => serde_json::from_str(value.get()).ok()?,
                None => Value::Array(Vec::new()),
            };
            object.insert(key.clone(), value);
        }
        Some(Value::Object(object))
    }
}

impl<'t, Item: Listed<'t>> Deserialize<'t> for Split<'t, Item> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<Item>(PhantomData<Item>);

        impl<'t, Item: Listed<'t>> Visitor<'t> for Object<Item> {
            type Value = Split<'t, Item>;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<M: MapAccess<'t>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut split = Split {
                    keys: IndexMap::new(),
                    list: None,
                };
                while let Some(key) = map.next_key::<String>()? {
                    let value = if key == Item::KEY {
                        split.list = Some(map.next_value()?);
                        None
                    } else {
                        Some(map.next_value()?)
                    };
                    if split.keys.insert(key, value).is_some() {
                        return Err(M::Error::custom("a key comes twice"));
                    }
                }
                Ok(split)
            }
        }

        deserializer.deserialize_map(Object(PhantomData))
    }
}

impl<'t> Deserialize<'t> for SourceText<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        Split::deserialize(deserializer).map(Self)
    }
}

impl<'t> Deserialize<'t> for TableText<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"version":3,"sources":[{"name":"a","kind":"postgres","tables":[{"table":{"schema":"public",
        "name":"t"},"select_permissions":[{"role":"r","permission":{"columns":["id"],"filter":{"b":{"_eq":1}}}},{"role":
        "s","permission":{"columns":["id"],"filter":{"b":{"_eq":1}}}}]}],"configuration":{"connection_info":
        {"database_url":"u"}}},{"name":"m","kind":"mssql","tables":[{"table":"x"}],"configuration":{}}],
        "colour":"red"}"#;

    #[test]
    fn it_reads_what_parse_reads() {
        let (whole, _) = Document::parse(&serde_json::from_str(TEXT).unwrap()).unwrap();
        assert_eq!(in_parts(TEXT, &mut Known::default()), Some(whole.clone()));
        assert_eq!(Document::from_text(TEXT).unwrap().to_text(), whole.to_text());
        assert_eq!(whole.to_text(), whole.to_json().to_string());
        let permissions = &whole.sources["a"].tables[0].select_permissions;
        assert!(Arc::ptr_eq(
            &permissions["r"].permission,
            &permissions["s"].permission
        ));
    }

    #[test]
    fn what_is_wrong_is_said_as_by_parse() {
        let twice = TEXT.replace(r#""name":"m""#, r#""name":"a""#);
        for text in [
            twice.as_str(),
            r#"{"version":3}"#,
            r#"{"version":2,"sources":[]}"#,
            r#"{"version":3,"sources":{}}"#,
            r#"{"version":3,"sources":[1]}"#,
            r#"{"version":3,"sources":[{"name":"a","tables":[{"table":"t","colour":1}],"configuration":{}}]}"#,
        ] {
            let expected = Document::parse(&serde_json::from_str(text).unwrap()).unwrap_err();
            match Document::from_text(text) {
                Err(TextError::Document(error)) => assert_eq!(error, expected),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert!(matches!(Document::from_text("{"), Err(TextError::Json(_))));
    }

    fn table(number: u32, limit: u32) -> String {
        format!(
            r#"{{"table":{{"schema":"public","name":"t{number}"}},"select_permissions":[{{"role":"r","permission":{{
            "columns":["id"],"filter":{{}},"limit":{limit}}}}}]}}"#
        )
    }

    fn text(tables: &[String]) -> String {
        let tables = tables.join(",");
        format!(
            r#"{{"version":3,"sources":[{{"name":"a","kind":"postgres","tables":[{tables}],"configuration":
            {{"connection_info":{{"database_url":"u"}}}}}}]}}"#
        )
    }

    #[test]
    fn what_is_written_as_before_is_what_was_read_before() {
        let mut known = Known::default();
        let first = text(&[table(1, 1), table(2, 2), table(3, 3)]);
        let second = text(&[table(3, 3), table(1, 9), table(2, 2)]);
        let before = Document::from_text_knowing(&first, &mut known).unwrap();
        let after = Document::from_text_knowing(&second, &mut known).unwrap();
        assert_eq!(after, Document::from_text(&second).unwrap());
        let tables = |document: &Document| -> Vec<Arc<Table>> {
            let mut tables: Vec<_> = document.sources["a"].tables.clone().into_iter().collect();
            tables.sort_by(|(one, _), (other, _)| one.cmp(other));
            tables.into_iter().map(|(_, table)| table).collect()
        };
        let same = tables(&before)
            .iter()
            .zip(tables(&after))
            .map(|(before, after)| Arc::ptr_eq(before, &after))
            .collect::<Vec<_>>();
        assert_eq!(same, [false, true, true]);
        // Parts of tables are shared with those that were read before, too.
        let third = text(&[table(4, 2)]);
        let other = Document::from_text_knowing(&third, &mut known).unwrap();
        let permission = |document: &Document, at: usize| {
            Arc::clone(&document.sources["a"].tables[at].select_permissions["r"].permission)
        };
        assert!(Arc::ptr_eq(&permission(&other, 0), &permission(&after, 2)));
        assert_eq!(known.tables.len(), 5);
    }

    #[test]
    fn what_nobody_holds_is_forgotten() {
        let mut known = Known::default();
        for number in 0..10 {
            let text = text(&[table(number, number), table(number + 1, number)]);
            Document::from_text_knowing(&text, &mut known).unwrap();
        }
        Document::from_text_knowing(&text(&[]), &mut known).unwrap();
        assert!(known.tables.is_empty());
    }

    #[test]
    fn keys_that_come_twice_are_read_as_by_parse() {
        let twice = TEXT.replace(r#""colour":"red""#, r#""colour":"red","colour":"blue""#);
        let (whole, _) = Document::parse(&serde_json::from_str(&twice).unwrap()).unwrap();
        assert_eq!(Document::from_text(&twice).unwrap(), whole);
    }
}
