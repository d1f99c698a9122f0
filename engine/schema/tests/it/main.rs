//! The schema of small worlds: a catalog and a document go in, types and problems come out.

mod arrays;
mod determinism;
mod enum_table;
mod function;
mod inherited_role;
mod naming;
mod permission;
mod problem;
mod relationship;
mod reuse;
mod scale;
mod sdl;
mod source;
mod world;
