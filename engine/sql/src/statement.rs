//! What `plan` hands to `pg`: text, parameters and the shape of the answer.

use std::sync::Arc;

use crate::shape::Shape;

/// A statement ready to be prepared. Same operation, same text, byte for byte.
#[derive(Debug, Clone)]
pub struct Statement {
    /// SQL with `$1`, `$2`, …; every parameter is cast to its type in the text, so that all are sent in text format
    /// and no type needs to be declared.
    pub text: Arc<str>,
    /// Where each parameter's value comes from, in order.
    pub parameters: Vec<Parameter>,
    /// How rows become JSON.
    pub shape: Shape,
}

/// Source of one parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    /// The same at every execution, in Postgres text form; `None` is NULL.
    Constant(Option<Arc<str>>),
    /// Number of a slot that the plan fills at every execution.
    Slot(u32),
}

/// The values of one execution, in Postgres text form; `None` is NULL.
pub type Values = Vec<Option<String>>;
