//! Query strings, as pairs.

use std::fmt;

use serde_json::Value;

use crate::percent::{decode, encode};

/// The parameters of a query string in order, decoded. A parameter without `=` has no value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(pub Vec<(Vec<u8>, Option<Vec<u8>>)>);

impl Query {
    /// Reads `a=b&c`, with or without a `?` before it; `;` separates too.
    pub fn parse(text: &str) -> Self {
        let text = text.strip_prefix('?').unwrap_or(text);
        if text.is_empty() {
            return Self::default();
        }
        let pair = |piece: &str| match piece.split_once('=') {
            Some((key, value)) => (decode(key.as_bytes()), Some(decode(value.as_bytes()))),
            None => (decode(piece.as_bytes()), None),
        };
        Self(text.split(['&', ';']).map(pair).collect())
    }

    /// `[["a", "b"], ["c", null]]`, the form templates see.
    pub fn to_json(&self) -> Value {
        let text = |bytes: &Vec<u8>| Value::from(String::from_utf8_lossy(bytes));
        let pairs = self
            .0
            .iter()
            .map(|(key, value)| vec![text(key), value.as_ref().map_or(Value::Null, text)]);
        Value::from(pairs.map(Value::from).collect::<Vec<_>>())
    }
}

/// `?a=b&c`, or nothing when there are no parameters.
impl fmt::Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (key, value)) in self.0.iter().enumerate() {
            formatter.write_str(if number == 0 { "?" } else { "&" })?;
            formatter.write_str(&encode(key))?;
            if let Some(value) = value {
                write!(formatter, "={}", encode(value))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_and_writes() {
        let query = Query::parse("?a=b+c&d;e=%C3%A9%26");
        assert_eq!(query.to_json(), json!([["a", "b c"], ["d", null], ["e", "é&"]]));
        assert_eq!(query.to_string(), "?a=b%20c&d&e=%C3%A9%26");
        assert_eq!(Query::parse("?").to_string(), "");
    }
}
