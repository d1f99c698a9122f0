//! Metadata document + catalogs → one role-independent model, and a thin overlay per role.
//!
//! Pure: no IO, no clock, no environment. Names no SQL.

pub mod access;
pub mod catalog;
pub mod meaning;
pub mod model;
pub mod naming;
pub mod operator;
pub mod predicate;
pub mod scalar;
