//! Forms that differ in more than names: each as a pair of functions on the metadata form.

use serde_json::{Map, Value, json};

fn text(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

fn remove(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut()?.shift_remove(key)
}

/// `["*"]` in the resource, `"*"` in metadata.
pub(super) fn star_forward(value: Value) -> Result<Value, String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    match list {
        [Value::String(only)] if only == "*" => Ok(text("*")),
        list if list.iter().any(|item| item == "*") => Err("\"*\" stands alone".to_owned()),
        _ => Ok(value),
    }
}

/// The same backward. A column that is called `*` has no form in a resource.
pub(super) fn star_backward(value: &Value) -> Option<Value> {
    match value {
        Value::String(star) if star == "*" => Some(json!(["*"])),
        Value::Array(list) if !list.iter().any(|item| item == "*") => Some(value.clone()),
        _ => None,
    }
}

/// `["IP"]` in the resource, `"IP"` in metadata.
pub(super) fn address_forward(value: Value) -> Result<Value, String> {
    Ok(if value == json!(["IP"]) { text("IP") } else { value })
}

/// The same backward.
pub(super) fn address_backward(value: &Value) -> Option<Value> {
    Some(if value.is_string() {
        json!(["IP"])
    } else {
        value.clone()
    })
}

/// Implicit columns: the key is left out.
pub(super) fn insert_forward(mut value: Value) -> Result<Value, String> {
    let implicit = remove(&mut value, "columns_form").is_some_and(|form| form == "implicit");
    if implicit && let Some(permission) = value.get_mut("permission") {
        match remove(permission, "columns") {
            Some(columns) if columns == "*" => {}
            _ => return Err("columnsForm Implicit goes with columns [\"*\"]".to_owned()),
        }
    }
    Ok(value)
}

/// The same backward.
pub(super) fn insert_backward(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    let permission = value.get_mut("permission")?.as_object_mut()?;
    if permission.get("columns").is_none_or(Value::is_null) {
        permission.insert("columns".to_owned(), text("*"));
        value
            .as_object_mut()?
            .insert("columns_form".to_owned(), text("implicit"));
    }
    Some(value)
}

/// A check that is absent is null, which stands for itself in the resource.
pub(super) fn update_backward(value: &Value) -> Option<Value> {
    let mut value = value.clone();
    value
        .get_mut("permission")?
        .as_object_mut()?
        .entry("check")
        .or_insert(Value::Null);
    Some(value)
}

/// No change forward.
pub(super) fn same(value: Value) -> Result<Value, String> {
    Ok(value)
}

/// A name alone is an object with a name.
pub(super) fn root_field_backward(value: &Value) -> Option<Value> {
    match value {
        Value::String(name) => Some(object([("name", text(name))])),
        Value::Object(_) => Some(value.clone()),
        _ => None,
    }
}

/// A relationship to one row has one of its forms.
pub(super) fn object_relationship_forward(value: Value) -> Result<Value, String> {
    of_one_form(value, "foreignKey, remoteForeignKey and manual")
}

/// A relationship to many rows has one of its forms.
pub(super) fn array_relationship_forward(value: Value) -> Result<Value, String> {
    of_one_form(value, "remoteForeignKey and manual")
}

fn of_one_form(value: Value, forms: &str) -> Result<Value, String> {
    let using = value.get("using").and_then(Value::as_object);
    if using.is_some_and(|using| using.len() == 1) {
        Ok(value)
    } else {
        Err(format!("exactly one of {forms} must be given"))
    }
}

/// An event trigger says when it is called.
pub(super) fn event_trigger_forward(value: Value) -> Result<Value, String> {
    match value.get("definition") {
        Some(_) => Ok(value),
        None => Err("at least one of insert, update, delete and enableManual must be given".to_owned()),
    }
}

/// `{columns}` of this table: a list in metadata.
pub(super) fn foreign_key_forward(mut value: Value) -> Result<Value, String> {
    remove(&mut value, "columns").ok_or_else(|| "columns are missing".to_owned())
}

/// The same backward; one column is a text there.
pub(super) fn foreign_key_backward(value: &Value) -> Option<Value> {
    match value {
        Value::String(column) => Some(object([("columns", json!([column]))])),
        Value::Array(_) => Some(object([("columns", value.clone())])),
        _ => None,
    }
}

