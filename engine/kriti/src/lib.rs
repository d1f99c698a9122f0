//! Kriti, the JSON template language of webhook transforms, and the transforms themselves.
//!
//! [`Template`] is one parsed template; [`Context`] is what its variables stand for; rendering gives a JSON value
//! or an [`Error`] which names the place in the template. [`RequestTransform`] and [`ResponseTransform`] apply
//! templates to a webhook's request and answer, and [`test_webhook_transform`] is the metadata command of that name.
//!
//! This crate never sends a request, never reads the process's environment, and names no other crate of ours.
//! Templates are written by whoever holds the admin secret and see data of whoever calls the webhook, so both
//! parsing and rendering are bounded ([`limit`]).

mod context;
mod error;
mod expression;
mod function;
mod lexer;
pub mod limit;
mod order;
mod parser;
mod percent;
mod render;
mod span;
mod template;
mod token;
mod transform;
mod uri;
mod webhook_test;

pub use context::{Context, SessionVariables};
pub use error::{Error, ParseError, RenderError};
pub use function::FunctionError;
pub use span::{Position, Span};
pub use template::Template;
pub use transform::{
    Body, BodyTransform, CompiledRequestTransform, CompiledResponseTransform, DecodeError, HeaderTransform,
    QueryParams, Request, RequestTransform, Response, ResponseTransform, TransformError, TransformErrors,
};
pub use uri::{Query, Uri, UriError};
pub use webhook_test::{TestError, test_webhook_transform};
