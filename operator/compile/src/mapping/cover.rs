//! Which fields and which metadata keys the tables know, and which of them a spec uses.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Field, Lens};

/// The metadata paths that the tables reach, written as in the coverage table.
pub(crate) fn covered(lens: &Lens, prefix: &str, paths: &mut BTreeSet<String>) {
    match lens {
        Lens::Object(fields) => {
            for field in fields.iter().filter(|field| !field.metadata.is_empty()) {
                let path = place(prefix, field);
                let mut whole = String::new();
                for step in path.split('.') {
                    whole.push_str(step.trim_end_matches("[]"));
                    paths.insert(whole.clone());
                    whole.truncate(whole.len() - step.trim_end_matches("[]").len());
                    whole.push_str(step);
                    whole.push('.');
                }
                covered(field.lens, &format!("{path}."), paths);
            }
        }
        Lens::List(inner) => covered(inner, &format!("{}[].", prefix.trim_end_matches('.')), paths),
        Lens::Keyed {
            value: None, lens, ..
        } => covered(lens, &format!("{prefix}*."), paths),
        Lens::Shown(inner) => covered(inner, prefix, paths),
        Lens::Shared(name, inner) => covered(inner, &format!("{name}."), paths),
        Lens::Adjusted(adjusted) => covered(adjusted.covers, prefix, paths),
        _ => {}
    }
}

fn place(prefix: &str, field: &Field) -> String {
    match field.metadata.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{prefix}{}", field.metadata),
    }
}

/// The fields that the tables know: paths below `spec`, lists marked with `[]`.
pub(crate) fn resource_paths(lens: &Lens, prefix: &str, paths: &mut BTreeSet<String>) {
    match lens {
        Lens::Object(fields) => {
            for field in fields.iter().filter(|field| !field.resource.is_empty()) {
                let path = format!("{prefix}.{}", field.resource);
                resource_paths(field.lens, &path, paths);
                paths.insert(path);
            }
        }
        Lens::List(inner) => resource_paths(inner, &format!("{prefix}[]"), paths),
        Lens::Keyed { key, value, lens } => {
            paths.insert(format!("{prefix}[].{key}"));
            match value {
                Some(value) => {
                    let path = format!("{prefix}[].{value}");
                    resource_paths(lens, &path, paths);
                    paths.insert(path);
                }
                None => resource_paths(lens, &format!("{prefix}[]"), paths),
            }
        }
        Lens::FromEnv | Lens::EnvName => {
            for field in [".env", ".secretKeyRef", ".secretKeyRef.name", ".secretKeyRef.key"] {
                paths.insert(format!("{prefix}{field}"));
            }
        }
        Lens::Shown(inner) | Lens::Shared(_, inner) => resource_paths(inner, prefix, paths),
        Lens::Adjusted(adjusted) => resource_paths(adjusted.inner, prefix, paths),
        _ => {}
    }
}

/// Calls `visit` with the coverage path and the field path of everything a spec gives; `visit` answers whether to go
/// further in.
pub(crate) fn used(
    lens: &Lens,
    value: &Value,
    prefix: &str,
    path: &str,
    visit: &mut impl FnMut(&str, &str) -> bool,
) {
    match (lens, value) {
        (Lens::Object(fields), Value::Object(object)) => {
            for (name, value) in object {
                let Some(field) = fields.iter().find(|field| field.resource == name) else {
                    continue;
                };
                if field.metadata.is_empty() {
                    continue;
                }
                let metadata = place(prefix, field);
                let inner = format!("{path}.{name}");
                if visit(metadata.trim_end_matches("[]"), &inner) {
                    used(field.lens, value, &format!("{metadata}."), &inner, visit);
                }
            }
        }
        (Lens::List(inner), Value::Array(items)) => {
            let prefix = format!("{}[].", prefix.trim_end_matches('.'));
            for (index, item) in items.iter().enumerate() {
                used(inner, item, &prefix, &format!("{path}[{index}]"), visit);
            }
        }
        (
            Lens::Keyed {
                value: None, lens, ..
            },
            Value::Array(items),
        ) => {
            for (index, item) in items.iter().enumerate() {
                used(
                    lens,
                    item,
                    &format!("{prefix}*."),
                    &format!("{path}[{index}]"),
                    visit,
                );
            }
        }
        (Lens::Shown(inner), _) => used(inner, value, prefix, path, visit),
        (Lens::Shared(name, inner), _) => used(inner, value, &format!("{name}."), path, visit),
        (Lens::Adjusted(adjusted), _) => used(adjusted.inner, value, prefix, path, visit),
        _ => {}
    }
}

/// Each field below `spec` with the metadata key that its table names.
pub(crate) fn keys(lens: &Lens, prefix: &str, found: &mut Vec<(String, &'static str)>) {
    match lens {
        Lens::Object(fields) => {
            for field in fields.iter().filter(|field| !field.resource.is_empty()) {
                let path = format!("{prefix}.{}", field.resource);
                if !field.metadata.is_empty() {
                    found.push((path.clone(), field.metadata));
                }
                keys(field.lens, &path, found);
            }
        }
        Lens::List(inner) => keys(inner, &format!("{prefix}[]"), found),
        Lens::Keyed {
            value: None, lens, ..
        } => keys(lens, &format!("{prefix}[]"), found),
        Lens::Shown(inner) | Lens::Shared(_, inner) => keys(inner, prefix, found),
        Lens::Adjusted(adjusted) => keys(adjusted.inner, prefix, found),
        _ => {}
    }
}
