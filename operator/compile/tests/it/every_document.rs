//! Every metadata document in the repository becomes custom resources and the same document again: those in files, those that
//! stand in the text of tests and pages, metadata directories, and what every file of custom resources compiles to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use compile::{Imported, LastAccepted, Object, Snapshot, compile, export, import, loss};
use metadata::{AnyDocument, Document};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::round_trip::objects;

/// Begins variables that stand for keys of Secrets.
const SECRET: &str = "ROWLOCK_SECRET_";

/// Where a document is, for people.
type Place = String;

/// Documents, by where they were found.
#[derive(Default)]
struct Found {
    files: Vec<(Place, Value)>,
    directories: Vec<(Place, Value)>,
    texts: Vec<(Place, Value)>,
    compiled: Vec<(Place, Value)>,
}

fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().expect("the repository")
}

/// All files but hidden ones and build results, in order.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') || name == "target" || name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}

impl Found {
    fn everywhere() -> Self {
        let mut found = Self::default();
        let mut paths = Vec::new();
        walk(&repository(), &mut paths);
        for path in &paths {
            let place = path
                .strip_prefix(repository())
                .unwrap_or(path)
                .display()
                .to_string();
            if path.file_name().is_some_and(|name| name == "version.yaml") {
                let folder = path.parent().expect("a folder");
                let files = metadata::directory::walk(folder).expect("files");
                let document = metadata::directory::from_files(&files)
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                found.directories.push((place, document));
                continue;
            }
            let Ok(text) = fs::read_to_string(path) else {
                continue;
            };
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("json") => {
                    if let Ok(value) = serde_json::from_str(&text) {
                        documents_in(&value, &place, &mut found.files);
                    }
                }
                // Not what charts and metadata directories are made of.
                Some("yaml" | "yml") => found.of_yaml(&text, &place),
                Some("rs" | "md" | "py" | "sh") | None => found.of_text(&text, &place),
                _ => {}
            }
        }
        found
    }

    /// Documents of a YAML stream, and what its custom resources compile to.
    fn of_yaml(&mut self, text: &str, place: &str) {
        let values: Result<Vec<Value>, _> = serde_norway::Deserializer::from_str(text)
            .map(Value::deserialize)
            .collect();
        let Ok(values) = values else { return };
        let mut resources = Vec::new();
        for value in values {
            documents_in(&value, place, &mut self.files);
            let is_ours = value["apiVersion"] == crd::API_VERSION && value["kind"] != "ReferenceGrant";
            if let (true, Ok(object)) = (is_ours, Object::from_json(&value, "shop")) {
                resources.push(object);
            }
        }
        if !resources.is_empty() {
            let compiled = compile(&Snapshot::new(resources), &LastAccepted::nothing());
            self.compiled
                .push((place.to_owned(), compiled.document.to_json()));
        }
    }

    /// Documents that stand in a text as JSON, or as arguments of `json!` that are nothing but JSON.
    fn of_text(&mut self, text: &str, place: &str) {
        let mut passed = 0;
        for (at, _) in text.match_indices('{') {
            if at < passed {
                continue;
            }
            let rest = &text[at..];
            let first = rest[1..].trim_start();
            if ![
                "\"version\"",
                "\"sources\"",
                "\"tables\"",
                "\"metadata\"",
                "\"resource_version\"",
            ]
            .iter()
            .any(|key| first.starts_with(key))
            {
                continue;
            }
            let Some(json) = json_at(rest) else { continue };
            let line = text[..at].matches('\n').count() + 1;
            let before = self.texts.len();
            documents_in(&json.0, &format!("{place}:{line}"), &mut self.texts);
            if self.texts.len() > before {
                passed = at + json.1;
            }
        }
    }
}

/// Whether a value is a whole document.
fn is_document(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some_and(Value::is_array);
    match value["version"].as_u64() {
        Some(3) => has("sources"),
        Some(1 | 2) => has("tables"),
        _ => false,
    }
}

fn documents_in(value: &Value, place: &str, found: &mut Vec<(Place, Value)>) {
    if is_document(value) {
        found.push((place.to_owned(), value.clone()));
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| documents_in(item, place, found)),
        Value::Object(object) => object.values().for_each(|item| documents_in(item, place, found)),
        _ => {}
    }
}

