//! What was read of one Secret.

use std::collections::{BTreeMap, BTreeSet};

use crate::secrets::{Hidden, SecretName};

/// See the module.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) version: String,
    pub(super) asked: BTreeSet<String>,
    /// Those that are texts: pods look values up as such.
    pub(super) values: BTreeMap<String, Hidden>,
    /// The keys of others.
    no_text: BTreeSet<String>,
}

impl Read {
    /// Of what there is, what was asked for.
    pub(super) fn of(version: String, asked: &BTreeSet<String>, found: BTreeMap<String, Hidden>) -> Self {
        let found = found.into_iter().filter(|(key, _)| asked.contains(key));
        let (values, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
            found.partition(|(_, value)| std::str::from_utf8(&value.0).is_ok());
        Self {
            version,
            asked: asked.clone(),
            values,
            no_text: other.into_keys().collect(),
        }
    }

    /// Why there is no value of a key.
    pub(super) fn lacks(&self, name: &SecretName, key: &str) -> Option<String> {
        let name = &name.1;
        if self.no_text.contains(key) {
            let why = format!(
                "the key {key} of Secret {name} is no text (UTF-8): put one there, or correct the reference"
            );
            return Some(why);
        }
        let why = || format!("Secret {name} has no key {key}: add it, or correct the reference");
        (!self.values.contains_key(key)).then(why)
    }
}
