//! Filters that a request of the v1 data API brings along: the language of permissions, on a finished model.

use serde_json::{Map, Value};

use super::Scope;
use crate::model::{Model, TableId};
use crate::predicate::Predicate;

/// Why the filter of a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterRefusal {
    /// In Hasura's words.
    pub message: String,
    /// The keys and positions that lead there from the filter.
    pub steps: Vec<FilterStep>,
}

/// One step into a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilterStep {
    /// Into an object.
    Key(String),
    /// Into a list.
    Index(usize),
}

/// The predicate of a filter in a request of the v1 data API: the language of permissions.
///
/// # Errors
/// What is wrong with the filter. Whether the role may use what the filter names is not judged here.
pub fn request_filter(
    model: &Model,
    table: TableId,
    filter: &Map<String, Value>,
) -> Result<Predicate, FilterRefusal> {
    let tables = model
        .source(table.source())
        .map_or(&[][..], |source| &source.tables);
    let scope = Scope {
        tables,
        entries: &[],
        scalars: &model.scalars,
    };
    scope
        .expression(table, table, filter, 0)
        .map_err(|refusal| FilterRefusal {
            steps: refusal
                .steps
                .iter()
                .rev()
                .map(|step| FilterStep::of(step))
                .collect(),
            message: refusal.message,
        })
}

impl FilterStep {
    /// Of `.key`, `['key']` or `[0]`.
    fn of(step: &str) -> Self {
        if let Some(key) = step.strip_prefix('.') {
            return Self::Key(key.to_owned());
        }
        let inner = step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        match inner.map(str::parse) {
            Some(Ok(index)) => Self::Index(index),
            _ => Self::Key(inner.unwrap_or(step).trim_matches('\'').to_owned()),
        }
    }
}
