//! The right-hand sides of permission expressions: literals, session variables, lists, and named parts.

use graphql::InputClass;
use serde_json::{Map, Value};

use crate::catalog::{Type, TypeKind};
use crate::predicate::Operand;
use crate::resolve::bool_exp::Refusal;
use crate::scalar::{Scalar, ScalarClass, scalar_of};

/// What a value is read as.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) scalar: &'a Scalar,
    /// A Postgres array of it.
    pub(crate) array: bool,
}

/// The name of a type as Hasura shows it in messages.
pub(crate) fn type_name(type_: &Type) -> String {
    if let TypeKind::Array(element) = &type_.kind {
        return format!("{}[]", type_name(element));
    }
    match type_.name.as_str() {
        "int4" => "integer",
        "int2" => "smallint",
        "int8" => "bigint",
        "float4" => "real",
        "bool" => "boolean",
        other => other,
    }
    .to_owned()
}

/// The session variable that a text names, lower case.
pub(crate) fn session_variable(value: &Value) -> Option<Box<str>> {
    const PREFIX: &str = "x-hasura-";
    let text = value.as_str()?;
    let prefix = text.get(..PREFIX.len())?;
    prefix
        .eq_ignore_ascii_case(PREFIX)
        .then(|| text.to_ascii_lowercase().into_boxed_str())
}

/// Kind of a JSON value in Hasura's words.
pub(crate) fn encountered(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}

fn mismatch(what: &str, expected: &str, value: &Value) -> Refusal {
    let found = encountered(value);
    Refusal::new(format!(
        "parsing {what} failed, expected {expected}, but encountered {found}"
    ))
}

/// One value: a session variable or a literal.
pub(crate) fn one(expected: Expected<'_>, value: &Value) -> Result<Operand, Refusal> {
    if let Some(variable) = session_variable(value) {
        return Ok(Operand::Session(variable));
    }
    literal(expected, value)
}

/// A list: a session variable that holds an array literal, or values of which each may be a session variable.
pub(crate) fn many(expected: Expected<'_>, value: &Value) -> Result<Operand, Refusal> {
    if let Some(variable) = session_variable(value) {
        return Ok(Operand::Session(variable));
    }
    let Value::Array(items) = value else {
        return Err(mismatch("[]", "Array", value));
    };
    let mut operands = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        operands.push(one(expected, item).map_err(|refusal| refusal.at_index(at))?);
    }
    if operands
        .iter()
        .all(|operand| matches!(operand, Operand::Literal(_)))
    {
        return Ok(Operand::Literal(value.clone()));
    }
    Ok(Operand::List(operands))
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Result<Operand, Refusal> {
    match value {
        Value::Bool(_) => Ok(Operand::Literal(value.clone())),
        other => Err(mismatch("Bool", "Boolean", other)),
    }
}

/// The named parts of an operand object, each read by its own rule. Parts without a value are left out.
pub(crate) fn parts<'p>(
    value: &Value,
    wanted: &[(&'static str, bool, Expected<'p>)],
) -> Result<Operand, Refusal> {
    let Value::Object(object) = value else {
        return Err(mismatch("Object", "Object", value));
    };
    let mut parts = Vec::with_capacity(wanted.len());
    for (name, required, expected) in wanted {
        match object.get(*name) {
            Some(value) => {
                let operand = one(*expected, value).map_err(|refusal| refusal.at_key(name))?;
                parts.push((Box::from(*name), operand));
            }
            None if *required => {
                return Err(Refusal::new(format!("key \"{name}\" not found")));
            }
            None => {}
        }
    }
    Ok(Operand::Object(parts))
}

