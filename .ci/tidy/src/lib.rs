//! The rules of this repository, as functions from files to problems.
//!
//! Each rule is a pure function with a fixture that breaks it; `tests/it` runs all of them over the checkout, so
//! `cargo test` is the only gate. Nothing here reads anything but the files of the repository.

pub mod attribute;
pub mod dependency;
pub mod file;
pub mod length;
pub mod link;
pub mod lock;
pub mod name;
pub mod sleep;
pub mod sql_text;
pub mod word;

use std::fmt;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Path from the root of the repository.
    pub path: String,
    /// Line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// What is wrong and what to do instead.
    pub message: String,
}

impl Problem {
    /// A problem of a whole file.
    pub fn of_file(path: &str, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line: 0,
            message: message.into(),
        }
    }

    /// A problem at a line, from 1.
    pub fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.message),
            line => write!(out, "{}:{line}: {}", self.path, self.message),
        }
    }
}
