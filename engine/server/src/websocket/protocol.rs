//! The two protocols: their names, and how messages of the server are written in each.

use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::close::Close;
use crate::http::error::{ApiError, Body, Visibility, write_string};
use crate::http::graphql::Family;

/// What is spoken on a websocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `graphql-ws`, of Apollo's subscriptions-transport-ws.
    Apollo,
    /// `graphql-transport-ws`, of the package graphql-ws.
    Transport,
}

impl Protocol {
    /// As `Sec-WebSocket-Protocol` has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apollo => "graphql-ws",
            Self::Transport => "graphql-transport-ws",
        }
    }

    /// The answer to a good `connection_init`.
    pub fn acknowledgement() -> Vec<u8> {
        br#"{"type":"connection_ack"}"#.to_vec()
    }

    /// Sent every few seconds.
    pub fn keepalive(self) -> Vec<u8> {
        match self {
            Self::Apollo => br#"{"type":"ka"}"#.to_vec(),
            Self::Transport => br#"{"type":"ping","payload":{"message":"keepalive"}}"#.to_vec(),
        }
    }

    /// The answer to a client's ping, with the same payload.
    pub fn pong(payload: Option<&RawValue>) -> Vec<u8> {
        match payload {
            None => br#"{"type":"pong"}"#.to_vec(),
            Some(payload) => format!("{{\"type\":\"pong\",\"payload\":{}}}", payload.get()).into_bytes(),
        }
    }

    /// Begins a message with an answer: the payload and [`END`] are to follow.
    pub fn begin_data(self, id: &str, out: &mut Vec<u8>) {
        let kind = match self {
            Self::Apollo => "data",
            Self::Transport => "next",
        };
        begin(kind, id, out);
    }

    /// An operation failed. Once it was running, Apollo's clients expect an answer that holds errors.
    pub fn failed(
        self,
        family: Family,
        id: &str,
        error: &ApiError,
        running: bool,
        visibility: Visibility,
    ) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        match (self, running) {
            (Self::Apollo, true) => {
                begin("data", id, &mut out);
                out.extend_from_slice(b"{\"data\":null,\"errors\":[");
                write_error(family, error, visibility, &mut out);
                out.extend_from_slice(b"]}");
            }
            (Self::Apollo, false) => {
                begin("error", id, &mut out);
                match family {
                    Family::V1 => out.extend_from_slice(&error.body(Body::GraphQl, visibility)),
                    Family::V1Alpha1 => out.extend_from_slice(&error.body(Body::Plain, visibility)),
                }
            }
            (Self::Transport, _) => {
                begin("error", id, &mut out);
                out.push(b'[');
                write_error(family, error, visibility, &mut out);
                out.push(b']');
            }
        }
        out.push(END);
        out
    }

    /// An operation was not to begin.
    pub fn not_started(self, family: Family, id: &str, error: &ApiError) -> Vec<u8> {
        match self {
            Self::Transport => self.failed(family, id, error, false, Visibility::Hidden),
            Self::Apollo => {
                let mut out = Vec::with_capacity(256);
                begin("error", id, &mut out);
                write_error(family, error, Visibility::Hidden, &mut out);
                out.push(END);
                out
            }
        }
    }

    /// Nothing more comes of an operation.
    pub fn complete(id: &str) -> Vec<u8> {
        let mut out = b"{\"type\":\"complete\",\"id\":".to_vec();
        write_string(&mut out, id);
        out.push(END);
        out
    }

    /// What the client said cannot be taken: a message for those who read one, and whether that ends the connection.
    pub fn unreadable(self, reason: &str) -> (Option<Vec<u8>>, Option<Close>) {
        match self {
            Self::Apollo => (Some(connection_error(reason)), None),
            Self::Transport => (None, Some(Close::of(4400, reason))),
        }
    }

    /// The client may not come in.
    pub fn denied(self, reason: &str) -> (Option<Vec<u8>>, Close) {
        match self {
            Self::Apollo => (Some(connection_error(reason)), Close::of(4400, reason)),
            Self::Transport => (None, Close::of(4403, "Forbidden")),
        }
    }

    /// The client did not say who it is in time.
    pub fn late(self) -> Close {
        let reason = "Connection initialisation timed out";
        match self {
            Self::Apollo => Close::plain(CloseCode::Error, reason),
            Self::Transport => Close::plain(CloseCode::from(4408), reason),
        }
    }
}

/// Ends every message.
pub const END: u8 = b'}';

fn begin(kind: &str, id: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"id\":");
    write_string(out, id);
    out.extend_from_slice(b",\"payload\":");
}

/// One error, in the shape of the path that the websocket was opened on.
fn write_error(family: Family, error: &ApiError, visibility: Visibility, out: &mut Vec<u8>) {
    match family {
        Family::V1 => error.write_graphql(out, visibility),
        Family::V1Alpha1 => out.extend_from_slice(&error.body(Body::Plain, visibility)),
    }
}

fn connection_error(reason: &str) -> Vec<u8> {
    let mut out = b"{\"type\":\"connection_error\",\"payload\":".to_vec();
    write_string(&mut out, reason);
    out.push(END);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::error::Code;

    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn errors_in_each_protocol() {
        let error = ApiError::new(Code::ValidationFailed, "no");
        let graphql = r#"{"message":"no","extensions":{"path":"$","code":"validation-failed"}}"#;
        let plain = r#"{"error":"no","path":"$","code":"validation-failed"}"#;
        let failed = |protocol: Protocol, family, running| {
            text(protocol.failed(family, "a\"b", &error, running, Visibility::Hidden))
        };
        assert_eq!(
            failed(Protocol::Apollo, Family::V1, false),
            format!(r#"{{"type":"error","id":"a\"b","payload":{{"errors":[{graphql}]}}}}"#)
        );
        assert_eq!(
            failed(Protocol::Apollo, Family::V1, true),
            format!(r#"{{"type":"data","id":"a\"b","payload":{{"data":null,"errors":[{graphql}]}}}}"#)
        );
        assert_eq!(
            failed(Protocol::Apollo, Family::V1Alpha1, false),
            format!(r#"{{"type":"error","id":"a\"b","payload":{plain}}}"#)
        );
        for running in [false, true] {
            assert_eq!(
                failed(Protocol::Transport, Family::V1, running),
                format!(r#"{{"type":"error","id":"a\"b","payload":[{graphql}]}}"#)
            );
        }
        assert_eq!(
            text(Protocol::Apollo.not_started(Family::V1, "1", &error)),
            format!(r#"{{"type":"error","id":"1","payload":{graphql}}}"#)
        );
        assert_eq!(
            text(Protocol::Transport.not_started(Family::V1, "1", &error)),
            format!(r#"{{"type":"error","id":"1","payload":[{graphql}]}}"#)
        );
    }

    #[test]
    fn small_messages() {
        assert_eq!(text(Protocol::complete("1")), r#"{"type":"complete","id":"1"}"#);
        assert_eq!(text(Protocol::pong(None)), r#"{"type":"pong"}"#);
        let payload = RawValue::from_string(r#"{"a":1}"#.to_owned()).unwrap();
        assert_eq!(
            text(Protocol::pong(Some(&payload))),
            r#"{"type":"pong","payload":{"a":1}}"#
        );
        assert_eq!(
            text(Protocol::Apollo.unreadable("why").0.unwrap()),
            r#"{"type":"connection_error","payload":"why"}"#
        );
    }
}