/// A literal, checked as far as its JSON type goes; Postgres checks the rest when it is used.
pub(crate) fn literal(expected: Expected<'_>, value: &Value) -> Result<Operand, Refusal> {
    let accepted = Ok(Operand::Literal(value.clone()));
    if value.is_null() {
        return accepted;
    }
    if expected.array {
        return match value {
            Value::Array(_) | Value::String(_) => accepted,
            other => Err(mismatch("[]", "Array", other)),
        };
    }
    let scalar = expected.scalar;
    match scalar.input {
        InputClass::Int
        | InputClass::NonNegativeInt
        | InputClass::NonNegativeBigInt
        | InputClass::SmallInt
        | InputClass::BigInt
        | InputClass::Float
        | InputClass::Number => match value {
            Value::Number(_) | Value::String(_) => accepted,
            other => Err(mismatch(&scalar.name, "Number", other)),
        },
        InputClass::Boolean => match value {
            Value::Bool(_) | Value::String(_) => accepted,
            other => Err(mismatch("Bool", "Boolean", other)),
        },
        InputClass::String if scalar.class == ScalarClass::Text => match value {
            Value::String(_) => accepted,
            other => Err(mismatch("Text", "String", other)),
        },
        InputClass::Ltree if value.is_string() => {
            let given = graphql::coerce::Given::Json(value);
            let root = graphql::Path::root();
            match graphql::coerce::scalar(scalar.input, &scalar.name, &root, given) {
                Ok(_) => accepted,
                Err(error) => Err(Refusal::new(error.message)),
            }
        }
        InputClass::String | InputClass::Id | InputClass::Text | InputClass::Raster | InputClass::Ltree => {
            match value {
                Value::String(_) => accepted,
                _ => Err(Refusal::new(format!(
                    "A string is expected for type: {}",
                    scalar.name
                ))),
            }
        }
        InputClass::Json => accepted,
        InputClass::GeoJson => match value {
            Value::Object(_) => accepted,
            other => Err(mismatch("Object", "Object", other)),
        },
    }
}

/// Why a column of the old data API cannot take a value, as far as its JSON type goes. Strings are Postgres's to read,
/// and null is.
pub fn refused_literal(type_: &Type, scalar: &Scalar, value: &Value) -> Option<String> {
    if value.is_string() {
        return None;
    }
    let (made_of, array) = made_of(type_);
    let scalar = made_of.as_ref().unwrap_or(scalar);
    let refusal = literal(Expected { scalar, array }, value).err()?;
    Some(refusal.message)
}

/// The scalar of what a domain is made of, or the domains of an array are, as Hasura v2 knows such columns; `None` where
/// no domain is. And whether it is an array.
pub(crate) fn made_of(type_: &Type) -> (Option<Scalar>, bool) {
    let (mut inner, mut array, mut through) = (type_, false, false);
    loop {
        match &inner.kind {
            TypeKind::Array(element) => (inner, array) = (element, true),
            TypeKind::Domain(base) => (inner, through) = (base, true),
            _ => break,
        }
    }
    (through.then(|| scalar_of(inner)), array)
}

/// Whether an object is a list of operators rather than a JSON value: JSON columns compare with operators only.
pub(crate) fn is_operators(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn type_of(name: &str, kind: TypeKind) -> Type {
        Type {
            schema: "public".into(),
            name: name.into(),
            oid: 0,
            kind,
        }
    }

    #[test]
    fn domains_take_what_they_are_made_of() {
        let base = |name: &str| type_of(name, TypeKind::Base);
        let domain = |of: Type| type_of("own", TypeKind::Domain(Box::new(of)));
        let list = |of: Type| type_of("_own", TypeKind::Array(Box::new(of)));
        for (type_, value, is_refused) in [
            (domain(base("int4")), json!(5), false),
            (domain(base("int4")), json!(true), true),
            (domain(domain(base("bool"))), json!(true), false),
            (domain(base("jsonb")), json!({"a": 1}), false),
            (domain(base("text")), json!(5), true),
            (domain(list(base("int4"))), json!([1, 2]), false),
            (list(domain(base("int4"))), json!([1, 2]), false),
            (list(domain(base("int4"))), json!(1), true),
            (base("uuid"), json!(1), true),
        ] {
            let refused = refused_literal(&type_, &scalar_of(&type_), &value);
            assert_eq!(refused.is_some(), is_refused, "{type_:?} {value} {refused:?}");
        }
    }
}
