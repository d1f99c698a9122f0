//! The Hasura metadata v3 document: its types, strict reading, canonical printing and hashing.
//!
//! A [`Document`] is plain data, exactly what a user exports and applies. This crate knows no database and no
//! GraphQL schema: names are not resolved, boolean expressions stay as written, environment variables are read
//! through a lookup that the caller passes in. It never performs input or output, except for the thin directory
//! walker in [`directory`].
//!
//! Lists whose entries have a unique name are [`IndexMap`](indexmap::IndexMap)s keyed by that name; the entry
//! itself does not repeat it. Objects in which Hasura ignores unknown keys keep them in a field `extra`, so that
//! an export gives back what was applied.

pub mod action;
pub mod bool_exp;
pub mod collection;
pub mod coverage;
pub mod cron_trigger;
pub mod custom_type;
pub mod directory;
pub mod document;
pub mod env;
pub mod event_trigger;
pub mod function;
pub mod json;
pub mod limit;
pub mod name;
pub mod native_query;
pub mod network;
pub mod object_id;
pub mod opentelemetry;
pub mod permission;
pub mod relationship;
pub mod remote_relationship;
pub mod remote_schema;
pub mod rest;
pub mod seniority;
pub mod source;
pub mod table;
pub mod transform;
pub mod value_source;

pub use bool_exp::BoolExp;
pub use document::{AnyDocument, Document, SourcelessDocument};
pub use json::{Entry, Json, JsonPath, ParseError, Reader, Warning};
pub use name::QualifiedName;
pub use object_id::MetadataObjectId;
pub use seniority::Seniority;
pub use source::Source;
pub use table::Table;

/// Keys of an object that this crate does not know, as written. They change nothing, are reported as warnings
/// when read, and are printed again after the known keys.
pub type Extra = serde_json::Map<String, serde_json::Value>;
