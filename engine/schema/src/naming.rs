//! How generated names are spelled: `hasura-default` or `graphql-default`.

/// `naming_convention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NamingConvention {
    /// Names as they are in Postgres, `snake_case` for generated parts.
    #[default]
    HasuraDefault,
    /// camelCase fields and arguments, PascalCase types, UPPER_CASE enum values.
    GraphqlDefault,
}
