//! What of an object is kept in the document and not served yet.

use std::collections::HashMap;
use std::sync::LazyLock;

use crd::Kind;
use metadata::coverage::{COVERAGE, Status};
use serde_json::Value;

use crate::mapping::kind::mapping;
use crate::mapping::used;

static STATUS: LazyLock<HashMap<&'static str, Status>> = LazyLock::new(|| {
    COVERAGE
        .iter()
        .map(|(path, status, _)| (*path, *status))
        .collect()
});

/// The fields that are not served yet, outermost ones only; `spec` where the kind as a whole is not.
pub(crate) fn unsupported(kind: Kind, spec: &Value) -> Vec<String> {
    let Some(mapping) = mapping(kind) else {
        return Vec::new();
    };
    let refused = |path: &str| STATUS.get(path) == Some(&Status::Refused);
    let whole = mapping.prefix.trim_end_matches('.').trim_end_matches("[]");
    // Sources of other kinds than Postgres are kept as written.
    if refused(whole) || (kind == Kind::Source && spec.get("otherKind").is_some()) {
        return vec!["spec".to_owned()];
    }
    let mut fields = Vec::new();
    used(
        mapping.lens,
        spec,
        mapping.prefix,
        "spec",
        &mut |metadata, path| {
            let refused = refused(metadata);
            if refused {
                fields.push(path.to_owned());
            }
            !refused
        },
    );
    if kind == Kind::Engine {
        fields.extend(of_engine(spec));
    }
    fields
}

/// Settings of the engine without an effect yet, which are no part of the document.
fn of_engine(spec: &Value) -> Vec<String> {
    let apis = spec.get("apis").and_then(Value::as_array);
    let apis = apis.into_iter().flatten().enumerate();
    let without_endpoints = apis.filter(|(_, api)| *api == "PgDump" || *api == "Developer");
    let mut fields: Vec<String> = without_endpoints
        .map(|(at, _)| format!("spec.apis[{at}]"))
        .collect();
    if spec
        .get("remoteSchemaPermissions")
        .is_some_and(|set| set == "Enforced")
    {
        fields.push("spec.remoteSchemaPermissions".to_owned());
    }
    fields
}
