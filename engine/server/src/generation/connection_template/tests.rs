use metadata::Json;
use metadata::json::Reader;

use super::*;

fn configuration(template: &str, version: u64) -> SourceConfiguration {
    let info = json!({"database_url": "postgresql://h/d"});
    let value = json!({
        "connection_info": info,
        "read_replicas": [info],
        "connection_set": [{"name": "a", "connection_info": info}, {"name": "b-2", "connection_info": info}],
        "connection_template": {"template": template, "version": version},
    });
    SourceConfiguration::read(&value, &mut Reader::new()).unwrap()
}

fn resolved(template: &str, request: Value) -> Result<Route, String> {
    let template = ConnectionTemplate::of(&configuration(template, 1))
        .unwrap()
        .unwrap();
    template.resolve(request).map_err(|error| error.message)
}

const TENANTS: &str = r#"{{ if $.request.session["x-hasura-tenant"] == "a" }}
        {{$.connection_set.a}}
    {{ elif $.request.session["x-hasura-tenant"] == "b" }}
        {{$.connection_set["b-2"]}}
    {{ elif $.request.query.operation_type == "mutation" }}
        {{$.primary}}
    {{ elif $.request.headers?["x-replica"] == "yes" }}
        {{$.read_replicas}}
    {{ else }}
        {{$.default}}
    {{ end }}"#;

#[test]
fn requests_are_told_apart() {
    let request = |tenant: &str, kind: &str, headers: Value| {
        json!({"headers": headers, "session": {"x-hasura-tenant": tenant},
               "query": {"operation_type": kind, "operation_name": null}})
    };
    for (tenant, kind, headers, route) in [
        ("a", "query", json!({}), Route::Member("a".to_owned())),
        ("b", "mutation", json!({}), Route::Member("b-2".to_owned())),
        ("c", "mutation", json!({}), Route::Primary),
        ("c", "query", json!({"x-replica": "yes"}), Route::ReadReplicas),
        ("c", "query", json!({"x-replica": "no"}), Route::Default),
        ("c", "query", json!({}), Route::Default),
    ] {
        assert_eq!(resolved(TENANTS, request(tenant, kind, headers)), Ok(route));
    }
}

#[test]
fn what_is_no_connection() {
    let no_connection = "connection template: it must give one of";
    let message = resolved("{{ $.request }}", json!({})).unwrap_err();
    assert!(message.starts_with(no_connection), "{message}");
    let message = resolved("\"primary\"", json!({})).unwrap_err();
    assert!(message.starts_with(no_connection), "{message}");
    let message = resolved("{{ $.connection_set.c }}", json!({})).unwrap_err();
    assert_eq!(message, "connection template: 'Object' has no attribute 'c'.");
}

#[test]
fn what_is_no_template() {
    assert_eq!(
        ConnectionTemplate::of(&configuration("{{ $.primary }}", 2)),
        Err(InvalidTemplate::Version(2))
    );
    assert!(matches!(
        ConnectionTemplate::of(&configuration("{{ if }}", 1)),
        Err(InvalidTemplate::Text(_))
    ));
}

#[test]
fn secrets_are_not_shown() {
    let headers = HeaderMap::from_iter([("x-hasura-admin-secret", "s"), ("x-tenant", "t")].map(
        |(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        },
    ));
    let session = Session {
        role: "user".into(),
        variables: vec![("x-hasura-role".into(), "user".into())],
        backend: false,
    };
    let request = RoutedRequest {
        headers: Some(&headers),
        session: &session,
        kind: OperationKind::Query,
        operation_name: Some("q"),
    };
    assert_eq!(
        request.to_json(),
        json!({"headers": {"x-tenant": "t"}, "session": {"x-hasura-role": "user"},
               "query": {"operation_type": "query", "operation_name": "q"}})
    );
}
