//! Guards: what a plan assumed about the variables. A cached plan serves a request only if all hold.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::operation::VariablePath;
use crate::type_system::Name;
use crate::uniform::Form;

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
    /// A list of this length, or, for length 1, a single value that is not null.
    Length(usize),
    /// A list of objects of that form.
    Rows(Form),
    /// This very value.
    Exactly(Value),
}

impl Guard {
    /// Whether the assumption is true of these variables.
    pub fn holds(&self, variables: &Map<String, Value>) -> bool {
        let found = self.place.find(variables);
        match (&self.expected, found) {
            (Expected::Absent, found) => found.is_none(),
            (_, None) => false,
            (Expected::Null, Some(value)) => value.is_null(),
            (Expected::NotNull, Some(value)) => !value.is_null(),
            (Expected::Keys(keys), Some(Value::Object(fields))) => {
                fields.len() == keys.len() && fields.keys().zip(keys).all(|(field, key)| **key == **field)
            }
            (Expected::Length(length), Some(Value::Array(items))) => items.len() == *length,
            (Expected::Length(length), Some(value)) => *length == 1 && !value.is_null(),
            (Expected::Exactly(expected), Some(value)) => expected == value,
            (Expected::Rows(form), Some(value)) => form.is_of_list(value),
            (Expected::Keys(_), Some(_)) => false,
        }
    }
}

/// Collects guards during normalisation and planning, without duplicates.
#[derive(Debug, Default)]
pub struct Guards {
    all: Vec<Guard>,
    /// Positions in `all` by place.
    places: HashMap<VariablePath, Vec<usize>>,
}

impl Guards {
    /// Adds an assumption.
    pub fn expect(&mut self, place: VariablePath, expected: Expected) {
        let known = self.places.entry(place.clone()).or_default();
        if known
            .iter()
            .filter_map(|at| self.all.get(*at))
            .any(|guard| guard.expected == expected)
        {
            return;
        }
        known.push(self.all.len());
        self.all.push(Guard { place, expected });
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Guard> {
        self.all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::operation::Segment;

    fn guard(segments: &[Segment], expected: Expected) -> Guard {
        let place = VariablePath {
            variable: "v".into(),
            segments: segments.into(),
        };
        Guard { place, expected }
    }

    fn holds(segments: &[Segment], expected: Expected, variables: Value) -> bool {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        guard(segments, expected).holds(&variables)
    }

    #[test]
    fn tells_absent_null_and_given_apart() {
        for (variables, absent, null, not_null) in [
            (json!({}), true, false, false),
            (json!({"v": null}), false, true, false),
            (json!({"v": 0}), false, false, true),
        ] {
            assert_eq!(holds(&[], Expected::Absent, variables.clone()), absent);
            assert_eq!(holds(&[], Expected::Null, variables.clone()), null);
            assert_eq!(holds(&[], Expected::NotNull, variables), not_null);
        }
    }

    #[test]
    fn looks_at_structure() {
        let keys = || Expected::Keys(vec!["a".into(), "b".into()]);
        assert!(holds(&[], keys(), json!({"v": {"a": 1, "b": 2}})));
        assert!(!holds(&[], keys(), json!({"v": {"b": 1, "a": 2}})));
        assert!(!holds(&[], keys(), json!({"v": {"a": 1}})));
        assert!(!holds(&[], keys(), json!({"v": [1]})));
        assert!(holds(&[], Expected::Length(2), json!({"v": [1, 2]})));
        assert!(!holds(&[], Expected::Length(2), json!({"v": [1]})));
        assert!(holds(&[], Expected::Length(1), json!({"v": {"a": 1}})));
        assert!(!holds(&[], Expected::Length(1), json!({"v": null})));
        let deep = [
            Segment::Key("a".into()),
            Segment::Index(0),
            Segment::Key("b".into()),
        ];
        let exactly = || Expected::Exactly(json!("x"));
        assert!(holds(&deep, exactly(), json!({"v": {"a": [{"b": "x"}]}})));
        assert!(holds(&deep, exactly(), json!({"v": {"a": {"b": "x"}}})));
        assert!(!holds(&deep, exactly(), json!({"v": {"a": [{"b": "y"}]}})));
        assert!(!holds(&deep, exactly(), json!({"v": {"a": []}})));
    }

    #[test]
    fn keeps_each_assumption_once() {
        let mut guards = Guards::default();
        for expected in [Expected::NotNull, Expected::Length(1), Expected::NotNull] {
            let Guard { place, expected } = guard(&[], expected);
            guards.expect(place, expected);
        }
        assert_eq!(guards.into_vec().len(), 2);
    }
}
