//! The schema of small worlds: a catalog and a document go in, types and problems come out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking, in its helping functions too; they read best with literal arguments"
)]

mod arrays;
mod determinism;
mod enum_table;
mod function;
mod incremental;
mod inherited_role;
mod mutation;
mod naming;
mod permission;
mod problem;
mod relationship;
mod rest_endpoint;
mod rest_path_fuzz;
mod reuse;
mod saved_query;
mod scale;
mod sdl;
mod source;
mod world;