/// `{table, columns}` of another table; one column is `column` in metadata.
pub(super) fn remote_key_backward(value: &Value) -> Option<Value> {
    let mut value = value.as_object()?.clone();
    if let Some(column) = value.shift_remove("column") {
        let columns = if column.is_array() {
            column
        } else {
            Value::Array(vec![column])
        };
        value.insert("columns".to_owned(), columns);
    }
    Some(Value::Object(value))
}

/// Only the older form of a relationship to a remote schema.
pub(super) fn legacy_backward(value: &Value) -> Option<Value> {
    value.get("remote_schema")?;
    Some(value.clone())
}

/// Calls in a list, nested in metadata.
pub(super) fn calls_forward(value: Value) -> Result<Value, String> {
    let Value::Array(calls) = value else {
        return Err("expected a list".to_owned());
    };
    let mut nested = None;
    for mut call in calls.into_iter().rev() {
        let mut inner = Map::new();
        let arguments = remove(&mut call, "arguments");
        inner.insert("arguments".to_owned(), arguments.unwrap_or_else(|| json!({})));
        if let Some(field) = nested.take() {
            inner.insert("field".to_owned(), field);
        }
        let name = call.get("field").and_then(Value::as_str).unwrap_or_default();
        nested = Some(object([(name, Value::Object(inner))]));
    }
    nested.ok_or_else(|| "at least one field is needed".to_owned())
}

/// The same backward, without recursion.
pub(super) fn calls_backward(value: &Value) -> Option<Value> {
    let mut calls = Vec::new();
    let mut level = Some(value);
    while let Some(value) = level {
        let (name, call) = value.as_object()?.iter().next()?;
        calls.push(object([
            ("field", text(name)),
            (
                "arguments",
                call.get("arguments").cloned().unwrap_or_else(|| json!({})),
            ),
        ]));
        level = call.get("field").filter(|field| !field.is_null());
    }
    Some(Value::Array(calls))
}

/// A transform of version 1 has its body as a text.
pub(super) fn transform_forward(mut value: Value) -> Result<Value, String> {
    if let Some(body) = value.get("body") {
        for (field, key, action, word) in [
            ("template", "template", "transform", "Transform"),
            (
                "formTemplate",
                "form_template",
                "x_www_form_urlencoded",
                "FormUrlEncoded",
            ),
        ] {
            if body.get(key).is_some() != (body.get("action") == Some(&text(action))) {
                return Err(format!("{field} of the body is given exactly with action {word}"));
            }
        }
    }
    if value.get("version").is_none_or(|version| version == 1)
        && let Some(body) = value.get_mut("body")
    {
        if body.get("action") != Some(&text("transform")) {
            return Err("a body that is not a template needs version 2".to_owned());
        }
        let template = remove(body, "template");
        *body = template.unwrap_or_default();
    }
    Ok(value)
}

/// The same backward.
pub(super) fn transform_backward(value: &Value) -> Option<Value> {
    let mut value = value.as_object()?.clone();
    if let Some(Value::String(template)) = value.get("body") {
        let body = object([("action", text("transform")), ("template", text(template))]);
        value.insert("body".to_owned(), body);
    }
    Some(Value::Object(value))
}

/// `{template}` or `{pairs}`: a text or an object in metadata.
pub(super) fn either_forward(value: Value) -> Result<Value, String> {
    let Value::Object(fields) = value else {
        return Err("expected an object".to_owned());
    };
    let mut fields = fields.into_iter();
    match (fields.next(), fields.next()) {
        (Some((_, value)), None) => Ok(value),
        _ => Err("exactly one of its fields must be given".to_owned()),
    }
}

/// The query string backward.
pub(super) fn query_params_backward(value: &Value) -> Option<Value> {
    Some(match value {
        Value::String(_) => object([("template", value.clone())]),
        _ => object([("pairs", value.clone())]),
    })
}

/// What a native query returns, backward.
pub(super) fn returns_backward(value: &Value) -> Option<Value> {
    Some(match value {
        Value::String(_) => object([("named", value.clone())]),
        _ => object([("inline", value.clone())]),
    })
}

