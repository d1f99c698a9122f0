//! The spec of an object: as a tree, or packed as its text.

use std::borrow::Cow;

use serde_json::Value;

/// A spec. As a tree it is about twenty times as large as its text: of thousands of objects, texts are kept, and read one
/// at a time.
#[derive(Clone, Debug)]
pub struct Spec(Form);

#[derive(Clone, Debug)]
enum Form {
    Tree(Value),
    Text(Box<str>),
}

impl Spec {
    /// The same, packed.
    #[must_use]
    pub fn packed(self) -> Self {
        match self.0 {
            Form::Tree(tree) => Self(Form::Text(tree.to_string().into_boxed_str())),
            text @ Form::Text(_) => Self(text),
        }
    }

    /// The whole spec.
    pub fn value(&self) -> Cow<'_, Value> {
        match &self.0 {
            Form::Tree(tree) => Cow::Borrowed(tree),
            // Printed from a tree, so that it can be read.
            Form::Text(text) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        }
    }

    /// Changes it; it is a tree after that.
    pub fn change(&mut self, change: impl FnOnce(&mut Value)) {
        let mut tree = self.value().into_owned();
        change(&mut tree);
        *self = tree.into();
    }

    /// A field of it.
    pub fn get(&self, field: &str) -> Option<Cow<'_, Value>> {
        match self.value() {
            Cow::Borrowed(tree) => tree.get(field).map(Cow::Borrowed),
            Cow::Owned(mut tree) => tree.get_mut(field).map(Value::take).map(Cow::Owned),
        }
    }
}

impl From<Value> for Spec {
    fn from(tree: Value) -> Self {
        Self(Form::Tree(tree))
    }
}

impl Default for Spec {
    fn default() -> Self {
        Value::Null.into()
    }
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Text(one), Form::Text(two)) => one == two,
            _ => self.value() == other.value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packed_it_is_the_same() {
        let tree = json!({"z": 1, "a": {"b": [1.50, null, "x"]}});
        let spec = Spec::from(tree.clone());
        let packed = spec.clone().packed();
        assert_eq!(packed, spec);
        assert_eq!(packed, spec.clone().packed().packed());
        assert_eq!(*packed.value(), tree);
        assert_eq!(packed.get("a"), spec.get("a"));
        assert_eq!(packed.get("b"), None);
        assert_ne!(packed, Spec::from(json!({})));
    }
}
