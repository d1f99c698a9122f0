//! What a template's variables stand for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Session variables by name. Names are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionVariables(BTreeMap<String, String>);

impl SessionVariables {
    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    /// `{"x-hasura-…": "…"}`, names in lower case.
    pub fn to_json(&self) -> Value {
        let entries = self
            .0
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        Value::Object(entries.collect::<Map<_, _>>())
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for SessionVariables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.as_ref().to_lowercase(), value.into()))
                .collect(),
        )
    }
}

/// The variables and the session of one rendering.
#[derive(Clone, Debug, Default)]
pub struct Context {
    variables: BTreeMap<String, Value>,
    session_variables: Option<SessionVariables>,
}

impl Context {
    /// No variables, no session.
    pub fn new() -> Self {
        Self::default()
    }

    /// With `name` (written with its `$`) standing for `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.variables.insert(name.to_owned(), value);
        self
    }

    /// With the session `getSessionVariable` reads; without one it finds nothing. Does not bind `$session_variables`.
    #[must_use]
    pub fn with_session(mut self, session_variables: Option<SessionVariables>) -> Self {
        self.session_variables = session_variables;
        self
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    pub(crate) fn session_variable(&self, name: &str) -> Option<&str> {
        self.session_variables.as_ref()?.get(name)
    }
}
