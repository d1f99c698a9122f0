//! A websocket client of the test's own, byte by byte, so that it can also say what no good client says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::process::Server;

/// A key and what RFC 6455 says that it is answered with.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(crate) const APOLLO: Option<&str> = Some("graphql-ws");
pub(crate) const TRANSPORT: Option<&str> = Some("graphql-transport-ws");

pub(crate) const TEXT: u8 = 1;
pub(crate) const BINARY: u8 = 2;

/// What a server says.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// A message.
    Message(Value),
    /// A frame that is none, by its code.
    Control(u8, Vec<u8>),
    /// The end, with code and reason.
    Close(u16, String),
    /// Nothing more.
    Gone,
}

/// An open websocket.
pub(crate) struct Socket {
    stream: BufReader<TcpStream>,
    /// What the server named.
    pub(crate) protocol: Option<String>,
    is_transport: bool,
}

impl Socket {
    /// Opens one.
    pub(crate) fn open(
        server: &Server,
        path: &str,
        protocol: Option<&str>,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, String)> {
        let mut head = format!(
            "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {KEY}\r\n"
        );
        if let Some(protocol) = protocol {
            head.push_str(&format!("sec-websocket-protocol: {protocol}\r\n"));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        let mut stream = server.connect();
        stream.write_all(head.as_bytes()).unwrap();
        Self::opened(stream)
    }

    /// Reads the answer to a handshake.
    pub(crate) fn opened(stream: TcpStream) -> Result<Self, (u16, String)> {
        stream.set_nodelay(true).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        let status: u16 = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut length, mut accept, mut protocol) = (0, None, None);
        loop {
            line.clear();
            stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "sec-websocket-accept" => accept = Some(value.to_owned()),
                "sec-websocket-protocol" => protocol = Some(value.to_owned()),
                _ => {}
            }
        }
        if status != 101 {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            return Err((status, String::from_utf8(body).unwrap()));
        }
        assert_eq!(accept.as_deref(), Some(ACCEPT));
        Ok(Self {
            stream,
            is_transport: protocol.as_deref() == TRANSPORT,
            protocol,
        })
    }

    /// Opens one on `/v1/graphql` and comes in with these headers.
    pub(crate) fn initialised(server: &Server, protocol: Option<&str>, headers: &[(&str, &str)]) -> Self {
        let mut socket = Self::open(server, "/v1/graphql", protocol, &[]).unwrap();
        socket.initialise(headers);
        socket
    }

    /// Says who it is, and is let in.
    pub(crate) fn initialise(&mut self, headers: &[(&str, &str)]) {
        self.send(&init(headers));
        assert_eq!(self.message(), json!({"type": "connection_ack"}));
    }

    /// Sends a message.
    pub(crate) fn send(&mut self, message: &Value) {
        self.frame(TEXT, true, message.to_string().as_bytes());
    }

    /// Starts an operation.
    pub(crate) fn start(&mut self, id: &str, query: &str) {
        let kind = if self.is_transport { "subscribe" } else { "start" };
        self.send(&json!({"id": id, "type": kind, "payload": {"query": query}}));
    }

    /// The messages of one operation up to `complete`, which is left out.
    pub(crate) fn ask(&mut self, id: &str, query: &str) -> Vec<Value> {
        self.start(id, query);
        self.until_complete(id)
    }

    pub(crate) fn until_complete(&mut self, id: &str) -> Vec<Value> {
        let mut said = Vec::new();
        loop {
            let message = self.message();
            assert_eq!(message["id"], id, "{message}");
            if message["type"] == "complete" {
                assert_eq!(message, json!({"type": "complete", "id": id}));
                return said;
            }
            said.push(message);
        }
    }

    /// Sends a frame, masked. The server may be gone already.
    pub(crate) fn frame(&mut self, code: u8, last: bool, payload: &[u8]) {
        let mask = [7, 1, 200, 33];
        let mut bytes = head(code | if last { 0x80 } else { 0 }, 0x80, payload.len());
        bytes.extend_from_slice(&mask);
        bytes.extend(
            payload
                .iter()
                .zip(mask.iter().cycle())
                .map(|(byte, mask)| byte ^ mask),
        );
        self.raw(&bytes);
    }

    /// Sends bytes as they are. The server may be gone already.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        let _ = self.stream.get_mut().write_all(bytes);
    }

    /// What comes next, whatever it is.
    pub(crate) fn next(&mut self) -> Said {
        let mut two = [0; 2];
        if self.stream.read_exact(&mut two).is_err() {
            return Said::Gone;
        }
        assert_eq!(two[0] & 0xf0, 0x80, "one frame, no extension");
        assert_eq!(two[1] & 0x80, 0, "a server does not mask");
        let length = match two[1] {
            126 => {
                let mut more = [0; 2];
                self.stream.read_exact(&mut more).unwrap();
                usize::from(u16::from_be_bytes(more))
            }
            127 => {
                let mut more = [0; 8];
                self.stream.read_exact(&mut more).unwrap();
                usize::try_from(u64::from_be_bytes(more)).unwrap()
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        if self.stream.read_exact(&mut payload).is_err() {
            return Said::Gone;
        }
        match two[0] & 0x0f {
            TEXT => Said::Message(serde_json::from_slice(&payload).unwrap()),
            8 => {
                let (code, reason) = payload.split_at_checked(2).unwrap_or_default();
                // None at all is 1005 (RFC 6455, 7.4.1).
                let code = code.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
                Said::Close(code, String::from_utf8(reason.to_vec()).unwrap())
            }
            code => Said::Control(code, payload),
        }
    }

    /// The next that is no keep-alive.
    pub(crate) fn said(&mut self) -> Said {
        loop {
            match self.next() {
                Said::Message(message) if is_keepalive(&message) => {}
                said => return said,
            }
        }
    }

    /// The next message that is no keep-alive.
    pub(crate) fn message(&mut self) -> Value {
        match self.said() {
            Said::Message(message) => message,
            other => panic!("no message but {other:?}"),
        }
    }

    /// The end, which is to come next; then nothing.
    pub(crate) fn closed(&mut self) -> (u16, String) {
        let Said::Close(code, reason) = self.said() else {
            panic!("not closed");
        };
        self.frame(8, true, &code.to_be_bytes());
        assert_eq!(self.next(), Said::Gone);
        (code, reason)
    }

    /// The code of the end, which comes next but for a `connection_error`.
    pub(crate) fn closed_after_errors(&mut self) -> u16 {
        loop {
            match self.said() {
                Said::Message(message) if message["type"] == "connection_error" => {}
                Said::Close(code, _) => return code,
                other => panic!("not closed but {other:?}"),
            }
        }
    }

    /// The stream below, after whatever was read of it.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

/// `connection_init` with these headers.
pub(crate) fn init(headers: &[(&str, &str)]) -> Value {
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    json!({"type": "connection_init", "payload": {"headers": headers}})
}

pub(crate) fn is_keepalive(message: &Value) -> bool {
    *message == json!({"type": "ka"})
        || *message == json!({"type": "ping", "payload": {"message": "keepalive"}})
}

/// The head of a frame of so many bytes.
pub(crate) fn head(first: u8, second: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    if length < 126 {
        bytes.push(second | u8::try_from(length).unwrap());
    } else if let Ok(length) = u16::try_from(length) {
        bytes.push(second | 126);
        bytes.extend_from_slice(&length.to_be_bytes());
    } else {
        bytes.push(second | 127);
        bytes.extend_from_slice(&u64::try_from(length).unwrap().to_be_bytes());
    }
    bytes
}
