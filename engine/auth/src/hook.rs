//! What an authentication webhook is sent, and what its answer says.

use std::sync::Arc;
use std::time::Duration;

use http::header::COOKIE;
use http::{HeaderMap, HeaderName};
use serde_json::{Map, Value};

use crate::cache_control::{self, parse_date};
use crate::error::{Code, Error};
use crate::json;
use crate::variable::{self, Variables};

/// Headers of a client that are about its own connection and not passed on to a GET hook.
pub const NOT_FORWARDED: [&str; 14] = [
    "content-length",
    "content-md5",
    "user-agent",
    "host",
    "origin",
    "referer",
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-datetime",
    "cache-control",
    "connection",
    "dnt",
    "content-type",
];

/// Headers that speak to the next hop alone; passed on, they could make two servers disagree on where a message ends.
const HOP: [&str; 7] = [
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-connection",
    "expect",
];

/// What an answer makes of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The role.
    pub role: Arc<str>,
    /// Session variables without the role.
    pub variables: Variables,
    /// When it ends, in seconds since 1970.
    pub expires: Option<f64>,
}

/// Headers that a GET hook gets.
pub fn forwarded(headers: &HeaderMap) -> HeaderMap {
    headers.iter().filter(|(name, _)| is_forwarded(name)).fold(
        HeaderMap::with_capacity(headers.len()),
        |mut kept, (name, value)| {
            kept.append(name.clone(), value.clone());
            kept
        },
    )
}

fn is_forwarded(name: &HeaderName) -> bool {
    !NOT_FORWARDED.contains(&name.as_str()) && !HOP.contains(&name.as_str())
}

/// The body that a POST hook gets. `request` is what was asked: `None` leaves the key out, null is a request that is
/// no GraphQL. Of a header that is there several times the last one counts, but cookies are put together; bytes that are
/// no UTF-8 become U+FFFD. `spelled` tells how the client spelled a name, which is in lower case otherwise.
pub fn body<'s>(
    headers: &HeaderMap,
    spelled: impl Fn(&str) -> Option<&'s str>,
    request: Option<Value>,
) -> Value {
    let mut told: Map<String, Value> = Map::new();
    for (name, value) in headers {
        let mut text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let key = spelled(name.as_str()).unwrap_or(name.as_str());
        if name == COOKIE
            && let Some(Value::String(before)) = told.get(key)
        {
            text = format!("{before}; {text}");
        }
        told.insert(key.to_owned(), text.into());
    }
    let mut body = Map::new();
    body.insert("headers".to_owned(), Value::Object(told));
    if let Some(request) = request {
        body.insert("request".to_owned(), request);
    }
    Value::Object(body)
}

/// Reads an answer that arrived at `now`.
///
/// # Errors
/// A refusal, and an answer that cannot be understood.
pub fn read(status: u16, body: &[u8], now: f64) -> Result<Answer, Error> {
    match status {
        200 => read_object(body, now),
        401 => Err(unauthorized()),
        _ => Err(invalid()),
    }
}

fn read_object(body: &[u8], now: f64) -> Result<Answer, Error> {
    let object = match json::parse(body) {
        Ok(Value::Object(object)) => object,
        Ok(other) => {
            let found = json::kind(&other);
            return Err(unreadable(&format!(
                "$: parsing HashMap failed, expected Object, but encountered {found}"
            )));
        }
        Err(reason) => return Err(unreadable(&format!("$: {reason}"))),
    };
    // Every value must be a text, also of keys that are no session variables.
    let other = object
        .iter()
        .filter(|(_, value)| !value.is_string())
        .min_by_key(|(key, _)| *key);
    if let Some((key, value)) = other {
        let found = json::kind(value);
        let path = path_to(key);
        return Err(unreadable(&format!(
            "{path}: parsing Text failed, expected String, but encountered {found}"
        )));
    }
    let picked = variable::pick(&object).map_err(|reason| unreadable(&format!("$: {reason}")))?;
    let mut role = None;
    let mut variables = Variables::with_capacity(picked.len());
    for (name, value) in picked {
        let text =
            variable::text(value).map_err(|reason| unreadable(&format!("{}: {reason}", path_to(&name))))?;
        if name == variable::ROLE {
            role = Some(text);
        } else {
            variables.push((Arc::from(name), text));
        }
    }
    let find = |wanted: &str| {
        object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(wanted))
            .and_then(|(_, value)| value.as_str())
    };
    // An answer that is good for no time ends what it began at once; one of no word on it, never.
    let expires = match find("cache-control").and_then(cache_control::seconds) {
        Some(seconds) => Some(now + Duration::from_secs(seconds).as_secs_f64()),
        None => find("expires").and_then(parse_date),
    };
    match role.filter(|role| !role.is_empty()) {
        Some(role) => Ok(Answer {
            role,
            variables,
            expires,
        }),
        None => Err(Error::new(
            Code::InvalidParams,
            "\"x-hasura-role\" not found in session variables",
        )),
    }
}

