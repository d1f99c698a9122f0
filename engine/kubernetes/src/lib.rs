//! The origin `configmap`: what the operator publishes, watched through the Kubernetes API by name.
//!
//! ```text
//! ConfigMap NAME ──watch──> index ──get──> parts ──assemble──> SetNews::Set ──> Keep (disk)
//! Secret NAME    ──watch──> SecretNews::Values
//! ```
//!
//! Reads only, and only objects whose names it was told. What is torn, damaged or older than what was accepted is told
//! and never handed on. It never gives up: while the API server is away, what was handed on stays.

mod connection;
mod keep;
mod secret;
mod set;
mod watch;

pub use connection::{Connection, Error};
pub use keep::{Keep, KeepError, Prepared};
pub use secret::{SecretNews, follow_secret};
pub use set::{SetNews, follow_sets};
