//! Kinds of objects that are not served yet are reported, never ignored.

use serde_json::json;

use crate::world::{blog, document, tracked};

#[test]
fn unsupported_kinds() {
    let author = json!({
        "remote_relationships": [{"name": "r", "definition": {"to_source": {
            "source": "x", "table": "y", "relationship_type": "object", "field_mapping": {},
        }}}],
        "event_triggers": [{"name": "e", "definition": {"enable_manual": true}, "webhook": "http://x",
            "retry_conf": {"num_retries": 0, "interval_sec": 10, "timeout_sec": 60}}],
        "apollo_federation_config": {"enable": "v1"},
    });
    let mut metadata = document(json!([tracked("author", author)]), json!([]));
    metadata["actions"] = json!([{"name": "a", "definition": {
        "kind": "synchronous", "handler": "http://x", "output_type": "String",
    }}]);
    metadata["custom_types"] = json!({"scalars": [{"name": "S"}]});
    metadata["cron_triggers"] = json!([{
        "name": "c", "webhook": "http://x", "schedule": "* * * * *", "include_in_metadata": true,
    }]);
    metadata["remote_schemas"] = json!([{"name": "s", "definition": {"url": "http://x"}}]);
    metadata["sources"][0]["logical_models"] =
        json!([{"name": "m", "fields": [{"name": "f", "type": {"scalar": "text"}}]}]);
    metadata["sources"][0]["native_queries"] =
        json!([{"root_field_name": "n", "code": "select 1", "returns": "m", "arguments": {}}]);
    let built = blog().build_document(metadata, None);
    let mut shown: Vec<String> = built
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.objects()[0].name(), problem.reason()))
        .collect();
    shown.sort();
    assert!(built.problems.iter().all(schema::Problem::is_unsupported));
    assert_eq!(
        shown,
        [
            "action a: Inconsistent object: actions are not supported yet",
            "cron_trigger c: Inconsistent object: cron triggers are not supported yet",
            "custom_types custom_types: Inconsistent object: custom types are not supported yet",
            "event_trigger e in table author in source default: Inconsistent object: event triggers are not \
             supported yet",
            "logical_model m in source default: Inconsistent object: logical models are not supported yet",
            "native_query n in source default: Inconsistent object: native queries are not supported yet",
            "remote_relationship r in table author in source default: Inconsistent object: remote relationships are \
             not supported yet",
            "remote_schema s: Inconsistent object: remote schemas are not supported yet",
            "table author in source default: Inconsistent object: apollo_federation_config is not supported yet",
        ]
    );
    assert_eq!(
        built.queries("admin"),
        ["author", "author_aggregate", "author_by_pk"]
    );
}

#[test]
fn opentelemetry() {
    let mut metadata = document(json!([]), json!([]));
    metadata["opentelemetry"] = json!({
        "status": "enabled", "data_types": ["traces"],
        "exporter_otlp": {"otlp_traces_endpoint": "http://x"},
    });
    let built = blog().build_document(metadata, None);
    assert_eq!(
        built.reasons(),
        ["Inconsistent object: OpenTelemetry export is not supported yet"]
    );
}

#[test]
fn settings() {
    let mut metadata = document(json!([]), json!([]));
    metadata["backend_configs"] = json!({"dataconnector": {"x": {"uri": "http://x"}}});
    metadata["network"] = json!({"tls_allowlist": [{"host": "x"}]});
    metadata["opentelemetry"] = json!({"status": "disabled", "data_types": ["traces"]});
    let built = blog().build_document(metadata, None);
    assert_eq!(
        built.reasons(),
        ["Inconsistent object: backend_configs is not supported yet",]
    );
    assert_eq!(
        built.problems[0].to_json(&built.document),
        json!({
            "definition": {"dataconnector": {"x": {"uri": "http://x"}}},
            "name": "backend_configs",
            "reason": "Inconsistent object: backend_configs is not supported yet",
            "type": "backend_configs",
        })
    );
    assert!(built.problems[0].objects().is_empty());
}
