//! The aggregates that filters can ask about (`rel_aggregate`), for clients and for permissions.

use crate::model::Column;
use crate::scalar::ScalarId;

/// A function of an aggregate filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AggregateFunction {
    /// `count`
    Count,
    /// `bool_and`
    BoolAnd,
    /// `bool_or`
    BoolOr,
    /// `avg`
    Avg,
    /// `corr`
    Corr,
    /// `covar_samp`
    CovarSamp,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `stddev_samp`
    StddevSamp,
    /// `sum`
    Sum,
    /// `var_samp`
    VarSamp,
}

/// How a function takes its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    /// Any number, none meaning `*`.
    Any,
    /// Exactly one.
    One,
    /// `{X, Y}`
    Pair,
}

impl AggregateFunction {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Count,
        Self::BoolAnd,
        Self::BoolOr,
        Self::Avg,
        Self::Corr,
        Self::CovarSamp,
        Self::Max,
        Self::Min,
        Self::StddevSamp,
        Self::Sum,
        Self::VarSamp,
    ];

    /// Its name, in GraphQL and in Postgres.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::BoolAnd => "bool_and",
            Self::BoolOr => "bool_or",
            Self::Avg => "avg",
            Self::Corr => "corr",
            Self::CovarSamp => "covar_samp",
            Self::Max => "max",
            Self::Min => "min",
            Self::StddevSamp => "stddev_samp",
            Self::Sum => "sum",
            Self::VarSamp => "var_samp",
        }
    }

    /// The function of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// How it takes its columns.
    pub fn arguments(self) -> Arguments {
        match self {
            Self::Count => Arguments::Any,
            Self::Corr | Self::CovarSamp => Arguments::Pair,
            _ => Arguments::One,
        }
    }

    /// The scalar of its result.
    pub fn result(self) -> ScalarId {
        match self {
            Self::Count => ScalarId::INT,
            Self::BoolAnd | Self::BoolOr => ScalarId::BOOLEAN,
            _ => ScalarId::FLOAT8,
        }
    }

    /// The Postgres type of its result, as `pg_type.typname`.
    pub fn result_type(self) -> &'static str {
        match self {
            Self::Count => "int4",
            Self::BoolAnd | Self::BoolOr => "bool",
            _ => "float8",
        }
    }

    /// Whether a column can be an argument: booleans for the logical ones, double precision for the others.
    pub fn accepts(self, column: &Column) -> bool {
        match self {
            Self::Count => true,
            Self::BoolAnd | Self::BoolOr => column.type_.name == "bool" && column.enum_table.is_none(),
            _ => column.type_.name == "float8" && column.enum_table.is_none(),
        }
    }
}
