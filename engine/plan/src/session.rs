//! Who asks: role and session variables. Made by `server::auth`, trusted from there on.

use std::sync::Arc;

use serde_json::{Map, Value};

/// The session of one request.
#[derive(Debug, Clone)]
pub struct Session {
    /// The role; `admin` sees everything.
    pub role: Arc<str>,
    /// Session variables by lower-case name, `x-hasura-role` included, in name order.
    pub variables: Vec<(Arc<str>, Arc<str>)>,
    /// Backend-only permissions apply (`x-hasura-use-backend-only-permissions` from a trusted client).
    pub backend: bool,
}

impl Session {
    /// The value of a session variable; `name` is lower case.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, value)| &**value)
    }

    /// All variables as one JSON object: a function's session argument, and `hasura.user` of a transaction.
    pub fn to_json(&self) -> String {
        let variables: Map<String, Value> = self
            .variables
            .iter()
            .map(|(name, value)| (name.to_string(), Value::from(&**value)))
            .collect();
        Value::Object(variables).to_string()
    }
}
