//! The environment variables of the process, taken once, and secrets that never print.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A snapshot of environment variables. Metadata (`from_env`) reads them too.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    variables: Arc<BTreeMap<String, String>>,
    /// Whether what documents may not name is hidden.
    guarded: bool,
}

impl Environment {
    /// The variables of this process; ones that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// These variables with others on top.
    pub fn with(&self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let own = self.variables.iter();
        let own = own.map(|(name, value)| (name.clone(), value.clone()));
        own.chain(variables).collect()
    }

    /// These variables, but those of these names as `other` has them.
    #[must_use]
    pub fn restored(&self, names: impl IntoIterator<Item = &'static str>, other: &Self) -> Self {
        let mut variables = (*self.variables).clone();
        for name in names {
            match other.variables.get(name) {
                Some(value) => variables.insert(name.to_owned(), value.clone()),
                None => variables.remove(name),
            };
        }
        Self {
            variables: Arc::new(variables),
            guarded: self.guarded,
        }
    }

    /// These variables as documents may look them up where those who write documents may not see the program's own
    /// secrets: without what [`compile::is_guarded`] names, but with what the operator put in for a document.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self {
            guarded: true,
            ..self
        }
    }

    /// Whether a variable, documents may look it up or not, has the value that it has in `other`.
    pub fn agrees(&self, other: &Self, name: &str) -> bool {
        self.variables.get(name) == other.variables.get(name)
    }

    /// A variable that is a number, whether documents may look it up or not.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.variables.get(name)?.trim().parse().ok()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        if self.guarded && compile::is_guarded(name) && !delivery::secret::is_reference(name) {
            return None;
        }
        self.variables.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self {
            variables: Arc::new(variables.into_iter().collect()),
            guarded: false,
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Environment({} variables)", self.variables.len())
    }
}

/// A text that must not be seen: it has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `other` is the same text, in time that does not depend on where they differ.
    pub fn matches(&self, other: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let mut difference = own.len() ^ other.len();
        for at in 0..own.len() {
            let theirs = other.get(at).copied().unwrap_or(0);
            let ours = own.get(at).copied().unwrap_or(0);
            difference |= usize::from(std::hint::black_box(ours ^ theirs));
        }
        std::hint::black_box(difference) == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("<REDACTED>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_compare_whole() {
        let secret = Secret::new("s3cret");
        assert!(secret.matches(b"s3cret"));
        assert!(!secret.matches(b"s3cre"));
        assert!(!secret.matches(b"s3crets"));
        assert!(!secret.matches(b""));
        assert_eq!(format!("{secret:?}"), "<REDACTED>");
    }
}
