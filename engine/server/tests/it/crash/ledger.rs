//! What was asked to be written, and what was said about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// How many lines each parcel has, and how many rows there are of a mutation that writes but one table.
pub(crate) const LINES: u64 = 3;

/// Rows of a mutation: parcels, lines, notes; and those of mutations of one table.
pub(crate) type Rows = (u64, u64, u64, u64);

/// All that a mutation writes, of either kind.
const WHOLE: [Rows; 2] = [(1, LINES, 1, 0), (0, 0, 0, LINES)];

/// Of one mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing was said: it may be there or not.
    Unknown,
    /// It was answered: all of it must be there.
    Written,
    /// It was refused for what it wanted to write: nothing of it may be there.
    Refused,
}

/// All mutations by ticket.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Vec<Outcome>>);

impl Ledger {
    /// A mutation that is about to be sent.
    pub(crate) fn open(&self) -> u64 {
        let mut all = self.0.lock().unwrap();
        all.push(Outcome::Unknown);
        all.len() as u64 - 1
    }

    pub(crate) fn close(&self, ticket: u64, outcome: Outcome) {
        self.0.lock().unwrap()[ticket as usize] = outcome;
    }

    fn count(&self, of: Outcome) -> usize {
        let all = self.0.lock().unwrap();
        all.iter().filter(|outcome| **outcome == of).count()
    }

    /// How many were answered.
    pub(crate) fn written(&self) -> usize {
        self.count(Outcome::Written)
    }

    /// Compares with what is there.
    pub(crate) fn judge(&self, found: &BTreeMap<u64, Rows>) {
        let all = self.0.lock().unwrap();
        for (ticket, outcome) in all.iter().enumerate() {
            let there = found.get(&(ticket as u64));
            let right = match outcome {
                Outcome::Written => there.is_some_and(|there| WHOLE.contains(there)),
                Outcome::Refused => there.is_none(),
                Outcome::Unknown => there.is_none_or(|there| WHOLE.contains(there)),
            };
            assert!(right, "mutation {ticket} was {outcome:?}; found are {there:?}");
        }
        let unknown = found.keys().find(|ticket| **ticket >= all.len() as u64);
        assert_eq!(unknown, None, "nobody wrote this");
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [written, refused, unknown] =
            [Outcome::Written, Outcome::Refused, Outcome::Unknown].map(|outcome| self.count(outcome));
        write!(
            formatter,
            "{written} mutations answered and whole, {refused} refused and absent, {unknown} unanswered and whole or absent"
        )
    }
}
