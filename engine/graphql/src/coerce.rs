//! Checks a scalar against its [`InputClass`], with Hasura's messages. The same check runs when an operation is
//! normalised and on every later request that is served by its plan.
//!
//! Knows no variables and no nulls: a null never comes here.

mod geojson;

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::error::Error;
use crate::operation::{Leaf, Origin};
use crate::path::Path;
use crate::scientific::Scientific;
use crate::syntax::Literal;
use crate::type_system::InputClass;

/// A value as it was given: written in the document, or within the JSON of the variables.
#[derive(Debug, Clone, Copy)]
pub enum Given<'a> {
    /// Written in the document.
    Literal(&'a Literal),
    /// Part of a variable's value.
    Json(&'a Value),
}

impl Given<'_> {
    /// What Hasura calls such a value in `…, but found a string`.
    pub fn description(self) -> &'static str {
        match self {
            Self::Literal(literal) => match literal {
                Literal::Variable(_) | Literal::Null => "null",
                Literal::Boolean(_) => "a boolean",
                Literal::Int(_) => "an integer",
                Literal::Float(_) => "a float",
                Literal::String(_) => "a string",
                Literal::Enum(_) => "an enum value",
                Literal::List(_) => "a list",
                Literal::Object(_) => "an object",
            },
            Self::Json(value) => match value {
                Value::Null => "null",
                Value::Bool(_) => "a boolean",
                Value::Number(_) => "a number",
                Value::String(_) => "a string",
                Value::Array(_) => "a list",
                Value::Object(_) => "an object",
            },
        }
    }

    /// Whether it is a null.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Literal(Literal::Null) | Self::Json(Value::Null))
    }
}

/// A literal without variables as JSON; a variable would be null. Names of enum values become strings.
pub(crate) fn literal_to_json(literal: &Literal) -> Value {
    // Recursion is bounded by the document's limit on brackets.
    match literal {
        Literal::Variable(_) | Literal::Null => Value::Null,
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Int(number) | Literal::Float(number) => Value::Number(number.clone()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Enum(name) => Value::String(name.to_string()),
        Literal::List(items) => items.iter().map(literal_to_json).collect(),
        Literal::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), literal_to_json(value)))
                .collect(),
        ),
    }
}

/// `expected an object for type 'T', but found null`
pub(crate) fn mismatch(expected: &str, type_name: &str, given: Given<'_>, path: &Path) -> Error {
    let found = given.description();
    Error::validation(
        path,
        format!("expected {expected} for type '{type_name}', but found {found}"),
    )
}

/// The error for a null where a scalar of this class is needed.
pub(crate) fn unexpected_null(class: InputClass, type_name: &str, path: &Path) -> Error {
    match class {
        InputClass::NonNegativeInt | InputClass::NonNegativeBigInt | InputClass::Id => {
            mismatch(expected(class), type_name, Given::Json(&Value::Null), path)
        }
        _ => Error::validation(path, format!("unexpected null value for type '{type_name}'")),
    }
}

fn expected(class: InputClass) -> &'static str {
    match class {
        InputClass::NonNegativeInt => "a non-negative 32-bit integer",
        InputClass::NonNegativeBigInt => "a 32-bit integer, or a 64-bit integer represented as a string",
        InputClass::Float | InputClass::Number => "a float",
        InputClass::Boolean => "a boolean",
        InputClass::Id => "a String or a 32-bit integer",
        InputClass::Int | InputClass::SmallInt | InputClass::BigInt => "a 32-bit integer",
        _ => "a string",
    }
}

