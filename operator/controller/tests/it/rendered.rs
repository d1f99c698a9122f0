//! `cases/x.in.yaml` (an engine) rendered is `cases/x.out.yaml`. `ROWLOCK_WRITE_CASES=1 cargo test -p operator` writes the latter.

use std::path::{Path, PathBuf};

use compile::Object;
use crd::engine::EngineSpec;
use delivery::{Half, Set, publish};
use operator::environment::{Piece, environment};
use operator::render::{Surroundings, Values, publication, secret, workloads};
use operator::secrets::Hidden;
use serde_json::{Value, json};

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let files = std::fs::read_dir(folder).expect("the folder of cases");
    let files = files.map(|file| file.expect("a file").path());
    let mut cases: Vec<PathBuf> = files
        .filter(|path| path.to_string_lossy().ends_with(".in.yaml"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn engine(case: &Path) -> Object {
    let text = std::fs::read_to_string(case).expect("a case");
    let mut value: Value = serde_norway::from_str(&text).expect("YAML");
    value["apiVersion"] = crd::API_VERSION.into();
    value["kind"] = "Engine".into();
    Object::from_json(&value, "n").expect("an object")
}

fn rendered(engine: &Object) -> Vec<Value> {
    let spec: EngineSpec = serde_json::from_value(engine.spec.value().into_owned()).expect("a spec");
    let (environment, problems) = environment(&spec, &engine.key.namespace);
    assert_eq!(problems, []);
    let surroundings = Surroundings {
        image: "rowlock:test",
        admin_port: 8081,
        operator_namespace: "rowlock-system",
        start_hash: "0123456789abcdef",
    };
    let objects = workloads(engine, &spec, &environment, &surroundings);
    let mut all: Vec<Value> = objects.into_iter().map(|(_, object)| object).collect();
    let values = environment.secret.iter().map(|(variable, part)| {
        let pieces = part.pieces().into_iter().filter_map(|piece| match piece {
            Piece::Key(key) => Some(key.key),
            Piece::Text(_) => None,
        });
        let keys: Vec<String> = pieces.collect();
        (variable.clone(), Hidden(keys.join(",").into_bytes()))
    });
    all.push(secret(engine, &values.collect::<Values>()));
    all
}

#[test]
fn engines_are_rendered_as_written_down() {
    let update = std::env::var_os("ROWLOCK_WRITE_CASES").is_some();
    for case in cases() {
        let printed: Vec<String> = rendered(&engine(&case))
            .iter()
            .map(|object| crd::yaml::print(object).expect("YAML"))
            .collect();
        let text = printed.join("---\n");
        let golden = PathBuf::from(case.to_string_lossy().replace(".in.yaml", ".out.yaml"));
        if update {
            std::fs::write(&golden, &text).expect("a file");
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(text, expected, "{}", golden.display());
    }
}

/// What `Object`s are owned by, and that nothing secret leaves the Secret.
#[test]
fn everything_goes_with_its_engine_and_values_stay_in_the_secret() {
    for case in cases() {
        let engine = engine(&case);
        for object in rendered(&engine) {
            assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], json!(engine.uid));
            assert_eq!(object["metadata"]["namespace"], json!(engine.key.namespace));
            if object["kind"] != "Secret" {
                assert!(!object.to_string().contains("admin-secret"), "{object}");
            }
        }
    }
}

#[test]
fn a_large_set_is_in_parts_and_a_small_one_beside_the_index() {
    let engine = engine(&cases()[0]);
    let set = |metadata: String| Set {
        counter: 3,
        metadata,
        objects: "[]".to_owned(),
    };
    let (parts, index) = publication(
        &engine,
        &publish("shop-metadata", &set("{}".to_owned()), Half::A).expect("small"),
    );
    assert!(parts.is_empty());
    assert_eq!(index["data"]["metadata.json"], json!("{}"));
    // Hashes of numbers do not compress.
    let noise: String = (0..40_000)
        .map(|number: u32| delivery::hash(&number.to_le_bytes()))
        .collect();
    let (parts, index) = publication(
        &engine,
        &publish("shop-metadata", &set(noise), Half::B).expect("large"),
    );
    assert!(parts.len() > 1);
    assert_eq!(parts[1]["metadata"]["name"], json!("shop-metadata-b-1"));
    assert!(index["data"].get("metadata.json").is_none());
    for part in &parts {
        assert!(
            part.to_string().len() < 1_500_000,
            "base64 of 900 KiB and a little more"
        );
    }
}
