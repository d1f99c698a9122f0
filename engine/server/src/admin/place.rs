//! The field of a custom resource in which a problem is.

use std::borrow::Cow;

use crd::Kind;
use metadata::object_id::{MetadataObjectId, SourceObjectId, TableObjectId};
use metadata::permission::PermissionType;
use schema::problem::Problem;

/// The field, as far as the problem says where within its definition it is.
pub(super) fn field(problem: &Problem, kind: Kind) -> Option<String> {
    match problem {
        Problem::Inconsistent {
            object,
            path: Some(path),
            ..
        } => compile::field_at(kind, &in_resource(object, path)),
        Problem::Conflicting { path, .. } => compile::field_at(kind, path.as_deref()?),
        Problem::EndpointPath { .. }
        | Problem::AmbiguousPaths {
            first_stays: true, ..
        } => compile::field_at(kind, "$.url"),
        _ => None,
    }
}

/// Where a place in the definition of an object is in the definitions that a custom resource stands for: a Permission holds
/// those of all verbs.
fn in_resource<'p>(object: &MetadataObjectId, path: &'p str) -> Cow<'p, str> {
    let MetadataObjectId::InSource {
        object:
            SourceObjectId::OfTable {
                object: TableObjectId::Permission { permission_type, .. },
                ..
            },
        ..
    } = object
    else {
        return Cow::Borrowed(path);
    };
    let verb = match permission_type {
        PermissionType::Insert => "insert_permissions",
        PermissionType::Select => "select_permissions",
        PermissionType::Update => "update_permissions",
        PermissionType::Delete => "delete_permissions",
    };
    let inside = path.trim_start_matches('$');
    // Some places are told from the definition's own `permission`, others from what is around it.
    let inside = inside.strip_prefix(".permission").unwrap_or(inside);
    match inside {
        "" => Cow::Owned(format!("$.{verb}")),
        inside => Cow::Owned(format!("$.{verb}.permission{inside}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use metadata::QualifiedName;
    use schema::problem::Claim;

    fn inconsistent(object: MetadataObjectId, path: &str) -> Problem {
        Problem::Inconsistent {
            object,
            message: String::new(),
            path: Some(path.to_owned()),
            unsupported: false,
        }
    }

    #[test]
    fn the_field_is_that_of_the_resource() {
        let clash = Problem::Conflicting {
            claim: Claim::RootField("users".to_owned()),
            message: "both".to_owned(),
            objects: Vec::new(),
            path: Some("$.configuration.custom_root_fields.select_by_pk".to_owned()),
        };
        assert_eq!(
            field(&clash, Kind::Table).as_deref(),
            Some("spec.rootFields.selectByPk")
        );
        let paths = Problem::AmbiguousPaths {
            urls: Vec::new(),
            endpoints: Vec::new(),
            first_stays: true,
        };
        assert_eq!(field(&paths, Kind::RestEndpoint).as_deref(), Some("spec.url"));
        let endpoint = || MetadataObjectId::RestEndpoint("e".to_owned());
        let no_path = Problem::EndpointPath {
            endpoint: endpoint(),
            message: String::new(),
        };
        assert_eq!(field(&no_path, Kind::RestEndpoint).as_deref(), Some("spec.url"));
        let query = inconsistent(endpoint(), "$.definition.query.query_name");
        assert_eq!(field(&query, Kind::RestEndpoint).as_deref(), Some("spec.query"));
    }

    #[test]
    fn places_in_permissions_are_those_of_the_verb() {
        let at = |permission_type, path: &str| {
            let permission = TableObjectId::Permission {
                role: "r".to_owned(),
                permission_type,
            };
            let table = QualifiedName::new("public".to_owned(), "t".to_owned());
            let id = MetadataObjectId::of_table("s", table, permission);
            field(&inconsistent(id, path), Kind::Permission).unwrap_or_default()
        };
        assert_eq!(
            at(PermissionType::Select, "$.permission.columns[1]"),
            "spec.select.columns[1]"
        );
        assert_eq!(
            at(PermissionType::Insert, "$.permission.check._and[0]['a.b']._eq"),
            "spec.insert.check._and[0].a.b._eq"
        );
        assert_eq!(
            at(PermissionType::Select, "$.columns[1]"),
            "spec.select.columns[1]"
        );
        assert_eq!(at(PermissionType::Update, "$"), "spec.update");
    }
}
