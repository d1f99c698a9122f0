//! Guards: what a plan assumed about the variables. A cached plan serves a request only if all hold.

use serde_json::Value;

use crate::operation::VariablePath;
use crate::type_system::Name;

/// An assumption about one place of the variables.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The place.
    pub place: VariablePath,
    /// What is assumed there.
    pub expected: Expected,
}

/// What is assumed of a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// The variable was not given (only for whole variables).
    Absent,
    /// Given and null.
    Null,
    /// Given and not null.
    NotNull,
    /// An object with just these keys, in this order.
    Keys(Vec<Name>),
    /// A list of this length.
    Length(usize),
    /// This very value.
    Exactly(Value),
}

/// Collects guards during normalisation and planning, without duplicates.
#[derive(Debug, Default)]
pub struct Guards {
    all: Vec<Guard>,
}

impl Guards {
    /// Adds an assumption.
    pub fn expect(&mut self, place: VariablePath, expected: Expected) {
        let guard = Guard { place, expected };
        if !self.all.contains(&guard) {
            self.all.push(guard);
        }
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Guard> {
        self.all
    }
}
