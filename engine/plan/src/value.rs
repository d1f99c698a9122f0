//! Values on their way to Postgres: which slot or constant carries one, and its text form.

use std::fmt::Write as _;
use std::sync::Arc;

use graphql::operation::{Leaf, Origin, VariablePath};
use graphql::{InputClass, Path};
use rustc_hash::FxHashMap;
use serde_json::Value;
use sql::Parameter;

use crate::prepared::{Encoding, Slot};
use crate::rows::{Read, Rows};

/// Collects the slots of a plan; one place of the variables read twice in the same way is one slot.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    all: Vec<Slot>,
    variables: FxHashMap<(VariablePath, InputClass, bool, Encoding), u32>,
    sessions: FxHashMap<Arc<str>, u32>,
    session_json: Option<u32>,
}

impl Slots {
    /// A leaf: a constant if it stands in the text, a slot if it comes from a variable.
    pub(crate) fn leaf(&mut self, leaf: &Leaf, encoding: Encoding) -> Parameter {
        match &leaf.origin {
            Origin::Literal => constant(&leaf.value, encoding, leaf.class),
            Origin::Variable(place) => {
                let key = (place.clone(), leaf.class, leaf.items_nullable, encoding);
                let next = self.all.len() as u32;
                let slot = *self.variables.entry(key).or_insert(next);
                if slot == next {
                    self.all.push(Slot::Variable(Box::new(leaf.clone()), encoding));
                }
                Parameter::Slot(slot)
            }
        }
    }

    /// A session variable; Hasura v2 reports a missing one at the root, so one slot serves all its uses.
    pub(crate) fn session(&mut self, name: &str) -> Parameter {
        if let Some(slot) = self.sessions.get(name) {
            return Parameter::Slot(*slot);
        }
        let name: Arc<str> = name.into();
        let slot = self.all.len() as u32;
        self.all.push(Slot::Session {
            name: name.clone(),
            path: Path::root(),
        });
        self.sessions.insert(name, slot);
        Parameter::Slot(slot)
    }

    /// Something about rows of a variable. The same is seldom wanted twice.
    pub(crate) fn rows(&mut self, rows: Rows, read: Read) -> Parameter {
        let slot = self.all.len() as u32;
        self.all.push(Slot::Rows(Box::new((rows, read))));
        Parameter::Slot(slot)
    }

    /// All session variables as JSON.
    pub(crate) fn session_json(&mut self) -> Parameter {
        let next = self.all.len() as u32;
        let slot = *self.session_json.get_or_insert(next);
        if slot == next {
            self.all.push(Slot::SessionJson);
        }
        Parameter::Slot(slot)
    }

    /// All of them, in order.
    pub(crate) fn into_vec(self) -> Vec<Slot> {
        self.all
    }
}

/// A value that is the same at every execution.
pub(crate) fn constant(value: &Value, encoding: Encoding, class: InputClass) -> Parameter {
    Parameter::Constant(encode(value, encoding, class).map(Arc::from))
}

/// The Postgres text form of a value; `None` is NULL.
pub(crate) fn encode(value: &Value, encoding: Encoding, class: InputClass) -> Option<String> {
    match (encoding, value) {
        (Encoding::Json, value) => Some(value.to_string()),
        (_, Value::Null) => None,
        (Encoding::ArrayOrText, Value::String(text)) => Some(text.clone()),
        (Encoding::Decimal, Value::Number(number)) => Some(decimal(&number.to_string())),
        // In Hasura v2's words, as they decide how many digits a numeric keeps.
        (Encoding::Plain, Value::Number(number))
            if class == InputClass::Number && number.as_str().contains(['e', 'E']) =>
        {
            Some(graphql::printed_number(number))
        }
        (Encoding::Plain | Encoding::Decimal, value) => {
            let mut out = String::new();
            plain(value, class, &mut out);
            Some(out)
        }
        (Encoding::Array | Encoding::ArrayOrText, Value::Array(items)) => {
            let mut out = String::new();
            array(items, false, class, &mut out);
            Some(out)
        }
        (Encoding::JsonArray, Value::Array(items)) => {
            let mut out = String::new();
            array(items, true, class, &mut out);
            Some(out)
        }
        // A single value stands for a list of one.
        (Encoding::JsonArray, value) => {
            let mut out = String::new();
            array(std::slice::from_ref(value), true, class, &mut out);
            Some(out)
        }
        (Encoding::Array | Encoding::ArrayOrText, value) => {
            let mut out = String::new();
            array(std::slice::from_ref(value), false, class, &mut out);
            Some(out)
        }
    }
}

fn plain(value: &Value, class: InputClass, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Number(number) => {
            let text = number.to_string();
            match class {
                InputClass::Int
                | InputClass::NonNegativeInt
                | InputClass::NonNegativeBigInt
                | InputClass::SmallInt
                | InputClass::BigInt => out.push_str(&integer(&text).unwrap_or(text)),
                _ => out.push_str(&text),
            }
        }
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Null => {}
        other => {
            // Writing to a String cannot fail.
            let _ = write!(out, "{other}");
        }
    }
}

