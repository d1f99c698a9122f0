//! From a resource to metadata.

use serde_json::{Map, Value};

use super::{Field, Lens, exact, steps};
use crate::secret::SecretKey;

/// Why a field could not become metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    /// The field, beginning with `spec`.
    pub(crate) path: String,
    /// What is wrong and what to do.
    pub(crate) message: String,
}

/// What goes along: where the object stands, and what it needs.
pub(crate) struct Forward<'a> {
    /// The namespace of the object.
    pub(crate) namespace: &'a str,
    /// The keys of Secrets it refers to.
    pub(crate) secrets: Vec<SecretKey>,
}

/// The metadata form of `value`, which stands at `path`. Recurses as deep as the tables nest.
pub(crate) fn forward(
    lens: &Lens,
    value: &Value,
    path: &str,
    along: &mut Forward<'_>,
) -> Result<Value, FieldError> {
    let wrong = |message: String| FieldError {
        path: path.to_owned(),
        message,
    };
    if value.is_null() && !matches!(lens, Lens::Json | Lens::NullableJson) {
        return Err(wrong("null has no meaning: leave the field out".to_owned()));
    }
    match lens {
        Lens::Same | Lens::Text => Ok(value.clone()),
        Lens::Json | Lens::NullableJson => exact::decode(value).map_err(wrong),
        Lens::Decimal => decimal(value).ok_or_else(|| wrong(format!("{value} is not a number"))),
        Lens::Words(words) => word(words, value).ok_or_else(|| {
            let known: Vec<&str> = words.iter().map(|(resource, _)| *resource).collect();
            wrong(format!("{value} is not one of {}", known.join(", ")))
        }),
        Lens::Object(fields) => object(fields, value, path, along),
        Lens::List(inner) => {
            let items = value
                .as_array()
                .ok_or_else(|| wrong("expected a list".to_owned()))?;
            let items: Result<_, _> = items
                .iter()
                .enumerate()
                .map(|(index, item)| forward(inner, item, &format!("{path}[{index}]"), along))
                .collect();
            items.map(Value::Array)
        }
        Lens::Keyed { key, value: at, lens } => keyed((key, *at, lens), value, path, along),
        Lens::FromEnv => {
            let name = env_name(value, along).map_err(wrong)?;
            Ok(Value::Object(Map::from_iter([("from_env".to_owned(), name)])))
        }
        Lens::EnvName => env_name(value, along).map_err(wrong),
        Lens::Shown(inner) | Lens::Shared(_, inner) => forward(inner, value, path, along),
        Lens::Adjusted(adjusted) => {
            let made = forward(adjusted.inner, value, path, along)?;
            (adjusted.forward)(made).map_err(wrong)
        }
    }
}

fn object(fields: &[Field], value: &Value, path: &str, along: &mut Forward<'_>) -> Result<Value, FieldError> {
    let wrong = |path: &str, message: String| FieldError {
        path: path.to_owned(),
        message,
    };
    let given = value
        .as_object()
        .ok_or_else(|| wrong(path, "expected an object".to_owned()))?;
    let mut made = Map::new();
    for (name, value) in given {
        let inner = format!("{path}.{name}");
        let Some(field) = fields.iter().find(|field| field.resource == name) else {
            return Err(wrong(&inner, "unknown field".to_owned()));
        };
        if field.metadata.is_empty() {
            continue;
        }
        let value = forward(field.lens, value, &inner, along)?;
        if !insert(&mut made, field.metadata, value) {
            let others: Vec<&str> = fields
                .iter()
                .filter(|other| overlap(other.metadata, field.metadata) && given.contains_key(other.resource))
                .map(|other| other.resource)
                .collect();
            let message = format!("only one of {} may be given", others.join(", "));
            return Err(wrong(path, message));
        }
    }
    Ok(Value::Object(made))
}

/// Whether one key stands at or inside the other.
fn overlap(one: &str, two: &str) -> bool {
    !one.is_empty() && steps(one).zip(steps(two)).all(|(one, two)| one == two)
}

/// Puts a value where the key says; false if something stands there already.
fn insert(object: &mut Map<String, Value>, metadata: &str, value: Value) -> bool {
    let steps: Vec<&str> = steps(metadata).collect();
    let Some((last, before)) = steps.split_last() else {
        return false;
    };
    let mut place = object;
    for step in before {
        let next = place
            .entry((*step).to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
        match next {
            Value::Object(inner) => place = inner,
            _ => return false,
        }
    }
    match place.get(*last) {
        Some(_) => false,
        None => {
            place.insert((*last).to_owned(), value);
            true
        }
    }
}

fn keyed(
    (key, at, lens): (&str, Option<&str>, &Lens),
    value: &Value,
    path: &str,
    along: &mut Forward<'_>,
) -> Result<Value, FieldError> {
    let mut made = Map::new();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let path = format!("{path}[{index}]");
        let wrong = |message: String| FieldError {
            path: path.clone(),
            message,
        };
        let mut item = item
            .as_object()
            .cloned()
            .ok_or_else(|| wrong("expected an object".to_owned()))?;
        let Some(Value::String(name)) = item.shift_remove(key) else {
            return Err(wrong(format!("{key} is missing")));
        };
        let value = match at {
            Some(at) => match item.shift_remove(at) {
                Some(value) => forward(lens, &value, &format!("{path}.{at}"), along)?,
                None => Value::Null,
            },
            None => forward(lens, &Value::Object(item), &path, along)?,
        };
        if made.insert(name.clone(), value).is_some() {
            return Err(wrong(format!("{key} {name:?} stands twice")));
        }
    }
    Ok(Value::Object(made))
}

fn word(words: &[(&str, &str)], value: &Value) -> Option<Value> {
    let given = value.as_str()?;
    let (_, metadata) = words.iter().find(|(resource, _)| *resource == given)?;
    Some(Value::String((*metadata).to_owned()))
}

fn decimal(value: &Value) -> Option<Value> {
    match value {
        Value::Number(_) => Some(value.clone()),
        Value::String(text) => serde_json::from_str::<serde_json::Number>(text)
            .ok()
            .map(Value::Number),
        _ => None,
    }
}

/// The environment variable of `{env}` or `{secretKeyRef}`.
fn env_name(value: &Value, along: &mut Forward<'_>) -> Result<Value, String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let reference = value.get("secretKeyRef");
    match (text(value.get("env")), reference) {
        (Some(name), None) => Ok(Value::String(name)),
        (None, Some(reference)) => {
            let (Some(name), Some(key)) = (text(reference.get("name")), text(reference.get("key"))) else {
                return Err("name and key of the Secret are missing".to_owned());
            };
            let key = SecretKey {
                namespace: along.namespace.to_owned(),
                name,
                key,
            };
            let variable = key.variable();
            along.secrets.push(key);
            Ok(Value::String(variable))
        }
        _ => Err("exactly one of env and secretKeyRef must be given".to_owned()),
    }
}
