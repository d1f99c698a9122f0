//! Places in a template, counted as Hasura counts them: lines from 0, columns from 1, in characters.

use serde_json::{Value, json};

/// One place between two characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 0.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl Position {
    /// The start of a template.
    pub const START: Self = Self { line: 0, column: 1 };

    /// The place after `character`, which stands here.
    pub(crate) fn after(self, character: char) -> Self {
        if character == '\n' {
            Self {
                line: self.line + 1,
                column: 1,
            }
        } else {
            Self {
                line: self.line,
                column: self.column + 1,
            }
        }
    }
}

/// A piece of a template; `end` is the place after its last character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Where it ends, exclusive.
    pub end: Position,
}

impl Span {
    /// The smallest span over both.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// `{"start_line", "start_column", "end_line", "end_column"}`
    pub fn to_json(self) -> Value {
        json!({
            "start_line": self.start.line,
            "start_column": self.start.column,
            "end_line": self.end.line,
            "end_column": self.end.column,
        })
    }
}
