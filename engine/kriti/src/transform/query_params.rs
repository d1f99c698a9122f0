//! Transforms of the query string.

use std::collections::BTreeMap;

use super::{TransformError, TransformErrors, all, compile_text, render_text};
use crate::{Context, Template, uri::Query};

/// What replaces the query string. Every template is the inside of a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryParams {
    /// Templates of name and value, the latter absent for a parameter without `=`. What renders to `null`, either
    /// of them, is left out.
    Pairs(BTreeMap<String, Option<String>>),
    /// One template of the whole query string.
    Template(String),
}

/// The same with its templates parsed.
#[derive(Clone, Debug)]
pub(super) enum CompiledQueryParams {
    Pairs(Vec<(Template, Option<Template>)>),
    Template(Template),
}

impl QueryParams {
    pub(super) fn compile(&self) -> Result<CompiledQueryParams, TransformErrors> {
        match self {
            Self::Template(source) => Ok(CompiledQueryParams::Template(compile_text(source)?)),
            Self::Pairs(pairs) => {
                let names = all(pairs.keys().map(|name| compile_text(name)));
                let compile = |value: &Option<String>| value.as_deref().map(compile_text).transpose();
                let values = all(pairs.values().map(compile));
                Ok(CompiledQueryParams::Pairs(zip(names, values)?))
            }
        }
    }
}

impl CompiledQueryParams {
    pub(super) fn apply(&self, context: &Context) -> Result<Query, TransformErrors> {
        match self {
            Self::Template(template) => Ok(Query::parse(&render_text(template, context)?)),
            Self::Pairs(pairs) => {
                let names = all(pairs.iter().map(|(name, _)| render_text(name, context)));
                let render = |value: &Option<Template>| -> Result<Option<String>, TransformError> {
                    value
                        .as_ref()
                        .map(|value| render_text(value, context))
                        .transpose()
                };
                let values = all(pairs.iter().map(|(_, value)| render(value)));
                let mut pairs = zip(names, values)?;
                pairs.retain(|(name, value)| name != "null" && value.as_deref() != Some("null"));
                let bytes = pairs
                    .into_iter()
                    .map(|(name, value)| (name.into_bytes(), value.map(String::into_bytes)));
                Ok(Query(bytes.collect()))
            }
        }
    }
}

/// Both lists side by side, or the errors of both.
fn zip<A, B>(
    left: Result<Vec<A>, TransformErrors>,
    right: Result<Vec<B>, TransformErrors>,
) -> Result<Vec<(A, B)>, TransformErrors> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok(left.into_iter().zip(right).collect()),
        (Err(TransformErrors(mut errors)), Err(TransformErrors(more))) => {
            errors.extend(more);
            Err(TransformErrors(errors))
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => Err(errors),
    }
}
