//! Filling a plan's slots for one request: the only work per request besides running the statements.

use graphql::{Code, Error, Path};
use serde_json::{Map, Value};
use sql::Values;

use crate::prepared::{Plan, Root, RootContent, Slot};
use crate::rows::{LastRows, Rows, SingleRows};
use crate::session::Session;
use crate::value::encode;

impl Plan {
    /// Whether the plan serves a request with these variables: all it assumed about them holds.
    pub fn fits(&self, variables: &Map<String, Value>) -> bool {
        self.guards.iter().all(|guard| guard.holds(variables))
    }

    /// The values of all slots for one request that the plan [fits](Plan::fits).
    ///
    /// # Errors
    /// `validation-failed`, `parse-failed`: what planning anew would say against the variables; `not-found`: a
    /// session variable that a permission needs is missing.
    pub fn bind(&self, variables: &Map<String, Value>, session: &Session) -> Result<Values, Error> {
        self.variables.check(variables)?;
        let mut last = LastRows::default();
        self.slots
            .iter()
            .map(|slot| match slot {
                Slot::Variable(leaf, encoding) => {
                    let value = leaf.coerce_again(variables)?;
                    let value = value.as_deref().unwrap_or(&leaf.value);
                    Ok(encode(value, *encoding, leaf.class))
                }
                Slot::Session { name, path } => match session.variable(name) {
                    Some(value) => Ok(Some(value.to_owned())),
                    None => Err(missing(name, path)),
                },
                Slot::SessionJson => Ok(Some(session.to_json())),
                Slot::Rows(rows) => rows.0.read(&rows.1, variables, &mut last).map(Some),
            })
            .collect()
    }

    /// What errors of the mutation's statements need to know of the variables.
    pub fn single_rows(&self, variables: &Map<String, Value>) -> SingleRows<'_> {
        let mut all = Vec::new();
        collect(&self.roots, &mut all);
        SingleRows::of(all.into_iter(), variables)
    }
}

fn collect<'p>(roots: &'p [Root], all: &mut Vec<&'p Rows>) {
    for root in roots {
        match &root.content {
            RootContent::Constant(_) | RootContent::Statement { .. } => {}
            RootContent::Mutation(mutation) => {
                all.extend(mutation.statements.iter().filter_map(|one| one.rows.as_ref()));
            }
            // Namespaces hold no namespaces: this goes one level down.
            RootContent::Object(inner) => collect(inner, all),
        }
    }
}

/// Begins the message of a session variable that is not there; its name follows, quoted.
pub const MISSING_VARIABLE: &str = "missing session variable: ";

fn missing(name: &str, path: &Path) -> Error {
    Error {
        code: Code::NotFound,
        path: path.clone(),
        message: format!("{MISSING_VARIABLE}{}", Value::from(name)),
    }
}
