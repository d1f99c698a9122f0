//! The GraphQL language: documents, types, values, normalised operations, introspection.
//!
//! Knows no database and no metadata. Pure: no IO, no clock, no environment.

pub mod error;
pub mod guard;
pub mod operation;
pub mod path;
pub mod type_system;

pub use error::{Code, Error};
pub use path::Path;
pub use type_system::{InputClass, Name, OperationKind, TypeSystem};
