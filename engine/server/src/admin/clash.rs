//! What is told of a clash to the object that is left out: who has the name. Of other namespaces nothing is told.

use compile::ObjectKey;
use schema::problem::{Claim, Problem};

/// The message to `loser`, where another custom resource keeps what it claims. What is of another namespace is not named,
/// as with `Duplicate`.
pub(super) fn told(problem: &Problem, stays: &ObjectKey, loser: &ObjectKey) -> Option<String> {
    if stays == loser {
        return None;
    }
    let owner = if stays.namespace == loser.namespace {
        stays.to_string()
    } else {
        "another object".to_owned()
    };
    match problem {
        Problem::Conflicting { claim, .. } => match claim {
            Claim::RootField(name) => Some(format!(
                "{owner} has the root field \"{name}\" already: give one of the two another name"
            )),
            Claim::TypeName(name) => Some(format!(
                "{owner} has the GraphQL type \"{name}\" already: give one of the two another name"
            )),
            Claim::TableField => None,
        },
        Problem::AmbiguousPaths { urls, .. } => Some(format!(
            "{owner} answers paths of \"{}\" already: give one of the two another url, or other methods",
            urls.last()?
        )),
        _ => None,
    }
}

/// The message to an inherited role whose parents differ in what they may write, where that is a table of another namespace.
pub(super) fn of_parents(table: &ObjectKey, role: &ObjectKey) -> Option<String> {
    (table.namespace != role.namespace).then(|| {
        "its parents have different permissions to write a table of another namespace, which it therefore cannot write".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crd::Kind;
    use metadata::MetadataObjectId;

    fn table(namespace: &str) -> ObjectKey {
        ObjectKey {
            kind: Kind::Table,
            namespace: namespace.to_owned(),
            name: "t".to_owned(),
        }
    }

    fn conflict(claim: Claim) -> Problem {
        Problem::Conflicting {
            claim,
            message: "both".to_owned(),
            objects: Vec::new(),
            path: Some("$.configuration.custom_root_fields.select_by_pk".to_owned()),
        }
    }

    #[test]
    fn another_namespace_is_not_told_of() {
        let field = conflict(Claim::RootField("users".to_owned()));
        let own = ObjectKey {
            name: "other".to_owned(),
            ..table("a")
        };
        assert_eq!(
            told(&field, &own, &table("a")).as_deref(),
            Some("Table a/other has the root field \"users\" already: give one of the two another name")
        );
        assert_eq!(
            told(&field, &table("b"), &table("a")).as_deref(),
            Some("another object has the root field \"users\" already: give one of the two another name")
        );
        let type_name = conflict(Claim::TypeName("users".to_owned()));
        assert_eq!(
            told(&type_name, &table("b"), &table("a")).as_deref(),
            Some("another object has the GraphQL type \"users\" already: give one of the two another name")
        );
        let paths = Problem::AmbiguousPaths {
            urls: vec!["users/secret".to_owned(), "users/:id".to_owned()],
            endpoints: vec![MetadataObjectId::RestEndpoint("e".to_owned())],
            first_stays: true,
        };
        assert_eq!(
            told(&paths, &table("b"), &table("a")).as_deref(),
            Some(
                "another object answers paths of \"users/:id\" already: give one of the two another url, or other methods"
            )
        );
        assert_eq!(told(&field, &table("a"), &table("a")), None);
    }

    #[test]
    fn tables_of_another_namespace_are_not_named() {
        let role = |namespace: &str| ObjectKey {
            kind: Kind::InheritedRole,
            ..table(namespace)
        };
        assert!(of_parents(&table("a"), &role("b")).is_some_and(|told| !told.contains('"')));
        assert_eq!(of_parents(&table("a"), &role("a")), None);
    }
}
