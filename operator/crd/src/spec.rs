//! Reading a spec strictly: unknown fields, missing fields and wrong types are refused with their path.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Kind;

/// Why a spec is not one of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct SpecError {
    /// The field, beginning with `spec`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

/// How deeply a spec may nest.
const MAX_DEPTH: usize = 100;

/// Checks that `spec` is a spec of `kind`: every field is known and of its type, and every required one is there.
/// What CEL rules of the definition say is not checked here.
pub fn check(kind: Kind, spec: &Value) -> Result<(), SpecError> {
    if !fits(spec, MAX_DEPTH) {
        return Err(SpecError {
            path: "spec".to_owned(),
            message: format!("nested more than {MAX_DEPTH} levels deep"),
        });
    }
    match kind {
        Kind::Engine => read::<crate::engine::EngineSpec>(spec),
        Kind::Source => read::<crate::source::SourceSpec>(spec),
        Kind::Table => read::<crate::table::TableSpec>(spec),
        Kind::Permission => read::<crate::permission::PermissionSpec>(spec),
        Kind::Function => read::<crate::function::FunctionSpec>(spec),
        Kind::NativeQuery => read::<crate::native_query::NativeQuerySpec>(spec),
        Kind::LogicalModel => read::<crate::native_query::LogicalModelSpec>(spec),
        Kind::Action => read::<crate::action::ActionSpec>(spec),
        Kind::ActionTypes => read::<crate::custom_type::ActionTypesSpec>(spec),
        Kind::RemoteSchema => read::<crate::remote_schema::RemoteSchemaSpec>(spec),
        Kind::RemoteSchemaPermission => read::<crate::remote_schema::RemoteSchemaPermissionSpec>(spec),
        Kind::EventTrigger => read::<crate::event_trigger::EventTriggerSpec>(spec),
        Kind::CronTrigger => read::<crate::cron_trigger::CronTriggerSpec>(spec),
        Kind::InheritedRole => read::<crate::inherited_role::InheritedRoleSpec>(spec),
        Kind::QueryCollection => read::<crate::query_collection::QueryCollectionSpec>(spec),
        Kind::RestEndpoint => read::<crate::rest_endpoint::RestEndpointSpec>(spec),
        Kind::APILimits => read::<crate::api_limits::APILimitsSpec>(spec),
        Kind::ReferenceGrant => read::<crate::reference_grant::ReferenceGrantSpec>(spec),
    }
}

fn read<T: DeserializeOwned>(spec: &Value) -> Result<(), SpecError> {
    serde_path_to_error::deserialize::<_, T>(spec)
        .map(drop)
        .map_err(|error| {
            let inner = error.path().to_string();
            let path = if inner == "." {
                "spec".to_owned()
            } else {
                format!("spec.{inner}")
            };
            SpecError {
                path,
                message: error.into_inner().to_string(),
            }
        })
}

fn fits(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Array(items), Some(rest)) => items.iter().all(|item| fits(item, rest)),
        (Value::Object(object), Some(rest)) => object.values().all(|item| fits(item, rest)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_name_the_field() {
        let error = check(
            Kind::InheritedRole,
            &json!({"role": "r", "parents": ["a"], "x": 1}),
        );
        let error = error.expect_err("an unknown field");
        assert!(error.to_string().contains("unknown field `x`"), "{error}");
        let error =
            check(Kind::InheritedRole, &json!({"role": "r", "parents": ["a", 1]})).expect_err("a wrong type");
        assert_eq!(error.path, "spec.parents[1]");
        assert_eq!(
            check(Kind::InheritedRole, &json!({"role": "r", "parents": ["a"]})),
            Ok(())
        );
    }

    /// The forms that the definitions give as patterns, at the place of what has another.
    #[test]
    fn a_secret_has_a_name_that_it_can_have() {
        let checked = |name: &str, key: &str| {
            let url = json!({"secretKeyRef": {"name": name, "key": key}});
            let spec = json!({"name": "s", "connection": {"urlFrom": url}});
            check(Kind::Source, &spec).map_err(|error| error.path)
        };
        for (name, key) in [("db", "url"), ("db-1.main", "PG_url.0"), ("0", "..data")] {
            assert_eq!(checked(name, key), Ok(()), "{name} {key}");
        }
        let at = |field: &str| Err(format!("spec.connection.urlFrom.secretKeyRef.{field}"));
        let long = "a".repeat(254);
        for name in [
            "",
            "db,main",
            "Db",
            "db_main",
            "-db",
            "db.",
            "a..b",
            long.as_str(),
        ] {
            assert_eq!(checked(name, "url"), at("name"), "{name}");
        }
        for key in ["", "a/b", "a b", "é", long.as_str()] {
            assert_eq!(checked("db", key), at("key"), "{key}");
        }
    }

    #[test]
    fn numbers_are_not_rounded() {
        let filter = r#"{"table_ref":1}"#;
        assert!(serde_json::from_str::<Value>(filter).is_ok());
        let spec: Value = serde_json::from_str(
            r#"{"tableRef":{"name":"t"},"role":"r","select":{"columns":[],"filter":{"a":{"_eq":1.10}}}}"#,
        )
        .expect("JSON");
        assert_eq!(check(Kind::Permission, &spec), Ok(()));
    }
}
