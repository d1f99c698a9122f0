//! Where something stands in a request, printed as Hasura prints it: `$.selectionSet.author.args.where.id._eq`.

use std::fmt;
use std::sync::Arc;

/// A place in a request; cheap to extend and to clone.
#[derive(Debug, Clone, Default)]
pub struct Path(Option<Arc<Node>>);

#[derive(Debug)]
struct Node {
    parent: Path,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Key(Arc<str>),
    Index(usize),
}

impl Path {
    /// `$`
    pub fn root() -> Self {
        Self(None)
    }

    /// The place around this one; `$` has none.
    pub fn parent(&self) -> Option<Self> {
        self.0.as_ref().map(|node| node.parent.clone())
    }

    /// One step into an object.
    #[must_use]
    pub fn key(&self, key: impl Into<Arc<str>>) -> Self {
        Self(Some(Arc::new(Node {
            parent: self.clone(),
            step: Step::Key(key.into()),
        })))
    }

    /// One step into a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(Some(Arc::new(Node {
            parent: self.clone(),
            step: Step::Index(index),
        })))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some(node) = &at.0 {
            steps.push(&node.step);
            at = &node.parent;
        }
        out.write_str("$")?;
        for step in steps.into_iter().rev() {
            match step {
                Step::Index(index) => write!(out, "[{index}]")?,
                Step::Key(key) if is_identifier(key) => write!(out, ".{key}")?,
                Step::Key(key) => write!(out, "[\"{key}\"]")?,
            }
        }
        Ok(())
    }
}

fn is_identifier(key: &str) -> bool {
    let mut characters = key.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Path {}
