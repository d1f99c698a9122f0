//! The GraphQL language: documents, types, values, normalised operations, introspection.
//!
//! Knows no database and no metadata. Pure: no IO, no clock, no environment.

#[cfg(test)]
extern crate self as graphql;

pub mod coerce;
pub mod diagnose;
pub mod document;
pub mod error;
pub mod guard;
pub mod hash;
pub mod introspect;
pub mod normalize;
pub mod operation;
pub mod path;
mod scientific;
pub mod sdl;
pub mod syntax;
#[cfg(test)]
#[path = "../tests/it/schema.rs"]
mod test_schema;
pub mod type_system;
pub mod uniform;
pub mod variables;

pub use document::{Document, Limits};
pub use error::{Code, Error};
pub use normalize::{Normalized, Options, normalize};
pub use path::Path;
pub use scientific::printed as printed_number;
pub use type_system::{InputClass, Name, OperationKind, TypeSystem};
pub use variables::VariableCheck;
