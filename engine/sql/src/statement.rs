//! What `plan` hands to `pg`: text, parameters and the shape of the answer.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::ast::Select;
use crate::print;
use crate::shape::Shape;
use crate::write::Writing;

/// A statement ready to be prepared. Same operation, same text, byte for byte.
#[derive(Debug, Clone)]
pub struct Statement {
    /// SQL with `$1`, `$2`, …; every parameter is cast to its type in the text, so that all are sent in text format
    /// and no type needs to be declared.
    pub text: Arc<str>,
    /// Hash of the text: a cheap name for a connection's prepared statement. Equal texts have equal ids; compare
    /// the texts where a collision would matter.
    pub id: u64,
    /// Where each parameter's value comes from, in order.
    pub parameters: Vec<Parameter>,
    /// How rows become JSON.
    pub shape: Shape,
}

impl Statement {
    /// A statement of that text.
    pub fn new(text: impl Into<Arc<str>>, parameters: Vec<Parameter>, shape: Shape) -> Self {
        let text = text.into();
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        Self {
            id: hasher.finish(),
            text,
            parameters,
            shape,
        }
    }

    /// Prints a query. `before` and `after` are comments made by [`crate::comment`], or empty.
    pub fn of(select: &Select, shape: Shape, before: &str, after: &str) -> Self {
        let (text, parameters) = print::select(select);
        Self::new(format!("{before}{text}{after}"), parameters, shape)
    }

    /// Prints a writing statement, in the same way.
    pub fn of_writing(writing: &Writing, shape: Shape, before: &str, after: &str) -> Self {
        let (text, parameters) = print::writing(writing);
        Self::new(format!("{before}{text}{after}"), parameters, shape)
    }

    /// The text of a query that gives each row of this one as a single record.
    pub fn text_of_records(&self) -> String {
        print::records(&self.text)
    }
}

/// Source of one parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// The same at every execution, in Postgres text form; `None` is NULL.
    Constant(Option<Arc<str>>),
    /// Number of a slot that the plan fills at every execution.
    Slot(u32),
}

/// The values of one execution, in Postgres text form; `None` is NULL.
pub type Values = Vec<Option<String>>;
