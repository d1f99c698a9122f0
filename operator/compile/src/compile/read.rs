//! One object to its part of the document.

use crd::Kind;
use metadata::source::SourceKind;
use metadata::{JsonPath, ParseError};
use serde_json::Value;

use super::verdict::Refusal;
use super::{Part, Run, head};
use crate::fragment::{self, Fragment, Place};
use crate::mapping::kind::{KindMapping, mapping};
use crate::mapping::{Forward, forward, locate};
use crate::object::{Object, ObjectKey};
use crate::secret::SecretKey;
use crate::support::unsupported;

impl Run<'_> {
    /// The part of the document that the object is.
    pub(super) fn read(&self, object: &Object) -> Result<Part, Refusal> {
        let kind = object.key.kind;
        let spec = object.spec.value();
        // An Engine's variables are its own. Of what names others' no earlier form goes on, whatever else is wrong.
        if kind != Kind::Engine
            && let Some(named) = self.guard.find(object, &spec)
        {
            return Err(Refusal::guarded(named));
        }
        crd::spec::check(kind, &spec).map_err(|error| Refusal::invalid(error.path, error.message))?;
        let Some(mapping) = mapping(kind) else {
            return Err(Refusal::invalid("spec", "this kind is no part of a document"));
        };
        let parent = match mapping.parent {
            Some((field, parent)) => Some(self.parent(object, &spec, field, parent)?),
            None => None,
        };
        let mut along = Forward {
            namespace: &object.key.namespace,
            secrets: Vec::new(),
        };
        if kind == Kind::Engine {
            for setting in ["auth", "env"].iter().filter_map(|name| spec.get(*name)) {
                collect_secrets(setting, &object.key.namespace, &mut along.secrets);
            }
        }
        let mut value = forward(mapping.lens, &spec, "spec", &mut along)
            .map_err(|error| Refusal::invalid(error.path, error.message))?;
        let fragment = fragment::read(kind, &mut value, &spec, parent.as_ref())
            .map_err(|error| invalid(&mapping, &error, &spec))?;
        Ok(Part {
            fragment,
            secrets: along.secrets,
            generation: object.generation,
            unsupported: unsupported(kind, &spec),
        })
    }

    /// The place of the object that a field refers to.
    fn parent(&self, object: &Object, spec: &Value, field: &str, kind: Kind) -> Result<Place, Refusal> {
        let reference = spec.get(field);
        let text = |key: &str| {
            reference
                .and_then(|reference| reference.get(key))
                .and_then(Value::as_str)
        };
        let namespace = text("namespace");
        let target = ObjectKey {
            kind,
            namespace: namespace.unwrap_or(&object.key.namespace).to_owned(),
            name: text("name").unwrap_or_default().to_owned(),
        };
        let path = format!("spec.{field}");
        let permitted = self.grants.permit(&object.key, &target);
        if !permitted || self.snapshot.find(&target).is_none() {
            return Err(Refusal::unresolved(&path, &target.to_string(), permitted));
        }
        match self.parts.get(&target) {
            Some(part) if is_kept_as_written(&part.fragment) => Err(Refusal::invalid(
                path,
                format!("{target} is not Postgres: what it holds stands in its spec.otherKind.definition"),
            )),
            Some(part) => Ok(head(&part.fragment)),
            None => Err(Refusal::dependency(&path, &target, self.refusals.get(&target))),
        }
    }
}

fn is_kept_as_written(fragment: &Fragment) -> bool {
    matches!(fragment, Fragment::Source(_, source) if source.kind != SourceKind::Postgres)
}

/// The keys of Secrets that settings of the engine refer to. Recurses as deep as a spec may nest.
fn collect_secrets(value: &Value, namespace: &str, secrets: &mut Vec<SecretKey>) {
    match value {
        Value::Array(items) => {
            for item in items {
                collect_secrets(item, namespace, secrets);
            }
        }
        Value::Object(object) => {
            let reference = object.get("secretKeyRef");
            let text = |key: &str| {
                reference
                    .and_then(|reference| reference.get(key))
                    .and_then(Value::as_str)
            };
            if let (Some(name), Some(key)) = (text("name"), text("key")) {
                secrets.push(SecretKey {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    key: key.to_owned(),
                });
            }
            for inner in object.values() {
                collect_secrets(inner, namespace, secrets);
            }
        }
        _ => {}
    }
}

/// A reader's error as one of the spec.
fn invalid(mapping: &KindMapping, error: &ParseError, spec: &Value) -> Refusal {
    let path = locate(mapping.lens, error.path.segments(), "spec".to_owned(), Some(spec));
    let below_root = error.path != JsonPath::root() && path == "spec";
    let message = if below_root {
        format!("{} ({} in metadata)", error.message, error.path)
    } else {
        error.message.clone()
    };
    Refusal::invalid(path, message)
}
