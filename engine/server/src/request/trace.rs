//! The trace that a request is part of, as triggers in the database see it (`hasura.tracecontext`).

use http::HeaderMap;
use serde_json::json;

/// `{"trace_id":…,"span_id":…}` of W3C's or Zipkin's headers; `None` without them.
pub fn context(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (trace, span) = match text("traceparent") {
        Some(parent) => {
            let mut parts = parent.split('-');
            parts.next()?;
            (parts.next()?, parts.next()?)
        }
        None => (text("x-b3-traceid")?, text("x-b3-spanid")?),
    };
    let is_hex = |id: &str, lengths: &[usize]| {
        lengths.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    (is_hex(trace, &[16, 32]) && is_hex(span, &[16]))
        .then(|| json!({"trace_id": trace, "span_id": span}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, http::HeaderValue::from_static(value));
        }
        context(&map)
    }

    #[test]
    fn both_kinds_of_headers() {
        let said = r#"{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}"#;
        assert_eq!(
            of(&[(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            )])
            .as_deref(),
            Some(said)
        );
        assert_eq!(
            of(&[
                ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
                ("x-b3-spanid", "b7ad6b7169203331")
            ])
            .as_deref(),
            Some(said)
        );
        assert_eq!(of(&[("traceparent", "00-x-y-01")]), None);
        assert_eq!(of(&[]), None);
    }
}
