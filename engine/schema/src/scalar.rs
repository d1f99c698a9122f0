//! Postgres types as GraphQL scalars (Appendix A): the name, what input is accepted, what can be compared.

use graphql::{InputClass, Name};

/// A GraphQL scalar made from a Postgres type. Arrays share the scalar of their element.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// GraphQL name, for instance `Int`, `timestamptz`, `mood`.
    pub name: Name,
    /// Which operators and aggregates it has.
    pub class: ScalarClass,
    /// Which JSON values are accepted as input.
    pub input: InputClass,
    /// Rendered as a string when numerics are stringified (bigint, numeric, double precision, money).
    pub big: bool,
}

/// Groups of types that share operators (Appendix B).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarClass {
    /// Numbers: aggregates, `_inc`.
    Numeric,
    /// text, varchar, bpchar, citext: pattern operators.
    Text,
    /// Ordered, usable in max and min: dates, times, uuid, …
    Comparable,
    /// boolean
    Boolean,
    /// json
    Json,
    /// jsonb
    Jsonb,
    /// PostGIS geometry
    Geometry,
    /// PostGIS geography
    Geography,
    /// PostGIS raster
    Raster,
    /// ltree
    Ltree,
    /// Anything else, enums and domains included.
    Other,
}
