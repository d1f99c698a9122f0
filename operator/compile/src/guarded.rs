//! Variables that no object may name by itself. All variables of an engine are looked up in one place, its own Secret
//! among them: whoever may write a webhook's address would otherwise have any value sent there. A key of a Secret is
//! referred to by `secretKeyRef`, which its namespace answers for. What `spec.env` of the Engine gives is for objects to
//! name, except settings that come from a Secret, what `spec.auth` takes from it, and, for objects of other namespaces,
//! whatever comes from a Secret. Files of its pods are for objects of its namespace.

use std::collections::BTreeSet;

use crd::Kind;
use crd::value::EXACT;
use serde_json::Value;

use crate::object::{Object, Snapshot};
use crate::secret::PREFIX;

/// Begins the variables of the operator and of the engine's own settings; also those that stand for keys of Secrets.
const OWN: &str = "ROWLOCK_";

/// Begins Hasura's settings.
const SETTING: &str = "HASURA_GRAPHQL_";

/// The engine's container in a pod template.
const CONTAINER: &str = "engine";

/// Hasura's settings that hold secrets.
const SETTINGS: &[&str] = &[
    "HASURA_GRAPHQL_ACCESS_KEY",
    "HASURA_GRAPHQL_ADMIN_SECRET",
    "HASURA_GRAPHQL_ADMIN_SECRETS",
    "HASURA_GRAPHQL_AUTH_HOOK",
    "HASURA_GRAPHQL_JWT_SECRET",
    "HASURA_GRAPHQL_JWT_SECRETS",
    "HASURA_GRAPHQL_METADATA_DATABASE_URL",
    "HASURA_GRAPHQL_METRICS_SECRET",
    "HASURA_GRAPHQL_RATE_LIMIT_REDIS_URL",
];

/// Whether objects may not name this variable, whatever the Engine says.
pub fn is_guarded(variable: &str) -> bool {
    variable.starts_with(OWN) || SETTINGS.contains(&variable)
}

/// The first field of a spec in which a variable is named that stands for a key of a Secret.
pub(crate) fn of_a_secret(spec: &Value) -> Option<Named> {
    find(spec, "spec", &|variable, naming| {
        naming != Naming::File && variable.starts_with(PREFIX)
    })
}

/// What an object may not name, and where it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Of the field.
    pub(crate) path: String,
    /// The variable, or the file.
    pub(crate) name: String,
    /// Which of both, and how.
    pub(crate) naming: Naming,
}

/// How a variable is named, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As a value of its own: `env: NAME`.
    Whole,
    /// In a template: `https://{{NAME}}/`.
    Template,
    /// A file in the pod: `dynamicFromFile: /PATH`.
    File,
}

/// What the Engine of a snapshot keeps for itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard {
    /// Nothing is kept.
    is_open: bool,
    /// The namespace of the Engine; none: there is no Engine here.
    namespace: Option<String>,
    /// The variables of `spec.env`, and of the engine's container in `spec.template`, that come from Secrets.
    from_secrets: BTreeSet<String>,
    /// Those of them that are settings of the engine, or have the value of one put in.
    settings: BTreeSet<String>,
    /// The variables that `spec.auth` takes.
    of_auth: BTreeSet<String>,
}

