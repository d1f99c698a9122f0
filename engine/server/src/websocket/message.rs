//! What clients say, in both protocols: each understands the other's words, as in Hasura.

use ::auth::json::kind;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::http::graphql;
use crate::http::spelling::Spelling;
use crate::request::Request;

/// Headers of one `connection_init` at most, as many as a session has variables.
const MOST_HEADERS: usize = 1000;

/// Bytes of an operation's id at most: it is kept while the operation runs, and repeated in each answer.
const LONGEST_ID: usize = 1024;

/// One message of a client.
#[derive(Debug)]
pub enum ClientMessage<'a> {
    /// `connection_init`, with the headers of its payload and how they are spelled.
    Init(HeaderMap, Spelling),
    /// `start` or `subscribe`.
    Start {
        /// The client's id of the operation.
        id: String,
        /// What is asked.
        request: Request<'a>,
        /// The same as it was sent.
        payload: &'a str,
    },
    /// `stop` or `complete`, with the id of the operation.
    Stop(String),
    /// `connection_terminate`
    Terminate,
    /// `ping`, with its payload.
    Ping(Option<&'a RawValue>),
    /// `pong`
    Pong,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl<'a> ClientMessage<'a> {
    /// Reads a message.
    ///
    /// # Errors
    /// Where and why it cannot be read, for the client.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let wrong = |what: String| format!("parsing ClientMessage failed: Error in {what}");
        if !text.trim_start().starts_with('{') {
            return Err(wrong(match serde_json::from_str::<Value>(text) {
                Err(error) => format!("$: {error}"),
                Ok(other) => format!(
                    "$: parsing ClientMessage failed, expected Object, but encountered {}",
                    kind(&other)
                ),
            }));
        }
        let wire: Wire<'a> = serde_json::from_str(text).map_err(|error| wrong(format!("$: {error}")))?;
        let kind = string("type", wire.kind).map_err(wrong)?;
        let id = || match string("id", wire.id) {
            Ok(id) if id.len() <= LONGEST_ID => Ok(id),
            Ok(_) => Err(wrong(format!("$.id: longer than {LONGEST_ID} bytes"))),
            Err(reason) => Err(wrong(reason)),
        };
        match kind.as_str() {
            "connection_init" => {
                let (headers, spelling) = headers(wire.payload).map_err(wrong)?;
                Ok(Self::Init(headers, spelling))
            }
            "start" | "subscribe" => {
                let id = id()?;
                let payload = wire
                    .payload
                    .ok_or_else(|| wrong("$: key \"payload\" not found".to_owned()))?
                    .get();
                let request = graphql::whole_operation(payload.as_bytes(), "$.payload")
                    .map_err(|error| wrong(format!("{}: {}", error.path, error.message)))?;
                Ok(Self::Start { id, request, payload })
            }
            "stop" | "complete" => id().map(Self::Stop),
            "connection_terminate" => Ok(Self::Terminate),
            "ping" => Ok(Self::Ping(wire.payload)),
            "pong" => Ok(Self::Pong),
            other => Err(wrong(format!("$: unexpected type for ClientMessage: {other}"))),
        }
    }
}

fn string(key: &str, value: Option<&RawValue>) -> Result<String, String> {
    let value = value.ok_or_else(|| format!("$: key \"{key}\" not found"))?;
    serde_json::from_str(value.get()).map_err(|_| {
        let found = serde_json::from_str(value.get()).unwrap_or(Value::Null);
        format!(
            "$.{key}: parsing Text failed, expected String, but encountered {}",
            kind(&found)
        )
    })
}