/// The JSON at the beginning of a text, with commas after the last of a list and comments taken out, and its length.
fn json_at(text: &str) -> Option<(Value, usize)> {
    let bytes = text.as_bytes();
    let mut clean = Vec::new();
    let (mut depth, mut inside, mut at) = (0_usize, false, 0);
    while let Some(&byte) = bytes.get(at) {
        if inside {
            clean.push(byte);
            if byte == b'\\' {
                at += 1;
                clean.extend(bytes.get(at));
            }
            inside = byte != b'"';
        } else if bytes[at..].starts_with(b"//") {
            at += bytes[at..].iter().position(|byte| *byte == b'\n')?;
        } else {
            match byte {
                b'"' => inside = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    let end = clean.iter().rposition(|byte: &u8| !byte.is_ascii_whitespace())?;
                    if clean[end] == b',' {
                        clean.truncate(end);
                    }
                }
                _ => {}
            }
            clean.push(byte);
            if depth == 0 {
                return Some((serde_json::from_slice(&clean).ok()?, at + 1));
            }
        }
        at += 1;
    }
    None
}

/// A document of any version, or why it is none.
fn parse(value: &Value) -> Result<Document, String> {
    let (document, _) = AnyDocument::parse(value).map_err(|error| format!("{}: {error}", error.path))?;
    match document {
        AnyDocument::Sources(document) => Ok(*document),
        AnyDocument::Sourceless(document) => {
            let current = json!({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": [],
                "configuration": {"connection_info": {"database_url": "x"}}}]});
            let (current, _) = Document::parse(&current).map_err(|error| error.to_string())?;
            document.apply_to(&current).map_err(|error| error.to_string())
        }
    }
}

/// Keys by which an entry of a list is the same one.
const NAMES: &[&str] = &[
    "name",
    "table",
    "function",
    "role",
    "collection",
    "role_name",
    "root_field_name",
    "type_name",
];

fn name_of(value: &Value) -> Option<&Value> {
    NAMES.iter().find_map(|key| value.get(key))
}

/// What `whole` has and `part` lacks, as paths; nothing may be in `part` alone.
fn lacking(whole: &Value, part: &Value, path: &str, found: &mut Vec<String>) {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            for key in part.keys() {
                assert!(whole.contains_key(key), "{path}.{key} was made up");
            }
            for (key, value) in whole {
                let path = format!("{path}.{key}");
                match part.get(key) {
                    Some(other) => lacking(value, other, &path, found),
                    None => below(value, &path, found),
                }
            }
        }
        (Value::Array(whole), Value::Array(part)) => {
            let mut rest = part.iter().peekable();
            for (position, value) in whole.iter().enumerate() {
                let name = name_of(value);
                let path = match name {
                    Some(Value::String(name)) => format!("{path}.{name}"),
                    Some(name) => format!("{path}.{}", name["name"].as_str().unwrap_or_default()),
                    None => format!("{path}[{position}]"),
                };
                let same = |other: &&Value| match name {
                    Some(name) => name_of(other) == Some(name),
                    None => *other == value,
                };
                match rest.next_if(same) {
                    Some(other) => lacking(value, other, &path, found),
                    None => found.push(path),
                }
            }
            assert_eq!(rest.next(), None, "{path} has more");
        }
        (whole, part) => assert_eq!(whole, part, "{path} is another"),
    }
}

