//! `crds/` and `docs/reference/` are what the types say, and the schemas keep the rules of API servers.

use std::fs;
use std::path::{Path, PathBuf};

use crd::definition::{definition, spec_schema, yaml};
use crd::{Kind, reference};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn generated_files_are_fresh() {
    let write = std::env::var_os("ROWLOCK_WRITE_CRDS").is_some();
    let mut files = vec![("docs/reference/README.md".to_owned(), reference::index())];
    for &kind in Kind::ALL {
        files.push((
            format!("crds/{}.yaml", kind.plural()),
            yaml(kind).expect("it prints"),
        ));
        files.push((
            format!("docs/reference/{}.md", kind.plural()),
            reference::page(kind),
        ));
    }
    for directory in ["crds", "docs/reference"] {
        fs::create_dir_all(root().join(directory)).expect("a directory");
        for entry in fs::read_dir(root().join(directory)).expect("a directory") {
            let name = entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned();
            let path = format!("{directory}/{name}");
            assert!(
                files.iter().any(|(known, _)| *known == path),
                "{path} is not generated: remove it"
            );
        }
    }
    for (path, text) in files {
        let place = root().join(&path);
        if write {
            fs::write(&place, &text).expect("it can be written");
        }
        let found = fs::read_to_string(&place).unwrap_or_default();
        assert!(
            found == text,
            "{path} is stale: ROWLOCK_WRITE_CRDS=1 cargo test -p crd"
        );
    }
}

/// Calls `visit` with each schema and its path.
fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, inner) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        walk(inner, &format!("{path}.{name}"), visit);
    }
    for (key, mark) in [("items", "[]"), ("additionalProperties", ".*")] {
        if let Some(inner) = schema.get(key) {
            walk(inner, &format!("{path}{mark}"), visit);
        }
    }
}

fn each_schema(mut visit: impl FnMut(Kind, &str, &Value)) {
    for &kind in Kind::ALL {
        let definition = definition(kind);
        let whole = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert!(whole.is_object(), "{kind} has no schema");
        for part in ["spec", "status"] {
            if let Some(schema) = whole.pointer(&format!("/properties/{part}")) {
                walk(schema, part, &mut |path, schema| visit(kind, path, schema));
            }
        }
    }
}

#[test]
fn schemas_are_structural() {
    each_schema(|kind, path, schema| {
        let at = format!("{kind} {path}: {schema}");
        for key in [
            "$ref", "anyOf", "oneOf", "allOf", "not", "nullable", "default", "const", "title",
        ] {
            // A new object waits for the operator, and autoscalers read a number; nothing else has a default.
            let is_due = key == "default" && ["status", "spec.replicas"].contains(&path);
            assert!(is_due || schema.get(key).is_none(), "{key} in {at}");
        }
        assert!(!schema["type"].is_array(), "several types in {at}");
        let typed = schema["type"].is_string()
            || schema["x-kubernetes-int-or-string"] == true
            || schema["x-kubernetes-preserve-unknown-fields"] == true;
        assert!(typed, "no type in {at}");
        if schema.get("properties").is_some() {
            assert!(schema.get("additionalProperties").is_none(), "{at}");
            assert!(schema["x-kubernetes-preserve-unknown-fields"].is_null(), "{at}");
        }
        if schema["type"] == "array" {
            assert!(schema["items"].is_object(), "{at}");
            assert!(schema["x-kubernetes-list-type"].is_string(), "{at}");
        }
        if let Some(format) = schema.get("format").and_then(Value::as_str) {
            assert!(
                ["int32", "int64", "date-time"].contains(&format),
                "{format} in {at}"
            );
        }
    });
}

#[test]
fn every_field_says_what_it_is() {
    each_schema(|kind, path, schema| {
        let is_field = !path.ends_with("[]") && !path.ends_with(".*");
        if is_field {
            let text = schema["description"].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{kind} {path} has no description");
        }
    });
}

/// Names are camelCase, and no list is called in the singular.
#[test]
fn names_follow_the_conventions() {
    each_schema(|kind, path, schema| {
        for (name, field) in schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            assert!(
                name.starts_with(|first: char| first.is_ascii_lowercase()) && !name.contains('_'),
                "{kind} {path}.{name}"
            );
            let plural = name.ends_with('s')
                || [
                    "jwt",
                    "from",
                    "to",
                    "env",
                    "payload",
                    "remoteField",
                    "connectionSet",
                    "tlsAllowList",
                ]
                .contains(&name.as_str());
            assert!(field["type"] != "array" || plural, "{kind} {path}.{name}");
        }
    });
}

