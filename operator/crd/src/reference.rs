//! The reference pages of the kinds, made from their definitions and one example each.

use serde_json::Value;

use crate::{Kind, definition};

/// The example of a kind, as YAML of one or several objects.
pub fn example(kind: Kind) -> &'static str {
    match kind {
        Kind::Engine => include_str!("../examples/engine.yaml"),
        Kind::Source => include_str!("../examples/source.yaml"),
        Kind::Table => include_str!("../examples/table.yaml"),
        Kind::Permission => include_str!("../examples/permission.yaml"),
        Kind::Function => include_str!("../examples/function.yaml"),
        Kind::NativeQuery => include_str!("../examples/nativequery.yaml"),
        Kind::LogicalModel => include_str!("../examples/logicalmodel.yaml"),
        Kind::Action => include_str!("../examples/action.yaml"),
        Kind::ActionTypes => include_str!("../examples/actiontypes.yaml"),
        Kind::RemoteSchema => include_str!("../examples/remoteschema.yaml"),
        Kind::RemoteSchemaPermission => include_str!("../examples/remoteschemapermission.yaml"),
        Kind::EventTrigger => include_str!("../examples/eventtrigger.yaml"),
        Kind::CronTrigger => include_str!("../examples/crontrigger.yaml"),
        Kind::InheritedRole => include_str!("../examples/inheritedrole.yaml"),
        Kind::QueryCollection => include_str!("../examples/querycollection.yaml"),
        Kind::RestEndpoint => include_str!("../examples/restendpoint.yaml"),
        Kind::APILimits => include_str!("../examples/apilimits.yaml"),
        Kind::ReferenceGrant => include_str!("../examples/referencegrant.yaml"),
    }
}

/// The page of a kind, as Markdown.
pub fn page(kind: Kind) -> String {
    let definition = definition::definition(kind);
    let names = definition.pointer("/spec/names").cloned().unwrap_or_default();
    let schema = definition::spec_schema(kind);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let short = text(names.pointer("/shortNames/0"));
    let mut page = format!(
        "# {kind}\n\n{}\n\n`apiVersion: {}`, `kind: {kind}`, `kubectl get {}` or `kubectl get {short}`. Generated from \
         `operator/crd`; to write it again: `ROWLOCK_WRITE_CRDS=1 cargo test -p crd`.\n\n## Example\n\n```yaml\n{}```\n\n",
        plain(&text(schema.get("description"))),
        crate::API_VERSION,
        kind.plural(),
        example(kind),
    );
    page.push_str(
        "## Fields of `spec`\n\nFields in bold must be given.\n\n| Field | Type | Meaning |\n|---|---|---|\n",
    );
    rows(&schema, "", &mut page);
    page
}

/// The index of the pages, as Markdown.
pub fn index() -> String {
    let mut page = format!(
        "# Custom resources\n\nThe kinds of `{}`, version `{}`. Generated from `operator/crd`.\n\n| Kind | Short | What it is |\n|---|---|---|\n",
        crate::GROUP,
        crate::VERSION
    );
    for &kind in Kind::ALL {
        let definition = definition::definition(kind);
        let short = definition
            .pointer("/spec/names/shortNames/0")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let description = definition::spec_schema(kind);
        let description = description
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        page.push_str(&format!(
            "| [{kind}]({}.md) | `{short}` | {} |\n",
            kind.plural(),
            plain(description)
        ));
    }
    page
}

/// One row per field, fields inside objects and lists after the field they stand in.
fn rows(schema: &Value, prefix: &str, page: &mut String) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let path = format!("{prefix}{name}");
        let shown = if required.contains(&name.as_str()) {
            format!("**`{path}`**")
        } else {
            format!("`{path}`")
        };
        let description = field
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        page.push_str(&format!(
            "| {shown} | {} | {} |\n",
            type_of(field),
            plain(description)
        ));
        match field.get("items") {
            Some(items) => rows(items, &format!("{path}[]."), page),
            None => rows(field, &format!("{path}."), page),
        }
    }
}

fn type_of(field: &Value) -> String {
    if let Some(words) = field.get("enum").and_then(Value::as_array) {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return words.join(", ");
    }
    if field.get("x-kubernetes-int-or-string").is_some() {
        return "number, as a text if it has a fraction".to_owned();
    }
    match field.get("type").and_then(Value::as_str) {
        Some("string") => "text".to_owned(),
        Some("integer") => "whole number".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("array") => match field.get("items") {
            Some(items) => format!("list of {}", type_of(items)),
            None => "list".to_owned(),
        },
        Some("object") if field.get("additionalProperties").is_some() => "texts by name".to_owned(),
        Some("object") if field.get("x-kubernetes-preserve-unknown-fields").is_some() => {
            "JSON object".to_owned()
        }
        Some("object") => "object".to_owned(),
        _ => "JSON".to_owned(),
    }
}

/// A description on one line of a table.
fn plain(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
