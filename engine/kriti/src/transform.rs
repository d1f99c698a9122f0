//! Transforms of a webhook's request and answer (actions, event and cron triggers).
//!
//! A transform comes as text ([`RequestTransform`], [`ResponseTransform`]), is compiled once, which finds all of its
//! templates that do not parse, and is then applied to each request or answer.
//!
//! Headers, parameters and form fields are kept sorted by name (Hasura has hash maps there), so that the same
//! transform always gives the same request.

mod body;
mod decode;
mod error;
mod headers;
mod query_params;
mod request;
mod response;

use serde_json::Value;

pub use body::{Body, BodyTransform};
pub use decode::DecodeError;
pub use error::{TransformError, TransformErrors};
pub use headers::HeaderTransform;
pub use query_params::QueryParams;
pub use request::{CompiledRequestTransform, Request, RequestTransform};
pub use response::{CompiledResponseTransform, Response, ResponseTransform};

pub(crate) use decode::{Field, text_entries};

use crate::{Context, Template};

/// Parses a template which is the inside of a string.
fn compile_text(source: &str) -> Result<Template, TransformError> {
    Template::parse_text(source).map_err(|error| TransformError::Template(error.into()))
}

/// Renders such a template. Quotes in it may make it something else than a string, of which scalars are accepted.
fn render_text(template: &Template, context: &Context) -> Result<String, TransformError> {
    match template.render(context).map_err(TransformError::Template)? {
        Value::String(text) => Ok(text),
        scalar @ (Value::Number(_) | Value::Bool(_)) => Ok(scalar.to_string()),
        value => Err(TransformError::NotScalar { value }),
    }
}

/// All results, or all errors.
fn all<T>(results: impl Iterator<Item = Result<T, TransformError>>) -> Result<Vec<T>, TransformErrors> {
    let mut values = vec![];
    let mut errors = vec![];
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(values)
    } else {
        Err(TransformErrors(errors))
    }
}

/// Takes the value, or adds the errors to those already found.
fn collect<T>(result: Result<T, TransformErrors>, errors: &mut TransformErrors) -> Option<T> {
    result.map_err(|TransformErrors(more)| errors.0.extend(more)).ok()
}
