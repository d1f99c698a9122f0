//! The custom resources of group `rowlock.dev`: what a person writes to declare an API.
//!
//! Every part of a metadata document (version 3) has a field here, and each field's description names the
//! metadata key it becomes. The crate holds shapes only: it does not know what the keys mean, talks to no cluster
//! and never makes a document; that is the business of the crate `compile`.
//!
//! House rules of these shapes: camelCase names, references as `xRef`, secrets as `secretKeyRef`, named things as
//! lists, exactly-one-of as sibling fields, no field whose absence lets more through, `null` nowhere.

pub mod action;
pub mod api_limits;
pub mod cron_trigger;
pub mod custom_type;
pub mod definition;
pub mod engine;
pub mod event_trigger;
pub mod function;
pub mod inherited_role;
pub mod kind;
pub mod native_query;
pub mod opentelemetry;
pub mod permission;
pub mod query_collection;
pub mod reference;
pub mod reference_grant;
pub mod relationship;
pub mod remote_schema;
pub mod rest_endpoint;
mod shape;
pub mod source;
pub mod spec;
pub mod status;
pub mod table;
pub mod transform;
pub mod value;
pub mod yaml;

pub use kind::Kind;

/// The API group of all kinds.
pub const GROUP: &str = "rowlock.dev";
/// The version of all kinds.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of all objects.
pub const API_VERSION: &str = "rowlock.dev/v1alpha1";
/// The category of all kinds: `kubectl get rowlock`.
pub const CATEGORY: &str = "rowlock";
