//! Reading a stored document's text without ever having all of it as one tree: a tree takes many times the room of the
//! document that comes of it, and nearly all of it is tables.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Document;
use crate::json::{ParseError, Reader};
use crate::source::Source;
use crate::table::Table;

/// The keys of an object, their values not yet read.
type Keys<'t> = IndexMap<String, &'t RawValue>;

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
        match in_parts(text) {
            Some(document) => Ok(document),
            // Whatever is not as expected is read as a whole, for what is wrong with it.
            None => Ok(Self::parse(&serde_json::from_str(text)?)?.0),
        }
    }
}

fn in_parts(text: &str) -> Option<Document> {
    let mut reader = Reader::new();
    let mut keys: Keys<'_> = serde_json::from_str(text).ok()?;
    let listed: Vec<&RawValue> = serde_json::from_str(keys.get("sources")?.get()).ok()?;
    let mut sources = IndexMap::with_capacity(listed.len());
    for source in listed {
        let (name, source) = source_in_parts(source.get(), &mut reader)?;
        if sources.insert(name, source).is_some() {
            return None;
        }
    }
    let rest = without_list(&mut keys, "sources")?;
    let mut document: Document = reader.read(&rest).ok()?;
    document.sources = sources;
    Some(document)
}

fn source_in_parts(text: &str, reader: &mut Reader) -> Option<(String, Source)> {
    let mut keys: Keys<'_> = serde_json::from_str(text).ok()?;
    let postgres = keys
        .get("kind")
        .is_none_or(|kind| matches!(kind.get(), r#""postgres""# | r#""pg""#));
    if !postgres {
        return reader.read_entry(&serde_json::from_str(text).ok()?).ok();
    }
    let listed: Vec<&RawValue> = match keys.get("tables") {
        Some(tables) => serde_json::from_str(tables.get()).ok()?,
        None => Vec::new(),
    };
    let rest = without_list(&mut keys, "tables")?;
    let (name, mut source) = reader.read_entry::<Source>(&rest).ok()?;
    source.tables.reserve_exact(listed.len());
    for table in listed {
        let table: Value = serde_json::from_str(table.get()).ok()?;
        let (name, table) = reader.read_entry::<Arc<Table>>(&table).ok()?;
        if source.tables.insert(name, table).is_some() {
            return None;
        }
    }
    Some((name, source))
}

/// The object with an empty list at `key`.
fn without_list(keys: &mut Keys<'_>, key: &str) -> Option<Value> {
    let mut object = Map::with_capacity(keys.len());
    for (known, value) in keys {
        let value = if known == key {
            Value::Array(Vec::new())
        } else {
            serde_json::from_str(value.get()).ok()?
        };
        object.insert(known.clone(), value);
    }
    Some(Value::Object(object))
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
        assert_eq!(in_parts(TEXT), Some(whole.clone()));
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
}