/// Checks one value that is not null. Borrows the value if the check leaves it as it is; otherwise it is
/// brought to one form: whole numbers without fraction and exponent, an `ID` as a string.
///
/// # Errors
/// `validation-failed` for a value of the wrong kind, `parse-failed` for one that the type cannot hold.
pub fn scalar<'a>(
    class: InputClass,
    type_name: &str,
    path: &Path,
    given: Given<'a>,
) -> Result<Cow<'a, Value>, Error> {
    use Given::{Json, Literal as Written};
    let refused = || mismatch(expected(class), type_name, given, path);
    let failed = |message: String| Error::parse(path, message);
    let bounded = |low: i64, high: i64, number: &Number| {
        if number
            .as_i64()
            .is_some_and(|integer| (low..=high).contains(&integer))
        {
            return Ok(as_json(given));
        }
        let scientific = Scientific::of(number);
        match scientific.to_integer() {
            Some(integer) if (low..=high).contains(&integer) => Ok(whole(given, number, integer)),
            _ => Err(failed(out_of_bounds(&scientific))),
        }
    };
    match class {
        InputClass::Int => match given {
            Written(Literal::Int(number)) | Json(Value::Number(number)) => bounded(i32::MIN.into(), i32::MAX.into(), number),
            Written(Literal::String(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            _ => Err(refused()),
        },
        InputClass::NonNegativeInt => match given {
            Written(Literal::Int(number)) | Json(Value::Number(number)) if !is_negative(number) => {
                bounded(0, i32::MAX.into(), number)
            }
            _ => Err(refused()),
        },
        InputClass::NonNegativeBigInt => match given {
            Written(Literal::Int(number)) | Json(Value::Number(number)) => {
                if is_negative(number) {
                    return Err(mismatch(expected(InputClass::NonNegativeInt), type_name, given, path));
                }
                bounded(0, i64::MAX, number)
            }
            Written(Literal::String(text)) | Json(Value::String(text)) => {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                match text.parse::<i64>() {
                    Ok(integer) if digits => Ok(Cow::Owned(integer.into())),
                    _ => Err(refused()),
                }
            }
            _ => Err(refused()),
        },
        InputClass::Float => match given {
            Written(Literal::Int(number) | Literal::Float(number)) | Json(Value::Number(number)) => {
                too_large(number).map_or_else(|| Ok(as_json(given)), |message| Err(failed(message)))
            }
            Written(Literal::String(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            _ => Err(refused()),
        },
        InputClass::String => match given {
            Written(Literal::String(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            _ => Err(refused()),
        },
        InputClass::Boolean => match given {
            Written(Literal::Boolean(_)) | Json(Value::Bool(_)) => Ok(as_json(given)),
            Written(Literal::String(text)) | Json(Value::String(text)) => match text.as_str() {
                "true" => Ok(Cow::Owned(Value::Bool(true))),
                "false" => Ok(Cow::Owned(Value::Bool(false))),
                _ => Err(refused()),
            },
            _ => Err(refused()),
        },
        InputClass::Id => match given {
            Written(Literal::String(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            Written(Literal::Int(number)) => Ok(Cow::Owned(Value::String(number.to_string()))),
            Json(Value::Number(number)) => {
                let integer = bounded(i64::MIN, i64::MAX, number)?;
                Ok(Cow::Owned(Value::String(integer.to_string())))
            }
            _ => Err(refused()),
        },
        InputClass::SmallInt | InputClass::BigInt => {
            let (low, high) = match class {
                InputClass::SmallInt => (i16::MIN.into(), i16::MAX.into()),
                _ => (i64::MIN, i64::MAX),
            };
            match given {
                Written(Literal::Int(number) | Literal::Float(number)) | Json(Value::Number(number)) => {
                    bounded(low, high, number)
                }
                Written(Literal::String(_) | Literal::Enum(_)) | Json(Value::String(_)) => Ok(as_json(given)),
                _ => Err(failed(format!(
                    "parsing Integer expected for input type: {type_name} failed, expected Number, but encountered {}",
                    encountered(given)
                ))),
            }
        }
        InputClass::Number => match given {
            Written(Literal::Int(number) | Literal::Float(number)) | Json(Value::Number(number)) => {
                let message = if is_floating(type_name) { too_large(number) } else { None };
                message.map_or_else(|| Ok(as_json(given)), |message| Err(failed(message)))
            }
            Written(Literal::String(_) | Literal::Enum(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            _ => {
                let wanted = if is_floating(type_name) {
                    format!("Float expected for input type: {type_name}")
                } else {
                    "Scientific".to_owned()
                };
                Err(failed(format!(
                    "parsing {wanted} failed, expected Number, but encountered {}",
                    encountered(given)
                )))
            }
        },
        InputClass::Text => match given {
            Written(Literal::String(_) | Literal::Enum(_)) | Json(Value::String(_)) => Ok(as_json(given)),
            _ => Err(failed(not_text(type_name, given))),
        },
        InputClass::Json => Ok(as_json(given)),
        InputClass::GeoJson => {
            let value = as_json(given);
            geojson::check(&value).map_err(failed)?;
            Ok(value)
        }
        InputClass::Raster => match given {
            Written(Literal::String(text)) | Json(Value::String(text)) => {
                if text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    Ok(as_json(given))
                } else {
                    Err(failed("invalid hexadecimal representation of raster well known binary format".to_owned()))
                }
            }
            _ => Err(failed("expecting String for raster".to_owned())),
        },
        InputClass::Ltree => match given {
            Written(Literal::String(text)) | Json(Value::String(text)) if text.split('.').all(|label| !label.is_empty()) => {
                Ok(as_json(given))
            }
            _ => Err(failed(
                "Expecting label path: a sequence of zero or more labels separated by dots, for example L1.L2.L3".to_owned(),
            )),
        },
    }
}

/// Checks a whole list of scalars. A single value, which stands for a list of one, stays a single value.
///
/// # Errors
/// As [`scalar`], with the position in the path.
pub fn scalars<'a>(
    class: InputClass,
    items_nullable: bool,
    type_name: &str,
    path: &Path,
    value: &'a Value,
) -> Result<Cow<'a, Value>, Error> {
    let Value::Array(items) = value else {
        return scalar(class, type_name, &path.index(0), Given::Json(value));
    };
    let mut changed: Option<Vec<Value>> = None;
    for (index, item) in items.iter().enumerate() {
        let checked = if item.is_null() {
            if !items_nullable {
                return Err(unexpected_null(class, type_name, &path.index(index)));
            }
            Cow::Borrowed(item)
        } else {
            scalar(class, type_name, &path.index(index), Given::Json(item))?
        };
        match (&mut changed, checked) {
            (None, Cow::Borrowed(_)) => {}
            (None, Cow::Owned(item)) => {
                let mut list: Vec<Value> = items.iter().take(index).cloned().collect();
                list.push(item);
                changed = Some(list);
            }
            (Some(list), checked) => list.push(checked.into_owned()),
        }
    }
    Ok(match changed {
        None => Cow::Borrowed(value),
        Some(list) => Cow::Owned(Value::Array(list)),
    })
}

impl Leaf {
    /// For a leaf that came from a variable: takes the value of this request's variables, checked as the first
    /// one was and in the same form as [`Leaf::value`]. `None` for a leaf from the operation's text, whose value
    /// never changes. To be called only when the plan's guards hold.
    ///
    /// # Errors
    /// What normalising the operation anew would say of the value.
    pub fn coerce_again<'v>(
        &self,
        variables: &'v Map<String, Value>,
    ) -> Result<Option<Cow<'v, Value>>, Error> {
        let Origin::Variable(place) = &self.origin else {
            return Ok(None);
        };
        let Some(value) = place.find(variables).filter(|value| !value.is_null()) else {
            return Err(unexpected_null(self.class, &self.type_name, &self.path));
        };
        let checked = if self.list {
            scalars(
                self.class,
                self.items_nullable,
                &self.type_name,
                &self.path,
                value,
            )
        } else {
            scalar(self.class, &self.type_name, &self.path, Given::Json(value))
        };
        checked.map(Some)
    }
}

fn is_negative(number: &Number) -> bool {
    match number.as_i64() {
        Some(integer) => integer < 0,
        None => Scientific::of(number).is_negative(),
    }
}

/// `None` if a double can hold something near the number, else the message.
fn too_large(number: &Number) -> Option<String> {
    if number.as_f64().is_some_and(f64::is_finite) {
        return None;
    }
    let scientific = Scientific::of(number);
    let message =
        format!("The value {scientific} lies outside the bounds. Is it overflowing the float bounds?");
    (!scientific.fits_double()).then_some(message)
}

fn as_json(given: Given<'_>) -> Cow<'_, Value> {
    match given {
        Given::Json(value) => Cow::Borrowed(value),
        Given::Literal(literal) => Cow::Owned(literal_to_json(literal)),
    }
}

/// Keeps `5`, makes `5` of `5.0` and `5e0`.
fn whole<'a>(given: Given<'a>, number: &Number, integer: i64) -> Cow<'a, Value> {
    match given {
        Given::Json(value) if number.to_string() == integer.to_string() => Cow::Borrowed(value),
        _ => Cow::Owned(integer.into()),
    }
}

fn out_of_bounds(number: &Scientific) -> String {
    format!(
        "The value {number} lies outside the bounds or is not an integer. Maybe it is a float, or is there integer overflow?"
    )
}

fn is_floating(type_name: &str) -> bool {
    matches!(type_name, "float8" | "float4" | "Float")
}

/// Names of JSON values in the words of Haskell's aeson.
fn encountered(given: Given<'_>) -> &'static str {
    match given.description() {
        "null" => "Null",
        "a boolean" => "Boolean",
        "an integer" | "a float" | "a number" => "Number",
        "a list" => "Array",
        "an object" => "Object",
        _ => "String",
    }
}

/// What Hasura's parsers of single types say to something that is not a string.
fn not_text(type_name: &str, given: Given<'_>) -> String {
    let wanted = match type_name {
        "uuid" => "UUID",
        "date" => "Day",
        "timestamp" => "LocalTime",
        "timestamptz" => "UTCTime",
        "timetz" => "ZonedTimeOfDay",
        "bpchar" => "Char",
        "citext" | "lquery" | "ltxtquery" => "Text",
        _ => return format!("A string is expected for type: {type_name}"),
    };
    format!(
        "parsing {wanted} failed, expected String, but encountered {}",
        encountered(given)
    )
}

#[cfg(test)]
mod tests;