/// Predicates are replaced as a whole, so that two appliers never merge halves of two into a looser one.
#[test]
fn predicates_are_atomic_and_required() {
    let schema = spec_schema(Kind::Permission);
    for (verb, fields) in [
        ("select", ["filter", "columns"].as_slice()),
        ("insert", &["check", "columns"]),
        ("update", &["filter", "check", "columns"]),
        ("delete", &["filter"]),
    ] {
        let verb = &schema["properties"][verb];
        for field in fields {
            assert!(
                verb["required"]
                    .as_array()
                    .expect("required")
                    .contains(&(*field).into()),
                "{field}"
            );
            let schema = &verb["properties"][*field];
            if *field != "columns" {
                assert_eq!(schema["x-kubernetes-map-type"], "atomic");
                assert_eq!(schema["x-kubernetes-preserve-unknown-fields"], true);
            }
        }
    }
}

#[test]
fn what_tools_rely_on() {
    let mut short: Vec<String> = Vec::new();
    for &kind in Kind::ALL {
        let definition = definition(kind);
        assert_eq!(definition["spec"]["group"], "rowlock.dev");
        assert_eq!(definition["spec"]["scope"], "Namespaced");
        assert_eq!(definition["spec"]["names"]["kind"], kind.as_str());
        assert_eq!(definition["spec"]["names"]["plural"], kind.plural());
        assert_eq!(definition["spec"]["names"]["categories"][0], "rowlock");
        assert_eq!(
            definition["metadata"]["name"],
            format!("{}.rowlock.dev", kind.plural())
        );
        let name = definition["spec"]["names"]["shortNames"][0]
            .as_str()
            .expect("a name")
            .to_owned();
        assert!(!short.contains(&name), "{name} twice");
        short.push(name);
        let version = &definition["spec"]["versions"][0];
        assert_eq!(version["name"], "v1alpha1");
        let columns: Vec<&str> = version["additionalPrinterColumns"]
            .as_array()
            .expect("columns")
            .iter()
            .filter_map(|column| column["name"].as_str())
            .collect();
        match kind {
            Kind::ReferenceGrant => assert_eq!(columns, ["Age"]),
            Kind::Engine => assert_eq!(columns, ["Ready", "Reason", "Replicas", "Age"]),
            _ => assert_eq!(columns, ["Ready", "Reason", "Age"]),
        }
        assert_eq!(
            version["subresources"]["status"].is_object(),
            kind != Kind::ReferenceGrant
        );
    }
    let scale = &definition(Kind::Engine)["spec"]["versions"][0]["subresources"]["scale"];
    assert_eq!(scale["specReplicasPath"], ".spec.replicas");
    assert_eq!(scale["labelSelectorPath"], ".status.selector");
}

/// What is made for an Engine is labelled with its name, which the API server would refuse of every part of it.
#[test]
fn names_of_engines_are_bounded() {
    for &kind in Kind::ALL {
        let definition = definition(kind);
        let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let rule = &schema["x-kubernetes-validations"][0]["rule"];
        match kind {
            Kind::Engine => assert_eq!(rule, "size(self.metadata.name) <= 52"),
            _ => assert!(rule.is_null(), "{kind}"),
        }
    }
}

#[test]
fn conditions_have_frozen_words() {
    let definition = definition(Kind::Table);
    let condition = definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/status/properties/conditions/items")
        .expect("conditions");
    assert_eq!(
        condition["properties"]["type"]["enum"].to_string(),
        r#"["Accepted","Programmed","Ready","Stalled"]"#
    );
    assert_eq!(
        condition["properties"]["status"]["enum"].to_string(),
        r#"["True","False","Unknown"]"#
    );
    assert_eq!(
        condition["properties"]["reason"]["enum"].to_string(),
        concat!(
            r#"["Accepted","Invalid","RefNotResolved","DependencyFailed","Duplicate","Refused","Programmed","#,
            r#""Pending","NoReadyPod","NotAccepted","NotSupported","NotSelected","Ready"]"#
        )
    );
}
