//! Values of Secrets: from manifests beside the custom resources, and from files that are named on the command line.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use compile::{Compiled, SecretKey};
use crd::Kind;
use serde_json::Value;

use super::NAMESPACE;
use super::verdict::Finding;
use crate::settings::SecretFile;

/// Namespace and name.
pub(super) type SecretName = (String, String);

/// What a key of a Secret holds.
#[derive(Debug)]
pub(super) enum Held {
    /// A text.
    Text(String),
    /// Bytes that are not UTF-8: no variable can hold them.
    Bytes,
}

/// What a Secret holds, by key.
pub(super) type Values = BTreeMap<String, Held>;

/// Reads a manifest of a Secret. Keys that hold no text (a key store, say) are no fault of the others.
///
/// # Errors
/// What is wrong with it; never a value.
pub(super) fn of_manifest(value: &Value, namespace: &str) -> Result<(SecretName, Values), String> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let name = text("/metadata/name").ok_or("metadata.name is missing")?;
    let namespace = text("/metadata/namespace").unwrap_or(namespace);
    let entries = |section: &str| {
        value
            .get(section)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    let mut values = BTreeMap::new();
    for (key, value) in entries("data") {
        let decoded = value.as_str().and_then(base64);
        let bytes = decoded.ok_or_else(|| format!("data.{key} of the Secret {name} is not base64"))?;
        values.insert(
            key.clone(),
            String::from_utf8(bytes).map_or(Held::Bytes, Held::Text),
        );
    }
    for (key, value) in entries("stringData") {
        let text = value
            .as_str()
            .ok_or_else(|| format!("stringData.{key} of the Secret {name} is not a text"))?;
        values.insert(key.clone(), Held::Text(text.to_owned()));
    }
    Ok(((namespace.to_owned(), name.to_owned()), values))
}

/// Adds what files of the command line hold, which win over manifests.
///
/// # Errors
/// Such a file cannot be read.
pub(super) fn add_files(
    secrets: &mut BTreeMap<SecretName, Values>,
    files: &[SecretFile],
) -> Result<(), String> {
    for SecretFile { name, file } in files {
        let (namespace, name) = name.split_once('/').unwrap_or((NAMESPACE, name));
        let values = of_file(file).map_err(|message| format!("{}: {message}", file.display()))?;
        secrets.insert((namespace.to_owned(), name.to_owned()), values);
    }
    Ok(())
}

/// The variables that a document needs.
pub(super) fn variables(
    secrets: &BTreeMap<SecretName, Values>,
    compiled: &Compiled,
    findings: &mut Vec<Finding>,
) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    // What only the engine's settings name is the command line's business here.
    let wanted = compiled
        .published
        .iter()
        .filter(|entry| entry.object.kind != Kind::Engine)
        .flat_map(|entry| entry.secrets.iter().map(move |secret| (&entry.object, secret)));
    for (object, secret) in wanted {
        match value(secrets, secret) {
            Some(Held::Text(text)) => drop(variables.insert(secret.variable(), text.clone())),
            Some(Held::Bytes) => findings.push(Finding::of_bytes(object, secret)),
            None => findings.push(Finding::of_secret(object, secret)),
        }
    }
    variables
}

fn value<'s>(secrets: &'s BTreeMap<SecretName, Values>, key: &SecretKey) -> Option<&'s Held> {
    secrets
        .get(&(key.namespace.clone(), key.name.clone()))?
        .get(&key.key)
}

/// A manifest, or lines of `KEY=VALUE`.
fn of_file(file: &Path) -> Result<Values, String> {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let name = file
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let manifest = metadata::directory::read_yaml(name, &text);
    if let Ok(value) = &manifest
        && value.get("kind").and_then(Value::as_str) == Some("Secret")
    {
        return of_manifest(value, NAMESPACE).map(|(_, values)| values);
    }
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            line.split_once('=')
                .map(|(key, value)| (key.trim().to_owned(), Held::Text(value.to_owned())))
                .ok_or_else(|| "neither a manifest of a Secret nor lines of KEY=VALUE".to_owned())
        })
        .collect()
}

/// Decodes base64 (RFC 4648, with padding; white space is passed over).
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_and_nonsense_refused() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9v\nYmFy", "foobar"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        for text in ["Zg", "Zg=", "Z===", "Zg==Zg==", "Zm9*"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
