//! `rowlock import`: a document becomes files of custom resources.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::ArgMatches;
use compile::Imported;
use metadata::Document;
use serde_json::Value;

use super::password::in_clear;
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
    verify(&document, &imported, namespace.unwrap_or(NAMESPACE))?;
    let passwords = in_clear(&imported.objects);
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
    // They are carried: the exit status is about what is not.
    for password in passwords {
        let _ = writeln!(std::io::stderr(), "{password}");
    }
    Ok(told(&imported.not_carried))
}

/// Nothing is written over: a folder must be empty, or not be there.
pub(super) fn refuse_files(folder: &Path) -> Result<(), Error> {
    let first = std::fs::read_dir(folder).and_then(|mut entries| entries.next().transpose());
    match first {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Error::NotEmpty(folder.to_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Folder {
            path: folder.to_owned(),
            source,
        }),
    }
}

/// What was made gives the document again, to the byte, unless something of it is told to be in no object.
fn verify(document: &Document, imported: &Imported, namespace: &str) -> Result<(), Error> {
    if imported.is_whole
        && let Some(path) = compile::loss(document, &imported.objects, namespace)
    {
        return Err(Error::Lossy(path));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// An object that nobody may have as it is hides nothing that others lose.
    #[test]
    fn a_variable_that_holds_a_secret_ends_no_comparison() {
        let headers = json!([{"name": "x-key", "value_from_env": "HASURA_GRAPHQL_ADMIN_SECRET"}]);
        let document = json!({"version": 3, "sources": [], "remote_schemas": [
            {"name": "guarded", "definition": {"url": "http://r", "headers": headers}},
            {"name": "other", "definition": {"url": "http://other", "timeout_seconds": 5}},
        ]});
        let (document, _) = Document::parse(&document).expect("a document");
        let mut imported = compile::import(&document, NAMESPACE, "rowlock");
        assert_eq!(imported.not_carried.len(), 1, "{:?}", imported.not_carried);
        assert!(verify(&document, &imported, NAMESPACE).is_ok());
        for (name, place) in [
            ("other", "$.remote_schemas[1].definition.url"),
            ("guarded", "$.remote_schemas[0].definition.url"),
        ] {
            let before = imported.objects.clone();
            let mut objects = imported.objects.iter_mut();
            let object = objects.find(|object| object["metadata"]["name"] == name);
            object.expect("it is there")["spec"]["url"] = "http://else".into();
            let lossy = verify(&document, &imported, NAMESPACE).expect_err("it differs");
            assert!(lossy.to_string().contains(place), "{lossy}");
            imported.objects = before;
        }
    }
}