/// `2e-2` as `0.02`; numbers too long to be amounts of money stay as they are.
pub(crate) fn decimal(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return text.to_owned();
    };
    let Some(exponent) = exponent
        .parse::<i32>()
        .ok()
        .filter(|exponent| exponent.abs() < 64)
    else {
        return text.to_owned();
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let point = i32::try_from(whole.len())
        .unwrap_or(i32::MAX)
        .saturating_add(exponent);
    let mut all = format!("{whole}{fraction}");
    let at = if point <= 0 {
        all.insert_str(0, &"0".repeat(usize::try_from(1 - point).unwrap_or(1)));
        1
    } else {
        let at = usize::try_from(point).unwrap_or(0);
        while all.len() < at {
            all.push('0');
        }
        at
    };
    if at < all.len() {
        all.insert(at, '.');
    }
    format!("{sign}{all}")
}

/// `1.0` and `1e2` are integers in JSON's eyes, not in those of int4's input function.
fn integer(text: &str) -> Option<String> {
    if !text.contains(['.', 'e', 'E']) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then(|| format!("{number:.0}"))
}

/// `{…}` as array input functions read it: every string quoted, so that `NULL`, commas and braces are safe.
fn array(items: &[Value], json: bool, class: InputClass, out: &mut String) {
    out.push('{');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match item {
            Value::Null => out.push_str("NULL"),
            other if json => quoted(&other.to_string(), out),
            Value::Array(inner) => array(inner, json, class, out),
            Value::String(text) => quoted(text, out),
            other => {
                let mut text = String::new();
                plain(other, class, &mut text);
                quoted(&text, out);
            }
        }
    }
    out.push('}');
}

/// Appends an item of an array in quotes.
pub(crate) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    if !text.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
        out.push_str(text);
        out.push('"');
        return;
    }
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn array_text(value: &Value) -> Option<String> {
        encode(value, Encoding::Array, InputClass::String)
    }

    #[test]
    fn arrays_quote_what_would_be_read_otherwise() {
        assert_eq!(
            array_text(&json!(["a", "NULL", "b,c", "{d}", "e\"f", "g\\h", ""])).as_deref(),
            Some(r#"{"a","NULL","b,c","{d}","e\"f","g\\h",""}"#)
        );
        assert_eq!(array_text(&json!([null, 1])).as_deref(), Some(r#"{NULL,"1"}"#));
        assert_eq!(
            array_text(&json!([["a"], ["b"]])).as_deref(),
            Some(r#"{{"a"},{"b"}}"#)
        );
        assert_eq!(array_text(&json!([])).as_deref(), Some("{}"));
        assert_eq!(array_text(&json!("{a}")).as_deref(), Some(r#"{"{a}"}"#));
        assert_eq!(
            encode(&json!("{a}"), Encoding::ArrayOrText, InputClass::String).as_deref(),
            Some("{a}")
        );
    }

    #[test]
    fn money_is_written_without_exponent() {
        for (given, expected) in [
            ("-2E-2", "-0.02"),
            ("1.5e1", "15"),
            ("1.25e1", "12.5"),
            ("3e2", "300"),
            ("-1.1", "-1.1"),
        ] {
            assert_eq!(decimal(given), expected);
        }
    }

    #[test]
    fn exponents_are_printed_as_hasura_does() {
        for (given, expected) in [
            ("-1E-30", "-1.0e-30"),
            ("15e-1", "1.5"),
            ("1e400", "1.0e400"),
            ("1.10", "1.10"),
        ] {
            let value = serde_json::from_str::<Value>(given).unwrap_or_default();
            assert_eq!(
                encode(&value, Encoding::Plain, InputClass::Number).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn json_is_passed_as_json() {
        assert_eq!(
            encode(&json!("a"), Encoding::Json, InputClass::Json).as_deref(),
            Some("\"a\"")
        );
        assert_eq!(
            encode(&Value::Null, Encoding::Json, InputClass::Json).as_deref(),
            Some("null")
        );
        assert_eq!(
            encode(&json!([{"a": "b"}]), Encoding::JsonArray, InputClass::Json).as_deref(),
            Some(r#"{"{\"a\":\"b\"}"}"#)
        );
    }

    #[test]
    fn whole_numbers_are_written_as_integers() {
        let number = |text: &str| serde_json::from_str::<Value>(text).ok();
        for (given, expected) in [
            ("1.0", "1"),
            ("1e2", "100"),
            ("-3", "-3"),
            ("9223372036854775807", "9223372036854775807"),
        ] {
            let value = number(given).unwrap_or_default();
            assert_eq!(
                encode(&value, Encoding::Plain, InputClass::BigInt).as_deref(),
                Some(expected)
            );
        }
        let value = number("1.10").unwrap_or_default();
        assert_eq!(
            encode(&value, Encoding::Plain, InputClass::Number).as_deref(),
            Some("1.10")
        );
    }
}
