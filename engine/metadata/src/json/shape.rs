//! What keys the parts of the document have, for the coverage table.

/// What stands at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A value whose inside has no keys of ours.
    Leaf,
    /// An object.
    Object(Shape),
    /// A list of objects.
    List(Shape),
    /// An object whose keys are names, and whose values are objects.
    Map(Shape),
}

impl Content {
    /// A list of this.
    #[must_use]
    pub fn listed(self) -> Self {
        match self {
            Self::Object(shape) => Self::List(shape),
            other => other,
        }
    }

    /// An object of this, by name.
    #[must_use]
    pub fn mapped(self) -> Self {
        match self {
            Self::Object(shape) => Self::Map(shape),
            other => other,
        }
    }
}

/// The keys of an object, in print order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The name of the object in messages.
    pub name: &'static str,
    /// Its keys and what stands there.
    pub keys: Vec<(&'static str, Content)>,
}

/// The content of a field, found by its type.
pub(crate) fn field_content<S, T: super::Json>(_: fn(&S) -> &T) -> Content {
    T::content()
}

/// The content of a list of entries, found by the type of the field.
pub(crate) fn entries_content<S, N, T: super::Entry<Name = N>>(
    _: fn(&S) -> &indexmap::IndexMap<N, T>,
) -> Content {
    Content::List(T::shape())
}

impl Shape {
    /// An object none of whose keys leads to another object of ours.
    pub(crate) fn of_leaves(name: &'static str, keys: &[&'static str]) -> Self {
        Self {
            name,
            keys: keys.iter().map(|key| (*key, Content::Leaf)).collect(),
        }
    }
}