impl Guard {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        if snapshot.is_open() {
            return Self {
                is_open: true,
                ..Self::default()
            };
        }
        let mut engines = snapshot.objects().iter();
        let Some(engine) = engines.find(|object| object.key.kind == Kind::Engine) else {
            return Self::default();
        };
        let spec = engine.spec.value();
        let containers = spec
            .pointer("/template/spec/containers")
            .and_then(Value::as_array);
        let containers = containers.into_iter().flatten();
        let own = containers.filter(|container| container["name"] == CONTAINER);
        let sets = own
            .filter_map(|container| container.get("env"))
            .chain(spec.get("env"));
        let given = || sets.clone().filter_map(Value::as_array).flatten();
        let from_secrets = given().filter(|variable| variable.pointer("/valueFrom/secretKeyRef").is_some());
        let names = from_secrets.filter_map(|variable| variable.get("name")?.as_str());
        let from_secrets: BTreeSet<String> = names
            .map(str::to_owned)
            .chain(snapshot.guarded().iter().cloned())
            .collect();
        let settings = from_secrets.iter().filter(|name| name.starts_with(SETTING));
        let mut guard = Self {
            is_open: false,
            namespace: Some(engine.key.namespace.clone()),
            settings: settings.cloned().collect(),
            from_secrets,
            of_auth: BTreeSet::new(),
        };
        if let Some(auth) = spec.get("auth") {
            collect(auth, &mut guard.of_auth);
        }
        let composed = given().filter_map(|variable| {
            let text = |key: &str| variable.get(key).and_then(Value::as_str);
            Some((text("name")?, text("value").filter(|value| value.contains("$("))?))
        });
        guard.follow(&composed.collect::<Vec<_>>());
        guard
    }

    /// Kubernetes puts the values of other variables into a value that names them, `$(NAME)`: it is kept as they are.
    fn follow(&mut self, composed: &[(&str, &str)]) {
        let guarded = composed.iter().filter(|(_, value)| {
            puts_in(value, SETTINGS.iter().copied()) || value.contains(&format!("$({OWN}"))
        });
        self.of_auth.extend(guarded.map(|(name, _)| (*name).to_owned()));
        for names in [&mut self.of_auth, &mut self.settings, &mut self.from_secrets] {
            close(names, composed);
        }
    }

    /// The first field of an object in which something is named that it may not name.
    pub(crate) fn find(&self, object: &Object, spec: &Value) -> Option<Named> {
        let is_kept = |variable: &str, naming: Naming| self.keeps(object, variable, naming);
        find(spec, "spec", &is_kept)
    }

    /// Whether an earlier form of an object, as metadata, names something that it may not name. `own` are those that
    /// stand for the keys of Secrets that it refers to.
    pub(crate) fn is_in(&self, object: &Object, metadata: &Value, own: &BTreeSet<String>) -> bool {
        let is_kept = |variable: &str, naming: Naming| {
            let is_own = naming == Naming::Whole && own.contains(variable);
            !is_own && self.keeps(object, variable, naming)
        };
        find(metadata, "", &is_kept).is_some()
    }

    fn keeps(&self, object: &Object, variable: &str, naming: Naming) -> bool {
        if self.is_open {
            return false;
        }
        let is_foreign = self
            .namespace
            .as_ref()
            .is_some_and(|own| object.key.namespace != *own);
        if naming == Naming::File {
            return is_foreign;
        }
        if is_guarded(variable) || self.of_auth.contains(variable) {
            return true;
        }
        if !self.from_secrets.contains(variable) {
            return false;
        }
        if is_foreign {
            return true;
        }
        // A database of the engine's own may be served as well; nobody else has to do with its settings.
        let is_connection = object.key.kind == Kind::Source && naming == Naming::Whole;
        self.settings.contains(variable) && !is_connection
    }
}

/// Adds the variables into which one of the names is put, directly or through others. Each round adds one at least.
fn close(names: &mut BTreeSet<String>, composed: &[(&str, &str)]) {
    loop {
        let new = composed.iter().filter(|(name, value)| {
            !names.contains(*name) && puts_in(value, names.iter().map(String::as_str))
        });
        let new: Vec<String> = new.map(|(name, _)| (*name).to_owned()).collect();
        if new.is_empty() {
            return;
        }
        names.extend(new);
    }
}

/// Whether Kubernetes puts one of the variables into a value.
fn puts_in<'n>(value: &str, mut variables: impl Iterator<Item = &'n str>) -> bool {
    variables.any(|variable| value.contains(&format!("$({variable})")))
}

/// The variables that settings take from others. Recurses as deep as a spec may nest.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(fields) => {
            names.extend(fields.get("env").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|inner| collect(inner, names));
        }
        _ => {}
    }
}

/// The first field in which something is named that `is_kept`. A text alone names nothing: it may be a table's name.
/// Recurses as deep as a spec may nest.
fn find(value: &Value, path: &str, is_kept: &dyn Fn(&str, Naming) -> bool) -> Option<Named> {
    let named = |path: &str, name: &str, naming| Named {
        path: path.to_owned(),
        name: name.to_owned(),
        naming,
    };
    match value {
        Value::String(text) => {
            let mut words = words_of_templates(text);
            let found = words.find(|word| is_kept(word, Naming::Template))?;
            Some(named(path, found, Naming::Template))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| find(item, &format!("{path}[{at}]"), is_kept))
        }
        Value::Object(fields) => {
            let mut fields = fields.iter();
            fields.find_map(|(name, inner)| {
                let path = format!("{path}.{name}");
                let naming = naming_of(name);
                match (inner, naming) {
                    (Value::String(text), Some(naming)) if is_kept(text, naming) => {
                        Some(named(&path, text, naming))
                    }
                    (Value::String(text), _) if name == EXACT => {
                        let exact = serde_json::from_str::<Value>(text).ok();
                        find(&exact.unwrap_or_else(|| inner.clone()), &path, is_kept)
                    }
                    _ => find(inner, &path, is_kept),
                }
            })
        }
        _ => None,
    }
}

