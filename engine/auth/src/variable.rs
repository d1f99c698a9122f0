//! Session variables: names in lower case, values as text.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::json::kind;

/// Start of every session variable's name.
pub const PREFIX: &str = "x-hasura-";
/// The role.
pub const ROLE: &str = "x-hasura-role";
/// Headers that carry the admin secret are no session variables.
pub const SECRETS: [&str; 2] = ["x-hasura-admin-secret", "x-hasura-access-key"];

/// Variables of one session at most.
pub const MOST_VARIABLES: usize = 1000;

/// Variables in the order of their names, each once.
pub type Variables = Vec<(Arc<str>, Arc<str>)>;

/// The lower-case name, if it is that of a session variable.
pub fn name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    (lower.starts_with(PREFIX) && !SECRETS.contains(&lower.as_str())).then_some(lower)
}

/// Picks the session variables out of an object, each with its value.
///
/// # Errors
/// Names that differ only in case, and more than [`MOST_VARIABLES`].
pub(crate) fn pick(object: &Map<String, Value>) -> Result<Vec<(String, &Value)>, &'static str> {
    let mut picked: Vec<(String, &Value)> = object
        .iter()
        .filter_map(|(key, value)| Some((name(key)?, value)))
        .collect();
    if picked.len() > MOST_VARIABLES {
        return Err("too many session variables");
    }
    picked.sort_by(|left, right| left.0.cmp(&right.0));
    if picked.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return Err("a session variable is given twice");
    }
    Ok(picked)
}

/// A variable's value.
///
/// # Errors
/// Values that are no text, and text that Postgres cannot hold.
pub(crate) fn text(value: &Value) -> Result<Arc<str>, String> {
    match value {
        Value::String(text) if text.contains('\0') => Err("the character U+0000 is not allowed".to_owned()),
        Value::String(text) => Ok(Arc::from(text.as_str())),
        other => Err(format!(
            "parsing Text failed, expected String, but encountered {}",
            kind(other)
        )),
    }
}
