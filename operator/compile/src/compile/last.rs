//! What was published: which object is which part of the document, and the same read back.

use std::collections::HashMap;

use crd::Kind;
use metadata::Document;
use metadata::document::hash;
use serde_json::{Map, Value, json};

use super::Part;
use crate::fragment::Place;
use crate::fragment::document::take;
use crate::object::{Object, ObjectKey};
use crate::secret::SecretKey;
use crate::seniority::claims_names;

/// One object that is a part of the published document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Which object.
    pub object: ObjectKey,
    /// Its `metadata.uid`.
    pub uid: String,
    /// The generation whose form is in the document.
    pub observed_generation: i64,
    /// SHA-256 of the part and its place, in hexadecimal.
    pub hash: String,
    /// The names under which the part stands in the document.
    pub place: Vec<String>,
    /// The keys of Secrets that the part refers to.
    pub secrets: Vec<SecretKey>,
    /// `metadata.creationTimestamp` of what may clash with others by its names in the API; empty elsewhere, and where there
    /// is none.
    pub created: String,
}

impl Published {
    pub(super) fn of(object: &Object, part: &Part) -> Self {
        let place = part.fragment.place();
        let text = json!([object.key.kind.as_str(), place.0, part.fragment.print()]).to_string();
        Self {
            object: object.key.clone(),
            uid: object.uid.clone(),
            observed_generation: part.generation,
            hash: hash(&text),
            place: place.0,
            secrets: part.secrets.clone(),
            created: match claims_names(object.key.kind) {
                true => object.created.clone(),
                false => String::new(),
            },
        }
    }

    /// As JSON, to be published beside the document.
    pub fn to_json(&self) -> Value {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
        put("uid", self.uid.clone().into());
        put("kind", self.object.kind.as_str().into());
        put("namespace", self.object.namespace.clone().into());
        put("name", self.object.name.clone().into());
        put("generation", self.observed_generation.into());
        put("hash", self.hash.clone().into());
        put("place", self.place.clone().into());
        if !self.secrets.is_empty() {
            let secrets = self
                .secrets
                .iter()
                .map(|secret| json!([secret.namespace, secret.name, secret.key]));
            put("secrets", Value::Array(secrets.collect()));
        }
        if !self.created.is_empty() {
            put("created", self.created.clone().into());
        }
        Value::Object(entry)
    }

    /// From JSON; nothing where it is of another form.
    pub fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let texts = |value: &Value| -> Option<Vec<String>> {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        let secrets = value
            .get("secrets")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let secrets = secrets.map(|secret| match texts(secret)?.as_slice() {
            [namespace, name, key] => Some(SecretKey {
                namespace: namespace.clone(),
                name: name.clone(),
                key: key.clone(),
            }),
            _ => None,
        });
        Some(Self {
            object: ObjectKey {
                kind: Kind::named(&text("kind")?)?,
                namespace: text("namespace")?,
                name: text("name")?,
            },
            uid: text("uid")?,
            observed_generation: value.get("generation")?.as_i64()?,
            hash: text("hash")?,
            place: texts(value.get("place")?)?,
            secrets: secrets.collect::<Option<_>>()?,
            created: text("created").unwrap_or_default(),
        })
    }
}

/// The forms of objects that were accepted last, by uid, and whose they are said to be.
#[derive(Clone, Debug, Default)]
pub struct LastAccepted {
    parts: HashMap<String, (ObjectKey, Part)>,
}

impl LastAccepted {
    /// Nothing was published before.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Takes the forms out of a published document. Entries that it does not have are passed over.
    pub fn read(document: &Document, published: &[Published]) -> Self {
        let parts = published.iter().filter_map(|entry| {
            let fragment = take(document, entry.object.kind, &Place(entry.place.clone()))?;
            let part = Part {
                fragment,
                secrets: entry.secrets.clone(),
                generation: entry.observed_generation,
                unsupported: Vec::new(),
            };
            Some((entry.uid.clone(), (entry.object.clone(), part)))
        });
        Self {
            parts: parts.collect(),
        }
    }

    /// The last form of an object. Whoever may write what was published could say anything there: only what an object
    /// may say counts, and that is of its own kind and name, with Secrets of its own namespace.
    pub(super) fn part(&self, object: &Object) -> Option<&Part> {
        let (key, part) = self.parts.get(&object.uid)?;
        let mut secrets = part.secrets.iter();
        let is_its_own = *key == object.key && secrets.all(|secret| secret.namespace == key.namespace);
        is_its_own.then_some(part)
    }
}
