//! No key of the document is out of reach of a custom resource, and no field of one is ignored.

use std::collections::BTreeSet;

use compile::proof;
use crd::Kind;
use crd::definition::spec_schema;
use serde_json::Value;

/// Forms that are read and printed in another form, which is reached.
const OTHER_FORMS: &[&str] = &[
    "<manual configuration>.native_query",
    "<logical model field>.nullable",
];

#[test]
fn every_metadata_key_is_reached() {
    let reached = proof::metadata_paths();
    let missing: Vec<String> = metadata::coverage::known_paths()
        .into_iter()
        .filter(|path| !reached.contains(path) && !OTHER_FORMS.contains(&path.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

/// The fields of a schema; inside JSON of the author's and texts by name there are none.
fn fields(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        fields(inner, &path, found);
        found.insert(path);
    }
    if let Some(items) = schema.get("items") {
        fields(items, &format!("{path}[]"), found);
    }
}

#[test]
fn every_field_is_known_to_the_compiler_and_no_other() {
    for &kind in Kind::ALL.iter().filter(|kind| **kind != Kind::ReferenceGrant) {
        let mut declared = BTreeSet::new();
        fields(&spec_schema(kind), "spec", &mut declared);
        let known = proof::fields(kind);
        // Below a reference and below settings that are no part of the document the compiler has no business.
        let settings: Vec<&String> = known
            .iter()
            .filter(|path| !known.iter().any(|other| other.starts_with(&format!("{path}."))))
            .filter(|path| !known.iter().any(|other| other.starts_with(&format!("{path}[]"))))
            .collect();
        let inside_setting = |path: &String| {
            settings.iter().any(|setting| {
                path.starts_with(&format!("{setting}.")) || path.starts_with(&format!("{setting}[]"))
            })
        };
        let unknown: Vec<&String> = declared
            .difference(&known)
            .filter(|path| !(is_setting(kind, path) && inside_setting(path)))
            .collect();
        assert!(
            unknown.is_empty(),
            "{kind}: fields that nothing reads: {unknown:?}"
        );
        let undeclared: Vec<&String> = known.difference(&declared).collect();
        assert!(undeclared.is_empty(), "{kind}: not in the schema: {undeclared:?}");
    }
}

/// Fields that are objects and no part of the document.
fn is_setting(kind: Kind, path: &str) -> bool {
    let reference = ["sourceRef", "tableRef", "remoteSchemaRef", "collectionRef"]
        .iter()
        .any(|name| path.starts_with(&format!("spec.{name}.")));
    let of_engine = kind == Kind::Engine
        && [
            "objectSelector",
            "namespaceSelector",
            "auth",
            "cors",
            "logs",
            "env",
            "service",
        ]
        .iter()
        .any(|name| path.starts_with(&format!("spec.{name}")));
    reference || of_engine
}

/// The last part of the key stands in the description, so that a person finds the field by the key.
#[test]
fn descriptions_name_the_key() {
    for &kind in Kind::ALL {
        let schema = spec_schema(kind);
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let text = field["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ");
            let known = text.contains("etadata key") || name == "onInvalid" || name == "position";
            assert!(
                known || text.contains("metadata document"),
                "{kind} {name}: {text}"
            );
        }
    }
}

/// Names inside tables for forms that metadata writes in another way.
const OWN_NAMES: &[&str] = &[
    "columns_form",
    "/allowlist[].scope",
    "named",
    "inline",
    "arrays",
    "pairs",
    "template",
    "other_kind",
    "definition",
    "field",
];

/// Ends of paths of fields that metadata writes under a key of another name.
const OTHER_KEYS: &[(&str, &str)] = &[
    ("otherKind.name", "kind"),
    ("foreignKey.columns", "foreign_key_constraint_on"),
    ("selectPermissions[].select", "permission"),
];

/// The key of every field stands in its description, as a name in code: `name` in a sentence is none.
#[test]
fn every_description_names_its_key() {
    let mut silent = Vec::new();
    for &kind in Kind::ALL {
        let spec = spec_schema(kind);
        for (path, key) in proof::keys_of(kind) {
            let mut schema = &spec;
            for step in path.split('.').skip(1) {
                schema = &schema["properties"][step.trim_end_matches("[]")];
                if step.ends_with("[]") {
                    schema = &schema["items"];
                }
            }
            let last = key
                .trim_end_matches("[]")
                .rsplit(['.', '/'])
                .next()
                .unwrap_or_default();
            let other = OTHER_KEYS.iter().find(|(end, _)| path.ends_with(end));
            let last = other.map_or(last, |(_, key)| *key);
            let text = schema["description"].as_str().unwrap_or_default();
            let quoted = text.split('`').skip(1).step_by(2);
            let mut names =
                quoted.flat_map(|part| part.split(|letter: char| !letter.is_alphanumeric() && letter != '_'));
            if !names.any(|name| name == last) && !OWN_NAMES.contains(&key) {
                silent.push(format!("{kind} {path} ({key}): {text}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}