/// Of a key that is gone, what is below it.
fn below(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) if !items.is_empty() => lacking(value, &json!([]), path, found),
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                below(value, &format!("{path}.{key}"), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

/// Imports a document, compiles and exports it. What was not carried must be told, by name, and nothing else; gives that.
#[track_caller]
fn prove(place: &str, document: &Document) -> Vec<String> {
    let imported: Imported = import(document, "imported", "rowlock");
    let snapshot = Snapshot::new(objects(&imported));
    let compiled = compile(&snapshot, &LastAccepted::nothing());
    let exported = export(&snapshot);
    assert_eq!(
        exported.document.to_text(),
        compiled.document.to_text(),
        "{place}"
    );
    if imported.is_whole {
        assert_eq!(loss(document, &imported.objects, "imported"), None, "{place}");
    }
    let told: Vec<String> = imported.not_carried.into_iter().map(|left| left.path).collect();
    if told.is_empty() {
        for verdict in &compiled.verdicts {
            assert_eq!(verdict.refusal, None, "{place}: {}", verdict.object);
        }
        assert_eq!(exported.not_carried, [], "{place}");
        assert_eq!(compiled.document.to_text(), document.to_text(), "{place}");
        return told;
    }
    let mut found = Vec::new();
    lacking(
        &document.to_json(),
        &compiled.document.to_json(),
        place,
        &mut found,
    );
    let last = |path: &str| path.rsplit(['.', ']']).next().unwrap_or_default().to_owned();
    let lost: BTreeSet<String> = found.iter().map(|path| last(path)).collect();
    for name in &lost {
        assert!(
            told.iter().any(|path| path.contains(name)),
            "{place}: {name} is lost, told are {told:?}"
        );
    }
    // An Engine is written as it is, with the variable that is told of.
    for path in told.iter().filter(|path| !path.starts_with("metadata: spec.")) {
        assert!(
            lost.iter().any(|name| path.contains(name)),
            "{place}: {path} is told, lost are {lost:?}"
        );
    }
    told
}

/// Proves a document; where variables stand for keys of Secrets in it, those are told, and nothing else of it is lost.
fn prove_all(place: &str, document: &Document) -> Vec<String> {
    let text = document.to_text();
    let told = prove(place, document);
    if !text.contains(SECRET) {
        return told;
    }
    assert!(
        told.iter().any(|path| path.ends_with(".env")),
        "{place}: {told:?}"
    );
    let value = serde_json::from_str(&text.replace(SECRET, "SHOP_")).expect("JSON");
    prove(place, &parse(&value).expect("a document"))
}

#[test]
fn every_one_becomes_resources_and_itself_again() {
    let found = Found::everywhere();
    let counts = [&found.files, &found.directories, &found.texts, &found.compiled].map(Vec::len);
    // Where these are fewer, the walk passes over some.
    let least = [30, 3, 20, 70];
    assert!(
        counts.iter().zip(least).all(|(count, least)| *count >= least),
        "{counts:?}"
    );
    let mut told = Vec::new();
    let mut broken = 0;
    let data = found
        .files
        .iter()
        .chain(&found.directories)
        .chain(&found.compiled);
    for (place, value) in data.chain(&found.texts) {
        match parse(value) {
            Ok(document) => told.push((
                place.split(".rs:").next().unwrap_or_default(),
                prove_all(place, &document),
            )),
            Err(error) => {
                // Tests have some that are to be refused.
                assert!(
                    place.contains(".rs:") && error.starts_with('$'),
                    "{place}: {error}"
                );
                broken += 1;
            }
        }
    }
    assert!(broken * 4 < counts[2], "{broken} of {counts:?} are none");
    // Documents of tests of other things are proven too, but may be as they are.
    told.retain(|(place, told)| !told.is_empty() && Path::new(place).extension().is_some());
    told.sort();
    let expected: [(&str, &[&str]); 3] = [
        ("engine/metadata/tests/it/full.json", &["allowlist.internal"]),
        (
            "operator/compile/cases/mention-deleted.out.yaml",
            &[
                "Table default.public.album: remote relationship old",
                "Table default.public.album: remote relationship parcel",
            ],
        ),
        (
            "operator/compile/tests/every-section/version.yaml",
            &["EventTrigger default.public.customer.customer-older-form.request_transform.content_type"],
        ),
    ];
    assert_eq!(
        told,
        expected.map(|(place, paths)| (place, paths.iter().map(|path| (*path).to_owned()).collect()))
    );
}

/// What the `hasura` command line exports with every section in use: all that is in the directory is in the document.
#[test]
fn a_directory_with_every_section() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/every-section");
    let files = metadata::directory::walk(&folder).expect("a directory");
    let value = metadata::directory::from_files(&files).expect("a document");
    let (document, _) = Document::parse(&value).unwrap_or_else(|error| panic!("{}: {error}", error.path));
    // Every key of a document that is known, but for one that is printed by another name.
    let text = document.to_text();
    let unused: Vec<String> = metadata::coverage::known_paths()
        .into_iter()
        .filter(|path| {
            let last = path
                .rsplit(['.', '/'])
                .next()
                .unwrap_or_default()
                .trim_end_matches("[]");
            last != "*" && !text.contains(&format!("\"{last}\":"))
        })
        .collect();
    assert_eq!(unused, ["<manual configuration>.native_query"]);
    let printed = metadata::directory::to_files(&document).expect("files");
    let again = metadata::directory::from_files(&printed).expect("a document");
    assert_eq!(Document::parse(&again).expect("a document").0.to_text(), text);
}
