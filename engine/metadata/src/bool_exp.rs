//! Boolean expressions as written in permissions. They are resolved against the catalog elsewhere; here only
//! their outer shape (an object) is known.

use serde_json::{Map, Value};

/// A boolean expression (`filter`, `check`, …) exactly as written: a JSON object. `{}` is always true.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BoolExp(pub Map<String, Value>);

impl BoolExp {
    /// Whether this is `{}`, which lets every row pass.
    pub fn is_always_true(&self) -> bool {
        self.0.is_empty()
    }
}
