//! From metadata to a resource.

use serde_json::{Map, Value};

use super::{Field, Lens, exact, steps};

/// The resource form of `value`, which stands at the metadata path `path`; nothing when it has a form that another
/// field reads. Paths that no field reads go to `left`. Recurses as deep as the tables nest.
pub(crate) fn backward(lens: &Lens, value: &Value, path: &str, left: &mut Vec<String>) -> Option<Value> {
    if value.is_null() && !matches!(lens, Lens::NullableJson) {
        return None;
    }
    match lens {
        Lens::Same => Some(value.clone()),
        Lens::Text => value.is_string().then(|| value.clone()),
        Lens::Json | Lens::NullableJson => Some(exact::encode(value)),
        Lens::Decimal => Some(match value {
            Value::Number(number)
                if number
                    .as_i64()
                    .is_some_and(|whole| whole.to_string() == number.to_string()) =>
            {
                value.clone()
            }
            Value::Number(number) => Value::String(number.to_string()),
            other => other.clone(),
        }),
        Lens::Words(words) => {
            let given = value.as_str()?;
            let (resource, _) = words.iter().find(|(_, metadata)| *metadata == given)?;
            Some(Value::String((*resource).to_owned()))
        }
        Lens::Object(fields) => object(fields, value, path, left),
        Lens::List(inner) => {
            let items = value.as_array()?.iter().enumerate();
            let items =
                items.filter_map(|(index, item)| backward(inner, item, &format!("{path}[{index}]"), left));
            Some(Value::Array(items.collect()))
        }
        Lens::Keyed { key, value: at, lens } => {
            let items = value.as_object()?.iter().map(|(name, value)| {
                let mut item = Map::from_iter([((*key).to_owned(), Value::String(name.clone()))]);
                let made = backward(lens, value, &format!("{path}.{name}"), left);
                match (at, made) {
                    (Some(at), Some(made)) => {
                        item.insert((*at).to_owned(), made);
                    }
                    (None, Some(Value::Object(made))) => item.extend(made),
                    _ => {}
                }
                Value::Object(item)
            });
            Some(Value::Array(items.collect()))
        }
        Lens::FromEnv => {
            let object = value.as_object().filter(|object| object.len() == 1)?;
            Some(env(object.get("from_env")?.as_str()?))
        }
        Lens::EnvName => value.as_str().map(env),
        Lens::Shown(inner) | Lens::Shared(_, inner) => backward(inner, value, path, left),
        Lens::Adjusted(adjusted) => {
            let value = (adjusted.backward)(value)?;
            backward(adjusted.inner, &value, path, left)
        }
    }
}

fn env(name: &str) -> Value {
    Value::Object(Map::from_iter([(
        "env".to_owned(),
        Value::String(name.to_owned()),
    )]))
}

fn object(fields: &[Field], value: &Value, path: &str, left: &mut Vec<String>) -> Option<Value> {
    let mut rest = value.as_object()?.clone();
    let mut made = Map::new();
    for field in fields.iter().filter(|field| !field.metadata.is_empty()) {
        let steps: Vec<&str> = steps(field.metadata).collect();
        let Some(value) = steps.iter().try_fold(value, |value, step| value.get(step)) else {
            continue;
        };
        let says_nothing = value.is_null() && !matches!(field.lens, Lens::NullableJson);
        if field.resource.is_empty() || says_nothing {
            take(&mut rest, &steps);
            continue;
        }
        if let Lens::Shown(_) = field.lens
            && is_empty(value)
        {
            take(&mut rest, &steps);
            continue;
        }
        let inner = format!("{path}.{}", steps.join("."));
        if let Some(value) = backward(field.lens, value, &inner, left) {
            take(&mut rest, &steps);
            made.insert(field.resource.to_owned(), value);
        }
    }
    leftovers(&Value::Object(rest), path, left);
    Some(Value::Object(made))
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Removes what stands at the steps, and the objects that this empties.
fn take(object: &mut Map<String, Value>, steps: &[&str]) {
    match steps {
        [] => {}
        [last] => {
            object.shift_remove(*last);
        }
        [first, rest @ ..] => {
            if let Some(Value::Object(inner)) = object.get_mut(*first) {
                take(inner, rest);
                if inner.is_empty() {
                    object.shift_remove(*first);
                }
            }
        }
    }
}

/// What is left. A null there is one of an unknown key: it is in the document, which is compared to the byte.
fn leftovers(value: &Value, path: &str, left: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let path = format!("{path}.{key}");
                match value {
                    Value::Object(inner) if inner.is_empty() => left.push(path),
                    _ => leftovers(value, &path, left),
                }
            }
        }
        _ => left.push(path.to_owned()),
    }
}
