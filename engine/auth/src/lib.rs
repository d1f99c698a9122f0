//! Who asks, as far as it can be decided without I/O: JSON web tokens against keys, claims to session variables, and
//! what is sent to and read from an authentication webhook.
//!
//! Never opens a socket, reads a clock or the environment, and never puts a token, a secret or a claim's value into an
//! error. Times are seconds since 1970 and come from the caller. Vocabulary and messages are those of Hasura v2.

pub mod algorithm;
pub mod cache_control;
pub mod claims;
pub mod config;
pub mod error;
pub mod hook;
pub mod json;
pub mod key;
pub mod location;
pub mod path;
mod provider;
pub mod token;
mod token_cache;
pub mod variable;
pub mod verifier;

pub use config::{ConfigError, JwtSecret, KeySource};
pub use error::{Code, Error};
pub use key::KeySet;
pub use variable::Variables;
pub use verifier::{Found, Identity, Outcome, Verifier};