/// The path to a key of an answer, as Hasura's JSON library writes it.
fn path_to(key: &str) -> String {
    let mut characters = key.chars();
    let is_plain =
        characters.next().is_some_and(char::is_alphabetic) && characters.all(char::is_alphanumeric);
    if is_plain {
        format!("$.{key}")
    } else {
        format!("$['{}']", key.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

/// The hook said no.
pub fn unauthorized() -> Error {
    Error::new(
        Code::AccessDenied,
        "Authentication hook unauthorized this request",
    )
}

/// The hook said something else.
pub fn invalid() -> Error {
    Error::new(Code::Unexpected, "Invalid response from authorization hook")
}

/// The hook said something of the wrong form.
fn unreadable(reason: &str) -> Error {
    Error::new(
        Code::Unexpected,
        format!("Invalid response from authorization hook: Error in {reason}"),
    )
}

/// The hook said nothing.
pub fn unreachable() -> Error {
    Error::new(Code::Unexpected, "webhook authentication request failed")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_forwarded() {
        let headers = HeaderMap::from_iter(
            [
                ("host", "h"),
                ("user-agent", "u"),
                ("content-type", "application/json"),
                ("transfer-encoding", "chunked"),
                ("authorization", "Bearer x"),
                ("cookie", "a=1"),
                ("x-hasura-role", "admin"),
            ]
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))),
        );
        let kept = forwarded(&headers);
        let mut names: Vec<&str> = kept.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "cookie", "x-hasura-role"]);
        let mut headers = headers;
        for (name, value) in [
            ("cookie", &b"b=2"[..]),
            ("x-own", b"1"),
            ("x-own", b"2"),
            ("x-odd", b"a\xff"),
        ] {
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        }
        let spelled = |name: &str| (name == "x-own").then_some("X-Own");
        let body = body(&headers, spelled, Some(Value::Null));
        assert_eq!(body["headers"]["cookie"], "a=1; b=2");
        assert_eq!(body["headers"]["X-Own"], "2");
        assert_eq!(body["headers"].get("x-own"), None);
        assert_eq!(body["headers"]["x-odd"], "a\u{fffd}");
        assert_eq!(body["headers"]["host"], "h");
        assert_eq!(body["request"], Value::Null);
    }

    #[test]
    fn answers() {
        let good = json!({"X-Hasura-Role": "user", "x-hasura-User-Id": "7", "other": "x", "Cache-Control": "max-age=60"});
        let answer = read(200, good.to_string().as_bytes(), 1000.0).unwrap();
        assert_eq!(&*answer.role, "user");
        assert_eq!(
            answer.variables,
            [(Arc::from("x-hasura-user-id"), Arc::from("7"))]
        );
        assert_eq!(answer.expires, Some(1060.0));
        for (said, expires) in [
            ("max-age=0", Some(1000.0)),
            ("no-cache, max-age=60", Some(1060.0)),
            ("no-store", None),
        ] {
            let body = json!({"X-Hasura-Role": "user", "Cache-Control": said});
            let answer = read(200, body.to_string().as_bytes(), 1000.0).unwrap();
            assert_eq!(answer.expires, expires, "{said}");
        }
        let dated = json!({"X-Hasura-Role": "user", "expires": "Sun, 06 Nov 1994 08:49:37 GMT"});
        let answer = read(200, dated.to_string().as_bytes(), 0.0).unwrap();
        assert_eq!(answer.expires, Some(784_111_777.0));
    }

    #[test]
    fn refusals() {
        let message = |status, body: &str| read(status, body.as_bytes(), 0.0).unwrap_err().message;
        assert_eq!(message(401, ""), "Authentication hook unauthorized this request");
        for (status, body) in [(500, ""), (403, "{}"), (204, ""), (302, "<html>")] {
            assert_eq!(message(status, body), "Invalid response from authorization hook");
        }
        // A 200 that cannot be read tells why, and nothing of what it holds.
        for (body, reason) in [
            ("", "$: not enough input"),
            (" \n", "$: not enough input"),
            ("<html>secret</html>", "$: Failed reading: not a valid json value"),
            (r#"{"x-hasura-role":"a""#, "$: not enough input"),
            (r#"{"x-hasura-role":"a"} secret"#, "$: trailing characters"),
            ("\u{feff}{}", "$: Failed reading: not a valid json value"),
            (
                r#"{"x-hasura-role":"a","X-Hasura-Role":"b"}"#,
                "$: a session variable is given twice",
            ),
            (
                r#"{"x-hasura-role":"a","x-hasura-role":"a"}"#,
                "$: a key is given twice",
            ),
            (
                r#"{"x-hasura-role":"a","x-hasura-b":"\u0000"}"#,
                "$['x-hasura-b']: the character U+0000 is not allowed",
            ),
        ] {
            assert_eq!(
                message(200, body),
                format!("Invalid response from authorization hook: Error in {reason}")
            );
        }
        assert_eq!(
            message(200, "[]"),
            "Invalid response from authorization hook: Error in $: parsing HashMap failed, expected Object, but encountered Array"
        );
        assert_eq!(
            message(200, r#"{"x-hasura-role":1}"#),
            "Invalid response from authorization hook: Error in $['x-hasura-role']: parsing Text failed, expected String, but encountered Number"
        );
        assert_eq!(
            message(200, r#"{"x-hasura-role":"a","other":null}"#),
            "Invalid response from authorization hook: Error in $.other: parsing Text failed, expected String, but encountered Null"
        );
        assert_eq!(
            message(200, "{}"),
            "\"x-hasura-role\" not found in session variables"
        );
    }
}
