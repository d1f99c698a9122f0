//! Metadata document + catalogs → one role-independent model, and a thin overlay per role.
//!
//! Pure: no IO, no clock, no environment. Names no SQL.

pub mod access;
pub mod aggregate;
mod build;
pub mod catalog;
pub mod idle;
pub mod meaning;
pub mod model;
pub mod naming;
pub mod operator;
pub mod predicate;
pub mod problem;
mod resolve;
pub mod rest_endpoint;
pub mod role;
pub mod saved_query;
pub mod scalar;

pub use build::{Previous, build};
pub use problem::Problem;
pub use resolve::bool_exp::{FilterRefusal, FilterStep, request_filter};
pub use resolve::enum_table::{EnumQuery, queries as enum_queries};
pub use resolve::operand::refused_literal;
pub use resolve::permission::ADMIN;
pub use resolve::{CatalogState, EnumRow};
pub use role::{RoleView, TypeKey};
