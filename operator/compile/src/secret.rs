//! Keys of Secrets that objects refer to, and the environment variables that stand for them.

/// Begins every variable that stands for a key of a Secret.
pub(crate) const PREFIX: &str = "ROWLOCK_SECRET_";

/// A key of a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    /// The namespace of the Secret.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The key in its data.
    pub key: String,
}

impl SecretKey {
    /// The variable that stands for the value: `ROWLOCK_SECRET_` and 16 digits made of the three names, so that it
    /// says nothing and never changes.
    pub fn variable(&self) -> String {
        let text = format!("{}/{}/{}", self.namespace, self.name, self.key);
        let hash = metadata::document::hash(&text).to_ascii_uppercase();
        format!("{PREFIX}{}", hash.get(..16).unwrap_or_default())
    }
}
