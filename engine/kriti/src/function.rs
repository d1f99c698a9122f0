//! The functions a template may call. Each takes one value.

mod collection;
mod text;

use serde_json::Value;

use crate::{context::Context, render::type_name};

/// Why a function refuses its argument.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FunctionError {
    /// The argument, or what it holds, has the wrong type.
    #[error("parsing {what} failed, expected {expected}, but encountered {actual}")]
    Type {
        /// What was looked for.
        what: &'static str,
        /// Its type.
        expected: &'static str,
        /// The type it has.
        actual: &'static str,
    },
    /// `empty(true)`
    #[error("Cannot define emptiness for a boolean")]
    EmptyBoolean,
    /// `head([])`, `tail([])`
    #[error("Empty array")]
    EmptyArray,
    /// `head("")`, `tail("")`
    #[error("Empty string")]
    EmptyString,
    /// `head(1)`
    #[error("Expected an array or string")]
    NotArrayOrString,
    /// `inverse(0)`, and numbers too large to divide by.
    #[error("The number has no inverse")]
    NoInverse,
    /// `fromPairs([["a"]])`
    #[error("Expected an array of shape [ [k1,v1], [k2,v2] ... ] - With String keys.")]
    NotPairs,
    /// `getSessionVariable(1)`
    #[error("Session variable name should be a string")]
    SessionVariableName,
    /// `getSessionVariable("x-hasura-nothing")`
    #[error("Session variable \"{0}\" not found")]
    SessionVariableNotFound(String),
}

/// What a function gives.
type Outcome = Result<Value, FunctionError>;

/// Calls the function `name`; `None` if there is none.
pub(crate) fn call(name: &str, argument: &Value, context: &Context) -> Option<Outcome> {
    Some(match name {
        "not" => not(argument),
        "empty" => collection::empty(argument),
        "size" => Ok(collection::size(argument)),
        "inverse" => collection::inverse(argument),
        "head" => collection::head(argument),
        "tail" => collection::tail(argument),
        "removeNulls" => collection::remove_nulls(argument),
        "concat" => collection::concat(argument),
        // The names are those of Kriti; `toObject` and `fromObject` say the same from the object's side.
        "fromPairs" | "toObject" => collection::from_pairs(argument),
        "toPairs" | "fromObject" => collection::to_pairs(argument),
        "toCaseFold" => text::map(argument, text::case_fold),
        "toLower" => text::map(argument, text::lower),
        "toUpper" => text::map(argument, text::upper),
        "toTitle" => text::map(argument, text::title),
        "escapeUri" => text::map(argument, |text| crate::percent::encode(text.as_bytes())),
        "getSessionVariable" => session_variable(argument, context),
        _ => return None,
    })
}

fn not(argument: &Value) -> Outcome {
    let value = argument
        .as_bool()
        .ok_or_else(|| wrong("Bool", "Boolean", argument))?;
    Ok(Value::Bool(!value))
}

fn session_variable(argument: &Value, context: &Context) -> Outcome {
    let name = argument.as_str().ok_or(FunctionError::SessionVariableName)?;
    let value = context.session_variable(name);
    value
        .map(Value::from)
        .ok_or_else(|| FunctionError::SessionVariableNotFound(name.to_owned()))
}

/// The error of a value of the wrong type.
fn wrong(what: &'static str, expected: &'static str, value: &Value) -> FunctionError {
    FunctionError::Type {
        what,
        expected,
        actual: type_name(value),
    }
}