/// `payload.headers`. A name that is there twice, in whatever case, could be read in two ways.
fn headers(payload: Option<&RawValue>) -> Result<(HeaderMap, Spelling), String> {
    let object = |path: &str, value: Value| match value {
        Value::Null => Ok(Map::new()),
        Value::Object(object) => Ok(object),
        other => Err(format!(
            "{path}: expected Object, but encountered {}",
            kind(&other)
        )),
    };
    let payload = match payload {
        None => Value::Null,
        Some(payload) => {
            serde_json::from_str(payload.get()).map_err(|error| format!("$.payload: {error}"))?
        }
    };
    let mut payload = object("$.payload", payload)?;
    let given = object(
        "$.payload.headers",
        payload.remove("headers").unwrap_or(Value::Null),
    )?;
    if given.len() > MOST_HEADERS {
        return Err("$.payload.headers: too many headers".to_owned());
    }
    let spelling = Spelling::of(given.keys().map(String::as_str));
    let mut headers = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        let path = "$.payload.headers";
        let Value::String(value) = value else {
            return Err(format!(
                "{path}['{name}']: parsing Text failed, expected String, but encountered {}",
                kind(&value)
            ));
        };
        let known = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("{path}: '{name}' is not the name of a header"))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| format!("{path}['{name}']: not the value of a header"))?;
        if headers.contains_key(&known) {
            return Err(format!("{path}: '{known}' is given twice"));
        }
        headers.insert(known, value);
    }
    Ok((headers, spelling))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::Fuzz;

    fn wrong(text: &str) -> String {
        let message = ClientMessage::parse(text).unwrap_err();
        message
            .strip_prefix("parsing ClientMessage failed: Error in ")
            .unwrap()
            .to_owned()
    }

    #[test]
    fn messages_of_both_protocols() {
        for kind in ["start", "subscribe"] {
            let text = format!(
                r#" {{"id":"1","type":"{kind}","payload":{{"query":"{{ a }}","variables":null}},"more":[]}}"#
            );
            let Ok(ClientMessage::Start { id, request, payload }) = ClientMessage::parse(&text) else {
                panic!("{text}");
            };
            assert_eq!((id.as_str(), &*request.query), ("1", "{ a }"));
            assert!(payload.starts_with("{\"query\""));
        }
        for text in [r#"{"type":"stop","id":"1"}"#, r#"{"type":"complete","id":"1"}"#] {
            assert!(matches!(ClientMessage::parse(text), Ok(ClientMessage::Stop(id)) if id == "1"));
        }
        assert!(matches!(
            ClientMessage::parse(r#"{"type":"ping","payload":{"a":1}}"#),
            Ok(ClientMessage::Ping(Some(payload))) if payload.get() == "{\"a\":1}"
        ));
        assert!(matches!(
            ClientMessage::parse(r#"{"type":"pong"}"#),
            Ok(ClientMessage::Pong)
        ));
        assert!(matches!(
            ClientMessage::parse(r#"{"type":"connection_terminate"}"#),
            Ok(ClientMessage::Terminate)
        ));
    }

    #[test]
    fn headers_of_the_payload() {
        let read = |payload: &str| {
            let text = format!(r#"{{"type":"connection_init"{payload}}}"#);
            match ClientMessage::parse(&text) {
                Ok(ClientMessage::Init(headers, _)) => headers,
                other => panic!("{text} {other:?}"),
            }
        };
        for none in [
            "",
            r#","payload":null"#,
            r#","payload":{}"#,
            r#","payload":{"headers":null}"#,
            r#","payload":{"other":1}"#,
        ] {
            assert!(read(none).is_empty(), "{none}");
        }
        let headers = read(r#","payload":{"headers":{"X-Hasura-Role":"user","b":"ü"}}"#);
        assert_eq!(headers["x-hasura-role"], "user");
        assert_eq!(headers["b"].as_bytes(), "ü".as_bytes());
        for (payload, expected) in [
            (r#"[]"#, "$.payload: expected Object, but encountered Array"),
            (
                r#"{"headers":"x"}"#,
                "$.payload.headers: expected Object, but encountered String",
            ),
            (
                r#"{"headers":{"a":1}}"#,
                "$.payload.headers['a']: parsing Text failed, expected String, but encountered Number",
            ),
            (
                r#"{"headers":{"a b":"1"}}"#,
                "$.payload.headers: 'a b' is not the name of a header",
            ),
            (
                r#"{"headers":{"a":"1\n2"}}"#,
                "$.payload.headers['a']: not the value of a header",
            ),
            (
                r#"{"headers":{"A":"1","a":"2"}}"#,
                "$.payload.headers: 'a' is given twice",
            ),
        ] {
            assert_eq!(
                wrong(&format!(r#"{{"type":"connection_init","payload":{payload}}}"#)),
                expected
            );
        }
        let many: Map<String, Value> = (0..=MOST_HEADERS)
            .map(|at| (format!("h{at}"), "".into()))
            .collect();
        let text = serde_json::json!({"type": "connection_init", "payload": {"headers": many}}).to_string();
        assert_eq!(wrong(&text), "$.payload.headers: too many headers");
    }

    #[test]
    fn wrong_messages() {
        assert_eq!(
            wrong("[]"),
            "$: parsing ClientMessage failed, expected Object, but encountered Array"
        );
        assert_eq!(wrong("{}"), "$: key \"type\" not found");
        assert_eq!(
            wrong(r#"{"type":1}"#),
            "$.type: parsing Text failed, expected String, but encountered Number"
        );
        assert_eq!(
            wrong(r#"{"type":"what"}"#),
            "$: unexpected type for ClientMessage: what"
        );
        assert_eq!(wrong(r#"{"type":"stop"}"#), "$: key \"id\" not found");
        assert_eq!(
            wrong(r#"{"type":"stop","id":7}"#),
            "$.id: parsing Text failed, expected String, but encountered Number"
        );
        let start = |length: usize| {
            let id = "é".repeat(length / 2);
            format!(r#"{{"type":"start","id":"{id}","payload":{{"query":"{{ a }}"}}}}"#)
        };
        assert!(ClientMessage::parse(&start(LONGEST_ID)).is_ok());
        assert_eq!(wrong(&start(LONGEST_ID + 2)), "$.id: longer than 1024 bytes");
        assert_eq!(
            wrong(r#"{"type":"start","id":"1"}"#),
            "$: key \"payload\" not found"
        );
        assert_eq!(
            wrong(r#"{"type":"start","id":"1","payload":{}}"#),
            "$.payload: the key 'query' was not present"
        );
        assert_eq!(
            wrong(r#"{"type":"start","id":"1","payload":{"query":1}}"#),
            "$.payload.query: expected String, but encountered Number"
        );
        for text in [
            "",
            "{",
            "nonsense",
            r#"{"type":"stop","type":"start"}"#,
            "{\"type\":\"\\ud800\"}",
        ] {
            assert!(wrong(text).starts_with('$'), "{text}");
        }
    }

    /// Mangled messages: nothing panics, and each that cannot be read is told why.
    #[test]
    fn random_messages() {
        let mut fuzz = Fuzz::begin();
        let seeds = [
            r#"{"type":"connection_init","payload":{"headers":{"x-hasura-role":"user","b":"c"}}}"#,
            r#"{"id":"1","type":"start","payload":{"query":"{ a }","variables":{"a":[1]},"operationName":null}}"#,
            r#"{"id":"1","type":"complete"}"#,
            r#"{"type":"ping","payload":{"a":[[[[]]]]}}"#,
        ];
        while fuzz.goes_on() {
            let mut text: Vec<char> = seeds[fuzz.below(seeds.len())].chars().collect();
            for _ in 0..=fuzz.below(6) {
                let at = fuzz.below(text.len() + 1);
                match fuzz.below(4) {
                    0 => text.truncate(at),
                    1 => text.insert(
                        at,
                        ['{', '}', '[', '"', ':', ',', '\\', '\0', 'é', '9'][fuzz.below(10)],
                    ),
                    2 => text.extend_from_within(..at),
                    _ if at < text.len() => drop(text.remove(at)),
                    _ => {}
                }
                text.truncate(4096);
            }
            let text: String = text.into_iter().collect();
            if let Err(reason) = ClientMessage::parse(&text) {
                assert!(
                    reason.starts_with("parsing ClientMessage failed: Error in $"),
                    "{reason}"
                );
            }
        }
        let deep = format!(r#"{{"type":"ping","payload":{}"#, "[".repeat(100_000));
        assert!(ClientMessage::parse(&deep).is_err());
        let deep = format!(
            r#"{{"type":"start","id":"1","payload":{{"query":"","variables":{{"a":{}{}}}}}}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(ClientMessage::parse(&deep).is_err());
    }
}