/// `arrays` around a type: nested in metadata.
pub(super) fn type_forward(mut value: Value) -> Result<Value, String> {
    let arrays = remove(&mut value, "arrays");
    for level in arrays
        .as_ref()
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .rev()
    {
        let nullable = level.get("nullable").cloned().unwrap_or(Value::Bool(false));
        value = object([("array", value), ("nullable", nullable)]);
    }
    Ok(value)
}

/// The same backward, without recursion.
pub(super) fn type_backward(value: &Value) -> Option<Value> {
    let mut arrays = Vec::new();
    let mut level = value;
    while let Some(inner) = level.get("array") {
        let nullable = level.get("nullable").cloned().unwrap_or(Value::Bool(false));
        arrays.push(object([("nullable", nullable)]));
        level = inner;
    }
    let mut made = level.as_object()?.clone();
    if !arrays.is_empty() {
        made.insert("arrays".to_owned(), Value::Array(arrays));
    }
    Some(Value::Object(made))
}

/// The scope of the allow list is a switch in metadata.
pub(super) fn scope_forward(mut value: Value) -> Result<Value, String> {
    if let Some(global) = value.get_mut("global") {
        *global = Value::Bool(global == "global");
    }
    Ok(value)
}

/// The same backward.
pub(super) fn scope_backward(value: &Value) -> Option<Value> {
    let mut value = value.as_object()?.clone();
    let global = value.get("global").and_then(Value::as_bool)?;
    value.insert("global".to_owned(), text(if global { "global" } else { "roles" }));
    Some(Value::Object(value))
}

/// A source that is not Postgres has its other keys beside `name` and `kind`.
pub(super) fn source_forward(mut value: Value) -> Result<Value, String> {
    let Some(mut other) = remove(&mut value, "other_kind") else {
        return match value.pointer("/configuration/connection_info") {
            Some(_) => Ok(value),
            None => Err("exactly one of connection and otherKind must be given".to_owned()),
        };
    };
    let kind = remove(&mut other, "name").unwrap_or_default();
    if matches!(kind.as_str(), Some("postgres" | "pg")) {
        return Err("otherKind is for sources that are not Postgres; use connection".to_owned());
    }
    let name = remove(&mut value, "name").unwrap_or_default();
    if value.as_object().is_some_and(|rest| !rest.is_empty()) {
        return Err("next to otherKind only name and onInvalid may be given".to_owned());
    }
    let mut made = Map::from_iter([("name".to_owned(), name), ("kind".to_owned(), kind)]);
    for (key, value) in remove(&mut other, "definition")
        .and_then(|value| value.as_object().cloned())
        .unwrap_or_default()
    {
        made.entry(key).or_insert(value);
    }
    Ok(Value::Object(made))
}

/// The same backward; tables and what else has a kind of its own is left out.
pub(super) fn source_backward(value: &Value) -> Option<Value> {
    let mut value = value.as_object()?.clone();
    let kind = value.shift_remove("kind").unwrap_or_else(|| text("postgres"));
    if kind == "postgres" {
        value.shift_remove("tables");
        return Some(Value::Object(value));
    }
    let name = value.shift_remove("name")?;
    let mut other = Map::from_iter([("name".to_owned(), kind)]);
    if !value.is_empty() {
        other.insert("definition".to_owned(), Value::Object(value));
    }
    Some(object([("name", name), ("other_kind", Value::Object(other))]))
}

/// Cron triggers that say nothing are part of the metadata.
pub(super) fn cron_forward(mut value: Value) -> Result<Value, String> {
    if let Some(trigger) = value.as_object_mut() {
        trigger.entry("include_in_metadata").or_insert(Value::Bool(true));
    }
    Ok(value)
}

/// No change backward.
pub(super) fn keep(value: &Value) -> Option<Value> {
    Some(value.clone())
}

/// What a role reads of a logical model stands beside the role in metadata.
pub(super) fn model_permission_forward(mut value: Value) -> Result<Value, String> {
    let select = remove(&mut value, "select");
    if let (Some(entry), Some(Value::Object(select))) = (value.as_object_mut(), select) {
        entry.extend(select);
    }
    Ok(value)
}

/// The same backward.
pub(super) fn model_permission_backward(value: &Value) -> Option<Value> {
    let mut select = value.as_object()?.clone();
    let role = select.shift_remove("role")?;
    Some(object([("role", role), ("select", Value::Object(select))]))
}
