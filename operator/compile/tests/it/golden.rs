//! `cases/*.in.yaml` and what they compile to. `*.before.yaml` beside a case is compiled and published first. `*.told.yaml` says
//! what cannot be seen in objects: what is known against some, and how far each has got on the pods.

use std::fs;
use std::path::{Path, PathBuf};

use compile::{
    Compiled, Delivery, LastAccepted, Object, Objection, Serving, Snapshot, compile, compile_against,
    merge_conditions, object_conditions,
};
use serde::Deserialize;
use serde_json::{Value, json};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// The objects of a YAML stream.
pub(crate) fn objects(text: &str) -> Vec<Object> {
    let documents = serde_norway::Deserializer::from_str(text);
    documents
        .map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{error}")))
        .filter(|value| !value.is_null())
        .map(|value| Object::from_json(&value, "shop").unwrap_or_else(|error| panic!("{error}: {value}")))
        .collect()
}

/// What a cluster tells of objects, by kind, namespace and name.
#[derive(Default)]
struct Told {
    objections: Vec<Objection>,
    deliveries: Vec<(String, Delivery)>,
}

impl Told {
    fn read(text: &str) -> Self {
        let told: Value = serde_norway::from_str(text).expect("YAML");
        let field = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let list = |name: &str| told[name].as_array().cloned().unwrap_or_default();
        let objections = list("objections").into_iter().map(|objection| Objection {
            uid: field(&objection, "object"),
            generation: objection["generation"].as_i64().expect("a generation"),
            reason: serde_json::from_value(objection["reason"].clone()).expect("a reason"),
            path: field(&objection, "path"),
            message: field(&objection, "message"),
        });
        let deliveries = list("deliveries").into_iter().map(|delivery| {
            let message = field(&delivery, "message");
            let reached = match field(&delivery, "is").as_str() {
                "NoReadyPod" => Delivery::NoReadyPod,
                "Pending" => Delivery::Pending {
                    pods: 1,
                    ready: 3,
                    lagging: vec!["shop-b".to_owned(), "shop-c".to_owned()],
                },
                "Unreachable" => Delivery::Unreachable { message },
                "Questioned" => Delivery::Questioned { pods: 3, message },
                "Refused" => Delivery::Refused { message },
                other => panic!("{other} is no delivery"),
            };
            (field(&delivery, "object"), reached)
        });
        Self {
            objections: objections.collect(),
            deliveries: deliveries.collect(),
        }
    }

    fn of(&self, object: &str) -> Delivery {
        let found = self.deliveries.iter().find(|(known, _)| known == object);
        found.map_or(Delivery::Served { pods: 1 }, |(_, delivery)| delivery.clone())
    }
}

fn print(compiled: &Compiled, told: &Told) -> String {
    let status: Vec<Value> = compiled
        .verdicts
        .iter()
        .map(|verdict| {
            let conditions = object_conditions(verdict, &told.of(&verdict.object.to_string()));
            let conditions: Vec<String> = merge_conditions(&[], conditions, "now")
                .iter()
                .map(|condition| {
                    format!(
                        "{:?}={:?} {:?} ({}): {}",
                        condition.kind,
                        condition.status,
                        condition.reason,
                        condition.observed_generation,
                        condition.message
                    )
                })
                .collect();
            let serving = match verdict.serving {
                Serving::Present => "present form".to_owned(),
                Serving::Last(generation) => format!("form of generation {generation}"),
                Serving::Nothing => "nothing".to_owned(),
            };
            json!({"object": verdict.object.to_string(), "served": serving, "conditions": conditions})
        })
        .collect();
    let secrets: Vec<String> = compiled
        .secrets
        .iter()
        .map(|secret| {
            format!(
                "{} = {}/{}/{}",
                secret.variable(),
                secret.namespace,
                secret.name,
                secret.key
            )
        })
        .collect();
    let whole = json!({"status": status, "secrets": secrets, "document": compiled.document.to_json()});
    crd::yaml::print(&whole).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn cases_compile_to_what_is_written() {
    let write = std::env::var_os("ROWLOCK_WRITE_CASES").is_some();
    let mut count = 0;
    let mut stale = Vec::new();
    for entry in fs::read_dir(cases()).expect("the cases") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".in.yaml") else {
            let known = [".out.yaml", ".before.yaml", ".told.yaml"]
                .iter()
                .any(|ending| file.ends_with(ending));
            assert!(known, "{file} is no case");
            continue;
        };
        count += 1;
        let text = fs::read_to_string(&path).expect("it can be read");
        assert!(
            text.starts_with("# "),
            "{file}: the first line says what the case shows"
        );
        let mut objects = objects(&text);
        let last = match fs::read_to_string(cases().join(format!("{name}.before.yaml"))) {
            Ok(before) => {
                let before = compile(&Snapshot::new(self::objects(&before)), &LastAccepted::nothing());
                LastAccepted::read(&before.document, &before.published)
            }
            Err(_) => LastAccepted::nothing(),
        };
        let told = fs::read_to_string(cases().join(format!("{name}.told.yaml")));
        let told = told.map(|text| Told::read(&text)).unwrap_or_default();
        let compiled = compile_against(&Snapshot::new(objects.clone()), &last, &told.objections);
        objects.reverse();
        assert_eq!(
            compile_against(&Snapshot::new(objects), &last, &told.objections),
            compiled,
            "{file}: the order matters"
        );
        let printed = print(&compiled, &told);
        let out = cases().join(format!("{name}.out.yaml"));
        if write {
            fs::write(&out, &printed).expect("it can be written");
        }
        if fs::read_to_string(&out).unwrap_or_default() != printed {
            stale.push((file, printed));
        }
    }
    assert!(count > 20, "{count} cases");
    for (file, printed) in &stale {
        assert!(
            stale.is_empty(),
            "{file} compiles to something else (ROWLOCK_WRITE_CASES=1 writes it):\n{printed}"
        );
    }
}
