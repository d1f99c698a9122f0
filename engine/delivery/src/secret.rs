//! The Secret of an engine: each key is the name of a variable, each value its value.
//!
//! Pods look variables up there first and in their environment after that: variables that the document names
//! (`from_env: ROWLOCK_SECRET_…`) and settings of the engine that hold secrets (`HASURA_GRAPHQL_ADMIN_SECRET`). A
//! changed value is taken without a restart where [`CHANGES_AT_RUN_TIME`] or the document names it.

/// Begins the variables that stand for keys of Secrets of the user's; 16 hexadecimal digits follow.
pub const PREFIX: &str = "ROWLOCK_SECRET_";

/// The bearer token of the admin port.
pub const ADMIN_TOKEN: &str = "ROWLOCK_ADMIN_TOKEN";

/// How many pods there are to be: each takes its part of what a source allows all of them together.
pub const INSTANCES: &str = "ROWLOCK_INSTANCES";

/// Settings that are read again whenever the Secret changes.
pub const CHANGES_AT_RUN_TIME: &[&str] = &[
    ADMIN_TOKEN,
    "HASURA_GRAPHQL_ADMIN_SECRET",
    "HASURA_GRAPHQL_ADMIN_SECRETS",
    "HASURA_GRAPHQL_ACCESS_KEY",
    "HASURA_GRAPHQL_JWT_SECRET",
    "HASURA_GRAPHQL_JWT_SECRETS",
    "HASURA_GRAPHQL_AUTH_HOOK",
];

/// Whether a text stands for a key of a Secret.
pub fn is_reference(variable: &str) -> bool {
    variable.strip_prefix(PREFIX).is_some_and(|id| {
        id.len() == 16
            && id
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_other_variables() {
        assert!(is_reference("ROWLOCK_SECRET_0123456789ABCDEF"));
        for other in [
            "ROWLOCK_SECRET_",
            "ROWLOCK_SECRET_0123456789abcdef",
            "ROWLOCK_SECRET_0123456789ABCDEF0",
            "DATABASE_URL",
        ] {
            assert!(!is_reference(other), "{other}");
        }
    }
}
