//! `rowlock import`: a document becomes files of custom resources.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use compile::{LastAccepted, Object, Snapshot, compile};
use metadata::Document;
use serde_json::Value;

use super::{Error, fetch, text, told};

/// The namespace that stands in for none while the result is verified.
const NAMESPACE: &str = crate::directory::NAMESPACE;

/// Runs the command.
///
/// # Errors
/// Nothing was written, or not all files could be.
pub fn import(matches: &ArgMatches) -> Result<ExitCode, Error> {
    let out = Path::new(text(matches, "out").unwrap_or_default());
    refuse_files(out)?;
    let from = text(matches, "metadata").unwrap_or_default();
    let document = fetch::document(from, text(matches, "admin-secret"))?;
    let namespace = text(matches, "namespace");
    let imported = compile::import(
        &document,
        namespace.unwrap_or(NAMESPACE),
        text(matches, "engine").unwrap_or_default(),
    );
    if imported.not_carried.is_empty() {
        verify(&document, &imported.objects)?;
    }
    let files = files(imported.objects, namespace.is_some())?;
    for (name, content) in &files {
        write(&out.join(name), content)?;
    }
    let _ = writeln!(
        std::io::stderr(),
        "{} files in {}, {} things not carried",
        files.len(),
        out.display(),
        imported.not_carried.len()
    );
    Ok(told(&imported.not_carried))
}

pub(super) fn refuse_files(folder: &Path) -> Result<(), Error> {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_empty {
        Ok(())
    } else {
        Err(Error::NotEmpty(folder.to_owned()))
    }
}

/// What was made gives the document again, to the byte.
fn verify(document: &Document, objects: &[Value]) -> Result<(), Error> {
    let objects: Result<Vec<Object>, _> = objects
        .iter()
        .map(|object| Object::from_json(object, NAMESPACE))
        .collect();
    let snapshot = Snapshot::new(objects.map_err(|_| Error::Lossy)?);
    let compiled = compile(&snapshot, &LastAccepted::nothing());
    if compiled.document.to_text() == document.to_text() {
        Ok(())
    } else {
        Err(Error::Lossy)
    }
}

/// A file for each object, but what belongs to a table or a remote schema stands with it.
fn files(objects: Vec<Value>, with_namespace: bool) -> Result<BTreeMap<String, String>, Error> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for mut object in objects {
        if !with_namespace && let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            metadata.shift_remove("namespace");
        }
        let (kind, name) = (of(&object, "/kind"), of(&object, "/metadata/name"));
        let (kind, name) = match kind.as_str() {
            "Permission" | "EventTrigger" => ("Table".to_owned(), of(&object, "/spec/tableRef/name")),
            "RemoteSchemaPermission" => (
                "RemoteSchema".to_owned(),
                of(&object, "/spec/remoteSchemaRef/name"),
            ),
            _ => (kind, name),
        };
        let folder = crd::Kind::named(&kind).map_or("other", crd::Kind::plural);
        let path = format!("{folder}/{name}.yaml");
        let text = metadata::directory::write_yaml(&path, &object).map_err(|source| Error::Yaml {
            what: format!("{kind} {name}"),
            source,
        })?;
        let file = files.entry(path).or_default();
        if !file.is_empty() {
            file.push_str("---\n");
        }
        file.push_str(&text);
    }
    Ok(files)
}

fn of(object: &Value, pointer: &str) -> String {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Writes a file and the folders it is in.
pub(super) fn write(path: &Path, content: &str) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, content).map_err(failed)
}
