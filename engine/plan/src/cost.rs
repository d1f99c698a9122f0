//! What an operation costs by its form: the figures that API limits are about.

use graphql::operation::{Field, FieldTarget};

/// The figures of one operation. Fragments count as if they were written out; introspection counts nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// Levels of selection sets: a root field without one has 1.
    pub depth: u64,
    /// Fields that have a selection set.
    pub nodes: u64,
}

impl Cost {
    /// Of a selection set. Recursion is bounded by the document's limit on nesting.
    pub(crate) fn of<I, M>(fields: &[Field<I, M>]) -> Self {
        let mut whole = Self::default();
        for field in fields {
            if matches!(field.target, FieldTarget::Schema(_) | FieldTarget::Type(_)) {
                continue;
            }
            let mut below = Self::of(&field.selection);
            for possible in &field.possible {
                let one = Self::of(&possible.selection);
                below.depth = below.depth.max(one.depth);
                below.nodes += one.nodes;
            }
            let is_node = !field.selection.is_empty() || !field.possible.is_empty();
            whole.depth = whole.depth.max(below.depth + 1);
            whole.nodes += below.nodes + u64::from(is_node);
        }
        whole
    }
}