/// Fields of resources, and keys of metadata, of which the text is a name.
fn naming_of(field: &str) -> Option<Naming> {
    if field == "dynamicFromFile" || field == "dynamic_from_file" {
        return Some(Naming::File);
    }
    (field == "env" || field.ends_with("from_env")).then_some(Naming::Whole)
}

/// What may be a variable's name between braces: all of it, as the engine looks it up, and each word, for other languages.
fn words_of_templates(text: &str) -> impl Iterator<Item = &str> {
    let opened = text.split("{{").skip(1);
    let templates = opened.map(|rest| rest.split("}}").next().unwrap_or_default());
    templates.flat_map(|inner| {
        let words = inner.split(|c: char| !u8::try_from(c).is_ok_and(is_of_a_name));
        std::iter::once(inner.trim()).chain(words)
    })
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(kind: &str, namespace: &str, spec: &Value) -> Object {
        let value = json!({
            "apiVersion": crd::API_VERSION, "kind": kind, "metadata": {"name": "x", "namespace": namespace}, "spec": spec,
        });
        Object::from_json(&value, "n").expect("an object")
    }

    fn path(guard: &Guard, object: &Object) -> Option<String> {
        guard.find(object, &object.spec.value()).map(|named| named.path)
    }

    #[test]
    fn templates_and_fields_are_found_with_their_path() {
        let guard = Guard::default();
        for text in [
            "https://x/?s={{HASURA_GRAPHQL_ADMIN_SECRET}}",
            "{{ A }}{{ ROWLOCK_SECRET_0123456789ABCDEF }}",
            "{{ROWLOCK_ADMIN_TOKEN",
        ] {
            let spec = json!({"a": [{"b": 1}, {"c": text}]});
            let found = path(&guard, &object("Table", "n", &spec));
            assert_eq!(found.as_deref(), Some("spec.a[1].c"), "{text}");
        }
        for (spec, at) in [
            (json!({"a": {"env": "ROWLOCK_ADMIN_TOKEN"}}), "spec.a.env"),
            (json!({"a": {"url_from_env": "ROWLOCK_X"}}), "spec.a.url_from_env"),
            (
                json!({"a": {"$json": r#"{"from_env": "ROWLOCK_X"}"#}}),
                "spec.a.$json.from_env",
            ),
        ] {
            let found = path(&guard, &object("Table", "n", &spec));
            assert_eq!(found.as_deref(), Some(at));
        }
        for text in [
            "{{HASURA_GRAPHQL_DATABASE_URL}}",
            "ROWLOCK_ADMIN_TOKEN",
            "what {{x}} ROWLOCK_ADMIN_TOKEN is for",
            "{{$body.input}} {{MY_ROWLOCK_X}}",
            "ROWLOCK_ é",
        ] {
            let spec = json!({"a": text, "filter": {"state": {"_eq": text}}});
            assert_eq!(path(&guard, &object("Permission", "n", &spec)), None, "{text}");
        }
    }

    /// What `spec.env` gives is for objects; settings that hold secrets are not, nor is anything of a Secret for strangers.
    #[test]
    fn what_the_engine_takes_from_secrets_is_its_own() {
        let secret =
            |name: &str| json!({"name": name, "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}});
        let spec = json!({
            "env": [
                secret("HASURA_GRAPHQL_DATABASE_URL"), secret("API_KEY"), secret("OF_AUTH"), {"name": "HOST", "value": "h"},
                {"name": "DB", "value": "$(HASURA_GRAPHQL_DATABASE_URL)?x=$(API_KEY)"}, {"name": "DB_TWICE", "value": "$(DB)"},
                {"name": "BOTH", "value": "$(API_KEY)$(COMPOSED_OF_AUTH)"},
            ],
            "auth": {"jwt": [{"env": "OF_AUTH"}]},
            "template": {"spec": {"containers": [
                {"name": "engine", "env": [
                    secret("OF_TEMPLATE"), secret("with-dash"),
                    {"name": "COMPOSED_TWICE", "value": "$(COMPOSED)/d"}, {"name": "COMPOSED", "value": "postgres://u:$(API_KEY)@h"},
                    {"name": "COMPOSED_OF_AUTH", "value": "$(OF_AUTH)"}, {"name": "PLAIN", "value": "$(HOST)/(API_KEY)"},
                ]},
                {"name": "side", "env": [secret("OF_SIDE")]},
            ]}},
        });
        let left = BTreeSet::from(["STILL_THERE".to_owned()]);
        let guard = Guard::of(&Snapshot::new(vec![object("Engine", "n", &spec)]).guarding(left));
        let template = |name: &str| json!({"url": format!("https://x/{{{{{name}}}}}")});
        let whole = |name: &str| json!({"connection": {"urlFrom": {"env": name}}});
        let may = |kind: &str, namespace: &str, spec: &Value| {
            path(&guard, &object(kind, namespace, spec)).is_none()
        };
        assert!(may("Source", "n", &whole("HASURA_GRAPHQL_DATABASE_URL")));
        assert!(!may("Source", "n", &template("HASURA_GRAPHQL_DATABASE_URL")));
        assert!(!may("RemoteSchema", "n", &whole("HASURA_GRAPHQL_DATABASE_URL")));
        assert!(!may("Source", "other", &whole("HASURA_GRAPHQL_DATABASE_URL")));
        assert!(may("RemoteSchema", "n", &whole("API_KEY")) && may("Action", "n", &template("API_KEY")));
        assert!(!may("RemoteSchema", "other", &whole("API_KEY")));
        assert!(!may("RemoteSchema", "n", &whole("OF_AUTH")));
        assert!(may("RemoteSchema", "other", &template("HOST")));
        assert!(!may("RemoteSchema", "other", &template("OF_TEMPLATE")));
        assert!(may("RemoteSchema", "n", &template("OF_TEMPLATE")));
        assert!(!may("RemoteSchema", "other", &template("STILL_THERE")));
        assert!(may("RemoteSchema", "n", &template("STILL_THERE")));
        assert!(
            may("RemoteSchema", "other", &template("OF_SIDE")),
            "the engine has it not"
        );
        for name in ["with-dash", " with-dash ", "COMPOSED", "COMPOSED_TWICE"] {
            assert!(!may("Source", "other", &template(name)), "{name}");
            assert!(may("Source", "n", &template(name)), "{name}");
        }
        for name in ["DB", "DB_TWICE"] {
            assert!(may("Source", "n", &whole(name)), "{name}");
            assert!(!may("Source", "n", &template(name)), "{name}");
            assert!(!may("RemoteSchema", "n", &whole(name)), "{name}");
        }
        assert!(!may("RemoteSchema", "n", &whole("COMPOSED_OF_AUTH")));
        assert!(
            !may("Action", "n", &template("BOTH")),
            "an auth value in it, and another Secret's"
        );
        assert!(may("RemoteSchema", "other", &whole("PLAIN")));
    }

    /// What lies in the engine's pods is its own, as what it takes from Secrets.
    #[test]
    fn files_are_for_objects_of_the_engines_namespace() {
        let guard = Guard::of(&Snapshot::new(vec![object("Engine", "n", &json!({}))]));
        let file = json!({"dynamicFromFile": "/secrets/url"});
        for (spec, at) in [
            (json!({"connection": file}), "spec.connection.dynamicFromFile"),
            (
                json!({"readReplicas": [file]}),
                "spec.readReplicas[0].dynamicFromFile",
            ),
            (
                json!({"connectionSet": [{"name": "a", "connection": file}]}),
                "spec.connectionSet[0].connection.dynamicFromFile",
            ),
        ] {
            assert_eq!(path(&guard, &object("Source", "n", &spec)), None);
            let found = guard.find(&object("Source", "other", &spec), &spec);
            let named = |path: &str| Named {
                path: path.to_owned(),
                name: "/secrets/url".to_owned(),
                naming: Naming::File,
            };
            assert_eq!(found, Some(named(at)));
        }
        // A folder without an Engine: who starts the program says which files it may read.
        assert_eq!(path(&Guard::default(), &object("Source", "n", &file)), None);
        let last = json!({"configuration": {"connection_info": {"database_url": {"dynamic_from_file": "/secrets/url"}}}});
        let is_in =
            |namespace| guard.is_in(&object("Source", namespace, &json!({})), &last, &BTreeSet::new());
        assert!(is_in("other") && !is_in("n"));
    }

    /// Its own references stand in metadata by their variables; nobody else's may.
    #[test]
    fn last_forms_are_looked_at_too() {
        let guard = Guard::default();
        let table = object("Table", "n", &json!({}));
        let variable = "ROWLOCK_SECRET_0123456789ABCDEF";
        let metadata = json!({"headers": [{"value_from_env": variable}]});
        assert!(guard.is_in(&table, &metadata, &BTreeSet::new()));
        assert!(!guard.is_in(&table, &metadata, &BTreeSet::from([variable.to_owned()])));
        let template = json!({"url": format!("{{{{{variable}}}}}")});
        assert!(guard.is_in(&table, &template, &BTreeSet::from([variable.to_owned()])));
    }
}
