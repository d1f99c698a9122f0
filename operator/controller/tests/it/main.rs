//! The operator from outside: what it renders, against files that a person reads when they change.

mod rendered;
